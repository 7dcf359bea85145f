"""Blind rounds: votes, means with 95 % intervals, and CSV in the paper's form."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from editor.page.contract import Payload
from editor.page.takes.groups import blind_results
from editor.project import blind, versions
from editor.project.disk import exports, storage
from editor.project.document import Project, Rating, Region, Round, Sound, Take
from editor.project.history import History
from editor.session import Session
from engines.errors import InputError

SPAN = Region(1, 2)


def take(id: str, engine: str, spent: float = 1.0, region: Region = SPAN, seed: int = 7) -> Take:
    return Take(
        id, "inpaint", engine, seed, "", "a.flac", 4.0, region, Sound("b.flac"), {}, {"sample": spent}
    )


TAKES = (take("a", "ar", 15), take("f", "fm", 2), take("z", "fm-zero-shot", 14), take("g", "fm", 4))


def rounds(*scores: dict[str, tuple[int, int]]) -> tuple[Round, ...]:
    engines = {"gt": "gt", **{one.id: one.engine for one in TAKES}}
    return tuple(
        Round(
            f"r{i}",
            SPAN,
            tuple(Rating("" if id == "gt" else id, engines[id], *given) for id, given in score.items()),
            True,
            "2026-01-01T00:00:00+00:00",
        )
        for i, score in enumerate(scores, start=1)
    )


def test_the_interval_is_students() -> None:
    figure = blind.interval([6, 8, 7, 9, 5])  # s = 1.5811, t(0.975, 4) = 2.7764
    assert figure.mean == 7 and figure.count == 5
    assert figure.half == pytest.approx(1.9632, abs=1e-4)
    assert blind.interval([3]).half is None
    assert blind.interval([4, 4, 4]).half == 0
    two = blind.interval([1, 10])  # t(0.975, 1) = 12.7062, s = 6.3640
    assert two.half == pytest.approx(12.7062 * 6.36396 / 2**0.5, rel=1e-4)


def test_results_of_all_rounds_in_the_papers_order() -> None:
    project = Project(
        takes=TAKES,
        rounds=rounds(
            {"f": (8, 9), "z": (5, 6), "a": (7, 6)},
            {"a": (9, 9), "g": (6, 7), "gt": (10, 10)},
            {"a": (5, 5), "f": (5, 5)},  # nobody is preferred
        ),
    )
    gt, ar, fm, zs = blind.results(project)
    assert [method.engine for method in (gt, ar, fm, zs)] == ["gt", "ar", "fm", "fm-zero-shot"]
    assert (ar.figures["smoothness"].mean, ar.figures["match"].mean) == (7, pytest.approx(20 / 3))
    assert (fm.figures["smoothness"].count, fm.rounds, fm.preferred) == (3, 3, 1)
    assert (gt.preferred, ar.preferred, zs.preferred) == (1, 0, 0)
    assert (gt.seconds, ar.seconds, fm.seconds) == (None, 15, 2)  # median of 2, 4, 2
    assert blind.results(Project(takes=TAKES)) == ()


def test_the_table_has_the_papers_form() -> None:
    project = Project(takes=TAKES, rounds=rounds({"f": (8, 9), "a": (7, 6)}, {"f": (9, 9), "a": (6, 6)}))
    rows = list(csv.reader(io.StringIO(blind.table_csv(project))))
    assert rows == [
        ["Criterion", "GT", "AR", "FM", "FM (ZS)"],
        ["Transition smoothness", "", "6.50±6.35", "8.50±6.35", ""],
        ["Audio match", "", "6.00±0.00", "9.00±0.00", ""],
        ["Judgments per cell", "0", "2", "2", "0"],
    ]


def test_every_judgment_is_a_row() -> None:
    project = Project(takes=TAKES, rounds=rounds({"f": (8, 9), "gt": (10, 10)}, {"z": (1, 2), "a": (7, 6)}))
    rows = list(csv.DictReader(io.StringIO(blind.ratings_csv(project))))
    assert [(row["round"], row["order"], row["method"], row["seed"]) for row in rows] == [
        ("1", "A", "FM", "7"), ("1", "B", "GT", ""), ("2", "A", "FM (ZS)", "7"), ("2", "B", "AR", "7"),
    ]  # fmt: skip
    assert (rows[0]["transition_smoothness"], rows[0]["audio_match"]) == ("8", "9")
    assert (rows[0]["start_s"], rows[0]["end_s"]) == ("1.000", "2.000")


def test_a_vote_is_checked() -> None:
    project = Project(takes=(*TAKES, take("other", "ar", region=Region(2, 3))))
    made = versions.vote(project, [("f", 8, 9), ("original", 10, 10), ("a", 1, 2)], True, "now")
    assert [(rating.take, rating.engine) for rating in made.ratings] == [("f", "fm"), ("", "gt"), ("a", "ar")]
    assert made.region == SPAN and made.matched
    for wrong, words in (
        ([("f", 8, 9)], "expected 2-5"),
        ([("f", 8, 9), ("f", 8, 9)], "rated twice"),
        ([("f", 0, 9), ("a", 8, 9)], "smoothness 0: expected 1-10"),
        ([("f", 8, 11), ("a", 8, 9)], "match 11: expected 1-10"),
        ([("f", 8, 9), ("nobody", 8, 9)], "no such take"),
        ([("f", 8, 9), ("other", 8, 9)], "takes of one span"),
    ):
        with pytest.raises(InputError, match=words):
            versions.vote(project, wrong, True, "now")


def test_votes_are_saved_and_no_undo_takes_them_back(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.apply("set_prompt", {"prompt": "before"})
    session.saved.history = History(replace(session.project, takes=TAKES), session.history.past)
    sent = {
        "ratings": [{"take": "f", "smoothness": 8, "match": 9}, {"take": "a", "smoothness": 3, "match": 4}]
    }
    session.vote(Payload("vote", {**sent, "matched": False}))
    assert session.history.undo_label == "prompt"  # a vote is no edit
    session.undo()
    assert len(session.project.rounds) == 1
    session.redo()
    assert session.folder
    saved = storage.open_project(session.folder)
    assert saved.project.rounds == session.project.rounds and not saved.project.rounds[0].matched
    shown = blind_results(session.project)
    assert [(result.engine, result.smoothness) for result in shown] == [("ar", [3]), ("fm", [8])]
    for wrong in (None, {}, {"ratings": 3}, {"ratings": [1, 2], "matched": True}, {**sent, "matched": "yes"}):
        with pytest.raises(InputError):
            session.vote(Payload("vote", wrong))


def test_ratings_leave_as_csv(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    project = Project(name="Song", takes=TAKES, rounds=rounds({"f": (8, 9), "a": (7, 6)}))
    path, name = exports.export(folder, project, "blind")
    assert name == "Song blind test.csv" and path.read_text("utf-8").startswith("Criterion,GT,AR,FM,FM (ZS)")
    path, name = exports.export(folder, project, "ratings")
    assert name == "Song ratings.csv" and path.read_text("utf-8").count("\n") == 3
    with pytest.raises(InputError, match="no ratings yet"):
        exports.export(folder, Project(), "blind")
