"""How long an MP3 is: its frames are counted, since headers are missing or wrong.

libsndfile believes a Xing header, and where there is none it guesses from the size. So a file without one, or
with one that tells of less than there is, is read behind a header that we write. Does not decode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_RATES: Final = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}  # by version, Hz
_KBPS: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}  # of layer III, by whether it is MPEG 1
_RESYNC: Final = 1 << 17  # bytes of something else between two frames that are overlooked
DECODER_DELAY: Final = 529  # samples that a decoder of layer III gives before the first of the music
MAX_FRAMES: Final = 1_000_000


@dataclass(frozen=True)
class Frames:
    """The frames of an MP3."""

    first: int  # byte at which the first with music begins
    count: int  # with music
    said: int | None  # how many its header tells of; None = it has no header
    header: bytes  # the four bytes before the first frame's content

    @property
    def cut(self) -> bool:
        """Whether fewer are there than the header says."""
        return self.said is not None and self.count < self.said - 1

    @property
    def told(self) -> bool:
        """Whether the header tells how many there are."""
        return self.said is not None and self.count <= self.said + 1


def frames_of(content: bytes) -> Frames | None:
    """The frames in the bytes of a file; None where it is no MP3 of layer III."""
    at = _after_tags(content)
    at = _next_frame(content, at)
    if at < 0:
        return None
    said = _said(content, at)
    if said is not None:
        at = _next_frame(content, at + _size(content, at))
        if at < 0:
            return None
    first, count, header = at, 0, content[at : at + 4]
    while 0 <= at < len(content) and count < MAX_FRAMES:
        size = _size(content, at)
        if size <= 0:
            at = _next_frame(content, at + 1)
        elif at + size > len(content):
            break
        else:
            count += 1
            at += size
    return Frames(first, count, said, header)


def with_header(content: bytes, frames: Frames) -> tuple[bytes, int]:
    """The file behind a header that tells how many frames there are, and how many samples come before it.

    A silent frame stands first, since the decoder leaves out its own delay where a header is.
    """
    mpeg1 = frames.header[1] >> 3 & 3 == 3
    head = bytearray(frames.header)
    head[1] |= 1  # no checksum
    head[2] = (9 if mpeg1 else 8) << 4 | head[2] & 0x0C  # 128 or 64 kbit/s: room for what is told
    silent = bytearray(_frame_size(bytes(head), 0))
    silent[:4] = head
    told = bytearray(silent)
    at = 4 + _side(bytes(head))
    told[at : at + 12] = b"Xing" + (1).to_bytes(4, "big") + (frames.count + 1).to_bytes(4, "big")
    lead = (1152 if mpeg1 else 576) - DECODER_DELAY
    return bytes(told + silent) + content[frames.first :], lead


def _after_tags(content: bytes) -> int:
    """Where what follows the ID3 tags begins."""
    at = 0
    for _ in range(8):
        if content[at : at + 3] != b"ID3" or len(content) < at + 10:
            break
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if content[at + 5] & 0x10 else 0)
    return at


def _next_frame(content: bytes, at: int) -> int:
    """The first frame from a place on that another one, or the end, follows; -1 for none near."""
    last = min(len(content) - 4, at + _RESYNC)
    while 0 <= at <= last:
        at = content.find(b"\xff", at, last + 1)
        if at < 0:
            return -1
        size = _size(content, at)
        if size > 0 and (at + size >= len(content) - 4 or _size(content, at + size) > 0):
            return at
        at += 1
    return -1


def _size(content: bytes, at: int) -> int:
    """Bytes of the frame at a place; 0 where none begins."""
    return _frame_size(content[at : at + 4], -1)


def _frame_size(head: bytes, padding: int) -> int:
    """Bytes of a frame with this header; `padding` -1 = as it says. 0 for what is none of layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, kbps = head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer != 1 or rate == 3 or kbps in (0, 15):
        return 0
    mpeg1 = version == 3
    pad = head[2] >> 1 & 1 if padding < 0 else padding
    return (144 if mpeg1 else 72) * _KBPS[mpeg1][kbps] * 1000 // _RATES[version][rate] + pad


def _side(head: bytes) -> int:
    """Bytes between a frame's header and where a Xing header lies."""
    mpeg1, mono = head[1] >> 3 & 3 == 3, head[3] >> 6 == 3
    return (17 if mono else 32) if mpeg1 else (9 if mono else 17)


def _said(content: bytes, at: int) -> int | None:
    """How many frames the frame at a place tells of; None where it is music; 0 where it tells no number."""
    head = content[at : at + 4]
    tag = at + 4 + _side(head) + (0 if head[1] & 1 else 2)
    if content[tag : tag + 4] in (b"Xing", b"Info"):
        flags = int.from_bytes(content[tag + 4 : tag + 8], "big")
        return int.from_bytes(content[tag + 8 : tag + 12], "big") if flags & 1 else 0
    if content[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(content[at + 50 : at + 54], "big")
    return None
