"""The panel's knobs: the control of each, and the tooltips of the page.

What a knob is, its word and its tip stand at its field (`knobs.PANEL`). Knows no events.
"""

from __future__ import annotations

import gradio as gr

from editor.page.shown import Markup, Shown
from editor.project.document import Settings
from editor.project.knobs import BY_KNOB, CUSTOM, GROUPS, PANEL, PRESETS, PanelKnob

BUNDLES = "As the model likes"  # stands for a knob that is left to the bundle
# Under Advanced a knob and its choices have a plain word; the expert's stands behind it: in the tooltip,
# of a choice in brackets. The command line has the expert's alone.
PLAIN = {
    "crossfade": "Blend at the edges",
    "match": "Match what is around",
    "guidance": "Keep to words and lanes",
    "text_guidance": "Words over lanes",
    "solver": "Way of stepping",
    "steps": "Steps",
    "schedule": "Where the steps lie",
    "zero_shot": "How ZS fits in",
    "budget": "Effort of ZS",
    "fm_candidates": "Tries of FM",
    "lane_guidance": "Lanes steer the sound",
    "temperature": "Surprise",
    "top_k": "Choose among",
    "top_p": "Likeliest share",
    "cooling": "Calm the detail",
    "candidates": "Tries of AR",
    "weights": "Large models",
    "patience": "Time for Fix it",
    "join": "Length of a loop's join",
}
CHOICES = {
    "ab2": "Few steps, quick",
    "euler": "Plain",
    "midpoint": "Twice as careful",
    "dopri5": "Exact, slow",
    "ping-pong": "Fresh noise each step",
    "uniform": "Even",
    "sway": "Short ones first",
    "shift": "Most of them first",
    "log-snr": "Short ones first and last",
    "search": "Try several",
    "replacement": "Put back the known",
    "inversion": "Trace it back",
    "resampling": "Go back and forth",
    "guided": "Pull towards it",
    "fast": "Fast",
    "exact": "Exact, slow",
}
ACTIONS = {  # element -> what it does, with its key
    "inpaint-all": "Re-make all spans with the clip's words and lanes; a take holds all of them (⇧A)",
    "inpaint": "Re-make the span with every ticked engine (Ctrl ↵)",
    "auto": "Tries until seams and wish are right, within the time that is set for it (⇧F)",
    "generate": "A new clip from the words and lanes (Ctrl ⇧↵)",
    "continue": "Go on after the end of the clip (Ctrl Alt ↵)",
    "intro": "Something that leads into the clip (Ctrl Alt ⇧↵)",
    "make-loop": "Re-make the join of end and beginning, so that the clip repeats unheard (⇧L)",
    "cancel": "Stop what works and all that waits (Ctrl .)",
    "length": "Seconds that Generate makes, and that Continue and Intro add",
    "variations": "Takes that each engine makes at a click",
    "seed": "The same seed with the same settings makes the same take",
    "preset": "Knobs for a purpose: what you choose sets all of those below and the strength",
    "follow": "Lanes that the engines are told",
}
TIPS = {
    **ACTIONS,
    **{
        one.id: f"{one.knob.tip}. Experts call it: {one.knob.label}" if one.name in PLAIN else one.knob.tip
        for one in PANEL
    },
}


def build_strength() -> gr.Slider:
    """The slider of the strength."""
    one = BY_KNOB["strength"]
    knob = one.knob
    return gr.Slider(
        knob.step,  # the steps that a browser counts from here end at 1
        knob.high,
        value=Settings().strength,
        step=knob.step,
        label=_label(one),
        elem_id=one.id,
        buttons=[],
    )


def build_preset() -> gr.Dropdown:
    """The choice of a preset."""
    return gr.Dropdown(
        [*PRESETS, CUSTOM], value=next(iter(PRESETS)), label="Preset", filterable=False, elem_id="preset"
    )


def build_advanced() -> dict[str, gr.Component]:
    """The controls under Advanced, by the name of their knob."""
    controls: dict[str, gr.Component] = {}
    for group in GROUPS:
        Shown(Markup('<p class="title">{}</p>').format(group), elem_classes="knob-group")
        with gr.Row(elem_classes="two"):
            for one in PANEL:
                if one.group == group:
                    controls[one.name] = _control(one)
    return controls


def _control(one: PanelKnob) -> gr.Component:
    knob, default = one.knob, getattr(Settings(), one.name)
    if knob.choices:
        choices = [(f"{CHOICES[name]} ({name})" if name in CHOICES else name, name) for name in knob.choices]
        if one.empty is not ...:
            choices.insert(0, (BUNDLES, one.empty))
        return gr.Dropdown(choices, value=default, label=_label(one), filterable=False, elem_id=one.id)
    return gr.Number(
        default,
        interactive=True,
        label=_label(one),
        step=knob.step,
        precision=0 if knob.whole else None,
        placeholder=BUNDLES if one.empty is None else None,
        elem_id=one.id,
    )


def _label(one: PanelKnob) -> str:
    """What a knob is called on the page, with its unit."""
    knob = one.knob
    unit = f",{knob.unit}" if knob.unit else ""
    label = PLAIN.get(one.name, knob.label)
    return f"{label[:1].upper()}{label[1:]}{unit}"
