"""A thousand hostile files, events and requests: each is taken or refused in a line, none breaks anything.

`python -m tests.fire.hostile [--count N] [--seed S] [--only KIND]`
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Any

from editor.project.disk import library
from tests.fire import payloads, zips
from tests.fire.bounds import LONGEST_LINE, Case, Fire
from tests.fire.damage import damaged, misnumbered, scores, sheet, sounds
from tests.fire.hostile_http import over_http
from tests.fire.inside import PLACE, Inside, Tab, furnished
from tests.fire.payloads import as_sent, short

NAMES = (  # what a file may be called, beside what it is
    "a.wav",
    "A.WAV",
    "..wav",
    "../../a.wav",
    "C:\\a\\b.wav",
    "x" * 900 + ".wav",
    "a\nb\x1b[31m.wav",
    "\u202egnp.wav",
    "<b>.wav",
    "=cmd|' /C calc'!A0.csv",
    "a.wav\x00.zip",
    "",
    ".",
    "noending",
    "🎻.flac",
    "a.mid",
    "a.zip",
    "a.mxl",
    "\ud800.wav",
)
EXPORTS = ("wav", "flac", "mp3", "stems", "midi", "dawproject", "project", "request", "blind", "ratings")
HTTP_SHARE = 0.05  # of the count, to a real server
FRESH = 25  # events that come to one project before the next begins anew
_SHARES = {
    "sounds": 0.22,
    "scores": 0.2,
    "projects": 0.2,
    "events": 0.22,
    "requests": 0.06,
    "questions": 0.05,
}


def _shuffled(all: Iterable[Any], dice: random.Random) -> list[Any]:
    return dice.sample(found := list(all), len(found))


def _made(content: zips.Made) -> bytes:
    return content if isinstance(content, bytes) else content()


def sound_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """Recordings: right ones under wrong names, then damaged ones."""
    right = list(sounds().items())
    for name in NAMES:
        yield Case(f"sound called {name!r}", lambda name=name: tab.upload(right[0][1], name))
    for name, content in right[1:]:
        wrong = dice.choice((".flac", ".wav", ".mid", ".zip", ".xml"))
        yield Case(f"{name} as {wrong}", lambda c=content, w=wrong: tab.upload(c, f"a{w}"))
    while True:
        name, content = dice.choice(right)
        seed = dice.getrandbits(32)
        content = damaged(content, random.Random(seed))
        more = {"at": 0.2} if dice.random() < 0.2 else {}
        yield Case(f"{name} damaged by {seed}", lambda n=name, c=content, m=more: tab.upload(c, n, **m))


def score_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """MIDI and MusicXML."""
    for name, content in _shuffled(zips.scores().items(), dice):
        yield Case(f"score {name}", lambda n=name, c=content: tab.upload(_made(c), n))
    right = list(scores().items())
    while True:
        seed = dice.getrandbits(32)
        if dice.random() < 0.3:
            name, content = "tune.musicxml", misnumbered(sheet(), random.Random(seed)).encode()
        else:
            name, content = dice.choice(right)
            content = damaged(content, random.Random(seed))
        lane = dice.choice(("", "", "melody", "drums", "other"))
        yield Case(f"{name} damaged by {seed}", lambda n=name, c=content, a=lane: tab.upload(c, n, lane=a))


def project_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """Zips: what is taken is looked at from all sides."""
    folder = furnished(tab)
    with tempfile.TemporaryDirectory(dir=PLACE) as place:
        library.pack(folder, Path(place) / "good.zip")
        good = (Path(place) / "good.zip").read_bytes()

    def opened(content: bytes) -> str:
        before = tab.session.folder
        line = tab.upload(content, "theirs.zip")
        now = tab.session.folder
        if now is None or now == before:
            return line or "it says nothing"
        used(tab)
        tab.send("edits.project", {"action": "new", "rev": 1})
        shutil.rmtree(now)
        return ""

    for name, content in _shuffled(zips.projects(good).items(), dice):
        yield Case(f"zip: {name}", lambda c=content: opened(_made(c)))
    while True:
        name, content = zips.changed(good, dice)
        yield Case(f"zip {name}", lambda c=content: opened(c))


def used(tab: Tab) -> None:
    """Look at a project that came from outside: exports, picture, list, an edit, undo."""
    name = tab.session.folder.name if tab.session.folder else ""
    takes = [take.id for take in tab.session.project.takes][:2]
    asked: list[tuple[str, dict[str, Any]]] = [("export_file", {"kind": kind}) for kind in EXPORTS]
    asked += [("export_file", {"kind": kind, "take": id}) for kind in ("take", "request") for id in takes]
    asked += [("picture_of_project", {}), ("recent_projects", {})]
    asked += [("ghost_of_take", {"take": id}) for id in takes[:1]]
    for question, fields in asked:
        _clean(tab.inside.ask(question, {"project": name, **fields}))
    events: list[tuple[str, dict[str, Any]]] = [("set_seed", {"seed": 5}), ("undo", {})]
    events += [("keep", {"id": id}) for id in takes]
    for rev, (edit, payload) in enumerate(events):
        _clean({"error": tab.send("edits.edit", {"rev": rev, "name": edit, "payload": payload})})
    for id in takes[:1]:
        tab.send("runs.again", {"again": id})


def _clean(answer: Any) -> str:
    """The error in an answer, of which it has one line."""
    line = str(answer.get("error") or "") if isinstance(answer, dict) else ""
    if line and not (line.isprintable() and len(line) <= LONGEST_LINE and str(PLACE) not in line):
        raise AssertionError(f"told {line[:200]!r}")
    return line


def event_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """What a page may send, right but for one or two values."""
    edits = [("edits.edit", {"rev": 1, "name": name, "payload": right}) for name, right in payloads.EDITS]
    folder, count = furnished(tab), 0

    def sent(listener: str, data: Any) -> str:
        nonlocal count, folder
        count += 1
        if count % FRESH == 0 or tab.session.project.clip is None:
            tab.send("edits.project", {"action": "new", "rev": 1})
            folder = furnished(tab)
        if listener == "edits.late":
            tab.inside.page.edits.late(data)
            return ""
        return tab.send(listener, data)

    for listener, data in _shuffled([*edits, *payloads.EVENTS], dice):  # right ones first
        yield Case(f"{listener} {short(data)}", lambda one=listener, d=data: sent(one, d))
    for value in _shuffled(payloads.VALUES, dice):
        yield Case(f"edits.edit {short(value)}", lambda v=value: sent("edits.edit", v))
    while True:
        listener, right = dice.choice(edits) if dice.random() < 0.75 else dice.choice(payloads.EVENTS)
        data = payloads.broken(right, dice)
        if dice.random() < 0.1 and listener == "edits.edit":
            listener, data = "edits.late", {"page": "page-0123456789abcdef", "edits": [data]}
        data = as_sent(data)
        yield Case(f"{listener} {short(data)}", lambda one=listener, d=data: sent(one, d))


def request_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """Requests to the public endpoints, run with tiny networks where they may run."""
    path = PLACE / "source.wav"
    path.write_bytes(sounds()["WAV PCM_16.wav"])
    right = [payloads.REQUEST, {"request": payloads.REQUEST}]
    right += [{**payloads.REQUEST, "kind": "generate", "seconds": 1.0}, {**payloads.REQUEST, "engine": "ar"}]
    for request in right:
        yield Case(f"request {short(request)}", lambda r=request: asked(tab, r, path))
    for value in _shuffled(payloads.VALUES, dice):
        yield Case(f"request {short(value)}", lambda v=value: asked(tab, v, path))
    while True:
        request = as_sent(payloads.broken(dice.choice(right), dice))
        sent = dice.choice((path, path, None))
        yield Case(f"request {short(request)}", lambda r=request, s=sent: asked(tab, r, s))


def asked(tab: Tab, request: Any, source: Path | None) -> str:
    """A request by a program; one that works for long is left alone."""
    import gradio as gr

    async def some() -> None:
        going = tab.inside.api.run(request, str(source) if source else None, tab.request)
        async with aclosing(going) as steps:  # type: ignore[type-var]  # a generator
            number = 0
            async for _ in steps:
                if (number := number + 1) > 40:
                    break

    try:
        asyncio.run(some())
    except gr.Error as error:
        return str(error.message)
    return ""


def question_cases(tab: Tab, dice: random.Random) -> Iterator[Case]:
    """What the page asks without an event."""
    name = furnished(tab).name
    for question, right in payloads.QUESTIONS:
        data = {"project": name, **right}
        yield Case(f"{question} {short(data)}", lambda q=question, d=data: _clean(tab.inside.ask(q, d)))
    while True:
        question, right = dice.choice(payloads.QUESTIONS)
        data = as_sent(payloads.broken({"project": name, **right}, dice))
        yield Case(f"{question} {short(data)}", lambda q=question, d=data: _clean(tab.inside.ask(q, d)))


KINDS: dict[str, Callable[[Tab, random.Random], Iterator[Case]]] = {
    "sounds": sound_cases,
    "scores": score_cases,
    "projects": project_cases,
    "events": event_cases,
    "requests": request_cases,
    "questions": question_cases,
}


def fire(count: int, seed: int = 15, only: str = "") -> Fire:
    """So many cases of all kinds, the same ones for the same seed."""
    inside = Inside()
    with Fire([PLACE]) as fire:
        for kind, cases in KINDS.items():
            if only in ("", kind):
                wanted = count if only else round(count * _SHARES[kind])
                fire.all(islice(cases(inside.tab(), random.Random(f"{seed} {kind}")), wanted))
    return fire


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--only", default="", choices=["", *KINDS])
    asked_for = parser.parse_args(arguments)
    logging.getLogger().addHandler(logging.NullHandler())
    wanted = round(asked_for.count * HTTP_SHARE) if not asked_for.only else 0
    try:
        done = fire(asked_for.count, asked_for.seed, asked_for.only)
        wrong = over_http(wanted, asked_for.seed) if wanted else []
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)
    for line in [*done.broken, *wrong]:
        print(line)
    print(f"hostile: {done.told()}; {wanted} more over HTTP, {len(wrong)} broken")
    return 1 if done.broken or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
