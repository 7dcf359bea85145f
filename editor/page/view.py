"""What the page's components show of a session: the updates that listeners answer with.

Controls that the user types into are written only when the document changed under them (undo, open,
keep), never while the user types.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from editor.page.compare import estimate_words, status_markup
from editor.page.layout import Layout
from editor.project.document import Region
from editor.runs import settings
from editor.runs.pace import Pace
from editor.session import Session
from engines.requests import LONGEST_SECONDS
from engines.roster import ENGINES

if TYPE_CHECKING:
    from engines.checkpoints.shelf import BundleSpec  # loads torch


class Updates(Layout):
    """The components of the page, told what a session is like."""

    def __init__(self, spec: BundleSpec, pace: Pace, model: Mapping[str, Any]) -> None:
        super().__init__(spec, model)
        self.pace = pace
        self.window = float(spec.window_seconds)
        self.frame_rate = 25.0
        self.band_taken = spec.flow.band or spec.lm.band

    def _shown(
        self, session: Session, where: str = "", error: str = "", takes: bool = True
    ) -> dict[Any, Any]:
        """Updates of `light`. `where` is the slot in which an error stands."""
        project, region = session.project, session.project.region
        in_timeline = error if where == "timeline" else session.error
        document = session.document(self.window, self.frame_rate, self.band_taken)
        document.error = in_timeline or None
        limit = self._span_limit(region)
        ready = bool(project.clip and region) and not session.running and not limit
        updates: dict[Any, Any] = {
            self.timeline: document,
            self.takes: session.takes() if takes else gr.skip(),
            self.saved: f"<span>{session.saved}</span>",
            self.undo: gr.update(interactive=session.history.can_undo),
            self.redo: gr.update(interactive=session.history.can_redo),
            self.export: gr.update(interactive=project.clip is not None),
            self.span_error: _error(limit),
            self.prompt_error: _error(error) if where == "prompt" else "",
            self.knob_error: _error(error) if where == "knobs" else "",
            self.status: status_markup(
                session.runs, session.done, error if where == "run" else session.message
            ),
            self.inpaint: gr.update(
                value=f"Inpaint {region.start:.2f}–{region.end:.2f} s"
                if region and project.clip
                else "Inpaint",
                interactive=ready,
            ),
            self.auto: gr.update(interactive=ready),
            self.inpaint_all: self._together(session),
            self.generate: gr.update(value=f"Generate {project.length:g} s", interactive=not session.running),
            **dict.fromkeys(
                self.extend.values(),
                gr.update(interactive=project.clip is not None and not session.running),
            ),
            self.stop: gr.update(interactive=session.running),
            self.preset: settings.preset_of(project.settings),
            **self._hearing(session),
        }
        seconds = region.end - region.start if region else project.length
        for spec, box in zip(ENGINES, self.engines, strict=True):
            name = spec.name
            guess = self.pace.guess(name, "inpaint" if region else "generate", seconds)
            if guess and name != "ar":
                guess *= self._pieces(seconds, bool(region))
            updates[box] = gr.update(info=estimate_words(guess) if guess else " ")
        return updates

    def _hearing(self, session: Session) -> dict[Any, Any]:
        """Updates of what the page says of the analysis of the clip."""
        region, listened = session.project.region, session.listened
        going = listened is not None
        part = f"{region.start:.2f}–{region.end:.2f} s" if region else "clip"
        said = session.hearing if listened is None else f"Listening to the clip, {listened:.0%}"
        return {
            self.hearing: f'<p role="status">{html.escape(said)}</p>' if said else "",
            self.hear: gr.update(
                value="Stop listening" if going else f"Analyse {part}",
                interactive=session.project.clip is not None,
            ),
            self.replace: gr.update(visible=session.heard is not None and not going),
        }

    def _together(self, session: Session) -> Any:
        """The button for all spans at once, where there are several."""
        apart = session.project.apart
        if session.project.clip is None or len(apart) < 2:
            return gr.update(visible=False)
        limit = any(self._span_limit(region) for region in apart)
        return gr.update(
            value=f"Inpaint all {len(apart)} spans in one pass",
            visible=True,
            interactive=not session.running and not limit,
        )

    def _span_limit(self, region: Region | None) -> str:
        """Why a span cannot be re-made, told before a run."""
        if region is None or region.end - region.start <= LONGEST_SECONDS + 1e-6:
            return ""
        return (
            f"Span of {region.end - region.start:.1f} s: at most {LONGEST_SECONDS:g} s are made at once; "
            "make it shorter"
        )

    def _pieces(self, seconds: float, span: bool) -> int:
        """Windows that the models work on, one after the other, for what is longer than one."""
        from engines.filling.edits import PIECE_SECONDS
        from engines.support import CONTEXT_SECONDS  # loads torch

        fits = self.window - CONTEXT_SECONDS if span else self.window
        return 1 if seconds <= fits + 1e-6 else math.ceil(seconds / min(PIECE_SECONDS, self.window / 2))

    def _all(self, session: Session, where: str = "", error: str = "") -> dict[Any, Any]:
        """Updates of everything."""
        updates = self._shown(session, where, error)
        standing = self._standing(session)
        for box in self.engines:
            standing[box] = gr.update(value=standing[box], info=updates[box]["info"])
        return updates | standing

    def _standing(self, session: Session) -> dict[Any, Any]:
        """Values of all that the user types into or ticks."""
        project = session.project
        return {
            self.name: project.name,
            self.tempo: project.grid.bpm,
            self.signature: f"{project.grid.beats_per_bar}/4",
            self.key: project.key,
            self.prompt: project.span_prompt,
            self.follow: list(project.span_follow),
            self.variations: str(project.variations),
            self.seed: project.seed,
            self.length: project.length,
            **self._turned(session),
            **{box: spec.name in project.engines for spec, box in zip(ENGINES, self.engines, strict=True)},
        }

    def _typed(self, session: Session) -> dict[Any, Any]:
        """Values of the fields that a gesture on the timeline may change."""
        project = session.project
        return {
            self.prompt: project.span_prompt,
            self.follow: list(project.span_follow),
            self.tempo: project.grid.bpm,
            self.signature: f"{project.grid.beats_per_bar}/4",
            self.key: project.key,
            self.seed: project.seed,
            **self._turned(session),
        }

    def _turned(self, session: Session) -> dict[Any, Any]:
        """Values of the knobs."""
        return {knob: getattr(session.project.settings, name) for name, knob in self.knobs.items()}

    def _going(self, session: Session) -> dict[Any, Any]:
        """Updates of what a report changes."""
        return {
            self.takes: session.takes(),
            self.status: status_markup(session.runs, session.done, session.message),
        }


def _error(message: str, remedy: str = "") -> str:
    if not message:
        return ""
    words = html.escape(message[:1].upper() + message[1:])
    return f'<div class="place-error" role="alert"><span>{words} {remedy}</span></div>'
