"""What the page's components show of a session: the updates that listeners answer with.

Controls that the user types into are written only when the document changed under them (undo, open,
keep), never while the user types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from editor.doors.files import address
from editor.page.layout import Layout
from editor.page.models.serving import Serving, checkpoint_in, delivered, serving
from editor.page.shown import Markup
from editor.page.state import ClipState, EditorState, editor_state
from editor.page.takes.groups import takes_state
from editor.page.takes.previews import playable
from editor.page.takes.words import status_markup
from editor.project import knobs
from editor.project.document import Region
from editor.runs.pace import Pace, at_work_on
from editor.runs.track import estimate_words
from editor.session import Session
from engines.checkpoints.found import Checkpoint
from engines.errors import InputError
from engines.requests import LONGEST_SECONDS
from engines.roster import ENGINES

SEEN_SENT = 40  # ids of edits that a document tells the page of


class View:
    """The components of the page, told what a session is like."""

    def __init__(self, layout: Layout, pace: Pace, bundle: Checkpoint) -> None:
        self.layout = layout
        self.bundle = bundle
        self.pace = pace
        pace.window = float(bundle.spec.window_seconds)

    @property
    def light(self) -> list[gr.Component]:
        """The components that may change with any event."""
        return self.layout.light

    @property
    def everything(self) -> list[gr.Component]:
        """All components whose values the server knows."""
        return self.layout.light + self.layout.fields

    def document(self, session: Session) -> EditorState:
        """The document for the page."""
        return document_state(session, self.serving(session))

    def serving(self, session: Session) -> Serving:
        """What serves a session's project."""
        return serving(session.project, self.bundle)

    def shown(self, session: Session, where: str = "", error: str = "", takes: bool = True) -> dict[Any, Any]:
        """Updates of `light`. `where` is the slot in which an error stands."""
        project, region = session.project, session.project.region
        document = self.document(session)
        document.error = (error if where == "timeline" else "") or document.error
        limit = self._span_limit(region)
        idle = not session.run.running
        ready = bool(project.clip and region) and idle and not limit
        updates: dict[Any, Any] = {
            self.layout.timeline: document,
            self.layout.takes: takes_state(session) if takes else gr.skip(),
            self.layout.saved: Markup("<span>{}</span>").format(session.saved.words),
            self.layout.undo: gr.update(interactive=session.history.can_undo),
            self.layout.redo: gr.update(interactive=session.history.can_redo),
            self.layout.export: gr.update(interactive=project.clip is not None),
            self.layout.span_error: _error(limit),
            self.layout.prompt_error: _error(error) if where == "prompt" else "",
            self.layout.knob_error: _error(error) if where == "knobs" else "",
            self.layout.status: status_markup(
                session.run.tracks, session.run.takes, error if where == "run" else session.run.message
            ),
            self.layout.inpaint: gr.update(
                value=f"Inpaint {region.start:.2f}–{region.end:.2f} s"
                if region and project.clip
                else "Inpaint",
                interactive=ready,
            ),
            self.layout.auto: gr.update(interactive=ready),
            self.layout.inpaint_all: self._together(session),
            self.layout.generate: gr.update(
                value=f"Generate {project.length:g} s", interactive=not session.run.running
            ),
            **dict.fromkeys(
                self.layout.extend.values(),
                gr.update(interactive=project.clip is not None and idle),
            ),
            self.layout.stop: gr.update(interactive=session.run.running),
            self.layout.preset: knobs.preset_of(project.settings, delivered(project.settings)),
            **self.analysis(session),
        }
        seconds = region.end - region.start if region else project.length
        serves = self.serving(session)
        for spec, box in zip(ENGINES, self.layout.engines, strict=True):
            worker = at_work_on(spec.name, checkpoint_in(project.settings, spec.name))
            guess = self.pace.guess(worker, "inpaint" if region else "generate", seconds)
            missing = serves.missing(spec.name)
            words = f"not with {missing}" if missing else estimate_words(guess) if guess else " "
            updates[box] = gr.update(info=words, interactive=not missing)
        return updates

    def analysis(self, session: Session) -> dict[Any, Any]:
        """Updates of what the page says of the analysis of the clip."""
        region, share = session.project.region, session.analysis.share
        going = share is not None
        part = f"{region.start:.2f}–{region.end:.2f} s" if region else "clip"
        words = session.analysis.words if share is None else f"Listening to the clip, {share:.0%}"
        return {
            self.layout.hearing: Markup('<p role="status">{}</p>').format(words) if words else "",
            self.layout.hear: gr.update(
                value="Stop listening" if going else f"Analyse {part}",
                interactive=session.project.clip is not None,
            ),
            self.layout.replace: gr.update(visible=session.analysis.waiting is not None and not going),
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
            interactive=not session.run.running and not limit,
        )

    def _span_limit(self, region: Region | None) -> str:
        """Why a span cannot be re-made, told before a run."""
        if region is None or region.end - region.start <= LONGEST_SECONDS + 1e-6:
            return ""
        return (
            f"Span of {region.end - region.start:.1f} s: at most {LONGEST_SECONDS:g} s are made at once; "
            "make it shorter"
        )

    def all(self, session: Session, where: str = "", error: str = "") -> dict[Any, Any]:
        """Updates of everything."""
        updates = self.shown(session, where, error)
        return self.changed(session, dict.fromkeys(self.standing(session), ...), updates)

    def standing(self, session: Session) -> dict[Any, Any]:
        """Values of all that the user types into or ticks."""
        project = session.project
        return {
            self.layout.name: project.name,
            self.layout.tempo: project.grid.bpm,
            self.layout.signature: f"{project.grid.beats_per_bar}/4",
            self.layout.key: project.key,
            self.layout.prompt: project.span_prompt,
            self.layout.follow: list(project.span_follow),
            self.layout.variations: str(project.variations),
            self.layout.seed: project.seed,
            self.layout.length: project.length,
            **self.turned(session),
            **{
                box: spec.name in project.engines
                for spec, box in zip(ENGINES, self.layout.engines, strict=True)
            },
        }

    def changed(self, session: Session, before: Mapping[Any, Any], updates: dict[Any, Any]) -> dict[Any, Any]:
        """The `updates` with the fields that are not as they stood `before`; others are left to who types."""
        for field, value in self.standing(session).items():
            if value != before[field]:
                known = updates.get(field)
                updates[field] = {**known, "value": value} if isinstance(known, dict) else value
        return updates

    def turned(self, session: Session) -> dict[Any, Any]:
        """Values of the knobs."""
        return {knob: getattr(session.project.settings, name) for name, knob in self.layout.knobs.items()}

    def going(self, session: Session) -> dict[Any, Any]:
        """Updates of what a report changes."""
        return {
            self.layout.takes: takes_state(session),
            self.layout.status: status_markup(session.run.tracks, session.run.takes, session.run.message),
        }


