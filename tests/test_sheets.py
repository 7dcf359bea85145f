"""MusicXML as musicians' programs write it: chords, pickups, transposition, drums, archives, faults."""

from __future__ import annotations

import random
import time
import zipfile
from pathlib import Path

import pytest

from editor.project.disk import imports, scores
from editor.project.document import Clip, Project
from editor.project.score import Score
from engines.audio.timebase import Grid
from engines.errors import InputError

CONTAINER = "<container><rootfiles>{}</rootfiles></container>"


def note(step: str = "C", octave: object = 5, length: object = 4, more: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>{length}</duration>{more}</note>"


def harmony(kind: str, root: str = "C", more: str = "", text: str = "", head: str = "") -> str:
    head = head or f"<root><root-step>{root}</root-step></root>"
    said = f' text="{text}"' if text else ""
    return f"<harmony>{head}<kind{said}>{kind}</kind>{more}</harmony>"


def degree(value: int, alter: int, kind: str) -> str:
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{kind}</degree-type></degree>"
    )


def attributes(
    beats: str = "4", unit: str = "4", more: str = "", fifths: int = 0, mode: str = "major"
) -> str:
    key = f"<key><fifths>{fifths}</fifths><mode>{mode}</mode></key>"
    time_ = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
    return f"<attributes><divisions>1</divisions>{key}{time_}{more}</attributes>"


TEMPO = '<direction><sound tempo="120"/></direction>'


def sheet(
    *bars: str, first: str | None = None, names: str = "", tempo: str = TEMPO, implicit: bool = False
) -> str:
    first = attributes() if first is None else first
    names = names or '<score-part id="P1"><part-name>Lead</part-name></score-part>'
    body = ""
    for i, bar in enumerate(bars, 0 if implicit else 1):
        head = "<measure number='0' implicit='yes'>" if implicit and i == 0 else f"<measure number='{i}'>"
        body += head + (first + tempo if i == (0 if implicit else 1) else "") + bar + "</measure>"
    return f'<score-partwise><part-list>{names}</part-list><part id="P1">{body}</part></score-partwise>'


def read(folder: Path, text: str | bytes, name: str = "tune.musicxml") -> Score:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return scores.read_score(path)


def symbols(score: Score) -> list[str]:
    return [chord.symbol for chord in score.chords]


DEGREES = [
    ("minor-seventh", degree(5, -1, "alter"), "m7b5", False), ("major", degree(5, 1, "alter"), "aug", False),
    ("minor", degree(5, -1, "alter"), "dim", False), ("major", degree(7, 0, "add"), "maj7", False),
    ("major", degree(7, -1, "add"), "7", False), ("minor", degree(7, -1, "add"), "m7", False),
    ("major", degree(6, 0, "add"), "6", False), ("minor", degree(6, 0, "add"), "m6", False),
    ("diminished", degree(7, -1, "add"), "m7b5", False), ("dominant", degree(7, 0, "subtract"), "", False),
    ("major-seventh", degree(3, -1, "alter"), "m", True), ("dominant", degree(9, -1, "add"), "7", True),
    ("major", degree(3, 0, "subtract") + degree(4, 0, "add"), "", True),
    ("major", degree(9, 0, "add"), "", True), ("dominant", degree(5, -1, "alter"), "7", True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "degrees", "quality", "told"), DEGREES)
def test_degrees_change_chords(tmp_path: Path, kind: str, degrees: str, quality: str, told: bool) -> None:
    for root in ("C", "B"):
        score = read(tmp_path, sheet(harmony(kind, root, degrees) + note()))
        assert symbols(score) == [root + quality]
        assert ("is played as" in score.note) is told


