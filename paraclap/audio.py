"""From a file to the signal that every later step works on: mono, float32, 16 kHz.

A signal has the shape ``(samples,)``, values are nominally in -1 … 1, times are seconds. Files are
read by content, not by name (WAV, FLAC, OGG, MP3, SPHERE); channels are averaged, other sampling
rates converted by soxr (quality HQ). Of a segment only the segment is read. Whatever is wrong with
a file is an :class:`AudioError` that says what.

The libraries that read and convert are loaded when a file is first read: a machine that trains from
decoded signals (:mod:`paraclap.signals`) need not have them.
"""

from __future__ import annotations

import contextlib
import errno
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paraclap import headers

SAMPLING_RATE = 16_000
SYNTHETIC = "synthetic speech"  # the comment in each file that no person has spoken
Signal = NDArray[np.float32]

LONGEST = 3_600  # seconds read at once: what is not longer fits into any memory
RATES = (1_000, 1_000_000)  # Hz: beyond there is no speech, or a header that lies

_BLOCK = 2**18  # values read at a time: what a header promises may be more than any memory holds
_TOLERANCE = 0.01  # seconds a segment may end after its file: times in label tables are rounded
_SILENCE = 2**-14  # two steps of 16-bit audio
_WITHOUT_COMMENT = ("NIST",)
_CLOSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)  # the file's fault, not the disk's


class AudioError(ValueError):
    """A file or segment that gives no usable signal, and why."""


def read(file: str | Path, start: Any = None, end: Any = None) -> Signal:
    """Signal of a file or of a segment of it.

    Args:
        file: path of an audio file
        start: where the segment starts, in seconds or as timedelta; the file's start when None
        end: where it ends; the file's end when None or NaT

    Returns:
        float32 signal, shape ``(samples,)``, mono, 16 kHz

    Raises:
        AudioError: if the file is not there, no audio, empty, cut short, holds values that are
            not finite or too large to be, ends before the segment, or more than :data:`LONGEST`
            seconds of it are asked for
    """
    file = Path(file)
    with _opened(file) as stream:
        rate = int(stream.samplerate)
        first, last = _range(file, stream.frames, rate, start, end)
        _check_length(file, (last - first) / rate)
        stream.seek(first)
        signal = _mixed(file, stream, last - first)
    if len(signal) < last - first - round(_TOLERANCE * rate):
        msg = f"{file.name!r} is cut short: {len(signal)} of {last - first} samples are there"
        raise AudioError(f"{msg}: copy it again.")
    return _resampled(file, signal, rate)


def _check_length(file: Path, seconds: float) -> None:
    if seconds > LONGEST:
        msg = (
            f"{file.name!r}: {seconds:.0f} s at once, expected at most {LONGEST} s: give segments "
            "of it, with start and end."
        )
        raise AudioError(msg)


