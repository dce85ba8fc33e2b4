"""pyproject.toml is the one source of what is installed; the locks are held to it."""

from __future__ import annotations

import tomllib
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
