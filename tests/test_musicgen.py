"""MusicGen: its own numbers from both formats, mono and stereo, and the AR engine on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engines import ar
from engines.audio.recording import Recording, from_float
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import Cancelled, InputError
from engines.families import musicgen as family
from engines.families.roster import recognised
from engines.networks.lane_frames import null_lanes
from engines.networks.lm import LM
from engines.networks.text import TextStates
from engines.progress import Progress
from engines.requests import ARSettings, GenerateRequest, InpaintRequest
from engines.sampling.decode import complete
from engines.sampling.guidance import Source
from tests.checkpoints import musicgen as tiny

FIXTURE = Path(__file__).parent / "fixtures" / "musicgen"
GUIDED = (Source(True, False, 3.0), Source(False, False, -2.0))
PROMPT = "a calm piano with drums"


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_tiny_musicgen(tmp_path_factory.mktemp("shelf") / "musicgen-tiny")


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_tiny_musicgen(tmp_path_factory.mktemp("shelf") / "musicgen-tiny-stereo", stereo=True)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf") / "audiocraft-tiny"
    return tiny.save_tiny_audiocraft(folder, FIXTURE / "state_dict.bin")


def opened(folder: Path) -> Models:
    torch.set_num_threads(1)
    return open_bundle(str(folder), "cpu")


def released(folder: Path) -> tuple[Any, Any]:
    """transformers' own model and the prompt as it reads it."""
    from transformers import AutoTokenizer, MusicgenForConditionalGeneration

    words = AutoTokenizer.from_pretrained(folder)([PROMPT], return_tensors="pt", padding=True)
    return MusicgenForConditionalGeneration.from_pretrained(folder).eval(), words


def greedy(lm: LM, text: TextStates | None, frames: int, given: torch.Tensor | None = None) -> torch.Tensor:
    """The likeliest codes [1, K, T] at guidance 3, after those that are given."""
    codes = torch.zeros(1, lm.config.codebooks, frames, dtype=torch.int64)
    known = 0 if given is None else given.shape[2]
    codes[:, :, :known] = 0 if given is None else given
    lanes = null_lanes(1, frames)
    return complete(lm, codes, known, lanes, text, GUIDED, lambda x: x.argmax(-1), lambda *_: None)