def _mixed(file: Path, stream: Any, samples: int) -> Signal:
    """The next samples of a file, channels averaged; fewer where it ends before them."""
    many = max(1, _BLOCK // stream.channels)
    parts = [np.zeros(0, np.float32)]
    for first in range(0, samples, many):
        channels = stream.read(min(many, samples - first), dtype="float32", always_2d=True)
        if not np.isfinite(channels).all():
            bad = int((~np.isfinite(channels)).sum())
            place = (stream.tell() - len(channels)) / stream.samplerate
            msg = (
                f"{file.name!r} holds {bad} NaN or infinite values in the block from "
                f"{place:.1f} s, expected finite samples: record or convert it again."
            )
            raise AudioError(msg)
        with np.errstate(over="ignore"):
            parts.append(channels.mean(axis=1, dtype=np.float32))
        if len(channels) < min(many, samples - first):
            break
    return np.concatenate(parts)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """A file as soundfile opens it.

    Raises:
        AudioError: if it cannot be read, when opened or later
    """
    import soundfile

    try:
        _check_file(file)
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        msg = f"{_end(file)!r} cannot be opened: {error.strerror}. Rename it or set its rights."
        raise AudioError(msg) from error
    try:
        with soundfile.SoundFile(file) as stream:
            if wrong := headers.miscounted(stream.subtype, file.stat().st_size):
                raise AudioError(f"{file.name!r} {wrong}")
            yield stream
    except soundfile.LibsndfileError as error:
        raise AudioError(_not_audio(file, error)) from error


def _resampled(file: Path, signal: Signal, rate: int) -> Signal:
    if rate != SAMPLING_RATE:
        import soxr

        signal = soxr.resample(signal, rate, SAMPLING_RATE, quality="HQ")
    if not np.isfinite(signal).all():  # the samples were: their sum is not
        msg = f"{file.name!r} holds values that are too large, expected -1 to 1: convert it again."
        raise AudioError(msg)
    return np.ascontiguousarray(signal, dtype=np.float32)


def _range(file: Path, frames: int, rate: int, start: Any, end: Any) -> tuple[int, int]:
    """First and last (exclusive) sample of a segment, checked against the file."""
    if not RATES[0] <= rate <= RATES[1]:
        msg = f"{file.name!r} has a sampling rate of {rate} Hz, expected {RATES[0]} to {RATES[1]}"
        raise AudioError(f"{msg}: convert it again.")
    seconds = frames / rate
    begin = 0.0 if _is_open(start) else _seconds(start)
    finish = seconds if _is_open(end) else _seconds(end)
    if frames == 0:
        msg = f"{file.name!r} is empty: it has a header but no samples. Record or copy it again."
        raise AudioError(msg)
    if not 0 <= begin < finish:
        msg = f"Bad segment {begin:.3f} to {finish:.3f} s of {file.name!r} ({seconds:.3f} s long)"
        raise AudioError(f"{msg}: correct its start and end.")
    if begin >= seconds or finish > seconds + _TOLERANCE:
        msg = f"Segment {begin:.3f} to {finish:.3f} s ends after {file.name!r} ({seconds:.3f} s)"
        raise AudioError(f"{msg}: correct its start and end.")
    return round(begin * rate), min(max(round(finish * rate), round(begin * rate) + 1), frames)


def _is_open(time: Any) -> bool:
    return time is None or bool(pd.isna(time))


def _seconds(time: Any) -> float:
    if isinstance(time, (int, float)):
        return float(time)
    return float(pd.Timedelta(time).total_seconds())


def duration(file: str | Path) -> float:
    """Length of a file in seconds, from its header.

    Raises:
        AudioError: if the file is not there, no audio, empty or cut short
    """
    file = Path(file)
    with _opened(file) as stream:
        _range(file, stream.frames, stream.samplerate, None, None)
        return float(stream.frames / stream.samplerate)


def _check_file(file: Path) -> None:
    if file.is_dir():
        msg = f"{_end(file)!r} is a folder, expected an audio file."
        raise AudioError(msg)
    if not file.is_file():
        what = "is no file but a pipe or device" if file.exists() else "is not there"
        msg = f"{_end(file)!r} {what}: copy it there or leave it out."
        raise AudioError(msg)
    if file.stat().st_size == 0:
        msg = f"{file.name!r} is empty: it has 0 bytes. Copy it again."
        raise AudioError(msg)
    if wrong := headers.fault(file):
        raise AudioError(f"{file.name!r} {wrong}")


def _end(file: Path) -> str:
    """Last two parts of a path: reasons are shown in pages, which tell nothing of this machine."""
    return str(Path(*file.parts[-2:]))


def _not_audio(file: Path, error: Exception) -> str:
    reason = str(error).rsplit(": ", 1)[-1].strip().rstrip(".")
    return f"{file.name!r} cannot be read as audio: {reason}. Convert it to WAV or FLAC."


def encode(
    signal: Signal,
    sampling_rate: int = SAMPLING_RATE,
    comment: str = "",
    *,
    format: str = "WAV",
    subtype: str = "PCM_16",
) -> bytes:
    """Content of an audio file, of 16-bit samples.

    Args:
        signal: shape ``(samples,)``, values outside -1 ... 1 are clipped
        sampling_rate: in Hz
        comment: kept in the file where the format has a place for it, see :func:`comment`
        format: of soundfile, such as ``WAV``, ``FLAC``, ``NIST`` (SPHERE)
        subtype: of soundfile, such as ``PCM_16`` or ``ULAW``
    """
    import soundfile

    content = io.BytesIO()
    settings = {"format": format, "subtype": subtype, "channels": 1}
    with soundfile.SoundFile(content, "w", sampling_rate, **settings) as stream:
        if comment and format not in _WITHOUT_COMMENT:
            stream.comment = comment
        stream.write(np.round(np.clip(signal, -1, 1) * 32_767).astype(np.int16))
    return content.getvalue()


def comment(file: str | Path) -> str:
    """Comment kept in a file, empty if there is none.

    Raises:
        AudioError: if the file is not there or no audio
    """
    with _opened(Path(file)) as stream:
        return str(stream.comment)


def is_synthetic(files: Sequence[str], few: int = 5) -> bool:
    """Whether files say that no person speaks in them.

    Args:
        files: of one corpus
        few: how many of them are asked, spread evenly; those that cannot be read say nothing
    """
    asked = {round(place) for place in np.linspace(0, len(files) - 1, few)} if files else set()
    for place in sorted(asked):
        with contextlib.suppress(AudioError):
            if comment(files[place]) == SYNTHETIC:
                return True
    return False


def crop(signal: Signal, samples: int, rng: np.random.Generator) -> Signal:
    """Random part of ``samples`` samples; the signal itself when it is not longer.

    Args:
        signal: shape ``(any,)``
        samples: how many to keep
        rng: where the randomness comes from
    """
    if len(signal) <= samples:
        return signal
    first = int(rng.integers(len(signal) - samples + 1))
    return signal[first : first + samples]


def is_silent(signal: Signal) -> bool:
    """Whether a signal never moves by more than two steps of 16-bit audio (-78 dB)."""
    return len(signal) == 0 or bool(np.ptp(signal) <= _SILENCE)
