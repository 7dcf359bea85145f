"""`inlay models`: what it prints, asks, fetches and returns."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from editor.cli import main as cli
from tests.hub import WEIGHTS, Hub

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parent.parent


class Typed(io.StringIO):
    """A keyboard."""

    def isatty(self) -> bool:
        return True


def run(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    capsys.readouterr()
    status = cli.main(["models", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_table_says_licence_size_and_state_and_asks_nobody(hub: Hub, capsys: Captured) -> None:
    status, printed, _ = run(capsys)
    assert status == 0
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert "Name the makers, share alike" in lines["bundle"] and lines["bundle"].endswith("in use")
    assert "Not for commercial use" in lines["musicgen-small"] and "2.4 GB" in lines["musicgen-small"]
    assert lines["acestep-v15-turbo"].split("  ")[1:] and lines["acestep-v15-turbo"].endswith("to get")
    assert max(map(len, printed.splitlines())) < 150
    told = json.loads(run(capsys, "--json")[1])["models"]
    assert [row["name"] for row in told if row["in_use"]] == ["bundle"]
    assert {row["state"] for row in told} == {"here", "to get"}
    assert hub.asked == []


@pytest.mark.parametrize(("typed", "comes"), [("not commercial\n", True), ("yes\n", False), ("", False)])
def test_a_licence_without_commerce_is_typed_out(
    hub: Hub, capsys: Captured, monkeypatch: pytest.MonkeyPatch, typed: str, comes: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    status, printed, errors = run(capsys, "get", "musicgen-small")
    assert "Not for commercial use: CC BY-NC 4.0, https://creativecommons.org" in errors
    assert "Type 'not commercial' to get it" in errors
    assert "300 kB from http://127.0.0.1" in errors
    assert (status, hub.sent) == ((0, len(WEIGHTS)) if comes else (2, 0))
    if comes:
        assert "inlay: downloading 100%" in errors
        assert printed.startswith("musicgen-small is here, 300 kB, in ")
    else:
        assert "not agreed to, so nothing was fetched" in errors


def test_a_free_one_wants_a_plain_yes(hub: Hub, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repos["stabilityai/stable-audio-3-small-music"].gated = False
    monkeypatch.setattr("sys.stdin", Typed("y\n"))
    status, _, errors = run(capsys, "get", "stable-audio-3-small-music")
    assert (status, "Get it? [y/N]" in errors) == (0, True)


def test_where_nobody_can_be_asked_it_takes_yes(
    hub: Hub, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not commercial\n"))
    status, _, errors = run(capsys, "get", "musicgen-small")
    assert (status, hub.sent, "add --yes" in errors) == (2, 0, True)
    status, printed, errors = run(capsys, "get", "musicgen-small", "--yes", "--json")
    assert (status, json.loads(printed)["name"], hub.sent) == (0, "musicgen-small", len(WEIGHTS))
    status, printed, _ = run(capsys, "get", "musicgen-small", "--yes")
    assert (status, hub.sent) == (0, len(WEIGHTS))
    assert "is here already" in printed


def test_what_was_cut_is_told_and_listed_with_what_is_kept(hub: Hub, capsys: Captured) -> None:
    hub.cut_after = [200_000]
    status, printed, errors = run(capsys, "get", "musicgen-small", "--yes")
    assert (status, printed) == (2, "")
    assert errors.splitlines()[-1].startswith("inlay: MusicGen small: cut at 66 %: no network to ")
    assert "to get, 197 kB kept" in run(capsys)[1]
    status, printed, _ = run(capsys, "remove", "musicgen-small")
    assert (status, printed) == (0, "musicgen-small is removed; 197 kB are free now\n")


def test_a_gated_one_is_one_line_with_the_way_in(hub: Hub, capsys: Captured) -> None:
    status, _, errors = run(capsys, "get", "stable-audio-3-small-music", "--yes")
    assert status == 2
    assert f"accept the terms on {hub.url}/stabilityai/stable-audio-3-small-music" in errors
    assert "hf auth login" in errors.splitlines()[-1]


def test_a_checkpoint_of_ones_own_is_added_shown_and_let_go(
    hub: Hub, tiny_bundle: Path, capsys: Captured
) -> None:
    status, printed, _ = run(capsys, "add", str(tiny_bundle), "--name", "mine")
    assert (status, printed) == (
        0,
        f"mine is there, {_size(tiny_bundle)}, linked to {tiny_bundle}; licence: CC0-1.0\n",
    )
    shown = run(capsys, "show", "mine")[1]
    assert "licence: Use it for anything, CC0-1.0" in shown
    assert f"linked to: {tiny_bundle}" in shown
    assert cli.main(["bundle", "--bundle", "mine", "--json"]) == 0
    capsys.readouterr()
    assert run(capsys, "remove", "mine")[1] == f"mine is off the list; its files stay in {tiny_bundle}\n"
    status, _, errors = run(capsys, "show", "mine")
    assert (status, "none of that name is known" in errors) == (2, True)
    assert run(capsys, "remove", "bundle")[0] == 2


def _size(folder: Path) -> str:
    from engines.checkpoints.hub import size_words

    return size_words(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


def test_a_process_of_its_own_gets_one_by_the_environment_alone(hub: Hub, tmp_path: Path) -> None:
    """As a user has it: HF_ENDPOINT, HF_HOME, HF_TOKEN and INLAY_MODELS are all that is set."""
    environment = os.environ | {"HF_TOKEN": "hf_rightful"}
    command = [sys.executable, "-m", "editor.cli", "models", "get", "stable-audio-3-small-music", "--yes"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "shelf" / "stable-audio-3-small-music" / "model.safetensors").read_bytes() == WEIGHTS
