"""What the analysis hears: notes, mel bands and level of a piece of audio on one frame grid.

Frames are FRAME_SECONDS apart, frame f is centred on f * FRAME_SECONDS. Notes come from basic-pitch's
network (Bittner et al. 2022, ICASSP; Apache-2.0, `assets/analysis`), which onnxruntime runs. Audio is read
in windows, so that memory hardly grows with its length. Loads no torch; does not know what music is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.assets import ASSETS
from engines.audio.recording import resample
from engines.audio.spectra import frames_of, mel_filters, mel_frequencies, stft
from engines.errors import InputError
from engines.progress import Stopwatch

Audio = NDArray[np.float32]
RATE = 22_050  # Hz, what basic-pitch's network takes
HOP = 256  # samples a frame
FRAME_SECONDS = HOP / RATE  # 11.6 ms
LOWEST_NOTE = 21  # MIDI pitch of the first of 88 notes
WINDOW_FRAMES = 5120  # frames read at once, 59 s
_MARGIN = 256  # frames heard on both sides of a window, 3 s
_INPUT = 43_844  # samples that the network takes at once, 1.99 s
_EDGE = 15  # frames at each end of its output that it could not hear well
_STEP = 142  # frames taken from each of its outputs: 172 less both edges
MEL_BANDS = 40
QUIETEST = -70.0  # dB of full scale; a frame below it is silence
MODEL = ASSETS / "analysis" / "basic_pitch.onnx"
_lock = threading.Lock()


@dataclass(frozen=True)
class Features:
    """One piece of audio, frame by frame."""

    seconds: float  # length of the audio
    notes: NDArray[np.float32]  # [F, 88] 0..1, how likely a note sounds
    onsets: NDArray[np.float32]  # [F, 88] 0..1, how likely a note begins
    mel: NDArray[np.float32]  # [F, 40] log mel magnitudes, 0 = nothing
    level: NDArray[np.float32]  # [F] RMS over 46 ms, dB of full scale

    @property
    def frames(self) -> int:
        """Number of frames F."""
        return len(self.level)

    @property
    def times(self) -> NDArray[np.float64]:
        """Centres of the frames in seconds, [F]."""
        return np.asarray(np.arange(self.frames) * FRAME_SECONDS, np.float64)

    @property
    def sounding(self) -> NDArray[np.bool_]:
        """Frames that are not silence, [F]."""
        return self.level > QUIETEST


def listen(audio: Audio, rate: int, watch: Stopwatch) -> Features:
    """The features of mono audio [n] at `rate` Hz. Reports each window to `watch`; lets Cancelled through."""
    sound = np.asarray(resample(audio, rate, RATE), np.float32)
    frames = -(-len(sound) // HOP)
    parts: list[tuple[NDArray[np.float32], ...]] = []
    starts = range(0, frames, WINDOW_FRAMES)
    for i, start in enumerate(starts):
        watch.report("listen", i, len(starts))
        first, last = max(0, start - _MARGIN), min(frames, start + WINDOW_FRAMES + _MARGIN)
        window = sound[first * HOP : last * HOP]
        keep = slice(start - first, min(frames, start + WINDOW_FRAMES) - first)
        notes, onsets = _notes(window)
        parts.append((notes[keep], onsets[keep], _mel(window)[keep], _level(window)[keep]))
    watch.report("listen", len(starts), max(len(starts), 1))
    if not parts:
        empty = np.zeros((0, 88), np.float32)
        return Features(0.0, empty, empty, np.zeros((0, MEL_BANDS), np.float32), np.zeros(0, np.float32))
    return Features(len(audio) / rate, *(np.concatenate(p) for p in zip(*parts, strict=True)))


@cache
def _network() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # in the background of a machine that makes music
    options.inter_op_num_threads = 1
    if not MODEL.is_file():
        raise InputError(f"{MODEL}: missing, so notes cannot be heard; restore the folder assets/analysis")
    return onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])


def _notes(sound: Audio) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Notes and onsets [F, 88] of sound [n] at RATE. The network's pieces overlap by both edges."""
    frames = -(-len(sound) // HOP)
    pieces = -(-frames // _STEP)
    padded = np.zeros(_EDGE * HOP + (pieces - 1) * _STEP * HOP + _INPUT, np.float32)
    padded[_EDGE * HOP : _EDGE * HOP + len(sound)] = sound
    heard: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    with _lock:
        network = _network()
        names = [output.name for output in network.get_outputs()]  # onsets, notes, contours
        for i in range(pieces):
            piece = padded[i * _STEP * HOP : i * _STEP * HOP + _INPUT]
            onsets, notes = network.run(names[:2], {network.get_inputs()[0].name: piece[None, :, None]})
            heard.append((notes[0, _EDGE : _EDGE + _STEP], onsets[0, _EDGE : _EDGE + _STEP]))
    notes, onsets = (np.concatenate(part)[:frames] for part in zip(*heard, strict=True))
    return notes, onsets


@cache
def _filters() -> NDArray[np.float32]:
    return mel_filters(RATE, 1024, MEL_BANDS, 30.0, 11_025.0)


def mel_centres() -> NDArray[np.float32]:
    """Centre frequencies of the mel bands in Hz, [40]."""
    return np.asarray(mel_frequencies(MEL_BANDS + 2, 30.0, 11_025.0)[1:-1], np.float32)


def _mel(sound: Audio) -> NDArray[np.float32]:
    """log(1 + 10 m) of the mel magnitudes m, [F, 40], frames of 1024 samples around their centres."""
    frames = -(-len(sound) // HOP)
    spectrum = np.abs(stft(np.pad(sound, (0, 1024)), 1024, HOP))[:, :frames]
    return np.asarray(np.log1p(10 * (_filters() @ spectrum)).T, np.float32)  # [40, F] -> [F, 40]


def _level(sound: Audio) -> NDArray[np.float32]:
    """RMS of 1024 samples around each frame's centre in dB of full scale, [F]."""
    frames = -(-len(sound) // HOP)
    heard = frames_of(np.pad(sound, (0, 1024)), 1024, HOP)[:frames]  # [F, 1024], a view
    rms = np.sqrt(np.einsum("fn,fn->f", heard, heard) / heard.shape[1])
    return np.asarray(20 * np.log10(np.maximum(rms, 1e-6)), np.float32)
