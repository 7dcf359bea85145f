"""The command line: inlay serve | generate | inpaint | replay | analyze | bundle.

Stable for other tools: with --json exactly one object on stdout, progress and notices on stderr.
Exit status: 0 done, 2 unusable input (one line on stderr: what, why, what would do), 130 interrupted,
1 a defect of Inlay itself. Times are seconds on the clip's own clock. An input file is never written
to; an output file appears whole or not at all. Torch is loaded only by the commands that need it.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from editor.project import band, commands, lanes, wording
from editor.project.disk import exports
from editor.runs import jobs, reports
from engines.audio.recording import Recording, read_recording, write_recording
from engines.audio.timebase import Grid
from engines.music import chords
from engines.requests import (
    DRUMS,
    ENGINE_NAMES,
    INTENTS,
    ZERO_SHOT,
    ARSettings,
    Controls,
    FMSettings,
    GenerateRequest,
    Guidance,
    InpaintRequest,
    InputError,
    Part,
    Progress,
    ProgressHook,
    Result,
)

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis

DONE, DEFECT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
LOSSLESS = (".wav", ".flac", ".aif", ".aiff", ".caf", ".au", ".w64")  # what --out may end in
STAGE_WORDS = {
    "load": "loading",
    "listen": "listening",
    "chords": "reading the chords",
    "queued": "waiting",
    "text": "reading the words",
    "encode": "listening",
    "sample": "making music",
    "decode": "rendering",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (None = the process's own) and give its exit status."""
    try:
        arguments = _parser().parse_args(argv)
        # what libraries print must not get between the caller and the one object on stdout
        stdout = sys.stdout
        with redirect_stdout(sys.stderr):
            answer: str | None = arguments.command(arguments)
        if answer is not None:
            print(answer, file=stdout, flush=True)
    except InputError as error:
        _say(str(error))
        return UNUSABLE
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # nobody reads any more: keep the interpreter's exit quiet
        return DONE
    except Exception as error:
        if os.environ.get("INLAY_DEBUG"):
            raise
        _say(f"{jobs.failure_words(error)} (INLAY_DEBUG=1 shows where)")
        return DEFECT
    return DONE


# ---- commands: each gives the line for stdout, or None


def _serve(arguments: argparse.Namespace) -> None:
    from editor.page import server

    server.serve(
        host=arguments.host,
        port=arguments.port,
        bundle=arguments.bundle,
        device=arguments.device,
        listens=not arguments.no_analysis,
    )


def _generate(arguments: argparse.Namespace) -> str | None:
    out = _output(arguments.out)
    seconds: float = arguments.seconds
    ar, fm = _settings(arguments)
    request = GenerateRequest(
        engine=arguments.engine,
        prompt=commands.check_prompt(arguments.prompt),
        seconds=seconds,
        seed=commands.check_seed(arguments.seed),
        controls=_controls(arguments, seconds, 0.0, seconds),
        ar=ar,
        fm=fm,
    )
    return _make(arguments, request, out)


def _inpaint(arguments: argparse.Namespace) -> str | None:
    prompt = commands.check_prompt(arguments.prompt)
    source, out = _recordings(arguments)
    ar, fm = _settings(arguments)
    request = InpaintRequest(
        engine=arguments.engine,
        source=source,
        start=arguments.start,
        end=arguments.end,
        prompt=prompt,
        seed=commands.check_seed(arguments.seed),
        controls=_controls(arguments, source.seconds, arguments.start, arguments.end),
        ar=ar,
        fm=fm,
        strength=arguments.strength,
        also=tuple(sorted(arguments.also)),
        sliding=arguments.sliding,
        patience=arguments.patience,
        intent=arguments.intent,
    )
    return _make(arguments, request, out)


def _recordings(arguments: argparse.Namespace) -> tuple[Recording, Path]:
    """The input and where the output goes; InputError where the one would overwrite the other."""
    given = Path(arguments.input)
    out = _output(arguments.out)
    if out.exists() and given.exists() and out.samefile(given):
        raise InputError(
            f"{arguments.out}: the input itself, which is never overwritten; choose another --out"
        )
    source = read_recording(given)
    _check_format(out, source)
    return source, out


def _replay(arguments: argparse.Namespace) -> str | None:
    out = _output(arguments.out)
    source = None if arguments.source is None else Path(arguments.source)
    if source is not None and source.is_file() and out.exists() and out.samefile(source):
        raise InputError(
            f"{arguments.out}: the source itself, which is never overwritten; choose another --out"
        )
    request = exports.read_request(Path(arguments.request), source)
    inner = request.request if isinstance(request, jobs.Extension) else request
    if isinstance(inner, InpaintRequest):
        _check_format(out, inner.source)
    arguments.zero_shot = inner.fm.zero_shot
    return _make(arguments, request, out)


