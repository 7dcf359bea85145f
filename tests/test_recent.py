"""What is remembered between requests: bounded, by content, and never what belongs to something else."""

from dataclasses import replace
from threading import Thread

import numpy as np
import torch

from engines import fm, zero_shot
from engines.audio.recording import Recording
from engines.audio.seams import JUDGES, judge_of
from engines.checkpoints.shelf import Models
from engines.filling import window as windows
from engines.filling.recent import Recent, content
from engines.requests import FMSettings, InpaintRequest


def test_the_last_values_are_kept_and_made_once() -> None:
    made: list[int] = []
    recent: Recent[int] = Recent(2)

    def value(key: int) -> int:
        return recent.get(key, lambda: made.append(key) or 10 * key)  # type: ignore[func-returns-value]

    assert [value(key) for key in (1, 2, 1, 3, 1, 2)] == [10, 20, 10, 30, 10, 20]
    assert made == [1, 2, 3, 2], "the one asked for longest ago goes first"


def test_threads_that_ask_at_once_all_get_the_value() -> None:
    recent: Recent[bytes] = Recent(4)
    found: list[bytes] = []
    threads = [
        Thread(target=lambda k=k: found.append(recent.get(k % 8, lambda: bytes([k % 8])))) for k in range(64)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(bytes([k % 8]) for k in range(64))


def test_samples_are_known_by_what_they_are() -> None:
    audio = np.zeros(100, np.float32)
    other = audio.copy()
    assert content(audio) == content(other)
    other[50] = 1e-6
    assert content(audio) != content(other)


def test_a_clip_that_changed_does_not_get_the_old_latents(models: Models, song: Recording) -> None:
    request = InpaintRequest("fm", song, 1.5, 2.5)
    window = windows.cut(request, models.codec(), 10.0)
    first = windows.encode(window, models)
    assert torch.equal(windows.encode(window, models), first)
    louder = replace(window, audio=window.audio * np.float32(1.5))
    assert not torch.equal(windows.encode(louder, models), first)
    fresh = windows._latents(models.codec(), louder.audio.copy(), models)
    assert torch.equal(windows.encode(louder, models, silenced=False), fresh[..., : window.frames])


def test_a_request_gives_the_same_again_whatever_came_between(models: Models, song: Recording) -> None:
    request = InpaintRequest("fm", song, 1.5, 2.5, seed=3)
    first = fm.run(request, models).audio.samples
    method = FMSettings(zero_shot="guided", steps=4)  # takes gradients, of what another run encoded too
    zero_shot.run(InpaintRequest("fm-zero-shot", song, 1.5, 2.5, fm=method), models)
    fm.run(replace(request, start=1.0), models)
    assert np.array_equal(fm.run(request, models).audio.samples, first)
    elsewhere = replace(song, samples=song.samples // 2)
    assert not np.array_equal(fm.run(replace(request, source=elsewhere), models).audio.samples, first)


def test_judges_of_many_spans_do_not_pile_up(song: Recording) -> None:
    spans = [(0.1 * k + 0.5, 0.1 * k + 1.5) for k in range(JUDGES + 2)]
    first = judge_of(song, *spans[0])
    assert judge_of(song, *spans[0]) is first
    for span in spans[1:]:
        judge_of(song, *span)
    assert judge_of(song, *spans[0]) is not first
