"""The AR network: delay pattern, lanes, loss, sampling, decoding, parity with MusicGen."""

import math

import pytest
import torch

from engines.networks.lane_frames import lanes_from, null_lanes
from engines.networks.lm import CONTEXT_WEIGHT, LM, delay, fim_batch, take, undelay
from engines.networks.shapes import LMConfig
from engines.networks.steps import Steps
from engines.networks.text import TextStates
from engines.networks.transformer import Cache
from engines.requests import Chord, Controls, Guidance
from engines.sampling import order as spans
from engines.sampling.decode import complete, sample_step
from engines.sampling.following import Following
from engines.sampling.guidance import Source, sources

SMALL = LMConfig(codebooks=3, codebook_size=11, dim=16, layers=2, heads=2, ff=32, text_dim=8)
PAD, A, B, C = 11, 12, 13, 14


def build(seed: int = 0) -> LM:
    torch.manual_seed(seed)
    lm = LM(SMALL)
    torch.nn.init.normal_(lm.transformer.modulate.weight, std=0.1)
    return lm.eval()


def text() -> TextStates:
    return TextStates(torch.randn(1, 3, 8), torch.ones(1, 3, dtype=torch.bool), torch.randn(1, 8))


def test_delay_on_a_hand_written_matrix() -> None:
    codes = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]])
    delayed = [[1, 2, 3, 4, 0, 0], [0, 5, 6, 7, 8, 0], [0, 0, 9, 10, 11, 12]]
    assert delay(codes, special=0)[0].tolist() == delayed
    assert torch.equal(undelay(delay(codes, special=0)), codes)


def test_inputs_are_the_delayed_codes_one_step_late() -> None:
    codes = torch.tensor([[[1, 2], [3, 4], [5, 6]]])
    columns, lanes = build().inputs(codes, lanes_from(Controls(chords=(Chord(0, 1, "C"),)), 2, 25.0))
    assert columns[0].tolist() == [[PAD, 1, 2, PAD], [PAD, PAD, 3, 4], [PAD, PAD, PAD, 5]]
    assert lanes is not None
    assert lanes.chords[0].tolist() == [1, 1, 194, 194]  # each with the step that predicts its frame


def test_a_frame_is_predicted_with_its_own_lane_and_not_with_later_ones() -> None:
    lm, codes = build(), torch.randint(0, 11, (1, 3, 6))
    plain = null_lanes(1, 6)
    marked = null_lanes(1, 6)
    marked.chords[0, 3] = 20
    moved = (lm.teacher_forced(codes, plain, None) - lm.teacher_forced(codes, marked, None)).abs()
    first_moved = [(moved[0, k].amax(dim=-1) > 1e-6).nonzero().min().item() for k in range(3)]
    assert first_moved == [3, 2, 1]  # codebook k of frame t is predicted at step t + k


def test_the_loss_is_the_mean_over_counted_cells() -> None:
    lm, codes = build(), torch.randint(0, 11, (2, 3, 5))
    lanes = null_lanes(2, 5)
    logp = lm.teacher_forced(codes, lanes, None).log_softmax(dim=-1)
    nll = -logp.gather(-1, codes[..., None])[..., 0]  # [2, 3, 5]
    assert torch.allclose(lm.loss(codes, lanes, None), nll.mean(), atol=1e-5)
    weights = torch.tensor([[1, 0, 0, 0.5, 0], [0, 0, 0, 0, 2.0]])
    expected = (nll[0, :, 0].sum() + 0.5 * nll[0, :, 3].sum() + 2 * nll[1, :, 4].sum()) / (3 * 3.5)
    assert torch.allclose(lm.loss(codes, lanes, None, weights=weights), expected, atol=1e-5)


def test_a_training_batch_mixes_plain_and_reordered_items() -> None:
    codes = torch.arange(8).view(1, 1, 8).repeat(2, 3, 1)
    lanes = lanes_from(Controls(chords=(Chord(0.08, 0.16, "C"),)), 8, 25.0)
    batch = fim_batch(SMALL, codes[:1], lanes, torch.tensor([0]), torch.tensor([0]))
    assert batch.codes[0, 1].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, PAD, PAD, PAD]
    assert batch.weights[0].tolist() == [1.0] * 8 + [0.0] * 3
    both = fim_batch(SMALL, codes, null_lanes(2, 8), torch.tensor([0, 2]), torch.tensor([0, 5]))
    assert both.codes[1, 0].tolist() == [A, 0, 1, C, 5, 6, 7, B, 2, 3, 4]
    w = pytest.approx(CONTEXT_WEIGHT)
    assert both.weights[1].tolist() == [0, w, w, 0, w, w, w, 0, 1, 1, 1]
    moved = fim_batch(SMALL, codes[:1], lanes, torch.tensor([2]), torch.tensor([5]))
    assert moved.lanes.chords[0].tolist() == [194] * 8 + [1, 1, 194]
    assert torch.isfinite(build().loss(both.codes, both.lanes, None, weights=both.weights))