@pytest.mark.parametrize(
    ("kind", "text", "symbol"),
    [
        ("other", "m7b5", "Cm7b5"), ("other", "m", "Cm"), (" minor ", "", "Cm"), ("Minor", "", "Cm"),
        ("minor seventh", "", "Cm7"), ("minor_seventh", "", "Cm7"), ("min7", "", "Cm7"),
        ("", "maj7", "Cmaj7"), ("", "Cm7", "Cm7"), ("other", "Δ7", "Cmaj7"), ("m7b5", "", "Cm7b5"),
        ("other", "dim7", "Cdim"),
        ("\n major \n", "", "C"), ("other", "-7", "Cm7"), ("dominant", "7", "C7"),
    ],
)  # fmt: skip
def test_kinds_as_text_say_what_they_say(tmp_path: Path, kind: str, text: str, symbol: str) -> None:
    score = read(tmp_path, sheet(harmony("major", "F") + note(), harmony(kind, "C", text=text) + note()))
    assert symbols(score) == ["F", symbol]


@pytest.mark.parametrize(
    ("kind", "text"), [("other", ""), ("", ""), ("Tristan", ""), ("pedal", ""), ("other", "??")]
)
def test_an_unknown_chord_is_none_with_a_note(tmp_path: Path, kind: str, text: str) -> None:
    score = read(tmp_path, sheet(harmony("major", "F") + note(), harmony(kind, "C", text=text) + note()))
    assert symbols(score) == ["F", "N"] and score.chords[0].end == 2.0
    assert "not known: no chord there" in score.note


@pytest.mark.parametrize(
    ("fifths", "mode", "numeral", "symbol"),
    [
        (0, "major", "IV", "F"), (0, "major", "V", "G"), (2, "major", "vi", "B"), (-1, "major", "bVII", "Eb"),
        (0, "minor", "VI", "F"), (-3, "minor", "V", "G"), (0, "major", "#IV", "F#"), (1, "major", "ii7", "A"),
        (0, "major", "V/V", "D"), (0, "major", "Q", "N"),
    ],
)  # fmt: skip
def test_roman_numerals_are_chords_of_the_key_or_gaps(
    tmp_path: Path, fifths: int, mode: str, numeral: str, symbol: str
) -> None:
    function = harmony("major", head=f"<function>{numeral}</function>")
    text = sheet(
        harmony("major", "C") + note(), function + note(), first=attributes(fifths=fifths, mode=mode)
    )
    assert symbols(read(tmp_path, text)) == ["C", symbol]


@pytest.mark.parametrize(
    ("chromatic", "octaves", "pitch", "symbol"),
    [(-2, 0, 70, "Bb"), (-9, 0, 63, "Eb"), (3, 0, 75, "Eb"), (0, -1, 60, "C"), (-2, -1, 58, "Bb")],
)
def test_transposing_instruments_sound_as_they_do(
    tmp_path: Path, chromatic: int, octaves: int, pitch: int, symbol: str
) -> None:
    more = (
        f"<transpose><chromatic>{chromatic}</chromatic><octave-change>{octaves}</octave-change></transpose>"
    )
    score = read(tmp_path, sheet(harmony("major") + note(), first=attributes(more=more)))
    assert score.melody[0].pitch == pitch and symbols(score) == [symbol]


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize(("beats", "pickup"), [(4, 1), (3, 1), (4, 3), (2, 1)])
def test_a_pickup_is_an_offset(tmp_path: Path, beats: int, pickup: int, implicit: bool) -> None:
    bars = [harmony("major", root) + note(length=beats) for root in "CFG"]
    text = sheet(note("G", 4, pickup), *bars, first=attributes(str(beats)), implicit=implicit)
    score = read(tmp_path, text)
    assert score.offset == pytest.approx(pickup * 0.5) and score.beats_per_bar == beats
    put = imports.put_score(Project(), score, "")
    assert [c.start for c in put.lanes.chords] == pytest.approx([0, beats, 2 * beats])
    assert put.lanes.melody[0].start == pytest.approx(-pickup)


