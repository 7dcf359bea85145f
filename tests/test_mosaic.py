"""Spans pieced together of what sounds as the lanes ask for, in music whose every beat is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engines.audio.recording import Recording, from_float
from engines.filling import mosaic
from engines.filling.mosaic import Passage, mosaics, pasted
from engines.music.chords import pitch_classes
from engines.requests import Chord, Controls, Hit, Note

RATE = 16_000
BEAT = 0.5  # seconds
SPAN = (8.0, 10.0)  # beats 16-19


def band(chords: list[str]) -> Recording:
    """A chord and a stroke a beat."""
    rng = np.random.default_rng(1)
    t = np.arange(round(BEAT * RATE)) / RATE
    beats = []
    for symbol in chords:
        tones = [261.63 * 2 ** (p / 12) for p in pitch_classes(symbol)]
        chord = sum(np.sin(2 * np.pi * f * t) + 0.3 * np.sin(4 * np.pi * f * t) for f in tones)
        stroke = 0.3 * rng.normal(size=len(t)) * np.exp(-80 * t)
        beats.append(0.08 * chord * np.minimum(1, 20 * (BEAT - t)) + stroke)
    return from_float(np.concatenate(beats).astype(np.float32), RATE, "FLOAT")


def heard(recording: Recording, beat: int) -> np.ndarray:
    """Power of the twelve pitch classes in a beat, without its first and last tenth: [12]."""
    a, b = round((beat + 0.2) * BEAT * RATE), round((beat + 0.9) * BEAT * RATE)
    x = recording.samples[a:b, 0] * np.hanning(b - a)
    t = np.arange(b - a) / RATE
    return np.array([abs(x @ np.exp(-2j * np.pi * 261.63 * 2 ** (p / 12) * t)) for p in range(12)])


def sounds(recording: Recording, beat: int) -> set[int]:
    """The three strongest pitch classes of a beat."""
    return set(np.argsort(heard(recording, beat))[-3:].tolist())


def asked(symbols: list[str]) -> Controls:
    """A chord lane that speaks in the span alone."""
    return Controls(
        tuple(Chord(SPAN[0] + i * BEAT, SPAN[0] + (i + 1) * BEAT, symbol) for i, symbol in enumerate(symbols))
    )


SONG = ["C", "C", "F", "F", "G", "G", "Am", "Am"] * 4  # a bar of each


@pytest.mark.slow
def test_each_beat_comes_from_where_its_chord_sounds_in_time() -> None:
    music = band(SONG)
    symbols = ["G", "G", "C", "C"]  # nowhere in this order
    (found,) = mosaics(music, *SPAN, asked(symbols), 1)
    assert (found[0].start, found[-1].end) == SPAN
    assert all(a.end == b.start for a, b in itertools.pairwise(found))
    for passage in found:
        assert abs(passage.lag / BEAT - round(passage.lag / BEAT)) * BEAT < 0.035
    made = pasted(music, found)
    for beat, symbol in zip(range(16, 20), symbols, strict=True):
        assert sounds(made, beat) == set(pitch_classes(symbol))


def test_what_sounds_nowhere_is_transposed() -> None:
    music = band(SONG)
    symbols = ["Eb", "Eb", "Eb", "Eb"]
    (found,) = mosaics(music, *SPAN, asked(symbols), 1)
    assert any(passage.semitones for passage in found)
    made = pasted(music, found)
    for beat in range(16, 20):
        assert sounds(made, beat) == set(pitch_classes("Eb"))


def test_a_melody_is_sought_as_chords_are() -> None:
    music = band(SONG)
    controls = Controls(
        melody=tuple(Note(8 + i * BEAT, 8.5 + i * BEAT, 65 if i < 2 else 69) for i in range(4))
    )
    (found,) = mosaics(music, *SPAN, controls, 1)
    made = pasted(music, found)
    for beat, pitch in zip(range(16, 20), (5, 5, 9, 9), strict=True):
        assert pitch in sounds(made, beat)


def test_strokes_are_sought_where_they_are_asked_for() -> None:
    """Every other bar has no strokes at all; a drum lane that is silent or full chooses between them."""
    t = np.arange(round(0.5 * RATE)) / RATE
    rng = np.random.default_rng(2)
    stroke = rng.normal(size=len(t)) * np.exp(-60 * t)
    tick = 0.3 * np.sin(2 * np.pi * 2000 * t) * np.exp(-200 * t)  # the beat that goes on
    audio = []
    for beat in range(40):
        late = np.roll(stroke, len(t) // 2) if beat // 4 % 2 else np.zeros(len(t))
        audio.append(0.2 * stroke + late * 0.4 + tick)
    music = from_float(np.concatenate(audio).astype(np.float32), RATE, "FLOAT")
    power = {}
    for kind, times in (("off", [0.25, 0.75, 1.25, 1.75]), ("on", [0.0, 0.5, 1.0, 1.5])):
        hits = tuple(Hit(SPAN[0] + at, "snare") for at in times)
        (found,) = mosaics(music, *SPAN, Controls(drums=hits), 1)
        made = pasted(music, found).samples[:, 0]
        places = [round((SPAN[0] + at) * RATE) for at in (0.25, 0.75, 1.25, 1.75)]
        power[kind] = np.mean([np.square(made[a : a + 800]).mean() for a in places])
    assert power["off"] > 4 * power["on"]


def test_the_span_and_further_spans_have_no_say_and_the_rest_stays() -> None:
    music = band(SONG)
    spoilt = music.samples.copy()
    for a, b in (SPAN, (12.0, 14.0)):
        spoilt[round(a * RATE) : round(b * RATE)] = 0.9
    other = from_float(spoilt[:, 0], RATE, "FLOAT")
    hidden = ((12.0, 14.0),)
    controls = asked(["G", "G", "C", "C"])
    found = mosaics(music, *SPAN, controls, 3, hidden)
    assert found == mosaics(other, *SPAN, controls, 3, hidden) and len(found) > 1
    for passages in found:
        for passage in passages:
            a, b = passage.start + passage.lag, passage.end + passage.lag
            for low, high in (SPAN, *hidden):
                assert b <= low + 0.02 or a >= high - 0.02
        made = pasted(music, passages).samples
        first, last = (round(s * RATE) for s in SPAN)
        assert np.array_equal(made[:first], music.samples[:first])
        assert np.array_equal(made[last:], music.samples[last:])
        assert np.isfinite(made).all()


def test_without_a_beat_halves_of_a_second_are_copied_and_too_little_music_gives_none() -> None:
    t = np.arange(14 * RATE) / RATE
    drone = from_float((0.2 * np.sin(2 * np.pi * 220 * t)).astype(np.float32), RATE, "FLOAT")
    (found,) = mosaics(drone, *SPAN, asked(["A"] * 4), 1)
    assert (found[0].start, found[-1].end) == SPAN
    short = from_float(drone.samples[: round(2.4 * RATE), 0], RATE, "FLOAT")
    assert mosaics(short, 0.2, 2.3, asked(["A"] * 4), 2) == []
    assert mosaics(short, 0.0, 2.4, Controls(chords=()), 2) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_cheapest_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost, joins = rng.random((4, 3, 2)), rng.random((3, 3, 3))
    first, last = rng.random(3), rng.random(3)

    def price(path: tuple[tuple[int, int], ...]) -> float:
        total = first[path[0][0]] + last[path[-1][0]] + sum(cost[c, i, s] for c, (i, s) in enumerate(path))
        for c, (a, b) in enumerate(itertools.pairwise(path)):
            total += 0.0 if a == b else joins[c, a[0], b[0]]
        return float(total)

    states = list(itertools.product(range(3), range(2)))
    best = min(itertools.product(states, repeat=4), key=price)
    assert mosaic._path(cost, first, last, joins) == list(best)


def test_a_transposed_passage_keeps_its_length_and_time() -> None:
    music = band(["C"] * 20)
    made = pasted(music, (Passage(4.0, 6.0, -2.0, 2),))
    assert made.length == music.length
    a = round(4.5 * RATE)  # a beat begins here as it does two seconds earlier
    rise = [np.abs(np.diff(made.samples[at : at + 400, 0])).mean() for at in range(a - 2000, a + 2001, 200)]
    assert abs(int(np.argmax(rise)) - 10) <= 2
    assert sounds(made, 9) == {2, 6, 9}
