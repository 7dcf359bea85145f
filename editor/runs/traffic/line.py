"""The line before a device: users take turns, one job each; a user's own come in the order asked for. Seconds.

Start-time fair queueing with jobs of equal weight (Goyal, Vin and Cheng 1996, section II): a job's round is one
more than its user's job before it, but no earlier than the round at work, and the lowest round is next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class Ticket:
    """A job's place in line."""

    who: str  # takes turns with others
    run: object  # jobs that were asked for together have the same
    seconds: Callable[[], float | None]  # that the job takes, or still takes; None while nobody knows
    engine: str = ""
    round: int = 0


@dataclass(frozen=True)
class Ahead:
    """What comes before a job."""

    jobs: int  # 0 = it has the device
    others: int  # of those, not asked for together with it
    seconds: float | None  # until it begins; None while nobody knows


class Line:
    """Jobs waiting for one device; the first has it."""

    def __init__(self) -> None:
        self._tickets: list[Ticket] = []
        self._served: dict[str, int] = {}  # who was first in line -> the round after that job's
        self._changed = threading.Condition()
        self.changes = 0  # grows whenever somebody comes or goes

    def join(
        self, who: str, run: object, seconds: Callable[[], float | None], engine: str = ""
    ) -> Ticket:
        """A place behind this round's others, and behind the user's own."""
        ticket = Ticket(who, run, seconds, engine)
        with self._changed:
            own = [other.round + 1 for other in self._tickets if other.who == who]
            ticket.round = max(self._round(), self._served.get(who, 0), *own)
            place = next((i for i, t in enumerate(self._tickets) if i and t.round > ticket.round), None)
            self._tickets.insert(len(self._tickets) if place is None else place, ticket)
            self._moved()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the place back, whether its turn had come or not."""
        with self._changed:
            if ticket in self._tickets:
                self._tickets.remove(ticket)
                self._moved()

    def _round(self) -> int:
        return self._tickets[0].round if self._tickets else 0

    def _moved(self) -> None:
        if self._tickets:
            first = self._tickets[0]
            self._served = {who: after for who, after in self._served.items() if after > first.round}
            self._served[first.who] = first.round + 1
        else:
            self._served.clear()
        self.changes += 1
        self._changed.notify_all()

    def length(self, who: str | None = None) -> int:
        """How many wait or work, of all or of one user."""
        with self._changed:
            return sum(who is None or ticket.who == who for ticket in self._tickets)

    def engines(self) -> list[str]:
        """Those of all jobs that wait or work, in their order."""
        with self._changed:
            return [ticket.engine for ticket in self._tickets]

    def ahead(self, ticket: Ticket) -> Ahead:
        """What comes before a ticket that is in line."""
        with self._changed:
            before = self._tickets[: self._tickets.index(ticket)]
        spent = [other.seconds() for other in before]
        known = [seconds for seconds in spent if seconds is not None]
        others = sum(other.run is not ticket.run for other in before)
        return Ahead(len(before), others, sum(known) if len(known) == len(spent) else None)

    def wait(self, ticket: Ticket, seconds: float) -> bool:
        """Whether the ticket's turn has come; waits for it at most `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._tickets[0] is ticket, seconds)
