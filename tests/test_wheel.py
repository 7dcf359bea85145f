"""The wheel is whole: built here, installed into an environment of its own, run from another folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engines.audio.recording import read_recording
from tests.serving import Server

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, at: Path) -> str:
    """What a command prints on stdout. Nothing of this checkout is on its path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"INLAY_HOME": str(at / "home"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [str(word) for word in command], cwd=at, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network, by what is installed here."""
    folder = tmp_path_factory.mktemp("dist")
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *offline, "-w", folder, ROOT, at=folder)
    (built,) = folder.glob("inlay-*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel, and sees the dependencies from here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = folder / ".venv"  # where most people have it: a server may refuse files below a dot
    run(sys.executable, "-m", "venv", "--without-pip", environment, at=folder)
    (site,) = environment.glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))  # their own .pth files are not read: no checkout
    python = environment / "bin" / "python"
    install = ("install", "--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, at=folder)
    return environment / "bin"


def test_it_holds_every_file_of_the_program_and_nothing_else(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = set()
    for folder, name in (("assets", "inlay_assets"), ("engines", "engines"), ("editor", "editor")):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        kept = (path.relative_to(ROOT / folder) for path in files if path.suffix not in (".pyc", ".pyi"))
        expected |= {f"{name}/{path.as_posix()}" for path in kept}
    expected |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "study").rglob("*.py")}
    lacking = sorted(expected - packed)
    assert not lacking, "not in the wheel: " + ", ".join(lacking)
    surplus = sorted(name for name in packed - expected if not name.startswith("study/"))
    assert not surplus, "in the wheel, but no part of it: " + ", ".join(surplus)
    assert {"inlay_assets/bundle/ar.safetensors", "inlay_assets/analysis/chords.npz"} <= packed


def test_it_generates_from_another_folder(programs: Path, tmp_path: Path) -> None:
    asked = ("--engine", "fm", "--prompt", "warm piano", "--seconds", "2", "--steps", "4", "--seed", "1")
    told = run(
        programs / "inlay", "generate", *asked, "--device", "cpu", "--out", "clip.wav", "--json", at=tmp_path
    )
    assert json.loads(told)["engine"] == "fm"
    clip = read_recording(tmp_path / "clip.wav")
    assert clip.seconds == pytest.approx(2.0, abs=0.05)
    assert np.abs(clip.samples.astype(np.float64)).max() > 0
    found = run(programs / "python", "-c", "from engines.assets import ASSETS; print(ASSETS)", at=tmp_path)
    assert Path(found.strip()).is_relative_to(programs.parent)  # its own weights, not the checkout's


def test_it_serves_the_page_with_its_files(programs: Path, tmp_path: Path) -> None:
    server = Server("bundle", tmp_path, [str(programs / "inlay"), "serve"], folder=tmp_path)
    try:
        server.wait()
        with urllib.request.urlopen(server.url, timeout=30) as answer:
            assert answer.status == 200
            page = answer.read().decode()
        named = set(re.findall(r"gradio_api/file=(/[\w./-]+)", page))
        assert {Path(file).suffix for file in named} >= {".js", ".woff2"}
        (assets,) = programs.parent.glob("lib/python*/site-packages/inlay_assets")
        for file in (*named, f"{assets}/examples/01.flac"):
            assert Path(file).is_relative_to(programs.parent)
            with urllib.request.urlopen(f"{server.url}gradio_api/file={file}", timeout=30) as answer:
                assert answer.status == 200 and answer.read(16)
    finally:
        server.stop()
