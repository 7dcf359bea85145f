"""MusicGen-melody: the melody lane as its chromagram, its own numbers from both formats, and AR on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import ar
from engines.audio.recording import Recording
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import InputError
from engines.families.roster import recognised
from engines.networks.chroma import chromagram
from engines.networks.lane_frames import Lanes, lanes_from, null_lanes
from engines.requests import ARSettings, Controls, GenerateRequest, InpaintRequest, Note
from engines.sampling.decode import complete
from engines.sampling.guidance import Source
from tests.checkpoints import musicgen as tiny

PROMPT = "a calm piano with drums"
GUIDED = (Source(True, True, 3.0), Source(False, False, -2.0))
RATE, HOP, WINDOW, LENGTH = 32_000, 4096, 16_384, 235  # of the released extractor and configuration
TUNE = (Note(0.0, 1.2, 60), Note(1.2, 2.1, 64), Note(2.1, 3.3, 67), Note(3.3, 4.0, 69), Note(4.8, 6.0, 62))
OTHER = tuple(replace(note, pitch=note.pitch + 1) for note in TUNE)


@pytest.fixture(scope="module")
def melody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_tiny_melody(tmp_path_factory.mktemp("shelf") / "musicgen-tiny-melody")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, melody: Path) -> Path:
    return tiny.save_packed_melody(tmp_path_factory.mktemp("shelf") / "audiocraft-melody", melody)


def opened(folder: Path) -> Models:
    torch.set_num_threads(1)
    return open_bundle(str(folder), "cpu")


def heard(notes: tuple[Note, ...], seconds: float) -> Tensor:
    """The tune played by sines, and what MusicgenMelodyFeatureExtractor makes of that: float [1, n, 12].

    Its class needs torchaudio, whose spectrogram is torch's; the filters are transformers' own.
    """
    from transformers.audio_utils import chroma_filter_bank

    t = torch.arange(round(seconds * RATE)) / RATE
    sound = torch.zeros_like(t)
    for note in notes:
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        sound += torch.where((t >= note.start) & (t < note.end), (2 * torch.pi * hertz * t).sin(), 0.0)
    spectrum = (
        torch.stft(sound, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs() ** 2
    )
    bank = chroma_filter_bank(sampling_rate=RATE, num_frequency_bins=WINDOW, tuning=0, num_chroma=12)
    chroma = torch.from_numpy(bank).float() @ spectrum  # [12, F] @ [F, n]
    return torch.nn.functional.one_hot(chroma.argmax(dim=0), 12).float()[None]


def lanes_of(notes: tuple[Note, ...] | None, frames: int) -> Lanes:
    return lanes_from(Controls(melody=notes), frames, 50.0)


def test_the_lane_is_what_the_released_model_hears_of_the_tune() -> None:
    frames = 300  # 6 s
    ours, theirs = chromagram(lanes_of(TUNE, frames).melody, 6.4, LENGTH), heard(TUNE, 6.0)
    n = theirs.shape[1]
    assert ours.shape == (1, LENGTH, 12) and n == 47
    assert torch.equal(ours[:, :n], theirs)
    assert set(ours[0].argmax(dim=1).tolist()) == {0, 2, 4, 7, 9}
    assert torch.equal(ours[:, n : 2 * n], ours[:, :n])  # from the start again, as the model does
    full = chromagram(lanes_of(TUNE, 1500).melody, 6.4, LENGTH)  # 30 s have as many frames as it reads
    assert torch.equal(full[:, :40], ours[:, :40]) and (full[:, 60:].argmax(dim=2) == 0).all()


def test_without_a_melody_it_is_what_the_released_model_has_without_audio() -> None:
    for lanes in (lanes_of(None, 300), lanes_of((), 300), null_lanes(1, 1)):
        nothing = chromagram(lanes.melody, 6.4, LENGTH)
        assert nothing[..., 0].all() and nothing.sum() == LENGTH


def released(folder: Path) -> tuple[Any, Any]:
    """transformers' own model and the prompt as it reads it."""
    from transformers import AutoTokenizer, MusicgenMelodyForConditionalGeneration

    words = AutoTokenizer.from_pretrained(folder)([PROMPT], return_tensors="pt", padding=True)
    return MusicgenMelodyForConditionalGeneration.from_pretrained(folder).eval(), words


