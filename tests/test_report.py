"""The study as one page: claims on known answers, parts made once, the whole with a tiny bundle."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from study.data import render
from study.report import __main__ as report
from study.report import claims, page, parts, plots
from study.report.intervals import Estimate, averaged, difference
from tests.checkpoints.musicgen import save_tiny_musicgen

RATE = 32_000


# ---- intervals and claims


def test_an_interval_holds_the_truth_about_so_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    for n in (6, 20):
        found = [averaged(rng.normal(3.0, 1.0, n).tolist()) for _ in range(200)]
        held = np.mean([e.low <= 3.0 <= e.high for e in found])
        assert 0.90 <= held <= 0.99, n
    wide, narrow = averaged(rng.normal(size=6).tolist()), averaged(rng.normal(size=200).tolist())
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert np.isnan(averaged([]).value) and averaged([1.0, float("nan")]).n == 1


def test_pairs_take_away_what_both_have_in_common() -> None:
    rng = np.random.default_rng(1)
    piece = rng.normal(scale=5.0, size=12)
    a, b = piece + 1.0 + rng.normal(scale=0.1, size=12), piece + rng.normal(scale=0.1, size=12)
    paired, apart = difference(a.tolist(), b.tolist()), difference(a.tolist(), b.tolist(), paired=False)
    assert paired.apart and not apart.apart
    assert paired.value == pytest.approx(apart.value) == pytest.approx(1.0, abs=0.1)


def claim(side: claims.Side, margin: float = 0.0) -> claims.Claim:
    return claims.Claim("axis", "words", "paper", "what", side, lambda _: None, margin)


@pytest.mark.parametrize(
    ("side", "estimate", "says"),
    [
        ("below", Estimate(-2, -3, -1, 9), "agrees"),
        ("below", Estimate(2, 1, 3, 9), "disagrees"),
        ("above", Estimate(2, 1, 3, 9), "agrees"),
        ("above", Estimate(-2, -3, -1, 9), "disagrees"),
        ("above", Estimate(2, -1, 5, 9), "cannot be told at this size"),
        ("above", Estimate(2, 1, 3, 4), "cannot be told at this size"),  # four items are too few
        ("alike", Estimate(0.01, -0.05, 0.06, 9), "agrees"),
        ("alike", Estimate(0.3, 0.15, 0.45, 9), "disagrees"),
        ("alike", Estimate(0.05, -0.05, 0.15, 9), "cannot be told at this size"),
        ("above", None, "not run"),
    ],
)
def test_the_rule_of_claims(side: claims.Side, estimate: Estimate | None, says: str) -> None:
    assert claims.Verdict(claim(side, 0.1), estimate).says == says


def test_claims_are_read_from_what_parts_hold_and_none_is_invented() -> None:
    told = {
        "clips": {
            "samples": {
                "AR, all lanes": {"chord IOU": [0.1, 0.2, 0.15, 0.1, 0.2, 0.1]},
                "FM, all lanes": {"chord IOU": [0.5, 0.6, 0.5, 0.55, 0.6, 0.5]},
            },
            "draws": {},
            "tables": [],
        }
    }
    found = {v.claim.words: v for v in claims.verdicts(told)}
    chords = found["AR follows chords better than FM"]
    assert chords.says == "disagrees" and chords.figure is not None
    assert chords.figure.value == pytest.approx(-0.4, abs=0.02)
    assert [words for words, v in found.items() if v.says != "not run"] == [
        "AR follows chords better than FM"
    ]
    lines = claims.markdown(list(found.values())).splitlines()
    assert len(lines) == 2 + len(claims.CLAIMS) and sum("not run" in line for line in lines) == len(found) - 1


def test_figures_against_the_model_card_are_named() -> None:
    heard = {"chord IOU": [0.5, 0.52, 0.48, 0.5, 0.51, 0.49]}
    told = {"clips": {"samples": {"AR, all lanes": heard, "FM, all lanes": heard}}}
    card = {"generate": {"ar": {"chord IOU": 0.191}, "fm": {"chord IOU": 0.505}}}
    (named,) = claims.contradictions(told, card)
    assert "AR, chord IOU" in named and "0.191" in named and "0.500" in named


# ---- parts and page


def test_a_part_is_made_once_and_only_whole(tmp_path: Path) -> None:
    made = []

    def make(place: parts.Place) -> parts.Found:
        made.append(place)
        if len(made) == 1:
            raise KeyboardInterrupt
        return parts.Found(facts={"none": float("nan"), "array": np.float64(2.0)})

    place = parts.Place(tmp_path, parts.TINY)
    one = [parts.Part("one", "One", "about", make)]
    with pytest.raises(KeyboardInterrupt):
        parts.ensure(one, place, lambda _: None)
    assert parts.read(tmp_path, "one") is None
    assert parts.ensure(one, place, lambda _: None) == ["one"]
    said: list[str] = []
    assert parts.ensure(one, place, said.append) == [] and "delete it" in said[0] and len(made) == 2
    told = parts.read(tmp_path, "one")
    assert told is not None and told["facts"] == {"none": None, "array": 2.0}
    assert told["size"]["name"] == "tiny" and told["wall"] >= 0 and told["cpu"] >= 0


def test_plots_are_drawn_between_round_numbers() -> None:
    assert plots.ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert plots.ticks(0.13, 0.42) == [0.2, 0.3, 0.4]
    series = [{"name": "AR", "points": [[1, 2.0], [4, 8.0]]}, {"name": "<FM>", "points": [[1, None]]}]
    drawn = plots.svg({"title": "T", "x": "batch", "y": "s", "series": series})
    assert drawn.count("<polyline") == 1 and "var(--ar)" in drawn
    assert plots.svg({"title": "T", "x": "x", "y": "y", "series": series[1:]}) == ""
    assert "&lt;FM&gt;" in plots.legend(series)


def test_a_table_marks_what_is_the_papers_and_what_floor() -> None:
    rows = [
        parts.row("AR <b>", {"IOU": Estimate(0.5, 0.4, 0.6, 9)}),
        parts.row("AR (Table 3)", {"IOU": 0.57}, "paper"),
        parts.row("shuffled", {"IOU": float("nan")}, "floor"),
    ]
    drawn = page.table(parts.table("Control", ("IOU", "never"), rows, "A note.", "Table 3"))
    assert "0.50 <small>[0.40, 0.60]</small>" in drawn and "&lt;b&gt;" in drawn and "never" not in drawn
    assert '<tr class="paper">' in drawn and '<tr class="floor">' in drawn


# ---- the whole


def sounds(seed: int) -> np.ndarray:
    """Twelve seconds of a chord with a pulse, int16 [N]."""
    rng, t = np.random.default_rng(seed), np.arange(12 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * t) for f in 220.0 * 2 ** (rng.integers(0, 12, 3) / 12))
    pulse = np.exp(-6 * (t % 0.5))
    sound = 0.1 * tones * (0.5 + pulse) + 0.02 * rng.normal(size=len(t)) * pulse
    return np.asarray(32767 * sound, np.int16)


def label(root: int, pitch: int, late: float, drum: str) -> dict[str, object]:
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    return {
        "captions": ["pop with piano & drums"], "lead": "piano", "key": "C major", "bpm": 120.0,
        "beats_per_bar": 4, "time_signature": "4/4", "downbeats": [0.0, 2.0, 4.0], "parts": None,
        "chords": [{"start": k, "end": k + 1, "symbol": names[(root + 5 * (k % 2)) % 12]} for k in range(12)],
        "melody": [{"start": k / 2, "end": k / 2 + 0.5, "pitch": pitch + k % 3} for k in range(24)],
        "hits": [{"time": k / 2 + late, "drum": drum} for k in range(24)],
    }  # fmt: skip


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    folder = tmp_path / "held_out"
    folder.mkdir()
    np.save(folder / "audio_000.npy", np.stack([sounds(i) for i in range(5)]))
    (folder / "labels_000.json").write_text(json.dumps([label(i, 60, 0.0, "kick") for i in range(5)]))
    return folder


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pair for each kind of change, as the study keeps them; nothing is rendered."""
    folder = tmp_path / "report" / "asks"
    folder.mkdir(parents=True)
    monkeypatch.setattr(render, "found_sources", lambda *_, **__: None)
    for seed, change in ((1, "harmony"), (3, "line"), (5, "drums")):
        both = [label(0, 60, 0.0, "kick"), label(3, 66, 0.25, "snare")]
        np.savez(folder / f"{seed}.npz", audio=np.stack([sounds(seed), sounds(seed + 1)]),
                 labels=json.dumps(both))  # fmt: skip
        (folder / f"{change}.json").write_text(json.dumps({"seeds": [seed, seed], "next": 7}))
    return folder.parent


