"""The vocabulary and the spellings that musicians write."""

import pytest

from engines.errors import InputError
from engines.music.chords import (
    NULL_CHORD,
    QUALITIES,
    ROOTS,
    VOCABULARY,
    bass,
    parse,
    parse_line,
    pitch_classes,
    root,
)
from engines.requests import Chord


def test_the_vocabulary_has_jascos_counts() -> None:
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 194 == NULL_CHORD
    assert VOCABULARY[0] == "N" and VOCABULARY[193] == "UNK"
    assert sum("/" in symbol for symbol in VOCABULARY) == 72
    assert {r + q for r in ROOTS for q in QUALITIES} <= set(VOCABULARY)
    assert {"C#/E#", "Ab/Gb", "Abm/Cb", "Cm7b5/Bb"} <= set(VOCABULARY)


def test_every_symbol_of_the_vocabulary_means_itself() -> None:
    for index, symbol in enumerate(VOCABULARY):
        parsed = parse(symbol)
        assert (parsed.symbol, parsed.index, parsed.simplified) == (symbol, index, "")


def test_no_two_symbols_sound_the_same() -> None:
    sounds = {(root(s), bass(s), frozenset(pitch_classes(s))) for s in VOCABULARY[1:-1]}
    assert len(sounds) == 192


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Db", "C#"), ("G#m", "Abm"), ("Cb", "B"), ("E#7", "F7"), ("D♭", "C#"), ("B♭m7", "Bbm7"),
        ("Cmaj", "C"), ("CM", "C"), ("CM7", "Cmaj7"), ("CΔ", "Cmaj7"), ("CMaj7", "Cmaj7"), ("C^7", "Cmaj7"),
        ("Cmin", "Cm"), ("C-", "Cm"), ("C-7", "Cm7"), ("Cmi7", "Cm7"), ("am", "Am"), ("bb", "Bb"),
        ("Cdim", "Cdim"), ("C°", "Cdim"), ("Co", "Cdim"), ("Cø", "Cm7b5"), ("Cm7-5", "Cm7b5"), ("C+", "Caug"),
        ("N.C.", "N"), ("nc", "N"), ("C7/Bb", "C/Bb"), ("Db/F", "C#/E#"), ("Am7b5/G", "Am7b5/G"),
        ("C/C", "C"),
    ],
)  # fmt: skip
def test_spellings_that_lose_nothing(written: str, meant: str) -> None:
    assert parse(written).symbol == meant
    assert parse(written).simplified == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Csus4", "C"), ("G7sus4", "G7"), ("C9", "C7"), ("C13", "C7"), ("Cadd9", "C"), ("Cmaj9", "Cmaj7"),
        ("C6/9", "C6"), ("Cdim7", "Cdim"), ("CmMaj7", "Cm"), ("C7(b9,#11)", "C7"), ("C5", "C"),
        ("C/B", "Cmaj7"), ("Cm/Bb", "Cm7"), ("F#m7/E", "F#m7"), ("C7#5", "C7"), ("Cmadd9", "Cm"),
    ],
)  # fmt: skip
def test_what_the_models_do_not_know_is_simplified_and_said(written: str, meant: str) -> None:
    parsed = parse(written)
    assert parsed.symbol == meant
    assert written in parsed.simplified and meant in parsed.simplified


@pytest.mark.parametrize(
    "nonsense", ["H7", "", "/", "C/H", "Cxyz", "C@", "\x00", "C" * 10_000, "7", "Cm7b5b"]
)
def test_nonsense_is_refused_in_one_short_line(nonsense: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(nonsense)
    message = str(refused.value)
    assert message.startswith("chord ") and "\n" not in message and len(message) < 200


def test_pitch_classes_start_at_the_root() -> None:
    assert pitch_classes("Am7") == (9, 0, 4, 7)
    assert pitch_classes("C/Bb") == (0, 4, 7, 10) and bass("C/Bb") == 10
    assert root("Db/F") == 1 and bass("Db/F") == 5
    assert pitch_classes("N") == () and root("N") is None


def test_a_line_of_chords_lasts_until_the_next_and_the_end() -> None:
    assert parse_line("C@0 Am@2.5 Db@5", 10) == (
        Chord(0, 2.5, "C"),
        Chord(2.5, 5, "Am"),
        Chord(5, 10, "C#"),
    )


@pytest.mark.parametrize("line", ["", "C", "C@x", "C@nan", "C@-1", "C@10", "C@2 Am@1", "C@1 Am@1", "H@0"])
def test_a_bad_line_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        parse_line(line, 10)
