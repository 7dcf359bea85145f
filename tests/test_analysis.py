"""What is heard in audio whose contents are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from editor.project.document import Lanes
from editor.runs.hearing import grid_of, key_of, lanes_of
from engines.analysis import analyze as analysis
from engines.analysis import chordino, features
from engines.analysis import chords as analysis_chords
from engines.analysis import key as analysis_key
from engines.analysis import rhythm as analysis_rhythm
from engines.analysis.features import listen
from engines.audio.timebase import Grid
from engines.errors import Cancelled, InputError
from engines.music.chords import CLASSES, VOCABULARY, pitch_classes
from engines.progress import Progress, Stopwatch
from engines.requests import MELODY_HIGH, MELODY_LOW, Chord, Note

RATE = 32_000
FIXTURES = Path(__file__).parent / "fixtures"
SPEC = ("C", "Am", "F", "G7")
LINE = (72, 76, 74, 79, 77, 76, 74, 71)


def tones(pitches: list[int], seconds: float, loudness: float = 0.08) -> NDArray[np.float32]:
    """Sum of plucked tones with six falling partials, [n]."""
    t = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros_like(t)
    for p in pitches:
        f = 440.0 * 2 ** ((p - 69) / 12)
        out += sum(np.sin(2 * np.pi * f * h * t) / h**1.3 for h in range(1, 7))
    return np.asarray(loudness * out * np.exp(-t) * np.minimum(1, (seconds - t) / 0.02), np.float32)


def progression(symbols: tuple[str, ...] = SPEC, seconds: float = 2.0) -> NDArray[np.float32]:
    """Each chord struck twice for `seconds`, with its root in the bass, [n]."""
    parts = []
    for symbol in symbols:
        pitches = pitch_classes(symbol)
        voicing = [36 + pitches[0], *(60 + p for p in pitches)]
        parts += [tones(voicing, seconds / 2)] * 2
    return np.concatenate(parts)


def beat(seconds: float = 8.0, bpm: float = 120.0, first: float = 0.25) -> NDArray[np.float32]:
    """Kick on one and three, snare on two and four, hats on eighths, [n]."""
    rng = np.random.default_rng(0)
    out = np.zeros(round(seconds * RATE) + RATE, np.float32)
    t = np.arange(RATE // 4) / RATE
    kick = 0.8 * np.sin(2 * np.pi * (45 * t + 4 * (1 - np.exp(-40 * t)))) * np.exp(-14 * t)
    noise = rng.standard_normal(len(t))
    snare = 0.35 * (noise + np.sin(2 * np.pi * 190 * t)) * np.exp(-22 * t)
    hat = 0.15 * np.diff(noise, prepend=0) * np.exp(-60 * t)
    for i in range(int((seconds - first) * bpm / 30)):
        at = round((first + i * 30 / bpm) * RATE)
        out[at : at + len(t)] += hat.astype(np.float32)
        if i % 2 == 0:
            out[at : at + len(t)] += (kick if i % 4 == 0 else snare).astype(np.float32)
    return out[: round(seconds * RATE)]


def test_chords_of_a_known_progression() -> None:
    heard = analysis.analyze(progression(), RATE).chords
    assert heard.method == "notes"
    assert [c.symbol for c in heard.chords] == list(SPEC)
    assert heard.chords[0].start == 0.0 and heard.chords[-1].end == pytest.approx(8.0)
    for i, chord in enumerate(heard.chords[1:], 1):
        assert chord.start == pytest.approx(2.0 * i, abs=0.15)
        assert chord.start == heard.chords[i - 1].end


def test_a_chord_in_another_key_is_the_same_chord_there() -> None:
    """The network sees each root alike: rolling what it sees rolls what it says."""
    seen = np.random.default_rng(0).random((30, analysis_chords.GROUPS, 12), np.float32)
    here, there = analysis_chords.likelihoods(seen), analysis_chords.likelihoods(np.roll(seen, 5, axis=2))
    rolled = np.roll(here[:, :192].reshape(30, 12, 16), 5, axis=1).reshape(30, 192)
    assert np.allclose(there[:, :192], rolled, atol=1e-4)
    assert len(CLASSES) == 193 and set(CLASSES) | {"UNK"} == set(VOCABULARY)


def test_chordino_where_it_is_installed_agrees_and_says_so_where_not() -> None:
    if not chordino.present():
        with pytest.raises(InputError, match="Chordino"):
            analysis.chords(progression(), RATE)
        return
    line = analysis.chords(progression(), RATE)
    assert [c.symbol for c in line.chords] == list(SPEC) and line.method == "Chordino"
    assert min(line.confidence) > 0.3


def test_what_chordino_lacks_in_our_vocabulary_is_said() -> None:
    line = analysis_chords._line(
        [(0.0, "Cdim7", 0.9), (1.0, "A#7/D", 0.8), (2.0, "C7/A#", 0.8)], 3.0, "Chordino"
    )
    assert [c.symbol for c in line.chords] == ["Cdim", "Bb7", "C/Bb"]
    assert line.simplified == ("Cdim7 is played as Cdim", "A#7/D is played as Bb7")


def test_the_melody_is_the_upper_line() -> None:
    line = np.concatenate([tones([p], 0.5, 0.16) for p in LINE])
    heard = analysis.analyze(line + 0.5 * progression(("C", "G"), 2.0), RATE).melody
    times = np.arange(0.1, 4.0, 0.1)

    def at(notes: tuple[Note, ...], time: float) -> int:
        return next((n.pitch % 12 for n in notes if n.start <= time < n.end), -1)

    right = [at(heard.notes, t) == LINE[int(t / 0.5)] % 12 for t in times]
    assert np.mean(right) > 0.8
    assert all(a.end <= b.start + 1e-9 for a, b in zip(heard.notes, heard.notes[1:], strict=False))
    assert all(MELODY_LOW <= n.pitch <= MELODY_HIGH for n in heard.notes)


def test_beats_tempo_and_drums_of_a_plain_pattern() -> None:
    heard = analysis.analyze(beat(), RATE)
    rhythm = heard.rhythm
    assert rhythm.bpm == pytest.approx(120, rel=0.02)
    expected = 0.25 + np.arange(15) * 0.5
    near = [np.abs(np.array(rhythm.beats) - t).min() for t in expected]
    assert np.mean(np.array(near) < 0.05) > 0.85
    assert set(rhythm.downbeats) <= set(rhythm.beats)
    for drum, times in (("kick", expected[::2]), ("snare", expected[1::2])):
        found = np.array([h.time for h in heard.drums.hits if h.drum == drum])
        assert np.mean([np.abs(found - t).min() < 0.05 for t in times]) > 0.5, drum


def speech(seconds: float) -> NDArray[np.float32]:
    """Buzzes on a gliding pitch through noise-like formants with pauses, as speech has, [n]."""
    rng = np.random.default_rng(1)
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = 120 + 35 * np.sin(2 * np.pi * 1.3 * t) + 20 * np.sin(2 * np.pi * 3.1 * t)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE))
    voiced = np.sin(2 * np.pi * 2.7 * t + np.sin(3.3 * t)) > -0.2
    return np.asarray(0.2 * np.where(voiced, buzz, 0.3 * rng.standard_normal(len(t))), np.float32)


def recorded_speech() -> tuple[NDArray[np.float32], int]:
    """Twelve seconds of a woman who reads a text: mono samples [n] and their rate."""
    audio, rate = soundfile.read(FIXTURES / "speech.flac", dtype="float32")
    return audio, rate


def sine(seconds: float) -> NDArray[np.float32]:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seconds: float) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)


def test_silence_holds_nothing() -> None:
    for seconds in (0.0, 0.01, 1.0, 5.0):
        heard = analysis.analyze(np.zeros(round(seconds * RATE), np.float32), RATE)
        assert {c.symbol for c in heard.chords.chords} <= {"N"}
        assert heard.melody.notes == () and heard.rhythm.beats == () and heard.drums.hits == ()
        assert heard.key.name == "" and heard.loudness == -70.0


@pytest.mark.parametrize("make", [noise, sine, speech])
def test_what_is_no_music_has_no_chords_and_no_key(make) -> None:  # type: ignore[no-untyped-def]
    heard = analysis.analyze(make(6.0), RATE)
    assert {c.symbol for c in heard.chords.chords} == {"N"}
    assert key_of(heard) == "" and grid_of(heard) is None  # whatever was heard is too unsure for the page
    assert lanes_of(heard, Grid()).chords == ()


def test_recorded_speech_leaves_every_lane_empty() -> None:
    heard = analysis.analyze(*recorded_speech())
    assert {c.symbol for c in heard.chords.chords} == {"N"}
    assert heard.melody.notes == ()  # gliding voices are no melody
    assert lanes_of(heard, Grid()) == Lanes() and key_of(heard) == "" and grid_of(heard) is None


def test_a_melody_beside_speech_is_kept() -> None:
    voice, rate = recorded_speech()
    voice = analysis_chords.resample(voice, rate, RATE)
    tune = np.concatenate([tones([p], 0.5, 0.16) for p in LINE * 3])
    notes = analysis.analyze(np.concatenate([voice, tune]), RATE).melody.notes
    spoken = voice.size / RATE
    assert sum(n.end - n.start for n in notes if n.end < spoken - 4) == 0
    assert sum(n.end - n.start for n in notes if n.start >= spoken) > 0.8 * len(tune) / RATE


def test_one_second_is_heard_without_complaint() -> None:
    heard = analysis.analyze(progression(("C",), 1.0), RATE)
    assert heard.seconds == pytest.approx(1.0)
    assert [c.symbol for c in heard.chords.chords] == ["C"]
    assert heard.rhythm.beats == ()  # too short to have a beat


@pytest.mark.slow
def test_windows_join_without_a_trace() -> None:
    """What is heard around the border of two windows is what a listener hears who begins elsewhere."""
    audio = np.tile(progression(), 6)
    told: list[Progress] = []
    whole = listen(audio, features.RATE, Stopwatch(told.append))  # 70 s: two windows
    assert [(p.stage, p.step, p.total) for p in told] == [("listen", k, 2) for k in range(3)]
    first = 10 * 142  # frames
    part = listen(audio[first * features.HOP :], features.RATE, Stopwatch(None))
    border = np.arange(features.WINDOW_FRAMES - 60, features.WINDOW_FRAMES + 60)
    for name, tolerance in (("level", 0.01), ("mel", 1e-3), ("notes", 0.01)):
        here, there = getattr(whole, name)[border], getattr(part, name)[border - first]
        assert np.abs(here - there).mean() < tolerance, name


@pytest.mark.slow
def test_cancel_stops_between_windows() -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 1:
            raise Cancelled

    for hear in (analysis.analyze, analysis.chords) if chordino.present() else (analysis.analyze,):
        with pytest.raises(Cancelled):
            hear(np.zeros(70 * RATE, np.float32), RATE, stop)


def test_unusable_audio_says_what_would_do() -> None:
    with pytest.raises(InputError, match="NaN"):
        analysis.analyze(np.array([0.0, np.nan], np.float32), RATE)
    with pytest.raises(InputError, match="at most 40"):
        analysis.analyze(np.zeros(41 * 60 * 100, np.float32), 100)


def test_key_of_cadences_moves_with_its_tonic() -> None:
    def cadence(*symbols: str) -> tuple[Chord, ...]:
        return tuple(Chord(i, i + 1.0, s) for i, s in enumerate(symbols))

    assert analysis_key.key(cadence("C", "F", "G7", "C"), ()).name == "C major"
    assert analysis_key.key(cadence("Eb", "Ab", "Bb7", "Eb"), ()).name == "Eb major"
    minor = analysis_key.key(cadence("Am", "Dm", "E7", "Am"), (Note(0, 4, 69),))
    assert minor.name == "A minor" and 1 / 24 < minor.confidence <= 1
    assert analysis_key.key(cadence("N"), ()).name == ""


def test_loudness_follows_the_standard() -> None:
    """BS.1770: a full-scale 997 Hz sine on one channel reads -3.01 LUFS; 20 dB less, 20 less."""
    t = np.arange(48_000 * 3) / 48_000
    tone = np.sin(2 * np.pi * 997 * t).astype(np.float32)
    assert analysis.loudness(tone, 48_000) == pytest.approx(-3.01, abs=0.1)
    assert analysis.loudness(0.1 * tone, 48_000) == pytest.approx(-23.01, abs=0.1)


def test_brightness_and_level_lie_on_a_tenth_of_a_second() -> None:
    audio = np.concatenate([sine(1.0), np.zeros(RATE, np.float32)])
    heard = analysis.analyze(audio, RATE)
    assert len(heard.level.values) == 20 and heard.level.times[10] == pytest.approx(1.0)
    assert heard.level.values[5] == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.5)
    assert 350 < heard.brightness.values[5] < 650 and heard.brightness.values[15] == 0.0


def test_a_part_keeps_the_clock_of_the_whole() -> None:
    moved = analysis.analyze(progression(), RATE).shifted(10.0)
    assert moved.chords.chords[0].start == 10.0
    assert all(note.start >= 10.0 for note in moved.melody.notes)


def test_beats_follow_a_change_of_tempo() -> None:
    """A medley: 24 s at 100 bpm, then 24 s at 132; one tempo for both would lose one of them."""
    step = analysis_rhythm.STEP_SECONDS
    heard = np.full((round(48 / step), 2), 0.02, np.float32)
    times = np.concatenate([np.arange(0.2, 24, 60 / 100), np.arange(24.1, 48, 60 / 132)])
    heard[np.round(times / step).astype(int), 0] = 0.9
    found = np.array(analysis_rhythm.rhythm(heard).beats)
    assert np.mean([np.abs(found - t).min() < 0.05 for t in times]) > 0.95
    assert len(found) < 1.05 * len(times)


def test_a_pickup_and_one_odd_bar_do_not_move_the_later_downbeats() -> None:
    step = analysis_rhythm.STEP_SECONDS
    heard = np.full((round(40 / step), 2), 0.02, np.float32)
    accents = [1, *range(2, 26, 4), *range(28, 70, 4)]  # a bar of six in the middle
    for i, time in enumerate(np.arange(0.2, 39, 0.5)):
        heard[round(time / step)] = (0.9, 0.85 if i in accents[1:] else 0.05)
    found = analysis_rhythm.rhythm(heard)
    assert found.beats_per_bar == 4
    for accent in accents[1:]:
        assert np.abs(np.array(found.downbeats) - (0.2 + accent * 0.5)).min() < 0.05


def test_beats_follow_a_regular_activation_and_bars_their_accents() -> None:
    step = analysis_rhythm.STEP_SECONDS
    heard = np.full((round(12 / step), 2), 0.02, np.float32)
    for i, time in enumerate(np.arange(0.3, 12, 60 / 90)):
        heard[round(time / step), 0] = 0.9
        heard[round(time / step), 1] = 0.8 if i % 3 == 1 else 0.05
    rhythm = analysis_rhythm.rhythm(heard)
    assert rhythm.bpm == pytest.approx(90, rel=0.01)
    assert rhythm.beats_per_bar == 3
    assert rhythm.downbeats[0] == pytest.approx(0.3 + 60 / 90, abs=0.03)
    assert rhythm.confidence > 0.8
