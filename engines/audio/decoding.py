"""Files -> samples in the file's own number type, as long as what comes: no header is believed.

libsndfile decodes. Before it reads, sizes that a WAV's header does not know are put right, the frames of an
MP3 are counted, and the streams of a chained Ogg are taken apart. Counts are samples of one channel.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from engines.audio import flac, mpeg
from engines.audio.chunks import Chunk, Patched, sizes
from engines.errors import InputError

MAX_SECONDS: Final = 40 * 60.0  # longest recording that can be held
MAX_BYTES: Final = 2 << 30  # largest recording in memory
MAX_FILE_BYTES: Final = 512 << 20  # of a compressed file that is read as a whole
RATES: Final = (4000, 384000)  # lowest and highest sample rate, Hz
_BLOCK: Final = 1 << 14  # samples read at a time, so that a damaged tail loses little
_UNKNOWN: Final = 1 << 50  # samples: libsndfile tells so many where it does not know
_MAX_STREAMS: Final = 1000  # of a chained Ogg
NATIVE: Final = {  # lossless subtypes: number type that libsndfile reads and writes exactly
    "PCM_U8": "int16",
    "PCM_S8": "int16",
    "PCM_16": "int16",
    "PCM_24": "int32",
    "PCM_32": "int32",
    "ALAC_16": "int16",
    "ALAC_20": "int32",
    "ALAC_24": "int32",
    "ALAC_32": "int32",
    "ULAW": "int16",
    "ALAW": "int16",
    "FLOAT": "float32",
    "DOUBLE": "float64",
}


@dataclass(frozen=True)
class Decoded:
    """What a file holds."""

    samples: NDArray[Any]  # [N, C]
    rate: int  # Hz
    format: str  # libsndfile's name of the container
    subtype: str  # libsndfile's name of the sample encoding
    cut: bool  # less is there than the file says
    remarks: tuple[str, ...] = ()
    chunks: tuple[Chunk, ...] = ()


@dataclass(frozen=True)
class _Source:
    """What libsndfile is given to read, one after the other."""

    parts: tuple[bytes | BinaryIO, ...]  # a path, or an open file
    cut: bool | None = None  # None = libsndfile can tell
    remarks: tuple[str, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    lead: int = 0  # samples at the beginning that are not the file's


def decode(path: Path, name: str) -> Decoded:
    """The samples of a file. Raises what soundfile raises for what is no audio, InputError for too much."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        source = _source(file, path)
        pieces: list[NDArray[Any]] = []
        remarks = list(source.remarks)
        cut = bool(source.cut)
        first: soundfile.SoundFile | None = None
        for part in source.parts:
            sound = stack.enter_context(soundfile.SoundFile(part))
            if first is None:
                first = sound
                kind = np.dtype(NATIVE.get(sound.subtype, "float32"))
                _refuse_known(name, sound, kind)
            elif (sound.samplerate, sound.channels) != (first.samplerate, first.channels):
                other = f"{sound.samplerate} Hz in {sound.channels} channels"
                remarks.append(f"{name} goes on at {other}: that is left out")
                break
            held = sum(len(piece) for piece in pieces)
            samples, stopped = _blocks(sound, kind, held, name)
            pieces.append(samples)
            by_log = bool(re.search(r"(data|SSND)\s*:.*should be", sound.extra_info))
            cut = cut or (source.cut is None and (stopped or by_log))
        if first is None:
            raise InputError(f"{name}: holds no sound; expected WAV, FLAC, AIFF, Ogg or MP3; export it again")
        whole = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return Decoded(
            whole[source.lead :],
            first.samplerate,
            first.format,
            first.subtype,
            cut,
            tuple(remarks),
            source.chunks,
        )


