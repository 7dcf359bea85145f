"""What is installed, and where: the Makefile's Pythons, the image, and that they agree with the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # of Gradio

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`make` with this Makefile in an empty folder."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True)


def fake(folder: Path, version: tuple[int, int]) -> Path:
    """A Python that says it is of another version, and does nothing else."""
    path = folder / f"python{version[0]}.{version[1]}"
    said = f"import sys; sys.version_info = {version}"
    path.write_text(f'#!/bin/sh\n[ "$1" = -c ] || exit 9\nexec python3 -c "{said}; $2"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", [(3, 10), (3, 15)])
def test_another_python_is_refused_with_what_is_needed(tmp_path: Path, version: tuple[int, int]) -> None:
    done = make(tmp_path, "lint", f"PYTHON={fake(tmp_path, version)}")
    assert done.returncode != 0 and not (tmp_path / ".venv").exists()
    assert "needs Python 3.11, 3.12, 3.13 or 3.14" in done.stdout and "PYTHON=/path" in done.stdout


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_pythons_of_the_range_are_taken(tmp_path: Path, version: tuple[int, int]) -> None:
    done = make(tmp_path, "lint", f"PYTHON={fake(tmp_path, version)}")
    assert "needs Python" not in done.stdout  # it got as far as making an environment, which this one cannot
    assert done.returncode != 0


def test_the_pythons_are_the_same_everywhere() -> None:
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.15"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in (ROOT / "Makefile").read_text()
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in (ROOT / ".ci" / "run").read_text()


def test_the_image_takes_the_makefiles_torch_and_copies_what_the_wheel_is_made_of() -> None:
    pinned = re.search(r"^TORCH := (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert pinned and f"ARG TORCH_VERSION={pinned[1]}\n" in DOCKERFILE
    taken = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M))
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    project = PROJECT["project"]
    needed = {*wheel["packages"], *wheel["force-include"], project["readme"], *project["license-files"]}
    assert {*needed, "pyproject.toml"} <= taken
    assert all((ROOT / name).exists() for name in taken)


def test_the_image_runs_as_a_user_whose_home_is_the_volume() -> None:
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", final, re.M)
    home = re.search(r"INLAY_HOME=(\S+)", final)
    assert home and f"VOLUME {home[1]}\n" in final
    assert final.index("USER ") < final.index("ENTRYPOINT")


def test_compose_keeps_the_home_and_is_reached_from_this_machine_alone() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())
    home = re.search(r"INLAY_HOME=(\S+)", DOCKERFILE)
    assert home and set(services) == {"services", "volumes"}
    for name, torch in (("inlay", "cpu"), ("gpu", "cuda")):
        service = services["services"][name]
        (volume,) = service["volumes"]
        source, _, target = volume.partition(":")
        assert source in services["volumes"] and target == home[1]
        assert service["build"]["args"] == {"TORCH": torch} and f"{torch})" in DOCKERFILE
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert services["services"]["gpu"]["profiles"]  # not by a plain `docker compose up`
