"""Shapes of the networks, as a bundle states them: backbone, AR, FM, and the lanes that they take.

Loads no torch, so that what is only asked about a bundle answers at once. Does not know the networks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TakenLanes:
    """Which lanes beyond the paper's a network takes; part of its shape."""

    band: bool = False  # instruments and beats

    @property
    def untaken(self) -> tuple[str, ...]:
        """Fields of `Controls` that the network is not given."""
        return () if self.band else ("instruments", "grid")


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a backbone."""

    dim: int = 256  # width
    layers: int = 6
    heads: int = 8
    ff: int = 768  # width of the feed-forward
    text_dim: int = 384  # width of the text states
    dropout: float = 0.0
    causal: bool = True
    skips: bool = False  # U-Net-like skips (FM)
    modulated: bool = True  # adaLN-single from the pooled text (and the time)


@dataclass(frozen=True)
class LMConfig(TakenLanes):
    """Shape of the AR network."""

    codebooks: int = 8  # K
    codebook_size: int = 1024  # V
    dim: int = 256
    layers: int = 6
    heads: int = 8
    ff: int = 768
    text_dim: int = 384
    dropout: float = 0.0
    lanes: bool = True  # False: no lanes, as MusicGen
    modulated: bool = True  # False: MusicGen's block
    window: int = 250  # frames that the network is trained on

    @property
    def pad(self) -> int:
        """Id of the start column and of the cells outside the delay pattern."""
        return self.codebook_size

    @property
    def eos(self) -> int:
        """Id that App. J reserves; never read or written here."""
        return self.codebook_size + 4

    @property
    def backbone(self) -> TransformerConfig:
        """The causal backbone."""
        return TransformerConfig(
            self.dim, self.layers, self.heads, self.ff, self.text_dim, self.dropout,
            causal=True, skips=False, modulated=self.modulated,
        )  # fmt: skip


@dataclass(frozen=True)
class FlowConfig(TakenLanes):
    """Shape of the FM network."""

    channels: int = 128  # D, width of a latent
    dim: int = 256
    layers: int = 6
    heads: int = 8
    ff: int = 768
    text_dim: int = 384
    dropout: float = 0.0
    skips: bool = True
    window: int = 250  # frames that the network is trained on

    @property
    def backbone(self) -> TransformerConfig:
        """The backbone without a causal mask."""
        return TransformerConfig(
            self.dim, self.layers, self.heads, self.ff, self.text_dim, self.dropout,
            causal=False, skips=self.skips, modulated=True,
        )  # fmt: skip