@pytest.mark.slow
def test_the_whole_page_is_made_of_all_parts_and_a_checkpoint_of_the_shelf(
    tiny_bundle: Path, held_out: Path, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INLAY_MODELS", str(tmp_path / "shelf"))
    save_tiny_musicgen(tmp_path / "shelf" / "small-one")
    results = tmp_path / "runs"
    (results / "fm").mkdir(parents=True)
    (results / "fm" / "curves.csv").write_text("step,seconds,given,span\n1,60,2.0,2.1\n9,3600,1.5,1.6\n")
    place = parts.Place(asked, parts.TINY, str(tiny_bundle), "cpu", 1, held_out, results, tmp_path / "none",
                        ("small-one",))  # fmt: skip
    file = report.report(place)
    told = file.read_text()
    for name in report.NAMES:
        assert f"id='{name}'" in told
        part = parts.read(asked, name)
        assert part is not None and part["tables"], f"{name}: {part and part['missing']}"
    assert not re.search(r"(src|href)=['\"](?!data:|#)", told), "the page asks for something beside it"
    assert told.count("data:audio/mpeg;base64,") >= 20 and told.count("<svg viewBox") >= 8
    rows = {row["name"]: row for t in parts.read(asked, "spans")["tables"] for row in t["rows"]}  # type: ignore[index]
    assert {"best repeat, composed", "mosaic, composed", "AR", "FM", "ZS search"} <= set(rows)
    (shelf,) = asked.glob("parts/model-*.json")
    column = {row["name"]: row for t in json.loads(shelf.read_text())["tables"] for row in t["rows"]}
    (mine,) = [row for name, row in column.items() if row["kind"] == "model"]
    assert mine["cells"]["worse seam's score"]["n"] == parts.TINY.spans
    lacks = json.dumps(parts.read(asked, "training")["missing"])  # type: ignore[index]
    assert "study.train.ar" in lacks and "training curve of FM" not in lacks
    times = {p: p.stat().st_mtime_ns for p in asked.glob("parts/*.json")}
    report.report(place)
    assert {p: p.stat().st_mtime_ns for p in asked.glob("parts/*.json")} == times
    verdicts = json.loads((asked / "report.json").read_text())["claims"]
    assert len(verdicts) == len(claims.CLAIMS)
    assert not any(says in ("agrees", "disagrees") for _, says in verdicts), "two clips prove nothing"


def test_a_frechet_distance_lies_within_its_own_interval() -> None:
    """Drawn again, few clips lie farther from the reference: that must not move the interval away."""
    from study.report.ears import distances

    rng = np.random.default_rng(0)
    made = [rng.normal(size=(12, 6)) + rng.normal(size=6) for _ in range(6)]
    found, draws = distances(made, rng.normal(size=(400, 6)))
    assert found.low < found.value < found.high
    assert np.mean(draws) == pytest.approx(found.value)
