"""An edit beside others: how long its answer takes alone, and beside fifty tabs that edit as well.

`python -m tests.fire.beside [--count N] [--edits N] [--other CHECKOUT]`

All go over plain HTTP to a server with tiny networks, and edit without a pause, each a project of its own.
`--other` measures another checkout of Inlay in the same way, and says both.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.bundles import save_tiny
from tests.fire.outside import HttpTab, client, routes
from tests.serving import HERE, ROOT, Server


@dataclass
class Beside:
    """What was measured of one server; latencies in seconds, those of every edit in their order."""

    alone: list[float] = field(default_factory=list)
    crowd: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    others: int = 0  # edits that the crowd made meanwhile

    def words(self) -> str:
        """One line."""
        alone, crowd = (1000 * float(np.median(spent)) for spent in (self.alone, self.crowd))
        each = sum(self.crowd) * 1000 / max(1, self.others)
        return (
            f"an edit alone {alone:.0f} ms, beside the crowd {crowd:.0f} ms ({crowd / alone:.1f} x); "
            f"the crowd made {self.others} meanwhile, one each {each:.0f} ms"
        )


async def measured(url: str, count: int, edits: int) -> Beside:
    """One server, from its first tab on."""
    found = Beside()
    async with client(url, count + 2) as browser:
        known = await routes(browser)
        lone, *crowd = (HttpTab(browser, known) for _ in range(count + 1))
        await lone.open()
        await _edits(lone, 5)  # what the first ones load counts for none
        found.alone = await _edits(lone, edits)

        await asyncio.gather(*(tab.open() for tab in crowd))

        left = asyncio.Event()

        async def of_the_crowd(tab: HttpTab) -> None:
            while not left.is_set():
                await _edits(tab, 1)
                found.others += 1

        working = [asyncio.create_task(of_the_crowd(tab)) for tab in crowd]
        while found.others < count and not any(each.done() for each in working):  # until all are at it
            await asyncio.sleep(0.1)
        found.others = 0
        found.crowd = await _edits(lone, edits)
        left.set()
        await asyncio.gather(*working)
        found.broken += [f"{error}" for tab in (lone, *crowd) for error in tab.errors]
        await asyncio.gather(*(tab.close() for tab in (lone, *crowd)))
    return found


async def _edits(tab: HttpTab, count: int) -> list[float]:
    """So many edits one after the other; seconds until each was answered."""
    spent = []
    for _ in range(count):
        begun = time.perf_counter()
        rev = (await tab.edit("set_seed", seed=tab.rev)).get("rev")
        spent.append(time.perf_counter() - begun)
        assert rev == tab.rev, f"edit {tab.rev} was answered with {rev}"
    return spent


def fire(count: int, edits: int, folder: Path = ROOT) -> Beside:
    """A server of the checkout in `folder`, with so many other tabs; so many edits are measured each time."""
    with tempfile.TemporaryDirectory(prefix="inlay-fire-") as place:
        home = Path(place) / "home"
        home.mkdir()
        server = Server(save_tiny(Path(place) / "tiny"), home, HERE, folder)
        try:
            server.wait()
            return asyncio.run(measured(server.url, count, edits))
        finally:
            server.stop()


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--other", type=Path)
    asked: Any = parser.parse_args(arguments)
    if asked.other is not None:
        print(f"{asked.other}: {fire(asked.count, asked.edits, asked.other.resolve()).words()}", flush=True)
    found = fire(asked.count, asked.edits)
    print(*found.broken, sep="\n", end="\n" if found.broken else "")
    print(f"beside: {asked.count} tabs; {found.words()}; {len(found.broken)} broken")
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