def _extend(arguments: argparse.Namespace) -> str | None:
    prompt = commands.check_prompt(arguments.prompt)
    source, out = _recordings(arguments)
    ar, fm = _settings(arguments)
    kind: jobs.ExtensionKind = arguments.edit
    seconds: float = arguments.seconds
    controls = Controls() if kind == "loop" else _controls(arguments, source.seconds + seconds, 0.0, 0.0)
    request = InpaintRequest(
        engine=arguments.engine,
        source=source,
        start=0.0,
        end=source.seconds,
        prompt=prompt,
        seed=commands.check_seed(arguments.seed),
        controls=controls,
        ar=ar,
        fm=fm,
        sliding=True,
        intent=arguments.intent,
    )
    return _make(arguments, jobs.Extension(kind, request, seconds), out)


def _make(arguments: argparse.Namespace, asked: jobs.Asked, out: Path) -> str | None:
    """Run a request or an extension, write its audio, and tell what was done."""
    _quiet_libraries()
    request = asked.request if isinstance(asked, jobs.Extension) else asked
    note = request.source.note if isinstance(request, InpaintRequest) else ""
    progress = _ProgressLine(sys.stderr)
    progress.begin()
    try:
        from engines import dispatch
        from engines.checkpoints import shelf as checkpoints  # loads torch

        support = dispatch.supports(asked.probe if isinstance(asked, jobs.Extension) else asked)
        if not support:
            raise InputError(f"{support.reason} ({note})" if note else support.reason)
        if note:
            progress.close()
            _say(note)
        models = checkpoints.open_bundle(arguments.bundle, arguments.device)
        # the bundle knows which measured better
        zero_shot = arguments.zero_shot or models.spec.zero_shot_with(request.fm.solver)
        settings = replace(request.fm, zero_shot=zero_shot)
        if isinstance(asked, jobs.Extension):
            asked = replace(asked, request=replace(asked.request, fm=settings))
        else:
            asked = replace(asked, fm=settings)
        result = jobs.perform(asked, models, progress)
    finally:
        progress.close()
    write_recording(out, result.audio)
    if not arguments.json:
        return _sentence(result, out)
    return json.dumps(reports.of_run(result, asked) | {"out": str(out)}, allow_nan=False)


def _analyze(arguments: argparse.Namespace) -> str | None:
    midi = None if arguments.midi is None else _midi_output(arguments.midi)
    recording = read_recording(Path(arguments.input))
    start = arguments.start
    end = recording.seconds if arguments.end is None else arguments.end
    if not 0 <= start < end <= recording.seconds + 0.5 / recording.rate:
        raise InputError(
            f"span {start:g}-{end:g} s: expected one within 0-{recording.seconds:.2f} s; "
            "change --start or --end"
        )
    from editor.runs import hearing as analysis  # loads librosa
    from engines.analysis.analyze import analyze

    mono = recording.mono(round(start * recording.rate), round(end * recording.rate))
    begin = time.perf_counter()
    progress = _ProgressLine(sys.stderr)
    progress.begin()
    try:
        heard = analyze(mono, recording.rate, progress, arguments.chords_by).shifted(start)
        signal = _drum_signal(arguments, mono, recording.rate, start, progress)
    finally:
        progress.close()
    spent = time.perf_counter() - begin
    if recording.note:
        _say(recording.note)
    if midi is not None:
        grid = analysis.grid_of(heard) or Grid()
        lanes.write_midi(midi, analysis.lanes_of(heard, grid), grid)
    if arguments.json:
        about = {"in": str(arguments.input), "seconds_spent": spent, "midi": arguments.midi}
        return json.dumps(reports.of_hearing(heard) | about | signal, allow_nan=False)
    lines = _heard_lines(heard)
    if signal:
        row = signal["drum_signal"]
        codes = " ".join(map(str, row["codes"]))
        lines.append(f"drum signal at {row['frame_rate']:g} Hz, codes of {row['codebook']}: {codes}")
    return "\n".join(lines)