def agrees_with_transformers(folder: Path, frames: int) -> tuple[float, bool]:
    """Largest difference of the first step's logits, and whether greedy sound is the same to the sample."""
    models = opened(folder)
    codec, lm, text = models.tokenizer(), models.ar(), models.words(PROMPT)
    theirs, words = released(folder)
    books = lm.config.codebooks
    with torch.inference_mode():
        start = torch.full((books, 1), lm.config.pad)
        expected = theirs(**words, decoder_input_ids=start).logits.view(1, books, 1, -1)
        got = lm(start[None], None, lm.remember(text, None, 1))
        assert expected.std() > 0.05  # otherwise closeness would say nothing
        length = frames + lm.config.lag
        audio = theirs.generate(**words, do_sample=False, guidance_scale=3.0, max_new_tokens=length)
        codes = greedy(lm, text, audio.shape[2] // codec.hop)
        same = torch.equal(codec.decode(codec.dequantize(codes)), audio)
    return float((got - expected).abs().max()), same and len(codes.unique()) > 3


@pytest.mark.parametrize("sides", ["mono", "stereo"])
def test_transformers_format_gives_transformers_numbers(sides: str, request: pytest.FixtureRequest) -> None:
    difference, same = agrees_with_transformers(request.getfixturevalue(sides), 20)
    assert difference < 1e-4 and same


@pytest.mark.slow
def test_the_real_shapes_of_small(tmp_path: Path) -> None:
    tiny.musicgen(small=True).save_pretrained(tmp_path)
    tiny.save_tokenizer(tmp_path)
    difference, same = agrees_with_transformers(tmp_path, 20)
    assert difference < 1e-4 and same
    assert recognised(tmp_path)[1].title == "MusicGen small"


def test_the_codec_is_transformers_to_the_last_bit(mono: Path) -> None:
    codec, (theirs, _) = opened(mono).tokenizer(), released(mono)
    audio = 0.1 * torch.randn(2, 1, 3 * 6400 + 7, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        codes = theirs.audio_encoder.encode(audio).audio_codes
        assert torch.equal(codec.quantize(codec.encode(audio)), codes[0])
        sound = theirs.audio_encoder.decode(codes, [None]).audio_values
        assert torch.equal(codec.decode(codec.dequantize(codes[0])), sound)
    assert codec.frame_rate == 50 and codec.reach is None


def test_the_codec_of_a_stereo_model_takes_turns_between_the_sides(stereo: Path) -> None:
    codec = opened(stereo).tokenizer()
    audio = 0.1 * torch.randn(1, 2, 6400, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        z = codec.encode(audio)
        codes = codec.quantize(z)
        assert z.shape == (1, 256, 10) and codes.shape == (1, 8, 10) == (1, codec.codebooks, 10)
        turned = codec.quantize(codec.encode(audio.flip(1)))
        assert torch.equal(turned[:, 0::2], codes[:, 1::2]) and not torch.equal(turned, codes)
        sound = codec.decode(codec.dequantize(codes))
        assert sound.shape == audio.shape
        assert torch.equal(codec.decode(codec.dequantize(turned)), sound.flip(1))


def test_a_null_reads_exactly_nothing(mono: Path) -> None:
    models = opened(mono)
    lm, text = models.ar(), models.words(PROMPT)
    columns = torch.randint(0, 64, (1, 4, 5))
    with torch.inference_mode():
        null = lm(columns, None, lm.remember(None, None, 1))
        beside = lm.remember(text.repeat(2), torch.tensor([True, False]), 2)
        both = lm(columns.repeat(2, 1, 1), None, beside)
        block: Any = lm.transformer.blocks[0]
        x = torch.randn(1, 5, 32)
        read = block.read(x, beside.keys[0][1:], beside.values[0][1:], beside.mask[1:])
    assert (read == 0).all()
    assert torch.allclose(both[1:], null, atol=1e-5) and not torch.allclose(both[:1], null, atol=1e-2)


def test_audiocrafts_format_gives_audiocrafts_numbers(packed: Path) -> None:
    lm, told = opened(packed).ar(), np.load(FIXTURE / "io.npz")
    states, mask = torch.from_numpy(told["states"]).float(), torch.from_numpy(told["mask"])
    prompts = [TextStates(states[i : i + 1], mask[i : i + 1], torch.zeros(1, 1)) for i in range(2)]
    assert not mask.all()  # what is padded is read as zeros
    sequence = torch.from_numpy(told["sequence"]).long()[[0, 2]]
    with torch.inference_mode():
        memory = lm.remember(prompts[0].repeat(2), torch.tensor([True, False]), 2)
        expected = torch.from_numpy(told["logits"]).float()
        assert expected.std() > 0.5
        assert (lm(sequence, None, memory) - expected).abs().max() < 3e-3  # weights in half precision
    for i, text in enumerate(prompts):
        assert torch.equal(greedy(lm, text, 16)[0], torch.from_numpy(told["greedy"][i]).long())
        given = torch.from_numpy(told["codes"][i : i + 1, :, :5]).long()
        continued = torch.from_numpy(told["greedy_continued"][i]).long()
        assert torch.equal(greedy(lm, text, 16, given)[0], continued)


def test_the_spec_is_read_without_torch(mono: Path, packed: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from pathlib import Path; from engines.families.roster import recognised\n"
        "for folder in sys.argv[1:]: print(recognised(Path(folder))[1].parts(Path(folder))['model'])\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(mono), str(packed)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "3 blocks of width 32, EnCodec, 50 Hz, 4 x 64, T5, CC-BY-NC-4.0",
        "4 blocks of width 64, EnCodec, 50 Hz, 4 x 256, T5, CC-BY-NC-4.0",
    ]


def test_older_files_and_files_in_shards_are_the_same_network(mono: Path, tmp_path: Path) -> None:
    """Released ones are torch's own, or have the older names of weight norm, or lie in several files."""
    from safetensors.torch import load_file, save_file

    state = load_file(mono / "model.safetensors")
    older = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): weight
        for name, weight in state.items()
    }
    for kind in ("bin", "shards"):
        folder = tmp_path / kind
        shutil.copytree(mono, folder)
        (folder / "model.safetensors").unlink()
        if kind == "bin":
            torch.save(older, folder / "pytorch_model.bin")
        else:
            names = sorted(older)
            shards = {"1.safetensors": names[::2], "2.safetensors": names[1::2]}
            for file, part in shards.items():
                save_file({name: older[name].contiguous() for name in part}, folder / file)
            index = {name: file for file, part in shards.items() for name in part}
            (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
        assert all(torch.equal(a, b) for a, b in zip(made_by(folder), made_by(mono), strict=True))


def made_by(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and sound of the same codes."""
    models, codes = opened(folder), torch.arange(24).view(1, 4, 6)
    lm, codec = models.ar(), models.tokenizer()
    with torch.inference_mode():
        logits = lm(codes, None, lm.remember(models.words(PROMPT), None, 1))
        return logits, codec.decode(codec.dequantize(codes))


def break_gelu(folder: Path) -> None:
    told = json.loads((folder / "config.json").read_text())
    told["decoder"]["activation_function"] = "relu"
    (folder / "config.json").write_text(json.dumps(told))


def lose_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("fault", "words"),
    [(break_gelu, "expected 'gelu'"), (lose_weights, "no weights lie there")],
)
def test_what_cannot_be_used_is_refused_in_words(
    mono: Path, tmp_path: Path, fault: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(mono, folder)
    fault(folder)
    with pytest.raises(InputError, match=words):
        recognised(folder)


def test_a_package_that_holds_more_than_weights_is_refused(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(packed, folder)
    torch.save({"best_state": {}, "xp.cfg": Path("x")}, folder / "state_dict.bin")
    with pytest.raises(InputError, match="no weight"):
        recognised(folder)
    (folder / "state_dict.bin").write_bytes(b"no package")
    with pytest.raises(InputError, match="cannot be used"):
        recognised(folder)
    shutil.copy(packed / "state_dict.bin", folder)
    torch.save({"pretrained": "facebook/encodec_32khz"}, folder / "compression_state_dict.bin")
    with pytest.raises(InputError, match="encodec_32khz"):
        opened(folder).codec()
    shutil.rmtree(folder / "t5-base")
    with pytest.raises(InputError, match="t5-base"):
        opened(folder).words("piano")


def test_without_transformers_it_says_what_to_install(mono: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"pip install 'inlay\[models\]'"):
        family.load_words(mono, recognised(mono)[1], torch.device("cpu"))


FEW = ARSettings(candidates=3, seeded=1)


@pytest.mark.parametrize("format", ["mono", "packed"])
def test_a_clip_is_made(format: str, request: pytest.FixtureRequest) -> None:
    models, seen = opened(request.getfixturevalue(format)), list[Progress]()
    clip = GenerateRequest("ar", PROMPT, 1.5, 3)
    result = ar.run(clip, models, seen.append)
    assert result.audio.seconds == 1.5 and result.audio.rate == 32_000
    assert result.parameters["guidance"] == {"all": 3.0, "text": 0.0}
    steps = [p.step for p in seen if p.stage == "sample"]
    assert steps == list(range(75 + 3 + 1))
    again = ar.run(clip, models).audio.samples
    assert np.array_equal(again, result.audio.samples)
    assert not np.array_equal(ar.run(replace(clip, seed=4), models).audio.samples, again)
    assert not np.array_equal(ar.run(replace(clip, prompt="loud rock"), models).audio.samples, again)


@pytest.mark.parametrize(("start", "end"), [(1.5, 2.0), (0.0, 0.5), (3.5, 4.0)])
def test_a_span_is_made_from_what_precedes(mono: Path, song: Recording, start: float, end: float) -> None:
    models = opened(mono)
    request = InpaintRequest("ar", song, start, end, seed=2, ar=FEW)
    result = ar.run(request, models)
    first, last = round(start * song.rate), round(end * song.rate)
    made, was = result.audio.samples, song.samples
    assert np.array_equal(made[:first], was[:first]) and np.array_equal(made[last:], was[last:])
    assert not np.array_equal(made[first:last], was[first:last])
    assert np.array_equal(ar.run(request, models).audio.samples, made)
    other = ar.run(replace(request, seed=3), models).audio.samples
    assert not np.array_equal(other, made)
    follows: Any = result.parameters.get("follows")
    if end == 4.0:  # nothing does
        assert follows is None
    else:  # the better two of three are heard, and the seams choose among these
        costs = np.array(follows["nats"])
        assert follows["heard"] == sorted(np.argsort(costs)[:2].tolist())
        assert result.candidates is not None and len(result.candidates.each) == 2


def test_cancel_stops_it_at_a_step(mono: Path, song: Recording) -> None:
    models = opened(mono)

    def hook(progress: Progress) -> None:
        if progress.stage == "sample" and progress.step == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        ar.run(InpaintRequest("ar", song, 1.5, 2.0, ar=FEW), models, hook)
    assert models.device_lock.acquire(timeout=1)
    models.device_lock.release()


def test_a_long_recording_is_heard_through_the_window(mono: Path, song: Recording) -> None:
    """What precedes by more than the window allows has no say."""
    long = from_float(np.tile(song.as_float(), (10, 1)), song.rate)
    result = ar.run(InpaintRequest("ar", long, 30.0, 30.4, seed=1, ar=ARSettings(candidates=1)), opened(mono))
    window: Any = result.parameters["window"]
    assert window["seconds"] == 30.0 and window["start"] == pytest.approx(10.0, abs=0.02)
