"""From a file to the signal that every later step works on: mono, float32, 16 kHz.

Values are nominally in -1 ... 1, times are seconds. Files are read by content, not by name (WAV,
FLAC, OGG, MP3, SPHERE, ...), and decoded to their end where the header does not know the length;
channels are averaged, other sampling rates converted by soxr (quality HQ). Chapter 1.
"""

import contextlib
import functools
import io
import mmap
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import audresample
import joblib
import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from paraclap import tables
from paraclap.audio import streams

SAMPLING_RATE = 16_000
SYNTHETIC = "synthetic speech"  # the comment in each file that no person has spoken
Signal = NDArray[np.float32]

LONGEST, SHORTEST = 3_600, 0.001  # seconds read at once: what fits into any memory, what sounds
LOUDEST = 8.0  # beyond, values are on the scale of integers
RATES = (1_000, 1_000_000)  # Hz: beyond there is no speech, or a wrong header
_BLOCK = 2**18  # values read at a time: headers may promise more than there is
_TOLERANCE = 0.01  # seconds a segment may end after its file: times in label tables are rounded
_SILENCE = 2**-14  # two steps of 16-bit audio
# What headers promise, as libsndfile logs it: bytes (and what it finds instead), samples.
_LENGTH = re.compile(r"^Length : (\d+)", re.MULTILINE)
_BYTES = re.compile(
    r"^ *(?:riff|data|SSND|BODY|Data [Ss]ize|Data length|Extended II) *:? *(\d+)(?:.*be (\d+))?",
    re.MULTILINE,
)
_SAMPLES = re.compile(r"(?:sample_count -i|Cols +:|Frames +:) (\d+)")
_COUNTED = ("NIST", "AVR", "MPC2K", "MAT4", "MAT5")
_NO_CHUNK = re.compile("Unknown chunk marker|Have 0 marker")  # behind the samples
_UNKNOWN = (0x7F000000, 0x80000000, 0x100000000)  # near these are sizes written to a pipe
_UNSOUGHT = (b"OggS", b"ID3", b"\xff")  # Ogg and MP3, in which nobody goes to a sample at once
_SINGLE = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"NIST")
_Part = Path | bytes


class AudioError(ValueError):
    """A file or segment that gives no usable signal, and why."""


def read(file: str | Path, start: Any = None, end: Any = None) -> Signal:
    """Mono signal at 16 kHz, ``(samples,)``, of a file or of its segment from start to end.

    Times are read by :func:`tables.seconds`; where they are missing, they are those of the file.
    An AudioError says why the file gives no signal, or that the segment does not lie within it.
    """
    name, file = tables.short_name(file), Path(file)
    is_part = bool(start) and _head(file, name).startswith(_UNSOUGHT)  # 0 is no part
    kept = _unpacked(file, file.stat().st_mtime_ns) if is_part else None
    if kept is not None:
        samples, rate = kept
        first, last = _range(name, len(samples), rate, start, end, LONGEST)
        signal = _decoded(name, iter([samples[first:last]]))
    else:
        with _opened(file, name) as (found, frames):
            rate = found[0].samplerate
            first, last = _range(name, frames, rate, start, end, LONGEST)
            signal = _decoded(name, _blocks(found, first, last))
    if len(signal) < last - first - round(_TOLERANCE * rate):
        raise _not_as_promised(name, f"{last - first} samples", len(signal))
    return np.ascontiguousarray(audresample.resample(signal, rate, SAMPLING_RATE)[0])


@functools.lru_cache(maxsize=1)
def _unpacked(file: Path, changed: int) -> tuple[NDArray[np.float32], int] | None:
    """Samples ``(frames, channels)`` on the disk; None where there are too many, or none."""
    with _opened(file, tables.short_name(file)) as (found, frames):
        rate, shape = found[0].samplerate, (frames, found[0].channels)
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as place:  # the disk is full
            for block in _blocks(found) if frames <= LONGEST * rate else ():
                block.tofile(place)
            if 0 < place.tell() == 4 * frames * shape[1]:
                return np.memmap(place, np.float32, "r", shape=shape), rate
    return None