def _drum_signal(
    arguments: argparse.Namespace, mono: Any, rate: int, start: float, progress: ProgressHook
) -> dict[str, Any]:
    """The paper's coarse drum signal of mono audio [n], as `--json` prints it; empty if not asked for."""
    if not arguments.drum_signal:
        return {}
    _quiet_libraries()
    from engines.analysis.drums import drum_signal
    from engines.checkpoints import shelf as checkpoints

    models = checkpoints.open_bundle(arguments.bundle, arguments.device)
    signal = drum_signal(mono, rate, models.codec(), progress)
    row = {"start": start, "frame_rate": signal.frame_rate, "codebook": f"the first of {models.spec.name}"}
    return {"drum_signal": row | {"codes": signal.codes.tolist()}}


def _bundle(arguments: argparse.Namespace) -> str | None:
    _quiet_libraries()
    from engines.checkpoints import shelf as checkpoints

    models = checkpoints.open_bundle(arguments.bundle, arguments.device)
    facts = jobs.plain(checkpoints.describe(models))
    return json.dumps(facts, allow_nan=False) if arguments.json else "\n".join(_lines(facts))


# ---- what was heard


def _heard_lines(heard: Analysis) -> list[str]:
    """What was heard in a few lines for people."""
    rhythm, key = heard.rhythm, heard.key
    tempo = (
        f"{rhythm.bpm:.1f} bpm, {rhythm.beats_per_bar} beats a bar, first downbeat at "
        f"{rhythm.downbeats[0]:.2f} s (confidence {rhythm.confidence:.2f})"
        if rhythm.downbeats
        else "none heard"
    )
    line = " ".join(f"{c.symbol}@{c.start:.2f}" for c in heard.chords.chords)
    struck = {drum: sum(hit.drum == drum for hit in heard.drums.hits) for drum in DRUMS}
    return [
        f"tempo: {tempo}",
        f"key: {f'{key.name} (confidence {key.confidence:.2f})' if key.name else 'none heard'}",
        f"chords by {heard.chords.method}: {line or 'none heard'}",
        *(f"simplified: {told}" for told in heard.chords.simplified),
        f"melody: {len(heard.melody.notes)} notes",
        f"drums: {', '.join(f'{n} {drum}' for drum, n in struck.items() if n) or 'none heard'}",
        *_player_lines(heard),
        f"loudness: {heard.loudness:.1f} LUFS",
    ]


def _player_lines(heard: Analysis) -> list[str]:
    line = getattr(heard, "instruments", None)  # not every analysis listens for players
    if line is None:
        return []
    told = [
        f"{part.instrument}@{part.start:.2f}-{part.end:.2f} ({sure:.0%})"
        for part, sure in zip(line.parts, line.confidence, strict=True)
    ]
    return [f"players: {', '.join(told) or 'none heard'}"]


# ---- what a run did


def _sentence(result: Result, out: Path) -> str:
    seams = "".join(
        f", {seam.words[:1].lower()}{seam.words[1:]} at {seam.time:.2f} s" for seam in result.seams
    )
    chosen: Any = result.parameters.get("auto")
    why = f"; {chosen['why']}" if chosen else ""
    failed = "; failed: a seam is rougher than any moment of the original; try another seed or engine"
    told = f"{seams}{failed if result.failed else ''}{why}"
    return f"{out}: {result.audio.seconds:.2f} s in {result.seconds_spent:.1f} s{told}"


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Nested facts as indented lines."""
    lines = []
    for name, value in facts.items():
        words = str(name).replace("_", " ")
        if isinstance(value, (dict, list)) and not value:
            lines.append(f"{indent}{words}: none")
        elif isinstance(value, dict):
            lines.append(f"{indent}{words}")
            lines.extend(_lines(value, indent + "  "))
        elif isinstance(value, list):
            lines.append(f"{indent}{words}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{indent}{words}: {f'{value:.4g}' if isinstance(value, float) else value}")
    return lines


class _ProgressLine:
    """Progress on a terminal: one line that updates; elsewhere a line a stage and quarter."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._last: tuple[str, int] | None = None
        self._width = 0

    def begin(self) -> None:
        """Say that something happens while libraries load; only where the line can be wiped again."""
        if self._live:
            self(Progress("load", 0, 1, 0.0, None))

    def __call__(self, progress: Progress) -> None:
        mark = (progress.stage, int(progress.fraction * (100 if self._live else 4)))
        if mark == self._last:
            return
        self._last = mark
        soon = progress.remaining is None or progress.step >= progress.total
        left = "" if soon else f", about {max(1, round(progress.remaining or 0))} s left"
        words = STAGE_WORDS.get(progress.stage, progress.stage)
        line = f"inlay: {words} {progress.fraction:.0%}{left}"
        if self._live:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Wipe the line, so that what follows begins on a clean one."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


