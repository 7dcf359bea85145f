"""The FM network: what it starts as and what it listens to."""

import torch

from engines.networks.flow_net import FlowNet
from engines.networks.lane_frames import null_lanes
from engines.networks.shapes import FlowConfig
from engines.networks.text import TextStates
from engines.sampling import flow

SMALL = FlowConfig(channels=6, dim=16, layers=3, heads=2, ff=32, text_dim=8)


def build() -> FlowNet:
    torch.manual_seed(0)
    net = FlowNet(SMALL)
    torch.nn.init.normal_(net.output_proj.weight)
    torch.nn.init.normal_(net.transformer.modulate.weight, std=0.1)
    return net.eval()


def test_a_fresh_net_starts_at_zero_velocity() -> None:
    v = FlowNet(SMALL)(
        torch.randn(2, 6, 5), torch.rand(2), torch.zeros(2, 5, dtype=torch.bool), null_lanes(2, 5)
    )
    assert v.shape == (2, 6, 5) and (v == 0).all()


def test_every_input_matters() -> None:
    net, z, tau = build(), torch.randn(1, 6, 5), torch.tensor([0.3])
    known, lanes = torch.zeros(1, 5, dtype=torch.bool), null_lanes(1, 5)
    text = TextStates(torch.randn(1, 2, 8), torch.ones(1, 2, dtype=torch.bool), torch.randn(1, 8))
    chord = null_lanes(1, 5)
    chord.chords[0, 2] = 7
    base = net(z, tau, known, lanes)
    for other in (
        net(z, tau + 0.4, known, lanes),
        net(z, tau, ~known, lanes),
        net(z, tau, known, chord),
        net(z, tau, known, lanes, text),
        net(z, tau, known, lanes, offset=9),
    ):
        assert (other - base).abs().max() > 1e-3
    assert torch.allclose(net(z, tau, known, lanes, text, torch.tensor([False])), base, atol=1e-6)


def test_it_can_learn_one_clip() -> None:
    """Some steps of the real loss on one latent bring the solved flow near that latent."""
    torch.manual_seed(0)
    net, z1 = FlowNet(SMALL), torch.randn(1, 6, 4)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    lanes, known = null_lanes(16, 4), torch.zeros(16, 4, dtype=torch.bool)
    for _ in range(150):
        z0, tau = torch.randn(16, 6, 4), torch.rand(16)
        v = net(flow.path(z0, z1, tau), tau, known, lanes)
        loss = flow.loss(v, flow.velocity(z0, z1.expand(16, -1, -1)), tau)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        one = null_lanes(1, 4)
        field: flow.Field = lambda z, t: net(z, torch.tensor([t]), known[:1], one)  # noqa: E731
        z = flow.solve(field, torch.randn(1, 6, 4), "euler", 20, lambda *_: None)
    assert (z - z1).pow(2).mean() < 0.1
