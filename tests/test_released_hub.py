"""Released checkpoints got from a hub on the loopback, or added: converted on the way, opened, removed."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from editor.cli.main import main as cli
from editor.page.models.downloads import Downloads
from engines import fm
from engines.checkpoints import hub as getting
from engines.checkpoints import placed
from engines.checkpoints.catalogue import entry_of
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import open_bundle
from engines.checkpoints.stock import row_of
from engines.errors import Cancelled, InputError
from engines.families.released import conversion
from engines.families.released.tensors import Planned
from engines.progress import Progress
from engines.requests import FMSettings, GenerateRequest
from tests.checkpoints.ace_step import save_tiny_ace_step
from tests.checkpoints.released import release_ace_step, release_stable_audio
from tests.checkpoints.stable_audio import save_tiny_stable_audio
from tests.hub import TOKEN, Hub, Repo

pytestmark = pytest.mark.slow  # diffusers alone takes seconds to import

SA3, ACE = entry_of("stable-audio-3-small-music"), entry_of("acestep-v15-turbo")
GOOGLE = "google/t5gemma-b-b-ul2"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both tiny checkpoints as their makers release them."""
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("released")
    (home / "sa3").mkdir()
    return {
        "sa3": release_stable_audio(save_tiny_stable_audio(home / "sa3-saved"), home / "sa3"),
        "ace": release_ace_step(save_tiny_ace_step(home / "ace-saved"), home / "ace", ACE.name),
    }


