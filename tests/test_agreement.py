"""What is heard again of a request: formulas on known events, and real audio through the real listeners."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from engines.analysis.features import listen
from engines.analysis.melody import melody
from engines.audio.recording import from_float, resample
from engines.filling import agreement
from engines.filling.agreement import asked_parts, chord_agreement, drum_agreement, melody_agreement, wishes
from engines.music.instruments import OTHERS, ROWS
from engines.outcomes import Wish
from engines.progress import Stopwatch
from engines.requests import Chord, Controls, GenerateRequest, Hit, InpaintRequest, Note, Part

RATE = 32_000
FIXTURES = Path(__file__).parent / "fixtures"


def request(**changes: object) -> InpaintRequest:
    source = from_float(np.zeros(4 * RATE, np.float32), RATE)
    return replace(InpaintRequest("fm", source, 1.0, 3.0), **changes)  # type: ignore[arg-type]


def tone(pitches: list[int], seconds: float = 0.5) -> np.ndarray:
    """One second of silence, then notes with five partials, one after the other, then silence: [n]."""
    t = np.arange(round(seconds * RATE)) / RATE
    notes = [
        sum(np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * k * t) / k for k in range(1, 6)) * np.exp(-2 * t)
        for p in pitches
    ]
    silence = np.zeros(RATE)
    return (0.2 * np.concatenate([silence, *notes, silence])).astype(np.float32)


def test_a_melody_agrees_in_any_octave_and_for_the_share_of_time_that_it_is_played() -> None:
    asked = [Note(0.0, 1.0, 60), Note(1.0, 2.0, 64)]
    assert melody_agreement(asked, asked) == 1.0
    assert melody_agreement([Note(0.0, 1.0, 72)], asked) == 0.5
    assert melody_agreement([Note(0.0, 2.0, 61)], asked) == 0.0


def test_chords_agree_by_the_pitch_classes_that_they_share() -> None:
    assert chord_agreement([Chord(0, 2, "C")], [Chord(0, 2, "C")]) == 1.0
    assert chord_agreement([Chord(0, 2, "Am")], [Chord(0, 2, "C")]) == 0.5  # two of four
    assert chord_agreement([], [Chord(0, 2, "C")]) == 0.0


def test_drums_agree_hit_by_hit_and_silence_agrees_with_none() -> None:
    asked = [Hit(0.5, "kick"), Hit(1.0, "snare")]
    assert drum_agreement(asked, asked) == 1.0
    assert drum_agreement([Hit(0.55, "kick"), Hit(1.0, "kick")], asked) == 0.5
    assert drum_agreement([], []) == 1.0 and drum_agreement(asked, []) == 0.0


def test_only_what_the_request_changed_is_judged() -> None:
    audio = tone([60, 64, 67, 72])
    lanes = Controls(melody=tuple(Note(1 + i / 2, 1.5 + i / 2, p) for i, p in enumerate((60, 64, 67, 72))))
    assert wishes(audio, RATE, request(controls=lanes, changed=())) == ()
    (heard,) = wishes(audio, RATE, request(controls=lanes, changed=("melody",)))
    assert heard.kind == "melody" and heard.share > 0.8
    other = Controls(melody=tuple(Note(1 + i / 2, 1.5 + i / 2, p) for i, p in enumerate((61, 66, 68, 73))))
    assert wishes(audio, RATE, request(controls=other, changed=("melody",)))[0].share < 0.2


def test_a_melody_in_a_sound_that_passes_for_speech_is_compared_all_the_same() -> None:
    voice, rate = soundfile.read(FIXTURES / "speech.flac", dtype="float32")
    voice = resample(voice, rate, RATE)[RATE : 5 * RATE]
    audio = (0.05 * tone([60, 64, 67, 72]) + 0.5 * voice).astype(np.float32)
    assert melody(listen(audio, RATE, Stopwatch(None))).notes == ()  # what the analysis would show of it
    lanes = Controls(melody=tuple(Note(1 + i / 2, 1.5 + i / 2, p) for i, p in enumerate((60, 64, 67, 72))))
    (heard,) = wishes(audio, RATE, request(controls=lanes, changed=("melody",)))
    assert heard.share > 0.4


def test_no_drums_asked_and_none_heard_is_a_wish_come_true() -> None:
    (heard,) = wishes(tone([60, 64, 67, 72]), RATE, request(controls=Controls(drums=()), changed=("drums",)))
    assert heard.kind == "drums" and heard.share == 1.0


def test_words_ask_for_instruments_and_a_lane_that_is_drawn_has_precedence() -> None:
    assert asked_parts(request(prompt="flute, no drums")) == (
        Part(1.0, 3.0, "flute"),
        Part(1.0, 3.0, "drums", False),
    )
    drawn = Controls(instruments=(Part(0.0, 2.0, "violin"),))
    assert asked_parts(request(prompt="flute", controls=drawn)) == (Part(1.0, 2.0, "violin"),)
    assert asked_parts(request(prompt="flute", changed=("melody",))) == ()
    solo = asked_parts(GenerateRequest("fm", "solo flute", 4.0))
    assert Part(0.0, 4.0, OTHERS, False) in solo


def test_a_wish_says_in_words_what_came_of_it() -> None:
    assert Wish("instrument", "flute", share=0.9).words == "heard"
    assert Wish("instrument", "flute", share=0.3).words == "faint"
    assert Wish("instrument", "drums", plays=False, share=0.05).words == "gone"
    assert Wish("instrument", "drums", plays=False, share=0.9).granted < 0.2
    assert Wish("melody", "melody", share=0.78).words == "78 %"


def test_the_likeliest_member_of_a_family_counts_as_its_family_does() -> None:
    likely = np.zeros((2, len(ROWS)), np.float32)
    likely[:, ROWS.index("flutes")] = 0.9
    likely[0, ROWS.index("flute")], likely[1, ROWS.index("recorder")] = 0.3, 0.4
    assert agreement._sounds(likely, "flute", {"flute"}).tolist() == [np.float32(0.9), 0.0]