def _error(message: str) -> str:
    if not message:
        return ""
    markup = Markup('<div class="place-error" role="alert"><span>{}</span></div>')
    return markup.format(message[:1].upper() + message[1:])


def document_state(session: Session, serves: Serving) -> EditorState:
    """A session's document for the page, and what serves it."""
    revs, changes = dict(session.revs), session.changes  # read first: what comes meanwhile is told again
    project, clip, history = session.project, None, session.history
    error = session.error
    if project.clip and session.folder:
        clip = ClipState(url="", seconds=project.clip.seconds, label=project.clip.label)
        try:
            clip.url = address(session.folder, playable(session.folder, project.clip.sound))
        except InputError as silent:  # a damaged file, a full disk: all but the sound is there
            error = error or str(silent)
    return editor_state(
        project,
        changes=changes,
        project=session.folder.name if session.folder else "",
        clip=clip,
        error=error,
        past=len(history.past),
        future=len(history.future),
        undo=history.undo_label,
        redo=history.redo_label,
        held=session.held,
        arrived=session.arrived,
        seen=list(session.saved.seen[-SEEN_SENT:]),
        window=serves.window,
        frame_rate=serves.frame_rate,
        untaken=serves.untaken,
        tasks=list(serves.tasks),
        stems=list(serves.stems),
        bandHearing=session.analysis.share,
        bandUnsure=project.clip is not None and session.analysis.unsure == project.clip.sound,
    ).holding(revs)
