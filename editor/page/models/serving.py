"""What serves a project: the checkpoints of its engines, what they hear at once, the lanes that they take.

Times are seconds. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from editor.project import commands
from editor.project.document import Project, Settings
from editor.project.knobs import as_made, of_network
from engines.checkpoints.found import Checkpoint, find_named
from engines.errors import InputError
from engines.families.shape import NETWORKS, CheckpointSpec, Network, Spec
from engines.requests import CONTINUED, ARSettings, FMSettings
from engines.roster import BY_NAME

BAND = "band"  # what the page calls the lane of instruments


@dataclass(frozen=True)
class Serving:
    """The spec that each network has."""

    specs: Mapping[Network, Spec]
    ticked: tuple[str, ...]  # engines that a run would take
    steers: bool  # whether lanes that a flow does not take steer it

    def of(self, engine: str) -> Spec:
        """What an engine runs on."""
        return self.specs[BY_NAME[engine].network]

    def missing(self, engine: str) -> str:
        """The checkpoint that does not have an engine; empty where it has."""
        spec = self.of(engine)
        return "" if engine in spec.engines else spec.title or spec.name

    @property
    def window(self) -> float:
        """Seconds that all engines of a run hear at once."""
        return float(min(spec.window_seconds for spec in self._running))

    @property
    def frame_rate(self) -> float:
        """Frames a second of the one whose grid is coarsest."""
        return float(min(spec.frame_rate for spec in self._running))

    @property
    def tasks(self) -> tuple[str, ...]:
        """What can be done about one part of what plays in a span, beside making it anew."""
        return tuple(self.of("fm").tasks) if "fm" in self.of("fm").engines else ()

    @property
    def stems(self) -> tuple[str, ...]:
        """The parts that those tasks know; none where there is no task."""
        return tuple(self.of("fm").stems) if self.tasks else ()

    @property
    def untaken(self) -> dict[str, str]:
        """Lanes that a network of a run does not take, and how they reach it then, in words."""
        told: dict[str, str] = {lane: self._words(lane, lane) for lane in CONTINUED}
        told[BAND] = self._words(BAND, "instruments")
        return {lane: words for lane, words in told.items() if words}

    @property
    def _running(self) -> list[Spec]:
        networks = {BY_NAME[name].network for name in self.ticked if name in BY_NAME} or set(NETWORKS)
        return [self.specs[network] for network in NETWORKS if network in networks]

    def _words(self, lane: str, field: str) -> str:
        """Of one lane; `field` is its name in `Controls`."""
        each = dict[str, str]()
        for network, spec in self.specs.items():
            if field in spec.untaken(network) and spec in self._running:
                how = "the words carry it" if lane == BAND else "a span begins from music that has them"
                if network == "fm" and lane != BAND and self.steers:
                    how = "they steer it"
                what = f"the {lane} lane" if lane == BAND else lane
                each.setdefault(f"{spec.title or spec.name} does not take {what}; {how}", "")
        return ". ".join(each)


USUAL = Serving(dict.fromkeys(NETWORKS, CheckpointSpec()), (), True)  # where nothing is known of what serves


def checkpoint_in(settings: Settings, engine: str) -> str:
    """The name of the checkpoint that an engine runs on; empty = the server's own."""
    return settings.ar_from if BY_NAME[engine].network == "ar" else settings.fm_from


def serving(project: Project, bundle: Checkpoint) -> Serving:
    """What serves a project; the server's own bundle stands for a checkpoint that is gone."""
    settings = project.settings
    names: dict[Network, str] = {"ar": settings.ar_from, "fm": settings.fm_from}
    specs: dict[Network, Spec] = {network: bundle.spec for network in NETWORKS}
    for network, name in names.items():
        with suppress(InputError):
            specs[network] = bundle.serving(name).spec
    return Serving(specs, tuple(project.engines), settings.lane_guidance > 0)


def choose(project: Project, ar_from: str | None = None, fm_from: str | None = None) -> Project:
    """The project with other checkpoints for AR or FM, and the knobs as their makers have them.

    "" is the server's own, None stays. InputError where none of that name is here, or it has no such network.
    """
    chosen = commands.set_models(project, ar_from, fm_from)
    settings, before = chosen.settings, project.settings
    made = delivered(settings)
    if settings.ar_from != before.ar_from:
        _having("ar", settings.ar_from)
        settings = as_made(settings, ARSettings, made)
    if settings.fm_from != before.fm_from:
        _having("fm", settings.fm_from)
        settings = as_made(settings, FMSettings, made)
    return replace(chosen, settings=settings)


def delivered(now: Settings) -> Settings:
    """The settings with every knob as the makers of the chosen checkpoints have it."""
    made = Settings(ar_from=now.ar_from, fm_from=now.fm_from)
    if spec := _here(now.ar_from):
        made = replace(made, **of_network(spec.ar))
    if spec := _here(now.fm_from):
        made = replace(made, **of_network(spec.fm))
    return made


def _here(name: str) -> Spec | None:
    """The spec of a checkpoint of a name; None for the server's own, and for one that is gone."""
    with suppress(InputError):
        return find_named(name).spec if name else None
    return None


def _having(network: Network, name: str) -> None:
    """InputError where a checkpoint is not here, or does not have a network."""
    if name and not any(BY_NAME[engine].network == network for engine in find_named(name).spec.engines):
        raise InputError(f"model {name!r}: it has no {network.upper()}; choose another in the Models sheet")
