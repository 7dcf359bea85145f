"""A project as a DAWproject 1.0 file: clip, takes, lanes, sections and tempo for other programs.

A zip of project.xml, metadata.xml and the audio (github.com/bitwig/dawproject). Its places are beats; whole
bars are put before the first one where something begins before it, so that bars keep their numbers where they
can. Audio is not stretched: its clips count seconds. Takes are muted, so that one hears what the page plays.
Inlay has no stems of instruments, so there are none: the takes are what can be laid over the clip.
Loads no torch.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

from editor.project import lanes, versions
from editor.project.disk import sounds
from editor.project.document import Clip, Lanes, Project, Sound, Take
from engines.audio.recording import Recording, write_recording
from engines.audio.timebase import Grid, samples_to_seconds
from engines.errors import InputError

VERSION = "1.0"  # of the format
MAKER = ("Inlay", "0.1.0")  # the application, as the file names it
_DRUMS = 9  # the channel of General MIDI's kit, counted from 0
_LOUD, _SOFT = 96 / 127, 72 / 127  # how hard notes and chords are struck
_COMMENT = "Takes are on muted tracks of their own. There are no stems of instruments: Inlay mixes no tracks."
Note = tuple[float, float, int]  # start and end in beats on the grid, MIDI pitch


def write(path: Path, folder: Path, project: Project, title: str) -> None:
    """Write the file. InputError when there is nothing in the project yet."""
    if project.clip is None and project.lanes == Lanes():
        raise InputError("nothing to export: upload a recording, generate a clip or draw on the lanes first")
    takes = [_placed(project, take) for take in project.takes if _leaves(project, take)]
    file = _File(project.grid, min((0.0, *(start for _, start in takes))))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(recording: Recording, number: int, words: str) -> str:
            name = f"audio/{number:02d} {safe(words)}.wav"
            scratch = path.with_suffix(".wav")
            write_recording(scratch, recording)
            archive.write(scratch, name, zipfile.ZIP_STORED)
            scratch.unlink()
            return name

        if project.clip is not None:
            recording = sounds.read_sound(folder, project.clip.sound)
            name = project.clip.label or title
            file.audio(_Audio(name, 0.0, recording, add(recording, 0, name)))
        for number, (take, start) in enumerate(takes, 1):
            recording = sounds.read_sound(folder, Sound(take.file))
            name = f"Take {number}, {versions.take_label(take)}"
            file.audio(_Audio(name, start, recording, add(recording, number, name)), muted=True)
        file.lanes(project.lanes)
        file.markers([(section.name, section.start) for section in project.sections])
        archive.writestr("project.xml", _bytes(file.root()))
        archive.writestr("metadata.xml", _bytes(_metadata(title, project.clip)))


def safe(name: str) -> str:
    """A name fit for any file system."""
    kept = "".join(char if char.isalnum() or char in " -_." else "-" for char in name).strip(" .")
    return kept[:60] or "clip"


def _leaves(project: Project, take: Take) -> bool:
    """Whether a take lies on the clip's clock: one of another recording, or another order of it, does not."""
    if take.deleted:
        return False
    return take.source is None or versions.source_on_clock(project, take.source) is not None


def _placed(project: Project, take: Take) -> tuple[Take, float]:
    """A take, and the second of the clip's clock at which its samples begin."""
    shift = versions.clock_shift(project, take.source, take.kind, take.region)
    return take, shift + (samples_to_seconds(take.first, take.rate) if take.first else 0.0)


@dataclass(frozen=True)
class _Audio:
    """A recording on a track."""

    name: str
    start: float  # seconds on the clip's clock
    recording: Recording
    file: str  # its path in the zip


