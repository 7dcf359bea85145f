"""The panel's knobs: what each is called, what it does in plain words, and its control.

A table, so that every knob that an engine offers has its place, its word and its tooltip. Values and bounds
are `settings`'. Knows no events.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from editor.project.document import Settings
from editor.project.knobs import CHOICES, CUSTOM, KNOBS, PRESETS

GROUPS = ("Every span", "FM and ZS", "AR", "Fix it and loop")  # under Advanced, in this order


@dataclass(frozen=True)
class Field:
    """A knob on the page."""

    name: str  # of `document.Settings`
    label: str
    tip: str  # what it does, for a musician
    group: str
    step: float = 1.0

    @property
    def id(self) -> str:
        """Name of its element on the page."""
        return self.name.replace("_", "-")


STRENGTH = Field(
    "strength", "Strength", "How much of the span is new. Less stays closer to what is there now", "", 0.05
)
FIELDS = (
    Field(
        "match",
        "Match surroundings",
        "How much of a difference in level and tone to what lies beside the span is taken away, 0 to 1",
        GROUPS[0],
        0.05,
    ),
    Field("crossfade", "Crossfade, s", "At most so long do old and new blend at a seam", GROUPS[0], 0.01),
    Field(
        "guidance",
        "Guidance",
        "How closely words and lanes are followed; empty is what the bundle measured best",
        GROUPS[0],
        0.1,
    ),
    Field(
        "text_guidance",
        "Words alone",
        "Further weight of the words without the lanes; needs a guidance of your own",
        GROUPS[0],
        0.1,
    ),
    Field("steps", "FM steps", "Steps of FM and ZS: more take longer, and are finer to about 50", GROUPS[1]),
    Field("solver", "FM solver", "The way of stepping: ab2 needs few, dopri5 is exact and slow", GROUPS[1]),
    Field("schedule", "FM schedule", "Where the steps lie: even, or sway with short ones first", GROUPS[1]),
    Field(
        "zero_shot",
        "ZS method",
        "How ZS agrees with the surroundings; search tries several and keeps the best",
        GROUPS[1],
    ),
    Field("budget", "ZS search budget", "Network evaluations that the search may spend", GROUPS[1]),
    Field(
        "fm_candidates",
        "FM candidates",
        "Fillings that FM makes from different beginnings; the one with the smoothest seams is taken",
        GROUPS[1],
    ),
    Field("candidates", "AR candidates", "Fillings that AR makes side by side; the best is taken", GROUPS[2]),
    Field("temperature", "AR temperature", "Higher surprises more, lower repeats more", GROUPS[2], 0.05),
    Field("top_k", "AR top-k (0 = off)", "AR chooses among so many of the likeliest sounds", GROUPS[2]),
    Field(
        "top_p",
        "AR top-p (0 = off)",
        "AR chooses among the likeliest sounds that together are so probable",
        GROUPS[2],
        0.05,
    ),
    Field("cooling", "AR cooling", "Calms the fine detail of AR's sound: 0 off, 0.9 much", GROUPS[2], 0.05),
    Field("patience", "Time for Fix it, s", "Seconds that Fix it may spend on trying engines", GROUPS[3]),
    Field("join", "Loop join, s", "Seconds around the join that Loop re-makes", GROUPS[3], 0.1),
)
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
TIPS = {**ACTIONS, **{field.id: field.tip for field in (STRENGTH, *FIELDS)}}


def build_strength() -> gr.Slider:
    """The slider of the strength."""
    knob = KNOBS["strength"]
    return gr.Slider(
        knob.low,
        knob.high,
        value=Settings().strength,
        step=STRENGTH.step,
        label=STRENGTH.label,
        elem_id=STRENGTH.id,
        buttons=[],
    )


def build_preset() -> gr.Dropdown:
    """The choice of a preset."""
    return gr.Dropdown(
        [*PRESETS, CUSTOM], value=next(iter(PRESETS)), label="Preset", filterable=False, elem_id="preset"
    )


def build_advanced() -> dict[str, gr.Component]:
    """The controls under Advanced, by the name of their knob."""
    made: dict[str, gr.Component] = {}
    for group in GROUPS:
        gr.HTML(f'<p class="title">{group}</p>', elem_classes="knob-group")
        with gr.Row(elem_classes="two"):
            for field in FIELDS:
                if field.group == group:
                    made[field.name] = _control(field)
    return made


def _control(field: Field) -> gr.Component:
    default = getattr(Settings(), field.name)
    if field.name in CHOICES:
        choices = [(choice or "bundle's", choice) for choice in CHOICES[field.name][1]]
        return gr.Dropdown(choices, value=default, label=field.label, filterable=False, elem_id=field.id)
    knob = KNOBS[field.name]
    return gr.Number(
        default,
        label=field.label,
        step=field.step,
        precision=0 if knob.whole else None,
        placeholder="bundle's" if knob.empty else None,
        elem_id=field.id,
    )