def _source(file: BinaryIO, path: Path) -> _Source:
    """What of a file libsndfile is to read."""
    plain = _Source((os.fsencode(path),))
    wave = sizes(file)
    if wave is not None:
        lost = (f"{wave.dropped} bytes beside its sound are left out",) if wave.dropped else ()
        if not wave.patches:
            return _Source(plain.parts, wave.cut, lost, wave.chunks)
        file.seek(0)
        return _Source((Patched(file, wave.patches),), False, lost, wave.chunks)  # type: ignore[arg-type]
    longer = flac.patches(file)
    if longer is not None:
        file.seek(0)
        return _Source((Patched(file, longer),) if longer else plain.parts)  # type: ignore[arg-type]
    file.seek(0)
    start = file.read(4)
    if file.seek(0, os.SEEK_END) > MAX_FILE_BYTES:
        return plain
    file.seek(0)
    if start == b"OggS":
        content = file.read()
        links = list(_links(content))
        if len(links) < 2:
            return plain
        return _Source(tuple(io.BytesIO(content[a:b]) for a, b in links))
    if start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0"):
        content = file.read()
        frames = mpeg.frames_of(content)
        if frames is None:
            return plain
        if frames.told:
            return _Source(plain.parts, frames.cut)
        whole, lead = mpeg.with_header(content, frames)
        return _Source((io.BytesIO(whole),), False, lead=lead)
    return plain


def _links(content: bytes) -> Iterator[tuple[int, int]]:
    """The bytes [a, b) of each stream of a chained Ogg: one begins where pages begin streams after others."""
    at = start = count = 0
    begun = False  # whether pages of music have come
    while content[at : at + 4] == b"OggS" and at + 27 <= len(content):
        first = bool(content[at + 5] & 2)
        if first and begun and count < _MAX_STREAMS:
            yield start, at
            start, count = at, count + 1
        begun = not first
        segments = content[at + 26]
        at += 27 + segments + sum(content[at + 27 : at + 27 + segments])
        if content[at : at + 4] != b"OggS":  # something else between two pages
            following = content.find(b"OggS", at)
            at = len(content) if following < 0 else following
    yield start, len(content)


def _refuse_known(name: str, sound: soundfile.SoundFile, kind: np.dtype[Any]) -> None:
    """Refuse rates, and what is too large by the bytes that are there."""
    low, high = RATES
    if not low <= sound.samplerate <= high:
        raise InputError(f"{name}: {sound.samplerate} Hz; expected {low}-{high} Hz; resample it first")
    if sound.format in ("FLAC", "OGG", "MP3"):  # tell a number that nothing holds them to
        return
    _refuse_too_large(name, sound, kind, sound.frames)


def _refuse_too_large(
    name: str, sound: soundfile.SoundFile, kind: np.dtype[Any], frames: int, over: bool = False
) -> None:
    if frames > MAX_SECONDS * sound.samplerate:
        long = f"over {MAX_SECONDS / 60:.0f} min" if over else f"{frames / sound.samplerate / 60:.0f} min"
        raise InputError(
            f"{name}: {long}; at most {MAX_SECONDS / 60:.0f} min can be edited; cut out the part you need"
        )
    held = frames * sound.channels * kind.itemsize
    if held > MAX_BYTES:
        raise InputError(
            f"{name}: {held / 2**30:.1f} GB of samples; at most {MAX_BYTES / 2**30:.0f} GB can be edited; "
            "cut out the part you need, or export it as 16-bit stereo at 48 kHz"
        )


def _blocks(
    sound: soundfile.SoundFile, kind: np.dtype[Any], held: int, name: str
) -> tuple[NDArray[Any], bool]:
    """All readable samples [N, C], and whether the file says more; `held` samples came before."""
    said = sound.frames if sound.frames < _UNKNOWN else None
    whole = np.empty((min(said or 0, _BLOCK * 64), sound.channels), kind)  # grows: a header may lie
    done = 0
    while said is None or done < said:
        wanted = _BLOCK if said is None else min(_BLOCK, said - done)
        block, broken = np.empty((wanted, sound.channels), kind), False
        try:
            block = sound.read(dtype=kind.name, out=block)
        except soundfile.LibsndfileError:  # what came before the damage is in the block
            block, broken = block[: max(0, min(sound.tell() - done, wanted))], True
        if not len(block):
            break
        if done + len(block) > len(whole):
            _refuse_too_large(name, sound, kind, held + done + len(block), over=True)
            larger = np.empty((max(2 * len(whole), done + len(block)), sound.channels), kind)
            larger[:done] = whole[:done]
            whole = larger
        whole[done : done + len(block)] = block
        done += len(block)
        if broken:
            break
    _refuse_too_large(name, sound, kind, held + done, over=True)
    return whole[:done], said is not None and done < said
