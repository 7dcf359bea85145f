"""The page of one server: its components, what they show, and the listeners of their events.

What an edit or a run does is in `session`, what the page looks like in `assets/page`.
"""

from __future__ import annotations

import gradio as gr

from editor.page.api import Api
from editor.page.layout import Layout
from editor.page.listeners.arrivals import Arrivals
from editor.page.listeners.edits import Edits
from editor.page.listeners.fields import Fields
from editor.page.listeners.follow import Follower
from editor.page.listeners.questions import questions
from editor.page.listeners.runs import Runs
from editor.page.model_card import model_card
from editor.page.view import View
from editor.runs.device import Device
from editor.sessions import Sessions


class Page:
    """One object a server; the state of tabs is in `Sessions`."""

    def __init__(self, device: Device, sessions: Sessions, listens: bool = True) -> None:
        """With `listens`, what is opened or generated is analysed by itself. InputError without a bundle."""
        self.device = device
        self.sessions = sessions
        sessions.listens = listens
        models = device.models()
        self.layout = Layout(models.spec, model_card(models))
        self.view = View(self.layout, device.pace)
        self.follower = Follower(self.view, sessions)
        self.edits = Edits(self.view, sessions)
        self.fields = Fields(self.view)
        self.arrivals = Arrivals(self.view, sessions, listens)
        listen = self.arrivals.listen_on
        self.runs = Runs(self.view, sessions, device, self.fields, self.follower.watching, listen)

    def build(self) -> gr.Blocks:
        """Make the blocks."""
        telling = self.follower.telling
        with gr.Blocks(title="Inlay", fill_width=True, analytics_enabled=False) as app:
            self.layout.place(questions(self.sessions, self.device))
            self.follower.wire(self.edits.wire(telling))
            self.arrivals.wire(telling)
            self.fields.wire()
            self.runs.wire(telling)
            app.unload(self._leave)
            Api(self.device).place()
        # With each word of an event Gradio's page goes through all components that could show how it goes,
        # and copies what they hold, the document too. We show that ourselves: one that holds next to nothing.
        for listener in app.fns.values():
            listener.show_progress_on = [self.layout.saved]
        return app

    def _leave(self, request: gr.Request) -> None:
        self.sessions.leave(request.session_hash)
