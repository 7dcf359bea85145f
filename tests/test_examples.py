"""The examples' plan: every kind for both engines, the same every time, and small enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.audio.recording import from_float
from study.examples import KINDS, oversize, plan, write
from study.measure.conditions import RATE


def test_the_plan_covers_every_kind_for_both_engines_and_holds_still() -> None:
    examples = plan(7.0)
    assert len(examples) == 12 and examples == plan(7.0)
    assert {(e.engine, e.kind) for e in examples} == {(e, k) for e in ("ar", "fm") for k in KINDS}
    assert len({e.style for e in examples}) == 10
    for before, example in zip([None, *examples], examples, strict=False):
        lanes = KINDS[example.kind]
        for name in ("chords", "melody", "drums"):
            assert bool(getattr(example.controls, name)) == (name in lanes)
        assert all(c.end <= 7.0 for c in example.controls.chords or ())
        if example.kind == "span":
            assert before is not None and before.engine == example.engine
            assert (before.prompt, before.controls) == (example.prompt, example.controls)


def test_files_too_big_for_the_repository_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write(tmp_path / "01.flac", from_float((0.1 * rng.standard_normal(4 * RATE)).astype(np.float32), RATE))
    assert (tmp_path / "01.flac").stat().st_size < 256_000 and oversize(tmp_path) == ""
    write(tmp_path / "02.flac", from_float((0.3 * rng.standard_normal(8 * RATE)).astype(np.float32), RATE))
    assert "02.flac" in oversize(tmp_path) and "--seconds" in oversize(tmp_path)
