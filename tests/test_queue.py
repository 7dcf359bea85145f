"""The line before a device: users take turns, none waits for ever, and what is told of it comes true."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from editor.runs import runner as runs
from editor.runs.active import ActiveRun
from editor.runs.events import JobEvent, Queued, Running
from editor.runs.pace import Pace
from editor.runs.runner import Runner
from editor.runs.track import track_of, waiting_words
from editor.runs.traffic.line import Line
from engines.audio.recording import from_float
from engines.errors import InputError
from engines.progress import Progress, ProgressHook
from engines.requests import GenerateRequest, Request, Result, Support

RATE = 8000
PATIENCE = 30.0  # seconds until a hanging test fails
SILENCE = from_float(np.zeros(RATE, np.float32), RATE)


def ask(seed: int = 0, engine: str = "fm", seconds: float = 1.0) -> GenerateRequest:
    return GenerateRequest(engine, "", seconds, seed)  # type: ignore[arg-type]


@dataclass
class Clocked:
    """An engine on a clock of its own: a request takes as many seconds as `cost` says, in ten steps."""

    cost: dict[str, float] = field(default_factory=lambda: {"fm": 1.0, "ar": 1.0})
    now: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)  # seed -> when
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.half, self.go_on = threading.Event(), threading.Event()  # the first request waits half-way

    def serve(self, request: Request, models: Any, progress: ProgressHook) -> Result:
        begun = self.begun[request.seed] = self.now
        first = len(self.begun) == 1
        for step in range(10):
            if first and step == 5:
                self.half.set()
                assert self.go_on.wait(PATIENCE)
            self.now += self.cost[request.engine] / 10
            progress(Progress("sample", step + 1, 10, self.now - begun, None))
        return Result(request, SILENCE, {"sample": self.cost[request.engine]})

    def runner(self) -> Runner:
        return Runner(lambda: "models", self.serve, lambda request, models: Support(), self.pace)


class User:
    """Somebody who asks, in a thread of their own."""

    def __init__(self, runner: Runner, who: str, *jobs: GenerateRequest) -> None:
        self.events: list[JobEvent] = []
        self.cancel = threading.Event()
        self._told = threading.Condition()
        asked = (jobs, self._hear, self.cancel)
        self._thread = threading.Thread(target=runner.run, args=asked, kwargs={"who": who}, daemon=True)
        self._thread.start()

    def _hear(self, event: JobEvent) -> None:
        with self._told:
            self.events.append(event)
            self._told.notify_all()

    def queued(self, jobs: int) -> Queued:
        """What was said when so many jobs were ahead of the first."""

        def found() -> list[Queued]:
            return [e for e in self.events if isinstance(e, Queued) and (e.index, e.position) == (0, jobs)]

        with self._told:
            assert self._told.wait_for(found, PATIENCE), self.events
            return found()[-1]

    def end(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def test_who_asks_for_one_run_does_not_wait_for_another_users_twenty() -> None:
    clock = Clocked()
    runner = clock.runner()
    greedy = User(runner, "greedy", *(ask(seed) for seed in range(20)))
    assert clock.half.wait(PATIENCE)
    other = User(runner, "other", ask(100))
    assert other.queued(1).others == 1
    third = User(runner, "third", ask(200), ask(201))
    assert third.queued(2).others == 2
    clock.go_on.set()
    for user in (greedy, other, third):
        user.end()
    assert list(clock.begun) == [0, 100, 200, 1, 201, *range(2, 20)]


def test_of_fifty_users_none_waits_twice_as_long_as_the_mean() -> None:
    """Each asks for three runs, one after the other; three of them for ten at once. Runs take one second."""
    clock = Clocked()
    runner = clock.runner()
    asked: dict[int, float] = {}  # seed of each run that was asked alone -> when

    def modest(number: int) -> None:
        for turn in range(3):
            seed = 1000 * number + turn
            asked[seed] = clock.now
            runner.run([ask(seed)], lambda event: None, threading.Event(), who=f"user {number}")

    first = User(runner, "user 0", ask(0))
    assert clock.half.wait(PATIENCE)
    greedy = [User(runner, f"user {n}", *(ask(1000 * n + i) for i in range(10))) for n in (1, 2, 3)]
    threads = [threading.Thread(target=modest, args=(number,), daemon=True) for number in range(4, 50)]
    for thread in threads:
        thread.start()
    while runner._line.length() < 1 + 3 * 10 + 46:
        assert all(thread.is_alive() for thread in threads)
    clock.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    for user in (first, *greedy):
        user.end()
    waits = [clock.begun[seed] - at for seed, at in asked.items()]
    assert len(waits) == 46 * 3 and len(clock.begun) == 1 + 30 + 46 * 3
    assert max(waits) <= 2 * sum(waits) / len(waits)


def test_what_is_said_of_the_wait_comes_true_within_thirty_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines take a fifth longer than they did of late, and other lengths are asked for."""
    monkeypatch.setattr(runs, "EVENT_SECONDS", 0.0)
    monkeypatch.setattr(runs, "TOLD_SECONDS", 0.0)
    clock = Clocked({"fm": 2.4, "ar": 16.8})
    clock.pace.learn("fm", "generate", 10.0, 2.0)
    clock.pace.learn("ar", "generate", 10.0, 14.0)
    runner = clock.runner()
    users = [User(runner, "a", ask(0, "ar", 10.0), ask(1, "ar", 10.0))]
    assert clock.half.wait(PATIENCE)
    for number, engine in enumerate(("fm", "ar", "fm", "ar"), 1):
        users.append(User(runner, f"user {number}", ask(10 * number, engine, 10.0)))
        users[-1].queued(number)
    mine = User(runner, "mine", ask(99, "fm", 10.0))
    told, at = mine.queued(5), clock.now
    assert told.others == 5 and told.seconds is not None
    clock.go_on.set()
    for user in (*users, mine):
        user.end()
    assert told.seconds == pytest.approx(clock.begun[99] - at, rel=0.3)
    assert waiting_words(told.others, told.seconds) == "5 runs before yours, about 40 s"
    assert mine.events.index(next(e for e in mine.events if isinstance(e, Running))) > 0


