"""The components of the page, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from editor.page import panel
from editor.page.contract import COMMANDS
from editor.page.shown import Markup, Shown
from editor.page.takes.component import Takes
from editor.page.takes.words import status_markup
from editor.page.timeline import MODULES, Timeline
from editor.project.commands import MAX_VARIATIONS
from editor.project.harmony import KEYS
from editor.project.lanes import LANE_NAMES
from editor.runs.job import Kind
from engines.analysis import chordino
from engines.assets import ASSETS
from engines.music import chords
from engines.roster import ENGINES

if TYPE_CHECKING:
    from engines.families.shape import Spec

SIGNATURES = ("2/4", "3/4", "4/4", "5/4", "6/4", "7/4")
BRAND = Markup("""<h1><button id="mark" class="mark" title="About Inlay, and a short guide (H)">
<svg width="22" height="18" viewBox="0 0 22 18" aria-hidden="true">
<g fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round">
<path d="M1.3 8.2v1.6M5.8 5.2v7.6M14.8 5.2v7.6M19.3 8.2v1.6"/></g>
<rect x="9" y="1" width="2.5" height="16" rx="1.2" fill="var(--span)"/></svg>Inlay</button></h1>""")


class Layout:
    """The controls of a page for one bundle, as attributes."""

    def __init__(self, spec: Spec, model: Mapping[str, Any]) -> None:
        """`model` is what the page says of the models (`model_card`)."""
        self.spec = spec
        self.model = model

    def place(self, functions: Iterable[Callable[..., Any]]) -> None:
        """Put the components into the open block; `functions` are what the page may ask without an event."""
        # The modules are plain files that the page imports; Gradio serves what is declared static.
        gr.set_static_paths([MODULES, ASSETS / "fonts", ASSETS / "examples"])
        with gr.Column(elem_id="page"):
            self._bar()
            with gr.Column(elem_id="stage"):
                self.timeline = Timeline(
                    vocabulary=chords.VOCABULARY,
                    merging=[name for name, command in COMMANDS.items() if command.merges],
                    tips=panel.TIPS,
                    engines=[spec.to_json() for spec in ENGINES],
                    model=self.model,
                    elem_id="timeline",
                )
                self.takes = Takes(elem_id="takes", server_functions=[*functions])
            with gr.Column(elem_id="panel"):
                self._knobs()
                self._foot()

    def _bar(self) -> None:
        with gr.Row(elem_id="bar"):
            Shown(BRAND, elem_id="brand")
            self.name = gr.Textbox(
                "Untitled",
                interactive=True,  # as all that is typed into: Gradio knows nothing that it would send
                container=False,
                elem_id="name",
                max_lines=1,
                label="Project name",
                max_length=100,
            )
            self.saved = Shown("", elem_id="saved")
            gr.Radio(
                ["Edit", "Listen", "Blind test"],
                value="Edit",
                interactive=True,
                container=False,
                elem_id="view",
                elem_classes="seg",
                label="View",
            )
            Shown("", elem_classes="grow")
            self.tempo = gr.Number(
                120, interactive=True, container=False, elem_id="tempo", label="Tempo, bpm"
            )
            gr.Button("Tap", elem_id="tap")
            self.signature = gr.Dropdown(
                SIGNATURES,
                value="4/4",
                container=False,
                elem_id="signature",
                label="Time signature",
                filterable=False,
            )
            self.key = gr.Dropdown(
                list(KEYS), value="C major", container=False, elem_id="key", label="Key", filterable=False
            )
            self.undo = gr.Button("Undo", elem_id="undo", interactive=False)
            self.redo = gr.Button("Redo", elem_id="redo", interactive=False)
            self.export = gr.Button("Export", elem_id="export", interactive=False)
            gr.Button("Settings", elem_id="drawer")  # only where the panel has no room beside the lanes
            gr.Button("Light or dark", elem_id="theme")
            gr.Button("Projects", elem_id="project")

    def _knobs(self) -> None:
        with gr.Column(elem_id="knobs"):
            with gr.Column(elem_id="span-box"):
                Shown(Markup("<inlay-spans></inlay-spans>"))  # any number of rows, and no wait for the server
                self.span_error = Shown("", elem_classes="error-slot")
            Shown(Markup("<inlay-take></inlay-take>"), elem_id="take")  # on a phone, without cards
            with gr.Column(elem_id="prompt-box"):
                self.prompt = gr.Textbox(
                    "",
                    interactive=True,
                    label="Words",
                    show_label=False,  # <inlay-spans> names it, for the clip or for one span
                    lines=1,
                    max_lines=6,
                    elem_id="prompt",
                    placeholder="Describe it: warm electric piano, brushed drums, upright bass",
                )
                # The page fills in the number of a click that is a turn of the hand, as gestures have (TURN).
                self.turn = gr.Number(0, precision=0, visible=False)
                Shown(Markup("<inlay-words></inlay-words>"), elem_id="words")
                self.prompt_error = Shown("", elem_classes="error-slot")
            with gr.Column(elem_id="follow-box"):
                self.follow = gr.CheckboxGroup(
                    [(name.capitalize(), name) for name in LANE_NAMES],
                    value=["chords"],
                    label="Follow the lanes",
                    elem_id="follow",
                    elem_classes="chips",
                )
                Shown(Markup("<inlay-note></inlay-note>"), elem_id="note")
                self.hear = gr.Button("Analyse clip", elem_id="hear", interactive=False)
                self.hearing = Shown("", elem_id="hearing")
                self.replace = gr.Button("Replace mine", elem_id="replace-lanes", visible=False)
            with gr.Column(elem_id="engines"):
                Shown(Markup('<div class="line"><span>Engines</span><inlay-model></inlay-model></div>'))
                self.engines = [
                    gr.Checkbox(
                        True,
                        label=spec.words,
                        info=" ",
                        container=False,
                        elem_classes=["eng", f"eng-{spec.colour}"],
                        elem_id=f"engine-{spec.name}",
                    )
                    for spec in ENGINES
                ]
                Shown(Markup("<inlay-parts hidden></inlay-parts>"), elem_id="parts")
            with gr.Row(elem_id="make", elem_classes="two"):
                self.variations = gr.Radio(
                    [str(count) for count in range(1, MAX_VARIATIONS + 1)],
                    value="1",
                    interactive=True,
                    label="Variations",
                    elem_id="variations",
                    elem_classes="seg",
                )
                self.seed = gr.Number(0, interactive=True, label="Seed", precision=0, elem_id="seed")
                self.length = gr.Number(10, interactive=True, label="Length, s", elem_id="length")
            self.knobs: dict[str, gr.Component] = {"strength": panel.build_strength()}
            self.knob_error = Shown("", elem_classes="error-slot")
            with gr.Accordion("Advanced", open=False, elem_id="advanced"):
                self._advanced()

    def _advanced(self) -> None:
        self.preset = panel.build_preset()
        self.knobs |= panel.build_advanced()
        Shown(self._about(), elem_id="about")

    def _about(self) -> Markup:
        licence = self.spec.licence or "not stated"
        bundle = Markup("<p>Bundle <b>{}</b>, licence {}</p>").format(self.spec.name, licence)
        return bundle + Markup("<p>{}</p>").format(chordino.notice())

    def _foot(self) -> None:
        with gr.Column(elem_id="foot"):
            with gr.Row(elem_id="status-row"):
                self.status = Shown(status_markup((), ()), elem_id="status")
                self.stop = gr.Button("Cancel all", elem_id="cancel", interactive=False)
            Shown(Markup("<inlay-intent></inlay-intent>"), elem_id="intent")
            with gr.Row(elem_id="span-row"):
                self.inpaint = gr.Button("Inpaint", elem_id="inpaint", interactive=False)
                self.auto = gr.Button("Fix it", elem_id="auto", interactive=False)
            self.inpaint_all = gr.Button("Inpaint all spans", elem_id="inpaint-all", visible=False)
            with gr.Row(elem_id="foot-row"):
                self.generate = gr.Button("Generate", elem_id="generate")
                self.extend: dict[Kind, gr.Button] = {
                    "continue": gr.Button("Continue", elem_id="continue", interactive=False),
                    "intro": gr.Button("Intro", elem_id="intro", interactive=False),
                    "loop": gr.Button("Loop", elem_id="make-loop", interactive=False),
                }

    @property
    def light(self) -> list[gr.Component]:
        """What may change with any event."""
        return [
            self.timeline,
            self.takes,
            self.saved,
            self.undo,
            self.redo,
            self.export,
            self.span_error,
            self.prompt_error,
            self.knob_error,
            self.hearing,
            self.hear,
            self.replace,
            self.status,
            self.inpaint,
            self.auto,
            self.inpaint_all,
            self.generate,
            *self.extend.values(),
            self.stop,
            self.preset,
            *self.engines,
        ]

    @property
    def written(self) -> set[gr.Component]:
        """What only the server writes: words and buttons, unlike documents and what one types or ticks."""
        return {*self.light} - {self.timeline, self.takes, self.preset, *self.engines}

    @property
    def fields(self) -> list[gr.Component]:
        """What the user types into; written only when the document changed under it."""
        return [
            self.name,
            self.tempo,
            self.signature,
            self.key,
            self.prompt,
            self.follow,
            self.variations,
            self.seed,
            self.length,
            *self.knobs.values(),
        ]
