"""Ways to fill a span, and what they made of it, kept on disk: engines, the paper's algorithms, bare pastes.

A paste copies the music around the span and composes it in as the engines do, chosen by the same judge
of seams, without network or codec: what a network must beat. Files are named by the weights, the engines'
code, the piece and the request, so that a stopped run goes on and changed engines make theirs anew.
Audio is mono float [n] at 32 kHz; times are seconds. Measures nothing.
"""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

import engines
from engines.audio import compose, seams
from engines.audio.recording import Recording, from_float
from engines.checkpoints.shelf import Models
from engines.dispatch import run
from engines.families.inlay import codec_of
from engines.filling import mosaic, repeats
from engines.requests import (
    ARSettings,
    Controls,
    FMSettings,
    Guidance,
    InpaintRequest,
    Intent,
    Result,
    ZeroShot,
)
from engines.roster import EngineName
from engines.sampling.guidance import sources
from study.measure.asks import Ask
from study.measure.outputs import digest
from study.measure.spans import RATE, Piece

Audio = NDArray[np.float32]
TRIED = 8  # passages whose seams are listened to, as many as the engines try
FADES = (1.0, 0.6, 0.3, 0.15)  # shares of the longest crossfade, as the engines try them
FADED = 0.2  # of a span, the most that a crossfade takes at each end
# What has no say in how a span is filled.
_ASIDE = ("chordino", "__init__")


@dataclass(frozen=True)
class Row:
    """One way to fill a span."""

    engine: EngineName
    ar: ARSettings = ARSettings()
    fm: FMSettings = FMSettings()
    match: float = InpaintRequest.match
    crossfade: float = InpaintRequest.crossfade
    intent: Intent = "auto"

    def request(
        self, piece: Piece, seed: int, lanes: Controls | None = None, ask: Ask | None = None
    ) -> InpaintRequest:
        """The piece's span, to be re-made this way; words and lanes are what was there but for an ask."""
        source = from_float(piece.audio, RATE)
        prompt, controls = (ask.prompt, ask.controls) if ask else (piece.prompt, lanes or Controls())
        return InpaintRequest(
            self.engine, source, piece.start, piece.end, prompt, seed, controls,
            ar=self.ar, fm=self.fm, crossfade=self.crossfade, match=self.match,
            intent=self.intent, changed=(ask.kind,) if ask else (),
        )  # fmt: skip


@dataclass(frozen=True)
class Paste:
    """The music around a span, put into it: a repeat on the beat, or passages that agree with lanes."""

    kind: Literal["repeat", "mosaic"]

    def contents(self, source: Recording, piece: Piece, lanes: Controls) -> list[Recording]:
        """Up to TRIED versions of the source with something copied into its span."""
        a, b = piece.start, piece.end
        if self.kind == "repeat":
            return [repeats.copied(source, a, b, lag) for lag in repeats.lags(source, a, b, TRIED)]
        return [mosaic.pasted(source, found) for found in mosaic.mosaics(source, a, b, lanes, TRIED)]

    def fill(self, piece: Piece, lanes: Controls) -> Audio:
        """The span [m] so filled; what was there before it, again and again, where nothing could be found."""
        source, (a, b) = from_float(piece.audio, RATE), (piece.start, piece.end)
        judge = seams.Judge(source, a, b)
        longest = min(InpaintRequest.crossfade, FADED * (b - a))

        def composed(content: Recording, fades: tuple[float, float]) -> Recording:
            return compose.compose(
                source, a, b, content.mono_at(RATE), 0.0, RATE, fades, InpaintRequest.match
            )

        def cost(content: Recording) -> float:
            return sum(judge.costs(composed(content, (longest, longest))).values())

        found = self.contents(source, piece, lanes) or [repeats.copied(source, a, b, -a)]
        best = min(found, key=cost)
        tried = [share * longest for share in FADES]
        costs = [judge.costs(composed(best, (fade, fade))) for fade in tried]
        fades = [tried[min(range(len(tried)), key=lambda k: costs[k].get(at, 0.0))] for at in (a, b)]
        first, last = piece.samples
        return composed(best, (fades[0], fades[1])).mono_at(RATE)[first:last]


def paper(engine: EngineName, zero_shot: ZeroShot = "inversion") -> Row:
    """The paper's algorithm and nothing beyond it: one sample, Euler with 25 steps, no matching."""
    return Row(
        engine,
        ARSettings(candidates=1),
        FMSettings("euler", 25, zero_shot=zero_shot, candidates=1),
        match=0.0,
        crossfade=0.03,
        intent="blend",
    )


ROWS: dict[str, Row | Paste] = {
    "best repeat, composed": Paste("repeat"),
    "mosaic, composed": Paste("mosaic"),
    "AR, paper (App. J)": paper("ar"),
    "FM, paper (Alg. 2)": paper("fm"),
    "ZS, paper (Alg. 1)": paper("fm-zero-shot"),
    "AR": Row("ar"),
    "FM": Row("fm"),
    "ZS search": Row("fm-zero-shot", fm=FMSettings(zero_shot="search")),
}
MORE: dict[str, Row | Paste] = {  # rows that are made when they are asked for
    "ZS replacement": Row("fm-zero-shot", fm=FMSettings(zero_shot="replacement")),
    "ZS resampling": Row("fm-zero-shot", fm=FMSettings("euler", zero_shot="resampling")),
    "ZS guided": Row("fm-zero-shot", fm=FMSettings("euler", zero_shot="guided")),
    "FM, blend": Row("fm", intent="blend"),  # begins from the music around it, whatever is asked
    "AR, blend": Row("ar", intent="blend"),
    "AR from nothing": Row("ar", ARSettings(seeded=0)),
    "FM from noise": Row("fm", fm=FMSettings(seeded=0)),
}
PARTS = {"ar": ("codec", "ar"), "fm": ("codec", "fm"), "fm-zero-shot": ("codec", "fm")}


