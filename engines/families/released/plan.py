"""What a conversion is to write: configurations, weights by their released names, files that stay.

A plan is whole before a byte is written: what is missing, or nobody expected, is said by its name. Loads no
torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.errors import InputError
from engines.families.released.tensors import Planned, Stored, kept, reordered

Files = Mapping[str, Path]  # of a released checkpoint: path in it -> where it lies
SCHEDULER = "scheduler/scheduler_config.json"
TOKENIZER = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
)  # fmt: skip


@dataclass
class Plan:
    """What is to be written below the new folder."""

    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, list[Planned]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)  # path in the new folder -> in the released one

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(one.size for each in self.weights.values() for one in each)


class Weights:
    """Released weights [*] of one network, each taken once under a new name."""

    def __init__(self, found: Mapping[str, Stored], of: str) -> None:
        self._found = found
        self._of = of  # the checkpoint, for messages
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def named(self, prefix: str) -> list[str]:
        """Names that begin so."""
        return [name for name in self._found if name.startswith(prefix)]

    def look(self, name: str) -> Stored:
        """A weight [*] that must be there; InputError with its name where it is not."""
        if name not in self._found:
            raise InputError(f"{self._of}: the weight {name[:120]} is missing; get the checkpoint again")
        return self._found[name]

    def take(self, name: str, new: str, order: tuple[int, ...] = ()) -> Planned:
        """A weight [*] under its new name, its rows in blocks of another order where one is given."""
        stored = self.look(name)
        self._taken.add(name)
        return reordered(new, stored, order) if order else kept(new, stored)

    def done(self, prefixes: tuple[str, ...], ignored: Iterable[str] = ()) -> None:
        """InputError for a weight below `prefixes` that nobody took and that is not to be `ignored`.

        It would be part of what is heard, and the network that is made of the others another one.
        """
        known = self._taken | set(ignored)
        left = [name for name in self._found if name.startswith(prefixes) and name not in known]
        if left:
            raise InputError(
                f"{self._of}: {len(left)} weights are of a kind that is not known here "
                f"({', '.join(sorted(left)[:2])[:160]}); update Inlay"
            )


def read_config(file: Path, name: str) -> dict[str, Any]:
    """A JSON object; InputError where it cannot be read as one."""
    try:
        told = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{name[:80]}: missing or damaged; get the checkpoint again") from error
    if not isinstance(told, dict):
        raise InputError(f"{name[:80]}: no JSON object; get the checkpoint again")
    return told


def told(config: Mapping[str, Any], path: str, of: str) -> Any:
    """A field of a configuration by its path, "model.diffusion"; InputError with it where it is missing."""
    value: Any = config
    for key in path.split("."):
        if not isinstance(value, Mapping) or value.get(key) is None:
            raise InputError(f"{of}: the field {path} is missing; get the checkpoint again")
        value = value[key]
    return value


def within(files: Files, folder: str) -> dict[str, Path]:
    """Files of a folder, not of those in it, by their names; "" for the checkpoint's own."""
    prefix = f"{folder}/" if folder else ""
    return {
        at.removeprefix(prefix): file
        for at, file in files.items()
        if at.startswith(prefix) and "/" not in at.removeprefix(prefix)
    }


def folders_of(files: Files, kind: str) -> list[str]:
    """Folders with a `config.json` whose `model_type` is `kind`, "" for the checkpoint itself."""
    found = []
    for at, file in files.items():
        folder, _, name = at.rpartition("/")
        if name == "config.json":
            try:
                if read_config(file, at).get("model_type") == kind:
                    found.append(folder)
            except InputError:  # some other part's, which says so when it is read
                continue
    return sorted(found)


def shards(files: Files, folder: str) -> list[Path]:
    """Files with weights in a folder; InputError where there is none."""
    found = [file for name, file in sorted(within(files, folder).items()) if name.endswith(".safetensors")]
    if not found:
        raise InputError(
            f"{folder or 'the folder'}: no .safetensors file lies there; get the checkpoint again"
        )
    return found


def tokenizer_links(files: Files, folder: str) -> dict[str, str]:
    """A tokenizer's files as they are; InputError where its table of words is missing."""
    here = within(files, folder)
    links = {f"tokenizer/{name}": f"{folder}/{name}" for name in TOKENIZER if name in here}
    if not {"tokenizer.json", "tokenizer.model", "vocab.json"} & set(here):
        raise InputError(f"{folder}: tokenizer.json is missing; get the checkpoint again")
    return links


def scheduler(noisy: bool = False) -> dict[str, Any]:
    """Of a flow whose times are its sigmas; `noisy`: it makes its latents noisy again at each step."""
    return {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps": 1,
        "shift": 1.0,
        "stochastic_sampling": noisy,
    }
