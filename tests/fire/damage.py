"""Files that are almost right: one of every kind, and what is done to their bytes."""

from __future__ import annotations

import io
import random
import re
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from tests import smf

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
RATE = 8000
KINDS = (  # container, encoding, ending
    ("WAV", "PCM_16", ".wav"), ("WAV", "PCM_24", ".wav"), ("WAV", "FLOAT", ".wav"), ("WAV", "DOUBLE", ".wav"),
    ("WAV", "PCM_U8", ".wav"), ("WAV", "IMA_ADPCM", ".wav"), ("WAVEX", "PCM_16", ".wav"),
    ("RF64", "PCM_16", ".wav"), ("W64", "PCM_16", ".w64"), ("FLAC", "PCM_16", ".flac"),
    ("FLAC", "PCM_24", ".flac"), ("OGG", "VORBIS", ".ogg"), ("OGG", "OPUS", ".opus"),
    ("MP3", "MPEG_LAYER_III", ".mp3"), ("AIFF", "PCM_16", ".aiff"), ("AIFF", "PCM_24", ".aif"),
    ("AU", "PCM_16", ".au"), ("CAF", "PCM_16", ".caf"), ("CAF", "ALAC_16", ".caf"),
)  # fmt: skip
NUMBERS = ("1e999", "-1e999", "9" * 400, "-1", "0", "NaN", "1/0", "", "٣", "0x10", "1e-400", "2147483648")


@cache
def sounds() -> dict[str, bytes]:
    """Name -> content of half a second of sound in every container."""
    t = np.arange(RATE // 2) / RATE
    tone = 0.4 * np.sin(2 * np.pi * np.outer(t, (220, 330)))
    made = {}
    for container, encoding, ending in KINDS:
        with tempfile.NamedTemporaryFile(suffix=ending) as file:
            soundfile.write(file.name, tone, RATE, encoding, format=container)
            made[f"{container} {encoding}{ending}"] = Path(file.name).read_bytes()
    plain = made["WAV PCM_16.wav"]
    cue = b"cue " + (28).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(24)
    note = b"LIST" + (16).to_bytes(4, "little") + b"INFOINAM" + (4).to_bytes(4, "little") + b"hey\0"
    made["WAV with chunks.wav"] = plain + cue + note
    made["chained.ogg"] = 2 * made["OGG VORBIS.ogg"]
    made["MP3 without a header.mp3"] = made["MP3 MPEG_LAYER_III.mp3"][400:]
    made["speech.flac"] = (FIXTURES / "speech.flac").read_bytes()
    return made


@cache
def scores() -> dict[str, bytes]:
    """Name -> content of small scores: MIDI, MusicXML, and MusicXML in its archive."""
    tracks = (
        smf.tempo(100) + smf.metre(3, 2) + smf.meta(0x03, b"Voice") + smf.scale(),
        smf.scale(channel=9, first=36),
        smf.meta(0x03, b"chords") + smf.scale(ticks=960, channel=2),
    )
    midi = smf.smf(*tracks)
    return {
        "tune.mid": midi,
        "film.midi": smf.smf(tracks[0], division=0xE728),
        "one.kar": smf.smf(tracks[0], kind=0),
        "riff.rmi": b"RIFF" + (len(midi) + 12).to_bytes(4, "little") + b"RMIDdata"
        + len(midi).to_bytes(4, "little") + midi,
        "tune.musicxml": sheet().encode(),
        "wide.xml": sheet().encode("utf-16"),
        "tune.mxl": archived({"META-INF/container.xml": CONTAINER, "tune.musicxml": sheet()}),
    }  # fmt: skip


CONTAINER = (
    '<?xml version="1.0"?><container><rootfiles><rootfile full-path="tune.musicxml" '
    'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>'
)


def sheet(head: str = "", body: str = "") -> str:
    """A lead sheet of four bars; `head` before it, `body` in its last bar."""
    about = (
        "<attributes><divisions>2</divisions><key><fifths>-2</fifths><mode>minor</mode></key><time><beats>3"
        "</beats><beat-type>4</beat-type></time><transpose><chromatic>-2</chromatic></transpose></attributes>"
        '<direction><sound tempo="96"/></direction>'
    )
    chord = (
        "<harmony><root><root-step>G</root-step><root-alter>0</root-alter></root><kind>minor-seventh</kind>"
        "<degree><degree-value>9</degree-value><degree-alter>0</degree-alter><degree-type>add</degree-type>"
        "</degree></harmony>"
    )
    note = (
        "<note><pitch><step>B</step><alter>-1</alter><octave>4</octave></pitch><duration>4</duration>"
        "<voice>1</voice></note><note><rest/><duration>2</duration></note>"
    )
    bars = [f'<measure number="{i + 1}">{about if not i else ""}{chord}{note}' for i in range(4)]
    parts = '<part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>'
    inner = "</measure>".join(bars) + body + "</measure>"
    return f'<?xml version="1.0"?>{head}<score-partwise>{parts}<part id="P1">{inner}</part></score-partwise>'


def archived(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


# ---- what is done to bytes


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _flip(content: bytes, dice: random.Random) -> bytes:
    hurt = bytearray(content)
    for _ in range(dice.choice((1, 3, 30))):
        hurt[dice.randrange(len(hurt))] ^= 1 << dice.randrange(8)
    return bytes(hurt)


def _field(content: bytes, dice: random.Random) -> bytes:
    """A number of two, four or eight bytes becomes an extreme one, mostly among the headers."""
    size = dice.choice((2, 4, 4, 8))
    half = 1 << (8 * size - 1)
    number = dice.choice((0, 1, -1, half, half - 1, dice.getrandbits(8 * size)))
    at = dice.randrange(max(1, min(len(content), 160) if dice.random() < 0.8 else len(content)))
    order = dice.choice(("little", "big"))
    value = (number % (1 << 8 * size)).to_bytes(size, order)  # type: ignore[arg-type]
    return content[:at] + value + content[at + size :]


def _insert(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + dice.randbytes(dice.choice((1, 2, 7, 512))) + content[at:]


def _drop(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + content[at + dice.choice((1, 2, 4, 64, 1000)) :]


def _double(content: bytes, dice: random.Random) -> bytes:
    a, b = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:b] + dice.choice((1, 1, 20)) * content[a:b] + content[b:]


def _erase(content: bytes, dice: random.Random) -> bytes:
    a = dice.randrange(len(content))
    b = min(len(content), a + dice.choice((4, 64, 4096)))
    return content[:a] + dice.choice((b"\0", b"\xff")) * (b - a) + content[b:]


def _foreign(content: bytes, dice: random.Random) -> bytes:
    other = dice.choice([*sounds().values(), *scores().values()])
    at = dice.randrange(len(content) + 1)
    return content[:at] + other[dice.randrange(len(other)) :][:5000] + content[at:]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flip, _field, _field, _insert, _drop, _double, _erase, _foreign
)  # fmt: skip


def damaged(content: bytes, dice: random.Random) -> bytes:
    """The content with one to four things wrong."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        if content:
            content = dice.choice(_WAYS)(content, dice)
    return content


def misnumbered(text: str, dice: random.Random) -> str:
    """A text of which some numbers are none that anyone would write."""
    places = list(re.finditer(r"(?<=[>\"])-?\d+(?:\.\d+)?(?=[<\"])", text))
    some = dice.sample(places, min(len(places), dice.choice((1, 2, 8))))
    for place in sorted(some, key=lambda found: -found.start()):
        text = text[: place.start()] + dice.choice(NUMBERS) + text[place.end() :]
    return text
