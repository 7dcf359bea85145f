"""Undo and redo on disk: a journal of edits beside the project, replayed when it is opened again.

One line of JSON a step, with what it changed and nothing else; appended and flushed before project.json is
saved, so whatever stops the process, either both know the step or the journal alone. Opening finds the
longest part of the journal that leads to the document on disk; a line that cannot be read is left out, and
that is said. What a full disk took only half of is cut off again. Takes, versions and votes stand outside
time (`history`), so a step holds of them only what the musician has changed: names, stars, deletions. It is
written anew once it is long. Loads no torch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from editor.project.disk.files import JOURNAL, write_atomic
from editor.project.disk.reading import lane_from_json, project_from_json
from editor.project.document import LANE_ITEMS, Lanes, Project, Take
from editor.project.history import History
from engines.errors import InputError

MAX_LINES = 1000  # before it is written anew; a history is at most MAX_STEPS of them
MAX_BYTES = 8 << 20
MAX_SEEN = 200  # ids of edits that are remembered
_MADE = ("takes", "versions", "rounds", "lanes")  # fields that a step does not hold whole


@dataclass(frozen=True)
class _State:
    """What undo is about, ready for JSON but for the lanes' objects."""

    fields: dict[str, Any]  # everything small
    takes: dict[str, list[Any]]  # id -> name, starred, deleted of takes that have any of them
    lanes: Lanes


