"""What steering by lanes does for a flow that takes none: `python -m study.measure.steering`.

The embedded bundle's FM with its lanes hidden stands for a network that has none. Spans of clips are changed,
each by other chords, another melody or a drum pattern, drawn by a fixed seed; what came of it is what the
cards say, so the listener has also chosen between two candidates. Beside it, the same with a strength of 0
(the lanes reach the filling by what it begins from alone), and the network that takes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engines import dispatch
from engines.assets import ASSETS
from engines.audio.recording import Recording, read_recording
from engines.checkpoints.shelf import Models, open_bundle
from engines.families.inlay import spec_within
from engines.families.shape import ALL_LANES, Network
from engines.filling.untaken import STEERING
from engines.requests import Change, Chord, Controls, FMSettings, Hit, InpaintRequest, Note

SECONDS = 2.4  # of a span
PITCHES = (60, 62, 63, 65, 66, 68, 70)
CHORDS = ("C", "Dm", "F#", "Ab", "Bbm", "E", "G")


class Hidden:
    """A spec that takes no lanes, all else as another's."""

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spec, name)

    def untaken(self, network: Network) -> tuple[str, ...]:
        """All fields of `Controls`."""
        return ALL_LANES


@dataclass(frozen=True)
class Row:
    """Means over the spans."""

    agreement: float  # 0..1, of what was asked
    seam: float  # 0..1, the rougher one
    sampling: float  # seconds

    @property
    def words(self) -> str:
        """As in the table."""
        return f"{self.agreement:.2f} | {self.seam:.2f} | {self.sampling:.1f}"


def asked(lane: Change, start: float, rng: np.random.Generator) -> Controls:
    """Two chords, four notes or eight hits over SECONDS from `start` seconds on."""
    if lane == "chords":
        names, half = rng.choice(CHORDS, 2, replace=False), SECONDS / 2
        return Controls(
            tuple(Chord(start + i * half, start + (i + 1) * half, str(s)) for i, s in enumerate(names))
        )
    if lane == "melody":
        pitches, part = rng.choice(PITCHES, 4, replace=False), SECONDS / 4
        line = (Note(start + i * part, start + (i + 1) * part, int(p)) for i, p in enumerate(pitches))
        return Controls(melody=tuple(line))
    drums = ("kick", "hat", "snare", "hat") * 2
    return Controls(drums=tuple(Hit(start + i * SECONDS / 8, drum) for i, drum in enumerate(drums)))


def measured(models: Models, clips: Sequence[Recording], lane: Change, strength: float) -> Row:
    """Every clip with its middle changed by a lane."""
    rng, found = np.random.default_rng(0), []
    for clip in clips:
        start = max(1.0, clip.seconds / 2 - SECONDS / 2)
        request = InpaintRequest(
            "fm", clip, start, start + SECONDS, controls=asked(lane, start, rng),
            intent="change", changed=(lane,),
            fm=FMSettings(candidates=2, seeded=2, lane_guidance=strength),
        )  # fmt: skip
        made = dispatch.run(request, models)
        wish = next(one.share for one in made.wishes if one.kind == lane)
        found.append((wish, max(seam.score for seam in made.seams), made.timings["sample"]))
    agreement, seam, spent = np.mean(found, axis=0)
    return Row(float(agreement), float(seam), float(spent))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--clips", type=Path, default=ASSETS / "examples", help="a folder of recordings")
    parser.add_argument("--count", type=int, default=6, help="of clips")
    parser.add_argument("--strengths", default="0,0.35,0.7,1.4")
    parser.add_argument("--bundle", default="bundle")
    args = parser.parse_args()
    torch.set_num_threads(1)
    own = open_bundle(args.bundle, "cpu")
    hidden: Any = Hidden(replace(spec_within(own)))
    deaf = Models(own.folder, hidden, "cpu")
    clips = [read_recording(path) for path in sorted(args.clips.rglob("*.flac"))[: args.count]]
    print("| lane | steered by | agreement | rougher seam | seconds of sampling |\n|---|---|---|---|---|")
    for lane in STEERING:
        for strength in map(float, args.strengths.split(",")):
            print(f"| {lane} | {strength:g} | {measured(deaf, clips, lane, strength).words} |", flush=True)
        print(f"| {lane} | its network | {measured(own, clips, lane, 0.0).words} |", flush=True)


if __name__ == "__main__":
    main()
