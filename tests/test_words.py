"""What the words of a prompt ask for, as a musician would mean them."""

from __future__ import annotations

import time

import pytest

from engines.music.instruments import OTHERS, ROWS, family_of
from engines.networks.text import TextEncoder
from engines.requests import Part
from engines.words.reader import key, parts, tempo, understood, without_drums


def said(prompt: str, encoder: TextEncoder | None = None) -> list[str]:
    """Names in order; a minus before those that must not play."""
    return [("" if one.plays else "-") + one.name for one in understood(prompt, encoder)]


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("flute", ["flute"]),
        ("make it a piano", ["piano"]),
        ("bass drum and lead guitar", ["drums", "electric guitar"]),
        ("guitar solo over reggae", ["guitars"]),
        ("string quartet", ["strings"]),
        ("walking bass, brushed drums and vibes", ["basses", "drums", "vibraphone"]),
        ("steel drums", ["steel drums"]),
        ("bandoneón", ["bandoneon"]),
        ("violins", ["violin"]),
        (
            "a saxophonist, two cellists, a trumpeter and a trombonist",
            ["saxophone", "cello", "trumpet", "trombone"],
        ),
        ("minimalist and modernist", []),
        ("Hammond organ with a Rhodes", ["organ", "electric piano"]),
    ],
)
def test_names_are_understood_as_a_musician_spells_them(prompt: str, names: list[str]) -> None:
    assert said(prompt) == names


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("no drums", ["-drums"]),
        ("drumless funk with a clavinet", ["-drums", "clavinet"]),
        ("without bass and drums", ["-basses", "-drums"]),
        ("no drums, flute and piano", ["-drums", "flute", "piano"]),
        ("no drums, bass or guitar", ["-drums", "-basses", "-guitars"]),
        ("no drums and soft strings", ["-drums", "strings"]),
        ("drums out", ["-drums"]),
        ("the flute is out in front", ["flute"]),
        ("mute the piano", ["-piano"]),
        ("muted trumpet", ["muted trumpet"]),
        ("replace the organ with a trumpet", ["-organ", "trumpet"]),
        ("turn the guitar into a violin", ["-guitars", "violin"]),
        ("violin instead of saxophone", ["violin", "-saxophone"]),
        ("violin -> cello", ["-violin", "cello"]),
        ("make the guitar a bit louder", ["guitars"]),
        ("everything except the drums", ["-drums"]),
    ],
)
def test_what_must_not_play_is_told_from_what_plays(prompt: str, names: list[str]) -> None:
    assert said(prompt) == names


@pytest.mark.parametrize(
    ("prompt", "alone"),
    [
        ("solo flute", True), ("only strings", True), ("piano alone", True), ("drums and bass only", True),
        ("unaccompanied cello", True), ("nothing but strings", True), ("solo violin over strings", False),
        ("just add a flute", False), ("not only piano but strings", False), ("guitar solo", False),
        ("flute", False),
    ],
)  # fmt: skip
def test_only_leaves_nobody_else(prompt: str, alone: bool) -> None:
    assert (f"-{OTHERS}" in said(prompt)) is alone


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "calm happy jazz",
        "drum and bass, dark",
        "no melody",
        "lo-fi beats",
        "128 beats per minute",
        "marching band",
        "♪ 🎵",
    ],
)
def test_styles_and_moods_alone_name_no_instrument(prompt: str) -> None:
    assert said(prompt) == []


def test_the_place_of_a_name_in_the_prompt_is_told() -> None:
    prompt = "Dreamy bandoneón, no drums"
    assert [prompt[one.start : one.end] for one in understood(prompt)] == ["bandoneón", "drums"]


def test_parts_last_as_long_as_they_are_asked_for() -> None:
    assert parts("flute, no drums", 2.0, 5.0) == (
        Part(2.0, 5.0, "flute", True),
        Part(2.0, 5.0, "drums", False),
    )


def test_no_drums_is_heard_in_many_wordings() -> None:
    assert all(
        map(without_drums, ("no drums", "drumless", "without drums and bass", "solo flute", "mute the drums"))
    )
    assert not any(
        map(without_drums, ("drums", "calm jazz", "no piano", "drums and bass only", "flute solo"))
    )


@pytest.mark.parametrize(
    ("prompt", "bpm", "name"),
    [
        ("house, 128 bpm in G major", 128.0, "G major"), ("tempo 90, F# minor", 90.0, "F# minor"),
        ("key of Bb major at 92.5 BPM", 92.5, "Bb major"), ("in C sharp minor", None, "C# minor"),
        ("in Am", None, "A minor"),
        ("a minor change", None, None), ("in a minor key", None, None), ("999 bpm", None, None),
        ("Db major", None, "C# major"),
    ],
)  # fmt: skip
def test_tempo_and_key_are_read(prompt: str, bpm: float | None, name: str | None) -> None:
    assert (tempo(prompt), key(prompt)) == (bpm, name)


def test_reading_by_spelling_takes_no_time() -> None:
    prompt = "A dreamy bossa nova with nylon guitar, upright bass and flute, no drums, 120 bpm, " * 8
    understood(prompt)
    begin = time.perf_counter()
    understood(prompt[1:])
    assert time.perf_counter() - begin < 0.1  # some 2 ms on a machine at rest


def test_wordings_that_spelling_does_not_know_are_guessed() -> None:
    encoder = TextEncoder()
    assert [family_of(name) or name for name in said("Stratocaster", encoder)] == ["guitars"]
    assert all(name.startswith("-") for name in said("no Stratocaster", encoder))
    assert said("a gentle waltz, cheerful", encoder) == []
    assert {one.name for one in understood("violinist over a choir", encoder)} <= set(ROWS)
    assert all(0.0 <= one.sure <= 1.0 for one in understood("violinist", encoder))
