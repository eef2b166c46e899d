"""Speech from text: espeak-ng, driven through its C library.

Each :class:`Espeak` works on voice data of its own. What the library carries over from one
utterance to the next is switched off: the same settings and text give the same samples. Signals are
float32 at :data:`SAMPLING_RATE`. Chapter 1. Source: ``speak_lib.h`` and ``voices.md`` of espeak-ng.
"""

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
_HEADROOM = 40  # percent; at 100 loud vowels overflow and the gain control outlives the utterance
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class VoiceSettings:
    """Settings of espeak-ng for one utterance."""

    accent: str  # language or dialect as espeak-ng names it, such as en-us
    low: int  # pitch in Hz at the bottom of the intonation
    high: int  # and at its top
    rate: int  # words per minute
    formants: tuple[int, ...] = (100, 100, 100, 100, 100)  # frequencies in % of the plain voice

    def variant(self) -> str:
        """Text of the voice variant file."""
        # roughness 8 is past the library's table: no cycle is ever made softer, not even in a
        # trilled r, whose phase would depend on the utterance before
        lines = ["language variant", "name paraclap", f"pitch {self.low} {self.high}", "flutter 0"]
        lines += ["roughness 8", "breath 0", "echo 0 0"]
        lines += [f"formant {i} {scale}" for i, scale in enumerate(self.formants, 1)]
        return "\n".join(lines) + "\n"


class Espeak:
    """One running espeak-ng: ``with Espeak() as espeak: espeak.speak(text, settings)``."""

    def __enter__(self) -> Self:
        """Start the library on private voice data; RuntimeError if it does not start."""
        wheel = find_wheel()
        self._folder = tempfile.TemporaryDirectory(prefix="paraclap-espeak-")
        data = Path(self._folder.name) / "espeak-ng-data"
        self._variant = data / "voices" / "!v" / "v"
        self._variant.parent.mkdir(parents=True)
        for path in Path(wheel.get_data_path()).iterdir():
            if path.name != "voices":
                (data / path.name).symlink_to(path)
        self._library: Any = ctypes.CDLL(wheel.get_library_path())
        self._chunks: list[bytes] = []
        self._callback = _CALLBACK(self._receive)
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER, self._folder.name.encode(), 0)
        if rate != SAMPLING_RATE:
            msg = f"espeak-ng did not start in {self._folder.name} (got {rate}): "
            raise RuntimeError(f"{msg}reinstall {WHEEL}, or point TMPDIR to a short path.")
        self._library.espeak_SetSynthCallback(self._callback)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the library."""
        self._library.espeak_Terminate()
        self._folder.cleanup()

    def speak(self, text: str, settings: VoiceSettings) -> Signal:
        """Turn text or an SSML body (``<break time="200ms"/>``) into a signal, else ValueError."""
        self._variant.write_text(settings.variant(), encoding="utf-8")
        if self._library.espeak_SetVoiceByName(f"{settings.accent}+v".encode()) != 0:
            raise ValueError(f"Unknown accent {settings.accent!r}: see the voices of espeak-ng.")
        for parameter, value in ((1, settings.rate), (2, _HEADROOM), (3, 50), (4, 50)):
            self._library.espeak_SetParameter(parameter, value, 0)  # rate, volume, pitch, range
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
    """Module that carries espeak-ng; ModuleNotFoundError if it is not installed."""
    try:
        return importlib.import_module("espeakng_loader")
    except ModuleNotFoundError as error:
        msg = f"The synthetic corpora need espeak-ng: pip install {WHEEL} (GPL, the extra 'speech')"
        raise ModuleNotFoundError(f"{msg}, or choose a corpus of your own.") from error
