"""The AR network: delay pattern, heads, loss, fill-in-the-middle (sec. 3.2, App. J).

Codes are int64 [B, K, T] with ids 0..V-1. Special ids follow: `pad` = V (start and everything
outside the delay pattern), <a>, <b>, <c> as full columns, and `eos`, which App. J names and which
exact lengths make superfluous: it has no row and no logit. Neither have the others a logit, so that
a sampled cell is always a code. The network reads [pad | delayed codes] and predicts, at every step,
the delayed column that follows; lanes enter with the step that predicts their frame (Fig. 2).
Does not know seconds, audio, how cells are sampled or where codes come from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.networks.chroma import PITCH_CLASSES, chromagram
from engines.networks.lane_frames import LaneProjection, Lanes, boost_lane_columns, null_lanes
from engines.networks.shapes import LMConfig
from engines.networks.text import TextStates
from engines.networks.transformer import Cache, Memory, Transformer
from engines.sampling import order as spans

CONTEXT_WEIGHT = 0.1  # loss weight of known cells in a fill-in-the-middle item


def delay(codes: Tensor, special: int, channels: int = 1) -> Tensor:
    """Codebook k (0-based) moves k columns right: [B, K, T] -> [B, K, T + K - 1], `special` elsewhere.

    Where the codebooks of several channels take turns, those of one depth move alike: by k // channels.
    """
    batch, books, frames = codes.shape
    out = codes.new_full((batch, books, frames + (books - 1) // channels), special)
    for k in range(books):
        out[:, k, k // channels : k // channels + frames] = codes[:, k]
    return out


def undelay(columns: Tensor, channels: int = 1) -> Tensor:
    """The inverse of `delay`, also for logits: [B, K, T + K - 1, ...] -> [B, K, T, ...]."""
    books = columns.shape[1]
    frames = columns.shape[2] - (books - 1) // channels
    moves = [k // channels for k in range(books)]
    return torch.stack([columns[:, k, move : move + frames] for k, move in enumerate(moves)], dim=1)


@dataclass(frozen=True)
class FimBatch:
    """A training batch in reading order, three columns longer than its clips."""

    codes: Tensor  # int64 [B, K, T + 3], specials included
    lanes: Lanes  # [B, T + 3]
    weights: Tensor  # float32 [B, T + 3], loss weight per column


def fim_batch(config: LMConfig, codes: Tensor, lanes: Lanes, starts: Tensor, ends: Tensor) -> FimBatch:
    """Clips [B, K, T] with spans starts, ends int64 [B] (frames) -> a batch of width T + 3.

    An item with start == end is plain: its frames in order, then three pad columns of weight 0.
    The others become [<a> A <c> C <b> B]: weight 1 on B, CONTEXT_WEIGHT on A and C, 0 on markers.
    """
    frames = codes.shape[2]
    starts, ends = starts.to(codes.device), ends.to(codes.device)
    index = spans.orders(starts, ends, frames)  # [B, T + 3]
    column, length = torch.arange(frames + 3, device=codes.device), (ends - starts)[:, None]
    weights = torch.where((length == 0) | (column >= frames + 3 - length), 1.0, CONTEXT_WEIGHT)
    weights = torch.where(index < 0, 0.0, weights)
    return FimBatch(take(config, codes, index), lanes.permute(index), weights)


def take(config: LMConfig, codes: Tensor, index: Tensor) -> Tensor:
    """Columns in another order, markers as their ids: [B, K, T], int64 [B, S] -> [B, K, S]."""
    out = codes.gather(2, index.clamp(min=0)[:, None].expand(-1, codes.shape[1], -1))
    for marker, number in _markers(config).items():
        out = out.masked_fill((index == marker)[:, None], number)
    return out


def _markers(config: LMConfig) -> dict[int, int]:
    """Marker of `engines.sampling.order` -> id."""
    v = config.codebook_size
    return {spans.PAD: v, spans.MARK_A: v + 1, spans.MARK_B: v + 2, spans.MARK_C: v + 3}


LARGE = 50_000_000  # weights; the embedded bundle has ten million, and gains nothing from bytes


class LM(nn.Module):
    """The AR network over K codebooks."""

    def __init__(self, config: LMConfig) -> None:
        super().__init__()
        self.config = config
        self.in_bytes = False  # whether single steps read the weights as bytes (`steps`)
        tables = [nn.Embedding(config.rows, config.dim) for _ in range(config.codebooks)]
        for table in tables:  # the sum of K rows has the size of the positions
            nn.init.normal_(table.weight, std=(2 * config.codebooks) ** -0.5)
        self.emb = nn.ModuleList(tables)
        if config.lanes:
            self.lane_projection = LaneProjection(config)
            self.input_proj = nn.Linear(config.dim + self.lane_projection.width, config.dim)
            boost_lane_columns(self.input_proj, self.lane_projection.width)
            with torch.no_grad():  # the codes pass unchanged at the start
                self.input_proj.weight[:, : config.dim] = torch.eye(config.dim)
        if config.chroma:
            self.chroma_proj = nn.Linear(PITCH_CLASSES, config.dim)
        self.transformer = Transformer(config.backbone)
        self.heads = nn.Linear(config.dim, config.codebooks * config.codebook_size, bias=False)

    @property
    def large(self) -> bool:
        """Whether no cache holds its weights, so that a step takes as long as reading them."""
        return sum(weight.numel() for weight in self.parameters()) > LARGE

    def remember(
        self, text: TextStates | None, text_given: Tensor | None, batch: int, lanes: Lanes | None = None
    ) -> Memory:
        """Text states [B, L, text_dim] -> keys and values per block; see `Transformer.remember`.

        A network that reads a chromagram is given that of the melody of `lanes` [B, T] too: [B, P, D] states
        that `forward` reads before the columns, chromagram first.
        """
        memory, config = self.transformer.remember(text, text_given, batch), self.config
        if memory.before is None:
            return memory
        melody = (null_lanes(batch, 1) if lanes is None else lanes).melody
        heard = chromagram(melody, config.chroma_step, config.chroma)  # [B, T] -> [B, P', 12]
        heard = self.chroma_proj(heard.to(self.heads.weight))
        return replace(memory, before=torch.cat([heard, memory.before], dim=1))

    def forward(
        self,
        columns: Tensor,
        lanes: Lanes | None,
        memory: Memory,
        offset: int | Tensor = 0,
        cache: Cache | None = None,
    ) -> Tensor:
        """Shifted, delayed columns int64 [B, K, S] and lanes [B, S] -> logits of what follows [B, K, S, V].

        `lanes` at a step are those of the column that the step predicts. `cache` holds the columns
        before these; `offset` is the position of the first column of all.
        """
        batch, books, steps = columns.shape
        x = self.emb[0](columns[:, 0])  # [B, S] -> [B, S, D]
        for k in range(1, books):
            x = x + self.emb[k](columns[:, k])
        if self.config.lanes and lanes is not None:
            x = self.input_proj(torch.cat([x, self.lane_projection(lanes)], dim=-1))
        if memory.before is not None and (cache is None or not cache.filled):
            x = torch.cat([memory.before, x], dim=1)  # [B, P, D] and [B, S, D] -> [B, P + S, D]
        x = self.transformer(x, memory, offset=offset, cache=cache)[:, x.shape[1] - steps :]
        logits: Tensor = self.heads(x)  # [B, S, D] -> [B, S, K V]
        return logits.view(batch, steps, books, self.config.codebook_size).transpose(1, 2)  # -> [B, K, S, V]

    def inputs(self, codes: Tensor, lanes: Lanes | None) -> tuple[Tensor, Lanes | None]:
        """What the network reads of whole clips: [B, K, T], lanes [B, T] -> columns [B, K, S], lanes [B, S].

        S = T + lag steps (T + K - 1 of one channel); the first column is all pad, step s predicts delayed
        column s.
        """
        frames = codes.shape[2]
        delayed = delay(codes, self.config.pad, self.config.channels)  # [B, K, T] -> [B, K, S]
        columns = F.pad(delayed, (1, 0), value=self.config.pad)[:, :, :-1]
        if lanes is not None:  # after the last frame only delayed codebooks are left: null lanes
            steps = torch.arange(frames + self.config.lag)
            lanes = lanes.permute(torch.where(steps < frames, steps, spans.PAD))
        return columns, lanes

    def teacher_forced(
        self,
        codes: Tensor,
        lanes: Lanes | None,
        text: TextStates | None,
        text_given: Tensor | None = None,
        offset: int | Tensor = 0,
    ) -> Tensor:
        """Logits of every cell given all that precede it: codes [B, K, T] -> [B, K, T, V]."""
        memory = self.remember(text, text_given, codes.shape[0], lanes)
        columns, lanes = self.inputs(codes, lanes)
        logits = self(columns, lanes, memory, offset)
        return undelay(logits, self.config.channels)

    def loss(
        self,
        codes: Tensor,
        lanes: Lanes | None,
        text: TextStates | None,
        text_given: Tensor | None = None,
        weights: Tensor | None = None,
        offset: int | Tensor = 0,
    ) -> Tensor:
        """Mean cross-entropy of the cells in nats, eq. (1) without its constant 1/|S|: a scalar [].

        codes [B, K, T]; weights [B, T] count columns (None = all 1); special columns need weight 0.
        """
        nll = self.cell_nll(codes, lanes, text, text_given, offset)  # [B, K, T]
        if weights is None:
            return nll.mean()
        return (nll * weights[:, None]).sum() / (weights.sum() * codes.shape[1])

    def cell_nll(
        self,
        codes: Tensor,
        lanes: Lanes | None,
        text: TextStates | None,
        text_given: Tensor | None = None,
        offset: int | Tensor = 0,
    ) -> Tensor:
        """-log p of every cell in nats, given all that precede it: codes [B, K, T] -> float32 [B, K, T].

        0 where a cell holds a special id. Delays the targets rather than the logits, which are large.
        """
        memory = self.remember(text, text_given, codes.shape[0], lanes)
        columns, lanes = self.inputs(codes, lanes)
        logits = self(columns, lanes, memory, offset)
        void = -1
        known = codes.masked_fill(codes >= self.config.codebook_size, void)
        targets = delay(known, void, self.config.channels)  # -> [B, K, S]
        nll = F.cross_entropy(
            logits.transpose(1, 2).flatten(0, 2).float(),  # [B, K, S, V] -> [B S K, V], no copy
            targets.transpose(1, 2).flatten(),
            ignore_index=void,
            reduction="none",
        )
        nll = nll.view(targets.shape[0], -1, targets.shape[1]).transpose(1, 2)
        return undelay(nll, self.config.channels)
