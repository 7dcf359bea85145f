"""The engines, one row each: what page, command line, study and door know of them. Loads no torch.

Another engine is another row, its name in `EngineName`, and a module that offers `dispatch.Engine`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

EngineName = Literal["ar", "fm", "fm-zero-shot", "auto"]  # auto: the best of those that the time allows


@dataclass(frozen=True)
class EngineSpec:
    """One engine."""

    name: EngineName
    tag: str  # on cards and chips
    words: str  # how it fills a span, for a musician
    colour: str  # token of the page's palette
    module: str
    generates: bool  # whether it makes clips, not only spans
    network: Literal["ar", "fm"]  # whose weights and whose settings of a request it takes
    method: str  # in the paper's tables
    cost: float  # time beside the cheapest engine's, measured on two cores
    turn: int  # order in which a run takes them, and "auto" tries them

    def to_json(self) -> dict[str, object]:
        """For the page."""
        row = asdict(self)
        return {key: row[key] for key in ("name", "tag", "words", "colour", "generates")}


ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec("ar", "AR", "Writes left to right", "ar", "engines.ar", True, "ar", "AR", 1.0, 1),
    EngineSpec("fm", "FM", "Trained to fill spans", "fm", "engines.fm", True, "fm", "FM", 1.0, 0),
    EngineSpec(
        "fm-zero-shot", "ZS", "Steered to fit", "zs", "engines.zero_shot", False, "fm", "FM (ZS)", 2.0, 2
    ),
)
ENGINE_NAMES: tuple[EngineName, ...] = tuple(spec.name for spec in ENGINES)
BY_NAME: dict[str, EngineSpec] = {spec.name: spec for spec in ENGINES}
IN_TURN: tuple[EngineSpec, ...] = tuple(sorted(ENGINES, key=lambda spec: spec.turn))  # soonest heard first