def duration(file: str | Path) -> float:
    """Length of a file in seconds; AudioError if it is not there, no audio, empty or cut short."""
    name = tables.short_name(file)
    with _opened(Path(file), name) as (found, frames):
        _range(name, frames, found[0].samplerate, None, None, np.inf)
        return float(frames / found[0].samplerate)


def comment(file: str | Path) -> str:
    """Comment kept in a file, empty if there is none."""
    with _opened(Path(file), tables.short_name(file)) as (found, _):
        return str(found[0].comment)


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

    def can_seek(self) -> bool:
        """Whether it goes where it is told; MP3 and Ogg then give other samples, without a word."""
        return super().seekable() and self.format not in ("MP3", "OGG")


def _blocks(
    streams: Sequence[_Stream], first: int = 0, last: float = np.inf
) -> Iterator[NDArray[np.float32]]:
    """Samples from first to last, `(block, channels)`; fewer where the file ends before them."""
    place = 0
    for stream in streams:
        if len(streams) == 1 and stream.can_seek():
            place = stream.seek(first)
        many = max(1, _BLOCK // stream.channels)
        while len(block := stream.read(int(min(many, last - place)), "float32", True)):
            place += len(block)
            if place > first:
                yield block[-(place - first) :]


def _decoded(name: str, blocks: Iterator[NDArray[np.float32]]) -> Signal:
    """Samples, checked, channels averaged."""
    parts, moves, channels = [np.zeros(0, np.float32)], 0.0, 1
    for block in blocks:
        check_scale(block, repr(name))
        moves, channels = max(moves, float(np.ptp(block, axis=0).max())), block.shape[1]
        parts.append(block.mean(axis=1, dtype=np.float32))
    signal = np.concatenate(parts)
    if moves > 4 * _SILENCE and is_silent(signal):
        raise AudioError(f"The {channels} channels of {name!r} cancel out: keep one.")
    return signal


@contextlib.contextmanager
def _opened(file: Path, name: str) -> Iterator[tuple[list[_Stream], int]]:
    """The streams that follow each other in a file, and how many samples there are."""
    head = _head(file, name)
    try:
        with contextlib.ExitStack() as stack:
            parts = [file] if head[:4] in _SINGLE else _split(file, name)
            found = [stack.enter_context(_stream(part)) for part in parts]
            if len(rates := {stream.samplerate for stream in found}) > 1:
                raise AudioError(f"{name!r} changes between {rates} Hz: convert it to WAV.")
            yield found, sum(map(_samples, found, parts, [name] * len(parts)))
    except soundfile.LibsndfileError as error:
        got = f"{name!r} cannot be read as audio ({error.error_string.rstrip('.')})"
        raise AudioError(f"{got}: convert it to WAV or FLAC.") from error


def _split(file: Path, name: str) -> list[_Part]:
    """What libsndfile reads one at a time: streams that follow each other, or else the file."""
    try:
        with file.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return [*streams.split(content)] or [file]
    except ValueError as error:
        msg = f"{name!r} is cut short or damaged ({error}): copy or convert it again."
        raise AudioError(msg) from error


def _stream(part: _Part) -> _Stream:
    return _Stream(part if isinstance(part, Path) else io.BytesIO(part))


def _samples(stream: _Stream, part: _Part, name: str) -> int:
    """How many samples there are, which may not be what the header promises: AudioError then."""
    frames, there = int(stream.frames), "fewer"
    if isinstance(part, Path):
        _check_size(stream, part, name)
    elif frames > 2**62:  # unknown
        with _stream(part) as again:
            return sum(map(len, _blocks([again])))
    elif stream.format == "FLAC":
        endless = part[:21] + bytes([part[21] & 0xF0, 0, 0, 0, 0]) + part[26:]  # length unknown
        with contextlib.suppress(soundfile.LibsndfileError), _stream(endless) as again:
            stream.seek(frames - 1)
            there = "all" if len(stream.read(1)) else there
            stream.seek(0)
            again.seek(frames)  # an error at the end
            there = "more" if len(again.read(1)) else there
        if there != "all":
            raise _not_as_promised(name, f"{frames} samples", there)
    return frames


def _check_size(stream: _Stream, file: Path, name: str) -> None:
    """Compare what the header promises, by the log of libsndfile, with what is there."""
    log, frames = stream.extra_info, stream.frames
    size = int(_LENGTH.findall(log)[0])
    found = _BYTES.search(log) or {1: size, 2: size}
    promised, there = int(found[1]), int(found[2] or size)
    far = all(abs(promised - mark) > 5_000 for mark in _UNKNOWN)
    if promised > there + 44 and (far or not frames):  # some count the header
        raise _not_as_promised(name, f"{promised} bytes", there)
    with file.open("rb") as content:
        samples = _SAMPLES.findall(log + content.read(1_024).decode("latin-1"))
        if stream.format in _COUNTED and samples and int(samples[-1]) > frames:
            raise _not_as_promised(name, f"{samples[-1]} samples", frames)
        if promised < size - 1_024 and (stream.format == "AU" or _NO_CHUNK.search(log)):
            content.seek(1_024 + promised - size, os.SEEK_END)
            if any(content.read(_BLOCK)):
                raise _not_as_promised(name, f"{promised} bytes", size)


def _not_as_promised(name: str, promised: str, there: object) -> AudioError:
    got = f"its header promises {promised}, {there} are there"
    return AudioError(f"{name!r} is cut short or damaged ({got}): copy or convert it again.")


def _head(file: Path, name: str) -> bytes:
    """First bytes of a file that may hold audio."""
    try:
        with file.open("rb") as stream:
            head = stream.read(32)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        hint = "rename it in UTF-8" if "\\x" in str(file) else "correct its path or its rights"
        raise AudioError(f"{name!r} cannot be opened ({error.strerror}): {hint}.") from error
    if not head:
        raise AudioError(f"{name!r} is empty: it has 0 bytes. Copy it again.")
    if head.startswith(b"version https://git-lfs"):
        raise AudioError(f"{name!r} is a Git LFS pointer, no audio: run `git lfs pull`.")
    if file.suffix.lower() == ".raw":
        raise AudioError(f"{name!r} cannot be read as audio (no header): convert it to WAV.")
    return head


def encode(signal: Signal, rate: int = SAMPLING_RATE, comment: str = "", **form: str) -> bytes:
    """Content of a file of 16-bit samples, clipped to -1 ... 1; ``form`` as in soundfile."""
    content = io.BytesIO()
    settings: dict[str, Any] = {"format": "WAV", "subtype": "PCM_16", "channels": 1} | form
    with soundfile.SoundFile(content, "w", rate, **settings) as stream:
        if comment and stream.format != "NIST":
            stream.comment = comment
        stream.write(np.round(np.clip(signal, -1, 1) * 32_767).astype(np.int16))
    return content.getvalue()


def fingerprint(index: pd.MultiIndex, *others: object) -> str:
    """Name that changes with segments, the size and time of their files, and what else is given."""
    lines = []
    for file, start, end in index:
        state = os.stat(file) if os.path.exists(file) else None  # noqa: PTH116, PTH110 (speed)
        lines.append(f"{file} {start} {end} {state and (state.st_size, state.st_mtime_ns)}")
    return str(joblib.hash([others, lines]))


def is_synthetic(files: Sequence[str], few: int = 5) -> bool:
    """Whether one of a ``few`` files of a corpus, spread evenly, states that no person speaks."""
    for file in files[:: max(1, -(-len(files) // few))]:
        with contextlib.suppress(AudioError):
            if comment(file) == SYNTHETIC:
                return True
    return False


def check_scale(values: NDArray[Any], name: str = "The signal") -> None:
    """AudioError where values are not finite, or on the scale of integers."""
    if not (peak := np.abs(values).max()) <= LOUDEST:
        bad = int((~np.isfinite(values)).sum())
        what = f"{bad} NaN or infinite values" if bad else f"values up to {peak:.0f}"
        raise AudioError(f"{name} holds {what}, expected -1 to 1: convert it again.")


def is_silent(signal: Signal) -> bool:
    """Whether a signal never moves by more than two steps of 16-bit audio (-78 dB)."""
    return len(signal) == 0 or bool(np.ptp(signal) <= _SILENCE)