def evaluations(result: Result) -> float:
    """Network evaluations of a run over one window: guided rows count each, gradients as two more."""
    told: dict[str, Any] = result.parameters
    if "evaluations" in told:
        return float(told["evaluations"])
    if result.search is not None:
        return float(result.search.spent)
    if "steps" not in told:
        return float("nan")  # AR: one evaluation a column, of another kind
    guidance, controls = Guidance(**told["guidance"]), result.request.controls
    lanes = any(lane is not None for lane in (controls.chords, controls.melody, controls.drums))
    rows = len(sources(guidance, bool(result.request.prompt.strip()), lanes))
    twice = {"inversion": 2, "guided": 3}.get(str(told.get("zero_shot")), 1)
    return float(told["steps"] * twice * rows * (2 if told["solver"] == "midpoint" else 1))


@dataclass(frozen=True)
class Filling:
    """What a row made of a span, and what it cost."""

    audio: NDArray[np.float32]  # [n], the span alone
    evaluations: float
    seconds: float


def code_of(*names: str) -> bytes:
    """What modules of the engines say, without comments and docstrings; by default of all that fill spans."""
    folder, told = Path(engines.__file__).parent, []
    for file in sorted(folder.rglob("*.py")):
        aside = file.stem.startswith(_ASIDE) if not names else file.stem not in names
        if aside:
            continue
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                node.body = node.body[1:]
        told.append(ast.dump(tree))
    return "".join(told).encode()


class Maker:
    """Fills spans with a bundle, or without, once each."""

    def __init__(self, models: Models, folder: Path) -> None:
        self.models, self.folder = models, folder
        folder.mkdir(parents=True, exist_ok=True)
        code = code_of()
        self._weights = {
            engine: digest(code, *((models.folder / f"{part}.safetensors").read_bytes() for part in parts))
            for engine, parts in PARTS.items()
        }
        self._copies = digest(b"paste", code_of("compose", "mosaic", "repeats", "seams"))

    def filling(
        self,
        row: Row | Paste,
        piece: Piece,
        seed: int,
        make: bool = True,
        lanes: Controls | None = None,
        ask: Ask | None = None,
    ) -> Filling | None:
        """One span re-made, read from disk where it was made before; None where it was not, unless `make`."""
        if isinstance(row, Paste):
            given = (ask.controls if ask else lanes or Controls()) if row.kind == "mosaic" else None
            weights, told = self._copies, repr((row, piece.start, piece.end, given))
        else:
            nothing = from_float(np.zeros(1, np.float32), RATE)
            weights, told = (
                self._weights[row.engine],
                repr(replace(row.request(piece, seed, lanes, ask), source=nothing)),
            )
        file = self.folder / f"{digest(weights.encode(), piece.audio.tobytes(), told.encode())}.npz"
        if not file.exists() and not make:
            return None
        if not file.exists():
            made = self._made(row, piece, seed, lanes, ask)
            part = file.with_suffix(".part.npz")  # a stopped run leaves no half file under the name
            np.savez(part, audio=made.audio, evaluations=made.evaluations, seconds=made.seconds)
            part.rename(file)
        with np.load(file) as kept:
            return Filling(kept["audio"], float(kept["evaluations"]), float(kept["seconds"]))

    def _made(
        self, row: Row | Paste, piece: Piece, seed: int, lanes: Controls | None, ask: Ask | None
    ) -> Filling:
        if isinstance(row, Paste):
            begin = time.perf_counter()
            audio = row.fill(piece, ask.controls if ask else lanes or Controls())
            return Filling(audio, 0.0, time.perf_counter() - begin)
        result = run(row.request(piece, seed, lanes, ask), self.models)
        a, b = piece.samples
        return Filling(result.audio.mono_at(RATE)[a:b], evaluations(result), result.seconds_spent)

    @torch.inference_mode()
    def through(self, audio: Audio, quantize: bool) -> Audio:
        """Audio [n] through the codec, continuous or quantized; read from disk the second time."""
        weights = digest((self.models.folder / "codec.safetensors").read_bytes())
        file = self.folder / f"{digest(weights.encode(), bytes([quantize]), audio.tobytes())}.npy"
        if not file.exists():
            codec = codec_of(self.models)
            z = codec.encode(torch.from_numpy(audio.copy()).to(self.models.device)[None, None])
            z = codec.dequantize(codec.quantize(z)) if quantize else z
            part = file.with_suffix(".part.npy")
            np.save(part, codec.decode(z)[0, 0, : len(audio)].float().cpu().numpy())
            part.rename(file)
        made: Audio = np.load(file)
        return made
