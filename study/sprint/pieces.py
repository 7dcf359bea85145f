"""Weights -> files that a lent machine hands back, and these -> a bundle: `python -m study.sprint unpack`.

At most eight files of 16 MiB come back, 64 MiB in all. Each part of a bundle is cut into `fm.0`, `fm.1` and
so on; `notes.zip` holds `bundle.json` and the curves. Matrices travel as one byte a weight, with a scale a
row, where half precision would not fit. A newer version takes the place of an older one file by file.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load, load_file, save, save_file
from torch import Tensor

from engines.checkpoints.bundle import PARTS

PIECE = (16 << 20) - 4096  # bytes of a file
FILES, TOTAL = 8, 64 << 20
NOTES = "notes.zip"
SCALE = ".scale"  # name of a row's scale beside its weights
EVEN = (
    "blocks.",
    "emb.",
    "heads.",
)  # matrices whose rows are even; others hold an identity or raised columns


def in_bytes(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices [out, ...] of EVEN as int8 with a float32 scale a row [out]; all else in half precision."""
    out: dict[str, Tensor] = {}
    for name, w in weights.items():
        if w.ndim < 2 or not any(name.startswith(e) or f".{e}" in name for e in EVEN):
            out[name] = w.half()
            continue
        rows = w.float().flatten(1)
        scale = rows.abs().amax(dim=1).clamp_min(1e-12) / 127
        out[name] = (rows / scale[:, None]).round().to(torch.int8).view(w.shape)
        out[name + SCALE] = scale
    return out


def from_bytes(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `in_bytes`, in half precision: [out, ...]."""
    out: dict[str, Tensor] = {}
    for name, w in packed.items():
        if name.endswith(SCALE):
            continue
        scale = packed.get(name + SCALE)
        out[name] = w if scale is None else (w.flatten(1).float() * scale[:, None]).view(w.shape).half()
    return out


def count(size: int) -> int:
    """Files that so many bytes need."""
    return -(-size // PIECE)


def bytewise(sizes: dict[str, int]) -> bool:
    """Whether networks of these sizes in half precision, with the notes, are too much to come back."""
    return sum(map(count, sizes.values())) > FILES - 1 or sum(sizes.values()) > TOTAL - (2 << 20)


def send(bundle: Path, part: str, out: Path, packed: bool) -> None:
    """Cut `<part>.safetensors` of a bundle folder into pieces in `out`, in place of older ones."""
    path = bundle / f"{part}.safetensors"
    data = save(in_bytes(load_file(path))) if packed else path.read_bytes()
    _put(out, part, data)


def send_notes(bundle: Path, curves: dict[str, Path], out: Path) -> None:
    """`bundle.json` and the curves as one file of `out`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if (bundle / "bundle.json").exists():
            archive.write(bundle / "bundle.json", "bundle.json")
        for name, path in curves.items():
            if path.exists():
                archive.write(path, name)
    _replace(out / NOTES, buffer.getvalue())


def _put(out: Path, part: str, data: bytes) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    for i, piece in enumerate(pieces):
        _replace(out / f"{part}.{i}", piece)
    for old in out.glob(f"{part}.[0-9]*"):
        if int(old.name.rsplit(".", 1)[1]) >= len(pieces):
            old.unlink()


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + "_new")
    new.write_bytes(data)
    new.replace(path)


def unpack(folder: Path, out: Path, base: Path | None = None) -> list[str]:
    """Pieces -> a bundle in `out` with its curves as CSV; returns the parts that were found.

    A part that did not come back is taken from `base`, a bundle on the same codec. Raises SystemExit where
    there is nothing.
    """
    if not (folder / NOTES).exists():
        raise SystemExit(f"{folder}: no {NOTES} there; give the folder that came back")
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / NOTES) as archive:
        archive.extractall(out)
    found = []
    for part in PARTS:
        pieces = sorted(folder.glob(f"{part}.[0-9]*"), key=lambda p: int(p.name.rsplit(".", 1)[1]))
        if pieces:
            weights = load(b"".join(p.read_bytes() for p in pieces))
            packed = any(name.endswith(SCALE) for name in weights)
            save_file(from_bytes(weights) if packed else weights, out / f"{part}.safetensors")
            found.append(part)
        elif base is not None and (base / f"{part}.safetensors").exists():
            shutil.copy(base / f"{part}.safetensors", out / f"{part}.safetensors")
            _shape_from(base, out, part)
    if not found:
        raise SystemExit(f"{folder}: no weights there; the run ended before its first stage did")
    return found


def _shape_from(base: Path, out: Path, part: str) -> None:
    """The spec of a part that comes from another bundle."""
    key = {"codec": "codec", "ar": "lm", "fm": "flow"}[part]
    spec, other = (json.loads((f / "bundle.json").read_text()) for f in (out, base))
    (out / "bundle.json").write_text(json.dumps(spec | {key: other[key]}, indent=1) + "\n")


def last_losses(path: Path) -> dict[str, float]:
    """The last row of a curve that says anything: column -> figure."""
    if not path.exists():
        return {}
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {k: float(v) for k, v in rows[-1].items() if v} if rows else {}
