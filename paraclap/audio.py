"""From a file to the signal that every later step works on: mono, float32, 16 kHz.

Values are nominally in -1 ... 1, times are seconds. Files are read by content, not by name (WAV,
FLAC, OGG, MP3, SPHERE, ...), and decoded to their end where the header does not know the length;
channels are averaged, other sampling rates converted by soxr (quality HQ). Chapter 1.
"""

import contextlib
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

LONGEST, SHORTEST = 3_600, 0.001  # seconds read at once: what fits into any memory, what sounds
LOUDEST = 8.0  # beyond, values are on the scale of integers
RATES = (1_000, 1_000_000)  # Hz: beyond there is no speech, or a wrong header
_BLOCK = 2**18  # values read at a time: headers may promise more than there is
_TOLERANCE = 0.01  # seconds a segment may end after its file: times in label tables are rounded
_SILENCE = 2**-14  # two steps of 16-bit audio
_SIZES = re.compile(r"(?:data|SSND|Data Size) +: (\d+) \(should be (\d+)\)")  # by libsndfile


class AudioError(ValueError):
    """A file or segment that gives no usable signal, and why."""


def read(file: str | Path, start: Any = None, end: Any = None) -> Signal:
    """Mono signal at 16 kHz, ``(samples,)``, of a file or of its segment from start to end.

    Times are read by :func:`tables.seconds`; where they are missing, they are those of the file.

    Raises:
        AudioError: if the file gives no signal, or the segment does not lie within it; it says why
    """
    name = tables.short_name(file)
    with _opened(Path(file), name) as (stream, frames):
        rate = stream.samplerate
        first, last = _range(name, frames, rate, start, end, LONGEST)
        if soundfile.SoundFile.seekable(stream) and stream.format != "MP3":
            stream.seek(first)
        else:
            sum(map(len, _blocks(stream, first)))
        signal = _decoded(name, stream, last - first)
    if len(signal) < last - first - round(_TOLERANCE * rate):
        there = f"{len(signal)} of {last - first} samples"
        raise AudioError(f"{name!r} is cut short ({there}): copy it again.")
    return np.ascontiguousarray(audresample.resample(signal, rate, SAMPLING_RATE)[0])


def duration(file: str | Path) -> float:
    """Length of a file in seconds; AudioError if it is not there, no audio, empty or cut short."""
    name = tables.short_name(file)
    with _opened(Path(file), name) as (stream, frames):
        _range(name, frames, stream.samplerate, None, None, np.inf)
        return float(frames / stream.samplerate)


def comment(file: str | Path) -> str:
    """Comment kept in a file, empty if there is none."""
    with _opened(Path(file), tables.short_name(file)) as (stream, _):
        return str(stream.comment)


def _range(name: str, frames: int, rate: int, start: Any, end: Any, most: float) -> tuple[int, int]:
    """First and last (exclusive) sample of a segment, checked against the file."""
    length = frames / rate
    try:
        begin, finish = tables.seconds(start), tables.seconds(end)
    except ValueError as error:
        raise AudioError(f"{name!r}: {error}") from error
    begin, finish = (0.0 if np.isnan(begin) else begin), (length if np.isnan(finish) else finish)
    asked = f"Segment {begin:.3f} to {finish:.3f} s of {name!r} ({length:.3f} s long)"
    if not RATES[0] <= rate <= RATES[1]:
        msg = f"{name!r} has {rate} Hz, expected {RATES[0]} to {RATES[1]} Hz: convert it again."
    elif frames == 0:
        msg = f"{name!r} is empty: it has a header but no samples. Copy it again."
    elif not 0 <= begin < min(finish, length) or finish > length + _TOLERANCE:
        msg = f"{asked}, expected 0 <= start < end within the file: correct its times."
    elif not SHORTEST <= round(finish - begin, 9) <= most:
        msg = f"{asked}, expected {SHORTEST} to {most} s at once: leave it out or cut it up."
    else:
        return round(begin * rate), min(max(round(finish * rate), round(begin * rate) + 1), frames)
    raise AudioError(msg)


