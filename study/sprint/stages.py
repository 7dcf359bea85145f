"""The process that trains: codec, encoding, FM, AR, one after the other; each leaves what it has finished.

`python -m study.sprint.stages --state FOLDER` is started by `study.sprint.run`, which starts it again should
it die. What is done is seen from files in the state folder, so that it goes on where it was. A stage that
runs out of memory begins again with half a batch; one that fails otherwise is passed over by those after it.
"""

from __future__ import annotations

import argparse
import time
import traceback
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from engines.checkpoints.allocator import keep_freed_memory
from engines.checkpoints.bundle import BundleSpec
from engines.checkpoints.shelf import save_bundle
from engines.networks.codec import Codec
from engines.networks.flow_net import FlowNet
from engines.networks.lm import LM
from engines.networks.shapes import FlowConfig, LMConfig
from study.data.dataset import encode_codes, encode_latents, statistics_of
from study.sprint import codec as codec_stage
from study.sprint.pieces import bytewise, send, send_notes
from study.sprint.plan import read_plan
from study.sprint.resident import Resident
from study.train import ar as train_ar
from study.train import fm as train_fm
from study.train.autoencoder.course import Config
from study.train.codec import finish, new_codec
from study.train.run import Run

LICENCE = "CC-BY-SA-4.0"
FRAME_RATE = 25.0
TRAIN = ("train_pairs", "train")
SENT_EVERY = 40.0  # seconds between two versions of what is sent
LOGS = {"stages.log": "stages.log", "cores.log": "cores.log"}