@pytest.fixture
def full(hub: Hub, released: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub with both of them, the first behind a consent that was given."""
    for entry, name, gated in ((SA3, "sa3", True), (ACE, "ace", False)):
        folder = released[name]
        files = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
        hub.repos[entry.repository] = Repo(files, gated=gated)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub


def cached(tmp_path: Path) -> int:
    """Bytes of all files in the cache."""
    return sum(f.stat().st_size for f in (tmp_path / "hf").rglob("*") if f.is_file() and not f.is_symlink())


def test_a_gated_release_becomes_a_checkpoint_that_makes_music(
    full: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(["models", "get", SA3.name, "--yes"]) == 0
    told = capsys.readouterr()
    assert "inlay: converting 100%" in told.err and f"use it with --bundle {SA3.name}" in told.out
    found = find_checkpoint(SA3.name, "cpu")
    assert (found.family.name, found.spec.title) == ("stable-audio-3", "Stable Audio 3 small")
    settings = FMSettings("ping-pong", 2, schedule="log-snr")
    clip = fm.run(GenerateRequest("fm", "drums", 2.0, fm=settings), open_bundle(SA3.name, "cpu")).audio
    assert clip.samples.shape == (2 * 44_100, 2) and clip.samples.any()
    there = placed.placed_of(SA3.name)
    assert there is not None and there.faults() == ()
    origin = json.loads((there.folder / "origin.json").read_text())
    assert origin["repository"] == SA3.repository and origin["licence"] == "Stability Community"
    assert "transformer/diffusion_pytorch_model.safetensors" in origin["made"]
    linked = sum(piece.size for piece in there.pieces)
    assert cached(tmp_path) < linked + 2000  # the released weights are gone
    assert not any("google" in asked[1] for asked in full.asked)


def test_got_again_nothing_is_fetched_and_removed_nothing_is_left(full: Hub, tmp_path: Path) -> None:
    getting.get(ACE)
    sent = full.sent
    assert getting.get(ACE) == tmp_path / "shelf" / ACE.name
    assert full.sent == sent
    assert find_checkpoint(ACE.name, "cpu").spec.title == "ACE-Step 1.5 turbo"
    made = tmp_path / "shelf" / ACE.name / "transformer" / "diffusion_pytorch_model.safetensors"
    made.write_bytes(made.read_bytes()[:1000])
    there = placed.placed_of(ACE.name)
    assert there is not None
    assert there.faults() == ("transformer/diffusion_pytorch_model.safetensors",)
    getting.get(ACE)
    assert placed.placed()[0].faults() == ()
    assert placed.remove(ACE.name) > 1000
    assert placed.placed() == () and cached(tmp_path) < 2000


@pytest.mark.parametrize("by", ["hook", "event"])
def test_stopped_while_it_is_converted_it_goes_on_from_what_came(full: Hub, tmp_path: Path, by: str) -> None:
    stop = threading.Event()

    def enough(report: Progress) -> None:
        if report.stage == "convert" and report.step:
            if by == "hook":
                raise Cancelled
            stop.set()

    with pytest.raises(Cancelled):
        getting.get(SA3, enough, stop)
    assert list((tmp_path / "shelf").iterdir()) == []
    wanted = getting.ask(SA3)
    assert wanted.kept == wanted.total == placed.kept(SA3)
    sent = full.sent
    getting.get(SA3)
    assert full.sent == sent
    assert find_checkpoint(SA3.name, "cpu").spec.fm.solver == "ping-pong"


def test_stopped_while_it_is_converted_it_can_be_forgotten(full: Hub, tmp_path: Path) -> None:
    def enough(report: Progress) -> None:
        if report.stage == "convert":
            raise Cancelled

    with pytest.raises(Cancelled):
        getting.get(SA3, enough)
    assert placed.forget(SA3) > 100_000
    assert cached(tmp_path) < 2000


def test_a_text_encoder_that_is_not_beside_comes_from_google_with_its_own_terms(full: Hub) -> None:
    files = full.repos[SA3.repository].files
    words = {path.split("/")[1]: files.pop(path) for path in list(files) if path.startswith("t5gemma")}
    full.repos[GOOGLE] = Repo(words, gated=True, consent=False)
    with pytest.raises(InputError, match=rf"accept the terms on {full.url}/{GOOGLE} first"):
        getting.get(SA3)
    full.repos[GOOGLE].consent = True
    getting.get(SA3)
    assert find_checkpoint(SA3.name, "cpu").family.name == "stable-audio-3"


def test_a_disk_without_room_for_both_is_said_first(full: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = getting.ask(SA3)
    monkeypatch.setattr(getting, "_free", lambda folder: wanted.total + 10)
    with pytest.raises(InputError, match="to get, as much again to convert it"):
        getting.get(SA3)
    assert full.sent == 0


def test_a_released_folder_of_the_users_is_converted_and_stays_as_it_is(
    full: Hub, released: dict[str, Path]
) -> None:
    before = {f: f.stat().st_mtime_ns for f in released["ace"].rglob("*")}
    added = placed.add(released["ace"], "mine")
    assert (added.source, added.title, added.licence) == (str(released["ace"]), "ACE-Step 1.5 turbo", "MIT")
    assert find_checkpoint("mine", "cpu").family.name == "ace-step"
    assert placed.remove("mine") > 0
    assert {f: f.stat().st_mtime_ns for f in released["ace"].rglob("*")} == before


def test_a_released_folder_is_converted_behind_the_page_told_of_and_cancelled(
    full: Hub, released: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    downloads, begun, go, write = Downloads(), threading.Event(), threading.Event(), conversion.write

    def slow(file: Path, tensors: list[Planned], tell: Callable[[int], None]) -> None:
        def told(count: int) -> None:
            tell(count)
            begun.set()
            assert go.wait(60)

        write(file, tensors, told)

    def ended(name: str) -> None:
        thread = downloads._each[name].thread if name in downloads._each else None
        if thread is not None:
            thread.join(60)

    monkeypatch.setattr(conversion, "write", slow)
    downloads.add(released["ace"], "mine")
    assert begun.wait(60)
    told = downloads.told()["mine"]
    assert (told["state"], told["source"]) == ("converting", str(released["ace"]))
    assert 0 < told["done"] < told["total"]
    downloads.pause("mine")  # there is nothing to go on from
    assert downloads.told()["mine"]["state"] == "converting"
    downloads.cancel("mine", lambda: None)
    go.set()
    ended("mine")
    assert downloads.told() == {} and list((tmp_path / "shelf").iterdir()) == []
    with pytest.raises(InputError, match="that of a public model"):
        downloads.add(released["ace"], ACE.name)
    downloads.add(released["ace"], "mine")
    ended("mine")
    assert downloads.told() == {} and row_of("mine").state == "here"


def test_one_laid_there_by_hand_is_offered_to_be_converted(
    full: Hub, released: dict[str, Path], tmp_path: Path
) -> None:
    hand = tmp_path / "shelf" / "hand"
    shutil.copytree(released["ace"], hand)
    row = row_of("hand")
    assert (row.state, row.mend, row.why) == ("unusable", "convert", "It is in its makers' own format")
    added = placed.add(Path(row.folder), "hand-converted")
    assert row_of(added.name).state == "here" and row_of("hand").mend == "convert"
