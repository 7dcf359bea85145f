"""What the command line takes: commands and options, and one line for what cannot be read.

Times are seconds.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from editor.cli import commands, listening, models
from editor.runs.job import EXTENSIONS, GENERATORS
from engines.errors import InputError
from engines.knobs import Knob, knobs
from engines.requests import INTENTS, ARSettings, FMSettings, Guidance, InpaintRequest
from engines.roster import ENGINE_NAMES

# ---- values


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _stretch(text: str) -> tuple[float, float]:
    start, end = (_number(part) for part in text.split("-"))
    return start, end


def _guidance(text: str) -> Guidance:
    weights = [_number(part) for part in text.split(",")]
    if len(weights) > 2:
        raise ValueError(text)
    return Guidance(*weights)


def _meter(text: str) -> int:
    """The beats of a bar, of a meter such as 3/4; 6/8 has two beats of three eighths."""
    over, _, under = text.partition("/")
    count, unit = int(over), int(under or 4)
    if unit not in (2, 4, 8, 16) or not 1 <= count <= 16:
        raise ValueError(text)
    return count // 3 if unit == 8 and count % 3 == 0 else count


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(text)
    return port


_EXPECTED = {  # names what argparse would call an "invalid _number value"
    "_number": "a number",
    "_stretch": "two times, START-END in seconds",
    "_guidance": "ALL or ALL,TEXT, two numbers",
    "_meter": "a meter such as 3/4",
    "_port": "a port from 1 to 65535",
    "int": "a whole number",
}


# ---- commands


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, as all of Inlay's are."""

    def error(self, message: str) -> NoReturn:
        for name, expected in _EXPECTED.items():
            before, found, value = message.partition(f": invalid {name} value: ")
            if found:
                message = f"{before}: {value[:80]}: expected {expected}"
        message = re.sub(r"^argument (\S+): (?=.*: expected)", r"\1 ", message)
        raise InputError(f"{' '.join(message.split())[:300]}; see {self.prog} --help")


