"""Fifty tabs on one server: they open projects, edit, come back and close; none is thrown out or mixed up.

`python -m tests.fire.tabs [--count N] [--edits N]`

All go over plain HTTP to a server with tiny networks. Three quarters of the tabs have a project of their
own, the others share some of these. Says what the server's memory was before, with all open, and after all
have closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from editor.project.disk import storage
from tests.bundles import save_tiny
from tests.fire.damage import sounds
from tests.fire.outside import HttpTab, Routes, client, routes
from tests.serving import Server

ROUNDS = 3  # of edits; before each some tabs reload and some open another project and come back


@dataclass
class Seat:
    """A tab and what it has done to its project."""

    number: int
    tab: HttpTab
    folder: str = ""
    drawn: list[float] = field(default_factory=list)  # beats at which it drew a chord


class Tabs:
    """The tabs of a server."""

    def __init__(self, url: str, home: Path, count: int, edits: int, dice: random.Random) -> None:
        self._url = url
        self._home = home
        self._count = count
        self._edits = edits
        self._dice = dice
        self.broken: list[str] = []
        self.made = self.reloads = 0
        self.memory: dict[str, int] = {}  # when -> MB of the server
        self.spent = 0.0  # seconds of a core that the server worked, from the first tab to the last edit

    async def all(self, pid: int) -> None:
        """From the first tab to the last that closes."""
        async with client(self._url, self._count) as browser:
            known = await routes(browser)
            await self._warm(browser, known)
            self.memory["before"], begun = resident(pid), worked(pid)
            seats = [Seat(number, HttpTab(browser, known)) for number in range(self._count)]
            owners, guests = seats[: -(self._count // 4) or None], seats[-(self._count // 4) :]
            await asyncio.gather(*(self._move_in(seat) for seat in owners))
            await asyncio.gather(
                *(self._join(guest, owners[guest.number % min(7, len(owners))]) for guest in guests)
            )
            for _ in range(ROUNDS):
                await asyncio.gather(*(self._work(seat, known) for seat in seats))
            self.memory["with all open"], self.spent = resident(pid), worked(pid) - begun
            await asyncio.gather(*(self._still_there(seat) for seat in seats))
            await asyncio.gather(*(seat.tab.close() for seat in seats))
            self._on_disk(seats)
            again = HttpTab(browser, known)  # who comes back finds the work
            document = await again.open(seats[0].folder)
            if document.get("project") != seats[0].folder:
                self.broken.append("a project that was closed does not open again")
            await again.close()
            await asyncio.sleep(20)  # closed tabs are let go of after 15 s
            self.memory["after"] = resident(pid)

    async def _warm(self, browser: Any, known: Routes) -> None:
        """One tab, so that what the first one loads is no part of what fifty cost."""
        tab = HttpTab(browser, known)
        await tab.open()
        await tab.upload(sounds()["WAV PCM_16.wav"], "warm.wav")
        await tab.close()

    async def _move_in(self, seat: Seat) -> None:
        await seat.tab.open()
        document = await seat.tab.upload(sounds()["WAV PCM_16.wav"], f"song {seat.number}.wav")
        seat.folder = document["project"]
        if document.get("error") or not seat.folder:
            self.broken.append(f"tab {seat.number} has no project: {document.get('error')}")

    async def _join(self, guest: Seat, host: Seat) -> None:
        await guest.tab.open()
        document = await guest.tab.project("open", host.folder)
        guest.folder = host.folder
        if document["project"] != host.folder:
            self.broken.append(f"tab {guest.number} cannot share: {document.get('error')}")

    async def _work(self, seat: Seat, known: Routes) -> None:
        """Edits, of which some are undone; now and then a reload, or a look at another project."""
        if self._dice.random() < 0.3:
            self.reloads += 1
            tab = HttpTab(seat.tab.client, known, page=seat.tab.page)
            await seat.tab.close()
            seat.tab = tab
            document = await tab.open(seat.folder)
            if document["project"] != seat.folder:
                self.broken.append(f"tab {seat.number} lost its project as it was loaded again")
        elif self._dice.random() < 0.2:
            await seat.tab.project("new")
            document = await seat.tab.project("open", seat.folder)
            if document["project"] != seat.folder:
                self.broken.append(
                    f"tab {seat.number} does not get its project again: {document.get('error')}"
                )
        for _ in range(self._edits):
            beat = 4.0 * (seat.number + self._count * len(seat.drawn))
            cell = {"id": f"c{seat.number}-{len(seat.drawn)}", "start": beat, "end": beat + 4, "symbol": "Am"}
            document = await seat.tab.edit("draw_chords", chords=[cell])
            self.made += 1
            seat.drawn.append(beat)
            if document["project"] != seat.folder or document.get("error"):
                where = document["project"]
                self.broken.append(
                    f"tab {seat.number} edited {where}, not {seat.folder}: {document.get('error')}"
                )

    async def _still_there(self, seat: Seat) -> None:
        """No tab that is open was thrown out, and none heard of an error."""
        self.broken += [f"tab {seat.number}: {error}" for error in seat.tab.errors]
        document = await seat.tab.edit("set_name", name=f"Song of {seat.folder}")
        if document["project"] != seat.folder or document.get("error"):
            self.broken.append(f"tab {seat.number} was thrown out: {document.get('error')}")

    def _on_disk(self, seats: list[Seat]) -> None:
        """Every project holds the edits of its own tabs and of no other."""
        wanted: dict[str, set[float]] = {}
        for seat in seats:
            wanted.setdefault(seat.folder, set()).update(seat.drawn)
        for folder, beats in wanted.items():
            project = storage.open_project(self._home / folder).project
            found = {cell.start for cell in project.lanes.chords}
            if found != beats:
                self.broken.append(
                    f"{folder}: {len(beats - found)} edits lost, {len(found - beats)} of others"
                )
            if project.name != f"Song of {folder}":
                self.broken.append(f"{folder} is called {project.name!r}")


def resident(pid: int) -> int:
    """Memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS:"))


def worked(pid: int) -> float:
    """Seconds of a core that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fire(count: int, edits: int, seed: int = 15) -> Tabs:
    """So many tabs, each with so many edits a round."""
    with tempfile.TemporaryDirectory(prefix="inlay-fire-") as place:
        home = Path(place) / "home"
        home.mkdir()
        server = Server(save_tiny(Path(place) / "tiny"), home)
        tabs = Tabs(server.url, home, count, edits, random.Random(f"{seed} tabs"))
        try:
            server.wait()
            asyncio.run(tabs.all(server.pid))
        finally:
            try:
                server.stop()
            except AssertionError as error:
                tabs.broken.append(f"the server's log: {json.dumps(str(error)[-1500:])}")
        return tabs


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--edits", type=int, default=3)
    asked: Any = parser.parse_args(arguments)
    tabs = fire(asked.count, asked.edits)
    for line in tabs.broken:
        print(line)
    memory = ", ".join(f"{value} MB {when}" for when, value in tabs.memory.items())
    print(
        f"tabs: {asked.count} tabs, {tabs.made} edits, {tabs.reloads} reloads; the server held {memory} "
        f"and worked {tabs.spent:.0f} s of a core; "
        f"{len(tabs.broken)} broken"
    )
    return 1 if tabs.broken else 0


if __name__ == "__main__":
    sys.exit(main())
