"""The commands, from serve to bundle: each does its work and gives the line for stdout.

An input file is never written to; an output file appears whole or not at all. Torch is loaded only by those
that need it. Times in seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import Any

from editor.cli import parts, report
from editor.cli.progress import ProgressLine, quiet_libraries, say
from editor.project import commands, lanes
from editor.project.disk import exports
from editor.runs import reports
from editor.runs.job import Extension, ExtensionKind, Job, perform, probe_of, request_of
from editor.runs.replay import plain
from editor.runs.traffic import log
from engines.audio.recording import SUFFIXES, read_recording, write_recording
from engines.audio.timebase import SHOWN_SECONDS, Grid, seconds_to_samples
from engines.checkpoints.found import find_checkpoint
from engines.errors import InputError
from engines.progress import ProgressHook
from engines.requests import Controls, GenerateRequest, InpaintRequest


def serve(arguments: argparse.Namespace) -> None:
    """Open the editor and stay until it is stopped. InputError when bundle or port are unusable."""
    from editor.page import server

    if arguments.log == "json":
        log.turn_on()
    server.serve(
        host=arguments.host,
        port=arguments.port,
        bundle=arguments.bundle,
        device=arguments.device,
        listens=not arguments.no_analysis,
        users=None if arguments.users is None else Path(arguments.users),
        metrics=arguments.metrics,
    )


def user(arguments: argparse.Namespace) -> str:
    """A user into the file of `serve --users`, or out of it. InputError for what cannot be one.

    The password is asked for twice, or is the first line of what is piped in.
    """
    from editor.doors import users

    path = Path(arguments.users)
    if arguments.remove:
        users.remove(path, arguments.name)
        return f"{arguments.name} may not log in any more; the projects stay where they are"
    if sys.stdin.isatty():
        password = getpass(f"Password for {arguments.name}: ")
        if getpass("Once more: ") != password:
            raise InputError("password: the two differ; try again")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    users.put(path, arguments.name, password)
    return f"{arguments.name} may log in with: inlay serve --users {path}"


def generate(arguments: argparse.Namespace) -> str | None:
    """A clip from words and lanes into a file. InputError for what cannot be made."""
    out = parts.output(arguments.out)
    seconds: float = arguments.seconds
    ar, fm = parts.settings(arguments)
    request = GenerateRequest(
        engine=arguments.engine,
        prompt=commands.check_prompt(arguments.prompt),
        seconds=seconds,
        seed=commands.check_seed(arguments.seed),
        controls=parts.controls(arguments, seconds, 0.0, seconds),
        ar=ar,
        fm=fm,
    )
    return _make(arguments, request, out)


def inpaint(arguments: argparse.Namespace) -> str | None:
    """A span of a recording, or several, re-made into a file. InputError for what cannot be made."""
    prompt = commands.check_prompt(arguments.prompt)
    source, out = parts.recordings(arguments)
    ar, fm = parts.settings(arguments)
    request = InpaintRequest(
        engine=arguments.engine,
        source=source,
        start=arguments.start,
        end=arguments.end,
        prompt=prompt,
        seed=commands.check_seed(arguments.seed),
        controls=parts.controls(arguments, source.seconds, arguments.start, arguments.end),
        ar=ar,
        fm=fm,
        strength=arguments.strength,
        also=tuple(sorted(arguments.also)),
        sliding=arguments.sliding,
        patience=arguments.patience,
        intent=arguments.intent,
        **parts.task(arguments),
    )
    return _make(arguments, request, out)


def extend(arguments: argparse.Namespace) -> str | None:
    """A recording made longer, or into a loop, into a file. InputError for what cannot be made."""
    prompt = commands.check_prompt(arguments.prompt)
    source, out = parts.recordings(arguments)
    ar, fm = parts.settings(arguments)
    kind: ExtensionKind = arguments.edit
    seconds: float = arguments.seconds
    controls = Controls() if kind == "loop" else parts.controls(arguments, source.seconds + seconds, 0.0, 0.0)
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
    return _make(arguments, Extension(kind, request, seconds), out)


def replay(arguments: argparse.Namespace) -> str | None:
    """A take made again from its request. InputError where it is none, or its source is gone."""
    out = parts.output(arguments.out)
    source = None if arguments.source is None else Path(arguments.source)
    if source is not None and source.is_file() and out.exists() and out.samefile(source):
        raise InputError(
            f"{arguments.out}: the source itself, which is never overwritten; choose another --out"
        )
    job = exports.read_request(Path(arguments.request), source)
    inner = request_of(job)
    if isinstance(inner, InpaintRequest):
        parts.check_format(out, inner.source)
    arguments.zero_shot = inner.fm.zero_shot
    return _make(arguments, job, out)


def _make(arguments: argparse.Namespace, job: Job, out: Path) -> str | None:
    """Run a request or an extension, write its audio, and tell what was done."""
    quiet_libraries()
    request = request_of(job)
    note = request.source.note if isinstance(request, InpaintRequest) else ""
    progress = ProgressLine(sys.stderr)
    progress.begin()
    try:
        from engines import dispatch
        from engines.checkpoints import shelf as checkpoints  # loads torch

        support = dispatch.supports(probe_of(job), find_checkpoint(arguments.bundle, arguments.device))
        if not support:
            raise InputError(f"{support.reason} ({note})" if note else support.reason)
        if note:
            progress.close()
            say(note)
        models = checkpoints.open_bundle(arguments.bundle, arguments.device)
        # the bundle knows which measured better
        zero_shot = arguments.zero_shot or models.spec.zero_shot_with(request.fm.solver)
        settings = replace(request.fm, zero_shot=zero_shot)
        if isinstance(job, Extension):
            job = replace(job, request=replace(job.request, fm=settings))
        else:
            job = replace(job, fm=settings)
        result = perform(job, models, progress)
    finally:
        progress.close()
    write_recording(out, result.audio)
    chunks = result.audio.chunks
    if chunks and SUFFIXES.get(result.audio.format) == ".wav" and out.suffix.lower() != ".wav":
        named = ", ".join(dict.fromkeys(chunk.id.decode("ascii").strip() for chunk in chunks))
        say(f"{out.name}: only a WAV file keeps what else the source holds ({named})")
    if not arguments.json:
        return report.sentence(result, out)
    return json.dumps(reports.of_run(result, job) | {"out": str(out)}, allow_nan=False)


def analyze(arguments: argparse.Namespace) -> str | None:
    """What is in a recording, as lines or JSON. InputError for one that cannot be read."""
    midi = None if arguments.midi is None else parts.midi_output(arguments.midi)
    recording = read_recording(Path(arguments.input))
    start = arguments.start
    end = recording.seconds if arguments.end is None else arguments.end
    if not 0 <= start < end <= recording.seconds + SHOWN_SECONDS:
        raise InputError(
            f"span {start:g}-{end:g} s: expected one within 0-{recording.seconds:.2f} s; "
            "change --start or --end"
        )
    end = min(end, recording.seconds)
    from editor.runs import hearing
    from engines.analysis.analyze import analyze as analyse

    rate = recording.rate
    mono = recording.mono(seconds_to_samples(start, rate), seconds_to_samples(end, rate))
    begin = time.perf_counter()
    progress = ProgressLine(sys.stderr)
    progress.begin()
    try:
        analysis = analyse(mono, recording.rate, progress, arguments.chords_by).shifted(start)
        signal = _drum_signal(arguments, mono, recording.rate, start, progress)
    finally:
        progress.close()
    spent = time.perf_counter() - begin
    if recording.note:
        say(recording.note)
    if midi is not None:
        grid = hearing.grid_of(analysis) or Grid()
        lanes.write_midi(midi, hearing.lanes_of(analysis, grid), grid)
    if arguments.json:
        about = {"in": str(arguments.input), "seconds_spent": spent, "midi": arguments.midi}
        return json.dumps(reports.of_analysis(analysis) | about | signal, allow_nan=False)
    lines = report.analysis_lines(analysis)
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
    quiet_libraries()
    from engines.analysis.drums import drum_signal
    from engines.checkpoints import shelf as checkpoints
    from engines.families.inlay import codec_of

    models = checkpoints.open_bundle(arguments.bundle, arguments.device)
    signal = drum_signal(mono, rate, codec_of(models), progress)
    row = {"start": start, "frame_rate": signal.frame_rate, "codebook": f"the first of {models.spec.name}"}
    return {"drum_signal": row | {"codes": signal.codes.tolist()}}


def bundle(arguments: argparse.Namespace) -> str | None:
    """What a bundle holds, as lines or JSON. InputError for one that cannot be read."""
    facts = plain(find_checkpoint(arguments.bundle, arguments.device).describe())
    return json.dumps(facts, allow_nan=False) if arguments.json else "\n".join(report.fact_lines(facts))