Commands = Any  # what argparse adds commands to; it has no public name


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line. What it parses has the function to call as `command`."""
    parser = _Parser(prog="inlay", description="A music editor that re-makes spans with three engines.")
    add = parser.add_subparsers(metavar="COMMAND", required=True)
    for build in (_serve, _generate, _inpaint, _extend, _replay, _analyze, _bundle):
        command = build(add)
        command.add_argument(
            "--bundle", default="bundle", metavar="NAME_OR_PATH", help="the checkpoints to use"
        )
        command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    _user(add)
    _models(add)
    _study(add)
    return parser


def _serve(add: Commands) -> argparse.ArgumentParser:
    serve: argparse.ArgumentParser = add.add_parser("serve", help="open the editor in the browser")
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    serve.add_argument("--port", type=_port, default=7860)
    serve.add_argument(
        "--no-analysis", action="store_true", help="do not analyse recordings when they are opened"
    )
    serve.add_argument(
        "--users", metavar="FILE", help="who may log in; each has a home of their own (see inlay user)"
    )
    serve.add_argument(
        "--metrics", action="store_true", help="give figures for Prometheus at /metrics (docs/deployment.md)"
    )
    serve.add_argument(
        "--log", choices=("text", "json"), default="text", help="json: a line for each run, without its words"
    )
    serve.set_defaults(command=commands.serve)
    return serve


def _user(add: Commands) -> None:
    user = add.add_parser("user", help="add a user of `serve --users`, change a password, or take one out")
    user.add_argument("name", metavar="NAME")
    user.add_argument("--users", metavar="FILE", required=True, help="the file; made if need be")
    user.add_argument("--remove", action="store_true", help="take the user out; the projects stay")
    user.set_defaults(command=commands.user)


def _generate(add: Commands) -> argparse.ArgumentParser:
    generate: argparse.ArgumentParser = add.add_parser(
        "generate", help="make a clip from words, chords, melody and drums"
    )
    generate.add_argument("--engine", choices=GENERATORS, required=True)
    generate.add_argument("--prompt", required=True, help="words for the music")
    generate.add_argument("--seconds", type=_number, default=10.0, help="length of the clip (default 10)")
    _add_run_arguments(generate, spans=False)
    generate.set_defaults(command=commands.generate)
    return generate


def _inpaint(add: Commands) -> argparse.ArgumentParser:
    inpaint: argparse.ArgumentParser = add.add_parser("inpaint", help="re-make a span of a recording")
    inpaint.add_argument("input", metavar="IN.wav", help="any file that libsndfile reads")
    inpaint.add_argument(
        "--engine", choices=(*ENGINE_NAMES, "auto"), required=True, help="auto: the smoothest of all three"
    )
    inpaint.add_argument("--start", type=_number, required=True, help="start of the span in seconds")
    inpaint.add_argument("--end", type=_number, required=True, help="end of the span in seconds")
    inpaint.add_argument(
        "--also",
        type=_stretch,
        action="append",
        default=[],
        metavar="START-END",
        help="a further span, in seconds, in the same pass; after the first, may be given again",
    )
    inpaint.add_argument("--prompt", default="", help="words for the span")
    parts = inpaint.add_mutually_exclusive_group()
    for option, words in (
        ("--add", "keep the span and play this part to it, such as drums"),
        ("--take-out", "keep the span but for this part"),
        ("--alone", "keep this part of the span alone"),
    ):
        parts.add_argument(option, metavar="PART", help=f"{words}; with a model that was taught to")
    inpaint.add_argument(
        "--strength", type=_number, default=InpaintRequest.strength, help="0-1: how much is new (default 1)"
    )
    inpaint.add_argument(
        "--patience", type=_number, default=InpaintRequest.patience, help="auto: seconds it may take"
    )
    inpaint.add_argument(
        "--sliding", action="store_true", help="make a span longer than the models' window piece by piece"
    )
    _add_run_arguments(inpaint)
    inpaint.set_defaults(command=commands.inpaint)
    return inpaint


def _extend(add: Commands) -> argparse.ArgumentParser:
    extend: argparse.ArgumentParser = add.add_parser(
        "extend", help="make a recording longer at either end, or loop unheard"
    )
    extend.add_argument("input", metavar="IN.wav", help="any file that libsndfile reads")
    extend.add_argument("--engine", choices=ENGINE_NAMES, required=True)
    extend.add_argument(
        "--edit", choices=EXTENSIONS, required=True, help="more after it, before it, or a loop"
    )
    extend.add_argument(
        "--seconds", type=_number, required=True, help="to add; of a loop, to re-make around the join"
    )
    extend.add_argument("--prompt", default="", help="words for what is made")
    _add_run_arguments(extend)
    extend.set_defaults(command=commands.extend)
    return extend


def _replay(add: Commands) -> argparse.ArgumentParser:
    replay: argparse.ArgumentParser = add.add_parser(
        "replay", help="make a take again from its request: the same audio"
    )
    replay.add_argument("request", metavar="REQUEST.json", help="exported from the page, or --json's output")
    replay.add_argument(
        "--source", metavar="IN.wav", help="the recording, or the folder of its project (default: beside)"
    )
    replay.add_argument("--out", required=True, metavar="OUT.wav")
    _add_json(replay)
    replay.set_defaults(command=commands.replay)
    return replay


def _analyze(add: Commands) -> argparse.ArgumentParser:
    analyze: argparse.ArgumentParser = add.add_parser(
        "analyze", help="what is in a recording: chords, melody, beats, key, drums"
    )
    analyze.add_argument("input", metavar="IN.wav", help="any file that libsndfile reads")
    analyze.add_argument("--start", type=_number, default=0.0, help="start of the part in seconds")
    analyze.add_argument("--end", type=_number, help="end of the part in seconds (default: the file's)")
    analyze.add_argument("--midi", metavar="OUT.mid", help="write the lanes as a MIDI file")
    analyze.add_argument(
        "--chords-by",
        choices=("notes", "chordino"),
        default="notes",
        help="chords from the notes (default) or by Chordino",
    )
    analyze.add_argument(
        "--drum-signal", action="store_true", help="add the paper's coarse drum signal, by the bundle's codec"
    )
    _add_json(analyze)
    analyze.set_defaults(command=commands.analyze)
    return analyze


def _bundle(add: Commands) -> argparse.ArgumentParser:
    bundle: argparse.ArgumentParser = add.add_parser(
        "bundle", help="what is loaded, sizes, licences, figures"
    )
    _add_json(bundle)
    bundle.set_defaults(command=commands.bundle)
    return bundle


def _models(add: Commands) -> None:
    parser = add.add_parser("models", help="the models there are, and getting, adding or removing one")
    parser.set_defaults(command=models.table)
    inner = parser.add_subparsers(metavar="WHAT")
    get = inner.add_parser("get", help="download a public model, once")
    get.add_argument("name", metavar="NAME")
    get.add_argument("--yes", action="store_true", help="do not ask: the licence is known and accepted")
    get.set_defaults(command=models.get)
    own = inner.add_parser("add", help="use a checkpoint that is on this machine already")
    own.add_argument("folder", metavar="FOLDER", help="a folder or a file, which stays where it is")
    own.add_argument("--name", default="", help="what to call it (default: what it calls itself)")
    own.set_defaults(command=models.add)
    remove = inner.add_parser("remove", help="free the space of a model, or of an unfinished download")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(command=models.remove)
    show = inner.add_parser("show", help="what a model is, takes and may be used for")
    show.add_argument("name", metavar="NAME")
    show.set_defaults(command=models.show)
    for each in (parser, get, own, remove, show):
        _add_json(each)


def _study(add: Commands) -> None:
    parser = add.add_parser("study", help="a blind listening study of a folder of edits")
    inner = parser.add_subparsers(metavar="WHAT", required=True)
    form = (
        "FOLDER has a folder for each system and in it a file for each item under the same name, AR/song.wav "
        "beside FM/song.wav; spans.csv beside them (item,start,end in seconds) says where the edits lie. "
        "Two systems that have an item make a pair. Answers go to FOLDER/answers, results to FOLDER/results."
    )
    hand = inner.add_parser(
        "serve", description=form, help="hand out pairs on this machine and collect ratings"
    )
    hand.add_argument("--port", type=_port, default=7870)
    hand.set_defaults(command=listening.serve)
    count = inner.add_parser("results", description=form, help="means, intervals and tests of all ratings")
    _add_json(count)
    count.set_defaults(command=listening.results)
    for each in (hand, count):
        each.add_argument("--folder", required=True, metavar="FOLDER", help="the edits, a folder a system")


# ---- options of several commands


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _add_run_arguments(parser: argparse.ArgumentParser, spans: bool = True) -> None:
    parser.add_argument("--out", required=True, metavar="OUT.wav")
    _add_lanes(parser)
    if spans:
        parser.add_argument(
            "--intent",
            choices=INTENTS,
            default="auto",
            help="blend: begin from the music around; change: words and lanes decide (auto: if any)",
        )
    parser.add_argument("--seed", type=int, default=0)
    _add_json(parser)
    _add_knobs(parser)


def _add_lanes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chords", metavar='"C@0 Am@2.5"', help="symbol@seconds, each lasts until the next")
    parser.add_argument("--melody", metavar="X.mid", help="a MIDI file whose melody the engine follows")
    parser.add_argument("--drums", metavar="X.mid", help="a MIDI file whose drums the engine follows")
    parser.add_argument(
        "--instruments",
        metavar='"piano drums@0 sax@4.5"',
        help="who plays: name@from or name@from-to in seconds, no-NAME is absent, only-NAME plays alone",
    )
    parser.add_argument("--bpm", type=_number, help="tempo that the music keeps")
    parser.add_argument("--meter", type=_meter, metavar="3/4", help="with --bpm; default 4/4")
    parser.add_argument(
        "--beat1", type=_number, metavar="S", help="with --bpm: where a bar begins (default 0)"
    )


def _add_knobs(parser: argparse.ArgumentParser) -> None:
    """The knobs of the engines' settings, an option each; `--candidates` is for both kinds of engines."""
    parser.add_argument("--guidance", type=_guidance, metavar="ALL[,TEXT]", help="default: the bundle's")
    for owner in (FMSettings, ARSettings):
        for name, knob in knobs(owner).items():
            if name in ("candidates", "seeded"):
                continue
            words = f"{knob.label}: {knob.tip[:1].lower()}{knob.tip[1:]}".replace("%", "%%")
            option = f"--{name.replace('_', '-')}"
            if name == "zero_shot":
                parser.add_argument(option, choices=knob.choices, help=f"{words}; default: the bundle's")
            elif knob.choices:
                parser.add_argument(option, choices=knob.choices, default=knob.default, help=words)
            else:
                parser.add_argument(option, type=_within(knob), default=knob.default, help=words)
    ar, fm = knobs(ARSettings)["candidates"], knobs(FMSettings)["candidates"]
    parser.add_argument(
        "--candidates",
        type=_within(fm),
        help=f"choose among so many fillings; default: AR {ar.default}, FM {fm.default}",
    )


def _within(knob: Knob) -> Callable[[str], float]:
    """Reads a knob's value; its complaint names kind and bounds."""
    kind = "a whole number" if knob.whole else "a number"

    def read(text: str) -> float:
        try:
            value = int(text) if knob.whole else float(text)
        except ValueError:
            value = math.nan
        if knob.refusal(value):
            bounds = f"from {knob.low:g} to {knob.high:g}"
            raise argparse.ArgumentTypeError(f"{text[:80]!r}: expected {kind} {bounds}")
        return value

    return read