def test_without_a_run_of_late_only_their_number_is_said() -> None:
    clock = Clocked()
    runner = clock.runner()
    first = User(runner, "a", ask(0))
    assert clock.half.wait(PATIENCE)
    second = User(runner, "b", ask(1))
    assert second.queued(1).seconds is None
    assert waiting_words(1, None) == "1 run before yours"
    clock.go_on.set()
    first.end()
    second.end()


def test_the_page_tells_others_runs_from_ones_own() -> None:
    run, pace = ActiveRun(), Pace()
    pace.learn("fm", "generate", 1.0, 14.0)
    run.jobs = (ask(0), ask(1))
    run.tracks = tuple(track_of(job, None, index) for index, job in enumerate(run.jobs))
    run.follow(Queued("fm", 4, 0, others=4, seconds=61.0), pace, 1.0)
    run.follow(Queued("fm", 1, 1), pace, 1.0)
    assert [track.note for track in run.tracks] == ["4 runs before yours, about 1 min", "Next, about 15 s"]


def test_one_user_may_ask_for_so_much_and_others_still_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MAX_EACH", 3)
    clock = Clocked()
    runner = clock.runner()
    greedy = User(runner, "greedy", *(ask(seed) for seed in range(3)))
    assert clock.half.wait(PATIENCE)
    with pytest.raises(InputError, match="3 takes of yours wait in line already, and 3 may: wait for some"):
        runner.check_room("greedy")
    runner.check_room("other")
    clock.go_on.set()
    greedy.end()
    runner.check_room("greedy")


def test_what_was_cancelled_in_line_costs_no_turns() -> None:
    line, known = Line(), defaultdict[str, list[Any]](list)
    for who in ("a", *["b"] * 10, "c", "c"):
        known[who].append(line.join(who, who, lambda: 1.0))
    for ticket in known["b"]:
        line.leave(ticket)
    again = line.join("b", "again", lambda: 1.0)
    assert [line.ahead(ticket).jobs for ticket in (*known["c"], again)] == [1, 3, 2]
    # Nor does asking again and again bring anybody before those who wait.
    line.leave(known["a"][0])
    late = line.join("a", "late", lambda: 1.0)
    assert [line.ahead(ticket).jobs for ticket in (*known["c"], again, late)] == [0, 2, 1, 3]