class _Stream(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is untyped
    """Reads block by block without seeking in between, which fails in some formats."""

    def seekable(self) -> bool:  # what soundfile asks before it seeks
        return False


def _blocks(stream: _Stream, samples: float = np.inf) -> Iterator[NDArray[np.float32]]:
    """The next samples, `(block, channels)`; fewer where the file ends before them."""
    many = max(1, _BLOCK // stream.channels)
    while samples > 0 and len(block := stream.read(int(min(many, samples)), "float32", True)):
        samples -= len(block)
        yield block


def _decoded(name: str, stream: _Stream, samples: int) -> Signal:
    """The next samples, checked, channels averaged."""
    parts, moves = [np.zeros(0, np.float32)], 0.0
    for block in _blocks(stream, samples):
        if not (peak := np.abs(block).max()) <= LOUDEST:
            bad = int((~np.isfinite(block)).sum())
            what = f"{bad} NaN or infinite values" if bad else f"values up to {peak:.0f}"
            raise AudioError(f"{name!r} holds {what}, expected -1 to 1: convert it again.")
        moves = max(moves, float(np.ptp(block, axis=0).max()))
        parts.append(block.mean(axis=1, dtype=np.float32))
    signal = np.concatenate(parts)
    if moves > 4 * _SILENCE and is_silent(signal):
        raise AudioError(f"The {stream.channels} channels of {name!r} cancel out: keep one.")
    return signal


@contextlib.contextmanager
def _opened(file: Path, name: str) -> Iterator[tuple[_Stream, int]]:
    """A file as soundfile opens it, and its samples; counted if its header does not know them."""
    head = _head(file, name)
    try:
        mp3 = _mp3_with_length(file) if head[0] == 0xFF or head[:3] == b"ID3" else b""
        with _Stream(io.BytesIO(mp3) if mp3 else file) as stream:
            sizes = _SIZES.search(stream.extra_info)
            promised, there = map(int, sizes.groups()) if sizes else (0, 0)
            if there + 44 < promised < 0x7FFFF000:  # or a header counted, or a length unknown
                got = f"{there} of {promised} bytes"
                raise AudioError(f"{name!r} is cut short ({got}): copy it again.")
            frames = stream.frames
            if mp3 or frames > 2**62:
                with _Stream(io.BytesIO(mp3) if mp3 else file) as again:
                    frames = sum(map(len, _blocks(again)))
            yield stream, frames
    except soundfile.LibsndfileError as error:
        got = f"{name!r} cannot be read as audio ({error.error_string.rstrip('.')})"
        raise AudioError(f"{got}: convert it to WAV or FLAC.") from error


def _head(file: Path, name: str) -> bytes:
    """First bytes of a file that may hold audio."""
    try:
        with file.open("rb") as stream:
            head = stream.read(32)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        hint = "rename it in UTF-8" if "\\x" in file.name else "correct its path or its rights"
        raise AudioError(f"{name!r} cannot be opened ({error.strerror}): {hint}.") from error
    if not head:
        raise AudioError(f"{name!r} is empty: it has 0 bytes. Copy it again.")
    if head.startswith(b"version https://git-lfs"):
        raise AudioError(f"{name!r} is a Git LFS pointer, no audio: run `git lfs pull`.")
    if file.suffix.lower() == ".raw":
        raise AudioError(f"{name!r} cannot be read as audio (no header): convert it to WAV.")
    return head


def _mp3_with_length(file: Path) -> bytes:
    """An MP3 of unknown length, which libsndfile guesses, behind a frame that promises enough."""
    info, content = soundfile.info(file), file.read_bytes()
    while content[:3] == b"ID3":  # tags in front
        size = sum(byte << 7 * (3 - place) for place, byte in enumerate(content[6:10]))
        content = content[10 + size :]
    is_layer_3 = info.subtype == "MPEG_LAYER_III" and content[:1] == b"\xff"
    if not is_layer_3 or re.search(b"Xing|Info|VBRI", content[:256]):
        return b""
    first, mono = info.samplerate >= 32_000, info.channels == 1  # MPEG 1, or MPEG 2 and 2.5
    head = bytes([0xFF, content[1] | 1, (0x50 if first else 0x80) | content[2] & 0x0C, content[3]])
    place = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    promise = b"Xing" + struct.pack(">II", 1, len(content) // 24)
    size = (144 if first else 72) * 64_000 // info.samplerate  # at 64 kbit/s
    return (head.ljust(place, b"\0") + promise).ljust(size, b"\0") + content


def encode(signal: Signal, rate: int = SAMPLING_RATE, comment: str = "", **form: str) -> bytes:
    """Content of a file of 16-bit samples, clipped to -1 ... 1; ``form`` as in soundfile."""
    content = io.BytesIO()
    settings: dict[str, Any] = {"format": "WAV", "subtype": "PCM_16", "channels": 1} | form
    with soundfile.SoundFile(content, "w", rate, **settings) as stream:
        if comment and stream.format != "NIST":
            stream.comment = comment
        stream.write(np.round(np.clip(signal, -1, 1) * 32_767).astype(np.int16))
    return content.getvalue()


def is_synthetic(files: Sequence[str], few: int = 5) -> bool:
    """Whether one of a ``few`` files of a corpus, spread evenly, states that no person speaks."""
    for file in files[:: max(1, -(-len(files) // few))]:
        with contextlib.suppress(AudioError):
            if comment(file) == SYNTHETIC:
                return True
    return False


def is_silent(signal: Signal) -> bool:
    """Whether a signal never moves by more than two steps of 16-bit audio (-78 dB)."""
    return len(signal) == 0 or bool(np.ptp(signal) <= _SILENCE)
