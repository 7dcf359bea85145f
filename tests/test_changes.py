"""Changed requests: every row beside its floor and its ceiling, and the bars that follow from the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engines.checkpoints.shelf import Models
from engines.requests import Controls, Hit, Note
from study.followed import against, grid_of, suitable, told, worded
from study.listeners import jury
from study.listeners.tagger import Tagger, TaggerConfig
from study.listeners.transcriber import Transcriber
from study.measure import bars, changes, fillings
from study.measure.asks import Ask
from study.measure.conditions import Clip
from study.measure.spans import RATE, Piece

LEADS = tuple(f"instrument {i}" for i in range(12))


def beat(drum: str, seed: int) -> np.ndarray:
    """Six seconds of a pulse with a tone, [n]."""
    t, rng = np.arange(6 * RATE) / RATE, np.random.default_rng(seed)
    late = (t + (0.25 if drum == "snare" else 0.0)) % 0.5
    y = 0.05 * np.sin(2 * np.pi * 330 * t) + 0.3 * rng.normal(size=len(t)) * np.exp(-30 * late)
    return y.astype(np.float32)


def ask(kind: str, seed: int = 0) -> Ask:
    """A span of 1.5 s, asked for another melody, other drums or another lead."""
    piece = Piece(beat("kick", seed), 2.5, 4.0, "a pulse", False)
    lanes = {
        "melody": Controls(melody=(Note(0.0, 10.0, 64 + seed),)),
        "drums": Controls(drums=tuple(Hit(0.25 + k / 2 + 0.1 * seed, "snare") for k in range(11))),
    }
    lead = LEADS[seed] if kind == "words" else ""
    return Ask(kind, piece, "words", lanes.get(kind, Controls()), lead, "", beat("snare", seed))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> jury.Jury:
    """Judges with random weights: they judge nothing rightly, but alike each time."""
    torch.manual_seed(0)
    listener = Tagger(TaggerConfig(LEADS, ("piano",), ("pop",), width=4, embedding=8)).eval()
    return jury.Jury(listener, Transcriber().eval(), tmp_path_factory.mktemp("heard"))


@pytest.mark.slow
def test_every_kind_has_a_row_a_floor_and_a_ceiling(
    models: Models, judges: jury.Jury, tmp_path: Path
) -> None:
    asked = {kind: [ask(kind, k) for k in range(2)] for kind in ("words", "drums")}
    maker = fillings.Maker(models, tmp_path)
    rows: dict[str, fillings.Row | fillings.Paste] = {"repeat": fillings.Paste("repeat")}
    told: list[str] = []
    table = changes.changes(maker, judges, rows, asked, report=told.append)
    assert list(table) == list(asked) and len(told) == 4
    for found in table.values():
        assert list(found) == ["as it was", "twin", "twin, codec", "twin, RVQ", "repeat"]
        for figures in found.values():
            assert figures["spans"] == 2 and {"followed", "shuffled", "score", "failed"} <= set(figures)
        assert found["as it was"]["failed"] == 0.0 and "seconds" in found["repeat"]
    text = changes.shown(table)
    assert "another drums" in text and "twin, RVQ" in text
    heard = list(judges.folder.glob("*.json"))
    again = changes.changes(maker, judges, rows, asked, make=False, report=told.append)
    assert again == table and len(list(judges.folder.glob("*.json"))) == len(heard)


def test_bars_stand_beside_what_was_measured_and_say_what_was_not() -> None:
    changed = {"melody": {"FM": {"followed": 0.75, "score": 0.7, "failed": 0.3}},
               "drums": {"FM": {"followed": 0.5, "score": 0.7, "failed": 0.0}}}  # fmt: skip
    tables = {"words": {"AR": {"tempo": 0.8, "lead of 10": 0.2}}, "solos": {"AR": {"drum hits": 3.0}}}
    found = {bar.what: bar for bar in bars.found(tables, {"changes": changed})}
    melody, failed = found["FM: another melody in a span"], found["FM: at that control: failed spans"]
    assert (melody.met(melody.cpu), melody.met(melody.gpu)) == ("met", "NOT MET")
    assert (
        failed.value == pytest.approx(0.15)
        and failed.met(failed.cpu) == "met"
        and failed.met(failed.gpu) != "met"
    )
    assert found["AR: drum hits in solos"].met(5.0) == "met" and found["AR: tempo asked = heard"].value == 0.8
    assert found["FM: tempo asked = heard"].met(0.7) == "?"
    text = bars.shown(list(found.values()))
    assert "NOT MET" in text and "study.inpainting --changes all" in text


def test_clips_are_asked_for_their_tempo_and_key_in_words_and_as_a_grid() -> None:
    label = {"bpm": 128.0, "beats_per_bar": 3, "downbeats": [0.4], "key": "G major", "lead": "flute",
             "captions": ["flute waltz"], "hits": [1], "time_signature": "3/4"}  # fmt: skip
    clip = Clip("x", np.zeros(1, np.float32), label, Controls())
    assert told(clip) == "flute waltz, 128 bpm, in G major"
    grid = grid_of(clip)
    assert (grid.bpm, grid.beats_per_bar, grid.offset) == (128.0, 3, 0.4)
    assert worded([clip], "fm")[0].controls.grid == grid
    other = Clip("y", clip.audio, label | {"time_signature": "6/8"}, Controls())
    assert suitable([other, clip], 5) == [clip]
    own, floor = against(lambda i, k: float(i == k), 5)
    assert (own, floor) == (1.0, 0.0)