class Journal:
    """The journal of one project's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._lines = 0
        self._most_bytes = MAX_BYTES
        self.seen: tuple[str, ...] = ()  # ids of the edits that came last, oldest first
        self.notice = ""  # what of the history could not be read, in one line

    def did(self, before: Project, after: Project, label: str, merge: str = "", id: str = "") -> None:
        """An edit, and the id that its page gave it. InputError when the disk refuses."""
        line = {"do": _changes(_state(before), _state(after)), "label": label, "merge": merge}
        self._append_seen(line, id)

    def undid(self, id: str = "") -> None:
        """One step back."""
        self._append_seen({"undo": 1}, id)

    def redid(self, id: str = "") -> None:
        """One step forward."""
        self._append_seen({"redo": 1}, id)

    def take_back(self) -> None:
        """Drop the last line: the document could not be saved after it."""
        with suppress(OSError):
            content = self._path.read_bytes()
            os.truncate(self._path, content.rstrip(b"\n").rfind(b"\n") + 1)  # a full disk allows that
            self._lines -= 1

    def is_long(self) -> bool:
        """Whether it should be written anew."""
        try:
            return self._lines > MAX_LINES or self._path.stat().st_size > self._most_bytes
        except OSError:
            return True

    def rewrite(self, history: History) -> None:
        """Write the whole history, its ways back and forward. InputError when the disk refuses."""
        states = [step.project for step in history.past] + [history.present]
        states += [step.project for step in history.future]
        steps = [*history.past, *history.future]
        lines: list[object] = [{"base": _changes(_state(Project()), _state(states[0])), "seen": self.seen}]
        known = [_state(state) for state in states]
        for step, before, after in zip(steps, known[:-1], known[1:], strict=True):
            merge = step.merge if history.past and step is history.past[-1] else ""  # others are closed
            lines.append({"do": _changes(before, after), "label": step.label, "merge": merge})
        lines += [{"undo": 1}] * len(history.future)
        text = "".join(f"{_json(line)}\n" for line in lines)
        try:
            write_atomic(self._path, text.encode())
        except OSError as error:
            raise _refused(self._path, error) from error
        self._lines = len(lines)
        self._most_bytes = max(MAX_BYTES, 2 * len(text))

    def read(self, project: Project, mend: bool = True, onward: bool = False) -> History:
        """The history of a project that was just opened; one without steps where none can be found.

        With `mend`, what is on disk afterwards is that history, and nothing else. With `onward` the project
        is an older one, and the steps that the journal holds after it are taken, too.
        """
        history, complete = self._replayed(project, onward)
        if mend and (not complete or self.is_long()):
            with suppress(InputError):  # a folder that cannot be written to can still be looked at
                self.rewrite(history)
        return history

    def _replayed(self, project: Project, onward: bool) -> tuple[History, bool]:
        """The history, and whether it is all that the journal holds."""
        self.notice = ""
        try:
            lines = [line for line in self._path.read_bytes().split(b"\n") if line]
        except OSError:
            return History(project), False
        wanted = _state(project)
        found: History | None = None
        at = damaged = 0
        replay = _Replay(project)
        for number, line in enumerate(lines, start=1):
            try:
                replay.step(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
                damaged += 1
                continue
            if replay.state == wanted or (onward and found is not None):
                found, at = replay.history, number
            self.seen = tuple(replay.seen[-MAX_SEEN:])
        self._lines = len(lines)
        if damaged:
            self.notice = f"undo history: {damaged} of {len(lines)} steps could not be read and were left out"
        if found is None:
            if len(lines) > 1:
                self.notice = "undo history: it does not lead to this state of the project and begins anew"
            return History(project), False
        if onward:
            return found, at >= len(lines) and not damaged
        return replace(found, present=project), at >= len(lines) and not damaged

    def _append_seen(self, line: dict[str, Any], id: str) -> None:
        self._append(line | ({"id": id} if id else {}))
        if id:
            self.seen = (*self.seen, id)[-MAX_SEEN:]

    def _append(self, line: object) -> None:
        """One line, whole or not at all: half of one would take the next with it."""
        size = None
        try:
            with self._path.open("a+b", buffering=0) as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                cut = size > 0 and file.read(1) != b"\n"  # a process was killed as it wrote
                content = b"\n" * cut + f"{_json(line)}\n".encode()
                while content:
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
        except OSError as error:
            if size is not None:
                with suppress(OSError):
                    os.truncate(self._path, size)
            raise _refused(self._path, error) from error
        self._lines += 1


class _Replay:
    """Goes through a journal line by line. Every state gets the takes, versions and votes there are."""

    def __init__(self, made: Project) -> None:
        self._made = made
        self.seen: list[str] = []
        self.state = _state(Project())
        self.history = History(self._project())

    def step(self, line: Mapping[str, Any]) -> None:
        """One line; KeyError, TypeError or ValueError when it is none of ours."""
        if "base" in line:
            self.state = _changed(_state(Project()), line["base"])
            self.history = History(self._project())
            self.seen = [str(id) for id in line.get("seen", ())]
        elif "do" in line:
            self.state = _changed(self.state, line["do"])
            self.history = self.history.do(self._project(), str(line["label"]), str(line["merge"]))
            self.seen += [str(line["id"])] if "id" in line else []
        elif "undo" in line or "redo" in line:
            self.history = self.history.undo() if "undo" in line else self.history.redo()
            self.state = _state(self.history.present)
            self.seen += [str(line["id"])] if "id" in line else []
        else:
            raise KeyError("neither an edit nor undo nor redo")

    def _project(self) -> Project:
        made: dict[str, Any] = {"takes": [], "versions": [], "rounds": []}
        lanes = dict.fromkeys(LANE_ITEMS, ())
        project = project_from_json({**self.state.fields, **made, "lanes": lanes})
        return replace(
            project,
            lanes=self.state.lanes,
            takes=tuple(_with_flags(take, self.state.takes.get(take.id)) for take in self._made.takes),
            versions=self._made.versions,
            rounds=self._made.rounds,
        )


def _with_flags(take: Take, flags: Sequence[Any] | None) -> Take:
    name, starred, deleted = flags or ("", False, False)
    if (take.name, take.starred, take.deleted) == (name, starred, deleted):
        return take
    return replace(take, name=str(name), starred=starred is True, deleted=deleted is True)


def _state(project: Project) -> _State:
    small = asdict(replace(project, lanes=Lanes(), takes=(), versions=(), rounds=()))
    fields = {name: value for name, value in small.items() if name not in _MADE}
    return _State(
        json.loads(_json(fields)),
        {
            take.id: [take.name, take.starred, take.deleted]
            for take in project.takes
            if take.name or take.starred or take.deleted
        },
        project.lanes,
    )


def _changes(before: _State, after: _State) -> dict[str, Any]:
    """What is different, as JSON: fields and take flags that changed, and of each lane the part that did."""
    told: dict[str, Any] = {
        name: value for name, value in after.fields.items() if before.fields.get(name) != value
    }
    if before.takes != after.takes:
        told["takes"] = after.takes
    for lane in LANE_ITEMS:
        old, new = getattr(before.lanes, lane), getattr(after.lanes, lane)
        if old is new or old == new:
            continue
        first = _common(old, new)
        last = _common(old[first:][::-1], new[first:][::-1])
        drawn = [asdict(item) for item in new[first : len(new) - last]]
        told[f"lanes.{lane}"] = [first, len(old) - last, drawn]
    return told


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items two sequences begin with alike."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _changed(state: _State, told: Mapping[str, Any]) -> _State:
    """The state with the changes of `_changes` made."""
    parts = {}
    for lane in LANE_ITEMS:
        if f"lanes.{lane}" not in told:
            continue
        first, last, items = told[f"lanes.{lane}"]
        now = getattr(state.lanes, lane)
        parts[lane] = (*now[:first], *lane_from_json(lane, items), *now[last:])
    fields = {name: value for name, value in told.items() if name in state.fields}
    return _State(
        {**state.fields, **fields},
        {str(id): list(flags) for id, flags in told["takes"].items()} if "takes" in told else state.takes,
        replace(state.lanes, **parts),
    )


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path.parent.name}: the project cannot be saved ({error.strerror}); "
        "free some space or check the folder, then save again"
    )
