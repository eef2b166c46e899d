"""Streams that follow each other in MP3, Ogg and FLAC files, whose headers know only the first.

Recorders, radios and ``cat`` put them one after another, and pipes leave lengths out. Chapter 1.
"""

import mmap
import re
import struct
from collections.abc import Iterator

_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]  # of MPEG 2, layer III
_KBPS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]  # of MPEG 1
_SETTINGS = re.escape(bytes(n for n in range(256) if 0 < n >> 4 < 15 and n & 0x0C != 0x0C))
_MP3 = re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + _SETTINGS + rb"]")
_LENGTH = re.compile(rb"(?:Xing|Info)\0\0\0[\x01-\x0f](.{4})", re.DOTALL)  # frames that follow
_GAP = 5_000  # bytes without audio between frames, such as the rest of one, but no more
Content = bytes | mmap.mmap


def split(content: Content) -> list[bytes]:
    """Streams of a file, none if it is of another kind; ValueError says what is missing."""
    starts = list[int]()
    if content[:4] == b"OggS":
        starts = list(_ogg_starts(content))
    elif content[:4] == b"fLaC" or content[:3] == b"ID3":
        starts = [match.start() for match in re.finditer(rb"fLaC[\0\x80]\0\0\x22", content)]
    cut = [content[a:b] for a, b in zip(starts, [*starts[1:], None], strict=False)]
    return cut or [_with_length(frames) for frames in _mp3_streams(content) if len(frames) > 1]


def _ogg_starts(content: Content) -> Iterator[int]:
    """First pages of a chain of streams; pages have numbers, and the last of a stream a mark."""
    place, flags, numbers = 0, 0, dict[int, int]()
    while content[place : place + 4] == b"OggS":
        page = content[place : place + 282].ljust(282, b"\0")
        before, (flags, serial, number, many) = flags, struct.unpack_from("<5xB8xII4xB", page)
        if flags & 2 and not before & 2:
            yield place
        elif not flags & 2 and number != numbers[serial] + 1:
            raise ValueError(f"page {numbers[serial] + 1} was expected, {number} is there")
        numbers[serial] = number
        place += 27 + many + sum(page[27 : 27 + many])
    if place > len(content) or not flags & 4 or content.find(b"OggS", place) > 0:
        raise ValueError(f"its last page is missing, {len(content):,} bytes are there")


def _mp3_frames(content: Content) -> Iterator[bytes]:
    """Frames of an MP3; tags before, between and behind them are left out."""
    place = end = found = 0
    while match := _MP3.search(content, place, len(content) if found else end + _GAP):
        place = match.start()
        frame = content[place : place + _frame_size(match[0])]
        if match[0] == b"ID3":
            size = content[place + 6 : place + 10]
            place = end = place + 10 + sum(byte << 21 - 7 * n for n, byte in enumerate(size))
        elif not (found and place == end) and not _MP3.match(content, place + len(frame)):
            place += 1
        elif place - end > _GAP:
            raise ValueError(f"{place - end:,} bytes behind the first {end:,} are no audio")
        elif len(frame) == _frame_size(match[0]):  # and not the rest of one
            found += 1
            place = end = place + len(frame)
            yield frame
        else:
            return


def _frame_size(head: bytes) -> int:
    """Bytes in a frame, by its first three."""
    version, setting = head[1] >> 3 & 3, head[2]  # 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5
    rate = (44_100, 48_000, 32_000, 1)[setting >> 2 & 3] >> (2, 0, 1, 0)[version]
    bits = 144_000 * _KBPS_1[setting >> 4] if version == 3 else 72_000 * _KBPS[setting >> 4]
    return bits // rate + (setting >> 1 & 1)


def _mp3_streams(content: Content) -> Iterator[list[bytes]]:
    """Frames of streams; one ends where its length is reached, or another header or form begins."""
    stream, form, promised = list[bytes](), (0, 0, False), 0
    for frame in _mp3_frames(content):
        before, form = form, (frame[1] & 0x18, frame[2] & 0x0C, frame[3] >= 0xC0)
        is_full = 0 < promised < len(stream)
        if stream and (is_full or before != form or _LENGTH.search(frame, 4, 52)):
            yield stream
            stream = []
        stream.append(frame)
        promised = _promised(stream[0])
    yield stream


def _promised(frame: bytes) -> int:
    return int.from_bytes(match[1]) if (match := _LENGTH.search(frame, 4, 52)) else 0


def _with_length(frames: list[bytes]) -> bytes:
    """A stream behind its own header, or where it has none, behind one that says its length."""
    if (promised := _promised(frames[0])) > len(frames):
        raise ValueError(f"its header promises {promised} frames, {len(frames) - 1} are there")
    head, first, mono = frames[0], frames[0][1] & 8, frames[0][3] >= 0xC0
    head = bytes([0xFF, head[1] | 1, (0x50 if first else 0x80) | head[2] & 0x0C, head[3]])
    place = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    length = head.ljust(place, b"\0") + b"Xing" + struct.pack(">II", 1, len(frames))
    return (b"" if promised else length.ljust(_frame_size(head), b"\0")) + b"".join(frames)