def test_top_k_top_p_and_temperature_keep_what_they_should() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05])).expand(1, 400, 4)
    g = torch.Generator().manual_seed(0)
    assert sample_step(logits, 1.0, 1, 0.0, g).unique().tolist() == [0]
    assert sample_step(logits, 1.0, 3, 0.0, g).unique().tolist() == [0, 1, 2]
    assert sample_step(logits, 1.0, 0, 0.7, g).unique().tolist() == [0, 1]  # 0.5 < 0.7 <= 0.8
    assert sample_step(logits, 0.05, 0, 0.0, g).unique().tolist() == [0]
    shares = sample_step(logits.expand(1, 400, 4).repeat(1, 20, 1), 1.0, 0, 0.0, g)[0].bincount() / 8000
    assert torch.allclose(shares, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.03)


def draw(seed: int):  # type: ignore[no-untyped-def]
    g = torch.Generator().manual_seed(seed)
    return lambda logits: sample_step(logits, 1.0, 0, 0.0, g)


def run(lm: LM, codes: torch.Tensor, known: int, seed: int = 0, cached: bool = True) -> torch.Tensor:
    torch.manual_seed(5)
    lanes = lanes_from(Controls(chords=(Chord(0.04, 0.2, "Am"),)), codes.shape[2], 25.0)
    rows = sources(Guidance(2.0, 0.5), True, True)
    return complete(lm, codes, known, lanes, text(), rows, draw(seed), lambda *_: None, cached=cached)


@pytest.mark.parametrize("known", [0, 1, 5])
def test_a_cached_decode_equals_an_uncached_one(known: int) -> None:
    lm, codes = build(), torch.randint(0, 11, (1, 3, 9))
    assert torch.equal(run(lm, codes, known), run(lm, codes, known, cached=False))


def test_weights_in_bytes_say_nearly_the_same_and_exact_ones_come_back() -> None:
    torch.manual_seed(2)
    lm = LM(LMConfig(codebooks=2, codebook_size=64, dim=128, layers=3, heads=4, ff=256, text_dim=8)).eval()
    words, column = text(), torch.tensor([[3, 5]])

    def logits(in_bytes: bool) -> torch.Tensor:
        lm.in_bytes = in_bytes
        with torch.inference_mode():
            memory = lm.remember(words, None, 1)
            step = Steps(lm, memory, None, Cache(lm.config.backbone, 1, 4, lm.heads.weight))
            return step(column)

    exact, packed = logits(False), logits(True)
    assert 0 < float((exact - packed).norm() / exact.norm()) < 0.05
    assert torch.equal(logits(False), exact) and torch.equal(logits(True), packed)
    assert not lm.large and LM(SMALL).in_bytes is False


def test_a_seed_holds_and_another_differs() -> None:
    lm, codes = build(), torch.zeros(1, 3, 9, dtype=torch.int64)
    assert torch.equal(run(lm, codes, 0, seed=1), run(lm, codes, 0, seed=1))
    assert not torch.equal(run(lm, codes, 0, seed=1), run(lm, codes, 0, seed=2))


def test_filling_the_middle_keeps_the_context_and_has_exact_length() -> None:
    lm, codes = build(), torch.randint(0, 11, (1, 3, 10))
    start, end = 4, 7
    prompt = take(SMALL, codes, spans.reorder(start, end, 10)[None])
    steps: list[tuple[int, int]] = []
    rows = sources(Guidance(1.0, 0.0), False, False)
    out = complete(
        lm,
        prompt,
        10,
        null_lanes(1, 13),
        None,
        rows,
        draw(0),
        lambda step, total: steps.append((step, total)),
    )
    assert steps == [(i, 5) for i in range(6)]  # |B| + K - 1
    back = out[:, :, spans.restore(start, end, 10)]
    assert torch.equal(back[:, :, :4], codes[:, :, :4]) and torch.equal(back[:, :, 7:], codes[:, :, 7:])
    assert back.max() < SMALL.codebook_size  # never a special


