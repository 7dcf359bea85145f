"""Groups of takes, what the browser plays, and the words for runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor import storage
from editor.compare import (
    MARGIN,
    RunTrack,
    estimate_words,
    groups,
    playable,
    preview,
    progress_words,
    spent_words,
    status_markup,
    with_state,
)
from editor.document import Project, Region, Take
from engines.recording import Recording, from_float
from engines.requests import Progress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path).folder


def take(
    id: str, file: str, source: str | None = None, region: Region | None = None, engine: str = "fm"
) -> Take:
    kind = "inpaint" if region else "generate"
    return Take(id, kind, engine, 7, "", file, 4.0, region, source, {}, {"sample": 1.25, "decode": 0.5})


def address(path: Path) -> str:
    return path.name


def test_takes_of_one_span_stand_together_after_their_original(folder: Path, song: Recording) -> None:
    file = storage.add_audio(folder, song)
    span, other = Region(1, 2), Region(3, 3.5)
    takes = (
        take("a", file, file, span),
        take("b", file, file, other),
        take("c", file, file, span, "ar"),
        take("g", file),
    )
    found = groups(Project(takes=takes, kept="c"), folder, (), address)
    assert [group.label for group in found] == ["span 3.00–3.50 s", "span 1.00–2.00 s", "generated clips"]
    tracks = found[1].tracks
    assert [(track.kind, track.digit) for track in tracks] == [("original", 0), ("take", 1), ("take", 2)]
    assert [track.kept for track in tracks] == [False, False, True]
    assert tracks[1].words == "1.8 s"
    assert found[2].tracks[0].whole and found[2].region is None


def test_a_run_stands_where_its_take_will_stand(folder: Path, song: Recording) -> None:
    file = storage.add_audio(folder, song)
    span = Region(1, 2)
    run = RunTrack("ar", "inpaint", 7, span, file, "running", 0.5, "50 %, about 2 s left")
    found = groups(Project(takes=(take("a", file, file, span),)), folder, (run,), address)
    assert len(found) == 1
    last = found[0].tracks[-1]
    assert (last.id, last.digit, last.state, last.progress, last.url) == ("run-ar", 2, "running", 0.5, "")


def test_only_nine_takes_have_a_digit(folder: Path, song: Recording) -> None:
    file = storage.add_audio(folder, song)
    takes = tuple(take(f"t{i}", file, file, Region(1, 2)) for i in range(12))
    tracks = groups(Project(takes=takes), folder, (), address)[0].tracks
    assert [track.digit for track in tracks] == [*range(10), None, None, None]


def test_a_preview_holds_the_files_own_samples(folder: Path, song: Recording) -> None:
    file = storage.add_audio(folder, song)
    start, path = preview(folder, file, Region(3, 3.5))
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    first = round(start * rate)
    assert rate == song.rate and first == int((3 - MARGIN) * rate)
    expected = song.samples[first:].astype(np.float32) / 32768
    assert np.array_equal(samples, expected[: len(samples)])
    assert first + len(samples) == len(song.samples)  # the clip ends before the margin does
    assert preview(folder, file, Region(3, 3.5)) == (start, path)


def test_what_browsers_cannot_read_is_served_as_wav(folder: Path, song: Recording) -> None:
    wav = storage.add_audio(folder, song)
    assert playable(folder, wav) == folder / wav
    aiff = storage.add_audio(folder, replace(song, format="AIFF"))
    served = playable(folder, aiff)
    assert served.suffix == ".wav" and served.parent.name == "previews"
    assert np.array_equal(soundfile.read(served, dtype="float32")[0], song.samples / np.float32(32768))
    double = from_float(np.zeros((800, 1)), 8000)
    double = replace(double, samples=np.zeros((800, 1)), subtype="DOUBLE")
    assert playable(folder, storage.add_audio(folder, double)).parent.name == "previews"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (1.6, "2 s"), (9.4, "9 s"), (12.4, "10 s"), (13, "15 s"), (59, "1 min"), (200, "3 min")],
)
def test_estimates_are_round(seconds: float, words: str) -> None:
    assert estimate_words(seconds) == words


def test_progress_in_words() -> None:
    assert progress_words(Progress("sample", 31, 50, 9.0, 5.6)) == "62 %, about 6 s left"
    assert progress_words(Progress("sample", 0, 50, 0.1, None)) == "0 %"
    assert progress_words(Progress("load", 0, 1, 0.0, None)) == "Loading the models"
    assert spent_words(1.84) == "1.8 s"
    assert spent_words(14.2) == "14 s"


def test_status_has_a_line_per_engine_in_order_and_escapes() -> None:
    span = Region(1, 2)
    runs = (
        RunTrack(
            "fm-zero-shot", "inpaint", 0, span, "x.wav", "failed", 0, "Failed: <script>alert(1)</script>"
        ),
        RunTrack("ar", "inpaint", 0, span, "x.wav", "running", 0.25, "25 %"),
    )
    markup = status_markup(runs, (take("a", "x.wav", "x.wav", span),))
    assert markup.index(">AR<") < markup.index(">FM<") < markup.index(">ZS<")
    assert "<script>" not in markup
    assert "width:25.0%" in markup and "done in 1.8 s" in markup


def test_changing_one_engine_leaves_the_others() -> None:
    runs = (RunTrack("ar", "generate", 0, None, None), RunTrack("fm", "generate", 0, None, None))
    changed = with_state(runs, "fm", state="running", progress=0.5)
    assert changed[0] is runs[0]
    assert (changed[1].state, changed[1].progress) == ("running", 0.5)