def test_a_lead_sheet_lands_on_the_bars_of_the_clip(tmp_path: Path) -> None:
    bars = [harmony("major", root) + note() for root in "CFG"]
    score = read(tmp_path, sheet(note("G", 4, 1), *bars, implicit=True))
    for offset, later in ((2.0, 0), (0.2, 4)):
        clip = Project(grid=Grid(95, 4, offset), clip=Clip("a.wav", 60.0, 8000, 1))
        put = imports.put_score(clip, score, "")
        assert put.grid == clip.grid
        assert [c.start for c in put.lanes.chords] == pytest.approx([later, later + 4, later + 8])
        assert put.lanes.melody[0].start == pytest.approx(later - 1)
    assert "95" in imports.put_words(clip, score, "")


@pytest.mark.parametrize("tempo", ["inf", "-90", "nan", "0", "1e999", "fast", "99999999", "-inf"])
def test_a_tempo_that_is_none_is_left_out(tmp_path: Path, tempo: str) -> None:
    mark = f"<metronome><beat-unit>quarter</beat-unit><per-minute>{tempo}</per-minute></metronome>"
    for said in (
        f'<sound tempo="{tempo}"/>',
        f"<direction><direction-type>{mark}</direction-type></direction>",
    ):
        score = read(tmp_path, sheet(note(), tempo=said))
        assert score.bpm == 120 and "says nothing" in score.note


@pytest.mark.parametrize(
    ("said", "bpm"),
    [
        ("c. 72", 72),
        ("c.72", 72),
        ("ca 72", 72),
        ("circa 72-76", 72),
        ("♩ = 72", 72),
        ("72.5", 72.5),
        ("ca. 72,5", 72.5),
    ],
)
def test_a_tempo_in_words_counts(tmp_path: Path, said: str, bpm: float) -> None:
    mark = f"<metronome><beat-unit>quarter</beat-unit><per-minute>{said}</per-minute></metronome>"
    tempo = f"<direction><direction-type>{mark}</direction-type></direction>"
    assert read(tmp_path, sheet(note(), tempo=tempo)).bpm == bpm
    words = "<direction><direction-type><words>Andante (♩. = 60)</words></direction-type></direction>"
    assert read(tmp_path, sheet(note(), tempo=words)).bpm == 90


@pytest.mark.parametrize(
    ("beats", "unit"),
    [("4", "0"), ("0", "4"), ("-3", "4"), ("x", "y"), ("4", "5"), ("9999", "4"), ("1e9", "4")],
)
def test_a_metre_that_is_none_is_four_four(tmp_path: Path, beats: str, unit: str) -> None:
    score = read(tmp_path, sheet(note(), first=attributes(beats, unit)))
    assert score.beats_per_bar == 4 and "4/4 is taken" in score.note


def test_composite_metres_add_up(tmp_path: Path) -> None:
    time_ = "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>4</beat-type></time>"
    first = f"<attributes><divisions>2</divisions>{time_}</attributes>"
    assert read(tmp_path, sheet(note(length=7), first=first)).beats_per_bar == 7
    assert read(tmp_path, sheet(note(), first=attributes("3+2", "8"))).beats_per_bar == 5


@pytest.mark.parametrize(
    "field", ["octave", "duration", "alter", "backup", "unpitched", "divisions", "degree"]
)
@pytest.mark.parametrize("value", ["x", "1/2", "nan", "inf", "1e999", "9" * 400, "--1", "٣x"])
def test_a_field_that_is_no_number_is_one_line(tmp_path: Path, field: str, value: str) -> None:
    key = f"<midi-unpitched>{value}</midi-unpitched>"
    row = f'<score-part id="P1"><midi-instrument id="I">{key}</midi-instrument></score-part>'
    text = {
        "octave": sheet(note(octave=value)), "duration": sheet(note(length=value)),
        "alter": sheet(note().replace("<octave>", f"<alter>{value}</alter><octave>")),
        "backup": sheet(note() + f"<backup><duration>{value}</duration></backup>"),
        "unpitched": sheet(note(), names=row),
        "divisions": sheet(note()).replace("<divisions>1<", f"<divisions>{value}<"),
        "degree": sheet(harmony("major", more=degree(5, 0, "add").replace(">5<", f">{value}<")) + note()),
    }[field]  # fmt: skip
    with pytest.raises(InputError, match="tune.musicxml: not MusicXML that can be read") as told:
        read(tmp_path, text)
    assert "\n" not in str(told.value) and "expected a number" in str(told.value)


