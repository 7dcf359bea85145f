"""Archives that call themselves projects or scores: bombs, names that lead elsewhere, lies about sizes."""

from __future__ import annotations

import io
import json
import random
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from tests.fire.damage import CONTAINER, archived, damaged, sheet
from tests.fire.payloads import VALUES, broken

DOCUMENT = "project.json"
Made = bytes | Callable[[], bytes]  # large ones are made when they are wanted


def contents(archive: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _entries(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip of entries in order, of which several may bear one name."""
    whole = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # zipfile warns of names that are there already
        for name, content in entries:
            archive.writestr(name, content)
    return whole.getvalue()


def _link(name: str, to: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, to


def _told(archive: bytes, **lies: int) -> bytes:
    """The archive with fields of its first central entry that say something else."""
    hurt, at = bytearray(archive), archive.index(b"PK\x01\x02")
    places = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<I"),
        "packed": (20, "<I"),
        "size": (24, "<I"),
    }
    for name, value in lies.items():
        offset, kind = places[name]
        struct.pack_into(kind, hurt, at + offset, value)
    return bytes(hurt)


def projects(good: bytes) -> dict[str, Made]:
    """Archives that are no project, made of one that is."""
    files = contents(good)
    document = files[DOCUMENT]
    sound = next(name for name in files if name.endswith((".flac", ".wav")))
    take = next(name for name in files if name.startswith("takes/"))
    names = [
        "../up.wav",
        "/etc/up.wav",
        "a/../../up.wav",
        "..\\up.wav",
        "C:\\up.wav",
        "sub/up.wav",
        "takes/../../x.json",
        "takes/x/y.json",
        ".bashrc",
        ".lock",
        "history.jsonl",
        "run.json",
        "exports/a.wav",
        "a\nb.wav",
        "\x1b[31m.wav",
        "x" * 300 + ".wav",
        "takes/" + "x" * 300 + ".json",
        "🎵.wav",
        "CON.wav",
        ".wav",
        "takes/.json",
        "project.json.bak",
        "takes/t1.json/x.wav",
        "PROJECT.JSON",
        "./a.wav",
        "a//b.wav",
        "evil.html",
        "a.wav.exe",
    ]
    made: dict[str, Made] = {f"with {name[:40]!r}": archived({**files, name: b"RIFF"}) for name in names}
    made |= {
        "nothing": b"",
        "no zip": b"PK\x03\x04",
        "an empty zip": archived({}),
        "no document": archived({sound: b""}),
        "a document that is a folder": archived({"project.json/x": b""}),
        "two documents": _entries((DOCUMENT, document), (DOCUMENT, b"{}")),
        "two documents in folders": _entries((f"a/{DOCUMENT}", document), (f"b/{DOCUMENT}", document)),
        "a sound twice": _entries((DOCUMENT, document), (sound, files[sound]), (sound, b"RIFF")),
        "a sound and a folder of its name": _entries((DOCUMENT, document), (take, b"{}"), ("takes", b"x")),
        "a link out": _entries((DOCUMENT, document), _link(sound, b"/etc/passwd")),
        "a document that is a link": _entries(_link(DOCUMENT, b"/etc/passwd")),
        "a take that is a link": _entries((DOCUMENT, document), _link(take, b"../../../etc/passwd")),
        "20,001 files": lambda: _entries(
            (DOCUMENT, document), *((f"takes/t{i}.json", b"") for i in range(20_001))
        ),
        "a bomb of silence": lambda: archived({**files, sound: bytes(300 << 20)}),
        "a bomb that is the document": lambda: archived(
            {DOCUMENT: b'{"version":1,"x":"' + b" " * (64 << 20) + b'"}'}
        ),
        "a take that is a bomb": lambda: archived({**files, take: b" " * (64 << 20)}),
        "bombs in a zip": lambda: archived({**files, "inner.zip": archived({"x": bytes(10 << 20)})}),
        "a size of 4 GB": _told(good, size=0xFFFFFFF0),
        "a size of nothing": _told(good, size=0),
        "packed in nothing": _told(good, packed=0),
        "packed in 4 GB": _told(good, packed=0xFFFFFFF0),
        "another sum": _told(good, crc=1),
        "encrypted": _told(good, flags=1),
        "a method of nobody": _told(good, method=77),
        "called bzip2": _told(good, method=12),
        "called lzma": _told(good, method=14),
        "called plain": _told(good, method=0),
        "bzip2": archived(files, zipfile.ZIP_BZIP2),
        "lzma": archived(files, zipfile.ZIP_LZMA),
        "deep JSON": archived({**files, DOCUMENT: b"[" * 200_000 + b"]" * 200_000}),
        "deep objects": archived({**files, DOCUMENT: b'{"project":' * 50_000}),
        "a deep take": archived({**files, "takes/t9.json": b"[" * 200_000}),
        "a take that is none": archived({**files, "takes/t9.json": b"{}"}),
        "a document of 5000 digits": archived(
            {**files, DOCUMENT: b'{"version":1,"project":' + b"9" * 5000 + b"}"}
        ),
        "a version of 400 digits": archived(
            {**files, DOCUMENT: b'{"version":' + b"9" * 400 + b',"project":{}}'}
        ),
        "a document with a mark": archived({**files, DOCUMENT: b"\xef\xbb\xbf" + document}),
        "a document in UTF-16": archived({**files, DOCUMENT: document.decode().encode("utf-16")}),
        "no JSON": archived({**files, DOCUMENT: b"\xff\xfe\xff"}),
        "from the future": archived(
            {**files, DOCUMENT: document.replace(b'"version": 1', b'"version": 99', 1)}
        ),
    }
    return made


def scores() -> dict[str, Made]:
    """Scores, plain and archived, that are none."""
    entities = "".join(f"<!ENTITY e{i + 1} '{10 * f'&e{i};'}'>" for i in range(9))
    laughs = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>'
    file = '<!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>'
    outside = '<!DOCTYPE score-partwise SYSTEM "http://127.0.0.1:9/x.dtd">'
    entity = "<direction><words>&e9;</words></direction>"
    other = CONTAINER.replace("tune.musicxml", "../../etc/passwd")
    attributes = " ".join(f"a{i}='1'" for i in range(100_000))
    head, tail = sheet().split("<measure", 1)[0], "</part></score-partwise>"
    return {
        "laughs.xml": sheet(laughs, entity).encode(),
        "file.xml": sheet(file, entity).encode(),
        "outside.xml": sheet(outside).encode(),
        "nothing.xml": b"",
        "blank.xml": b" \n" * 100,
        "deep.xml": (head + "<a>" * 100_000).encode(),
        "wide.xml": lambda: (head + "<note/>" * 1_600_000 + tail).encode(),
        "large.xml": lambda: (head + " " * (33 << 20) + tail).encode(),
        "bars.xml": (head + "<measure/>" * 20_000 + tail).encode(),
        "long.xml": sheet(body="<forward><duration>99999999</duration></forward>").encode(),
        "attributes.xml": f"<score-partwise {attributes}/>".encode(),
        "tag.xml": b"<" + b"a" * (1 << 20) + b"/>",
        "nul.xml": sheet().encode().replace(b"Voice", b"Vo\0ice"),
        "utf16.xml": sheet().encode("utf-16-be"),
        "odd.xml": b"\xff\xfe" + sheet().encode(),
        "shift.xml": sheet().replace('"1.0"?', '"1.0" encoding="shift-jis"?').encode(),
        "encoding.xml": sheet().replace('"1.0"?', '"1.0" encoding="x-none"?').encode(),
        "html.xml": b"<html><body><script>alert(1)</script></body></html>",
        "out.mxl": archived({"META-INF/container.xml": other, "tune.musicxml": sheet()}),
        "bomb.mxl": lambda: archived({"tune.musicxml": b"<a>" + b" " * (100 << 20)}),
        "container.mxl": lambda: archived(
            {"META-INF/container.xml": b" " * (64 << 20), "tune.musicxml": sheet()}
        ),
        "two.mxl": _entries(("a.xml", b"<x/>"), ("a.xml", sheet().encode())),
        "link.mxl": _entries(_link("tune.musicxml", b"/etc/passwd")),
        "called plain.mxl": _told(archived({"tune.musicxml": sheet()}), method=0),
        "encrypted.mxl": _told(archived({"tune.musicxml": sheet()}), flags=1),
        "none.mxl": archived({"a.txt": b"x"}),
        "folder.mxl": archived({"tune.musicxml/": b""}),
        "half.mid": b"MThd\0\0\0\x06\0\x01\xff\xff\x01\xe0MTrk\xff\xff\xff\xff",
        "no division.mid": b"MThd\0\0\0\x06\0\x01\0\x01\0\0MTrk\0\0\0\x08\0\x90\x3c\x40\x60\x80\x3c\0",
        "far.mid": b"MThd\0\0\0\x06\0\0\0\x01\0\x01MTrk\0\0\0\x10" + 2 * b"\xff\xff\xff\x7f\x90\x3c\x40\x01",
    }


def changed(good: bytes, dice: random.Random) -> tuple[str, bytes]:
    """A project of which a value of the document or a take, or some bytes, are others; what was done."""
    files, way = contents(good), dice.random()
    if way < 0.2:
        return "with damaged bytes", damaged(good, dice)
    if way < 0.3:
        name = dice.choice(list(files))
        return f"with a damaged {name}", archived({**files, name: damaged(files[name], dice)})
    name = dice.choice([DOCUMENT, DOCUMENT, DOCUMENT, *(one for one in files if one.startswith("takes/"))])
    told = json.loads(files[name])
    wrong = broken(told["project"] if name == DOCUMENT else told, dice, (*VALUES, "@inf", "@digits", "@more"))
    text = json.dumps({**told, "project": wrong} if name == DOCUMENT else wrong)
    for word, value in {"@inf": "1e999", "@digits": "1" + "0" * 400, "@more": "9" * 5000}.items():
        text = text.replace(f'"{word}"', value)
    return (
        f"{name}: {next(_differences(told['project'] if name == DOCUMENT else told, wrong), 'same')}",
        archived({**files, name: text}),
    )


def _differences(one: Any, other: Any, way: str = "") -> Iterator[str]:
    """Where two pieces of JSON differ first, and what stands there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differences(one.get(key), other.get(key), f"{way}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _differences(a, b, f"{way}.{number}")
    elif one != other or type(one) is not type(other):
        yield f"{way} = {str(other)[:60]!r}"
