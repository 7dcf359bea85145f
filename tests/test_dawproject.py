"""A project as a DAWproject: the format's own schema; times, notes and files as the project has them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
import soundfile

from editor.project import versions
from editor.project.disk import exports, sounds, storage
from editor.project.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    LanePart,
    Lanes,
    Project,
    Region,
    Sound,
    Take,
)
from engines.audio.recording import Recording, from_float
from engines.audio.timebase import Grid
from engines.errors import InputError

SCHEMAS = Path(__file__).parent / "fixtures" / "dawproject"  # of github.com/bitwig/dawproject, MIT
XS = "{http://www.w3.org/2001/XMLSchema}"
HOSTILE = 'A & B <script>"x"</script> ]]> \x07\x00 ‮ \ufffe 音 🎷 ../../etc'


class Schema:
    """As much of XML Schema as the format's schemas use: order of children, attributes, lists of values."""

    def __init__(self, path: Path) -> None:
        root = Xml.parse(path).getroot()
        self.types = {node.get("name"): node for node in root if node.tag != XS + "element"}
        self.elements = {node.get("name"): node.get("type") for node in root.findall(XS + "element")}

    def check(self, node: Xml.Element, type_: Xml.Element | None = None) -> None:
        of = self.types[self.elements[node.tag]] if type_ is None else type_
        attributes = {a.get("name"): a for a in self.attributes(of)}
        required = {name for name, a in attributes.items() if a.get("use") == "required"}
        assert required <= set(node.attrib) <= set(attributes), f"{node.tag} has {sorted(node.attrib)}"
        for name, value in node.attrib.items():
            self.value(str(attributes[name].get("type", "")), value)
        slots = list(self.slots(of))
        at = 0
        for child in node:
            while at < len(slots) and child.tag not in slots[at][0]:
                assert not slots[at][1], f"{node.tag} lacks {sorted(slots[at][0])} before {child.tag}"
                at += 1
            assert at < len(slots), f"{child.tag} has no place here in {node.tag}"
            self.check(child, slots[at][0][child.tag])
            at += not slots[at][2]
        assert not any(needed for _, needed, many in slots[at:] if not many), f"{node.tag} lacks something"

    def value(self, type_: str, value: str) -> None:
        if type_ in ("xs:double", "xs:int"):
            assert float(value) == float(value) and (type_ == "xs:double" or value.lstrip("-").isdigit())
        elif type_ == "xs:boolean":
            assert value in ("true", "false")
        elif not type_.startswith("xs:") and type_:
            allowed = [one.get("value") for one in self.types[type_].iter(XS + "enumeration")]
            assert value in allowed, f"{value} is none of {allowed}"

    def base(self, of: Xml.Element) -> Xml.Element | None:
        extension = of.find(f"{XS}complexContent/{XS}extension")
        return None if extension is None else self.types[extension.get("base")]

    def attributes(self, of: Xml.Element) -> Iterator[Xml.Element]:
        base = self.base(of)
        if base is not None:
            yield from self.attributes(base)
        extension = of.find(f"{XS}complexContent/{XS}extension")
        yield from (of if extension is None else extension).findall(XS + "attribute")

    def slots(self, of: Xml.Element) -> Iterator[tuple[dict[str, Xml.Element], bool, bool]]:
        """The places of a type's children: {tag: type}, whether one must be there, whether many may."""
        base = self.base(of)
        if base is not None:
            yield from self.slots(base)
        extension = of.find(f"{XS}complexContent/{XS}extension")
        inner = of if extension is None else extension
        for group in (*inner.findall(XS + "sequence"), *inner.findall(XS + "choice")):
            for part in group:
                many = part.get("maxOccurs") == "unbounded"
                options = list(part) if part.tag == XS + "choice" else [part]
                yield dict(map(self.named, options)), part.get("minOccurs") != "0", many

    def named(self, element: Xml.Element) -> tuple[str, Xml.Element]:
        ref = element.get("ref")
        if ref:
            return ref, self.types[self.elements[ref]]
        inner = element.find(XS + "complexType")
        type_ = element.get("type", "")
        plain = Xml.Element("none") if type_.startswith("xs:") else None
        found = inner if inner is not None else plain if plain is not None else self.types[type_]
        return str(element.get("name")), found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path).folder


def put_take(project: Project, folder: Path, number: int, first: int | None, part: Recording) -> Project:
    clip = project.clip
    assert clip
    seconds = part.seconds if first is None else clip.seconds
    region = Region(first / part.rate, first / part.rate + part.seconds) if first is not None else None
    return versions.add_take(
        project,
        Take(
            f"t{number}", "inpaint", "fm", number, "", sounds.add_audio(folder, part), seconds, region,
            clip.sound, rate=part.rate, channels=part.channels, first=first,
        ),
    )  # fmt: skip


