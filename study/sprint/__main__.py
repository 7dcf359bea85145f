"""The sprint's command line: `python -m study.sprint pack | run | unpack`; see `study/README.md`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from study.sprint.plan import Plan


def _pack(args: argparse.Namespace) -> int:
    from study.sprint.pack import Content, pack, refuse_too_heavy, tree_weight

    content = Content(
        args.scores, args.soundfont or Content.soundfont, args.wheels, args.recordings, 1e6 * args.recorded
    )
    tree = tree_weight()
    sizes = pack(args.out, content, tree)
    for name, size in [*sizes.items(), ("(the tree beside it)", tree)]:
        print(f"{size / 2**20:7.2f} MiB  {name}")
    print(f"{(sum(sizes.values()) + tree) / 2**20:7.2f} MiB  in all")
    refuse_too_heavy(sizes, tree)
    return 0


def _run(args: argparse.Namespace) -> int:
    from study.sprint.run import Folders, run

    plan = Plan.tiny(args.minutes) if args.tiny else Plan(args.minutes)
    given = {
        k: v for k in ("hours", "workers", "dim", "layers", "width") if (v := getattr(args, k)) is not None
    }
    folders = Folders(args.pack.resolve(), args.state.resolve(), args.out.resolve())
    return run(replace(plan, **given), folders, args.stages)


def _unpack(args: argparse.Namespace) -> int:
    from study.sprint.curves import draw
    from study.sprint.pieces import last_losses, unpack

    found = unpack(args.folder, args.out, args.base)
    print(f"{args.out}: {', '.join(found)}")
    for curve in sorted(args.out.glob("*.csv")):
        draw({curve.stem: curve}, curve.with_suffix(".png"))
        print(curve.stem, last_losses(curve))
    print("Before it is committed, the full table:")
    print(f"  python -m study.evaluate --bundle {args.out} --out runs/figures.json")
    print(f"  python -m study.inpainting --bundle {args.out} --spans 40")
    return 0


def main(words: list[str] | None = None) -> int:
    """Pack, run or unpack."""
    parser = argparse.ArgumentParser(prog="python -m study.sprint", description=__doc__)
    commands = parser.add_subparsers(required=True)
    pack = commands.add_parser("pack", help="make the folder that travels")
    pack.add_argument("--out", type=Path, required=True)
    pack.add_argument(
        "--scores", type=Path, default=Path("../shared/data"), help="folder of the score archives"
    )
    pack.add_argument("--soundfont", type=Path, help="a General MIDI sf2 or sf3 of some 20 MB")
    pack.add_argument("--wheels", type=Path, help="folder of wheels to take instead of downloading them")
    pack.add_argument("--recordings", type=Path, default=Path("runs/recordings"))
    pack.add_argument("--recorded", type=float, default=8.0, help="MB of recordings, at most")
    pack.set_defaults(do=_pack)
    run = commands.add_parser("run", help="train on the machine that was lent; called again it goes on")
    run.add_argument("--minutes", type=float, default=9.0)
    run.add_argument("--tiny", action="store_true", help="very little of everything, for a processor")
    run.add_argument("--pack", type=Path, required=True)
    run.add_argument("--out", type=Path, required=True, help="what is handed back")
    run.add_argument(
        "--state", type=Path, default=Path(tempfile.gettempdir()) / "inlay-sprint", help="kept between runs"
    )
    run.add_argument("--stages", default="", help="codec,encode,fm,ar or some of them")
    for name, kind in (("hours", float), ("workers", int), ("dim", int), ("layers", int), ("width", int)):
        run.add_argument(f"--{name}", type=kind)
    run.set_defaults(do=_run)
    unpack = commands.add_parser("unpack", help="make a bundle of what came back")
    unpack.add_argument("folder", type=Path)
    unpack.add_argument("--out", type=Path, default=Path("runs/sprint_bundle"))
    unpack.add_argument(
        "--base", type=Path, help="bundle on the same codec, for parts that did not come back"
    )
    unpack.set_defaults(do=_unpack)
    args = parser.parse_args(words)
    return int(args.do(args))


if __name__ == "__main__":
    sys.exit(main())
