"""Fields of the bar and the panel: what is chosen or ticked becomes a command of the document."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from editor.page.listeners.wiring import QUIET
from editor.page.view import View
from editor.project import knobs
from editor.session import Session
from engines.requests import ARSettings, FMSettings
from engines.roster import ENGINES


class Fields:
    """Everything that the musician turns or ticks; what is typed the page notes itself (`shell/typing.js`).

    A field sends nothing on its own: what was chosen goes the way of all gestures, in the order of the hand.
    """

    def __init__(self, view: View) -> None:
        self.view = view

    def wire(self) -> None:
        """Bind the listeners, which stay in the browser."""
        layout = self.view.layout
        self._bind(layout.follow, "set_follow", "{ lanes: value, span: window.inlay.desk.worded() }")
        self._bind(layout.key, "set_key", "{ key: value }")
        self._bind(layout.signature, "set_grid", "{ beats_per_bar: Number(value.split('/')[0]) }")
        self._bind(layout.variations, "set_variations", "{ count: Number(value) }")
        # What is turned already is one's own.
        self._bind(layout.preset, "set_preset", f"value !== {json.dumps(knobs.CUSTOM)} && {{ name: value }}")
        for name, knob in layout.knobs.items():
            if not isinstance(knob, gr.Number):
                self._bind(knob, "set_settings", f"{{ {name}: value }}")
        names = json.dumps([spec.name for spec in ENGINES])
        ticked = f"{{ engines: {names}.filter((_, i) => ticks[i]) }}"
        for box in layout.engines:
            js = f"(...ticks) => window.inlay.choose('set_engines', {ticked})"
            box.input(None, layout.engines, None, js=js, **QUIET)

    def _bind(self, field: Any, command: str, payload: str) -> None:
        """`payload`: JavaScript that makes it of the field's `value`; false where there is nothing to do."""
        js = f"(value) => window.inlay.choose('{command}', {payload})"
        field.input(None, field, None, js=js, **QUIET)

    def resolved(self, session: Session) -> tuple[ARSettings, FMSettings]:
        """The knobs as the engines take them."""
        chosen = session.project.settings
        flow = self.view.serving(session).of("fm")
        return knobs.for_engines(chosen, flow.zero_shot_with(chosen.solver))
