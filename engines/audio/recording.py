"""A recording: samples as the file holds them, with rate and format; reading and writing.

Samples stay in the file's native number type, because libsndfile's scaling to floats and back is
not exact: what is read and written again is bit-identical. Times are seconds, counts are samples
of one channel. Does not know torch, models or the timeline.

Native types: 8- and 16-bit files are int16 (8-bit values lie 256 apart), 24- and 32-bit files are
int32 (24-bit values lie 256 apart), float files float32 or float64. A lossy file (MP3, Ogg,
ADPCM) is held as 32-bit float WAV, since no second lossy encoding could keep its samples.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from engines.audio import chunks as wave_chunks
from engines.audio.chunks import Chunk
from engines.audio.decoding import MAX_BYTES, MAX_SECONDS, NATIVE, RATES, decode
from engines.audio.timebase import resampled_length
from engines.errors import InputError

Samples = NDArray[Any]  # [N, C], one of the native types above

_STEP: Final = {"PCM_U8": 256, "PCM_S8": 256, "PCM_24": 256, "ALAC_20": 4096, "ALAC_24": 256}
_BY_SUFFIX: Final = {
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".flac": ("FLAC",),
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
    ".w64": ("W64",),
    ".caf": ("CAF",),
    ".au": ("AU",),
}
SUFFIXES: Final = {  # of a container's files
    name: suffix for suffix, names in reversed(_BY_SUFFIX.items()) for name in names if suffix != ".aif"
}
_LOSSY_SUFFIXES: Final = (".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac")
_CANCELS: Final = (
    0.2  # power of the sum of all channels, over that of their sum where they differ: less cancels
)
_BLOCK: Final = 1 << 14  # samples read at a time, so that a damaged tail loses little


def _read_umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


_WRITE_FAILED: Final = 2  # libsndfile: the system refused, as on a full disk; all else is the format's
_UMASK = _read_umask()  # once, at import: reading it sets it for a moment, for all threads


@dataclass(frozen=True, eq=False)
class Patch:
    """What stands in a part of a recording instead of its own samples."""

    first: int  # sample of the recording
    samples: Samples = field(repr=False)  # [n, C], native type

    @property
    def last(self) -> int:
        """The sample after it."""
        return self.first + len(self.samples)


@dataclass(frozen=True, eq=False)
class Recording:
    """Audio as a file holds it. Compared by identity; the samples cannot be written to."""

    samples: Samples = field(repr=False)  # [N, C], native type
    rate: int  # Hz
    format: str = "WAV"  # libsndfile's name of the container
    subtype: str = "PCM_16"  # libsndfile's name of the sample encoding
    note: str = ""  # one line for the user about how the file was read; empty when all is well
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)  # of a WAV file, beside its samples
    _mono: dict[int, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)
    _signs: list[NDArray[np.float64]] = field(default_factory=list, init=False, repr=False)  # once measured

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(f"samples of shape {self.samples.shape}: expected [N, C]")
        native = NATIVE.get(self.subtype)
        if native is None or self.samples.dtype != native:
            raise ValueError(f"{self.subtype} samples of type {self.samples.dtype}: expected {native}")
        view = self.samples.view()
        view.flags.writeable = False
        object.__setattr__(self, "samples", view)

    @property
    def length(self) -> int:
        """Number of samples of one channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.length / self.rate

    @property
    def step(self) -> int:
        """Distance of two neighbouring integer sample values (256 for 8- and 24-bit files)."""
        return _STEP.get(self.subtype, 1)

    @property
    def full_scale(self) -> float:
        """The native value that stands for 1.0."""
        return _full_scale(self.samples.dtype)

    def as_float(self, start: int = 0, end: int | None = None) -> NDArray[Any]:
        """Samples [start, end) as floats, full scale = 1: [n, C], a copy; see `floats_of`."""
        return floats_of(self.samples[start:end])

    def to_native(self, values: NDArray[Any]) -> Samples:
        """Floats [N, C] with full scale 1 -> this recording's number type [N, C].

        Integers are rounded to the nearest value the format can hold and limited, never wrapped.
        """
        if self.samples.dtype.kind == "f":
            return values.astype(self.samples.dtype)
        bounds = np.iinfo(self.samples.dtype)
        steps = np.rint(values.astype(np.float64) * (self.full_scale / self.step))
        limited = np.clip(steps, bounds.min // self.step, bounds.max // self.step)
        native: Samples = (limited * self.step).astype(self.samples.dtype)
        return native

    @property
    def signs(self) -> NDArray[np.float64]:
        """What each channel counts in the mono sum: [C], 1, or -1 of those that would cancel the others."""
        if not self._signs:
            self._signs.append(_signs_of(self.samples))
        return self._signs[0].copy()

    def mono(self, start: int = 0, end: int | None = None) -> NDArray[Any]:
        """The mean of all channels over samples [start, end), full scale = 1: [n].

        Channels that would cancel each other are turned over first (`signs`), so that all is heard.
        """
        return mean_of(self.as_float(start, end), self.signs)

    def mono_at(self, rate: int) -> NDArray[np.float32]:
        """The mean of all channels, as `mono` has it, at `rate` Hz: float32 [resampled_length(N)], a copy.

        Resampled with soxr's high quality, linear phase; the result is kept for the next call.
        """
        if rate not in self._mono:
            mono = np.empty(self.length, np.float32)
            signs = self.signs
            for at in range(0, self.length, _BLOCK):  # blocks: a 30-minute file stays small in memory
                part = self.samples[at : at + _BLOCK]
                total = part[:, 0].astype(np.float64)
                for c in range(1, self.channels):  # much faster than a sum over so short an axis
                    total += part[:, c] if signs[c] > 0 else -part[:, c].astype(np.float64)
                mono[at : at + _BLOCK] = total / (self.full_scale * self.channels)  # [n, C] -> [n]
            self._mono[rate] = resample(mono, self.rate, rate)
        return self._mono[rate].copy()

    def with_patches(self, patches: Iterable[Patch]) -> Recording:
        """A copy with other samples in some parts; raises ValueError as `with_span` does."""
        whole = self
        for patch in patches:
            whole = whole.with_span(patch.first, patch.samples)
        return whole

    def with_span(self, start: int, samples: Samples) -> Recording:
        """A copy whose samples from `start` on are replaced by native `samples` [n, C].

        Raises ValueError if they do not fit in place, channels or number type.
        """
        end = start + samples.shape[0]
        if start < 0 or end > self.length or samples.shape[1:] != self.samples.shape[1:]:
            raise ValueError(f"span {start}..{end} of shape {samples.shape} in {self.samples.shape}")
        if samples.dtype != self.samples.dtype:
            raise ValueError(f"span of type {samples.dtype}: expected {self.samples.dtype}")
        whole = self.samples.copy()
        whole[start:end] = samples
        copy = replace(self, samples=whole)
        copy._signs.extend(self._signs)  # what is heard of both is heard alike
        return copy


def _full_scale(kind: np.dtype[Any]) -> float:
    return 1.0 if kind.kind == "f" else float(-np.iinfo(kind).min)


def floats_of(samples: Samples) -> NDArray[Any]:
    """Native samples [n, C] as floats, full scale = 1: [n, C], a copy.

    float32 for 8/16-bit and float32 files, float64 for 24/32-bit and float64 files (exact).
    """
    wide = samples.dtype.itemsize > 2 and samples.dtype != np.float32
    values: NDArray[Any] = samples.astype(np.float64 if wide else np.float32)
    values *= 1.0 / _full_scale(samples.dtype)  # a power of two: exact
    return values


def mean_of(
    values: NDArray[Any], signs: NDArray[np.float64], kind: type[np.floating[Any]] | None = None
) -> NDArray[Any]:
    """The mean of all channels [n, C], each counted as its sign says, summed in type `kind`: [n].

    Column after column: the same as `mean` over an axis of so few, and six times as fast.
    """
    kind = kind or values.dtype.type
    total: NDArray[Any] = values[:, 0].astype(kind) * kind(signs[0])
    for c in range(1, values.shape[1]):
        total += values[:, c] if signs[c] > 0 else -values[:, c]
    total /= kind(values.shape[1])
    return total


def _signs_of(samples: Samples) -> NDArray[np.float64]:
    """1 or -1 for each channel of [N, C]; all 1 unless their sum nearly cancels."""
    channels = samples.shape[1]
    signs = np.ones(channels)
    if channels < 2 or not len(samples):
        return signs
    together = np.zeros((channels, channels))
    for at in range(0, len(samples), _BLOCK):
        part = samples[at : at + _BLOCK].astype(np.float64)
        together += part.T @ part
    power = float(np.trace(together))
    if power > 0 and together.sum() < _CANCELS * power:  # 1 where channels have nothing in common
        loudest = int(np.argmax(np.diag(together)))
        signs[together[loudest] * np.sign(together[loudest, 0] or 1.0) < 0] = -1.0  # the first one stays
    return signs


def resample(samples: NDArray[Any], rate: int, new_rate: int) -> NDArray[np.float32]:
    """[N] or [N, C] at `rate` Hz -> float32 [resampled_length(N)] or [..., C] at `new_rate` Hz.

    Linear phase (soxr HQ), aligned to within a sample; padded with zeros to the exact length.
    """
    values = np.ascontiguousarray(samples, np.float32)
    if rate == new_rate:
        return values.copy()
    length = resampled_length(len(values), rate, new_rate)
    result = np.zeros((length, *values.shape[1:]), np.float32)
    if length:
        out = soxr.resample(values, rate, new_rate, quality="HQ")[:length]
        result[: len(out)] = out
    return result


def from_float(samples: NDArray[Any], rate: int, subtype: str = "PCM_16") -> Recording:
    """A WAV recording of floats [N] or [N, C] with full scale 1 (no dither).

    Peaks above full scale lower the whole clip instead of being cut off. Raises ValueError for NaN
    or infinite samples.
    """
    values = np.asarray(samples)
    values = values[:, None] if values.ndim == 1 else values  # [N] -> [N, 1]
    if not np.isfinite(values).all():
        raise ValueError("samples are NaN or infinite: expected finite numbers")
    peak = float(np.abs(values).max(initial=0.0))
    if peak > 1.0 and not subtype.startswith(("FLOAT", "DOUBLE")):
        values = values / peak
    empty = Recording(np.zeros((0, values.shape[1]), NATIVE[subtype]), rate, "WAV", subtype)
    return replace(empty, samples=empty.to_native(values))


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """Read any file that libsndfile reads (WAV, FLAC, AIFF, CAF, AU, Ogg, MP3).

    A damaged file gives the part that can be read, with a note. Raises InputError for a missing,
    empty, unreadable, over-long or over-large file, and for NaN or infinite samples.
    """
    path = Path(path)
    name = path.name
    if not path.is_file():
        raise InputError(f"{name}: there is no such file; check the name, or choose another file")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{name} (0 bytes): an audio file was expected; copy or export it again")
    try:
        found = decode(path, name)
    except (soundfile.LibsndfileError, TypeError, OSError) as error:
        raise InputError(
            f"{name} ({size} bytes): not readable as audio; expected WAV, FLAC, AIFF, Ogg or MP3; "
            "export it again as WAV"
        ) from error
    samples, rate, container, subtype = found.samples, found.rate, found.format, found.subtype
    if not len(samples):
        raise InputError(f"{name}: holds no samples; expected at least one; export it again")
    if samples.dtype.kind == "f":
        _refuse_not_finite(name, samples, rate)
    notes = list(found.remarks)
    if found.cut:
        notes.append(f"{name} is damaged or cut short: using its readable {len(samples) / rate:.2f} s")
    if subtype not in NATIVE:
        notes.append(f"{name} is lossy ({subtype}): exported as 32-bit float WAV to keep its samples")
        container, subtype = "WAV", "FLOAT"
    return Recording(samples, rate, container, subtype, "; ".join(notes), found.chunks)


def write_recording(path: str | os.PathLike[str], recording: Recording) -> None:
    """Write a recording; reading it again gives bit-identical samples.

    The container follows the file name (.wav, .flac, .aiff, .caf, .au, .w64), else the recording's
    own. The file appears whole or not at all. Raises InputError when the container cannot hold the
    samples exactly, or when the place cannot be written to.
    """
    path = Path(path)
    container, subtype = _container_for(path, recording)
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it, or choose another")
    handle, scratch = -1, ""
    try:
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=".inlay-", suffix=path.suffix)
        os.close(handle)
        native = os.fsencode(scratch)  # a name may be no text
        soundfile.write(native, recording.samples, recording.rate, format=container, subtype=subtype)
        if recording.chunks and container in _BY_SUFFIX[".wav"]:
            wave_chunks.add(Path(scratch), recording.chunks)
        with Path(scratch).open("rb") as written:  # on the disk before a document names it
            os.fsync(written.fileno())
        Path(scratch).chmod(0o666 & ~_UMASK)
        Path(scratch).replace(path)
        scratch = ""
    except soundfile.LibsndfileError as error:
        if error.code == _WRITE_FAILED:
            raise InputError(
                f"{path}: cannot be written; make room on the disk, or choose another"
            ) from error
        raise InputError(
            f"{path.name}: {container} cannot hold {recording.channels} channels at {recording.rate} Hz; "
            "name the file .wav"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        if scratch:
            Path(scratch).unlink(missing_ok=True)


def _refuse_not_finite(name: str, samples: Samples, rate: int) -> None:
    bad = 0
    first = -1
    for at in range(0, len(samples), _BLOCK):
        wrong = ~np.isfinite(samples[at : at + _BLOCK]).all(axis=1)  # [n, C] -> [n]
        if first < 0 and wrong.any():
            first = at + int(wrong.argmax())
        bad += int(wrong.sum())
    if bad:
        raise InputError(
            f"{name}: {bad} samples are NaN or infinite, the first at {first / rate:.2f} s; "
            "expected finite numbers; export it again"
        )


def _container_for(path: Path, recording: Recording) -> tuple[str, str]:
    """Container and subtype for a file name."""
    suffix = path.suffix.lower()
    if suffix in _LOSSY_SUFFIXES:
        raise InputError(f"{path.name}: {suffix} would change every sample; name the file .wav or .flac")
    containers = _BY_SUFFIX.get(suffix)
    if containers is None or recording.format in containers:
        return recording.format, recording.subtype
    container = containers[0]
    subtype = recording.subtype
    if subtype in ("PCM_S8", "PCM_U8"):  # the same values under either name; WAV knows only U8
        subtype = "PCM_U8" if container == "WAV" else "PCM_S8"
    if subtype.startswith("ALAC_"):
        subtype = {"ALAC_16": "PCM_16", "ALAC_32": "PCM_32"}.get(subtype, "PCM_24")
    if not soundfile.check_format(container, subtype):
        raise InputError(f"{path.name}: {container} cannot hold {subtype} samples; name the file .wav")
    return container, subtype


__all__: list[str] = [
    "MAX_BYTES",
    "MAX_SECONDS",
    "RATES",
    "SUFFIXES",
    "Recording",
    "from_float",
    "read_recording",
    "resample",
    "write_recording",
]
