"""A tiny bundle of random weights: real shapes in time, tiny in width, quick on a CPU."""

from __future__ import annotations

from pathlib import Path


def save_tiny(folder: Path) -> Path:
    """Make the bundle in `folder`; the same weights every time."""
    import torch

    from engines.checkpoints.bundle import BundleSpec
    from engines.checkpoints.shelf import save_bundle
    from engines.networks.codec import build_codec, codec_config
    from engines.networks.flow_net import FlowNet
    from engines.networks.lm import LM
    from engines.networks.shapes import FlowConfig, LMConfig

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    codec = build_codec(codec_config(4, (8, 8, 5, 4), codebooks=4, codebook_size=32))
    for layer in codec.model.quantizer.layers:
        layer.codebook.embed.normal_()
    lm = LM(LMConfig(codebooks=4, codebook_size=32, dim=32, layers=2, heads=2, ff=64))
    flow = FlowNet(FlowConfig(dim=32, layers=2, heads=2, ff=64))
    torch.nn.init.normal_(flow.output_proj.weight, std=0.2)  # otherwise it would start at v = 0
    save_bundle(folder, BundleSpec(name="tiny", licence="CC0-1.0"), codec, lm, flow)
    (folder / "README.md").write_text("Random weights, for tests.\n")
    torch.set_num_threads(threads)
    return folder
