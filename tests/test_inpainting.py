"""The inpainting table and the defects behind the seam score, on known answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.audio import seams
from engines.audio.recording import from_float
from engines.checkpoints.shelf import Models
from engines.dispatch import run
from engines.requests import Controls, FMSettings, InpaintRequest, Note
from study import inpainting
from study.measure import defects, fillings
from study.measure.asks import Ask
from study.measure.spans import RATE, Piece, pieces


def folders(root: Path) -> tuple[Path, Path]:
    """Three renders of 12 s and a recording of 15 s, of noise with a beat, as the study keeps them."""
    renders, recordings = root / "renders", root / "recordings"
    renders.mkdir()
    recordings.mkdir()
    rng = np.random.default_rng(0)

    def noise(seconds: int) -> np.ndarray:
        t = np.arange(seconds * RATE) / RATE
        return (8000 * rng.uniform(-1, 1, len(t)) * np.exp(-5 * (t % 0.5))).astype(np.int16)

    np.save(renders / "audio_000.npy", np.stack([noise(12) for _ in range(3)]))
    labels = [{"captions": [f"piece {i}"]} for i in range(3)]
    (renders / "labels_000.json").write_text(json.dumps(labels))
    np.save(recordings / "a.npy", noise(15))
    return renders, recordings


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> list[Piece]:
    return pieces(4, 0.25, 3, *folders(tmp_path_factory.mktemp("study")))


def test_pieces_are_seeded_and_have_room_around_their_spans(some: list[Piece], tmp_path: Path) -> None:
    again = pieces(4, 0.25, 3, *folders(tmp_path))
    assert [(p.start, p.end, p.prompt) for p in some] == [(p.start, p.end, p.prompt) for p in again]
    assert [p.recorded for p in some] == [False, False, False, True]
    for piece in some:
        assert len(piece.audio) == 10 * RATE and np.abs(piece.audio).max() <= 1
        assert 1 <= piece.end - piece.start <= 5 and piece.start >= 1.2 and piece.end <= 8.8
        assert piece.recorded == (piece.prompt == "")
    with pytest.raises(FileNotFoundError, match=r"study\.data\.render"):
        pieces(1, 0.0, 0, tmp_path / "none", tmp_path / "none")


def test_defects_spoil_the_span_alone_and_by_what_they_say(some: list[Piece]) -> None:
    piece = some[0]
    a, b = piece.samples
    spoilt = defects.spoil(piece, some[1].audio, np.random.default_rng(0))
    for name, version in spoilt.items():
        assert np.array_equal(version[:a], piece.audio[:a]) and np.array_equal(
            version[b:], piece.audio[b:]
        ), name
        assert not np.array_equal(version[a:b], piece.audio[a:b])
    middle = slice(a + 2000, b - 2000)
    for name, gain in (("+3 dB", 3.0), ("-3 dB", -3.0)):
        change = 20 * np.log10(spoilt[name][middle].std() / piece.audio[middle].std())
        assert change == pytest.approx(gain, abs=1e-3)
    shifted = [np.roll(piece.audio, s)[middle] for s in (-1920, 1920)]  # 60 ms
    assert any(np.array_equal(spoilt["60 ms shift"][middle], s) for s in shifted)


def test_auc_of_apart_equal_and_mixed() -> None:
    assert defects.auc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert defects.auc([1.0, 1.0], [1.0]) == 0.5
    assert defects.auc([0.0, 2.0], [1.0]) == 0.5


def test_the_fit_weighs_the_statistic_that_tells() -> None:
    """Defects that only the beat shows: its weight and the largest's are what is left."""
    rng = np.random.default_rng(1)
    beat = seams.STATISTICS.index("beat")
    found = []
    for _ in range(12):
        reference = rng.random((64, 10))
        bad = rng.random(10)
        bad[beat] = 1.5
        found.append(
            {"late": [(bad, reference)], "untouched": [(rng.random(10), reference) for _ in range(4)]}
        )
    weights = defects.fit(found)
    others = [weights[name] for name in seams.STATISTICS if name != "beat"]
    assert weights["beat"] > 2 * max(others)
    figures = defects.held_out(found)
    assert figures["late"] > 0.95 and figures["untouched above 0.9"] < 0.3


def test_a_row_like_real_audio_is_not_told_apart_and_another_is() -> None:
    rng = np.random.default_rng(0)

    def items(shift: float) -> list[dict[str, object]]:
        return [{"percentiles": (100 * rng.random((2, 10)) ** shift).tolist()} for _ in range(80)]

    real = items(1.0)
    assert inpainting.told_apart(items(1.0), real) == pytest.approx(0.5, abs=0.1)
    assert inpainting.told_apart(items(0.2), real) > 0.9
    rough = items(0.7)
    widths = []
    for count in (20, 80):
        low, high = inpainting.interval(*inpainting.suspicions(rough[:count], real[:count]))
        assert low < inpainting.told_apart(rough[:count], real[:count]) < high
        widths.append(high - low)
    assert widths[1] < 0.75 * widths[0]  # four times the spans


@pytest.mark.slow
def test_evaluations_count_rows_and_both_ways(models: Models, some: list[Piece]) -> None:
    source = from_float(some[0].audio[: 3 * RATE], RATE)
    for method, prompt, expected in (
        ("inversion", "x", 12.0),
        ("replacement", "", 3.0),
        ("guided", "x", 18.0),
    ):
        settings = FMSettings("euler", 3, zero_shot=method)  # type: ignore[arg-type]
        result = run(InpaintRequest("fm-zero-shot", source, 1.0, 1.4, prompt, fm=settings), models)
        assert fillings.evaluations(result) == expected


