"""The measurement as a whole: resuming, and bars that tell met from not met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.audio.recording import from_float
from engines.checkpoints.shelf import Models, open_bundle
from engines.requests import Chord, Controls, FMSettings, GenerateRequest, Guidance, InpaintRequest, Request
from study.measure.conditions import RATE, SECONDS, Clip
from study.measure.outputs import Outputs
from study.measure.parts import averaged, codec_facts, codec_figures, melodic, with_chords
from study.measure.verdicts import bars, show


@pytest.fixture(scope="module")
def bundle() -> Models:
    return open_bundle("bundle", "cpu")


def test_what_was_made_is_not_made_again_and_other_settings_are(bundle: Models, tmp_path: Path) -> None:
    request = GenerateRequest("fm", "jazz", 1.0, 0, fm=FMSettings(steps=2))
    first = Outputs(bundle, tmp_path).make([request])
    files = set(tmp_path.iterdir())
    stamps = {f: f.stat().st_mtime_ns for f in files}
    clip = from_float(first[0], RATE)
    more: list[Request] = [
        request,
        GenerateRequest("fm", "jazz", 1.0, 1, fm=FMSettings(steps=2)),
        GenerateRequest("fm", "jazz", 1.0, 0, fm=FMSettings(steps=2, guidance=Guidance(1.0, 0.0))),
        InpaintRequest("fm", clip, 0.4, 0.6, "jazz", 0, fm=FMSettings(steps=2)),
    ]
    second = Outputs(bundle, tmp_path).make(more)
    assert np.array_equal(first[0], second[0]) and len(set(tmp_path.iterdir())) == 4
    assert all(f.stat().st_mtime_ns == stamps[f] for f in files)
    usual = bundle.spec.guidance("fm", "generate")  # written out, the default is the same request
    told = GenerateRequest("fm", "jazz", 1.0, 0, fm=FMSettings(steps=2, guidance=usual))
    assert np.array_equal(Outputs(bundle, tmp_path).make([told])[0], first[0])
    assert len(set(tmp_path.iterdir())) == 4


def test_the_codec_is_measured_and_is_transformers_own(bundle: Models, tmp_path: Path) -> None:
    t = np.arange(RATE) / RATE
    clip = Clip("tone", (0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), {}, Controls())
    figures = codec_figures(Outputs(bundle, tmp_path), {"": [clip]})
    continuous, quantized = figures["codec continuous"], figures["codec RVQ"]
    assert continuous["SI-SNR dB"] > quantized["SI-SNR dB"] > -10
    lost = continuous["SI-SNR dB"] - quantized["SI-SNR dB"]
    assert quantized["below continuous dB"] == pytest.approx(lost)
    facts = codec_facts(bundle)
    assert facts["transformers, max difference"] < 1e-4 and facts["transformers, other codes"] == 0.0


def test_bars_tell_met_from_not_met_with_floor_and_ceiling(capsys: pytest.CaptureFixture[str]) -> None:
    span = {"jump dB": 5.0, "level dB": 2.0, "log-mel": 1.0, "chroma": 0.7, ">4 kHz in-out dB": -2.5}
    worse = {"jump dB": 6.0, "level dB": 1.0, "log-mel": 2.0, "chroma": 0.6, "timbre dB": float("nan")}
    figures = {
        "codec": {"codec continuous": {"SI-SNR dB": 9.0, ">4 kHz dB": -1.6, "chroma": 0.96}},
        "generate": {
            "real, codec RVQ": {"chord IOU": 0.8, "FAD": 1.0},
            "ar": {"chord IOU": 0.61, "chord IOU, shuffled": 0.01, "FAD": 1.6},
        },
        "inpaint": {"real": {"jump dB": 3.0}, "fm": span, "naive paste": worse, "independent fm": worse},
    }
    found = {(b.part, b.row, b.figure): b for b in bars(figures)}
    assert found["codec", "codec continuous", "SI-SNR dB"].met
    assert not found["codec", "codec continuous", ">4 kHz dB"].met
    iou = found["generate", "ar", "chord IOU"]
    assert iou.met and iou.floor == 0.01 and iou.ceiling == 0.8
    assert not found["generate", "ar", "melody"].met, "what was not measured is not met"
    assert not found["generate", "ar", "FAD"].met and found["generate", "ar", "FAD"].bar == 1.5
    assert found["inpaint", "fm", "jump dB"].met and found["inpaint", "fm", "chroma"].met
    assert not found["inpaint", "fm", "level dB"].met and not found["inpaint", "fm", ">4 kHz in-out dB"].met
    assert ("inpaint", "fm", "timbre dB") not in found, "nothing to be ahead of"
    show(figures)
    told = capsys.readouterr().out
    assert told.count("NOT MET") == sum(not b.met for b in found.values())


def test_means_leave_out_what_is_no_number() -> None:
    nan = float("nan")
    assert averaged([{"a": 1.0, "c": nan}, {"a": nan, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}


def test_the_melodic_part_of_a_clip_is_where_the_melody_is() -> None:
    from engines.requests import Note

    audio = np.arange(int(SECONDS * RATE), dtype=np.float32)
    clip = Clip("x", audio, {}, Controls(melody=(Note(0.0, 0.5, 60), Note(5.0, 9.0, 62))))
    assert melodic(clip, 4.0)[0] == 5 * RATE


def test_a_heard_chord_lane_replaces_a_drawn_one_and_only_that() -> None:
    drawn = Controls((Chord(0, 10, "C"),), (), None)
    clip = Clip("x", np.zeros(1, np.float32), {}, drawn)
    heard = (Chord(0, 1, "N"), Chord(1, 10, "Am"))
    assert with_chords(clip, heard).controls == Controls((Chord(1, 10, "Am"),), (), None)
    drums_alone = Clip("x", np.zeros(1, np.float32), {}, Controls((), None, ()))
    assert with_chords(drums_alone, heard) == drums_alone
