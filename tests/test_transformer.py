"""The backbone: causality, skips, modulation, cache, nulls."""

import pytest
import torch

from engines.networks.shapes import TransformerConfig
from engines.networks.text import TextStates
from engines.networks.transformer import Cache, Transformer, sinusoid

SMALL = TransformerConfig(dim=16, layers=4, heads=2, ff=32, text_dim=8)


def text(batch: int, length: int = 3) -> TextStates:
    return TextStates(
        torch.randn(batch, length, 8), torch.ones(batch, length, dtype=torch.bool), torch.randn(batch, 8)
    )


def build(seed: int = 0, **changes: object) -> Transformer:
    torch.manual_seed(seed)
    net = Transformer(TransformerConfig(**{**SMALL.__dict__, **changes}))
    if net.config.modulated:
        torch.nn.init.normal_(net.modulate.weight, std=0.1)
    return net.eval()


def test_positions_follow_the_formula() -> None:
    values = sinusoid(torch.tensor([0, 3]), 6)
    assert values[0].tolist() == [1, 1, 1, 0, 0, 0]
    angles = 3 / 10000 ** (torch.arange(3) / 2)
    assert torch.allclose(values[1], torch.cat([angles.cos(), angles.sin()]))


@pytest.mark.parametrize("causal", [True, False])
def test_the_future_is_seen_only_without_the_causal_mask(causal: bool) -> None:
    net = build(causal=causal)
    x = torch.randn(1, 6, 16)
    changed = x.clone()
    changed[:, 4] = torch.randn(16)
    memory = net.remember(None, None, 1)
    before = torch.isclose(net(x, memory), net(changed, memory), atol=1e-6).all(dim=-1)[0]
    assert before.tolist() == ([True] * 4 + [False] * 2 if causal else [False] * 6)


def test_offsets_shift_the_positions() -> None:
    net = build()
    x = torch.randn(2, 5, 16)
    memory = net.remember(None, None, 2)
    both = net(x, memory, offset=torch.tensor([0, 7]))
    assert torch.allclose(both[0], net(x, memory)[0], atol=1e-6)
    assert torch.allclose(both[1], net(x, memory, offset=7)[1], atol=1e-6)
    assert not torch.allclose(both[1], net(x, memory)[1], atol=1e-3)


def test_a_cached_pass_in_pieces_equals_a_whole_one() -> None:
    net = build()
    x = torch.randn(2, 9, 16)
    memory = net.remember(text(2), None, 2)
    whole = net(x, memory)
    cache = Cache(net.config, 2, 9, x)
    pieces = [net(x[:, a:b], memory, cache=cache) for a, b in [(0, 4), (4, 5), (5, 8), (8, 9)]]
    assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-5)


def test_text_padding_is_not_attended_to() -> None:
    net = build()
    states = text(1, 3)
    padded = TextStates(
        torch.cat([states.tokens, torch.randn(1, 2, 8)], dim=1),
        torch.tensor([[True, True, True, False, False]]),
        states.pooled,
    )
    x = torch.randn(1, 4, 16)
    out = net(x, net.remember(states, None, 1))
    assert torch.allclose(out, net(x, net.remember(padded, None, 1)), atol=1e-6)


def test_an_item_without_text_gets_the_null_whatever_the_batch_holds() -> None:
    net = build()
    x = torch.randn(2, 4, 16)
    mixed = net(x, net.remember(text(2), torch.tensor([True, False]), 2))
    alone = net(x, net.remember(None, None, 2))
    assert torch.allclose(mixed[1], alone[1], atol=1e-6)
    assert not torch.allclose(mixed[0], alone[0], atol=1e-3)


def test_an_unmodulated_and_a_fresh_modulated_net_agree() -> None:
    """adaLN-single starts as the identity."""
    torch.manual_seed(0)
    plain = Transformer(TransformerConfig(**{**SMALL.__dict__, "modulated": False})).eval()
    fresh = Transformer(SMALL).eval()
    fresh.load_state_dict(plain.state_dict(), strict=False)
    x, states = torch.randn(2, 4, 16), text(2)
    time = torch.randn(2, 16)
    assert torch.allclose(
        plain(x, plain.remember(states, None, 2)),
        fresh(x, fresh.remember(states, None, 2), time=time),
        atol=1e-6,
    )


def test_skips_are_last_in_first_out() -> None:
    """With blocks that do nothing, each skip adds what its mirror block gave out."""
    net = build(skips=True, causal=False, modulated=False)
    gains = [2.0, 3.0]  # of blocks 0 and 1, whose outputs are the skips
    with torch.no_grad():
        for i, skip in enumerate(net.skip_proj):
            skip.weight[:, :16] = torch.eye(16)
            skip.weight[:, 16:] = (10.0**i) * torch.eye(16)
    given: list[torch.Tensor] = []

    class Scale(torch.nn.Module):
        def __init__(self, gain: float) -> None:
            super().__init__()
            self.gain = gain

        def forward(self, x: torch.Tensor, *_: object) -> torch.Tensor:
            given.append(x)
            return self.gain * x

    memory = net.remember(None, None, 1)
    net.blocks = torch.nn.ModuleList([Scale(gains[0]), Scale(gains[1]), Scale(1.0), Scale(1.0)])
    net(torch.randn(1, 3, 16), memory)
    x = given[0]
    assert torch.allclose(given[2], 6 * x + 1 * 6 * x, rtol=1e-4)  # block 1's output into block 2
    assert torch.allclose(given[3], 12 * x + 10 * 2 * x, rtol=1e-4)  # block 0's output into block 3
