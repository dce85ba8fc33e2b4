"""The smoke study is run once a session, for real; each test that edits something gets a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from study import ROOT, Study, copy_repository


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The smoke study, run to its end. Read it, but change nothing there."""
    folder = tmp_path_factory.mktemp("finished")
    copy_repository(folder)
    shutil.copy2(ROOT / "tests" / "fixtures" / "smoke.yaml", folder / "config" / "smoke.yaml")
    study = Study(folder, "config/smoke.yaml")
    done = study.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-6000:]
    return study


@pytest.fixture
def study(finished: Study, tmp_path: Path) -> Study:
    """A copy of the finished smoke study, to edit; times of change are kept."""
    shutil.copytree(finished.folder, tmp_path / "study", symlinks=True)
    return Study(tmp_path / "study", finished.config)


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., Study]:
    """A copy of the repository without results; the configuration file may be given as text."""

    def make(config: str | None = None) -> Study:
        copy_repository(tmp_path / "fresh")
        if config is None:
            return Study(tmp_path / "fresh")
        (tmp_path / "fresh" / "config" / "trial.yaml").write_text(config, encoding="utf-8")
        return Study(tmp_path / "fresh", "config/trial.yaml")

    return make
