"""Lead sheets: what a MusicXML file says is what the arranger plays."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from engines.music.chords import pitch_classes
from study.data.corpus import HELD_OUT, arrange
from study.data.leadsheets import CACHE, Sheet, read_sheet, sheets


def note(step: str, octave: int, length: int, tie: str = "", alter: int = 0) -> str:
    tied = f'<tie type="{tie}"/>' if tie else ""
    bend = f"<alter>{alter}</alter>" if alter else ""
    pitch = f"<pitch><step>{step}</step>{bend}<octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>{length}</duration>{tied}<voice>1</voice></note>"


def rest(length: int) -> str:
    return f"<note><rest/><duration>{length}</duration></note>"


def chord(root: str, kind: str, bass: str = "") -> str:
    low = f"<bass><bass-step>{bass}</bass-step></bass>" if bass else ""
    return f"<harmony><root><root-step>{root}</root-step></root><kind>{kind}</kind>{low}</harmony>"


def write(path: Path, bars: list[str], beats: int = 4, unit: int = 4, fifths: int = 0) -> Path:
    """A compressed file with two divisions a quarter."""
    signature = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
    key = f"<key><fifths>{fifths}</fifths></key>"
    first = f"<attributes><divisions>2</divisions>{key}{signature}</attributes>"
    body = "".join(f"<measure>{first if i == 0 else ''}{bar}</measure>" for i, bar in enumerate(bars))
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("tune.xml", f"<score-partwise><part>{body}</part></score-partwise>")
    return path


def tune() -> list[str]:
    """A pickup of a quarter, then eight bars of 4/4 with a tie over a bar line and a chord within a bar."""
    pickup = note("G", 4, 2)
    one = chord("C", "major") + note("C", 5, 4) + note("E", 5, 4, "start")
    two = chord("G", "dominant", "B") + note("E", 5, 2, "stop") + rest(2)
    two += chord("F", "minor") + note("F", 4, 4, alter=1)
    return [pickup, *[one, two] * 4]


def test_a_sheet_has_its_notes_chords_and_bars_on_the_beat(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path / "A tune.mxl", tune()))
    assert sheet is not None
    assert (sheet.title, sheet.metre, sheet.tonic, sheet.minor, sheet.bars) == ("A tune", "4/4", 0, False, 8)
    assert sheet.notes[:3] == ((0.0, 2.0, 72), (2.0, 3.0, 76), (6.0, 2.0, 66))
    # G7 over B is not in the vocabulary
    assert sheet.chords[:4] == ((0.0, "C"), (4.0, "G7"), (6.0, "Fm"), (8.0, "C"))


def test_a_tune_that_ends_on_the_relative_minor_is_in_minor(tmp_path: Path) -> None:
    bars = tune()
    bars[-1] = chord("A", "minor") + note("A", 4, 8)
    sheet = read_sheet(write(tmp_path / "Minor.mxl", bars))
    assert sheet is not None and sheet.minor and sheet.tonic == 9


def test_six_eight_counts_dotted_quarters(tmp_path: Path) -> None:
    bar = chord("D", "minor") + note("D", 5, 3) + chord("A", "minor") + note("A", 4, 3)
    sheet = read_sheet(write(tmp_path / "Jig.mxl", [bar] * 8, 6, 8))
    assert sheet is not None and sheet.metre == "6/8" and sheet.bars == 8
    assert sheet.notes[:3] == ((0.0, 1.0, 74), (1.0, 1.0, 69), (2.0, 1.0, 74))
    assert sheet.chords[:2] == ((0.0, "Dm"), (1.0, "Am"))


@pytest.mark.parametrize("beats, unit", [(5, 4), (2, 4), (12, 8)])
def test_other_metres_are_left_out(tmp_path: Path, beats: int, unit: int) -> None:
    bar = chord("C", "major") + note("C", 5, 8 * beats // unit)
    assert read_sheet(write(tmp_path / "Odd.mxl", [bar] * 12, beats, unit)) is None


def test_a_tune_without_chords_is_left_out(tmp_path: Path) -> None:
    assert read_sheet(write(tmp_path / "Bare.mxl", [note("C", 5, 8)] * 12)) is None


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheets")
    for i in range(40):
        write(folder / f"{i}" / f"Song {i}.mxl", tune())
    return folder


def test_sheets_are_parsed_once_and_kept(library: Path) -> None:
    found = sheets(library)
    assert len(found) == 40 and all(isinstance(s, Sheet) for s in found)
    sheets.cache_clear()
    assert sheets(library) == found
    assert len(json.loads((library / CACHE).read_text())) == 40
    assert 0 < sum(s.held_out for s in found) < 12


def test_held_out_seeds_alone_play_held_out_sheets(library: Path) -> None:
    held_out = {s.title for s in sheets(library) if s.held_out}
    training = {arrange(seed, 4.0, leadsheets=library).tune for seed in range(200)} - {""}
    measuring = {arrange(HELD_OUT + seed, 4.0, leadsheets=library).tune for seed in range(200)} - {""}
    assert training and measuring
    assert not training & held_out and measuring <= held_out


def test_a_tune_is_played_in_its_key_over_its_chords(library: Path) -> None:
    played = [p for p in (arrange(seed, 12.0, leadsheets=library) for seed in range(300)) if p.tune]
    assert len(played) > 20 and len({p.key for p in played}) > 8
    names = "C C# D Eb E F F# G Ab A Bb B".split()
    for p in played:
        tonic = names.index(p.key.split()[0])
        allowed = {frozenset((tonic + s) % 12 for s in c) for c in ((0, 4, 7), (7, 11, 2, 5), (5, 8, 0))}
        assert {frozenset(pitch_classes(c.symbol)) for c in p.chords if c.symbol != "N"} <= allowed
        grace = 0.08  # seconds
        sung = {(n.pitch - tonic) % 12 for n in p.melody if n.end - n.start > grace}
        assert sung <= {0, 4, 6}
