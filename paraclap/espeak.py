"""How does a sentence become speech: espeak-ng, driven through its C library.

One private folder of voice data per driver (links to the data inside the wheel, one voice variant
that is rewritten for every utterance), so that several processes never see each other. Everything
in the library that carries over from one utterance to the next (its pitch flutter, its rough and
breathy sources) is switched off: the same voice and sentence give the same samples, whatever was
spoken before. Perturbation, breath and spectral balance are added afterwards by
:mod:`paraclap.shaping`.

Pitch in Hz, rate in words per minute, signal float32 `(samples,)` at :data:`SAMPLING_RATE`.

Source: espeak-ng, ``speak_lib.h`` and ``docs/voices.md``.
"""

from __future__ import annotations

import ctypes
import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    import numpy.typing as npt

SAMPLING_RATE = 22_050  # Hz, fixed by the phoneme data
EXTRA = "espeakng-loader"

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback receives all samples
_BUFFER = 1_000  # ms of speech per callback
_UTF8_SSML = 1 | 0x10
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_HEADROOM = 40  # percent; at 100 loud vowels overflow and the gain control outlives the utterance
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Larynx:
    """What espeak-ng itself is told about one utterance.

    Attributes:
        accent: language or dialect as espeak-ng names it, such as ``en-us``
        low: pitch in Hz at the bottom of the intonation
        high: pitch in Hz at the top of the intonation
        rate: words per minute
        formants: frequency of formants 1 to 5 in percent of the plain voice
    """

    accent: str
    low: int
    high: int
    rate: int
    formants: tuple[int, ...] = (100, 100, 100, 100, 100)

    def variant(self) -> str:
        """Give the text of the espeak-ng voice variant file."""
        formants = [f"formant {i} {scale}" for i, scale in enumerate(self.formants, 1)]
        # roughness 8 is past the library's table: no cycle is ever made softer, not even in a
        # trilled r, whose phase would depend on what was spoken before
        steady = ["flutter 0", "roughness 8", "breath 0", "echo 0 0"]
        head = ["language variant", "name paraclap", f"pitch {self.low} {self.high}"]
        return "\n".join(head + steady + formants) + "\n"


class Espeak:
    """One running espeak-ng: ``with Espeak() as espeak: espeak.speak(text, larynx)``.

    Raises:
        ModuleNotFoundError: if the optional wheel is not installed
        RuntimeError: if the library does not start
    """

    def __enter__(self) -> Self:
        """Start the library on a private copy of its voice data."""
        wheel = loader()
        self._folder = tempfile.TemporaryDirectory(prefix="paraclap-espeak-")
        self._variant = _private_data(Path(wheel.get_data_path()), Path(self._folder.name))
        self._library: Any = ctypes.CDLL(wheel.get_library_path())
        self._chunks: list[bytes] = []
        self._callback = _CALLBACK(self._receive)
        started = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER, self._folder.name.encode(), 0
        )
        if started != SAMPLING_RATE:
            raise RuntimeError(
                f"espeak-ng did not start: got {started}, expected {SAMPLING_RATE} Hz, with voice "
                f"data in {self._folder.name}: reinstall {EXTRA}, or point TMPDIR to a short path."
            )
        self._library.espeak_SetSynthCallback(self._callback)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the library and remove the private voice data."""
        self._library.espeak_Terminate()
        self._folder.cleanup()

    def speak(self, text: str, larynx: Larynx) -> npt.NDArray[np.float32]:
        """Speak one sentence.

        Args:
            text: plain text or SSML body (``<break time="200ms"/>``)
            larynx: the voice

        Returns:
            signal at 22,050 Hz, `(samples,)`

        Raises:
            ValueError: if the accent is unknown or nothing was spoken
        """
        self._variant.write_text(larynx.variant(), encoding="utf-8")
        if self._library.espeak_SetVoiceByName(f"{larynx.accent}+v".encode()) != 0:
            raise ValueError(f"Unknown espeak-ng accent '{larynx.accent}': see its list of voices.")
        settings = {_RATE: larynx.rate, _VOLUME: _HEADROOM, _PITCH: 50, _RANGE: 50}
        for parameter, value in settings.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        body = text.encode()
        self._library.espeak_Synth(body, len(body) + 1, 0, 1, 0, _UTF8_SSML, None, None)
        samples = np.frombuffer(b"".join(self._chunks), np.int16)
        if not samples.any():
            raise ValueError(f"espeak-ng spoke nothing for '{text}' with {larynx}.")
        return samples.astype(np.float32) / np.float32(32_768)

    def _receive(self, samples: Any, count: int, events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0


def loader() -> ModuleType:
    """Give the wheel that carries espeak-ng.

    Raises:
        ModuleNotFoundError: with what to install
    """
    try:
        return importlib.import_module("espeakng_loader")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"The built-in corpora are spoken by espeak-ng, which is not installed: "
            f"pip install {EXTRA} (GPL, the extra 'speech'), or choose a corpus of your own."
        ) from error


def _private_data(source: Path, folder: Path) -> Path:
    """Link everything but the voice variants; return the file of the one private variant."""
    data = folder / "espeak-ng-data"
    variants = data / "voices" / "!v"
    variants.mkdir(parents=True)
    for path in source.iterdir():
        if path.name != "voices":
            (data / path.name).symlink_to(path)
    return variants / "v"