def drum(length: int = 1, instrument: str = "", step: str = "F", octave: int = 4) -> str:
    place = f"<display-step>{step}</display-step><display-octave>{octave}</display-octave>"
    named = f'<instrument id="{instrument}"/>' if instrument else ""
    return f"<note><unpitched>{place}</unpitched><duration>{length}</duration>{named}</note>"


def kit(*keys: int, name: str = "Kit") -> str:
    midi = "".join(
        f'<midi-instrument id="I{k}"><midi-unpitched>{k + 1}</midi-unpitched></midi-instrument>' for k in keys
    )
    return f'<score-part id="P1"><part-name>{name}</part-name>{midi}</score-part>'


def test_unpitched_notes_find_their_drum(tmp_path: Path) -> None:
    def drums(bar: str, names: str) -> list[str]:
        return [hit.drum for hit in read(tmp_path, sheet(bar, names=names)).drums]

    assert drums(drum() * 4, kit(38)) == ["snare"] * 4
    assert drums(drum(instrument="I36") + drum(instrument="I42"), kit(36, 42)) == ["kick", "hat"]
    assert drums(drum() + drum(step="C", octave=5) + drum(step="G", octave=5), kit(36, 38)) == [
        "kick",
        "snare",
        "hat",
    ]
    assert drums(drum() * 2, kit(name="Snare Drum")) == ["snare"] * 2
    assert "guessed" in read(tmp_path, sheet(drum(), names=kit(name="Hi-hat"))).note


def test_cues_do_not_sing_and_ties_end_where_they_are_written(tmp_path: Path) -> None:
    cue = note("C", 6, 2).replace("<note>", "<note><cue/>")
    score = read(tmp_path, sheet(cue * 2, note("G", 4)))
    assert [(n.pitch, n.start) for n in score.melody] == [(67, 2.0)] and "cue notes" in score.note
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    score = read(tmp_path, sheet(note(more=start), note("D")))
    assert [(n.pitch, n.end - n.start) for n in score.melody] == [(72, 2.0), (74, 2.0)]
    score = read(tmp_path, sheet(note(more=start), note("D"), note(more=stop)))
    assert [(n.pitch, n.end - n.start) for n in score.melody] == [(72, 2.0), (74, 2.0), (72, 2.0)]


def test_changes_of_tempo_and_metre_and_repeats_are_told(tmp_path: Path) -> None:
    later = '<sound tempo="60"/>' + attributes("7", "8")
    score = read(tmp_path, sheet(note(), later + note(), "<barline><repeat/></barline>" + note()))
    for words in ("tempo changes (120, 60", "metre changes (4/4, 7/8)", "repeats are not played"):
        assert words in score.note


PLAIN = sheet(harmony("major") + note())


@pytest.mark.parametrize(
    "text",
    [
        b"\n\n" + b'<?xml version="1.0"?>' + PLAIN.encode(), b"\xef\xbb\xbf" + PLAIN.encode(),
        b"\xef\xbb\xbf \r\n" + b'<?xml version="1.0" encoding="UTF-8"?>' + PLAIN.encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + PLAIN).encode("utf-16"),
        ('\n<?xml version="1.0" encoding="UTF-8"?>' + PLAIN).encode("utf-16"),
        PLAIN.encode("utf-16-le"), PLAIN.replace("<score-partwise", '<score-partwise xmlns="http://a"').encode(),
        PLAIN.replace("<", "<m:").replace("<m:/", "</m:").encode(),
    ],
)  # fmt: skip
def test_harmless_oddities_are_read(tmp_path: Path, text: bytes) -> None:
    assert symbols(read(tmp_path, text, "tune.xml")) == ["C"]


