"""The panel's knobs: which field of a request each turns, where it stands, and presets of them.

Default, bounds, label and tip of a knob stand at its field (`engines.knobs`): panel, payloads, command line
and replays loop over PANEL, which loops over the fields. A knob that a run does not have is ignored by it.
Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from editor.project.document import Settings, Take
from engines.errors import InputError
from engines.knobs import Knob, knobs
from engines.requests import ARSettings, FMSettings, Guidance, InpaintRequest, ZeroShot
from engines.roster import BY_NAME

EVERY_SPAN, FM_AND_ZS, AR, FIX_AND_LOOP = GROUPS = ("Every span", "FM and ZS", "AR", "Fix it and loop")


@dataclass(frozen=True)
class PanelKnob:
    """A knob of the panel."""

    name: str  # of `document.Settings`, and of the payload
    owner: type  # the dataclass whose field it turns
    field: str  # of that dataclass
    group: str  # under Advanced; "" = on the panel itself
    engine: str = ""  # the only engine that has it; "" = all with those settings
    empty: Any = ...  # what stands for the bundle's own; ... = it always has a value of one's own

    @property
    def knob(self) -> Knob:
        """Its bounds and words."""
        return knobs(self.owner)[self.field]

    @property
    def id(self) -> str:
        """Name of its element on the page."""
        return self.name.replace("_", "-")

    def read(self, value: object) -> Any:
        """A value from outside; InputError for another kind, or one out of bounds."""
        knob = self.knob
        if knob.choices and value == self.empty:
            return value
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) > 2**53):  # JSON has such
            value = str(value)
        if reason := knob.refusal(value):
            raise InputError(reason)
        if knob.choices:
            return value
        return int(cast(float, value)) if knob.whole else float(cast(float, value))


def _of(owner: type, group: str, but: tuple[str, ...] = ()) -> list[PanelKnob]:
    """The knobs of a dataclass by the names of its fields, all in one group."""
    return [PanelKnob(name, owner, name, group) for name in knobs(owner) if name not in but]


PANEL: tuple[PanelKnob, ...] = (
    PanelKnob("strength", InpaintRequest, "strength", ""),
    *_of(InpaintRequest, EVERY_SPAN, but=("strength", "patience")),
    PanelKnob("guidance", Guidance, "all", EVERY_SPAN, empty=None),
    PanelKnob("text_guidance", Guidance, "text", EVERY_SPAN),
    *_of(FMSettings, FM_AND_ZS, but=("zero_shot", "budget", "candidates", "seeded")),
    PanelKnob("zero_shot", FMSettings, "zero_shot", FM_AND_ZS, engine="fm-zero-shot", empty=""),
    PanelKnob("budget", FMSettings, "budget", FM_AND_ZS, engine="fm-zero-shot"),
    PanelKnob("fm_candidates", FMSettings, "candidates", FM_AND_ZS),
    *_of(ARSettings, AR, but=("seeded",)),  # as measured best; not on the panel
    PanelKnob("patience", InpaintRequest, "patience", FIX_AND_LOOP),
    *_of(Settings, FIX_AND_LOOP),
)
BY_KNOB: dict[str, PanelKnob] = {one.name: one for one in PANEL}
# What a musician may want, and the knobs that it takes; all others are as delivered.
PRESETS: dict[str, dict[str, Any]] = {
    "As delivered": {},
    "Small variation": {"strength": 0.35},
    "Larger variation": {"strength": 0.65},
    "Follow words and lanes": {"guidance": 3.0},
    "Surprise me": {"temperature": 1.2},
    "Quick sketch": {"steps": 10, "fm_candidates": 1, "candidates": 1, "budget": 12, "patience": 8.0},
    "Take your time": {"steps": 50, "fm_candidates": 8, "candidates": 8, "budget": 200, "patience": 120.0},
}
CUSTOM = "Your own"  # what none of them is


def network_of(engine: str) -> str:
    """Whose settings of a request an engine takes: "ar" or "fm"."""
    return BY_NAME[engine].network if engine in BY_NAME else "fm"


def preset(name: str, delivered: Settings = Settings()) -> Settings:  # noqa: B008 - frozen
    """The settings of a preset, whose other knobs are as `delivered`; InputError when there is none."""
    if name not in PRESETS:
        raise InputError(f"preset {name[:40]!r}: expected one of {', '.join(PRESETS)}")
    return replace(delivered, **PRESETS[name])


def of_network(made: ARSettings | FMSettings) -> dict[str, Any]:
    """The panel's knobs of one network as a checkpoint's makers have them, by their names in Settings."""
    own = [one for one in PANEL if one.owner is type(made) and one.engine == "" and one.empty is ...]
    return {one.name: getattr(made, one.field) for one in own}


def as_made(now: Settings, network: type, made: Settings) -> Settings:
    """The settings with the knobs of one network as another's have them."""
    own = [one.name for one in PANEL if one.owner is network and one.engine == "" and one.empty is ...]
    values: dict[str, Any] = {name: getattr(made, name) for name in own}
    return replace(now, **values)


def preset_of(now: Settings, delivered: Settings = Settings()) -> str:  # noqa: B008 - frozen
    """The preset that the settings are, on whatever models, or CUSTOM."""
    bare = replace(now, ar_from=delivered.ar_from, fm_from=delivered.fm_from)
    return next((name for name in PRESETS if preset(name, delivered) == bare), CUSTOM)


def turned(now: Settings, values: Mapping[str, object]) -> Settings:
    """The settings with the knobs turned that are named; one that is None stays, or is the bundle's.

    InputError for a value of another kind or out of its bounds.
    """
    known: dict[str, Any] = {}
    for one in PANEL:
        if values.get(one.name) is not None:
            known[one.name] = one.read(values[one.name])
        elif one.empty is None and one.name in values:
            known[one.name] = None
    return replace(now, **known)


def of_take(now: Settings, take: Take) -> Settings:
    """The settings with the knobs as they were for a take; those of other engines stay.

    InputError where the take's are damaged.
    """
    sent = take.parameters
    network = network_of(take.engine)
    engine = _mapping(sent.get(network))
    weights = _mapping(engine.get("guidance"))
    parts = {InpaintRequest: sent, Guidance: weights, ARSettings if network == "ar" else FMSettings: engine}
    values: dict[str, object] = {"guidance": None}
    for one in PANEL:
        fits = not one.engine or one.engine == take.engine
        if fits and one.group != FIX_AND_LOOP and one.field in parts.get(one.owner, {}):
            values[one.name] = parts[one.owner][one.field]
    known, served = turned(now, values), str(engine.get("checkpoint", ""))
    return replace(known, ar_from=served) if network == "ar" else replace(known, fm_from=served)


def for_engines(settings: Settings, zero_shot: ZeroShot) -> tuple[ARSettings, FMSettings]:
    """The knobs as the engines take them; `zero_shot` is the bundle's own method."""
    weights = None if settings.guidance is None else Guidance(**_fields(settings, Guidance))
    flowing = _fields(settings, FMSettings)
    flowing["zero_shot"] = flowing["zero_shot"] or zero_shot
    return (
        ARSettings(**_fields(settings, ARSettings), guidance=weights, checkpoint=settings.ar_from),
        FMSettings(**flowing, guidance=weights, checkpoint=settings.fm_from),
    )


def _fields(settings: Settings, owner: type) -> dict[str, Any]:
    """What the knobs of one dataclass stand at, by its fields."""
    return {one.field: getattr(settings, one.name) for one in PANEL if one.owner is owner}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
