"""The model card: every figure beside its bar, hours counted from what is on disk, who made what."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engines.checkpoints.bundle import BundleSpec
from study.bundle import LICENCE, Facts, card, limits, number, recorded_hours, rendered_hours, table
from study.measure.conditions import RATE
from study.measure.verdicts import Bar

BARS = [
    Bar("codec", "codec continuous", "SI-SNR dB", 8.765, ">=", 9.0),
    Bar("generate", "ar", "chord IOU", 0.654, ">=", 0.6, 0.021, 0.812),
    Bar("inpaint", "fm", "jump dB", 5.432, "<", 7.891, None, 3.3, "naive paste"),
]


def figures() -> dict[str, object]:
    return {
        "clips": 200,
        "spans": 150,
        "codec": {"codec continuous": {"SI-SNR dB": 8.765, ">4 kHz dB": -1.25}},
        "generate": {"ar": {"chord IOU": 0.654}, "fm": {"melody": 0.5, "FAD": 12.345}},
        "bars": [asdict(bar) | {"met": bar.met} for bar in BARS],
    }


def test_the_card_prints_every_figure_beside_its_bar_and_says_which_are_missed() -> None:
    spec = BundleSpec("small", LICENCE, figures=figures())  # type: ignore[arg-type]
    facts = Facts(
        {"codec.safetensors": 5.9}, {"fm": {"steps": 321, "minutes": 4.5}}, {"arranger": 30.04},
        {"a-package": 1.23}, "- Somebody: a piece (CC-BY-4.0)\n", ("goes on from an older bundle",),
    )  # fmt: skip
    told = card(spec, facts)
    lines = told.splitlines()
    assert any("SI-SNR dB | 8.765 | ≥ 9.000 |" in line and "**not met**" in line for line in lines)
    assert any("chord IOU | 0.654 | ≥ 0.600 | 0.021 | 0.812 | met |" in line for line in lines)
    assert any("jump dB | 5.432 | < 7.891 (naive paste) |" in line for line in lines)
    assert (
        "2 of 3 bars are met" in told and "12.345" in told and "200 held-out conditions and 150 spans" in told
    )
    wanted = ("CC-BY-SA-4.0", "arranger 30.0 h", "a-package 1.23 h", "Somebody", "321 steps in 4.5 min")
    sources = ("goes on from an older bundle", "Groove", "FluidR3", "MuseScore", "Sonic Pi", "OpenEWLD")
    for words in (*wanted, *sources):
        assert words in told
    assert "-1.2 dB above 4 kHz" in limits(figures())  # type: ignore[arg-type]


def test_wide_tables_are_cut_and_lose_no_column() -> None:
    rows = {"a": {f"column {i}": float(i) for i in range(20)}, "b": {"column 3": 0.25}}
    told = table(rows)
    assert all(f"{i}.000" in told for i in range(20)) and told.count("| b |") == 1
    assert max(line.count("|") for line in told.splitlines()) <= 11
    assert table({}) == "not measured"


def test_small_numbers_do_not_vanish() -> None:
    assert (number(0.0), number(1.5), number(-0.25), number(1e-4)) == ("0.000", "1.500", "-0.250", "1.0e-04")


def test_hours_are_counted_from_finished_shards_and_arrays(tmp_path: Path) -> None:
    renders, recordings = tmp_path / "renders", tmp_path / "recordings"
    renders.mkdir()
    recordings.mkdir()
    np.save(renders / "audio_000.npy", np.zeros((6, 12 * RATE // 100), np.int16))
    labels = [{"source": "arranger"}] * 4 + [{"source": "lead sheet"}] + [{}]
    (renders / "labels_000.json").write_text(json.dumps(labels))
    np.save(renders / "audio_001.npy", np.zeros((6, 100), np.int16))  # not finished: no labels
    for name, seconds in (("one__x", 36), ("one__y", 36), ("two__z", 18)):
        np.save(recordings / f"{name}.npy", np.zeros(seconds * RATE // 100, np.int16))
    hours = rendered_hours(renders)
    assert {k: round(v * 3600, 2) for k, v in hours.items()} == {"arranger": 0.6, "lead sheet": 0.12}
    assert {k: round(v * 3600, 2) for k, v in recorded_hours(recordings).items()} == {
        "one": 0.72,
        "two": 0.18,
    }