class _File:
    """What project.xml holds, built track by track."""

    def __init__(self, grid: Grid, earliest: float) -> None:
        """`earliest`: the second at which the first audio begins; lanes that begin before that are cut."""
        self.grid = grid
        first = grid.seconds_to_beats(earliest) / grid.beats_per_bar
        self._lead = max(0, math.ceil(-first - 1e-6)) * grid.beats_per_bar  # beats before the grid's beat 0
        self._ids = 0
        self._structure = Xml.Element("Structure")
        self._arrangement = self._named(Xml.Element("Arrangement"))
        self._lanes = self._named(Xml.SubElement(self._arrangement, "Lanes", timeUnit="beats"))
        self._markers: Xml.Element | None = None
        master = self._track("Master", "audio notes", "master")
        self._structure.remove(master)
        self._master = master
        self._out = _id_of(master.find("Channel"))

    def root(self) -> Xml.Element:
        """The whole, its elements in the order of the schema."""
        grid = self.grid
        root = Xml.Element("Project", version=VERSION)
        Xml.SubElement(root, "Application", name=MAKER[0], version=MAKER[1])
        transport = Xml.SubElement(root, "Transport")
        tempo = self._parameter(transport, "Tempo", unit="bpm", min="20", max="666", value=_number(grid.bpm))
        metre = self._named(
            Xml.SubElement(transport, "TimeSignature", numerator=str(grid.beats_per_bar), denominator="4")
        )
        self._structure.append(self._master)
        root.append(self._structure)
        root.append(self._arrangement)
        if self._markers is not None:
            self._arrangement.append(self._markers)
        points = self._points("TempoAutomation", tempo, unit="bpm")
        Xml.SubElement(points, "RealPoint", time="0", value=_number(grid.bpm), interpolation="hold")
        points = self._points("TimeSignatureAutomation", metre)
        signature = {"numerator": str(grid.beats_per_bar), "denominator": "4"}
        Xml.SubElement(points, "TimeSignaturePoint", {"time": "0", **signature})
        Xml.SubElement(root, "Scenes")
        return root

    def audio(self, audio: _Audio, muted: bool = False) -> None:
        """A track with one recording on it."""
        recording = audio.recording
        channels, seconds = str(recording.channels), _number(recording.seconds)
        beats = recording.seconds / self.grid.seconds_per_beat
        start = self._at(self.grid.seconds_to_beats(audio.start))
        holder = self._clips(self._track(audio.name, "audio", muted=muted, channels=channels))
        clip = self._clip(holder, start, beats, audio.name, contentTimeUnit="seconds", playStop=seconds)
        about = {"channels": channels, "duration": seconds, "sampleRate": str(recording.rate)}
        sound = self._named(
            Xml.SubElement(clip, "Audio", {"timeUnit": "seconds", "algorithm": "raw", **about})
        )
        Xml.SubElement(sound, "File", path=audio.file)

    def lanes(self, drawn: Lanes) -> None:
        """Tracks for melody, chords (each a clip with its symbol) and drums, and one for each player."""
        melody = [(note.start, note.end, note.pitch) for note in drawn.melody]
        chords = [
            (cell.symbol, [(cell.start, cell.end, pitch) for pitch in lanes.chord_voices(cell.symbol)])
            for cell in drawn.chords
        ]
        length = lanes.HIT_SECONDS / self.grid.seconds_per_beat
        drums = [(hit.time, hit.time + length, lanes.DRUM_TO_GM[hit.drum]) for hit in drawn.drums]
        self._notes("Melody", [("Melody", melody)])
        self._notes("Chords", [(symbol, notes) for symbol, notes in chords if notes], loud=_SOFT)
        self._notes("Drums", [("Drums", drums)], channel=_DRUMS)
        players = {part.instrument: None for part in drawn.band if part.plays}
        for player in players:
            holder = self._clips(self._track(f"Band: {player}", "notes"))
            for part in drawn.band:
                if part.plays and part.instrument == player and self._at(part.end) > 0:
                    start = max(0.0, self._at(part.start))
                    clip = self._clip(holder, start, self._at(part.end) - start, player)
                    self._named(Xml.SubElement(clip, "Notes"))

    def markers(self, named: Sequence[tuple[str, int]]) -> None:
        """A marker at the beginning of each section: its name, and its first bar."""
        bar = self.grid.beats_per_bar
        for name, start in named:
            if self._markers is None:
                self._markers = self._named(Xml.Element("Markers", timeUnit="beats"))
            time = _number(max(0.0, self._at(start * bar)))
            Xml.SubElement(self._markers, "Marker", time=time, name=_text(name))

    def _notes(
        self, name: str, clips: Iterable[tuple[str, Sequence[Note]]], channel: int = 0, loud: float = _LOUD
    ) -> None:
        found = [(words, list(self._cut(notes))) for words, notes in clips]
        found = [(words, notes) for words, notes in found if notes]
        if not found:
            return
        holder = self._clips(self._track(name, "notes"))
        for words, notes in found:
            start = min(note[0] for note in notes)
            clip = self._clip(holder, start, max(note[1] for note in notes) - start, words)
            inner = self._named(Xml.SubElement(clip, "Notes"))
            for first, last, pitch in notes:
                place = {"time": _number(first - start), "duration": _number(last - first)}
                heard = {
                    "channel": str(channel),
                    "key": str(pitch),
                    "vel": _number(loud),
                    "rel": _number(loud),
                }
                Xml.SubElement(inner, "Note", {**place, **heard})

    def _cut(self, notes: Iterable[Note]) -> Iterator[Note]:
        """The notes in the file's beats, without what lies before its beginning."""
        for start, end, pitch in notes:
            first, last = max(0.0, self._at(start)), self._at(end)
            if last > first:
                yield first, last, pitch

    def _at(self, beats: float) -> float:
        """A beat of the grid in the beats of the file."""
        return beats + self._lead

    def _track(
        self, name: str, kind: str, role: str = "regular", *, muted: bool = False, channels: str = "2"
    ) -> Xml.Element:
        track = self._named(
            Xml.SubElement(self._structure, "Track", contentType=kind, loaded="true", name=_text(name))
        )
        way = {} if role == "master" else {"destination": self._out}
        about = {"audioChannels": channels, "role": role, "solo": "false", **way}
        channel = self._named(Xml.SubElement(track, "Channel", about))
        self._named(Xml.SubElement(channel, "Mute", value="true" if muted else "false"))
        self._parameter(channel, "Pan", unit="normalized", min="0", max="1", value="0.5")
        self._parameter(channel, "Volume", unit="linear", min="0", max="2", value="1")
        return track

    def _clips(self, track: Xml.Element) -> Xml.Element:
        lane = self._named(Xml.SubElement(self._lanes, "Lanes", track=_id_of(track)))
        return self._named(Xml.SubElement(lane, "Clips"))

    def _clip(self, holder: Xml.Element, start: float, beats: float, name: str, **more: str) -> Xml.Element:
        place = {"time": _number(max(0.0, start)), "duration": _number(beats), "playStart": "0"}
        return Xml.SubElement(holder, "Clip", {**place, **more, "name": _text(name)})

    def _points(self, name: str, target: Xml.Element, **more: str) -> Xml.Element:
        points = self._named(Xml.SubElement(self._arrangement, name, {"timeUnit": "beats", **more}))
        Xml.SubElement(points, "Target", parameter=_id_of(target))
        return points

    def _parameter(self, of: Xml.Element, name: str, **about: str) -> Xml.Element:
        return self._named(Xml.SubElement(of, name, {**about, "name": name}))

    def _named(self, element: Xml.Element) -> Xml.Element:
        """With an id of its own."""
        element.set("id", f"id{self._ids}")
        self._ids += 1
        return element


def _metadata(title: str, clip: Clip | None) -> Xml.Element:
    root = Xml.Element("MetaData")
    Xml.SubElement(root, "Title").text = _text(title)
    Xml.SubElement(root, "Comment").text = _COMMENT if clip else ""
    return root


def _id_of(element: Xml.Element | None) -> str:
    return "" if element is None else element.get("id", "")


def _number(value: float) -> str:
    """A number as the schema's double: enough digits for a sample of an hour."""
    return f"{value:.12g}"


def _text(words: str) -> str:
    """Without the characters that no XML may hold, however they are written."""
    return "".join(
        char
        for char in words
        if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char >= "\U00010000"
    )


def _bytes(root: Xml.Element) -> bytes:
    Xml.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f"{head}{Xml.tostring(root, 'unicode')}\n".encode()
