"""The reader of MusicXML: what is written is what is read, and nothing else is let in."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.music import musicxml
from engines.music.musicxml import ChordSymbol, Measure, WrittenHit, WrittenNote, read_musicxml
from engines.music.symbols import of_numeral

DOCTYPE = '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.0 Partwise//EN" "partwise.dtd">'


def note(step: str, octave: int, length: int, more: str = "", voice: str = "1", alter: int = 0) -> str:
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{more}{pitch}<duration>{length}</duration><voice>{voice}</voice></note>"


def score(measures: list[str], names: str = "", head: str = "") -> str:
    """One part in 3/4 with two divisions a quarter."""
    first = "<attributes><divisions>2</divisions><key><fifths>-2</fifths><mode>minor</mode></key>"
    first += "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    bars = "".join(f"<measure>{first if i == 0 else ''}{m}</measure>" for i, m in enumerate(measures))
    names = names or '<score-part id="P1"><part-name>Voice</part-name></score-part>'
    body = f'<part-list>{names}</part-list><part id="P1">{bars}</part>'
    return f'<?xml version="1.0"?>{head}<score-partwise>{body}</score-partwise>'


def written(folder: Path, text: str) -> Path:
    path = folder / "tune.musicxml"
    path.write_text(text)
    return path


def test_notes_lie_where_they_are_written_in_quarters(tmp_path: Path) -> None:
    first = note("C", 4, 2) + note("E", 4, 2, "<chord/>") + note("F", 5, 4, alter=1)
    second = note("B", 4, 6, alter=-1) + "<backup><duration>6</duration></backup>"
    second += (
        note("D", 3, 3, voice="2") + "<forward><duration>1</duration></forward>" + note("D", 3, 2, voice="2")
    )
    (part,) = read_musicxml(written(tmp_path, score([first, second], head=DOCTYPE)))
    assert part.name == "Voice" and part.program == -1 and part.length == 6.0
    assert part.metres == [("3", "4")] and part.keys == [(-2, "minor")]
    assert part.measures == [Measure(0.0, 3.0, ("3", "4")), Measure(3.0, 3.0, ("3", "4"))]
    assert part.notes == [
        WrittenNote(0.0, 1.0, 60, "1"), WrittenNote(0.0, 1.0, 64, "1", chord=True),
        WrittenNote(1.0, 2.0, 78, "1"),
        WrittenNote(3.0, 3.0, 70, "1"), WrittenNote(3.0, 1.5, 50, "2"), WrittenNote(5.0, 1.0, 50, "2"),
    ]  # fmt: skip


def test_tied_notes_are_one_and_a_tie_without_its_end_loses_nothing(tmp_path: Path) -> None:
    start, both, stop = '<tie type="start"/>', '<tie type="stop"/><tie type="start"/>', '<tie type="stop"/>'
    bars = [note("C", 4, 6, start), note("C", 4, 6, both), note("C", 4, 2, stop) + note("C", 4, 4, start)]
    (part,) = read_musicxml(written(tmp_path, score([*bars, note("D", 4, 6)])))
    assert [(n.at, n.length, n.pitch) for n in part.notes] == [(0.0, 7.0, 60), (7.0, 2.0, 60), (9.0, 3.0, 62)]


def test_chord_symbols_have_kind_root_bass_and_place(tmp_path: Path) -> None:
    def harmony(kind: str, more: str = "", offset: int = 0) -> str:
        root = "<root><root-step>F</root-step><root-alter>1</root-alter></root>"
        return f"<harmony>{root}<kind>{kind}</kind>{more}<offset>{offset}</offset></harmony>"

    bass = "<bass><bass-step>A</bass-step></bass>"
    bar = harmony("minor-seventh", bass) + note("F", 4, 2) + harmony("none", offset=2) + note("F", 4, 4)
    (part,) = read_musicxml(written(tmp_path, score([bar])))
    assert part.symbols == [ChordSymbol(0.0, "minor-seventh", "F#", "A"), ChordSymbol(2.0, "none", "F#")]
    assert [symbol.written for symbol in part.symbols] == ["F#m7/A", "N"]


def test_drums_programs_and_the_first_tempo_are_read(tmp_path: Path) -> None:
    row = '<score-part id="P1"><part-name>Kit</part-name><midi-instrument id="I1">'
    row += "<midi-program>25</midi-program><midi-unpitched>39</midi-unpitched></midi-instrument></score-part>"
    mark = "<metronome><beat-unit>half</beat-unit><beat-unit-dot/><per-minute>40</per-minute></metronome>"
    hit = '<note><unpitched/><duration>2</duration><instrument id="I1"/></note>'
    bar = f'<direction>{mark}</direction><sound tempo="90"/>{hit}<note><rest/><duration>4</duration></note>'
    (part,) = read_musicxml(written(tmp_path, score([bar], row)))
    assert part.hits == [WrittenHit(0.0, 38)] and not part.notes
    assert part.program == 24 and part.quarters_a_minute == 120.0


def test_compressed_files_are_read_and_numbers_from_signatures(tmp_path: Path) -> None:
    path = tmp_path / "tune.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("tune.xml", score([note("C", 4, 6)]))
    assert read_musicxml(path)[0].notes == [WrittenNote(0.0, 3.0, 60, "1")]
    assert [musicxml.signature(m) for m in (("6", "8"), ("3+2", "8"), ("", ""))] == [(6, 8), (5, 8), (4, 4)]


@pytest.mark.parametrize(
    "text, told",
    [
        ("no xml", "not MusicXML"),
        ("<opus/>", "'opus' file"),
        (score([], head='<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'), "not MusicXML"),
        (score([], head='<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "not MusicXML"),
        (score(["<note><rest/><duration>nan</duration></note>"]), "not MusicXML"),
        (score(["<note><rest/><duration>many</duration></note>"]), "not MusicXML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_declares_entities_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"tune.musicxml: .*{told}"):
        read_musicxml(written(tmp_path, text))


def test_sizes_are_bounded_whatever_an_archive_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, packed = score([note("C", 4, 6)] * 200), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tune.xml", text)
    (tmp_path / "tune.mxl").write_bytes(packed.getvalue())
    assert len(read_musicxml(tmp_path / "tune.mxl")[0].notes) == 200
    with monkeypatch.context() as patch:
        patch.setattr(musicxml, "MAX_BYTES", len(text) - 1)
        for path in (tmp_path / "tune.mxl", written(tmp_path, text)):
            with pytest.raises(InputError, match="not MusicXML"):
                read_musicxml(path)
    monkeypatch.setattr(musicxml, "MAX_ELEMENTS", 100)
    with pytest.raises(InputError, match="not MusicXML"):
        read_musicxml(tmp_path / "tune.mxl")


def test_a_score_of_bars_is_read_as_one_of_parts(tmp_path: Path) -> None:
    bars = [note("C", 4, 6), note("D", 4, 2) + note("E", 4, 4), note("F", 4, 6)]
    text = score(bars)
    (part,) = read_musicxml(written(tmp_path, text))
    measures = re.findall("<measure>(.*?)</measure>", text)
    second = f'<part id="P2"><attributes><divisions>2</divisions></attributes>{note("G", 3, 6)}</part>'
    turned = "".join(  # the second part enters in the second bar
        f'<measure><part id="P1">{bar}</part>{second if i == 1 else ""}</measure>'
        for i, bar in enumerate(measures)
    )
    names = "".join(f'<score-part id="{id}"><part-name>Voice</part-name></score-part>' for id in ("P1", "P2"))
    text = f"<score-timewise><part-list>{names}</part-list>{turned}</score-timewise>"
    found = read_musicxml(written(tmp_path, text))
    assert (found[0].notes, found[0].measures, found[0].metres) == (part.notes, part.measures, part.metres)
    assert [(n.at, n.pitch) for n in found[1].notes] == [(3.0, 55)]


@pytest.mark.parametrize(
    ("numeral", "fifths", "minor", "root"),
    [
        ("V7", 0, False, "G"), ("V7/ii", 0, False, "A"), ("V/V", 0, False, "D"), ("V/V/V", 0, False, "A"),
        ("viio7/V", 0, False, "F#"), ("V7/IV", 1, False, "G"),
        ("V/iv", 0, True, "A"), ("I6/4", 0, False, "C"), ("V/X", 0, False, ""), ("N", 0, False, ""),
    ],
)  # fmt: skip
def test_numerals_name_roots_also_of_other_degrees(numeral: str, fifths: int, minor: bool, root: str) -> None:
    assert of_numeral(numeral, fifths, minor) == root