def test_forced_cells_are_read_in_place_of_what_was_drawn() -> None:
    """At the first steps of B the higher codebooks still emit the markers and C: those stay as given."""
    lm = build()
    prompt = torch.randint(0, 11, (1, 3, 6))
    rows = (Source(False, False, 1.0),)
    seen: list[torch.Tensor] = []

    def zeros(logits: torch.Tensor) -> torch.Tensor:
        seen.append(logits)
        return torch.zeros(1, 3, dtype=torch.int64)

    out = complete(lm, prompt, 4, null_lanes(1, 6), None, rows, zeros, lambda *_: None)
    assert torch.equal(out[:, :, :4], prompt[:, :, :4]) and (out[:, :, 4:] == 0).all()
    truth = out.clone()
    logits = lm.teacher_forced(truth, null_lanes(1, 6), None)
    assert torch.allclose(seen[0][0, 0], logits[0, 0, 4], atol=1e-5)  # step 4 predicts codebook 0 of frame 4
    assert torch.allclose(seen[2][0, 1], logits[0, 1, 5], atol=1e-5)


def test_candidates_side_by_side_are_what_each_alone_would_be() -> None:
    lm = build()
    prompt = torch.randint(0, 11, (1, 3, 6))
    rows = sources(Guidance(2.0, 0.0), False, False)
    picks = [lambda x: x.argmax(-1), lambda x: x.argmin(-1)]

    def both(logits: torch.Tensor) -> torch.Tensor:
        return torch.cat([pick(logits[i : i + 1]) for i, pick in enumerate(picks)])

    made = complete(lm, prompt.repeat(2, 1, 1), 3, null_lanes(1, 6), None, rows, both, lambda *_: None)
    for i, pick in enumerate(picks):
        alone = complete(lm, prompt, 3, null_lanes(1, 6), None, rows, pick, lambda *_: None)
        assert torch.equal(made[i : i + 1], alone)
    assert not torch.equal(made[0], made[1])


def test_kept_codebooks_are_given_behind_the_known_columns() -> None:
    lm = build()
    codes = torch.randint(0, 11, (1, 3, 8))
    rows = (Source(False, False, 1.0),)
    out = complete(lm, codes, 4, null_lanes(1, 8), None, rows, draw(3), lambda *_: None, kept=1)
    assert torch.equal(out[:, 0], codes[:, 0]) and torch.equal(out[:, :, :4], codes[:, :, :4])
    assert not torch.equal(out[:, 1:, 4:], codes[:, 1:, 4:])
    both = codes.repeat(2, 1, 1)
    out = complete(lm, both, 4, null_lanes(1, 8), None, rows, draw(3), lambda *_: None, kept=[0, 2])
    assert not torch.equal(out[0, 0, 4:], codes[0, 0, 4:])
    assert torch.equal(out[1, :2], codes[0, :2]) and not torch.equal(out[1, 2, 4:], codes[0, 2, 4:])


def test_cooling_sharpens_the_last_codebooks_only() -> None:
    logits = torch.tensor([0.0, 1.0]).expand(4000, 2, 2)  # [B, K, V]
    drawn = sample_step(logits, 1.0, 0, 0.0, torch.Generator().manual_seed(0), cooling=0.8).float()
    expected = [1 / (1 + math.exp(-1.0)), 1 / (1 + math.exp(-5.0))]
    assert drawn.mean(dim=0).tolist() == pytest.approx(expected, abs=0.03)


def test_guidance_that_cancels_costs_nothing_and_changes_nothing() -> None:
    assert sources(Guidance(1.0, 0.0), True, True) == (Source(True, True, 1.0),)
    assert sources(Guidance(0.0, 1.0), True, True) == (Source(True, False, 1.0),)
    assert sources(Guidance(0.0, 0.0), True, True) == (Source(False, False, 1.0),)
    assert sources(Guidance(2.5, 0.5), False, False) == (Source(False, False, 1.0),)
    assert sources(Guidance(3.0, 0.0), True, False) == (Source(True, False, 3.0), Source(False, False, -2.0))
    full = sources(Guidance(2.0, 0.5), True, True)
    assert [row.weight for row in full] == [2.0, 0.5, -1.5]


