"""Where the files lie that the program reads besides its code: bundle, networks, page, fonts, examples.

In a checkout that is the folder `assets/` beside the packages, installed or not. A wheel carries the same
folder as the package `inlay_assets`, so that no other program's `assets` can stand in its way.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final


def find_assets(packages: Path) -> Path:
    """The folder of the files, for a program whose packages lie in `packages`.

    A checkout comes first, so that an older wheel in the same environment cannot lend it its weights.
    Where there is neither, the checkout's folder is named, and whoever reads a file says that it is missing.
    """
    beside = packages / "assets"
    if (beside / "bundle").is_dir():
        return beside
    try:
        packed = files("inlay_assets")
    except ModuleNotFoundError:
        return beside
    return Path(str(packed))  # a real folder: wheels are unpacked, and weights are mapped from their files


ASSETS: Final = find_assets(Path(__file__).resolve().parents[1])