# ---- arguments -> request parts


def _controls(arguments: argparse.Namespace, seconds: float, start: float, end: float) -> Controls:
    """The lanes that were given for a clip of so many seconds; without --instruments, whom the words name
    plays, or does not, in [start, end) of it."""
    line, melody, drums = arguments.chords, arguments.melody, arguments.drums
    if arguments.instruments is None:
        named = wording.named_in(commands.check_prompt(arguments.prompt))
        parts = tuple(Part(start, end, word.name, word.plays) for word in named) if end > start else ()
    else:
        parts = band.parse_line(arguments.instruments, seconds)
    return Controls(
        None if line is None else chords.parse_line(line, seconds),
        None if melody is None else lanes.melody_from_midi(melody),
        None if drums is None else lanes.drums_from_midi(drums),
        parts or None,
        _grid(arguments),
    )


def _grid(arguments: argparse.Namespace) -> Grid | None:
    """The beat that was given; None where nothing of it was."""
    bpm, meter, first = arguments.bpm, arguments.meter, arguments.beat1
    if bpm is None:
        if meter is not None or first is not None:
            raise InputError(
                "--meter and --beat1 say nothing without a tempo; add --bpm, for instance --bpm 120"
            )
        return None
    try:
        return Grid(bpm, 4 if meter is None else meter, 0.0 if first is None else first)
    except ValueError as error:
        raise InputError(f"--bpm and --meter: {error}") from error


def _settings(arguments: argparse.Namespace) -> tuple[ARSettings, FMSettings]:
    given = arguments.guidance
    ar = ARSettings(arguments.temperature, arguments.top_k, arguments.top_p, given)
    fm = FMSettings(arguments.solver, arguments.steps, given, budget=arguments.budget)
    if arguments.candidates is not None:
        ar = replace(ar, candidates=arguments.candidates)
        fm = replace(fm, candidates=arguments.candidates)
    return ar, fm


def _output(name: str) -> Path:
    """The output path, checked before any work is done."""
    out = Path(name)
    if out.suffix.lower() not in LOSSLESS:
        raise InputError(
            f"--out {name[:80]!r}: expected a file name that ends in .wav (or {', '.join(LOSSLESS[1:])})"
        )
    if out.is_dir():
        raise InputError(f"--out {name[:80]!r}: a folder; name a file in it")
    parent = out.parent
    if not parent.is_dir():
        raise InputError(f"--out {name[:80]!r}: no folder {str(parent)!r}; make it first")
    if not os.access(parent, os.W_OK):
        raise InputError(f"--out {name[:80]!r}: the folder cannot be written to; choose another")
    return out


def _midi_output(name: str) -> Path:
    """The path of a MIDI file to write, checked before any work is done."""
    out = Path(name)
    if out.suffix.lower() not in (".mid", ".midi"):
        raise InputError(f"--midi {name[:80]!r}: expected a file name that ends in .mid")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"--midi {name[:80]!r}: its folder cannot be written to; choose another")
    return out


def _check_format(out: Path, source: Recording) -> None:
    """InputError when the file type that --out names cannot hold the source's samples."""
    with tempfile.TemporaryDirectory() as folder:
        write_recording(Path(folder) / out.name, replace(source, samples=source.samples[:1]))


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _above_zero(text: str) -> float:
    number = _number(text)
    if number <= 0:
        raise ValueError(text)
    return number


def _stretch(text: str) -> tuple[float, float]:
    start, end = (_number(part) for part in text.split("-"))
    return start, end


def _share(text: str) -> float:
    number = _number(text)
    if not 0 <= number <= 1:
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1000:
        raise ValueError(text)
    return count


