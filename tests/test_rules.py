"""The house's rules, executable: who imports whom, what loads no torch, what is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIGHT = [  # modules that must load without torch
    "engines", "engines.audio.timebase", "engines.music.chords", "engines.requests",
    "engines.audio.recording", "editor", "editor.project.document", "editor.project.lanes",
    "editor.project.commands", "editor.project.history", "editor.project.disk.storage",
    "editor.project.disk.sounds", "editor.project.disk.reading",
]  # fmt: skip
FORBIDDEN = {  # folder: roots that nothing in it may import
    "engines": {"gradio", "gradio_client", "editor", "study", "app", "tests"},
    "editor": {"study", "app", "tests"},
    "study": {"gradio", "editor", "app", "tests"},
}
ARRAYS = {"Tensor", "NDArray", "ndarray"}
SHAPE = re.compile(r"\[[^\[\]]*[A-Za-z0-9*][^\[\]]*\]")


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported_roots(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(("import_module", "__import__"))
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value).split(".")[0], node.lineno


@pytest.mark.parametrize("folder", list(FORBIDDEN))
def test_imports_point_one_way(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {root}"
        for path in modules(folder)
        for root, line in imported_roots(ast.parse(path.read_text()))
        if root in FORBIDDEN[folder]
    ]
    assert len(modules(folder)) > 0
    assert not wrong, "\n".join(wrong)


def test_app_imports_no_study() -> None:
    assert "study" not in {root for root, _ in imported_roots(ast.parse((ROOT / "app.py").read_text()))}


def test_the_light_modules_load_no_torch() -> None:
    script = (
        "import importlib, sys\n"
        f"for name in {LIGHT!r}:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'torch', 'transformers', 'gradio'} & set(sys.modules)\n"
        "    assert not heavy, f'{name} loads {sorted(heavy)}'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_brings_in_torchaudio() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("engines", "editor", "study")
        for path in modules(folder)
        if "torchaudio" in {root for root, _ in imported_roots(ast.parse(path.read_text()))}
    ]
    assert not wrong
    assert '"torchaudio' not in (ROOT / "pyproject.toml").read_text()


def public_functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of a module and methods of its public classes whose names do not begin with `_`."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members = [] if node.name.startswith("_") else [(f"{node.name}.", child) for child in node.body]
        else:
            members = [("", node)]
        for prefix, member in members:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and not member.name.startswith("_"):
                yield prefix + member.name, member


def array_names(path: Path) -> set[str]:
    """ARRAYS and the module's own aliases of them, such as `Floats = NDArray[np.float64]`."""
    names = set(ARRAYS)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            base = value.value if isinstance(value, ast.Subscript) else value
            if isinstance(base, ast.Name | ast.Attribute) and ast.unparse(base).split(".")[-1] in ARRAYS:
                names.add(node.targets[0].id)
    return names


def takes_or_gives_arrays(function: ast.FunctionDef | ast.AsyncFunctionDef, names: set[str]) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    annotations = [a.annotation for a in every] + [function.returns]
    words = {word for a in annotations if a is not None for word in re.findall(r"\w+", ast.unparse(a))}
    return bool(words & names)


def test_every_public_function_of_the_engines_is_documented_with_shapes() -> None:
    missing = []
    counted = 0
    for path in modules("engines"):
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path.name} does not say what it is for"
        names = array_names(path)
        for name, function in public_functions(path):
            counted += 1
            where = f"{path.relative_to(ROOT)}:{function.lineno} {name}"
            words = ast.get_docstring(function)
            if not words:
                missing.append(f"{where} has no docstring")
            elif takes_or_gives_arrays(function, names) and not SHAPE.search(words):
                missing.append(f"{where} takes or gives arrays; its docstring names no shape such as [B, T]")
    assert counted > 20
    assert not missing, "\n".join(missing)


def test_dependencies_are_bounded_and_justified() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    named = [line for line in lines if re.match(r'\s+"[A-Za-z0-9_-]+[<>=~]', line)]
    assert len(named) > 10
    for line in named:
        assert "<" in line or "==" in line, f"no upper bound: {line.strip()}"
        assert "#" in line, f"no reason: {line.strip()}"