def test_the_papers_rows_know_nothing_beyond_it(some: list[Piece]) -> None:
    for name, row in fillings.ROWS.items():
        if isinstance(row, fillings.Paste):
            continue
        request = row.request(some[0], 0)
        assert not request.changes  # nothing was asked that was not there
        plain = (request.ar.candidates, request.fm.candidates, request.match, request.crossfade)
        assert (plain == (1, 1, 0.0, 0.03)) == ("paper" in name)
        if "paper" in name:
            assert (request.fm.solver, request.fm.steps, request.fm.zero_shot) == ("euler", 25, "inversion")
        else:
            assert replace(request, fm=FMSettings()) == InpaintRequest(
                request.engine, request.source, request.start, request.end, request.prompt, changed=()
            )


@pytest.mark.slow
def test_the_table_reads_from_disk_what_was_made_and_names_the_bars(
    models: Models, some: list[Piece], tmp_path: Path
) -> None:
    maker = fillings.Maker(models, tmp_path)
    row = fillings.Row("fm", fm=FMSettings("euler", 2, candidates=1))
    assert maker.filling(row, some[0], 0, make=False) is None
    first = [maker.filling(row, piece, i) for i, piece in enumerate(some)]
    assert len(list(tmp_path.glob("*.npz"))) == 4
    again = fillings.Maker(models, tmp_path)
    made: dict[str, dict[int, dict[str, object]]] = {}
    for i, (piece, filling) in enumerate(zip(some, first, strict=True)):
        kept = again.filling(row, piece, i, make=False)
        assert kept is not None and filling is not None and np.array_equal(kept.audio, filling.audio)
        a, b = piece.samples
        assert len(kept.audio) == b - a and kept.evaluations == 2.0
        ear = inpainting.Ear(piece)
        for name, figures in ear.anchors(some[(i + 1) % 4]).items():
            made.setdefault(name, {})[i] = figures
        for name in ("FM", "ZS search")[: 1 if i == 3 else 2]:  # the last span was not made by search
            made.setdefault(name, {})[i] = ear.figures(kept.audio) | {"evaluations": kept.evaluations}
    rows = inpainting.table(made)
    assert rows["untouched"]["log-mel nats"] == 0.0 and rows["untouched"]["chroma"] == pytest.approx(1.0)
    assert rows["pasted"]["log-mel nats"] > 0.1 and rows["silence"]["log-mel nats"] > 0.1
    assert (rows["FM"]["spans"], rows["ZS search"]["spans"]) == (4, 3)
    assert "AUC renders" in rows["ZS search"] and "AUC recordings" not in rows["ZS search"]
    apart = 0.75 * rows["FM"]["failed renders"] + 0.25 * rows["FM"]["failed recordings"]
    assert rows["FM"]["failed"] == pytest.approx(apart)
    named = {what: value for what, value, _ in inpainting.bars(rows)}
    assert named["ZS search / FM: evaluations"] == 1.0 and "FM: AUC" in named and "FM: failed" in named


@pytest.mark.slow
def test_a_paste_needs_no_network_and_has_smoother_seams_than_silence(
    models: Models, some: list[Piece], tmp_path: Path
) -> None:
    maker = fillings.Maker(models, tmp_path)
    piece = Piece(some[0].audio[: 5 * RATE], 2.5, 3.5, "", False)
    a, b = piece.samples
    ear = inpainting.Ear(piece)
    silence = ear.figures(np.zeros(b - a, np.float32))
    for name in ("best repeat, composed", "mosaic, composed"):
        row = fillings.ROWS[name]
        filling = maker.filling(row, piece, 0)
        assert filling is not None and len(filling.audio) == b - a and filling.evaluations == 0.0
        figures = ear.figures(filling.audio)
        assert figures["score"] < silence["score"] and figures["log-mel nats"] < silence["log-mel nats"]
        again = maker.filling(row, piece, 5, make=False)  # no seed has a say in it
        assert again is not None and np.array_equal(again.audio, filling.audio)
    assert figures["onsets r"] > 0.3  # a pulse that goes on


@pytest.mark.slow
def test_an_ask_reaches_the_engines_as_what_was_changed(
    models: Models, some: list[Piece], tmp_path: Path
) -> None:
    lanes = Controls(melody=(Note(0.0, 10.0, 70),))
    ask = Ask("melody", some[0], "words", lanes, "", "", None)
    request = fillings.Row("fm").request(some[0], 0, ask=ask)
    assert (request.changed, request.prompt, request.controls) == (("melody",), "words", lanes)
    assert request.changes and not fillings.paper("fm").request(some[0], 0, ask=ask).changes
    row, maker = fillings.Row("fm", fm=FMSettings("euler", 1, candidates=1)), fillings.Maker(models, tmp_path)
    made, plain = maker.filling(row, some[0], 0, ask=ask), maker.filling(row, some[0], 0)
    assert made is not None and plain is not None and len(list(tmp_path.glob("*.npz"))) == 2


def test_the_engines_code_names_what_they_made_but_comments_do_not() -> None:
    told = fillings.code_of("timebase")
    assert told == fillings.code_of("timebase") != fillings.code_of("guidance")
    assert b"The one home of seconds" not in told
