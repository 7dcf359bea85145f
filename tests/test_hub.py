"""Getting models: against a hub of our own on the loopback, with all that goes wrong on the way."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines.checkpoints import hub as getting
from engines.checkpoints import placed, transfer
from engines.checkpoints.catalogue import CATALOGUE, entry_of
from engines.checkpoints.found import find_checkpoint
from engines.errors import Cancelled, InputError
from engines.progress import Progress
from tests.hub import FILES, SHA, TOKEN, WEIGHTS, Hub, Repo

SMALL = entry_of("musicgen-small")
GATED = entry_of("stable-audio-3-small-music")


def cached(tmp_path: Path) -> int:
    """Bytes of all files in the cache."""
    return sum(f.stat().st_size for f in (tmp_path / "hf").rglob("*") if f.is_file() and not f.is_symlink())


def test_a_model_comes_whole_and_only_what_it_needs(hub: Hub, tmp_path: Path) -> None:
    reports: list[Progress] = []
    wanted = getting.ask(SMALL)
    assert (wanted.total, wanted.kept) == (len(WEIGHTS) + 2 + 8, 0)
    assert hub.sent == 0  # asking fetches nothing
    folder = getting.get(SMALL, reports.append)
    assert folder == tmp_path / "shelf" / "musicgen-small"
    there = {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "origin.json"}
    assert there == {name: FILES[name] for name in ("config.json", "model.safetensors", "tokenizer.json")}
    origin = json.loads((folder / "origin.json").read_text())
    assert (origin["repository"], origin["revision"], origin["licence"]) == (
        "facebook/musicgen-small",
        SHA,
        "CC BY-NC 4.0",
    )
    done = [report.step for report in reports]
    assert done == sorted(done)
    assert (done[0], done[-1], {report.total for report in reports}) == (0, wanted.total, {wanted.total})
    assert reports[-1].remaining == 0
    assert hub.sent == len(WEIGHTS)
    getting.get(SMALL)  # once more: nothing is fetched again
    assert hub.sent == len(WEIGHTS)


def test_what_was_cut_is_taken_up_where_it_ended(hub: Hub) -> None:
    hub.cut_after = [200_000]
    with pytest.raises(InputError, match=r"cut at 6\d %: no network to .*197 kB are kept; get it again"):
        getting.get(SMALL)
    assert placed.placed() == ()  # half a model is none
    before = hub.sent
    assert getting.ask(SMALL).kept > 190_000
    getting.get(SMALL)
    assert hub.sent - before < 110_000
    begins = [int(asked[2].split("=")[1][:-1]) for asked in hub.asked if asked[2] and "/store/" in asked[1]]
    assert begins == [before]
    assert placed.placed()[0].faults() == ()


def test_a_short_break_is_bridged_without_a_word(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PAUSES", (0.0,))
    hub.cut_after = [100_000, 100_000]
    getting.get(SMALL)
    assert hub.sent == len(WEIGHTS)


def test_a_gated_model_says_where_to_accept_and_how_to_log_in(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"{hub.url}/stabilityai/stable-audio-3-small-music"
    with pytest.raises(
        InputError, match=rf"accept the terms on {page}, then run hf auth login \(or set HF_TOKEN"
    ):
        getting.get(GATED)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="its token is not valid .*; run hf auth login .* again"):
        getting.get(GATED)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.repos[GATED.repository].consent = False
    with pytest.raises(InputError, match=f"the login was refused: accept the terms on {page} first"):
        getting.get(GATED)
    hub.repos[GATED.repository].consent = True
    assert getting.get(GATED).is_dir()


def test_the_token_goes_to_the_hub_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    getting.get(GATED)
    assert {token for path, token in hub.tokens if path.startswith("/store/")} == {""}
    assert {token for path, token in hub.tokens if "/resolve/" in path} == {f"Bearer {TOKEN}"}


def test_what_the_hub_does_not_have_is_said(hub: Hub) -> None:
    hub.repos[SMALL.repository].files.pop("model.safetensors")
    hub.repos[SMALL.repository].files.pop("pytorch_model.bin")
    with pytest.raises(InputError, match="has none of the files that are expected in it; update Inlay"):
        getting.ask(SMALL)
    del hub.repos[SMALL.repository]
    with pytest.raises(InputError, match="is not there, or not for everyone"):  # the hub hides it so
        getting.ask(SMALL)


def test_a_file_that_went_away_between_asking_and_getting(hub: Hub) -> None:
    wanted = getting.ask(SMALL)
    del hub.repos[SMALL.repository].files["tokenizer.json"]
    with pytest.raises(
        InputError, match=r"has no facebook/musicgen-small, or no longer this file of it; update"
    ):
        getting.get(SMALL, wanted=wanted)


def test_a_disk_that_is_too_small_is_said_before_anything_comes(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(
        InputError,
        match=rf"200 kB short on {tmp_path}/hf/hub \(300 kB to get, 100 kB free\); remove a model .*HF_HOME",
    ):
        getting.get(SMALL)
    assert hub.sent == 0


def test_a_disk_that_fills_up_on_the_way_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(28, "No space left on device")

    def refuse(report: Progress) -> None:
        if report.step > 100_000:
            raise full

    with pytest.raises(InputError, match=r"the disk of .* is full; \d+ kB are kept; make room"):
        getting.get(SMALL, refuse)


def test_a_damaged_file_is_got_again_and_twice_is_told(hub: Hub) -> None:
    hub.spoiled = 1
    getting.get(SMALL)
    assert hub.sent == 2 * len(WEIGHTS)
    placed.remove("musicgen-small")
    hub.spoiled = 2
    with pytest.raises(InputError, match=r"model\.safetensors came damaged twice .* try again later"):
        getting.get(SMALL)
    assert getting.ask(SMALL).kept < 20  # nothing of it stays


def test_a_file_that_was_damaged_on_the_disk_is_got_again_alone(hub: Hub) -> None:
    folder = getting.get(SMALL)
    blob = (folder / "model.safetensors").resolve()
    blob.write_bytes(WEIGHTS[:1000])
    assert placed.placed()[0].faults() == ("model.safetensors",)
    before = len([asked for asked in hub.asked if asked[0] == "GET" and "/resolve/" in asked[1]])
    getting.get(SMALL)
    gets = [asked for asked in hub.asked if asked[0] == "GET" and "/resolve/" in asked[1]][before:]
    assert [path.rpartition("/")[2] for _, path, _ in gets] == ["model.safetensors"]
    assert placed.placed()[0].faults() == ()


def test_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(InputError, match=rf"no network to {url}; nothing was got yet; get it again when"):
            getting.get(SMALL)


@pytest.mark.parametrize("by", ["hook", "event"])
def test_a_cancelled_download_keeps_what_came(hub: Hub, by: str) -> None:
    stop = threading.Event()

    def enough(report: Progress) -> None:
        if report.step > 100_000:
            if by == "hook":
                raise Cancelled
            stop.set()

    with pytest.raises(Cancelled):
        getting.get(SMALL, enough, stop)
    wanted = getting.ask(SMALL)
    there = wanted.kept
    assert 100_000 < there < 250_000
    assert placed.kept(SMALL) == there
    assert placed.remove(SMALL.name) == there
    assert getting.ask(SMALL).kept < 20


def test_two_at_once_fetch_it_once(hub: Hub) -> None:
    hub.hold = threading.Event()
    got: list[Path] = []
    threads = [threading.Thread(target=lambda: got.append(getting.get(SMALL))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert hub.first.wait(30)
    hub.hold.set()
    for thread in threads:
        thread.join(30)
    assert got == [placed.placed()[0].folder] * 2
    assert hub.sent == len(WEIGHTS)
    assert placed.placed()[0].faults() == ()


def test_removing_frees_shelf_and_cache(hub: Hub, tmp_path: Path) -> None:
    getting.get(SMALL)
    assert cached(tmp_path) >= len(WEIGHTS)
    assert placed.remove("musicgen-small") == len(WEIGHTS) + 2 + 8
    assert cached(tmp_path) < 500  # what the library notes for itself
    assert placed.placed() == ()
    with pytest.raises(InputError, match="not on the shelf, so nothing to remove"):
        placed.remove("musicgen-small")


def test_what_two_models_share_stays_until_both_are_gone(hub: Hub) -> None:
    base, sft = entry_of("acestep-v15-base"), entry_of("acestep-v15-sft")
    for kind, entry in ((b"base", base), (b"sft", sft)):
        hub.repos[entry.repository] = Repo({"model.safetensors": kind * 9, "config.json": b"{}"})
    hub.repos["ACE-Step/Ace-Step1.5"] = Repo(
        {
            "vae/diffusion_pytorch_model.safetensors": b"v" * 1000,
            "Qwen3-Embedding-0.6B/model.safetensors": b"q" * 2000,
            "acestep-v15-turbo/model.safetensors": b"t" * 5000,
        }
    )
    for entry in (base, sft):
        folder = getting.get(entry)
        assert (folder / entry.name / "model.safetensors").is_file()
        assert (folder / "vae" / "diffusion_pytorch_model.safetensors").read_bytes() == b"v" * 1000
        assert not (folder / "acestep-v15-turbo").exists()
    assert placed.remove(base.name) == 36 + 2
    assert placed.placed()[0].faults() == ()
    assert placed.remove(sft.name) == 3000 + 27 + 2


def test_a_folder_of_the_users_is_linked_and_left_alone(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INLAY_MODELS", str(tmp_path / "shelf"))
    added = placed.add(tiny_bundle, "mine")
    assert (added.name, added.source, added.repository) == ("mine", str(tiny_bundle), "")
    assert find_checkpoint("mine", "cpu").spec.name == "tiny"
    with pytest.raises(InputError, match="'mine': taken already; choose another"):
        placed.add(tiny_bundle, "mine")
    with pytest.raises(InputError, match="that of a public model"):
        placed.add(tiny_bundle, "musicgen-small")
    with pytest.raises(InputError, match="expected letters, digits"):
        placed.add(tiny_bundle, "../mine")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="no checkpoint lies there that Inlay knows"):
        placed.add(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such folder or file"):
        placed.add(tmp_path / "nowhere")
    assert placed.remove("mine") == 0
    assert (tiny_bundle / "fm.safetensors").is_file()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"pip install 'inlay\[models\]'"):
        getting.ask(SMALL)


def test_every_row_can_be_read_by_a_musician() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE) == 19
    for entry in CATALOGUE:
        assert (
            entry.title and entry.maker and entry.licence.words and entry.licence.link.startswith("https://")
        )
        assert entry.slots and entry.can and entry.bytes > 1e9
        assert entry.licence.commercial == (not entry.licence.forbids)
    with pytest.raises(InputError, match="nearest: musicgen-small"):
        entry_of("musicgen-smal")
