"""Recording by the page, from a microphone and a keyboard that are made up, and every refusal in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from editor.project.disk import sounds, storage
from engines.audio.recording import Recording, read_recording
from tests.browser.conftest import CHROMIUM, PATIENCE, QUIET
from tests.browser.test_edit import drag_span, inpaint, state, upload

READY = "window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial && window.inlay.desk.settled"
# A keyboard: `play(status, pitch, velocity)` sends what it would send.
KEYBOARD = """
  const input = { id: 'k', name: 'Keystation 49', state: 'connected', onmidimessage: null };
  const access = { inputs: new Map([['k', input]]), onstatechange: null };
  navigator.requestMIDIAccess = async () => access;
  const now = () => performance.now();
  window.play = (...data) => input.onmidimessage({ data: new Uint8Array(data), timeStamp: now() });
"""

# What the page plays is heard by its microphone, 80 ms later and quieter, or not at all.
AIR = """((gain) => {
  const connect = AudioNode.prototype.connect;
  const air = new Map();
  const airOf = (context) => {
    if (!air.has(context)) {
      const late = new DelayNode(context, { delayTime: 0.08 });
      const out = new MediaStreamAudioDestinationNode(context);
      connect.call(connect.call(late, new GainNode(context, { gain })), out);
      air.set(context, { late, out });
    }
    return air.get(context);
  };
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) connect.call(this, airOf(this.context).late);
    return connect.call(this, to, ...rest);
  };
  navigator.mediaDevices.getUserMedia = async () => airOf(window.inlay.desk.player.context).out.stream;
})"""

REFUSES = """((name) => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); };
})"""


@pytest.fixture(scope="module")
def beeping(chromium: BrowserType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A Chromium whose microphone beeps, and that asks nobody."""
    context = chromium.launch_persistent_context(
        tmp_path_factory.mktemp("beeping"),
        executable_path=CHROMIUM,
        args=[*QUIET, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        viewport={"width": 1440, "height": 900},
        color_scheme="dark",
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def opened(context: BrowserContext, address: str, script: str = "") -> Page:
    page = context.new_page()
    if script:
        page.add_init_script(script)
    page.goto(address)
    page.wait_for_function(READY)
    if page.locator("#page").get_attribute("data-start") is not None:
        page.locator("inlay-start .lanes").click()
    return page


# A page that is busy takes nothing from the microphone: what came meanwhile is on its way at the stop.
LATE = """() => { const { recorder } = window.inlay.desk.record;
  const end = performance.now() + 5000;
  while (recorder.time < 1.4 && performance.now() < end);
  window.inlay.desk.record.stop(); }"""


def record(page: Page, until: str, stop: str = "") -> None:
    """Begins, waits for something while it is recorded, and stops."""
    page.locator("inlay-record [data-act=record]").click()
    page.wait_for_function("window.inlay.desk.record.recorder.phase === 'recording'")
    page.wait_for_function(until)
    if stop:
        page.evaluate(stop)
    else:
        page.keyboard.press("Shift+R")
    page.wait_for_function(
        "!window.inlay.desk.record.armed && window.inlay.desk.settled && !window.inlay.desk.arriving"
    )


def test_the_microphone_comes_onto_the_audio_lane_in_one_step(
    beeping: BrowserContext, address: str, home: Path, song: Recording, song_file: Path
) -> None:
    page = opened(beeping, address)
    upload(page, song_file)
    page.evaluate("window.inlay.desk.setGrid({ bpm: 240 })")
    page.evaluate("window.inlay.desk.player.seek(1)")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Shift+R")
    panel = page.locator("inlay-record")
    expect(panel.locator(".to")).to_have_text("To the audio lane")
    expect(panel.locator(".mic .foot")).to_contain_text("taken off")
    expect(panel.locator("select option")).not_to_have_count(0)
    page.wait_for_function("window.inlay.desk.record.microphone.level > -59")  # it is heard at once
    expect(page.locator("inlay-takes .strip")).to_be_hidden()
    page.locator("inlay-record [data-act=record]").click()
    expect(panel.locator("h2")).to_have_text("Count-in")  # of four beats, before anything is kept
    page.wait_for_function("window.inlay.desk.record.recorder.counted?.beat > 1")
    expect(panel.locator("h2")).to_have_text("Recording from bar 2")
    page.wait_for_function("window.inlay.desk.record.recorder.time > 1.5")
    shown = page.evaluate("window.inlay.desk.record.recorder.peaks(0, 1.4, 50).flat()")
    assert max(shown) > 0.05  # it grows on the lane as it comes
    page.keyboard.press("Escape")  # the first one is thrown away
    expect(panel.locator("h2")).to_have_text("Ready to record")
    page.evaluate("window.inlay.desk.player.seek(1)")
    panel.locator("[data-bars='0']").click()
    steps = state(page, "doc.past")
    record(page, "window.inlay.desk.record.recorder.time > 0.8", LATE)
    page.wait_for_function("window.inlay.desk.doc.undo === 'record'")
    assert state(page, "doc.past") == steps + 1
    folder = home / state(page, "doc.project")
    clip = storage.open_project(folder).project.clip
    assert clip and clip.label == "my song.wav" and clip.seconds == song.seconds
    samples = sounds.read_sound(folder, clip.sound).samples
    assert np.array_equal(samples[: song.rate], song.samples[: song.rate])
    end = int(2.9 * song.rate)
    assert np.array_equal(samples[end:], song.samples[end:])
    # All of it, also what the microphone had given and the page had not taken yet when it was stopped.
    new = samples[song.rate : int(2.3 * song.rate)].astype(float)
    assert (
        np.array_equal(new[:, 0], new[:, 1]) and np.abs(new).max() > 1000
    )  # one microphone on both channels
    assert page.evaluate("window.inlay.desk.record.microphone.state") == "off"  # the browser's sign goes out
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.undo !== 'record'")
    again = storage.open_project(folder).project.clip
    assert again and np.array_equal(sounds.read_sound(folder, again.sound).samples, song.samples)
    page.close()


def test_a_keyboard_plays_into_melody_and_drums(beeping: BrowserContext, address: str, home: Path) -> None:
    page = opened(
        beeping,
        address,
        KEYBOARD + REFUSES + "('NotFoundError');",
    )
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    panel = page.locator("inlay-record")
    expect(panel.locator(".mic .foot")).to_contain_text("No microphone found. Plug one in")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    panel.locator("[data-act=midi]").click()
    expect(panel.locator(".keys header b")).to_have_text("Keystation 49")
    panel.locator("[data-bars='0']").click()
    page.evaluate("window.play(0x90, 64, 84)")
    expect(panel.locator(".keys .says")).to_have_text("E4, velocity 84")
    expect(panel.locator(".piano .on")).to_have_count(1)
    page.evaluate("window.play(0x80, 64, 0)")
    steps = state(page, "doc.past")
    page.locator("inlay-record [data-act=record]").click()
    page.wait_for_function("window.inlay.desk.record.recorder.phase === 'recording'")
    page.evaluate("window.play(0x90, 67, 90)")
    page.wait_for_function("window.inlay.desk.record.recorder.time > 0.6")
    page.evaluate("window.play(0x80, 67, 0)")
    page.keyboard.press("Shift+R")
    page.wait_for_function("window.inlay.desk.doc.undo === 'record melody'")
    assert state(page, "doc.past") == steps + 1
    (note,) = state(page, "doc.melody")
    assert note["pitch"] == 67 and note["start"] % 0.25 == 0 and note["end"] % 0.25 == 0
    assert state(page, "doc.clip") is None

    page.keyboard.press("Shift+R")
    panel.locator("[data-act=midi]").click()
    panel.locator("[data-lane=drums]").click()
    page.locator("inlay-record [data-act=record]").click()
    page.wait_for_function("window.inlay.desk.record.recorder.phase === 'recording'")
    page.evaluate("window.play(0x99, 38, 90)")
    page.wait_for_function("window.inlay.desk.record.recorder.time > 0.3")
    page.keyboard.press("Shift+R")
    page.wait_for_function("window.inlay.desk.doc.undo === 'record drums'")
    page.wait_for_function("window.inlay.desk.settled")
    document = json.loads((home / state(page, "doc.project") / "project.json").read_text())
    assert [hit["drum"] for hit in document["project"]["lanes"]["drums"]] == ["snare"]
    page.close()


# The beat stands at the playhead and beside the time, and those that follow are still to be clicked.
COUNTS = """() => {
  const { record: { recorder: { counted } }, synth, timeline: { shadowRoot } } = window.inlay.desk;
  return counted?.beat > 1 && counted.beat < counted.of && synth.voices > 0
    && shadowRoot.querySelector('.head-line').dataset.count === String(counted.number)
    && shadowRoot.querySelector('.transport .bar').textContent === `count ${counted.beat} of 4`;
}"""
PLACE = "(node) => new DOMMatrix(getComputedStyle(node).transform).e"  # of the playhead, in pixels


def test_the_count_in_is_heard_and_seen_at_the_playhead_which_goes_with_what_is_recorded(
    beeping: BrowserContext, address: str, song_file: Path
) -> None:
    page = opened(beeping, address)
    upload(page, song_file)
    page.evaluate("window.inlay.desk.setGrid({ bpm: 60 })")
    page.evaluate("window.inlay.desk.player.seek(1)")
    page.locator("inlay-timeline .board").focus()
    line, bar = page.locator("inlay-timeline .head-line"), page.locator("inlay-timeline .transport .bar")
    page.keyboard.press("Shift+R")
    page.wait_for_function("window.inlay.desk.record.microphone.state === 'ready'")
    stands = line.evaluate(PLACE)
    page.keyboard.press("Shift+R")
    page.wait_for_function(COUNTS)
    assert line.evaluate(PLACE) == stands
    page.wait_for_function("window.inlay.desk.record.recorder.phase === 'recording'")
    expect(line).to_have_attribute("data-count", "")
    expect(bar).to_contain_text("bar 1.")
    page.keyboard.press("Escape")
    page.locator("inlay-record [data-act=plays]").click()
    page.locator("inlay-record [data-bars='0']").click()
    page.evaluate("window.inlay.desk.player.seek(1)")
    page.keyboard.press("Shift+R")
    page.wait_for_function("window.inlay.desk.record.recorder.time > 0.3")
    assert not state(page, "player.playing") and line.evaluate(PLACE) > stands + 50  # the clip is silent
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.close()


def test_what_is_sung_and_played_at_once_is_one_step(
    beeping: BrowserContext, address: str, song_file: Path
) -> None:
    page = opened(beeping, address, KEYBOARD)
    upload(page, song_file)
    clip = state(page, "doc.clip.url")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Shift+R")
    panel = page.locator("inlay-record")
    page.wait_for_function("window.inlay.desk.record.microphone.level > -59")
    panel.locator("[data-act=midi]").click()
    panel.locator("[data-bars='0']").click()
    steps = state(page, "doc.past")
    panel.locator("[data-act=record]").click()
    page.wait_for_function("window.inlay.desk.record.recorder.phase === 'recording'")
    page.evaluate("window.play(0x90, 67, 90)")
    page.wait_for_function("window.inlay.desk.record.recorder.time > 0.6")
    page.evaluate("window.play(0x80, 67, 0)")
    page.keyboard.press("Shift+R")
    page.wait_for_function("window.inlay.desk.doc.undo === 'record' && window.inlay.desk.settled")
    assert [note["pitch"] for note in state(page, "doc.melody")] == [67]
    assert state(page, "doc.past") == steps + 1 and state(page, "doc.clip.url") != clip
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.redo === 'record'")
    assert state(page, "doc.melody") == [] and state(page, "doc.clip.url") == clip
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.undo === 'record'")
    assert len(state(page, "doc.melody")) == 1 and state(page, "doc.clip.url") != clip
    page.close()


def test_no_microphone_and_no_keyboard_are_said_in_words(page: Page) -> None:
    page.evaluate("navigator.requestMIDIAccess = undefined")
    refusals = {
        "NotAllowedError": "The browser said no to the microphone. Allow it",
        "NotReadableError": "another program may have it",
        "NotFoundError": "No microphone found",
    }
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    foot = page.locator("inlay-record .mic .foot")
    for name, words in refusals.items():
        page.evaluate(
            REFUSES,
            name,
        )
        page.evaluate("window.inlay.desk.record.microphone.open(window.inlay.desk.player.context)")
        expect(foot).to_contain_text(words)
        expect(foot.locator("button")).to_have_text("Try again")
    expect(page.locator("inlay-record .keys .says")).to_contain_text(
        "This browser gives pages no MIDI keyboard"
    )
    expect(page.locator("inlay-record [data-act=record]")).to_be_disabled()
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.evaluate("window.inlay.desk.record.microphone.open(window.inlay.desk.player.context)")
    expect(foot).to_contain_text("Recording needs https or 127.0.0.1.")
    page.locator("inlay-record [data-act=discard]").click()
    expect(page.locator("inlay-takes .strip")).to_be_visible()


def test_a_take_is_dragged_out_as_its_own_file(
    page: Page, song_file: Path, song: Recording, tmp_path: Path
) -> None:
    upload(page, song_file)
    drag_span(page, 1.02, 1.98)
    inpaint(page)
    carried = page.evaluate("""() => {
      const card = document.querySelector('inlay-takes').shadowRoot.querySelector('.card[draggable=true]');
      const dataTransfer = new DataTransfer();
      card.dispatchEvent(new DragEvent('dragstart', { bubbles: true, composed: true, dataTransfer }));
      return [card.dataset.take, dataTransfer.getData('DownloadURL')];
    }""")
    take = next(t for t in state(page, "group.tracks") if t["id"] == carried[0])
    kind, name, url = carried[1].split(":", 2)
    assert (kind, name) == ("audio/flac", take["file_name"]) and name.startswith("my song ")
    body = page.request.get(url).body()
    file = tmp_path / name
    file.write_bytes(body)

    samples = read_recording(file).samples
    assert samples.shape[1] == 2 and 0.9 * song.rate < len(samples) < 1.1 * song.rate
    page.locator(f"inlay-takes .card[data-take='{carried[0]}'] [data-act=sheet]").click()
    with page.expect_download() as download:
        page.locator("dialog.inlay-sheet [data-act=file]").click()
    assert download.value.suggested_filename == name.replace(".flac", ".wav")
    download.value.save_as(tmp_path / "take.wav")
    assert np.array_equal(read_recording(tmp_path / "take.wav").samples, samples)


# As soon as the count-in has begun, by the page's own clock: it takes a second.
TONE = """() => {
  const { desk: { player: { context }, record: { recorder } } } = window.inlay;
  const look = () => {
    if (recorder.phase !== 'counting') return void setTimeout(look);
    const at = context.currentTime - recorder.time + 0.5;
    const tone = new ConstantSourceNode(context, { offset: 0.5 });
    tone.connect(window.mouth);
    tone.start(at);
    tone.stop(at + 0.1);
  };
  look();
}"""


def test_what_sounds_on_a_beat_lies_on_it_and_the_latency_is_taken_off(page: Page, home: Path) -> None:
    """The microphone is a stream of the page's own, with a tone in it half a second after the count-in."""
    page.evaluate("window.inlay.desk.setGrid({ bpm: 240 })")
    page.evaluate("""navigator.mediaDevices.getUserMedia = async () => {
      window.mouth = new MediaStreamAudioDestinationNode(window.inlay.desk.player.context);
      return window.mouth.stream;
    }""")
    places = []
    for late in (0.0, 0.2):
        page.evaluate("window.inlay.desk.player.seek(0)")
        page.keyboard.press("Shift+R")
        page.wait_for_function("window.inlay.desk.record.microphone.state === 'ready'")
        page.evaluate(f"window.inlay.desk.record.microphone.latency = {{ seconds: {late}, known: true }}")
        page.evaluate(TONE)
        page.keyboard.press("Shift+R")
        page.wait_for_function("window.inlay.desk.record.recorder.time > 1.2")
        page.keyboard.press("Shift+R")
        page.wait_for_function("!window.inlay.desk.record.armed && window.inlay.desk.doc.clip")
        page.wait_for_function("window.inlay.desk.settled && !window.inlay.desk.arriving")
        folder = home / state(page, "doc.project")
        clip = storage.open_project(folder).project.clip
        assert clip
        recording = sounds.read_sound(folder, clip.sound)
        assert recording.subtype == "FLOAT" and clip.label == "Microphone.wav"
        places.append(int(np.argmax(recording.samples[:, 0] > 0.2)) / recording.rate)
    assert abs(places[0] - 0.5) < 0.1  # the stream is a little late itself
    assert abs(places[0] - places[1] - 0.2) < 0.05


def test_the_latency_is_measured_by_clicks(beeping: BrowserContext, address: str) -> None:
    page = opened(beeping, address, AIR + "(0.3);")
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    foot, known = (
        page.locator("inlay-record .mic .foot"),
        "window.inlay.desk.record.microphone.latency.seconds",
    )
    told = page.evaluate(known)
    foot.locator("button", has_text="Measure").click()
    expect(foot).to_contain_text("Listening for four clicks")
    expect(page.locator("inlay-record [data-act=record]")).to_be_disabled()
    expect(foot).to_contain_text("taken off. Measure again")
    late = page.evaluate(known)
    assert 0.08 <= late < 0.16 and late != told  # the way by a stream of the browser's takes time too
    expect(foot).to_contain_text(f"Latency {round(1000 * late)} ms")
    page.keyboard.press("Escape")
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    expect(foot).to_contain_text(f"Latency {round(1000 * late)} ms")  # known from now on
    page.close()

    page = opened(beeping, address, AIR + "(0);")
    page.locator("inlay-timeline .audio-head [data-action=record]").click()
    foot = page.locator("inlay-record .mic .foot")
    foot.locator("button", has_text="Measure").click()
    expect(foot).to_contain_text("No click came back: turn the speakers up")
    expect(page.locator("inlay-record [data-act=record]")).to_be_enabled()
    page.close()
