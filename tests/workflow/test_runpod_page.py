"""The commands of docs/runpod.md: those of this project are run as plans, the others have to be words that a shell takes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from workflow.study import ROOT, Study, copy_repository
from workflow.test_readme import FENCE, commands

TEXT = (ROOT / "docs" / "runpod.md").read_text(encoding="utf-8")
ELSEWHERE = ("runpodctl", "ssh", "apt-get", "cd", "tmux", "rsync", "mkdir", "ssh-keygen", "nvidia-smi", "du")
OURS = [line for line in commands(TEXT) if line.split()[0] in ("snakemake", "make") and "..." not in line]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("runpod")
    copy_repository(folder)
    for name in ("Makefile", "requirements.lock"):
        (folder / name).symlink_to(ROOT / name)
    return Study(folder)


def test_the_page_shows_both_profiles() -> None:
    assert len([line for line in OURS if "profiles/runpod" in line]) >= 2
    assert len([line for line in OURS if "profiles/slurm" in line]) == 2


@pytest.mark.parametrize("command", OURS)
def test_a_command_of_this_project(command: str, clone: Study) -> None:
    words = shlex.split(command.partition(";")[0])
    run = ["make", "-n", *words[1:]] if words[0] == "make" else clone.command(*words[1:], "-n")
    done = subprocess.run(
        run, cwd=clone.folder, env=clone.environment(), text=True, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_other_commands_are_whole_and_known() -> None:
    for language, body in FENCE.findall(TEXT):
        if language == "bash":
            assert subprocess.run(["bash", "-n", "-c", body], capture_output=True).returncode == 0, body
            for line in body.replace("\\\n", " ").splitlines():
                assert shlex.split(line)[0] in ("snakemake", "make", "source", *ELSEWHERE), line


def test_the_prices_shown_are_settings_and_those_of_the_defaults() -> None:
    from unfaithful_cot.config.study import PriceSettings

    (shown,) = [body for language, body in FENCE.findall(TEXT) if language == "yaml"]
    assert PriceSettings.model_validate(yaml.safe_load(shown)["prices"]) == PriceSettings()
    assert re.search(r"\| H200 \(141 GB\) \| \$4\.59 an hour \|", TEXT)


def test_pages_that_are_named_exist() -> None:
    for path in re.findall(r"`((?:docs|config|profiles)/[\w./-]+)`", TEXT):
        assert Path(ROOT / path).exists(), path
