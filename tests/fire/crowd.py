"""A crowd that makes music at once: who waits how long, whether memory grows, and each seed's own audio.

`python -m tests.fire.crowd [--count N] [--seconds S]`

Users ask a server with tiny networks for clips, one after the other, without a pause; one of them asks for
five at once. Each clip must be what its seed gave before the crowd came. Who waits how long is judged by the
clips that others get meanwhile, which a busy machine does not change, and said in seconds as well. All over
plain HTTP on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bundles import save_tiny
from tests.fire.outside import HttpTab, Routes, client, routes
from tests.fire.tabs import resident
from tests.serving import Server

SEEDS = 6
GREEDY = 5  # clips that one user asks for at once
GROWTH = 80  # MB that a server may gain between the first third and the end
SLOWEST = 2.0  # times the mean


class Crowd:
    """The users of one server. Seconds."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self.waits: list[float] = []  # of those who ask for one at a time, once all have come
        self.turns: list[int] = []  # clips that others got meanwhile
        self.made = 0
        self.broken: list[str] = []
        self.memory: list[int] = []  # MB: once all have come, and at the end
        self._alone: dict[int, str] = {}  # seed -> its audio

    async def all(self, url: str, pid: int) -> None:
        """From the first clip alone to the end."""
        async with client(url, self._count + GREEDY) as browser:
            known = await routes(browser)
            first = HttpTab(browser, known)
            for seed in range(SEEDS):
                self._alone[seed] = await self._clip(first, seed)
            begun = time.monotonic()
            until = begun + self._seconds
            users = [self._user(HttpTab(browser, known), number, until) for number in range(self._count - 1)]
            await asyncio.gather(self._greedy(browser, known, until), self._look(pid, begun), *users)
            self.memory.append(resident(pid))
            await first.close()

    async def _user(self, tab: HttpTab, number: int, until: float) -> None:
        rounds = 0
        while time.monotonic() < until:
            begun, made = time.monotonic(), self.made
            await self._same(tab, (number + rounds) % SEEDS)
            if rounds:  # in the first the line is still growing
                self.waits.append(time.monotonic() - begun)
                self.turns.append(self.made - made)
            rounds += 1
        self.broken += tab.errors
        await tab.close()

    async def _greedy(self, browser: Any, known: Routes, until: float) -> None:
        tab = HttpTab(browser, known)
        while time.monotonic() < until:
            await asyncio.gather(*(self._same(tab, seed) for seed in range(GREEDY)))
        self.broken += tab.errors
        await tab.close()

    async def _look(self, pid: int, begun: float) -> None:
        await asyncio.sleep(max(0.0, begun + self._seconds / 3 - time.monotonic()))
        self.memory.append(resident(pid))

    async def _same(self, tab: HttpTab, seed: int) -> None:
        if await self._clip(tab, seed) != self._alone[seed]:
            self.broken.append(f"seed {seed} sounds otherwise than alone")
        self.made += 1

    async def _clip(self, tab: HttpTab, seed: int) -> str:
        request = {"seconds": 1.0, "seed": seed, "prompt": f"song {seed}", "fm": {"steps": 2}}
        data = (await tab.answer("run", None, [request, None])).get("data")
        if not data:
            self.broken.append(f"seed {seed}: no answer, {tab.errors[-1:]}")
            return ""
        sound = await tab.client.get(f"gradio_api/file={data[0]['path']}")
        return hashlib.sha256(sound.content).hexdigest()


def fire(count: int, seconds: float) -> Crowd:
    """A server with so many users for so long."""
    with tempfile.TemporaryDirectory(prefix="inlay-fire-") as place:
        home = Path(place) / "home"
        home.mkdir()
        server = Server(save_tiny(Path(place) / "tiny"), home)
        crowd = Crowd(count, seconds)
        try:
            server.wait()
            asyncio.run(crowd.all(server.url, server.pid))
        finally:
            server.stop()
    return crowd


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    asked: Any = parser.parse_args(arguments)
    crowd = fire(asked.count, asked.seconds)
    mean = sum(crowd.waits) / max(1, len(crowd.waits))
    longest, most = max(crowd.waits, default=0.0), max(crowd.turns, default=0)
    turns = sum(crowd.turns) / max(1, len(crowd.turns))
    broken = crowd.broken[:]
    if crowd.memory[-1] - crowd.memory[0] > GROWTH:
        broken.append(f"memory grew from {crowd.memory[0]} to {crowd.memory[-1]} MB")
    if most > SLOWEST * turns:
        broken.append(f"{most} clips came before somebody's, {turns:.1f} in the mean")
    print(*broken, sep="\n", end="\n" if broken else "")
    print(
        f"crowd: {asked.count} users for {asked.seconds:.0f} s, {crowd.made} clips; it took {mean:.2f} s "
        f"in the mean, {longest:.2f} s at most ({longest / max(mean, 1e-9):.2f} x), "
        f"{turns:.1f} clips of others in the mean, {most} at most; the server held "
        f"{crowd.memory[0]} MB, then {crowd.memory[-1]} MB; {len(broken)} broken"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
