"""What the browser plays: a WAV around a span, or a whole clip in a format that every browser decodes.

Times in seconds. Written into the project's previews/, which can be made again at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from editor.project.disk.files import PREVIEWS, unplaced
from editor.project.disk.sounds import audio_path, sound_path
from editor.project.document import Region, Sound
from engines.audio.recording import Recording, write_recording
from engines.errors import InputError

MARGIN = 2.25  # seconds of context on each side of a span's preview
_BROWSER_SUBTYPES = {  # what every browser decodes
    "WAV": {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"},
    "FLAC": {"PCM_16", "PCM_24"},
}


def preview(folder: Path, sound: Sound, region: Region) -> tuple[float, Path]:
    """A WAV of a clip's samples around a span, and the time in seconds at which it begins.

    InputError where the audio is damaged or gone, or the disk is full.
    """
    with _in_words(folder, sound):
        path = audio_path(folder, sound.file)
        info = soundfile.info(str(path))
        first = max(0, int((region.start - MARGIN) * info.samplerate))
        last = min(info.frames, int((region.end + MARGIN) * info.samplerate))
        target = folder / PREVIEWS / f"{sound_key(sound)}-{first}-{last}.wav"
        if not target.exists():
            samples = _floats(path, first, last)
            for patch in sound.patches:
                over = audio_path(folder, patch.file)
                begin, end = patch.first, patch.first + soundfile.info(str(over)).frames
                a, b = max(first, begin), min(last, end)
                if a < b:
                    samples[a - first : b - first] = _floats(over, a - begin, b - begin)
            _store(target, samples, info.samplerate)
        return first / info.samplerate, target


def playable(folder: Path, sound: Sound) -> Path:
    """A file with a clip's samples that every browser decodes: its own, else a WAV.

    InputError where the audio is damaged or gone, or the disk is full.
    """
    with _in_words(folder, sound):
        path = sound_path(folder, sound)
        info = soundfile.info(str(path))
        if info.subtype in _BROWSER_SUBTYPES.get(info.format, ()):
            return path
        target = folder / PREVIEWS / f"{path.stem}.wav"
        if not target.exists():
            _store(target, _floats(path, 0, info.frames), info.samplerate)
        return target


@contextmanager
def _in_words(folder: Path, sound: Sound) -> Iterator[None]:
    """Whatever keeps a sound from being played becomes an InputError: the page goes on without it."""
    try:
        yield
    except InputError as error:
        raise InputError(unplaced(str(error), folder)) from error
    except (soundfile.LibsndfileError, ValueError) as error:
        raise InputError(
            f"audio file {sound.file!r}: damaged, so that it cannot be played; undo to before it, or put a "
            "copy of it into the project's folder"
        ) from error
    except OSError as error:
        raise InputError(
            f"what is to be played cannot be written ({error.strerror}); free some space"
        ) from error


def sound_key(sound: Sound) -> str:
    """A short name for a sound, the same for the same samples."""
    parts = [sound.file, *(f"{patch.file}@{patch.first}" for patch in sound.patches)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _floats(path: Path, first: int, last: int) -> NDArray[np.float32]:
    """Samples [first, last) of a file: [n, C]."""
    samples: NDArray[np.float32]
    samples, _ = soundfile.read(str(path), start=first, stop=last, dtype="float32", always_2d=True)
    return samples


def _store(target: Path, samples: NDArray[np.float32], rate: int) -> None:
    """Samples [n, C] as a 32-bit float WAV, whole or not at all."""
    target.parent.mkdir(exist_ok=True)
    write_recording(target, Recording(samples, rate, "WAV", "FLOAT"))
