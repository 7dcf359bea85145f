"""Where the program's files are found: in its checkout, in a wheel, or nowhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.assets import ASSETS, find_assets

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package that a wheel brings, on the path."""
    folder = tmp_path / "site" / "inlay_assets"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(folder.parent)
    yield folder
    sys.modules.pop(folder.name, None)


def test_a_checkout_has_its_own_even_where_a_wheel_is_installed(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "checkout" / "assets" / "bundle").mkdir(parents=True)
    assert find_assets(tmp_path / "checkout") == tmp_path / "checkout" / "assets"
    assert ROOT / "assets" == ASSETS


def test_a_wheel_brings_them_and_another_programs_assets_are_not_taken(packed: Path) -> None:
    (packed.parent / "assets").mkdir()
    assert find_assets(packed.parent) == packed


def test_where_there_are_none_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inlay_assets", None)
    assert find_assets(tmp_path) == tmp_path / "assets"


def test_a_checkout_needs_no_installation(tmp_path: Path) -> None:
    script = "from engines.assets import ASSETS; print(ASSETS)"
    told = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert Path(told.stdout.strip()) == ROOT / "assets"
