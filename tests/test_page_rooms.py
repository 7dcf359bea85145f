"""The page's house: rooms of modules, each with a README that says what its files' own head comments say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "assets" / "page"
ROOMS = sorted(path for path in PAGE.iterdir() if path.is_dir())
MOST_FILES, MOST_LINES = 16, 400
HEAD = re.compile(r"\A/\*\*?\s*(.*?)\*/", re.S)
IMPORT = re.compile(r"^(?:import|export)\b[^;]*?'(\.{1,2}/[^']+\.js)';", re.M | re.S)


def sources(room: Path) -> list[Path]:
    return sorted(path for path in room.iterdir() if path.suffix in (".js", ".css"))


def sentence(path: Path) -> str:
    """The first sentence of a file's head comment."""
    head = HEAD.match(path.read_text("utf-8"))
    assert head, f"{path.name} does not say what it is for"
    words = " ".join(line.strip().removeprefix("*").strip() for line in head[1].splitlines())
    return re.split(r"(?<=[.!?])\s", words.strip())[0]


def listed(room: Path) -> str:
    """The README of a room as its files have it."""
    title, about = (room / "README.md").read_text("utf-8").split("\n", 2)[:2]
    lines = [f"- `{path.name}`: {sentence(path)}" for path in sources(room)]
    return "\n".join([title, about, "", *lines, ""])


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_is_in_it(room: Path) -> None:
    assert (room / "README.md").read_text("utf-8") == listed(room)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_small(room: Path) -> None:
    assert len(sources(room)) <= MOST_FILES
    long = [path.name for path in sources(room) if len(path.read_text("utf-8").splitlines()) > MOST_LINES]
    assert not long, f"over {MOST_LINES} lines: {', '.join(long)}"


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {
        path: {(path.parent / name).resolve() for name in IMPORT.findall(path.read_text("utf-8"))}
        for path in PAGE.rglob("*.js")
    }
    assert sum(map(len, graph.values())) > 100  # the imports are found at all
    while leaves := [path for path, needs in graph.items() if not needs & graph.keys()]:
        for path in leaves:
            del graph[path]
    assert not graph, "a circle among " + ", ".join(sorted(path.name for path in graph))


def test_nothing_below_knows_what_is_above() -> None:
    """Music knows nothing but music; sound, store and parts know neither lanes nor the page around them."""
    every = {room.name for room in ROOMS}
    shared = {"music", "sound", "parts", "store"}
    below = {"music": {"music"}, "sound": shared - {"store"}, "store": shared, "parts": shared}
    wrong = [
        f"{path.parent.name}/{path.name} imports {name}"
        for path in PAGE.rglob("*.js")
        for name in IMPORT.findall(path.read_text("utf-8"))
        if (path.parent / name).resolve().parent.name not in below.get(path.parent.name, every)
    ]
    assert not wrong, "\n".join(wrong)


def test_markup_is_put_on_the_page_in_one_place() -> None:
    """As `npm run lint` has it, where there is no node; and Gradio's HTML by the component that escapes."""
    ways = re.compile(r"(inner|outer|Adjacent)HTML|ContextualFragment|HTMLUnsafe|srcdoc|document\.write")
    found = [path.name for path in PAGE.rglob("*.js") if ways.search(path.read_text("utf-8"))]
    assert found == ["markup.js"]
    plain = re.compile(r"gr\.(HTML|Markdown)\(")  # but for `Shown`, none but the subclasses with typed states
    editor = PAGE.parents[1] / "editor"
    assert not [path.name for path in editor.rglob("*.py") if plain.search(path.read_text("utf-8"))]
