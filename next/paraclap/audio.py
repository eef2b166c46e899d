"""From a file to the signal that every later step works on: mono, float32, 16 kHz.

A signal has the shape ``(samples,)``, values are nominally in -1 ... 1, times are seconds. Files
are read by content, not by name (WAV, FLAC, OGG, MP3, SPHERE, ...); channels are averaged, other
sampling rates converted by soxr (quality HQ). Of a segment only the segment is read. Where a header
does not know the length (streams, some MP3), the file is decoded to its end and counted. Whatever
is wrong with a file is an :class:`AudioError` that says what. Chapter 1 reads its corpora with it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import audresample
import numpy as np
import soundfile
from numpy.typing import NDArray

from paraclap import tables

SAMPLING_RATE = 16_000
SYNTHETIC = "synthetic speech"  # the comment in each file that no person has spoken
Signal = NDArray[np.float32]

LONGEST = 3_600  # seconds read at once: what is not longer fits into any memory
SHORTEST = 0.001  # seconds
LOUDEST = 8.0  # beyond, values are on the scale of integers
RATES = (1_000, 1_000_000)  # Hz: beyond there is no speech, or a wrong header

_BLOCK = 2**18  # values read at a time: headers may promise more than there is
_TOLERANCE = 0.01  # seconds a segment may end after its file: times in label tables are rounded
_SILENCE = 2**-14  # two steps of 16-bit audio
_ENDLESS = 0x7FFFF000  # bytes: what programs write that do not know the length of a WAV
_HEADER = 44  # bytes that some programs count as signal
_CLOSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)  # the file's fault, not the disk's


class AudioError(ValueError):
    """A file or segment that gives no usable signal, and why."""


def read(file: str | Path, start: Any = None, end: Any = None) -> Signal:
    """Signal of a file or of a segment of it.

    Args:
        file: path of an audio file
        start: of the segment, seconds or as :func:`tables.seconds` reads it; the file's if None
        end: of the segment; the file's if None or NaT

    Returns:
        float32 signal, shape ``(samples,)``, mono, 16 kHz

    Raises:
        AudioError: if the file is not there, no audio, empty or cut short, holds values that are
            not finite or too large, has channels that cancel, ends before the segment, or more
            than :data:`LONGEST` or less than :data:`SHORTEST` seconds are asked for
    """
    name = tables.short_name(file)
    with _opened(Path(file)) as (stream, frames):
        rate = stream.samplerate
        first, last = _range(name, frames, rate, start, end)
        _skip(stream, first)
        signal = _decoded(name, stream, last - first)
    if len(signal) < last - first - round(_TOLERANCE * rate):
        there = f"{len(signal)} of {last - first} samples are there"
        raise AudioError(f"{name!r} is cut short: {there}. Copy it again.")
    return np.ascontiguousarray(audresample.resample(signal, rate, SAMPLING_RATE)[0])


def duration(file: str | Path) -> float:
    """Length of a file in seconds.

    Raises:
        AudioError: if the file is not there, no audio, empty or cut short
    """
    with _opened(Path(file)) as (stream, frames):
        _range(tables.short_name(file), frames, stream.samplerate, most=np.inf)
        return float(frames / stream.samplerate)


def comment(file: str | Path) -> str:
    """Comment kept in a file, empty if there is none."""
    with _opened(Path(file)) as (stream, _):
        return str(stream.comment)


def _range(
    name: str, frames: int, rate: int, start: Any = None, end: Any = None, most: float = LONGEST
) -> tuple[int, int]:
    """First and last (exclusive) sample of a segment, checked against the file."""
    length = frames / rate
    try:
        times = tables.seconds(start), tables.seconds(end)
    except ValueError as error:
        raise AudioError(f"{name!r}: {error}") from error
    begin, finish = (
        open_ if np.isnan(t) else t for t, open_ in zip(times, (0, length), strict=True)
    )
    asked = f"Segment {begin:.3f} to {finish:.3f} s of {name!r} ({length:.3f} s long)"
    if not RATES[0] <= rate <= RATES[1]:
        msg = f"{name!r} has {rate} Hz, expected {RATES[0]} to {RATES[1]} Hz: convert it again."
    elif frames == 0:
        msg = f"{name!r} is empty: it has a header but no samples. Record or copy it again."
    elif not 0 <= begin < finish:
        msg = f"{asked} is none, expected 0 <= start < end: correct its times."
    elif finish > length + _TOLERANCE or begin >= length:
        msg = f"{asked} ends after the file: correct its times."
    elif round(finish - begin, 9) < SHORTEST:
        msg = f"{asked} is shorter than {1000 * SHORTEST:.0f} ms: leave it out."
    elif finish - begin > most:
        msg = f"{asked} is too long, expected at most {LONGEST} s at once: give segments of it."
    else:
        return round(begin * rate), min(max(round(finish * rate), round(begin * rate) + 1), frames)
    raise AudioError(msg)


# --- opening and decoding -----------------------------------------------------------------------


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """Reads block by block without seeking in between, which fails in some formats."""

    def seekable(self) -> bool:  # what soundfile asks before it seeks
        return False


def _skip(stream: _Stream, samples: int) -> None:
    if soundfile.SoundFile.seekable(stream) and stream.format != "MP3":
        stream.seek(samples)
    else:
        sum(map(len, _blocks(stream, samples)))


def _blocks(stream: _Stream, samples: float = np.inf) -> Iterator[NDArray[np.float32]]:
    """The next samples, `(block, channels)`; fewer where the file ends before them."""
    many = max(1, _BLOCK // stream.channels)
    while samples > 0:
        block = stream.read(int(min(many, samples)), dtype="float32", always_2d=True)
        if not len(block):
            return
        samples -= len(block)
        yield block


def _decoded(name: str, stream: _Stream, samples: int) -> Signal:
    """The next samples, checked, channels averaged."""
    parts, moves = [np.zeros(0, np.float32)], 0.0
    for block in _blocks(stream, samples):
        peak = max(block.max(), -block.min())
        if not peak <= LOUDEST:
            bad = int((~np.isfinite(block)).sum())
            what = f"{bad} NaN or infinite values" if bad else f"values up to {peak:.0f}"
            msg = f"{name!r} holds {what}, expected -1 to 1: record or convert it again."
            raise AudioError(msg)
        if stream.channels > 1:
            moves = max(moves, float(np.ptp(block, axis=0).max()))
        parts.append(block.mean(axis=1, dtype=np.float32))
    signal = np.concatenate(parts)
    if moves > 4 * _SILENCE and is_silent(signal):
        msg = f"The {stream.channels} channels of {name!r} cancel out: keep one of them."
        raise AudioError(msg)
    return signal


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tuple[_Stream, int]]:
    """A file as soundfile opens it, and its samples; counted if its header does not know them."""
    name = tables.short_name(file)
    _check_file(file, name)
    mp3 = _mp3_with_length(file)
    try:
        with _Stream(io.BytesIO(mp3) if mp3 else file) as stream:
            _check_length(name, stream.extra_info)
            frames = stream.frames
            if mp3 or frames > 2**62:
                with _Stream(io.BytesIO(mp3) if mp3 else file) as again:
                    frames = sum(map(len, _blocks(again)))
            yield stream, frames
    except soundfile.LibsndfileError as error:
        reason = str(error).rsplit(": ", 1)[-1].strip().rstrip(".")
        msg = f"{name!r} cannot be read as audio ({reason}): convert it to WAV or FLAC."
        raise AudioError(msg) from error


def _check_file(file: Path, name: str) -> None:
    try:
        if not file.is_file():
            what = "is a folder or device" if file.exists() else "is not there"
            hint = "rename it in UTF-8" if "\\x" in file.name else "correct the path"
            raise AudioError(f"{name!r} {what}, expected an audio file: {hint}.")
        with file.open("rb") as stream:
            head = stream.read(32)
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        msg = f"{name!r} cannot be opened ({error.strerror}): rename it or set its rights."
        raise AudioError(msg) from error
    if not head:
        raise AudioError(f"{name!r} is empty: it has 0 bytes. Copy it again.")
    if head.startswith(b"version https://git-lfs"):
        raise AudioError(f"{name!r} is a Git LFS pointer, no audio: run `git lfs pull`.")
    if file.suffix.lower() == ".raw":
        raise AudioError(f"{name!r} cannot be read as audio (no header): convert it to WAV.")


def _check_length(name: str, log: str) -> None:
    """Compare the bytes of signal that a header promises with those that libsndfile found."""
    if found := re.search(r"(?:data|SSND|Data Size) +: (\d+) \(should be (\d+)\)", log):
        promised, there = map(int, found.groups())
        if there + _HEADER < promised < _ENDLESS:
            msg = f"{name!r} is cut short: {there} of {promised} bytes of signal are there."
            raise AudioError(f"{msg} Copy it again.")


def _mp3_with_length(file: Path) -> bytes:
    """Content of an MP3 that does not know its length, behind a frame that promises enough.

    libsndfile guesses the length by the first frame and reads no further. Empty for other files.
    """
    with file.open("rb") as stream:
        start, head = 0, stream.read(256)
        while head[:3] == b"ID3" and len(head) > 10:  # tags in front
            start += 10 + sum(byte << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
            stream.seek(start)
            head = stream.read(256)
        is_layer_3 = len(head) == 256 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
        if not is_layer_3 or any(tag in head for tag in (b"Xing", b"Info", b"VBRI")):
            return b""
        stream.seek(start)
        content = stream.read()
    newer, mono = bool(head[1] & 0x08), head[3] >> 6 == 3  # MPEG 1, or MPEG 2 and 2.5
    rate = (44_100, 48_000, 32_000, 48_000)[head[2] >> 2 & 3] >> (
        2 - (head[1] >> 3 & 3 > 0) - newer
    )
    frame = bytearray((144 if newer else 72) * 64_000 // rate)  # at 64 kbit/s
    frame[:4] = 0xFF, head[1] | 1, (0x50 if newer else 0x80) | head[2] & 0x0C, head[3]
    place = 4 + ((17 if mono else 32) if newer else (9 if mono else 17))
    frame[place : place + 12] = b"Xing" + struct.pack(">II", 1, len(content) // 24)
    return bytes(frame) + content


# --- writing, and small helpers -----------------------------------------------------------------


def encode(
    signal: Signal,
    sampling_rate: int = SAMPLING_RATE,
    comment: str = "",
    *,
    format: str = "WAV",
    subtype: str = "PCM_16",
) -> bytes:
    """Content of an audio file, of 16-bit samples; values outside -1 ... 1 are clipped.

    ``format`` and ``subtype`` are those of soundfile, such as ``NIST`` (SPHERE) and ``ULAW``; the
    comment is kept where the format has a place for it.
    """
    content = io.BytesIO()
    settings: dict[str, Any] = {"format": format, "subtype": subtype, "channels": 1}
    with soundfile.SoundFile(content, "w", sampling_rate, **settings) as stream:
        if comment and format != "NIST":
            stream.comment = comment
        stream.write(np.round(np.clip(signal, -1, 1) * 32_767).astype(np.int16))
    return content.getvalue()


def is_synthetic(files: Sequence[str], few: int = 5) -> bool:
    """Whether files of one corpus state that no person speaks in them.

    Args:
        files: paths
        few: how many are opened, spread evenly; those that cannot be read count as human
    """
    chosen = {round(place) for place in np.linspace(0, len(files) - 1, few)} if len(files) else ()
    for place in sorted(chosen):
        with contextlib.suppress(AudioError):
            if comment(files[place]) == SYNTHETIC:
                return True
    return False


def crop(signal: Signal, samples: int, rng: np.random.Generator) -> Signal:
    """Random part of ``samples`` samples; the signal itself when it is not longer."""
    if len(signal) <= samples:
        return signal
    first = int(rng.integers(len(signal) - samples + 1))
    return signal[first : first + samples]


def is_silent(signal: Signal) -> bool:
    """Whether a signal never moves by more than two steps of 16-bit audio (-78 dB)."""
    return len(signal) == 0 or bool(np.ptp(signal) <= _SILENCE)