class Sprint:
    """One run on one device."""

    def __init__(self, state: Path, pack: Path, out: Path, device: str) -> None:
        self.plan, self.clock = read_plan(state / "plan.json")
        self.state, self.pack, self.out, self.device = state, pack, out, device
        self.data, self.bundle = state / "data", state / "bundle"
        heads, ff = max(1, self.plan.dim // 32), 11 * self.plan.dim // 4
        self.flow = FlowConfig(dim=self.plan.dim, layers=self.plan.layers, heads=heads, ff=ff, band=True)
        self.lm = LMConfig(
            codebook_size=self.plan.codebook_size, dim=self.plan.dim, layers=self.plan.layers,
            heads=heads, ff=ff, dropout=0.1, band=True,
        )  # fmt: skip
        self.config = Config(
            width=self.plan.width,
            codebook_size=self.plan.codebook_size,
            batch=self.plan.codec_batch,
            device=device,
        )
        self.packed = bytewise(self._sizes())
        self._sent = 0.0

    def _sizes(self) -> dict[str, int]:
        codec = new_codec(self.config)
        parts: dict[str, nn.Module] = {"codec": codec, "ar": LM(self.lm), "fm": FlowNet(self.flow)}
        return {k: 2 * sum(w.numel() for w in part.state_dict().values()) for k, part in parts.items()}

    def spec(self) -> BundleSpec:
        """What stands in the bundle so far."""
        path = self.bundle / "bundle.json"
        return (
            BundleSpec.from_json(path.read_text()) if path.exists() else BundleSpec("inlay-sprint", LICENCE)
        )

    def deliver(self, codec: Codec | None = None, lm: LM | None = None, flow: FlowNet | None = None) -> None:
        """Write a part in half precision and send it, with the curves."""
        save_bundle(self.bundle, self.spec(), codec, lm, flow)
        for part, given in (("codec", codec), ("ar", lm), ("fm", flow)):
            if given is not None:
                send(self.bundle, part, self.out, self.packed and part != "codec")
        curves = {f"{part}.csv": self.state / part / "curves.csv" for part in ("codec", "fm", "ar")}
        send_notes(self.bundle, curves | {name: self.state / path for name, path in LOGS.items()}, self.out)
        self._sent = time.time()

    def train_codec(self) -> None:
        """Until its share of the run is over, on what has been rendered so far."""
        done = self.state / "codec" / "done"
        if not done.exists():
            clips = round(self.plan.hours * 3600 / 12) + self.plan.shard
            folders, recordings = [self.data / name for name in TRAIN], self.pack / "recordings"
            crops = codec_stage.Crops(folders, recordings / "train", clips, 384_000, self.device)
            while not (crops.filled and any((self.data / "held_out").glob("labels_*.json"))):
                if self.clock.left(0.8) <= 0:
                    raise RuntimeError("nothing was rendered in time; see cores.log")
                time.sleep(0.5)
                crops.load()
            crops.follow()
            tests = codec_stage.test_audio(self.data / "held_out", recordings / "held_out", self.device)
            seconds = self.clock.turn(self.plan.codec_until, 0.4)
            try:
                codec_stage.train(self.config, crops, tests, self.state / "codec", seconds, self.plan.every)
            finally:
                crops.close()
            done.touch()
        with torch.no_grad():
            self.deliver(codec=finish(self.state / "codec", self.data / "train", None))

    @torch.no_grad()
    def encode(self) -> None:
        """Latents and codes of every shard that is whole, held-out ones first, until the share is over."""
        codec, count = finish(self.state / "codec", self.data / "train", None).to(self.device), 0
        for folder in ("held_out", *TRAIN):
            for shard in sorted((self.data / folder).glob("audio_*.npy")):
                whole = (
                    (self.data / folder / shard.name.replace("audio", "lanes")).with_suffix(".pt").exists()
                )
                if not whole or (count > 1 and self.clock.left(self.plan.encode_until) <= 0):
                    continue
                kinds = [shard.with_name(shard.name.replace("audio", kind)) for kind in ("latents", "codes")]
                if not kinds[0].exists():
                    encode_latents(codec, shard, batch=25)
                if not kinds[1].exists():
                    encode_codes(codec, shard)
                count += 1
        print(f"{count} shards encoded", flush=True)

    def load(self, codes: bool) -> tuple[Resident, Resident]:
        """Training and held-out data on the device."""
        mean, std = statistics_of(self.state / "codec")
        folders = [f for f in (self.data / name for name in TRAIN) if f.is_dir()]
        train = Resident(folders, mean, std, FRAME_RATE, 0, codes, self.device)
        held_out = Resident(self.data / "held_out", mean, std, FRAME_RATE, 1, codes, self.device)
        paired = (train.twins != range(len(train.twins))).mean()
        print(f"{len(train.labels)} clips on {self.device}, {paired:.2f} with twins", flush=True)
        return train, held_out

    def _times(self, part: str, until: float, least: float) -> tuple[float, float, float]:
        """Minutes in all, share at the full rate and minutes of this turn of a network."""
        seconds, saved = self.clock.turn(until, least), self.state / part / "state.pt"
        spent = (
            float(torch.load(saved, weights_only=True, map_location="cpu")["spent"])
            if saved.exists()
            else 0.0
        )
        hold = (spent + 0.4 * seconds) / (spent + seconds) if spent else 0.0
        return (spent + seconds) / 60, hold, seconds / 60

    def seen(self, run: Run) -> None:
        """After each row of the curves: now and then a checkpoint, and a version that is sent."""
        if time.time() - self._sent > min(SENT_EVERY, 4 * self.plan.every):
            run.save()
            self.send_averaged(run)

    def send_averaged(self, run: Run) -> None:
        """Send a network with its averaged weights."""
        with run.averaged():
            net = run.module
            self.deliver(flow=net) if isinstance(net, FlowNet) else self.deliver(lm=net)  # type: ignore[arg-type]

    def train_fm(self) -> None:
        """The FM network."""
        data, held_out = self.load(codes=False)
        minutes, hold, turn = self._times("fm", self.plan.fm_until, 0.4)
        config = train_fm.Config(
            self.flow, minutes, batch=self.plan.fm_batch, hold=hold, turn=turn, every=self.plan.every,
            device=self.device, compiled=60 * turn >= self.plan.compile_from,
        )  # fmt: skip
        self.send_averaged(train_fm.train(config, data, held_out, self.state / "fm", seen=self.seen))

    def train_ar(self) -> None:
        """The AR network."""
        data, held_out = self.load(codes=True)
        minutes, hold, turn = self._times("ar", 1.0, 1.0)
        config = train_ar.Config(
            self.lm, minutes, batch=self.plan.ar_batch, hold=hold, turn=turn, every=self.plan.every,
            device=self.device, compiled=60 * turn >= self.plan.compile_from,
        )  # fmt: skip
        self.send_averaged(train_ar.train(config, data, held_out, self.state / "ar", seen=self.seen))

    def halve(self) -> None:
        """Smaller batches, after the device ran out of memory."""
        self.plan = replace(
            self.plan, fm_batch=max(1, self.plan.fm_batch // 2), ar_batch=max(1, self.plan.ar_batch // 2),
            codec_batch=max(2, self.plan.codec_batch // 2),
        )  # fmt: skip
        self.config = replace(self.config, batch=self.plan.codec_batch)
        torch.cuda.empty_cache()


def go(sprint: Sprint, names: list[str]) -> bool:
    """All stages in turn; True where none failed."""
    failed: list[str] = []
    for name in names:
        if name != "train_codec" and not (sprint.state / "codec" / "codec.pt").exists():
            print(f"{name}: left out, there is no codec", flush=True)
            failed.append(name)
            continue
        for attempt in range(3):
            begin = time.time()
            try:
                getattr(sprint, name)()
                print(f"{name}: {time.time() - begin:.0f} s, {sprint.clock.left():.0f} s left", flush=True)
                break
            except torch.OutOfMemoryError:
                print(f"{name}: out of memory at attempt {attempt + 1}", flush=True)
                sprint.halve()
            except (Exception, SystemExit):
                traceback.print_exc()
                failed.append(name)
                break
    return not failed


def stages_of(wanted: list[str]) -> list[str]:
    """Names of the stages that are asked for, in their order."""
    return [
        f"train_{name}" if name != "encode" else name
        for name in ("codec", "encode", "fm", "ar")
        if name in wanted
    ]


def main() -> None:
    """Train until the clock says that it is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stages", default="codec,encode,fm,ar")
    args = parser.parse_args()
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sprint = Sprint(args.state, args.pack, args.out, device)
    torch.set_num_threads(sprint.plan.threads)
    print(
        f"{device}, torch {torch.__version__}, {sprint.clock.left():.0f} s left, packed: {sprint.packed}",
        flush=True,
    )
    raise SystemExit(0 if go(sprint, stages_of(args.stages.split(","))) else 1)


if __name__ == "__main__":
    main()
