"""Opened checkpoints: loading once, sharing, freeing, saving.

All engines of a process share one `Models` per checkpoint and device: every part is loaded at its first use,
once. Checkpoints on one device share its lock, and give way to one another where memory is short. Does not
know requests' contents, the editor or training.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from engines.checkpoints.allocator import give_back_memory, keep_freed_memory
from engines.checkpoints.bundle import BundleSpec, damaged
from engines.checkpoints.found import find_checkpoint, find_named
from engines.checkpoints.loading import Hear, Loading
from engines.checkpoints.memory import free_bytes, need
from engines.errors import InputError
from engines.families.roster import FAMILIES, FamilySpec, module_of
from engines.families.shape import Autoencoder, Flow, Network, Spec, Tokenizer, Words
from engines.networks.codec import Codec, save_codec
from engines.networks.flow_net import FlowNet
from engines.networks.lm import LM
from engines.networks.text import TextEncoder
from engines.progress import Stopwatch

Part = TypeVar("Part")
_locks: dict[str, threading.Lock] = {}  # device -> what the run on it holds
_hearing: ContextVar[Hear | None] = ContextVar("hearing", default=None)  # who waits for what is loaded


class Models:
    """One checkpoint on one device, each part loaded once and shared by all engines."""

    def __init__(
        self,
        folder: Path,
        spec: Spec,
        device: str,
        precision: str = "float32",
        family: FamilySpec = FAMILIES[0],
    ) -> None:
        self.folder = folder
        self.spec = spec
        self.device = torch.device(device)
        self.precision = precision  # of the FM network: "float32" or "bfloat16" (one-step AR gains nothing)
        self.family = family
        self.loads: dict[str, int] = {}  # part -> how often it was read from disk
        self.device_lock = _locks.setdefault(device, threading.Lock())  # held by the run that uses the device
        self.loading = Loading(folder, spec.title or spec.name)
        self._load_lock = threading.RLock()
        self._parts: dict[str, Any] = {}

    def serving(self, name: str) -> Models:
        """The checkpoint that a request names, on the same device; this one for an empty name or its own."""
        if name in ("", self.spec.name):
            return self
        found = find_named(name, self.device.type)
        return open_bundle(str(found.folder), found.device, self.precision)

    def codec(self) -> Autoencoder:
        """The autoencoder, audio [B, C, N] <-> latents [B, D, T]."""
        return self._once("codec", lambda: module_of(self.family).load_codec(*self._place))

    def tokenizer(self) -> Tokenizer:
        """The autoencoder of a token model, which knows codes [B, K, T] too."""
        return cast(Tokenizer, self.codec())

    def ar(self) -> LM:
        """The token model over codes [B, K, T]."""
        return self._once("ar", lambda: module_of(self.family).load_tokens(*self._place))

    def fm(self) -> Flow:
        """The flow over latents [B, D, T]."""
        return self._once("fm", lambda: module_of(self.family).load_flow(*self._place))

    def network(self, network: Network) -> object:
        """The network that an engine runs on, loaded."""
        return self.ar() if network == "ar" else self.fm()

    def words(self, prompt: str) -> Any:
        """States of a prompt as the networks of this checkpoint read them, on the device."""
        return self.encoder().encode([prompt]).to(self.device)

    def encoder(self) -> Words:
        """The text encoder of this checkpoint's networks."""
        if not self.family.words:
            return self.text()
        return self._once("words", lambda: module_of(self.family).load_words(*self._place))

    def text(self) -> TextEncoder:
        """What knows the words for who plays, prompts -> states [B, L, 384] (on the CPU)."""

        def load() -> TextEncoder:
            encoder = TextEncoder()
            encoder.load()
            return encoder

        return self._once("text", load)

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision that the FM network runs in; its inputs and outputs stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @contextmanager
    def held(self, watch: Stopwatch) -> Iterator[None]:
        """Hold the device for one run; a run that waits for it can still be cancelled."""
        while not self.device_lock.acquire(timeout=0.1):
            watch.report("queued", 0, 1)
        try:
            yield
        finally:
            self.device_lock.release()

    @contextmanager
    def heard(self, hear: Hear) -> Iterator[None]:
        """Within, `hear` is told bytes read, and all, while a part is loaded; it may raise to leave."""
        token = _hearing.set(hear)
        try:
            yield
        finally:
            _hearing.reset(token)

    @property
    def need(self) -> int:
        """Bytes of memory that it takes while a run is on it."""
        return need(self.folder, self.spec.channels, "ar" in self.spec.engines)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Parts that are in memory."""
        return tuple(self._parts)

    def free(self) -> None:
        """Forget all parts; they are loaded again at their next use."""
        with self._load_lock:
            self._parts.clear()
            self.loading.forget()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        give_back_memory()

    @property
    def _place(self) -> tuple[Path, Spec, torch.device]:
        return self.folder, self.spec, self.device

    def _once(self, part: str, load: Callable[[], Part]) -> Part:
        hear = _hearing.get()
        while not self._load_lock.acquire(timeout=0.1):  # another loads
            if hear is not None:
                hear(self.loading.done, self.loading.total)
        try:
            if part not in self._parts:
                if not self._parts:
                    _make_room(self)
                try:
                    self._parts[part] = self.loading.read(load, hear)
                except InputError:
                    raise
                except (OSError, SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
                    raise damaged(self.folder, f"{part}.safetensors", error) from error
                self.loads[part] = self.loads.get(part, 0) + 1
            return cast(Part, self._parts[part])
        finally:
            self._load_lock.release()


_open: dict[tuple[Path, str, str], Models] = {}
_open_lock = threading.Lock()


def open_bundle(name_or_path: str = "bundle", device: str = "auto", precision: str = "float32") -> Models:
    """The shared Models of a checkpoint, which is found as by `find_checkpoint`; reads no weights yet."""
    keep_freed_memory()
    found = find_checkpoint(name_or_path, device)
    with _open_lock:
        key = (found.folder, found.device, precision)
        if key not in _open:
            _open[key] = Models(found.folder, found.spec, found.device, precision, found.family)
        return _open[key]


def opened() -> list[Models]:
    """All checkpoints of this process that have parts in memory, the one used last at the end."""
    with _open_lock:
        return [models for models in _open.values() if models.loaded]


def leave(device: str) -> None:
    """Free all checkpoints of a device, each once no run is on it (which may take as long as that run)."""
    for models in opened():
        if models.device == torch.device(device):
            with models.device_lock:
                models.free()


def loading() -> list[Models]:
    """All checkpoints of this process that are being loaded."""
    with _open_lock:
        return [models for models in _open.values() if models.loading.goes_on]


def _make_room(wanted: Models) -> None:
    """Free other checkpoints of the device, the eldest first, until one that is to be loaded fits.

    Raises InputError with what is missing where it does not fit at all. Whoever loads holds the device, so no
    other run is on those that are freed.
    """
    takes, device = wanted.need, str(wanted.device)
    others = [models for models in opened() if models is not wanted and models.device == wanted.device]
    while others and free_bytes(device) < takes:
        others.pop(0).free()
    short = takes - free_bytes(device)
    if short > 0:
        raise InputError(
            f"{wanted.spec.title or wanted.spec.name}: {short / 1e9:.1f} GB of memory are missing, it takes "
            f"{takes / 1e9:.1f} GB; close other programs, or choose a smaller model"
        )


def save_bundle(
    folder: Path,
    spec: BundleSpec,
    codec: Codec | None = None,
    lm: LM | None = None,
    flow: FlowNet | None = None,
) -> BundleSpec:
    """Write the given parts of a bundle, then `bundle.json`; returns the spec with their configurations.

    Parts that are None stay as they are in the folder (training writes them one by one).
    """
    folder.mkdir(parents=True, exist_ok=True)
    if codec is not None:
        spec = replace(spec, codec=save_codec(codec, folder))
    if lm is not None:
        spec = replace(spec, lm=lm.config)
        save_file(_halves(lm), folder / "ar.safetensors")
    if flow is not None:
        spec = replace(spec, flow=flow.config)
        save_file(_halves(flow), folder / "fm.safetensors")
    (folder / "bundle.json").write_text(spec.to_json(), "utf-8")
    return spec


def _halves(network: nn.Module) -> dict[str, Tensor]:
    return {k: w.detach().cpu().to(torch.float16).contiguous() for k, w in network.state_dict().items()}
