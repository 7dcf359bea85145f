"""Guidance distilled into the FM network: what it learns from, that it learns, what an engine asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engines.checkpoints.shelf import open_bundle, save_bundle
from engines.dispatch import run
from engines.families.inlay import OwnFlow, codec_of, network_of, spec_within
from engines.families.shape import Velocity
from engines.networks.flow_net import FlowNet
from engines.networks.lane_frames import Lanes, cat_lanes, lanes_from
from engines.networks.lm import LM
from engines.networks.shapes import FlowConfig
from engines.networks.text import TextStates
from engines.requests import (
    CHANGES,
    Change,
    Chord,
    Controls,
    FMSettings,
    GenerateRequest,
    Guidance,
    Hit,
    Note,
    Result,
)
from engines.sampling.guidance import Source, at_once, combine, sources
from study.train.distillation import Guided, Seen, draw_guided

SHAPE = FlowConfig(channels=6, dim=32, layers=2, heads=2, ff=64, text_dim=12)
SONG = Controls(
    chords=(Chord(0, 2, "C"), Chord(2, 4, "G7")),
    melody=(Note(0, 1, 60), Note(1, 3, 67)),
    drums=(Hit(0.5, "kick"), Hit(1.5, "snare")),
)


def network(guided: bool) -> FlowNet:
    torch.manual_seed(3)
    net = FlowNet(replace(SHAPE, guided=guided))
    torch.nn.init.normal_(net.output_proj.weight, std=0.2)
    torch.nn.init.normal_(net.transformer.modulate.weight, std=0.1)  # else time and guidance say nothing yet
    return net.eval()


def text() -> TextStates:
    g = torch.Generator().manual_seed(1)
    tokens = torch.randn(1, 5, 12, generator=g)
    return TextStates(tokens, torch.ones(1, 5, dtype=torch.bool), tokens.mean(1))


def seen(lanes: Lanes, size: int) -> Seen:
    g = torch.Generator().manual_seed(2)
    known = torch.zeros(size, 40, dtype=torch.bool)
    known[:, :10] = True
    words = text().repeat(size)
    return Seen(torch.randn(size, 6, 40, generator=g), torch.linspace(0.1, 0.9, size), known, lanes, words,
                torch.ones(size, dtype=torch.bool))  # fmt: skip


@pytest.mark.parametrize(
    ("guidance", "changed"),
    [
        (Guidance(3.0), ()),
        (Guidance(1.0), ()),
        (Guidance(2.0, wish=5.0), ("melody",)),
        (Guidance(2.0, wish=5.0), ("words", "drums")),
    ],
)
def test_the_teacher_says_what_guidance_makes_of_its_sources(
    guidance: Guidance, changed: tuple[Change, ...]
) -> None:
    net, lanes = network(False), lanes_from(SONG, 40, 10.0)
    one = seen(lanes, 1)
    rows = sources(guidance, True, True, changed)
    each = [
        net(one.z, one.tau, one.known, row.sees(lanes), one.text, torch.tensor([row.text])) for row in rows
    ]
    expected = combine(torch.stack(each), rows)[0]
    (row,) = at_once(rows, guidance, changed) if len(rows) > 1 else (None,)
    wish = row.guided.wish if row and row.guided else guidance.all
    flags = torch.tensor([[name in changed for name in CHANGES]])
    guided = Guided(torch.tensor([guidance.all]), torch.tensor([wish]), flags)
    target, alone = one.guided_by(net, guided)
    assert torch.allclose(target, expected, atol=1e-5)
    assert not torch.allclose(target, alone, atol=1e-2) or guidance.all == 1.0


def test_a_guided_network_begins_as_its_teacher_and_learns_what_guidance_adds() -> None:
    teacher, student = network(False).requires_grad_(False), network(True)
    student.load_state_dict(teacher.state_dict(), strict=False)
    many = seen(cat_lanes([lanes_from(SONG, 40, 10.0)] * 8), 8)
    guided = draw_guided(8, torch.Generator().manual_seed(0))
    with torch.no_grad():
        target, alone = many.guided_by(teacher, guided)
        assert torch.allclose(many.by(student, guided), alone, atol=1e-5)
    away = float((target - alone).square().mean())
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
    for _ in range(150):
        loss = (many.by(student, guided) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(loss.detach()) < 0.3 * away


def test_drawn_guidance_has_its_kinds() -> None:
    drawn = draw_guided(2000, torch.Generator().manual_seed(0))
    some = drawn.changed.any(1)
    assert (
        0.3 < float(some.float().mean()) < 0.5 and 0.15 < float((drawn.everything == 1).float().mean()) < 0.25
    )
    assert bool((drawn.wish[~some] == drawn.everything[~some]).all())
    assert bool((drawn.wish[some] >= drawn.everything[some]).all()) and float(drawn.wish.max()) <= 6.0


@pytest.fixture(scope="module")
def guided_bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle with a guided network in place of its own."""
    models = open_bundle(str(tiny_bundle), "cpu")
    own = spec_within(models)
    spec = replace(own, name="guided", flow=replace(own.flow, guided=True))
    net = FlowNet(spec.flow)
    net.load_state_dict(network_of(models).state_dict(), strict=False)
    torch.manual_seed(1)
    last = net.guidance_mlp[2]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.normal_(last.weight, std=0.5)
    torch.nn.init.normal_(net.transformer.modulate.weight, std=0.1)
    folder = tmp_path_factory.mktemp("guided")
    lm = models.ar()
    assert isinstance(lm, LM)
    save_bundle(folder, spec, codec_of(models), lm, net)
    return folder


def test_an_engine_asks_a_guided_network_once_a_step(
    guided_bundle: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Sequence[Source]] = []
    real = OwnFlow.velocity

    def velocity(self: OwnFlow, rows: Sequence[Source], *rest: Any) -> Velocity:
        told.append(rows)
        return real(self, rows, *rest)

    monkeypatch.setattr(OwnFlow, "velocity", velocity)
    chords = Controls(chords=(Chord(0, 1, "C"),))

    def clip(bundle: Path, weight: float) -> Result:
        told.clear()
        settings = FMSettings(steps=2, guidance=Guidance(weight))
        return run(
            GenerateRequest("fm", "piano", 1.0, 5, chords, fm=settings), open_bundle(str(bundle), "cpu")
        )

    three = clip(guided_bundle, 3.0)
    assert {len(rows) for rows in told} == {1} and three.parameters["evaluations"] == 2
    assert {rows[0].guided.everything for rows in told if rows[0].guided} == {3.0}
    assert (three.audio.samples != clip(guided_bundle, 2.0).audio.samples).any()
    assert clip(tiny_bundle, 3.0).parameters["evaluations"] == 4
    assert {len(rows) for rows in told} == {2}
