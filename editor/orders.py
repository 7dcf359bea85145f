"""What a session's runs are asked to do: of the document as it is, or of a take once more. Knows no page."""

from __future__ import annotations

from collections.abc import Sequence

from editor.project import versions
from editor.project.disk.saved import SavedProject
from editor.project.document import Project, Sound
from editor.runs import asking
from editor.runs.active import ActiveRun
from editor.runs.job import About, Job, Kind, with_seed
from engines.errors import InputError
from engines.requests import ARSettings, FMSettings

Order = tuple[tuple[Job, ...], Sound | None]  # what a run does, and the clip that it works on


class Orders:
    """A project and a run, and what the next one would do."""

    saved: SavedProject
    run: ActiveRun

    @property
    def project(self) -> Project:
        """The project now."""
        return self.saved.project

    def order(
        self,
        kind: Kind,
        ar: ARSettings,
        fm: FMSettings,
        engines: Sequence[str] | None = None,
        together: bool = False,
        about: About | None = None,
    ) -> Order:
        """What a run of some kind asks of the engines, and the clip that it works on, of one document."""
        project = self.project  # reading a long file takes a while, in which the document may change
        jobs = asking.requests_for(project, self.saved.make_folder(), kind, engines, ar, fm, together, about)
        return jobs, project.clip.sound if kind != "generate" and project.clip else None

    def order_again(self, take_id: str) -> Order:
        """The request of a take with its own seed and settings, and the lanes as they are now."""
        project = self.project
        take = versions.find_take(project, take_id)
        return (asking.repeat(project, take, self.saved.make_folder()),), take.source

    def order_another_seed(self, take_id: str) -> Order:
        """The request of a take with the next free seed, and the clip that it works on."""
        project = self.project
        take = versions.find_take(project, take_id)
        return (asking.vary(project, take, self.saved.make_folder()),), take.source

    def order_retry(self, run_id: str, ar: ARSettings, fm: FMSettings) -> Order:
        """The request of a run that failed or was cancelled, with the settings and the document of now."""
        track = self.run.find(run_id)
        if track is None:
            raise InputError(f"run {run_id[:40]!r}: no longer there; press Inpaint or Generate")
        jobs, source = self.order(track.kind, ar, fm, [track.engine], bool(track.spans), track.about)
        if track.state == "interrupted":
            self.run.forget(track)
        return (with_seed(jobs[0], track.seed),), source
