"""Takes are listened to again in the background, and what is heard stands in every state of the history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editor.page.takes.groups import takes_state
from editor.project import versions
from editor.project.disk import sounds, storage
from editor.project.document import Project, Take
from editor.runs import agreement as judge
from editor.session import Session
from engines.audio.recording import Recording
from engines.errors import InputError

FLUTE: dict[str, object] = {
    "kind": "instrument", "name": "flute", "plays": True, "share": 0.9, "sure": 0.8, "seconds": 2.0,
    "words": "heard",
}  # fmt: skip
PLAYER: dict[str, object] = {"name": "flute", "start": 0.0, "end": 2.0, "sure": 0.8}


@pytest.fixture
def session(tmp_path: Path, song: Recording) -> Iterator[Session]:
    session = Session(tmp_path / "home")
    session.apply("set_prompt", {"prompt": "flute"})
    assert session.folder
    file = sounds.add_audio(session.folder, song)
    take = Take(
        "t1", "generate", "fm", 1, "flute", file, song.seconds, None, None, rate=song.rate, channels=2
    )
    storage.add_finished(session.folder, take)
    session.open(session.folder)
    yield session
    session.close()


def take_of(project: Project) -> Take:
    return versions.find_take(project, "t1")


def test_a_verdict_is_kept_and_no_undo_loses_it(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: Any) -> judge.Verdict:
        return judge.Verdict((FLUTE,), (PLAYER,), "")

    monkeypatch.setattr(judge, "verdict", found)
    session.apply("set_seed", {"seed": 4})
    session.apply("judge_again", {"take": "t1"})
    assert session.judging.judge.wait(10)
    assert session.judging.states == {}
    assert take_of(session.project).wish == (FLUTE,)
    (group,) = takes_state(session).groups
    (track,) = group.tracks
    assert (track.wish[0].words, track.wishState, track.band[0].name) == ("heard", "", "flute")
    session.undo()
    assert take_of(session.project).wish == (FLUTE,)
    assert session.folder
    session.close()
    again = Session(session.saved.root)
    again.open(session.folder)
    assert take_of(again.project).band == (PLAYER,)
    again.close()


def test_what_cannot_be_judged_says_so(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> judge.Verdict:
        raise InputError("audio: gone")

    monkeypatch.setattr(judge, "verdict", broken)
    session.apply("judge_again", {"take": "t1"})
    assert session.judging.judge.wait(10)
    assert takes_state(session).groups[0].tracks[0].wishState == "failed"
    monkeypatch.setattr(judge, "verdict", lambda *_: judge.Verdict((), (), "unknown"))
    session.apply("judge_again", {"take": "t1"})
    assert session.judging.judge.wait(10)
    assert takes_state(session).groups[0].tracks[0].wishState == "unknown"
    with pytest.raises(InputError, match="no such take"):
        session.apply("judge_again", {"take": "t9"})


def test_only_what_was_asked_for_is_judged(session: Session) -> None:
    take = take_of(session.project)
    assert not judge.wished(take)
    assert judge.wished(replace(take, parameters={"kind": "generate", "prompt": "flute", "controls": {}}))
    assert judge.wished(
        replace(take, parameters={"kind": "generate", "prompt": "", "controls": {"melody": [1]}})
    )
    assert judge.wished(replace(take, parameters={"kind": "inpaint", "changed": ["melody"]}))
    assert not judge.wished(replace(take, parameters={"kind": "inpaint", "changed": [], "prompt": "x"}))
