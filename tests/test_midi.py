"""MIDI files as they come: faulty, cut, of every division and metre; and what Inlay writes comes back."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pretty_midi
import pytest

from editor.project import lanes
from editor.project.disk import imports, scores
from editor.project.document import ChordCell, Clip, LaneHit, LaneNote, LanePart, Lanes, Project
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music import midi, midi_events
from tests.smf import END, chunk, header, length, meta, metre, scale, smf, tempo, write

EIGHT = list(range(60, 68))


def starts(path: Path) -> list[float]:
    return [round(n.start, 4) for track in midi.read_midi(path).tracks for n in track.notes]


def pitches(path: Path) -> list[int]:
    return [n.pitch for track in midi.read_midi(path).tracks for n in track.notes]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_tempo_counts_on_whichever_track_it_stands(tmp_path: Path, place: int) -> None:
    tracks = [meta(3, b"Song"), scale(), meta(3, b"Last")]
    tracks[place] = tempo(60) + tracks[place]
    path = write(tmp_path, smf(*tracks))
    assert starts(path) == [float(i) for i in range(8)]
    assert scores.read_score(path).bpm == pytest.approx(60)


def test_tempi_of_several_tracks_are_one_map(tmp_path: Path) -> None:
    path = write(tmp_path, smf(tempo(120) + tempo(60, 960), scale(), tempo(240, 1920)))
    assert starts(path) == [0, 0.5, 1, 2, 3, 3.25, 3.5, 3.75]
    score = scores.read_score(path)
    assert score.bpm == 120 and "tempo changes (120, 60, 240" in score.note
    assert [round(n.start, 3) for n in score.melody] == [i * 0.5 for i in range(8)]  # on the bars


@pytest.mark.parametrize(("frames", "ticks"), [(24, 4), (25, 40), (25, 1), (30, 80), (30, 100)])
def test_film_frames_are_seconds(tmp_path: Path, frames: int, ticks: int) -> None:
    half = frames * ticks // 2 if frames * ticks % 2 == 0 else frames * ticks
    path = write(tmp_path, smf(tempo(33) + scale(half), division=(256 - frames) << 8 | ticks))
    step = half / (frames * ticks)
    assert starts(path) == pytest.approx([i * step for i in range(8)])
    score = scores.read_score(path)
    assert score.timed and score.melody[1].start == pytest.approx(step)


def test_drop_frames_are_a_little_slower(tmp_path: Path) -> None:
    path = write(tmp_path, smf(scale(30), division=(256 - 29) << 8 | 1))
    assert starts(path)[1] == pytest.approx(30 / (30_000 / 1001), abs=1e-4)


@pytest.mark.parametrize("division", [1, 24, 96, 480, 960, 15360, 30720, 32767])
def test_every_resolution_is_read_whole(tmp_path: Path, division: int) -> None:
    path = write(tmp_path, smf(tempo(120) + scale(division, 40, 40), division=division))
    assert starts(path) == pytest.approx([i * 0.5 for i in range(40)])


@pytest.mark.parametrize(
    "fault",
    [
        meta(0x59, b"\xfe\xff"), meta(0x59, b"\xee\x01"), meta(0x59, b"\x7f\x05"), meta(0x59, b""),
        b"\x00\xf0\x05\x41\x10\x90\x12\xf7", b"\x00\xf0\x03\xff\xfe\x80", b"\x00\xf7\x02\x90\x90",
        meta(0x51, b""), meta(0x51, b"\0\0\0"), meta(0x51, b"\x07"), meta(0x51, b"\0\0\0\0\0"),
        meta(0x58, b"\0\2\x18\x08"), meta(0x58, b""), meta(0x58, b"\4\x1f\x18\x08"), meta(0x54, b"\xff" * 9),
        meta(0x03, b"\xff\xfe\x80"), meta(0x7F, b"\x7dinlay grid nan x"), b"\x00\xf8", b"\x00\xf2\x10\x10",
        b"\x00\x90\x3c\xff\x00\x80\x3c\x00",
    ],
)  # fmt: skip
def test_a_faulty_event_costs_nothing_but_itself(tmp_path: Path, fault: bytes) -> None:
    more = [60] if fault[1] == 0x90 else []
    for track in (fault + scale(), scale(480, 4) + fault + scale(480, 4, 64)):
        path = write(tmp_path, smf(track))
        assert sorted(pitches(path)) == sorted(more + EIGHT)
        score = scores.read_score(path)
        assert (score.bpm, score.beats_per_bar) == (120, 4)


def hits(channel: int, off: bool, gap: int = 480) -> bytes:
    body = b""
    for i in range(8):
        for key in (36 if i % 2 == 0 else 38, 42):
            body += bytes((0, 0x90 | channel, key, 100)) + (
                bytes((0, 0x80 | channel, key, 0)) if off else b""
            )
        body += meta(1, b"", gap)
    return body


@pytest.mark.parametrize("off", [True, False])
@pytest.mark.parametrize("channel", [9, 3])
def test_drums_need_no_length_and_no_end(tmp_path: Path, off: bool, channel: int) -> None:
    score = scores.read_score(write(tmp_path, smf(hits(channel, off), kind=0)), "drums")
    assert len(score.drums) == 16 and score.drums[2].time == pytest.approx(0.5)


def test_notes_without_length_or_end_are_heard_and_told(tmp_path: Path) -> None:
    short = write(tmp_path, smf(b"\0\x90\x3c\x5a\0\x80\x3c\0" + b"\x83\x60\x90\x40\x5a\x83\x60\x80\x40\0"))
    assert [(n.start, n.end) for n in scores.read_score(short).melody] == [(0, 0.125), (0.5, 1)]
    open_end = write(tmp_path, smf(b"\0\x90\x3c\x5a" + meta(1, b"", 960)))
    score = scores.read_score(open_end)
    assert [(n.start, n.end) for n in score.melody] == [(0, 1)] and "never released" in score.note


CONTAINERS = {
    "alien chunk": header(1, 2) + chunk(END) + chunk(b"\1\2\3\4", b"XFIH") + chunk(scale() + END),
    "alien chunk first": header(1, 1) + chunk(b"\xff" * 9, b"Yama") + chunk(scale() + END),
    "more tracks than there are": header(1, 9) + chunk(scale() + END),
    "fewer tracks than there are": header(1, 1) + chunk(meta(3, b"a") + END) + chunk(scale() + END),
    "no tracks by the header": header(1, 0) + chunk(scale() + END),
    "junk before": b"\0" * 128 + smf(scale()),
    "text before": b"From: someone\r\nMThis is a song\r\n\r\n" + smf(scale()),
    "RIFF around it": b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + smf(scale()),
    "junk between tracks": header(1, 2) + chunk(END) + b"\x80\x81\x82" + chunk(scale() + END),
    "junk after": smf(scale()) + b"\0\xff" * 40,
    "a long header": b"MThd\0\0\0\x0a\0\1\0\1\1\xe0wide" + chunk(scale() + END),
    "a short header": b"MThd\0\0\0\0\0\1\0\1\1\xe0" + chunk(scale() + END),
    "a length of nothing": header(1, 1) + chunk(scale() + END, size=0),
    "a length of all": header(1, 2) + chunk(scale() + END, size=0xFFFFFFFF) + chunk(meta(3, b"b") + END),
    "a length too short": header(1, 2) + chunk(scale() + END, size=21) + chunk(meta(3, b"b") + END),
    "a length over the next track": header(1, 2) + chunk(meta(3, b"a") + END, size=40) + chunk(scale() + END),
    "no end of the track": header(0, 1) + chunk(scale()),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_with_faults_gives_its_notes(tmp_path: Path, name: str) -> None:
    assert pitches(write(tmp_path, CONTAINERS[name])) == EIGHT


@pytest.mark.parametrize("lost", range(4, 60, 5))
def test_a_cut_file_gives_what_is_left_with_a_note(tmp_path: Path, lost: int) -> None:
    path = write(tmp_path, smf(scale(), kind=0)[:-lost])
    found = pitches(path)
    assert found == EIGHT[: len(found)] and len(found) >= 8 - (lost + 8) // 9
    assert "cut short" in scores.read_score(path).note


@pytest.mark.parametrize(
    ("over", "power", "bpm", "bar", "beats"),
    [
        (4, 2, 120, 2.0, 4), (7, 3, 200, 1.05, 7), (4, 2, 320, 0.75, 4), (4, 2, 25, 9.6, 4),
        (15, 4, 100, 2.25, 15),
        (17, 4, 60, 4.25, None), (6, 3, 90, 2.0, 2), (3, 2, 400, 0.45, 3), (5, 3, 280, 0.5357, None),
        (4, 2, 12, 20.0, None), (19, 3, 100, 5.7, None), (1, 4, 300, None, None), (13, 3, 130, 3.0, 13),
        (3, 1, 100, 3.6, 3), (21, 3, 120, 5.25, 7), (255, 2, 120, None, None), (32, 4, 120, 4.0, None),
    ],
)  # fmt: skip
def test_bars_are_as_long_as_written(
    tmp_path: Path, over: int, power: int, bpm: float, bar: float | None, beats: int | None
) -> None:
    score = scores.read_score(write(tmp_path, smf(tempo(bpm) + metre(over, power) + scale())))
    grid = score.grid
    written = over * 4 / 2**power * 60 / bpm
    count = grid.beats_per_bar * grid.seconds_per_beat / written
    assert count == pytest.approx(round(count) if count >= 1 else 1 / round(1 / count), rel=1e-5)
    if bar is not None:
        assert grid.beats_per_bar * grid.seconds_per_beat == pytest.approx(bar, rel=1e-3)
    if beats is not None:
        assert score.beats_per_bar == beats
    else:
        assert "counted as" in score.note


@pytest.mark.parametrize(
    ("first", "then", "at"),
    [((1, 2), (4, 2), 480), ((2, 2), (3, 2), 960), ((1, 3), (6, 3), 240), ((4, 2), (4, 2), 480)],
)
def test_a_pickup_lies_before_the_first_bar(
    tmp_path: Path, first: tuple[int, int], then: tuple[int, int], at: int
) -> None:
    path = write(tmp_path, smf(tempo(120) + metre(*first) + metre(*then, at), scale(at)))
    score = scores.read_score(path)
    assert score.offset == pytest.approx(at / 960) and score.melody[0].start == 0
    assert score.beats_per_bar == (2 if then == (6, 3) else then[0])


def test_a_change_of_metre_is_told(tmp_path: Path) -> None:
    score = scores.read_score(write(tmp_path, smf(metre(4, 2) + metre(7, 3, 3840), scale(960))))
    assert score.beats_per_bar == 4 and score.offset == 0 and "4/4, 7/8" in score.note


def test_of_type_two_the_first_pattern_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, smf(meta(3, b"none"), tempo(60) + scale(), tempo(90) + scale(first=72), kind=2))
    assert pitches(path) == EIGHT and starts(path)[1] == 1.0
    assert "first of its 2 patterns" in scores.read_score(path).note


GRIDS = [
    Grid(90, 3), Grid(140, 5), Grid(200.5, 7), Grid(120, 4, 0.37), Grid(93.7, 3, 1.9), Grid(60, 4, -0.3),
    Grid(120, 4, 5.2), Grid(100, 1, 0.2), Grid(120, 16, 7.75), Grid(33, 4, 0.0004),
]  # fmt: skip


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_lanes_written_come_back_with_their_grid(tmp_path: Path, grid: Grid) -> None:
    first = max(0, -(-grid.seconds_to_beats(0) // 1)) if grid.offset < 0 else 0
    drawn = Lanes(
        (ChordCell("c1", first, first + 4, "F"), ChordCell("c2", first + 4, first + 8, "Dm7")),
        (LaneNote("n1", first + 0.25, first + 2, 72), LaneNote("n2", first + 2, first + 4, 69)),
        (LaneHit("h1", first, "kick"), LaneHit("h2", first + 1 / 3, "snare")),
        (LanePart("p1", first, first + 8, "flute", by="drawn"),),
    )
    lanes.write_midi(tmp_path / "a.mid", drawn, grid)
    project = imports.put_score(Project(), scores.read_score(tmp_path / "a.mid"), "")
    assert project.grid.bpm == pytest.approx(grid.bpm) and project.grid.beats_per_bar == grid.beats_per_bar
    assert project.grid.offset == pytest.approx(grid.offset)
    back = project.lanes
    near = {"abs": 0.002}
    assert [n.pitch for n in back.melody] == [72, 69] and [h.drum for h in back.drums] == ["kick", "snare"]
    assert [x for n in back.melody for x in (n.start, n.end)] == pytest.approx(
        [x for n in drawn.melody for x in (n.start, n.end)], **near
    )
    assert [h.time for h in back.drums] == pytest.approx([h.time for h in drawn.drums], **near)
    assert (back.band[0].instrument, round(back.band[0].start, 2)) == ("flute", round(first, 2))
    if grid.beats_per_bar == 4 and grid.offset == 0.37:
        assert [(c.symbol, round(c.start, 2)) for c in back.chords] == [("F", 0), ("Dm7", 4)]


def test_other_programs_read_the_seconds_and_bars_that_are_written(tmp_path: Path) -> None:
    grid = Grid(100, 3, 0.5)
    lanes.write_midi(tmp_path / "a.mid", Lanes(melody=(LaneNote("n", 3, 4, 60),)), grid)
    read = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert read.instruments[0].notes[0].start == pytest.approx(grid.beats_to_seconds(3), abs=1e-3)
    assert read.get_downbeats()[1] == pytest.approx(0.5, abs=1e-3)


def test_a_score_lands_on_the_bars_of_a_clip_with_another_tempo(tmp_path: Path) -> None:
    clip = Project(grid=Grid(95, 4, 0.8), clip=Clip("a.wav", 60.0, 8000, 1))
    score = scores.read_score(write(tmp_path, smf(tempo(120) + metre(4, 2) + scale(1920))))
    put = imports.put_score(clip, score, "")
    assert put.grid == clip.grid
    assert [n.start for n in put.lanes.melody] == pytest.approx([4.0 * i for i in range(8)])
    assert "120 bpm becomes 95" in imports.put_words(clip, score, "")
    timed = scores.read_score(write(tmp_path, smf(scale(500), division=(256 - 25) << 8 | 40)))
    put = imports.put_score(clip, timed, "")
    assert clip.grid.beats_to_seconds(put.lanes.melody[1].start) == pytest.approx(0.5)


def test_what_is_no_midi_or_far_too_much_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b"", b"MThd", b"RIFF" * 9, header(1, 1), b"\xff" * 5000):
        with pytest.raises(InputError, match="song.mid: not a MIDI file"):
            midi.read_midi(write(tmp_path, content))
    monkeypatch.setattr(midi, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="song.mid: over"):
        midi.read_midi(write(tmp_path, smf(scale(480, 40))))


def test_counts_and_times_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "MAX_NOTES", 5)
    path = write(tmp_path, smf(scale()))
    assert len(pitches(path)) == 5 and "left out" in scores.read_score(path).note
    monkeypatch.setattr(midi, "MAX_NOTES", 100)
    late = scale(480, 4) + meta(1, b"", 0x0FFFFFFF) + scale(480, 4, 70)
    assert len(pitches(write(tmp_path, smf(late)))) == 4
    monkeypatch.setattr(midi_events, "MAX_EVENTS", 6)
    assert midi_events.chunks_of(smf(scale(), scale())) is not None


def test_no_mutation_of_a_file_breaks_the_reader_or_takes_long(tmp_path: Path) -> None:
    rng = random.Random(7)
    whole = [
        smf(tempo(120) + metre(3, 2) + scale(), meta(3, b"Drums") + hits(9, True)),
        *CONTAINERS.values(),
        smf(scale(), division=0xE728),
    ]
    begun = time.process_time()
    for turn in range(300):
        content = bytearray(rng.choice(whole))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(content))
            action = rng.randrange(4)
            if action == 0:
                content[at] = rng.randrange(256)
            elif action == 1:
                del content[at : at + rng.randrange(1, 9)]
            elif action == 2:
                content[at:at] = bytes(rng.choices((0, 0x7F, 0x80, 0x90, 0xF0, 0xFF), k=rng.randrange(1, 9)))
            else:
                content[at : at + 4] = length(rng.randrange(1 << 28))[:4]
            content = content or bytearray(b"M")
        path = write(tmp_path, bytes(content))
        try:
            score = scores.read_score(path, rng.choice(("", "melody", "drums")))
            imports.put_score(Project(), score, "")
        except InputError as error:
            assert "\n" not in str(error), turn
    assert time.process_time() - begun < 30
