"""The XML of a score's file: plain, or out of the archive that .mxl is.

An archive says in META-INF/container.xml which of its files is the score. Where it says nothing usable, the
first that can be one is read. Sizes are bounded whatever an archive tells. Knows no music.
"""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.parsers import expat

MAX_BYTES: Final = 32 * 2**20  # of a score's text; larger ones are no lead sheets
MAX_ELEMENTS: Final = 1_500_000
MAX_DEPTH: Final = 200  # of elements in elements
_CONTAINER: Final = "META-INF/container.xml"
_MAX_CONTAINER: Final = 1 << 20  # bytes
_SUFFIXES: Final = (".musicxml", ".xml")


def score_text(path: str | os.PathLike[str], most: int) -> bytes:
    """The XML of a file, at most `most` bytes. Raises ValueError, KeyError or what `zipfile` raises."""
    with Path(path).open("rb") as file:
        start = file.read(4)
        if start != b"PK\x03\x04" and not zipfile.is_zipfile(path):
            return _bounded(start + file.read(most + 1), most)
    with zipfile.ZipFile(path) as archive, archive.open(_root_file(archive)) as score:
        return _bounded(score.read(most + 1), most)  # the size that an archive tells may be wrong


def _bounded(text: bytes, most: int) -> bytes:
    if len(text) > most:
        raise ValueError("too large")
    return text


def _root_file(archive: zipfile.ZipFile) -> str:
    """The name of the score in an archive."""
    names = archive.namelist()
    named = _named_by_container(archive, names)
    possible = [name for name in names if _can_be_score(name)]
    if not named and not possible:
        raise ValueError("no score inside")
    return named or min(possible, key=lambda name: name.count("/"))


def _can_be_score(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part in ("META-INF", "__MACOSX") or part.startswith(".") for part in path.parts)
    return path.suffix.lower() in _SUFFIXES and not hidden


def _named_by_container(archive: zipfile.ZipFile, names: list[str]) -> str:
    """The first root file that the container names and the archive has; "" where it names none."""
    container = next((name for name in names if name.lower() == _CONTAINER.lower()), "")
    if not container:
        return ""
    try:
        with archive.open(container) as file:
            root = tree(file.read(_MAX_CONTAINER))
    except (expat.ExpatError, ValueError, LookupError):
        return ""
    for element in root.iter("rootfile"):
        kind = element.get("media-type") or "xml"
        path = unquote(element.get("full-path") or "").replace("\\", "/").lstrip("/")
        if path in names and "xml" in kind:
            return path
    return ""


def tree(text: bytes, most: int = MAX_ELEMENTS) -> ElementTree.Element:
    """The elements of a text, without namespaces. A DTD may be named; entities may not be declared.

    Blank lines before the declaration are overlooked. Raises ExpatError, ValueError or LookupError.
    """
    builder, parser, count, depth = ElementTree.TreeBuilder(), expat.ParserCreate(), 0, 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > most or depth > MAX_DEPTH:
            raise ValueError("too many elements")
        builder.start(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition(":")[2])

    def refuse(*_: object) -> None:
        raise ValueError("entities are not read")

    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.Parse(_from_declaration(text), True)
    return builder.close()


def _from_declaration(text: bytes) -> bytes:
    """A text without the blanks before it, which XML does not allow; before them may be a byte order mark."""
    mark = b"\xef\xbb\xbf"
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(
        text[:2]
    )
    if wide is not None:
        plain = text.decode(wide).lstrip("\ufeff\0 \t\r\n")
        return re.sub(r"^<\?xml[^>]*\?>", "", plain).encode()  # it names the encoding that it had
    return text.removeprefix(mark).lstrip().removeprefix(mark)