def with_song(folder: Path, song: Recording, grid: Grid) -> Project:
    clip = Clip(sounds.add_audio(folder, song), song.seconds, song.rate, song.channels, "My song.wav")
    lanes = Lanes(
        (ChordCell("c1", 0, 2, "Am7"), ChordCell("c2", 2, 4, "N")),
        (LaneNote("n1", 0, 1, 69), LaneNote("n2", 1.5, 1.75, 72)),
        (LaneHit("h1", 0, "kick"), LaneHit("h2", 1, "snare")),
        (LanePart("b1", 0, 4, "flute"), LanePart("b2", 0, 4, "drums", plays=False)),
    )
    return replace(versions.set_clip(Project(name="Work"), clip), grid=grid, lanes=lanes)


def opened(folder: Path, project: Project) -> tuple[Xml.Element, dict[str, bytes]]:
    path, _ = exports.export(folder, project, "dawproject")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    root = Xml.fromstring(files["project.xml"])
    Schema(SCHEMAS / "Project.xsd").check(root)
    Schema(SCHEMAS / "MetaData.xsd").check(Xml.fromstring(files["metadata.xml"]))
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    named = [
        node.get(key)
        for node in root.iter()
        for key in ("track", "destination", "parameter")
        if node.get(key)
    ]
    assert len(ids) == len(set(ids)) and set(named) <= set(ids)
    return root, files


def tracks(root: Xml.Element) -> dict[str, list[Xml.Element]]:
    """The clips of each track by the track's name, in the order of the arrangement."""
    names = {track.get("id"): str(track.get("name")) for track in root.iter("Track")}
    lanes = root.findall("Arrangement/Lanes/Lanes")
    return {names[lane.get("track")]: lane.findall("Clips/Clip") for lane in lanes}


def numbers(node: Xml.Element, *names: str) -> tuple[float, ...]:
    return tuple(float(node.get(name, "nan")) for name in names)


