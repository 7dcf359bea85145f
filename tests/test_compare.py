"""Groups of takes, what the browser plays, and the words for runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor.page.takes.groups import deleted, groups, version_tree
from editor.page.takes.previews import MARGIN, playable, preview
from editor.page.takes.words import choice_words, details, search_state, status_markup
from editor.project import versions
from editor.project.disk import sounds, storage
from editor.project.document import Clip, Patch, Project, Region, Sound, Take
from editor.runs.pace import Pace
from editor.runs.track import RunTrack, estimate_words, progress_words, spent_words, with_state
from engines.audio.recording import Recording, from_float
from engines.progress import Progress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path).folder


def take(
    id: str, file: str, source: str | None = None, region: Region | None = None, engine: str = "fm"
) -> Take:
    kind = "inpaint" if region else "generate"
    sound = Sound(source) if source else None
    return Take(id, kind, engine, 7, "", file, 4.0, region, sound, {}, {"sample": 1.25, "decode": 0.5})


def address(path: Path) -> str:
    return path.name


def test_takes_of_one_span_stand_together_after_their_original(folder: Path, song: Recording) -> None:
    file = sounds.add_audio(folder, song)
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
    file = sounds.add_audio(folder, song)
    span = Region(1, 2)
    run = RunTrack("ar", "inpaint", 7, span, Sound(file), "running", 0.5, "50 %, about 2 s left")
    found = groups(Project(takes=(take("a", file, file, span),)), folder, (run,), address)
    assert len(found) == 1
    last = found[0].tracks[-1]
    assert (last.id, last.digit, last.state, last.progress, last.url) == ("run-ar-0", 2, "running", 0.5, "")


def test_only_nine_takes_have_a_digit(folder: Path, song: Recording) -> None:
    file = sounds.add_audio(folder, song)
    takes = tuple(take(f"t{i}", file, file, Region(1, 2)) for i in range(12))
    tracks = groups(Project(takes=takes), folder, (), address)[0].tracks
    assert [track.digit for track in tracks] == [*range(10), None, None, None]


def test_a_preview_holds_the_files_own_samples(folder: Path, song: Recording) -> None:
    sound = Sound(sounds.add_audio(folder, song))
    start, path = preview(folder, sound, Region(3, 3.5))
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    first = round(start * rate)
    assert rate == song.rate and first == int((3 - MARGIN) * rate)
    expected = song.samples[first:].astype(np.float32) / 32768
    assert np.array_equal(samples, expected[: len(samples)])
    assert first + len(samples) == len(song.samples)  # the clip ends before the margin does
    assert preview(folder, sound, Region(3, 3.5)) == (start, path)


@pytest.mark.parametrize("place", [0, 30_000, 100_000, 170_000])  # before, at its edges, inside, at the end
def test_a_preview_and_a_playable_file_of_a_patched_clip(folder: Path, song: Recording, place: int) -> None:
    first = replace(song, samples=song.samples[:6_000] // 2)
    second = replace(song, samples=song.samples[:3_000] * 0 + 99)
    patches = (
        Patch(sounds.add_audio(folder, first), place),
        Patch(sounds.add_audio(folder, second), place + 2_000),
    )
    sound = Sound(sounds.add_audio(folder, song), patches)
    whole = song.samples.copy()
    whole[place : place + 6_000] = first.samples
    whole[place + 2_000 : place + 5_000] = 99
    assert np.array_equal(sounds.read_sound(folder, sound).samples, whole)
    start, path = preview(folder, sound, Region(3, 3.5))
    begin = round(start * song.rate)
    shown = soundfile.read(path, dtype="float32", always_2d=True)[0]
    assert np.array_equal(shown, whole[begin : begin + len(shown)] / np.float32(32768))
    assert np.array_equal(soundfile.read(playable(folder, sound), dtype="int16")[0], whole)


def test_what_browsers_cannot_read_is_served_as_wav(folder: Path, song: Recording) -> None:
    flac = sounds.add_audio(folder, song)
    assert playable(folder, Sound(flac)) == folder / flac
    floats = from_float(np.zeros((800, 1), np.float32), 8000, "FLOAT")
    aiff = sounds.add_audio(folder, replace(floats, format="AIFF"))
    assert Path(aiff).suffix == ".aiff"
    served = playable(folder, Sound(aiff))
    assert served.suffix == ".wav" and served.parent.name == "previews"
    assert np.array_equal(soundfile.read(served, dtype="float32", always_2d=True)[0], floats.samples)
    double = replace(floats, samples=np.zeros((800, 1)), subtype="DOUBLE")
    assert playable(folder, Sound(sounds.add_audio(folder, double))).parent.name == "previews"


def test_versions_are_named_by_their_takes_and_show_where_they_came_from(
    folder: Path, song: Recording
) -> None:
    file = sounds.add_audio(folder, song)
    project = versions.set_clip(Project(), Clip(file, 4.0, song.rate, 2, "song.wav"))
    made = replace(take("a", file, file, Region(1, 2)), first=44_100, name="The one")
    project = versions.keep(versions.add_take(project, made), "a")
    assert [(v.label, v.parent, v.current, v.engine) for v in version_tree(project)] == [
        ("song.wav", None, False, ""),
        ("The one, 1.00–2.00 s", "v1", True, "fm"),
    ]
    back = versions.show_version(project, "v1")
    assert [v.current for v in version_tree(back)] == [True, False]


def test_a_deleted_take_is_out_of_the_list_and_can_come_back(folder: Path, song: Recording) -> None:
    file = sounds.add_audio(folder, song)
    project = Project(takes=(take("a", file, file, Region(1, 2)), take("b", file, file, Region(1, 2), "ar")))
    without = versions.delete_take(project, "a")
    assert [track.id for track in groups(without, folder, (), address)[0].tracks[1:]] == ["b"]
    assert [(gone.id, gone.label) for gone in deleted(without)] == [("a", "FM seed 7")]
    assert groups(versions.restore_take(without, "a"), folder, (), address) == groups(
        project, folder, (), address
    )


def test_details_tell_everything_that_a_take_was_made_with(folder: Path, song: Recording) -> None:
    file = sounds.add_audio(folder, song)
    sent = {
        "controls": {"chords": [{}, {}], "melody": None, "drums": None},
        "fm": {"solver": "euler", "steps": 25, "guidance": None, "zero_shot": "replacement"},
        "ar": {"temperature": 1.0},
        "crossfade": 0.03,
        "resolved": {"guidance": {"all": 3.0, "text": 0.0}, "bundle": "tiny"},
    }
    made = replace(take("a", file, file, Region(1, 2)), parameters=sent, prompt="jazz")
    told = dict(details(made))
    assert told["Prompt"] == "jazz" and told["Span"] == "1.000–2.000 s" and told["Steps"] == "25"
    assert told["Chords followed"] == "2" and told["Melody followed"] == "no"
    assert told["Guidance"] == "all 3, text 0" and told["Bundle"] == "tiny"
    assert told["Crossfade"] == "0.03 s" and told["Time, sample"] == "1.25 s"
    assert "Temperature" not in told and "Zero shot" not in told  # another engine's


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (1.6, "2 s"), (9.4, "9 s"), (12.4, "10 s"), (13, "15 s"), (59, "1 min"), (200, "3 min")],
)
def test_estimates_are_round(seconds: float, words: str) -> None:
    assert estimate_words(seconds) == words


def test_progress_in_words() -> None:
    assert progress_words(Progress("sample", 31, 50, 9.0, 5.6), 5.6) == "62 %, about 6 s left"
    assert progress_words(Progress("sample", 0, 50, 0.1, None), None) == "0 %"
    assert progress_words(Progress("load", 0, 1, 0.0, None), 3.0) == "Loading the models"
    coming = Progress("load", 1_488_000_000, 2_400_000_000, 9.0, 5.6)
    assert progress_words(coming, 3.0) == "Loading 62 % of 2.4 GB"


def test_one_estimate_that_gives_way_to_what_is_measured() -> None:
    pace = Pace()
    half = Progress("sample", 25, 50, 30.0, 0.4)  # the engine's own guess is of one stage alone
    assert pace.left("fm", "inpaint", 4.0, half) == 30.0
    pace.learn("fm", "inpaint", 4.0, 40.0)
    assert pace.left("fm", "inpaint", 4.0, Progress("sample", 0, 50, 0.0, None)) == 40.0
    assert pace.left("fm", "inpaint", 4.0, half) == 25.0  # between 20 s as expected and 30 s as measured
    assert pace.left("fm", "inpaint", 4.0, Progress("sample", 50, 50, 60.0, None)) == 0.0
    pace.window = 10.0  # what is longer is made in pieces, and each counts its own steps
    assert pace.guess("fm", "generate", 20.0) == 40.0 * pace.pieces("generate", 20.0)
    assert (pace.left("fm", "generate", 20.0, Progress("sample", 49, 50, 10.0, 0.2)) or 0) > 60.0
    assert spent_words(1.84) == "1.8 s"
    assert spent_words(14.2) == "14 s"


def test_status_has_a_line_per_engine_in_order_and_escapes() -> None:
    span = Region(1, 2)
    source = Sound("x.wav")
    runs = (
        RunTrack(
            "fm-zero-shot", "inpaint", 0, span, source, "failed", 0, "Failed: <script>alert(1)</script>"
        ),
        RunTrack("ar", "inpaint", 0, span, source, "running", 0.25, "25 %"),
    )
    markup = status_markup(runs, (take("a", "x.wav", "x.wav", span),))
    assert markup.index(">AR<") < markup.index(">FM<") < markup.index(">ZS<")
    assert "<script>" not in markup
    assert "width:25.0%" in markup and "done in 1.8 s" in markup


def test_variations_share_the_line_of_their_engine() -> None:
    source, span = Sound("x.wav"), Region(1, 2)
    runs = (
        RunTrack("fm", "inpaint", 9, span, source, "waiting", note="Next, about 14 s", index=2),
        RunTrack("fm", "inpaint", 8, span, source, "running", 0.5, "50 %", index=1),
    )
    markup = status_markup(runs, (take("a", "x.wav", "x.wav", span),))
    assert "1 of 3 done, 50 %" in markup and markup.count("<p ") == 1
    both = (take("a", "x.wav", "x.wav", span), take("b", "x.wav", "x.wav", span))
    assert "2 done in 3.5 s" in status_markup((), both)


def test_changing_one_run_leaves_the_others() -> None:
    runs = (RunTrack("fm", "generate", 0, None, None), RunTrack("fm", "generate", 1, None, None, index=1))
    changed = with_state(runs, 1, state="running", progress=0.5)
    assert changed[0] is runs[0]
    assert (changed[1].state, changed[1].progress) == ("running", 0.5)


def test_the_choice_among_engines_says_why() -> None:
    def take(scores: dict[str, float], left_out: dict[str, str]) -> Take:
        told = {"auto": {"chosen": "fm", "scores": scores, "left out": left_out, "why": "..."}}
        return Take("t1", "inpaint", "fm", 0, "", "a.wav", 4.0, None, None, {"resolved": told})

    late = {"fm-zero-shot": "about 9 s more would exceed 30 s"}
    words, more = choice_words(take({"fm": 0.31, "ar": 0.62}, late))
    assert words == "Smoothest of 2: FM 0.31, AR 0.62"
    assert "ZS left out: about 9 s more" in more
    good, _ = choice_words(take({"fm": 0.2}, {"ar": "one result was good already"}))
    assert good == "FM was smooth at once"
    short, _ = choice_words(take({"fm": 0.8}, {"ar": "about 9 s more would exceed 5 s"}))
    assert short == "Only FM fitted the time"
    assert choice_words(Take("t2", "inpaint", "ar", 0, "", "a.wav", 4.0, None, None)) == ("", "")


def test_a_searched_take_carries_its_curves_and_what_they_cost() -> None:
    def candidate(start: str, dropped: float | None) -> dict[str, object]:
        return {"start": start, "joins": 0.0, "curve": [[0.0, 0.8], [0.5, 0.2]], "dropped": dropped}

    tried = [candidate("noise", 0.4), candidate("noise", None), candidate("the music 2.00 s earlier", None)]
    told: dict[str, object] = {"search": {"budget": 50, "spent": 28, "candidates": tried}}
    told["candidates"] = {
        "began from": ["noise", "the music 2.00 s earlier"], "roughness": [9.55, 7.2], "chosen": 1,
    }  # fmt: skip
    take = Take("t1", "inpaint", "fm-zero-shot", 0, "", "a.wav", 4.0, None, None, {"resolved": told})
    found = search_state(take)
    assert found is not None and (found.budget, found.spent) == (50, 28)
    assert [c.chosen for c in found.candidates] == [False, False, True]
    assert found.candidates[0].dropped == 0.4 and found.candidates[0].curve[1] == [0.5, 0.2]
    rows = dict(map(tuple, details(take)))
    assert "Search" not in rows
    assert rows["Fillings tried"] == (
        "from noise (roughness 9.6); from the music 2.00 s earlier (roughness 7.2, taken)"
    )
    plain = replace(take, parameters={"resolved": {"search": {"budget": "x"}}})
    assert search_state(plain) is None and search_state(replace(take, parameters={})) is None


def test_whatever_an_engine_reports_can_be_shown() -> None:
    told: dict[str, object] = {"seams": [[0.1, 0.2]]}
    told["candidates"] = {"costs": [0.5, 1], "from": ["nothing", "a repeat"], "chosen": 1}
    take = Take("t1", "inpaint", "ar", 0, "", "a.wav", 4.0, None, None, {"resolved": told})
    rows = dict(map(tuple, details(take)))
    assert rows["Candidates"] == "costs 0.5, 1, from nothing, a repeat, chosen 1"
    assert rows["Seams"] == "0.1, 0.2"
