"""What a bundle makes of requests, kept on disk, so that a stopped measurement goes on where it was.

Files lie below `runs/evaluate`, named by the weights and the request that made them: 16-bit FLAC, mono
at 32 kHz. Another bundle with the same AR weights and codec finds AR's clips again. Measures nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from engines.checkpoints.shelf import Models
from engines.families.inlay import codec_of
from engines.requests import GenerateRequest, InpaintRequest, Request
from study.batches import run_many
from study.measure.conditions import RATE

Audio = NDArray[np.float32]
PARTS = {"ar": ("codec", "ar"), "fm": ("codec", "fm"), "fm-zero-shot": ("codec", "fm"), "codec": ("codec",)}


def digest(*parts: bytes) -> str:
    """Sixteen hexadecimal digits that name some bytes."""
    h = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        h.update(part)
    return h.hexdigest()[:16]


def quantized(audio: Audio) -> NDArray[np.int16]:
    """Float [n] -> int16 [n], as the files hold it."""
    return np.round(np.clip(audio, -1.0, 1.0) * 32767).astype(np.int16)


class Outputs:
    """The outputs of one bundle."""

    def __init__(self, models: Models, folder: Path = Path("runs/evaluate"), batch: int = 16) -> None:
        self.models, self.folder, self.batch = models, folder, batch
        weights = {
            p: digest((models.folder / f"{p}.safetensors").read_bytes()) for p in ("codec", "ar", "fm")
        }
        self._weights = {e: digest(*(weights[p].encode() for p in parts)) for e, parts in PARTS.items()}
        folder.mkdir(parents=True, exist_ok=True)

    def make(self, requests: Sequence[Request], what: str = "") -> list[Audio]:
        """Audio [n] of each request, mono at 32 kHz; what is on disk is not made again."""
        resolved = [self._resolved(request) for request in requests]
        files = [self._file(request) for request in resolved]
        missing = [i for i, file in enumerate(files) if not file.exists()]
        begin = time.time()
        for at in range(0, len(missing), self.batch):
            part = missing[at : at + self.batch]
            made = run_many([resolved[i] for i in part], self.models, self.batch)
            for i, result in zip(part, made, strict=True):
                self._write(files[i], result.audio.mono_at(RATE))
            done, spent = at + len(part), time.time() - begin
            print(f"{what}: {done}/{len(missing)} made, {spent:.0f} s", flush=True)
        return [self._read(file) for file in files]

    def through_codec(self, clips: Sequence[Audio], quantize: bool) -> list[Audio]:
        """Clips [n] through the codec, continuous or quantized."""
        codec, out = codec_of(self.models), []
        for clip in clips:
            told = f"codec/{quantize}/{digest(quantized(clip).tobytes())}"
            file = self.folder / f"{digest(self._weights['codec'].encode(), told.encode())}.flac"
            if not file.exists():
                with torch.inference_mode():
                    x = torch.from_numpy(clip.copy()).to(self.models.device)
                    z = codec.encode(x[None, None])  # [1, 1, N] -> [1, D, T]
                    z = codec.dequantize(codec.quantize(z)) if quantize else z
                    self._write(file, codec.decode(z)[0, 0].cpu().numpy()[: len(clip)])
            out.append(self._read(file))
        return out

    def _resolved(self, request: Request) -> Request:
        """The request with the bundle's own guidance written out, so that its name tells it."""
        task = "generate" if isinstance(request, GenerateRequest) else "inpaint"
        usual = self.models.spec.guidance(request.engine, task)  # type: ignore[arg-type]
        if request.engine == "ar":
            return replace(request, ar=replace(request.ar, guidance=request.ar.guidance or usual))
        return replace(request, fm=replace(request.fm, guidance=request.fm.guidance or usual))

    def _file(self, request: Request) -> Path:
        source = b""
        if isinstance(request, InpaintRequest):
            source = np.ascontiguousarray(request.source.samples).tobytes()
            told = asdict(replace(request, source=None))  # type: ignore[arg-type]
        else:
            told = asdict(request)
        told.pop("ar" if request.engine != "ar" else "fm")
        name = digest(self._weights[request.engine].encode(), json.dumps(told).encode(), source)
        return self.folder / f"{name}.flac"

    def _write(self, file: Path, audio: Audio) -> None:
        part = file.with_suffix(f".{os.getpid()}.part")  # two measurements may share a folder
        soundfile.write(part, quantized(audio), RATE, format="FLAC")
        part.rename(file)

    def _read(self, file: Path) -> Audio:
        samples, _ = soundfile.read(file, dtype="int16")
        return np.asarray(samples, np.float32) / np.float32(32767)