def _top_k(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


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


_EXPECTED = {  # names what argparse would call an "invalid _share value"
    "_number": "a number",
    "_above_zero": "a number above 0",
    "_share": "a number from 0 to 1",
    "_stretch": "two times, START-END in seconds",
    "_count": "a whole number from 1 to 1000",
    "_top_k": "a whole number, 0 or more",
    "_guidance": "ALL or ALL,TEXT, two numbers",
    "_meter": "a meter such as 3/4",
    "int": "a whole number",
}


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, as all of Inlay's are."""

    def error(self, message: str) -> NoReturn:
        for name, expected in _EXPECTED.items():
            before, found, value = message.partition(f": invalid {name} value: ")
            if found:
                message = f"{before.removeprefix('argument ')} {value[:80]}: expected {expected}"
        raise InputError(f"{' '.join(message.split())[:300]}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="inlay", description="A music editor that re-makes spans with three engines.")
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)

    serve = parsers.add_parser("serve", help="open the editor in the browser")
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    serve.add_argument("--port", type=_port, default=7860)
    serve.add_argument(
        "--no-analysis", action="store_true", help="do not analyse recordings when they are opened"
    )
    serve.set_defaults(command=_serve)

    generate = parsers.add_parser("generate", help="make a clip from words, chords, melody and drums")
    generate.add_argument("--engine", choices=jobs.GENERATORS, required=True)
    generate.add_argument("--prompt", required=True, help="words for the music")
    generate.add_argument("--seconds", type=_number, default=10.0, help="length of the clip (default 10)")
    _add_run_arguments(generate, spans=False)
    generate.set_defaults(command=_generate)

    inpaint = parsers.add_parser("inpaint", help="re-make a span of a recording")
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
    inpaint.set_defaults(command=_inpaint)

    extend = parsers.add_parser("extend", help="make a recording longer at either end, or loop unheard")
    extend.add_argument("input", metavar="IN.wav", help="any file that libsndfile reads")
    extend.add_argument("--engine", choices=ENGINE_NAMES, required=True)
    extend.add_argument(
        "--edit", choices=jobs.EXTENSIONS, required=True, help="more after it, before it, or a loop"
    )
    extend.add_argument(
        "--seconds", type=_number, required=True, help="to add; of a loop, to re-make around the join"
    )
    extend.add_argument("--prompt", default="", help="words for what is made")
    _add_run_arguments(extend)
    extend.set_defaults(command=_extend)

    replay = parsers.add_parser("replay", help="make a take again from its request: the same audio")
    replay.add_argument("request", metavar="REQUEST.json", help="exported from the page, or --json's output")
    replay.add_argument(
        "--source", metavar="IN.wav", help="the recording, or the folder of its project (default: beside)"
    )
    replay.add_argument("--out", required=True, metavar="OUT.wav")
    replay.add_argument("--json", action="store_true", help="one JSON object on stdout")
    replay.set_defaults(command=_replay)

    analyze = parsers.add_parser("analyze", help="what is in a recording: chords, melody, beats, key, drums")
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
    analyze.add_argument("--json", action="store_true", help="one JSON object on stdout")
    analyze.set_defaults(command=_analyze)

    bundle = parsers.add_parser("bundle", help="what is loaded, sizes, licences, figures")
    bundle.add_argument("--json", action="store_true", help="one JSON object on stdout")
    bundle.set_defaults(command=_bundle)

    for command in (serve, generate, inpaint, extend, replay, analyze, bundle):
        command.add_argument(
            "--bundle", default="bundle", metavar="NAME_OR_PATH", help="the checkpoints to use"
        )
        command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser, spans: bool = True) -> None:
    parser.add_argument("--out", required=True, metavar="OUT.wav")
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
    if spans:
        parser.add_argument(
            "--intent",
            choices=INTENTS,
            default="auto",
            help="blend: begin from the music around; change: words and lanes decide (auto: if any)",
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    ar, fm = ARSettings(), FMSettings()
    parser.add_argument("--steps", type=_count, default=fm.steps, help="FM: solver steps")
    solvers = ("euler", "midpoint", "ab2", "dopri5")
    parser.add_argument("--solver", choices=solvers, default=fm.solver, help="FM")
    parser.add_argument("--guidance", type=_guidance, metavar="ALL[,TEXT]", help="default: the bundle's")
    parser.add_argument("--temperature", type=_above_zero, default=ar.temperature, help="AR")
    parser.add_argument("--top-k", type=_top_k, default=ar.top_k, help="AR: 0 = off")
    parser.add_argument("--top-p", type=_share, default=ar.top_p, help="AR: 0 = off")
    parser.add_argument(
        "--candidates",
        type=_count,
        help=f"choose among so many fillings; default: AR {ar.candidates}, FM {fm.candidates}",
    )
    parser.add_argument("--zero-shot", choices=ZERO_SHOT, help="default: the bundle's")
    parser.add_argument("--budget", type=_count, default=fm.budget, help="evaluations of --zero-shot search")


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(text)
    return port


_EXPECTED["_port"] = "a port from 1 to 65535"


def _quiet_libraries() -> None:
    """Settings that must stand before torch and transformers are imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("GOMP_SPINCOUNT", "100")  # spinning OpenMP threads stall a small busy machine
    logging.getLogger("transformers").setLevel(logging.ERROR)


def _say(message: str) -> None:
    """One line on stderr."""
    print(f"inlay: {commands.clean_text(message)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
