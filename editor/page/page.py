"""The page of one server: its components, what they show, and the listeners of their events.

What an edit or a run does is in `session`, what the page looks like in `assets/page`.
"""

from __future__ import annotations

import gradio as gr

from editor.doors.ears import Ears
from editor.homes import Homes
from editor.page.api import Api
from editor.page.layout import Layout
from editor.page.listeners.arrivals import Arrivals
from editor.page.listeners.edits import Edits
from editor.page.listeners.fields import Fields
from editor.page.listeners.follow import Follower
from editor.page.listeners.questions import questions
from editor.page.listeners.runs import Runs
from editor.page.model_card import model_card
from editor.page.models.downloads import Downloads
from editor.page.models.sheet import Sheet
from editor.page.seats import Seats
from editor.page.view import View
from editor.runs.device import Device

UNUSED = (3600, 24 * 3600)  # seconds: how often temporary files are looked at, and how old one gets


class Page:
    """One object a server; the state of tabs is in the `Sessions` of its homes."""

    def __init__(self, device: Device, homes: Homes, listens: bool = True, ears: Ears | None = None) -> None:
        """With `listens`, what is opened or generated is analysed by itself. `ears` know which tabs and
        calls somebody listens to; without them nobody asks. InputError without a bundle."""
        self.device = device
        self.ears = ears
        self.homes = homes
        self.downloads = Downloads()
        self.seats = seats = Seats(homes)
        homes.listens = listens
        bundle = device.bundle
        self.layout = Layout(bundle.spec, model_card(bundle))
        self.view = View(self.layout, device.pace, bundle)
        self.follower = Follower(self.view, seats)
        self.edits = Edits(self.view, seats)
        self.fields = Fields(self.view)
        self.arrivals = Arrivals(self.view, seats, listens)
        listen = self.arrivals.listen_on
        self.runs = Runs(self.view, seats, device, self.fields, self.follower.watching, listen, ears)

    def build(self) -> gr.Blocks:
        """Make the blocks."""
        telling = self.follower.telling
        with gr.Blocks(title="Inlay", fill_width=True, analytics_enabled=False, delete_cache=UNUSED) as app:
            models = Sheet(self.device, self.downloads, self.device.named).functions()
            self.layout.place((*questions(self.seats, self.device), *models))
            self.follower.wire(self.edits.wire(telling))
            self.arrivals.wire(telling, self.edits.lines)
            self.fields.wire()
            self.runs.wire(telling)
            app.unload(self._leave)
            Api(self.device, self.ears, app).place()
        # With each word of an event Gradio's page goes through all components that could show how it goes,
        # and copies what they hold, the document too. We show that ourselves: one that holds next to nothing.
        for listener in app.fns.values():
            listener.show_progress_on = [self.layout.saved]
        return app

    def _leave(self, request: gr.Request) -> None:
        self.seats.sessions(request).leave(request.session_hash)