@pytest.mark.parametrize("encoding", ["UTF-1e999", "nonsense", "latin-99", "rot13", "zlib_codec", "idna"])
def test_an_unknown_encoding_is_one_line(tmp_path: Path, encoding: str) -> None:
    try:
        read(tmp_path, f'<?xml version="1.0" encoding="{encoding}"?>{PLAIN}')
    except InputError as error:
        assert str(error).startswith("tune.musicxml: not MusicXML") and "\n" not in str(error)


def packed(folder: Path, files: dict[str, str], encrypted: bool = False, broken: bool = False) -> Path:
    path = folder / "tune.mxl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    content = bytearray(path.read_bytes())
    if encrypted:
        for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            content[content.find(mark) + at] |= 1
    if broken:
        at = content.find(b"score.xml") + 9
        content[at : at + 40] = b"\xff" * 40
    path.write_bytes(content)
    return path


def test_an_archive_says_which_file_is_the_score(tmp_path: Path) -> None:
    other = sheet(harmony("major", "G") + note())
    root = '<rootfile full-path="{}"/>'
    for name in ("score.xml", "a/b/score.musicxml", "le%20ad.xml"):
        inside = name.replace("%20", " ")
        container = CONTAINER.format(root.format(name))
        files = {"part.xml": other, "META-INF/container.xml": container, inside: PLAIN}
        assert symbols(scores.read_score(packed(tmp_path, files))) == ["C"]
    for container in ("", "<a", CONTAINER.format(root.format("gone.xml"))):
        files = {"__MACOSX/._score.xml": "\0\5", "META-INF/container.xml": container, "score.xml": PLAIN}
        assert symbols(scores.read_score(packed(tmp_path, files))) == ["C"]


def test_broken_archives_are_one_line(tmp_path: Path) -> None:
    for path in (
        packed(tmp_path, {"score.xml": PLAIN}, encrypted=True),
        packed(tmp_path, {"score.xml": PLAIN}, broken=True), packed(tmp_path, {"notes.txt": "a"}),
    ):  # fmt: skip
        with pytest.raises(InputError, match="tune.mxl: not MusicXML") as told:
            scores.read_score(path)
        assert "\n" not in str(told.value)


def test_parts_share_their_bars_and_lengths_are_bounded(tmp_path: Path) -> None:
    second = (
        '<part id="P2"><measure>' + attributes() + "</measure><measure>" + note("E", 3) + "</measure></part>"
    )
    text = sheet(note(), note("D")).replace("</score-partwise>", f"{second}</score-partwise>")
    assert [n.start for n in read(tmp_path, text).melody] == [0, 2]
    with pytest.raises(InputError, match="longer than a score can be"):
        read(tmp_path, sheet(*[note(length=99999)] * 2))


def test_no_mutation_of_a_score_breaks_the_reader_or_takes_long(tmp_path: Path) -> None:
    rng = random.Random(3)
    values = ("", "0", "-1", "nan", "1e999", "9" * 30, "x", "\U0001f3b5", "255")
    whole = sheet(
        note(length=1),
        harmony("minor-seventh", more=degree(5, -1, "alter")) + note(more='<tie type="start"/>'),
        attributes("7", "8") + note(length=3), drum(), names=kit(36, 38), implicit=True,
    )  # fmt: skip
    begun = time.process_time()
    for turn in range(300):
        text = whole
        for _ in range(rng.choice((1, 2, 4))):
            at = rng.randrange(len(text))
            begin, end = text.find(">", at) + 1, text.find("<", text.find(">", at) + 1)
            if rng.random() < 0.6 and 0 < begin < end:
                text = text[:begin] + rng.choice(values) + text[end:]
            elif rng.random() < 0.5:
                text = text[:at] + text[at + rng.randrange(1, 30) :]
            else:
                text = text[:at] + text[rng.randrange(len(text)) :][: rng.randrange(60)] + text[at:]
        try:
            score = read(tmp_path, text)
            imports.put_score(Project(), score, "")
        except InputError as error:
            assert "\n" not in str(error), turn
    assert time.process_time() - begun < 30
