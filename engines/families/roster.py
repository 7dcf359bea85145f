"""The families, one row each: which module reads a checkpoint that lies in a folder. Loads no torch."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engines.errors import InputError
from engines.families.shape import Family, Spec


@dataclass(frozen=True)
class FamilySpec:
    """One family."""

    name: str
    module: str
    extra: str = ""  # of Inlay's optional dependencies, that it needs
    words: bool = True  # False: it reads words as all of Inlay does, by MiniLM


FAMILIES: tuple[FamilySpec, ...] = (
    FamilySpec("inlay", "engines.families.inlay", words=False),
    FamilySpec("ace-step", "engines.families.ace_step", "models"),
    FamilySpec("stable-audio-3", "engines.families.stable_audio", "models"),
    FamilySpec("musicgen", "engines.families.musicgen", extra="models"),
    FamilySpec("jasco", "engines.families.jasco", extra="models"),
)


def module_of(family: FamilySpec) -> Family:
    """The module of a family, loaded at its first use."""
    return cast(Family, importlib.import_module(family.module))


def recognised(folder: Path) -> tuple[FamilySpec, Spec]:
    """The family and the spec of the checkpoint in a folder; InputError where no family knows it."""
    for family in FAMILIES:
        spec = module_of(family).spec_of(folder)
        if spec is not None:
            return family, spec
    known = ", ".join(family.name for family in FAMILIES)
    raise InputError(f"{folder.name[:64]!r}: no checkpoint lies there that Inlay knows; expected {known}")