def test_musicgen_parity() -> None:
    """The same random weights give the same logits as transformers' decoder, at step 1 and step 10."""
    from transformers import MusicgenForCausalLM
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    torch.manual_seed(0)
    books, size, dim, layers, ff = 4, 32, 48, 3, 96
    config = MusicgenDecoderConfig(
        vocab_size=size, hidden_size=dim, num_hidden_layers=layers, num_attention_heads=4, ffn_dim=ff,
        num_codebooks=books, max_position_embeddings=64, pad_token_id=size, bos_token_id=size, dropout=0.0,
    )  # fmt: skip
    theirs = MusicgenForCausalLM(config).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    ours = LM(
        LMConfig(books, size, dim, layers, heads=4, ff=ff, text_dim=dim, lanes=False, modulated=False)
    ).eval()
    with torch.no_grad():
        decoder = theirs.model.decoder
        for k in range(books):
            ours.emb[k].weight[: size + 1] = decoder.embed_tokens[k].weight
        ours.heads.weight.copy_(torch.cat([head.weight for head in theirs.lm_heads]))
        ours.transformer.text_proj.weight.copy_(torch.eye(dim))
        ours.transformer.text_proj.bias.zero_()
        ours.transformer.out_norm.load_state_dict(decoder.layer_norm.state_dict())
        for a, b in zip(ours.transformer.blocks, decoder.layers, strict=True):
            s, c = b.self_attn, b.encoder_attn
            a.self_in.weight.copy_(torch.cat([s.q_proj.weight, s.k_proj.weight, s.v_proj.weight]))
            a.self_out.weight.copy_(s.out_proj.weight)
            a.cross_q.weight.copy_(c.q_proj.weight)
            a.cross_kv.weight.copy_(torch.cat([c.k_proj.weight, c.v_proj.weight]))
            a.cross_out.weight.copy_(c.out_proj.weight)
            a.fc1.weight.copy_(b.fc1.weight)
            a.fc2.weight.copy_(b.fc2.weight)
            for mine, name in (
                (a.self_norm, "self_attn"),
                (a.cross_norm, "encoder_attn"),
                (a.ff_norm, "final"),
            ):
                mine.load_state_dict(getattr(b, f"{name}_layer_norm").state_dict())
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    states = TextStates(torch.randn(2, 5, dim), mask, torch.zeros(2, dim))
    columns, _ = ours.inputs(torch.randint(0, size, (2, books, 10 - books + 1)), None)
    with torch.inference_mode():
        for steps in (1, 10):
            seen = columns[:, :, :steps]
            expected = theirs(
                input_ids=seen.reshape(2 * books, steps),
                encoder_hidden_states=states.tokens,
                encoder_attention_mask=states.mask.long(),
            ).logits.view(2, books, steps, size)
            got = ours(seen, None, ours.remember(states, None, 2))
            assert expected.std() > 0.05  # otherwise closeness would say nothing
            assert (got - expected).abs().max() < 1e-4


def test_what_follows_is_judged_by_the_probability_of_its_cells() -> None:
    lm, codes = build(), torch.randint(0, 11, (1, 3, 12))
    until, following = 6, Following(SMALL, 6)
    rows = (Source(False, False, 1.0),)
    out = complete(
        lm, codes.repeat(2, 1, 1), 3, null_lanes(1, 12), None, rows, draw(1), lambda *_: None,
        until=until, following=following,
    )  # fmt: skip
    assert torch.equal(out[:, :, :3], codes.repeat(2, 1, 1)[:, :, :3])
    assert torch.equal(out[:, :, until:], codes.repeat(2, 1, 1)[:, :, until:])
    assert not torch.equal(out[0], out[1])
    nll = lm.cell_nll(out, null_lanes(2, 12), None)[:, :, until:]  # [2, 3, 6]
    weights = torch.tensor([2.0, 1.0, 1.0])[:, None]  # the first codebook counts twice
    expected = (nll * weights).sum(dim=(1, 2)) / (weights.sum() * nll.shape[2])
    assert following.costs == pytest.approx(expected.tolist(), abs=1e-4)
    assert following.better_half(2) == [int(expected.argmin())]
    assert Following(SMALL, 12).better_half(3) == [0, 1, 2]  # nothing follows


def test_the_codebooks_of_two_channels_take_turns_and_share_a_delay() -> None:
    codes = torch.tensor([[[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]])
    delayed = [[1, 2, 3, 0], [4, 5, 6, 0], [0, 7, 8, 9], [0, 10, 11, 12]]
    assert delay(codes, 0, channels=2)[0].tolist() == delayed
    assert torch.equal(undelay(delay(codes, 0, channels=2), channels=2), codes)


def test_a_network_that_does_not_fill_reads_frames_in_place() -> None:
    natural = spans.layout(3, 5, 20, fills=False, beyond=4)
    assert natural.order.tolist() == list(range(9)) and (natural.known, natural.end) == (3, 5)
    turned = spans.layout(3, 5, 20, fills=True, beyond=4)
    assert torch.equal(turned.order, spans.reorder(3, 5, 20)) and (turned.known, turned.end) == (21, 23)
    codes, made = torch.zeros(1, 1, 20, dtype=torch.int64), torch.ones(2, 1, 9, dtype=torch.int64)
    assert natural.put(made, codes, 3)[:, 0].tolist() == [[0] * 3 + [1] * 2 + [0] * 15] * 2
