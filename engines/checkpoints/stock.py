"""All models there are, a row each: what comes with Inlay, the public ones, and the user's own on the shelf.

What the command line and the page list of them. Sizes are bytes, rates Hz, windows seconds. Loads no torch.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from engines.checkpoints.catalogue import CATALOGUE, LINKS, Entry, entry_of, licence_words
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.placed import Placed, kept, placed
from engines.errors import InputError
from engines.families.pretrained import LIBRARIES
from engines.families.released.conversion import files_in, format_of
from engines.families.roster import recognised
from engines.families.shape import ALL_LANES, Spec
from engines.roster import BY_NAME

State = Literal["here", "damaged", "unusable", "part", "to get"]
# What makes a row usable: getting it (again), converting its folder, installing the extra; "" = nothing here.
Mend = Literal["", "get", "convert", "extra"]
EXTRA = "pip install 'inlay[models]'"
OWN = "bundle"  # the name of what comes with Inlay


@dataclass(frozen=True)
class Row:
    """One model, got or not."""

    name: str
    title: str
    maker: str
    licence: str = ""
    licence_link: str = ""
    licence_words: str = ""
    commercial: bool = True
    gated: bool = False
    size: int = 0  # on the disk; of one that is to be got, to get
    about: bool = False  # the size is estimated
    engines: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()  # networks that it may stand for
    takes: tuple[str, ...] = ()
    can: tuple[str, ...] = ()
    rate: int = 0
    channels: int = 1
    window: float = 0.0
    state: State = "to get"
    kept: int = 0  # of an unfinished download
    folder: str = ""
    source: str = ""  # the user's own folder
    why: str = ""  # what is damaged or missing
    mend: Mend = ""
    remedy: str = ""  # the same in words

    def to_json(self) -> dict[str, Any]:
        """For --json, and the page."""
        return asdict(self) | {"words": self.words, "sound": self.sound}

    @property
    def words(self) -> str:
        """What it can, in a few words."""
        if not self.engines:
            return ""
        how = "Continues, fills by picking" if self.engines == ("ar",) else "Spans"
        lanes = set(ALL_LANES) <= set(self.takes)
        parts = ("parts added or taken out",) if "add parts" in self.can else ()
        return ", ".join((how, *(("every lane",) if lanes else self.takes), *parts))

    @property
    def sound(self) -> str:
        """How it sounds, technically: "Stereo, 44.1 kHz, up to 2 min"."""
        if not self.rate:
            return ""
        long = f"{self.window:.0f} s" if self.window < 100 else f"{self.window / 60:.0f} min"
        return f"{'Mono' if self.channels == 1 else 'Stereo'}, {self.rate / 1000:g} kHz, up to {long}"


def stock(own: str = OWN) -> tuple[Row, ...]:
    """Every model: the server's own bundle first, then the public ones, then the user's."""
    there = {one.name: one for one in placed()}
    public = tuple(_public(entry, there.pop(entry.name, None)) for entry in CATALOGUE)
    return (_bundle(own), *public, *(_users(one) for one in there.values()))


def row_of(name: str, own: str = OWN) -> Row:
    """One model by its name. InputError where there is none of that name."""
    found = next((row for row in stock(own) if row.name == name), None)
    if found is None:
        entry_of(name)  # which says what comes near
        raise InputError(f"model {name[:64]!r}: none of that name; inlay models lists them")
    return found


def usable(network: str, own: str = OWN) -> tuple[Row, ...]:
    """Models that are here and may stand for a network, "ar" or "fm"."""
    return tuple(row for row in stock(own) if row.state == "here" and network in row.slots)


def _bundle(own: str) -> Row:
    found = find_checkpoint(own, "cpu")
    size = sum(found.describe()["bytes"].values())
    row = _by_spec(own, found.spec, found.folder, size)
    maker = "comes with Inlay" if own == OWN else "chosen with --bundle"
    return replace(row, title=found.spec.title or found.spec.name, maker=maker)


def _public(entry: Entry, there: Placed | None) -> Row:
    fault, left = _Fault(), 0
    state: State = "to get"
    if there is None:
        left = kept(entry)
        state = "part" if left else "to get"
    else:
        fault = _fault(there)
        state = fault.state
        if state != "here" and not fault.mend:
            same = state == "unusable" and there.pieces and not entry.released  # it would come as it is
            mend: Mend = "" if same else "get"
            fault = replace(fault, mend=mend, remedy="Update Inlay, or remove it" if same else "Get it again")
    return Row(
        name=entry.name,
        title=entry.title,
        maker=entry.maker,
        licence=entry.licence.name,
        licence_link=entry.licence.link,
        licence_words=entry.licence.words,
        commercial=entry.licence.commercial,
        gated=entry.gated,
        size=entry.bytes if there is None else there.size,
        about=entry.about and there is None,
        engines=entry.engines,
        slots=entry.slots,
        takes=entry.takes,
        can=entry.can,
        rate=entry.rate,
        channels=entry.channels,
        window=entry.window,
        state=state,
        kept=left,
        folder="" if there is None else str(there.folder),
        why=fault.why,
        mend=fault.mend,
        remedy=fault.remedy,
    )


def _users(one: Placed) -> Row:
    fault = _fault(one)
    shown = Row(one.name, one.title, maker="", licence=one.licence, size=one.size, folder=str(one.folder))
    with suppress(InputError):
        shown = _by_spec(one.name, recognised(one.folder)[1], one.folder, one.size)
    return replace(
        shown,
        maker="your own",
        source=one.source,
        state=fault.state,
        why=fault.why,
        mend=fault.mend,
        remedy=fault.remedy,
    )


def _by_spec(name: str, spec: Spec, folder: Path, size: int) -> Row:
    networks = dict.fromkeys(BY_NAME[engine].network for engine in spec.engines if engine in BY_NAME)
    takes = [lane for lane in ALL_LANES if any(lane not in spec.untaken(network) for network in networks)]
    return Row(
        name=name,
        title=spec.title or name,
        maker="",
        licence=spec.licence,
        licence_link=LINKS.get(spec.licence, ""),
        licence_words=licence_words(spec.licence),
        commercial=spec.commercial,
        size=size,
        engines=tuple(spec.engines),
        slots=tuple(networks),
        takes=tuple(takes),
        can=("generate", "fill", "continue", *(("add parts", "take parts out") if spec.tasks else ())),
        rate=spec.rate,
        channels=spec.channels,
        window=spec.window_seconds,
        state="here",
        folder=str(folder),
    )


@dataclass(frozen=True)
class _Fault:
    """What is wrong with what lies on the shelf, if anything is, and what would mend it."""

    state: State = "here"
    why: str = ""
    mend: Mend = ""
    remedy: str = ""


def _fault(one: Placed) -> _Fault:
    if one.source and not Path(one.source).exists():
        away = f"It is a link to {one.source}, which is not there any more"
        return _Fault("damaged", away, "", "Put that folder back, or take this off the list")
    if faults := one.faults():
        of = max(len(faults), len(one.pieces) + len(one.made))
        remedy = f"Put its files back into {one.source}" if one.source else "Remove it"
        return _Fault("damaged", _fault_words(faults, of), "", remedy)
    try:
        family, _ = recognised(one.folder)
    except InputError as error:
        if format_of(files_in(one.folder)) is not None:
            remedy = "Convert it; what lies there stays"
            return _Fault("unusable", "It is in its makers' own format", "convert", remedy)
        why = str(error).removeprefix(f"{one.folder.name[:64]!r}: ").removesuffix("; get it again")
        return _Fault("unusable", f"Not usable: {why}", "", "Remove it, and open the right folder")
    if family.extra and any(find_spec(name) is None for name in LIBRARIES):
        return _Fault("unusable", "It needs libraries that are not installed", "extra", f"Run {EXTRA}")
    return _Fault()


def _fault_words(faults: tuple[str, ...], of: int) -> str:
    count = len(faults)
    return f"{count} of {of} files {'is' if count == 1 else 'are'} damaged or missing ({faults[0][:60]})"
