"""What follows what in a file of MP3, Ogg or FLAC, where headers know only the first stream.

Such files are put one after another by recorders, radios and ``cat``, and written to pipes, where
no length is known. Each stream found is content that libsndfile reads to its end. Chapter 1.
"""

import mmap
import re
import struct
from collections.abc import Iterator

_BIT_RATES = (  # kbit/s of MPEG 2 and 1, layer III
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_SETTINGS = bytes(n for n in range(256) if 0 < n >> 4 < 15 and n & 0x0C != 0x0C)
_MP3 = re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + re.escape(_SETTINGS) + rb"]")
_HEADER = re.compile(rb"Xing|Info|VBRI")
Content = bytes | mmap.mmap
_GAP = 5_000  # bytes between frames that are no tag, such as the rest of a frame, but no more


def split(content: Content) -> list[bytes]:
    """Streams of a file, none if it is of another kind.

    Raises:
        ValueError: if a part is missing; it says what was promised and what is there
    """
    if content[:4] == b"OggS":
        return _cut(content, list(_ogg_starts(content)))
    if content[:4] == b"fLaC" or content[:3] == b"ID3":
        starts = [match.start() for match in re.finditer(rb"fLaC[\0\x80]\0\0\x22", content)]
    else:
        starts = []
    return _cut(content, starts) or _mp3_streams(list(_mp3_frames(content)))


def _cut(content: Content, starts: list[int]) -> list[bytes]:
    return [content[a:b] for a, b in zip(starts, [*starts[1:], None], strict=False)]


def _ogg_starts(content: Content) -> Iterator[int]:
    """First pages of the streams of a chain; a page has a number, and the last of all a mark."""
    place, flags, numbers = 0, 0, dict[int, int]()
    while content[place : place + 4] == b"OggS":
        page = content[place : place + 27].ljust(27, b"\0")
        before, (flags, serial, number, many) = flags, struct.unpack("<5xB8xII4xB", page)
        if flags & 2 and not before & 2:
            yield place
        elif not flags & 2 and number != (wanted := numbers.get(serial, -1) + 1):
            raise ValueError(f"page {wanted} was expected, {number} is there")
        numbers[serial] = number
        place += 27 + many + sum(content[place + 27 : place + 27 + many])
    if place > len(content) or not flags & 4 or content.find(b"OggS", place) > 0:
        raise ValueError(f"its last page is missing, {len(content):,} bytes are there")


def _mp3_frames(content: Content) -> Iterator[bytes]:
    """Frames of an MP3; tags before, between and behind them are left out."""
    place, end, found = 0, 0, False
    while match := _MP3.search(content, place, len(content) if found else end + _GAP):
        place = match.start()
        if match[0] == b"ID3":
            size = content[place + 6 : place + 10]
            place = end = place + 10 + sum(byte << 21 - 7 * n for n, byte in enumerate(size))
            continue
        frame = content[place : place + _frame_size(match[0])]
        if not (found and place == end) and not _MP3.match(content, place + len(frame)):
            place += 1
            continue
        if place - end > _GAP:
            raise ValueError(f"{place - end:,} bytes behind the first {end:,} are no audio")
        if len(frame) < _frame_size(match[0]):
            return
        place, end, found = place + len(frame), place + len(frame), True
        yield frame


def _frame_size(head: bytes) -> int:
    """Bytes in a frame, by its first three."""
    version, setting = head[1] >> 3 & 3, head[2]  # 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5
    rate = (44_100, 48_000, 32_000)[setting >> 2 & 3] >> (2, 0, 1, 0)[version]
    bits = 72_000 * _BIT_RATES[version == 3][setting >> 4] * (2 if version == 3 else 1)
    return bits // rate + (setting >> 1 & 1)


def _mp3_streams(frames: list[bytes]) -> list[bytes]:
    """Frames of one form, behind a frame that states how many they are."""
    streams, form = list[list[bytes]](), None
    for frame in frames:
        before, form = form, (frame[1] & 0x18, frame[2] & 0x0C, frame[3] >= 0xC0)
        if _HEADER.search(frame, 4, 48):
            streams.append([])
            form = None  # that of the next frame
        elif not streams or before not in (None, form):
            streams.append([])
        streams[-1].append(frame)
    return [content for stream in streams for content in _with_length(stream)]


def _with_length(frames: list[bytes]) -> list[bytes]:
    """A stream behind its header, if that is right, or ours; what goes beyond it is another."""
    header, promised, audio = _HEADER.search(frames[0], 4, 48), 0, frames
    if header:
        audio, rest = frames[1:], frames[0][header.start() :].ljust(18, b"\0")
        is_xing, flags, number, other = header[0] != b"VBRI", *struct.unpack_from(">4xII2xI", rest)
        promised = (number if flags & 1 else 0) if is_xing else other
        if promised > len(audio) + 1:
            raise ValueError(f"its header promises {promised} frames, {len(audio)} are there")
        if promised and is_xing:
            more = audio[promised:] if len(audio) > promised + 1 else []
            whole = b"".join(frames[: promised + 1] if more else frames)
            return [whole, *(_with_length(more) if more else [])]
    head, first, mono = audio[0], audio[0][1] & 8, audio[0][3] >= 0xC0
    head = bytes([0xFF, head[1] | 1, (0x50 if first else 0x80) | head[2] & 0x0C, head[3]])
    place = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    promise = head.ljust(place, b"\0") + b"Xing" + struct.pack(">II", 1, len(audio))
    return [promise.ljust(_frame_size(head), b"\0") + b"".join(audio)]
