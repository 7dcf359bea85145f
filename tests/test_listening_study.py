"""The listening study: blind pairs, ratings appended, and listeners of known taste found out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from editor.cli.main import main
from editor.listening import room
from editor.listening.answers import Answers, Rating
from editor.listening.pairs import items, order
from editor.listening.results import results, table
from engines.errors import InputError

ITEMS, RATE = 4, 8000
SYSTEMS = {"AR": 0.05, "FM": 0.2, "original": 0.1}  # how loud each is


@pytest.fixture
def edits(tmp_path: Path) -> Path:
    """Four items by three systems, each as loud as its system, a second long, with spans."""
    folder = tmp_path / "edits"
    rng = np.random.default_rng(0)
    for name, level in SYSTEMS.items():
        (folder / name).mkdir(parents=True)
        for i in range(ITEMS):
            tone = np.sin(2 * np.pi * (300 + 100 * i) * np.arange(RATE) / RATE) + 0.1 * rng.normal(size=RATE)
            soundfile.write(folder / name / f"song {i}.wav", level * tone / 1.5, RATE)
    spans = "".join(f"song {i}.wav,0.25,0.75\n" for i in range(ITEMS))
    (folder / "spans.csv").write_text("item,start,end\n" + spans)
    return folder


@pytest.fixture
def page(edits: Path) -> TestClient:
    return TestClient(room.application(edits), base_url="http://127.0.0.1:7870")


def begun(page: TestClient) -> str:
    listener: str = page.post("/begin", json={"consent": True}).json()["listener"]
    return listener


def following(page: TestClient, listener: str) -> dict[str, object]:
    told: dict[str, object] = page.post("/next", json={"listener": listener}).json()
    return told


def test_pairs_come_in_an_order_and_on_sides_of_each_listeners_own(edits: Path) -> None:
    every = items(edits)
    assert [item.name for item in every] == [f"song {i}" for i in range(ITEMS)]
    assert every[0].span == (0.25, 0.75)
    first, again, other = (order(every, listener) for listener in ("a" * 16, "a" * 16, "b" * 16))
    assert first == again and first != other
    assert len({pair.key for pair in first}) == len(first) == ITEMS * 3  # each two systems once an item
    assert {pair.key for pair in first} == {pair.key for pair in other}
    left = [order(every, f"{i:016x}")[0].systems[0] for i in range(200)]
    assert all(40 < left.count(name) < 95 for name in SYSTEMS)  # a third each


def test_a_folder_without_pairs_says_what_it_should_hold(tmp_path: Path, edits: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match=r"AR/song\.wav"):
            items(folder)
    (edits / "spans.csv").write_text("item,start,end\nsong 0,0.8,0.2\n")
    with pytest.raises(InputError, match="the end must follow"):
        items(edits)


def test_nothing_is_begun_without_consent_and_nothing_tells_who_or_which(
    page: TestClient, edits: Path
) -> None:
    assert "no name" in page.get("/").text
    assert page.post("/begin", json={"consent": False}).status_code == 400
    assert not list((edits / "answers").iterdir())
    listener = begun(page)
    (file,) = (edits / "answers").iterdir()
    assert file.name == f"{listener}.csv"
    told = json.dumps(following(page, listener))
    assert not any(name in told for name in SYSTEMS) and "song" not in told and ".wav" not in told
    assert "set-cookie" not in page.get("/").headers


def test_answers_are_appended_and_a_listener_goes_on_where_they_were(page: TestClient, edits: Path) -> None:
    listener = begun(page)
    given = [{"smoothness": 3, "match": 9}, {"smoothness": 8, "match": 2}]
    for place in range(2):
        assert following(page, listener)["place"] == place
        sent = {"listener": listener, "place": place, "ratings": given}
        assert page.post("/rate", json=sent).status_code == 200
        assert page.post("/rate", json=sent).status_code == 400  # not twice
    again = TestClient(room.application(edits), base_url="http://127.0.0.1:7870")
    assert following(again, listener)["place"] == 2
    told = list(csv.DictReader((edits / "answers" / f"{listener}.csv").read_text().splitlines()))
    pair = order(items(edits), listener)[0]
    assert [row["system"] for row in told[:2]] == list(pair.systems)
    assert [(row["smoothness"], row["match"]) for row in told[:2]] == [("3", "9"), ("8", "2")]
    assert len(told) == 4


@pytest.mark.parametrize("wrong", [0, 11, 2.5, "7", None, True])
def test_what_is_no_rating_is_refused_and_nothing_is_written(
    page: TestClient, edits: Path, wrong: object
) -> None:
    listener = begun(page)
    given = [{"smoothness": 3, "match": 3}, {"smoothness": 3, "match": wrong}]
    answer = page.post("/rate", json={"listener": listener, "place": 0, "ratings": given})
    assert answer.status_code == 400 and "1 to 10" in answer.json()["error"]
    assert not Answers(edits / "answers").every()


def test_strangers_are_refused(page: TestClient, edits: Path) -> None:
    for name in ("../../secret", "f" * 16, ""):
        assert page.post("/next", json={"listener": name}).status_code == 400
    assert page.get("/sound/AR").status_code == 400
    assert page.post("/begin", json={"consent": True}, headers={"origin": "http://evil"}).status_code == 403
    assert page.get("/", headers={"host": "evil"}).status_code == 403
    assert page.post("/begin", content=b"x" * 9000).status_code == 400
    assert "Content-Security-Policy" in page.get("/").headers


def test_both_sides_of_a_pair_are_equally_loud(page: TestClient) -> None:
    listener = begun(page)
    sides = following(page, listener)["sides"]
    assert isinstance(sides, list)
    levels = []
    for side in sides:
        audio, _ = soundfile.read(io.BytesIO(page.get(f"/{side['sound']}").content))
        levels.append(float(np.sqrt(np.mean(audio**2))))
    assert levels[0] == pytest.approx(levels[1], rel=0.02)  # of systems that lie 6 or 12 dB apart


def simulated(edits: Path, listeners: int, taste: dict[str, float], spread: float = 1.0) -> list[Rating]:
    """Answers of listeners to whom each system is worth so much, give or take."""
    rng, kept, every = np.random.default_rng(1), Answers(edits / "answers"), items(edits)
    for _ in range(listeners):
        listener = kept.begin()
        mood = rng.normal(scale=spread)
        for place, pair in enumerate(order(every, listener)):
            worth = [np.clip(round(taste[s] + mood + rng.normal(scale=spread)), 1, 10) for s in pair.systems]
            kept.append([
                Rating(listener, place, pair.item.name, pair.systems[k], pair.systems[1 - k], "AB"[k],
                       int(worth[k]), 5)
                for k in range(2)
            ])  # fmt: skip
    return kept.every()


def test_a_known_taste_is_found_and_no_taste_is_not(edits: Path) -> None:
    found = results(simulated(edits, 12, {"AR": 4.0, "FM": 6.0, "original": 8.0}))
    assert (found.listeners, found.items, found.pairs) == (12, ITEMS, 12 * ITEMS * 3)
    told = {(d.first, d.second, d.scale): d for d in found.differences}
    smooth = told["AR", "FM", "smoothness"]
    assert smooth.mean.low < -2.0 < smooth.mean.high < -1.0 and smooth.preferred < 0.3
    assert found.means["smoothness"]["FM"].low < 6.0 < found.means["smoothness"]["FM"].high
    assert found.means["smoothness"]["FM"].judgments == 12 * ITEMS * 2
    assert smooth.p > 0.05  # four items alone: turning their signs says so of itself one time in eight
    same = told["AR", "FM", "match"]
    assert same.mean.value == 0 and same.p == 1.0 and same.preferred == 0.5


def test_p_falls_with_listeners_and_items_together(tmp_path: Path) -> None:
    def ratings(listeners: int, pieces: int, gap: int) -> list[Rating]:
        rng = np.random.default_rng(2)
        told = []
        for n in range(listeners):
            for i in range(pieces):
                noise = rng.integers(-2, 3, 2)
                for k, name in enumerate(("AR", "FM")):
                    value = int(np.clip(5 + gap * k + noise[k], 1, 10))
                    told.append(
                        Rating(f"{n:016x}", i, f"i{i}", name, "FM" if k == 0 else "AR", "AB"[k], value, value)
                    )
        return told

    clear, few, none = (
        results(ratings(*size)).differences[0] for size in ((10, 10, 2), (2, 10, 2), (10, 10, 0))
    )
    assert clear.p < 0.01 and few.p > 0.2 and none.p > 0.05
    assert clear.mean.high < 0 and none.mean.low < 0 < none.mean.high
    assert "Transition smoothness" in table(results(ratings(3, 3, 1))) and "±" in table(
        results(ratings(3, 3, 1))
    )


def test_the_command_line_gives_the_papers_table(edits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "results", "--folder", str(edits)]) == 2  # nothing was answered
    assert "inlay study serve" in capsys.readouterr().err
    simulated(edits, 3, {"AR": 4.0, "FM": 6.0, "original": 8.0})
    assert main(["study", "results", "--folder", str(edits), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["listeners"] == 3 and set(told["means"]["match"]) == set(SYSTEMS)
    rows = list(csv.reader((edits / "results" / "table.csv").read_text().splitlines()))
    assert rows[0] == ["Criterion", *SYSTEMS] and [row[0] for row in rows[1:]] == [
        "Transition smoothness",
        "Audio match",
    ]
