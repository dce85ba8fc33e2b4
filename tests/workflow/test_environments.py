"""pyproject.toml is the one source of what is installed; the locks are held to it."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workflow.study import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(str(pin.specifier).startswith("==") and not pin.url for pin in found)
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in found}


@pytest.mark.parametrize(
    ("locks", "wanted"),
    [
        (["requirements.lock"], PROJECT["dependencies"] + PROJECT["optional-dependencies"]["slurm"]),
        (["requirements.lock", "requirements-dev.lock"], PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_the_locks_pin_all_that_pyproject_asks_for(locks: list[str], wanted: list[str]) -> None:
    pinned = {name: version for lock in locks for name, version in pins(lock).items()}
    for requirement in map(Requirement, wanted):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"


def test_the_lock_fits_every_machine() -> None:
    """torch without the suffix of a build, and none of the packages that it brings itself."""
    runtime = pins("requirements.lock")
    assert runtime["torch"] == "2.13.0"
    assert not [name for name in runtime if name.startswith(("nvidia", "triton", "cuda"))]
    text = Path(ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not pins("requirements-dev.lock").keys() & runtime.keys()


def test_no_pin_contradicts_what_another_package_asks_for() -> None:
    """pip only warns of it, and installs what breaks the other one."""
    pinned = pins("requirements.lock") | pins("requirements-dev.lock")
    for distribution in importlib.metadata.distributions():
        for wanted in map(Requirement, distribution.requires or []):
            version = pinned.get(canonicalize_name(wanted.name))
            asks = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if version and asks and canonicalize_name(distribution.name) in pinned:
                assert wanted.specifier.contains(version), f"{distribution.name} asks for {wanted}"


def test_an_environment_whose_making_was_interrupted_is_made_anew(tmp_path: Path) -> None:
    """Killed before pip is there, `make` would say "No module named pip" at every later start."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    venv.create(tmp_path / ".venv", with_pip=False)
    command = ["make", "--silent", ".venv/.made", f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    pip = [str(tmp_path / ".venv/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True).returncode == 0
