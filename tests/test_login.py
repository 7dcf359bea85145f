"""The hub's token: checked, kept where the library keeps it or in memory alone, told to nobody, removed."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from engines.checkpoints import hub as getting
from engines.checkpoints import login
from engines.checkpoints.catalogue import entry_of
from engines.errors import InputError
from tests.hub import TOKEN, WEIGHTS, Hub

GATED = entry_of("stable-audio-3-small-music")
WRONG = "hf_wrongful_but_long"


def written(folder: Path) -> str:
    """All that stands in files below a folder but weights."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.stat().st_size < 100_000)
    return "".join(file.read_text("utf-8", "replace") for file in files)


def test_a_kept_token_lies_where_the_library_keeps_it_and_can_be_removed(hub: Hub, tmp_path: Path) -> None:
    assert not login.login()
    login.log_in(f"  {TOKEN}\n", keep=True)
    there = login.login()
    assert (there.where, there.place) == ("file", tmp_path / "hf" / "token")
    assert there.place.read_text() == TOKEN
    assert stat.S_IMODE(there.place.stat().st_mode) == 0o600
    getting.get(GATED)
    assert hub.sent == len(WEIGHTS)
    login.log_out()
    assert not login.login()
    assert TOKEN not in written(tmp_path)


def test_one_for_this_process_alone_is_on_no_disk(hub: Hub, tmp_path: Path) -> None:
    login.log_in(TOKEN, keep=False)
    assert login.login().where == "process"
    getting.get(GATED)
    assert hub.sent == len(WEIGHTS)
    assert TOKEN not in written(tmp_path)
    login.log_out()
    assert not login.login()


@pytest.mark.parametrize("keep", [True, False])
def test_one_that_the_hub_does_not_know_changes_nothing_and_is_not_repeated(
    hub: Hub, keep: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    login.log_in(TOKEN, keep=True)
    with pytest.raises(InputError, match="does not know it") as refused:
        login.log_in(WRONG, keep)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__
    hub.away = True
    with pytest.raises(InputError, match="no network to http://127") as cut:
        login.log_in(WRONG, keep)
    assert WRONG not in f"{refused.value} {cut.value} {caplog.text} {written(tmp_path)}"
    assert TOKEN not in caplog.text
    assert login.login().where == "file"


@pytest.mark.parametrize("given", ["", "hf", "hf_with a gap", "hf_ünlike", "h" * 401, "hf_two\nlines"])
def test_what_cannot_be_one_is_not_sent(hub: Hub, given: str) -> None:
    with pytest.raises(InputError, match=r"it begins with hf_; copy it there again"):
        login.log_in(given, keep=True)
    assert hub.asked == []


def test_one_of_the_environment_is_removed_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert login.login().where == "environment"
    with pytest.raises(InputError, match="HF_TOKEN is set where this server was started"):
        login.log_out()
