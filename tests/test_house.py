"""The house's shape, executable: no file, function or folder too large, no circles, rooms described."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engines", "editor", "study", "assets/page")
LINES, FUNCTION, FILES = 400, 80, 16
SOURCES = (".py", ".js", ".css")
# Tables of data, which are as long as what they list.
TABLES = {"study/data/captions.py", "study/data/styles.py", "engines/music/instruments.py"}


def sources() -> list[Path]:
    """Every source file of the rooms but vendored code."""
    return sorted(
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in SOURCES and "vendor" not in path.parts
    )


def folders() -> list[Path]:
    """Every folder of the rooms that holds sources."""
    return sorted({path.parent for path in sources()})


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_rooms_hold_what_is_looked_at() -> None:
    counted = {room: sum(name(path).startswith(room + "/") for path in sources()) for room in ROOMS}
    assert all(count > 20 for count in counted.values()), counted


def test_no_file_is_too_long() -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in sources() if name(path) not in TABLES}
    assert not {path: lines for path, lines in long.items() if lines > LINES}


def test_no_folder_holds_too_many_files() -> None:
    counted = {
        name(folder): sum(path.suffix in SOURCES and path.name != "__init__.py" for path in folder.iterdir())
        for folder in folders()
    }
    assert not {folder: count for folder, count in counted.items() if count > FILES}


def test_no_function_is_too_long() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in sources()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION
    ]
    assert not long, "\n".join(long)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, known: set[str]) -> Iterator[str]:
    """Modules of the house that a module imports when it is loaded; not those for type checkers alone."""
    waiting = list(ast.parse(path.read_text()).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (m for m in (inner if inner in known else node.module,) if m in known)
        else:
            waiting.extend(
                child
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.stmt)
                and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            )


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, or nothing."""
    done: set[str] = set()

    def walk(at: str, way: list[str]) -> list[str]:
        if at in way:
            return [*way[way.index(at) :], at]
        if at in done:
            return []
        for other in sorted(graph[at]):
            found = walk(other, [*way, at])
            if found:
                return found
        done.add(at)
        return []

    return next((found for start in sorted(graph) if (found := walk(start, []))), [])


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = {module(path): path for path in sources() if path.suffix == ".py"}
    graph = {here: set(imports(path, set(files))) - {here} for here, path in files.items()}
    assert sum(map(len, graph.values())) > 300
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert not circle(graph)


def first_line(path: Path) -> str:
    """What a module says of itself: the first line of its docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0].strip()


# The page's rooms are looked at by `test_page_rooms`, with their circles.
PYTHON = [folder for folder in folders() if (folder / "__init__.py").exists()]


@pytest.mark.parametrize("folder", PYTHON, ids=name)
def test_each_room_is_described_file_by_file(folder: Path) -> None:
    listed = dict(re.findall(r"^- `([^`]+)`: (.+)$", (folder / "README.md").read_text(), re.M))
    files = {p.name: first_line(p) for p in folder.iterdir() if p in sources() and p.name != "__init__.py"}
    inner = {f"{p.name}/" for p in folder.iterdir() if p in PYTHON}
    assert {file: words for file, words in listed.items() if not file.endswith("/")} == files
    assert inner <= set(listed)
