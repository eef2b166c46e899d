"""What the first bytes of an audio file say, read before libsndfile is given the file.

libsndfile knows some thirty formats by content, whatever a file is called, and the readers of the
rarer ones have holes that no release mends (CVE-2025-52194 in that of IRCAM). So formats that
speech does not come in are not passed on. Of a shortened WAV it reads what is there without a word,
and compressed samples it counts in 32 bits (CVE-2026-37555): both are looked at here, too.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

BEGINNINGS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff"),  # WAV, of either byte order, of more than 4 GiB; W64
    *(b"fLaC", b"OggS", b"NIST", b"FORM", b"caff", b".snd", b"dns."),
)
FORMATS = "WAV, FLAC, OGG, MP3, SPHERE, AIFF, AU, CAF or W64"
MOST_COMPRESSED = 2**30  # bytes of ADPCM, two samples in each: more than 32 bits count

_STREAMED = (0, 0xFFFFFFFF)  # data sizes of a WAV written to a pipe: its length was not known


def fault(file: Path) -> str:
    """What is wrong with the header of a file, and what to do; empty if nothing is."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        if not is_audio(stream):
            return f"cannot be read as audio: expected {FORMATS}. Convert it to WAV or FLAC."
        promised, there = _wav(stream, size)
    if promised > there:
        lacks = f"is cut short: {there} of {promised} bytes of signal are there"
        return f"{lacks}: copy it again."
    return ""


def miscounted(subtype: str, size: int) -> str:
    """What is wrong with the length that libsndfile gives of a file; empty if nothing is.

    >>> miscounted("PCM_16", 2**31), miscounted("IMA_ADPCM", 2**20)
    ('', '')
    """
    if "ADPCM" not in subtype or size < MOST_COMPRESSED:
        return ""
    return f"holds {size / 2**30:.1f} GiB of ADPCM, expected less than 1: convert it to FLAC."


def is_audio(stream: BinaryIO) -> bool:
    """Whether a file begins like one of a format that speech comes in.

    Tags in front (ID3) are stepped over as libsndfile does, or they would hide what follows.

    >>> import io
    >>> tag = b"ID3" + bytes([4, 0, 0, 0, 0, 0, 2]) + b"ab"
    >>> beginnings = b"fLaC", tag + b"fLaC", tag + bytes([0x64, 0xA3, 1, 0])
    >>> [is_audio(io.BytesIO(head)) for head in beginnings]
    [True, True, False]
    """
    head = stream.read(10)
    tagged = False
    while len(head) == 10 and head[:3] == b"ID3":
        tagged = True
        stream.seek(sum(byte << 7 * (3 - place) for place, byte in enumerate(head[6:])), 1)
        head = stream.read(10)
    stream.seek(0)
    silent = tagged and not any(head)  # MP3 whose tag is followed by padding
    return silent or head[:4] in BEGINNINGS or _is_mp3(head)


def _is_mp3(head: bytes) -> bool:
    """Whether the first eleven bits are set, as in each frame of MPEG audio."""
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0


def _wav(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Bytes of signal that a WAV header promises, and those that are there; 0, 0 if unknown."""
    head = stream.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 0, 0
    while len(chunk := stream.read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        if name == b"data":
            return (0, 0) if length in _STREAMED else (length, size - stream.tell())
        stream.seek(length + length % 2, 1)
    return 0, 0
