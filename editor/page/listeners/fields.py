"""Fields of the bar and the panel: what is typed, chosen or ticked becomes a command of the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from editor.page.listeners.edits import apply_field
from editor.page.listeners.wiring import CHOSEN, EDITS, Listener, Telling, Updates
from editor.page.view import View
from editor.project import knobs
from editor.session import Session
from editor.sessions import Sessions
from engines.errors import InputError
from engines.requests import ARSettings, FMSettings
from engines.roster import ENGINES

ToPayload = Callable[[Any], dict[str, Any]]  # what stands in a field -> the fields of its command


class Fields:
    """Listeners of everything that the musician types into, turns or ticks."""

    def __init__(self, view: View, sessions: Sessions) -> None:
        self.view = view
        self.sessions = sessions

    def wire(self, telling: Telling) -> None:
        """Bind the listeners."""
        view, layout = self.view, self.view.layout
        # Gradio's `input` of a text field follows key presses only; leaving the field catches a paste.
        gr.on(
            [layout.prompt.input, layout.prompt.blur],
            telling(self.words),
            [layout.prompt, layout.meant],
            view.light,
            js="() => window.inlay.desk.typed.take()",
            **CHOSEN,
        )
        layout.follow.input(
            telling(self.lanes),
            [layout.follow, layout.meant],
            view.light,
            js="(lanes) => [lanes, window.inlay.desk.worded()]",
            **CHOSEN,
        )
        for field, command, payload in self._plain():
            events = [field.input]
            if isinstance(field, gr.Textbox):
                events = [field.input, field.blur]
            elif isinstance(field, gr.Number):
                events = [field.submit, field.blur]
            gr.on(events, telling(self.setter(command, payload)), field, view.light, **CHOSEN)
        layout.preset.input(telling(self.preset), layout.preset, view.everything, **CHOSEN)
        for box in layout.engines:
            box.input(telling(self.tick), layout.engines, view.light, **CHOSEN)
        layout.variations.input(
            telling(self.setter("set_variations", lambda value: {"count": int(value)})),
            layout.variations,
            view.light,
            **EDITS,
        )

    def _plain(self) -> list[tuple[Any, str, ToPayload]]:
        """The fields of one value: the field, its command, and how its value becomes the payload."""
        layout = self.view.layout
        return [
            (layout.name, "set_name", lambda value: {"name": value}),
            (layout.key, "set_key", lambda value: {"key": value}),
            (layout.signature, "set_grid", lambda value: {"beats_per_bar": int(value.split("/")[0])}),
            (layout.tempo, "set_grid", lambda value: {"bpm": value}),
            (layout.seed, "set_seed", lambda value: {"seed": value}),
            (layout.length, "set_length", lambda value: {"seconds": value}),
            *((knob, "set_settings", _under(name)) for name, knob in layout.knobs.items()),
        ]

    def setter(self, command: str, payload: ToPayload) -> Listener:
        """A listener that turns a control's value into a command; its error stands below the knobs."""

        def set_value(value: Any, request: gr.Request) -> Updates:
            return self._choose(request, command, payload(value), "knobs")

        return set_value

    def words(self, words: str | None, meant: str, request: gr.Request) -> Updates:
        """Words that were typed; None where they have come already, with a run."""
        if words is None:
            return {self.view.layout.prompt_error: gr.skip()}
        return self._choose(request, "set_prompt", {"prompt": words, "span": meant}, "prompt")

    def lanes(self, lanes: list[str], meant: str, request: gr.Request) -> Updates:
        """Lanes that were chosen to be followed."""
        return self._choose(request, "set_follow", {"lanes": lanes, "span": meant}, "knobs")

    def preset(self, name: str, request: gr.Request) -> Updates:
        """All knobs for a purpose."""
        session = self.sessions.of(request.session_hash)
        if name != knobs.CUSTOM:  # what is turned already is one's own
            try:
                session.apply("set_preset", {"name": name})
            except InputError as error:
                return self.view.shown(session, "knobs", str(error), takes=False)
        return self.view.shown(session, takes=False) | self.view.turned(session)

    def tick(self, request: gr.Request, *ticks: bool) -> Updates:
        """Engines that were ticked."""
        return self._choose(request, "set_engines", {"engines": ticked(*ticks)}, "knobs")

    def turn(self, session: Session, *values: Any) -> None:
        """What stands in the knobs, in their order, into the project; an empty one changes nothing."""
        session.apply("set_settings", dict(zip(self.view.layout.knobs, values, strict=True)))

    def resolved(self, session: Session) -> tuple[ARSettings, FMSettings]:
        """The knobs as the engines take them."""
        chosen = session.project.settings
        return knobs.for_engines(chosen, self.view.spec.zero_shot_with(chosen.solver))

    def _choose(self, request: gr.Request, command: str, payload: dict[str, Any], slot: str) -> Updates:
        session = self.sessions.of(request.session_hash)
        try:
            apply_field(session, command, payload)
        except InputError as error:
            return self.view.shown(session, slot, str(error), takes=False)
        return self.view.shown(session, takes=False)


def ticked(*ticks: bool) -> list[str]:
    """The names of the engines whose boxes are ticked, in the page's order."""
    return [spec.name for spec, tick in zip(ENGINES, ticks, strict=True) if tick]


def _under(knob: str) -> ToPayload:
    return lambda value: {knob: value}
