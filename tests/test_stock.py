"""What lies on the shelf and cannot be used: why, and what would mend it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engines.checkpoints import placed, stock
from engines.checkpoints.stock import Row, row_of
from tests.hub import Hub


def fault(row: Row) -> tuple[str, str, str]:
    return row.state, row.mend, row.remedy


def test_a_folder_that_was_moved_says_where_it_was(hub: Hub, tiny_bundle: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_bundle, mine)
    placed.add(mine, "mine")
    assert fault(row_of("mine")) == ("here", "", "")
    mine.rename(tmp_path / "moved")
    row = row_of("mine")
    assert row.why == f"It is a link to {mine}, which is not there any more"
    assert fault(row) == ("damaged", "", "Put that folder back, or take this off the list")
    (tmp_path / "moved").rename(mine)
    assert row_of("mine").state == "here"


def test_a_file_that_is_gone_is_named_with_its_place(hub: Hub, tiny_bundle: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_bundle, mine)
    placed.add(mine, "mine")
    (mine / "fm.safetensors").unlink()
    row = row_of("mine")
    assert row.why.endswith("damaged or missing (fm.safetensors)")
    assert fault(row) == ("damaged", "", f"Put its files back into {mine}")


def test_a_foreign_folder_has_no_mending_but_another_folder(hub: Hub, tmp_path: Path) -> None:
    foreign = tmp_path / "shelf" / "foreign"
    foreign.mkdir(parents=True)
    (foreign / "notes.txt").write_text("nothing")
    row = row_of("foreign")
    assert row.why.startswith("Not usable: no checkpoint lies there that Inlay knows")
    assert fault(row) == ("unusable", "", "Remove it, and open the right folder")


def test_a_public_one_without_its_weights_can_be_got_again(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "shelf" / "musicgen-small"
    half.mkdir(parents=True)
    (half / "config.json").write_text('{"model_type": "musicgen"}')
    row = row_of("musicgen-small")
    assert row.why == "Not usable: no weights lie there, expected model.safetensors"
    assert fault(row) == ("unusable", "get", "Get it again")


def test_one_whose_libraries_are_missing_names_the_extra(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "shelf" / "musicgen-small"
    whole.mkdir(parents=True)
    (whole / "config.json").write_text('{"model_type": "musicgen"}')
    (whole / "model.safetensors").write_bytes(b"")
    assert fault(row_of("musicgen-small")) == ("here", "", "")
    monkeypatch.setattr(stock, "find_spec", lambda name: None)
    assert fault(row_of("musicgen-small")) == ("unusable", "extra", "Run pip install 'inlay[models]'")
    assert row_of("bundle").state == "here"  # which needs none of them