def test_clip_takes_and_lanes_lie_where_the_project_has_them(folder: Path, song: Recording) -> None:
    project = with_song(folder, song, Grid(90.0, 3, 0.5))
    part = replace(song, samples=song.samples[song.rate : 2 * song.rate] // 3)
    project = put_take(project, folder, 7, song.rate, part)
    project = put_take(project, folder, 8, None, song)
    project = versions.delete_take(put_take(project, folder, 9, 0, part), "t9")
    root, files = opened(folder, project)

    lead = 3.0  # one bar, because beat 0 lies half a second into the clip
    tempo, metre = root.find("Transport/Tempo"), root.find("Transport/TimeSignature")
    assert tempo is not None and metre is not None
    assert (float(tempo.get("value", "")), metre.get("numerator")) == (90.0, "3")
    assert [float(p.get("value", "")) for p in root.iter("RealPoint")] == [90.0]
    found = tracks(root)
    assert list(found) == [
        "My song.wav", "Take 1, FM seed 7", "Take 2, FM seed 8", "Melody", "Chords", "Drums", "Band: flute",
    ]  # fmt: skip

    clip, take, whole = (found[name][0] for name in list(found)[:3])
    assert numbers(clip, "time", "duration") == pytest.approx((lead - 0.75, song.seconds * 1.5))
    assert numbers(take, "time", "duration") == pytest.approx((lead - 0.75 + 1.5, 1.5))
    assert numbers(whole, "time") == numbers(clip, "time")
    muted = {t.get("name"): t.find("Channel/Mute").get("value") for t in root.iter("Track")}  # type: ignore[union-attr]
    assert (muted["My song.wav"], muted["Take 1, FM seed 7"]) == ("false", "true")
    for node, samples in ((clip, song.samples), (take, part.samples)):
        audio, name = node.find("Audio"), node.find("Audio/File")
        assert audio is not None and name is not None
        held, rate = soundfile.read(io.BytesIO(files[str(name.get("path"))]), dtype="int16", always_2d=True)
        assert np.array_equal(held, samples) and rate == song.rate == int(audio.get("sampleRate", 0))
        assert float(audio.get("duration", 0)) == pytest.approx(len(samples) / rate)

    (melody,), (chord,), (drums,), (flute,) = (found[n] for n in ("Melody", "Chords", "Drums", "Band: flute"))

    def heard(clip: Xml.Element) -> list[tuple[float, float, float]]:
        at = numbers(clip, "time")[0]
        return [
            (at + t, d, key)
            for t, d, key in (numbers(n, "time", "duration", "key") for n in clip.iter("Note"))
        ]

    assert heard(melody) == [(lead, 1, 69), (lead + 1.5, 0.25, 72)]
    assert chord.get("name") == "Am7" and {key for _, _, key in heard(chord)} == {45, 69, 60, 64, 67}
    assert [(t, key) for t, _, key in heard(drums)] == [(lead, 36), (lead + 1, 38)]
    assert {note.get("channel") for note in drums.iter("Note")} == {"9"}
    assert numbers(flute, "time", "duration") == (lead, 4)


def test_bars_keep_their_numbers_where_the_clip_begins_on_or_after_the_first(
    folder: Path, song: Recording
) -> None:
    for offset, first in ((0.0, 0.0), (-4.0, 8.0), (1e-9, 0.0), (2.0, 0.0), (3.0, 2.0)):
        root, _ = opened(folder, with_song(folder, song, Grid(120.0, 4, offset)))
        found = tracks(root)
        assert numbers(found["My song.wav"][0], "time")[0] == pytest.approx(first, abs=1e-6)
        assert numbers(found["Melody"][0], "time")[0] % 4 == 0  # beat 0 is a bar line


def test_an_intro_that_is_not_kept_lies_before_the_clip(folder: Path, song: Recording) -> None:
    project = with_song(folder, song, Grid(120.0, 4, 0.0))
    project = put_take(
        project, folder, 1, None, replace(song, samples=np.concatenate([song.samples, song.samples]))
    )
    intro = replace(project.takes[0], kind="intro", region=Region(0, song.seconds))
    root, _ = opened(folder, replace(project, takes=(intro,)))
    found = tracks(root)
    assert numbers(found["Take 1, FM seed 1"][0], "time", "duration") == (0, 16)
    assert numbers(found["My song.wav"][0], "time") == (8,)
    assert numbers(found["Melody"][0], "time") == (8,)


def test_takes_of_another_recording_are_left_out(folder: Path, song: Recording) -> None:
    project = put_take(with_song(folder, song, Grid()), folder, 1, 0, song)
    other = replace(song, samples=song.samples[::-1])
    clip = Clip(sounds.add_audio(folder, other), song.seconds, song.rate, song.channels, "Other.wav")
    root, files = opened(folder, versions.set_clip(project, clip))
    assert not [name for name in tracks(root) if name.startswith("Take")]
    assert len([name for name in files if name.endswith(".wav")]) == 1


def test_names_from_anywhere_are_written_as_text_alone(folder: Path, song: Recording) -> None:
    project = with_song(folder, song, Grid())
    assert project.clip
    project = replace(project, name=HOSTILE, clip=replace(project.clip, label=HOSTILE + ".wav"))
    project = put_take(project, folder, 1, 0, song)
    project = replace(project, takes=(replace(project.takes[0], name=HOSTILE),))
    root, files = opened(folder, project)
    shown = HOSTILE.replace("\x07", "").replace("\x00", "").replace("\ufffe", "")
    assert f"{shown}.wav" in tracks(root) and f"Take 1, {shown}" in tracks(root)
    assert not list(root.iter("script"))
    for name in files:
        assert (
            ".." not in Path(name).parts and not name.startswith("/") and "\\" not in name and ":" not in name
        )
    paths = [str(node.get("path")) for node in root.iter("File")]
    assert len(set(paths)) == len(paths) == 2 and set(paths) <= set(files)


def test_lanes_leave_without_a_clip_and_an_empty_project_says_so(folder: Path) -> None:
    project = Project(name="Tune", lanes=Lanes(melody=(LaneNote("n", -1, 2, 60),)))
    path, name = exports.export(folder, project, "dawproject")
    root, _ = opened(folder, project)
    assert name == "Tune.dawproject" and path.suffix == ".dawproject"
    assert numbers(tracks(root)["Melody"][0], "time", "duration") == (0, 2)  # cut at the beginning
    with pytest.raises(InputError, match="nothing to export"):
        exports.export(folder, Project(), "dawproject")


def test_floats_and_many_channels_stay_as_they_are(folder: Path) -> None:
    wide = from_float(np.linspace(-2, 2, 2400, dtype=np.float32).reshape(800, 3), 8000, "FLOAT")
    clip = Clip(sounds.add_audio(folder, wide), 0.1, 8000, 3, "x")
    root, files = opened(folder, versions.set_clip(Project(), clip))
    held, _ = soundfile.read(
        io.BytesIO(next(v for k, v in files.items() if k.endswith(".wav"))), dtype="float32"
    )
    assert np.array_equal(held, wide.samples)
    assert next(root.iter("Audio")).get("channels") == "3"
    assert Sound(clip.file) == clip.sound
