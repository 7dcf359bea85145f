"""Undo and redo; takes outlive both."""

from __future__ import annotations

from dataclasses import replace

from editor.project import commands, versions
from editor.project.document import Project, Take
from editor.project.history import MAX_STEPS, History


def take(name: str) -> Take:
    return Take(name, "generate", "fm", 1, "", f"{name}.wav", 10.0, None, None)


def prompted(history: History, prompt: str, merge: str = "") -> History:
    return history.do(commands.set_prompt(history.present, prompt), "prompt", merge)


def test_undo_and_redo_walk_the_steps() -> None:
    history = prompted(prompted(History(), "one"), "two")
    assert (history.undo_label, history.redo_label) == ("prompt", "")
    back = history.undo()
    assert (back.present.prompt, back.can_redo, back.redo_label) == ("one", True, "prompt")
    assert back.undo().present == Project()
    assert back.redo().present.prompt == "two"
    assert back.undo().redo().redo().present.prompt == "two"


def test_the_ends_stay_where_they_are() -> None:
    assert History().undo() == History()
    assert History().redo() == History()
    assert not History().can_undo


def test_a_new_edit_closes_the_way_forward() -> None:
    history = prompted(prompted(History(), "one").undo(), "other")
    assert not history.can_redo
    assert history.undo().present == Project()


def test_an_edit_without_effect_is_no_step() -> None:
    history = prompted(History(), "one")
    assert prompted(history, "one") is history


def test_typing_is_one_step_until_something_else_happens() -> None:
    history = History()
    for text in ("j", "ja", "jazz"):
        history = prompted(history, text, merge="prompt")
    history = history.do(commands.set_seed(history.present, 5), "seed", "seed")
    history = prompted(history, "jazz!", merge="prompt")
    assert history.undo().present.prompt == "jazz"
    assert history.undo().undo().present.seed == 0
    assert history.undo().undo().undo().present == Project()


def test_typing_after_undo_does_not_join_the_step_before() -> None:
    history = prompted(
        prompted(History(), "a", "prompt").do(Project(seed=9, prompt="a"), "seed"), "b", "prompt"
    )
    again = prompted(history.undo().undo(), "c", "prompt")
    assert again.undo().present.prompt == "a"


def test_undo_keeps_takes_and_redo_too() -> None:
    history = prompted(History().with_takes(take("t1")), "one").with_takes(take("t2"))
    back = history.undo()
    assert back.present.prompt == ""
    assert [t.id for t in back.present.takes] == ["t1", "t2"]
    assert [t.id for t in back.redo().present.takes] == ["t1", "t2"]


def test_a_result_that_arrives_while_something_is_undone_stays() -> None:
    back = prompted(History(), "one").undo().with_takes(take("late"))
    assert back.can_redo
    forward = back.redo()
    assert forward.present.prompt == "one"
    assert [t.id for t in forward.present.takes] == ["late"]
    assert [t.id for t in forward.undo().present.takes] == ["late"]


def test_an_arriving_take_is_no_step_and_is_not_doubled() -> None:
    history = History().with_takes(take("t1")).with_takes(take("t1"), take("t2"))
    assert not history.can_undo
    assert [t.id for t in history.present.takes] == ["t1", "t2"]


def test_an_edit_computed_before_a_take_arrived_does_not_lose_it() -> None:
    edited = commands.set_prompt(History().present, "from the page")
    history = History().with_takes(take("t1")).do(edited, "prompt")
    assert [t.id for t in history.present.takes] == ["t1"]


def test_undoing_keep_restores_the_clip() -> None:
    history = History().with_takes(take("t1"))
    kept = history.do(versions.keep(history.present, "t1"), "keep take")
    assert kept.present.kept == "t1"
    back = kept.undo().present
    assert back == replace(Project(), takes=(take("t1"),), versions=kept.present.versions)
    assert [version.take for version in back.versions] == ["t1"]  # what was on the timeline is not forgotten


def test_the_length_is_bounded() -> None:
    history = History()
    for seed in range(1, MAX_STEPS + 50):
        history = history.do(commands.set_seed(history.present, seed), "seed")
    assert len(history.past) == MAX_STEPS
    while history.can_undo:
        history = history.undo()
    assert history.present.seed == 49
