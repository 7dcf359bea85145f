"""JASCO as a flow: its field from the released names, its lanes, and the engines on it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engines import fm, zero_shot
from engines.audio.recording import Recording
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import InputError
from engines.families.jasco import drum_sound
from engines.families.jasco_chords import SYMBOLS, numbers
from engines.families.roster import recognised
from engines.music.chords import VOCABULARY
from engines.networks.lane_frames import Lanes, lanes_from, null_lanes
from engines.requests import Chord, Controls, FMSettings, GenerateRequest, Hit, InpaintRequest, Note
from engines.sampling.guidance import Source
from tests.checkpoints import jasco as tiny

ALL, WORDS, NONE = Source(True, True, 1.25), Source(True, False, 2.5), Source(False, False, -2.75)
LANES = Controls(
    chords=(Chord(0, 1, "F"), Chord(1, 2, "Am")), melody=(Note(0.2, 0.8, 60),), drums=(Hit(0.5, "kick"),)
)
FEW = FMSettings("euler", 4, candidates=2, seeded=1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    torch.set_num_threads(1)
    folder = tiny.save_tiny_jasco(tmp_path_factory.mktemp("shelf") / "jasco-tiny")
    return open_bundle(str(folder), "cpu")


def told(state: dict[str, Tensor], z: Tensor, t: float, streams: Tensor, words: Tensor) -> Tensor:
    """The velocity [B, D, T] by torch's own attention on weights of the released names."""
    half = torch.arange(64) * (-math.log(10_000) / 63)
    wave = torch.cat([(t * half.exp()).sin(), (t * half.exp()).cos()])
    weight = lambda name: (state[f"{name}.weight"], state.get(f"{name}.bias"))  # noqa: E731
    time = F.silu(F.linear(wave, *weight("temb.dense.0")))
    time = F.linear(F.linear(time, *weight("temb.dense.1")), *weight("temb_proj"))
    x = F.linear(torch.cat([z.transpose(1, 2), streams], -1), state["emb.weight"])
    rates = 10_000 ** (-torch.arange(tiny.DIM // 2) / (tiny.DIM // 2 - 1))
    phase = torch.arange(x.shape[1])[:, None] * rates
    x = x + torch.cat([phase.cos(), phase.sin()], -1)

    def attend(at: str, q: Tensor, k: Tensor) -> Tensor:
        packed, out = state[f"{at}.in_proj_weight"], state[f"{at}.out_proj.weight"]
        q, k = q.transpose(0, 1), k.transpose(0, 1)
        y, _ = F.multi_head_attention_forward(
            q, k, k, tiny.DIM, 4, packed, None, None, None, False, 0.0, out, None, need_weights=False
        )
        return y.transpose(0, 1)

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (tiny.DIM,), *weight(name), 1e-5)

    pushed: list[Tensor] = []
    for i in range(tiny.LAYERS):
        at = f"transformer.layers.{i}"
        if i >= tiny.SKIPS:
            joined = torch.cat([x, pushed.pop()], -1)
            x = F.linear(joined, *weight(f"transformer.skip_projections.{i % tiny.SKIPS}"))
        own = norm(f"{at}.norm1", x)
        x = x + attend(f"{at}.self_attn", own, own)
        x = x + attend(f"{at}.cross_attention", norm(f"{at}.norm_cross", x), words + time)
        x = x + F.linear(
            F.gelu(F.linear(norm(f"{at}.norm2", x), *weight(f"{at}.linear1"))), *weight(f"{at}.linear2")
        )
        if i < tiny.SKIPS:
            pushed.append(x)
    return F.linear(norm("out_norm", x), state["linear.weight"]).transpose(1, 2)


def test_the_field_is_that_of_the_released_names(models: Models) -> None:
    state, flow = tiny.state(), models.fm()
    words = models.words("a calm piano")
    lanes = lanes_from(LANES, 100, 50.0)
    z = torch.randn(2, 128, 100, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(100, dtype=torch.bool)
    with torch.inference_mode():
        v = flow.velocity((ALL, WORDS, NONE), words, lanes, none, z[:1], 2)(z, 0.3).view(3, 2, 128, 100)
        part = tiny.PART
        states = F.linear(words.tokens, state[f"{part}description.output_proj.weight"],
                          state[f"{part}description.output_proj.bias"])  # fmt: skip
        codec: Any = models.codec()
        drums = [flow.heard(x) for x in (drum_sound(lanes.drums[0], codec)[None], torch.zeros(1, 1, 64_000))]  # type: ignore[attr-defined]
        melody = torch.zeros(100, 53)
        melody[10:40, 60 - 43] = 1.0
        chords = torch.tensor([SYMBOLS.index("F")] * 50 + [SYMBOLS.index("Am")] * 50)
        null = torch.full((100,), 194)
        for row, (said, heard, sung, read) in enumerate((
            (chords, drums[0], melody, states), (null, drums[1], 0 * melody, states),
            (null, drums[1], 0 * melody, 0 * states),
        )):  # fmt: skip

            def learned(name: str, x: Tensor) -> Tensor:
                return F.linear(
                    x, *(state[f"{part}{name}.output_proj.{kind}"] for kind in ("weight", "bias"))
                )

            parts = [state[f"{part}chords.emb.weight"][said], learned("self_wav", heard[0].t())]
            streams = torch.cat([*parts, learned("melody", sung)], -1)
            for item in range(2):
                expected = told(state, z[item : item + 1], 0.3, streams[None], read)
                assert expected.std() > 0.1  # otherwise closeness would say nothing
                assert (v[row, item] - expected[0]).abs().max() < 1e-5


def test_chords_have_the_numbers_that_it_has_learned() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 194 and (SYMBOLS[0], SYMBOLS[193]) == ("N", "UNK")
    mapped = dict(zip(VOCABULARY, numbers(), strict=False))
    for symbol in ("F", "Am", "C/G", "Bm7b5", "Dm7b5/C", "N"):
        assert SYMBOLS[mapped[symbol]] == symbol
    assert SYMBOLS[mapped["Cm/Eb"]] == "Cm"  # a bass that it does not know is left out
    assert numbers()[194] == 194 and len(numbers()) == 195


def test_drums_that_are_not_given_are_zeros_and_else_silence(models: Models) -> None:
    flow: Any = models.fm()
    bias = flow.net.drums.bias

    def drums(lanes: Lanes, row: Source) -> Tensor:
        with torch.inference_mode():
            return flow._streams((row,), lanes)[0, :, 16:18]

    assert torch.equal(drums(null_lanes(1, 50), NONE), bias.expand(50, 2))
    given = lanes_from(Controls(drums=(Hit(0.5, "snare"),)), 50, 50.0)
    silent = lanes_from(Controls(drums=()), 50, 50.0)
    assert torch.equal(drums(given, NONE), drums(silent, ALL))
    assert not torch.allclose(drums(given, NONE), bias.expand(50, 2))
    moved = (drums(given, ALL) - drums(silent, ALL)).abs().amax(dim=1)
    assert moved.max() > 1e-3


def test_the_blur_is_a_mean_of_three_frames(models: Models) -> None:
    flow: Any = models.fm()
    with torch.inference_mode():
        z = flow.heard(0.2 * torch.randn(1, 1, 640 * 11, generator=torch.Generator().manual_seed(1)))
    assert z.shape == (1, 128, 11)
    assert torch.equal(z[..., 0], z[..., 2]) and torch.equal(z[..., 9], z[..., 10])
    assert not torch.equal(z[..., 2], z[..., 3])


def test_the_spec_says_what_it_takes(models: Models, tmp_path: Path) -> None:
    spec = models.spec
    assert spec.engines == ("fm", "fm-zero-shot") and not spec.commercial
    assert spec.untaken("fm") == ("instruments", "grid") and spec.window_seconds == 10.0
    with pytest.raises(InputError, match="choose FM"):
        models.ar()
    broken = {name: w for name, w in tiny.state().items() if "compression_model" not in name}
    torch.save({"best_state": broken, "xp.cfg": tiny.CONFIG}, tmp_path / "state_dict.bin")
    with pytest.raises(InputError, match="is missing"):
        recognised(tmp_path)


def test_a_clip_is_made_from_words_and_lanes(models: Models) -> None:
    clip = GenerateRequest("fm", "a calm piano", 2.0, 1, LANES, fm=FEW)
    made = fm.run(clip, models)
    assert made.audio.seconds == 2.0 and made.audio.rate == 32_000
    assert np.array_equal(fm.run(clip, models).audio.samples, made.audio.samples)
    for other in (replace(clip, controls=Controls()), replace(clip, prompt=""), replace(clip, seed=2)):
        assert not np.array_equal(fm.run(other, models).audio.samples, made.audio.samples)


@pytest.mark.parametrize("engine", [fm, zero_shot])
def test_a_span_is_made_and_nothing_else(models: Models, song: Recording, engine: Any) -> None:
    name = "fm" if engine is fm else "fm-zero-shot"
    request = InpaintRequest(name, song, 1.5, 2.0, seed=2, controls=LANES, fm=FEW)  # type: ignore[arg-type]
    made, was = engine.run(request, models).audio.samples, song.samples
    a, b = round(1.5 * song.rate), round(2.0 * song.rate)
    assert np.array_equal(made[:a], was[:a]) and np.array_equal(made[b:], was[b:])
    assert not np.array_equal(made[a:b], was[a:b])
    assert np.array_equal(engine.run(request, models).audio.samples, made)
    assert not np.array_equal(engine.run(replace(request, seed=3), models).audio.samples, made)