@pytest.mark.parametrize("notes", [TUNE, None], ids=["with a melody", "without"])
def test_transformers_format_gives_transformers_numbers(melody: Path, notes: tuple[Note, ...] | None) -> None:
    models, frames = opened(melody), 300
    codec, lm, text = models.tokenizer(), models.ar(), models.words(PROMPT)
    theirs, words = released(melody)
    tune = {} if notes is None else {"input_features": heard(notes, 6.0)}
    lanes = lanes_of(notes, frames)
    start = torch.full((4, 1), lm.config.pad)
    with torch.inference_mode():
        expected = theirs(**words, **tune, decoder_input_ids=start).logits[:, -1].view(1, 4, 1, -1)
        got = lm(start[None], None, lm.remember(text, None, 1, lanes))
        assert expected.std() > 0.05  # otherwise closeness would say nothing
        assert (got - expected).abs().max() < 1e-4
        audio = theirs.generate(**words, **tune, do_sample=False, guidance_scale=3.0, max_new_tokens=20 + 3)
        codes = greedy(models, lanes, audio.shape[2] // codec.hop)
        assert len(codes.unique()) > 3
        assert torch.equal(codec.decode(codec.dequantize(codes)), audio)


def greedy(models: Models, lanes: Lanes, frames: int, cached: bool = True) -> Tensor:
    """The likeliest codes [1, K, T] at guidance 3, of the first frames of a clip with such lanes."""
    lm, text = models.ar(), models.words(PROMPT)
    codes = torch.zeros(1, lm.config.codebooks, frames, dtype=torch.int64)
    return complete(lm, codes, 0, lanes, text, GUIDED, lambda x: x.argmax(-1), lambda *_: None, cached)


def test_step_by_step_is_the_same_as_all_at_once(melody: Path) -> None:
    models = opened(melody)
    at_once = greedy(models, lanes_of(TUNE, 40), 10, cached=False)
    assert torch.equal(greedy(models, lanes_of(TUNE, 40), 10), at_once)


def test_audiocrafts_format_is_the_same_network(melody: Path, packed: Path) -> None:
    lanes, codes = lanes_of(TUNE, 40), torch.arange(24).view(1, 4, 6)
    made = []
    for folder in (melody, packed):
        models = opened(folder)
        lm, codec = models.ar(), models.tokenizer()
        with torch.inference_mode():
            memory = lm.remember(models.words(PROMPT), None, 1, lanes)
            made.append((lm(codes, None, memory), codec.decode(codec.dequantize(codes))))
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))


def test_its_spec_says_that_it_takes_the_melody_lane(melody: Path, packed: Path) -> None:
    for folder in (melody, packed):
        family, spec = recognised(folder)
        assert family.name == "musicgen" and spec.title == "MusicGen melody"
        assert spec.untaken("ar") == ("chords", "drums", "instruments", "grid")
        assert spec.licence == "CC-BY-NC-4.0" and not spec.commercial


@pytest.mark.parametrize("format", ["melody", "packed"])
def test_another_melody_gives_another_clip(format: str, request: pytest.FixtureRequest) -> None:
    models = opened(request.getfixturevalue(format))
    clip = GenerateRequest("ar", PROMPT, 1.0, 3, Controls(melody=OTHER))
    made = ar.run(clip, models).audio.samples
    assert np.array_equal(ar.run(clip, models).audio.samples, made)
    for melody in (TUNE, None):
        other = ar.run(replace(clip, controls=Controls(melody=melody)), models)
        assert not np.array_equal(other.audio.samples, made)
    chords = replace(clip.controls, drums=())  # which it does not take
    assert np.array_equal(ar.run(replace(clip, controls=chords), models).audio.samples, made)


def test_another_melody_gives_another_span(melody: Path, song: Recording) -> None:
    models = opened(melody)
    span = InpaintRequest(
        "ar", song, 1.5, 2.0, seed=2, controls=Controls(melody=(Note(1.4, 2.1, 60),)),
        ar=ARSettings(candidates=1), intent="change",
    )  # fmt: skip
    made = ar.run(span, models).audio.samples
    higher = replace(span, controls=Controls(melody=(Note(1.4, 2.1, 66),)))
    assert not np.array_equal(ar.run(higher, models).audio.samples, made)
    assert np.array_equal(ar.run(span, models).audio.samples, made)
    a, b = round(1.5 * song.rate), round(2.0 * song.rate)
    assert np.array_equal(made[:a], song.samples[:a]) and np.array_equal(made[b:], song.samples[b:])


def test_a_chromagram_of_another_shape_is_refused_in_words(melody: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(melody, folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"num_chroma": 24}))
    with pytest.raises(InputError, match="24 x 235; expected 12 x 235"):
        recognised(folder)


def test_what_hears_something_else_is_refused_in_words(packed: Path, tmp_path: Path) -> None:
    """MusicGen-style, for one, whose condition has the same name and is another network."""
    folder = tmp_path / "copy"
    shutil.copytree(packed, folder)
    package = torch.load(folder / "state_dict.bin", weights_only=True)
    style = "condition_provider.conditioners.self_wav.transformer.weight"
    package["best_state"][style] = torch.zeros(2, 2)
    torch.save(package, folder / "state_dict.bin")
    with pytest.raises(InputError, match=r"self_wav\.transformer.*choose MusicGen"):
        recognised(folder)
