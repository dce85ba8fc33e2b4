"""The habits of the repository hold each other: one version everywhere, hooks by pinned tools, a page of judgement that is read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import unfaithful_cot

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
HOOKS = [
    hook
    for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    for hook in repo["hooks"]
]
# programs of packages that are not called like them
PACKAGE = {name: "pre_commit_hooks" for name in (
    "detect-private-key", "check-added-large-files", "trailing-whitespace-fixer", "end-of-file-fixer",
    "check-merge-conflict",
)}  # fmt: skip


def test_package_pyproject_citation_and_changelog_name_one_version_and_one_date() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version, date = RELEASE.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[0]
    assert {PROJECT["version"], citation["version"], unfaithful_cot.__version__} == {version}
    assert str(citation["date-released"]) == date


def test_an_entry_of_the_changelog_is_one_sentence() -> None:
    entries = [
        line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:2] == "- "
    ]
    assert entries
    for entry in entries:
        ends = re.findall(r"[.!?](?=\s|$)", re.sub(r"`[^`]*`", "", entry))
        assert entry.endswith(".") and len(ends) == 1, entry


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_calls_a_tool_that_is_pinned(hook: dict[str, str]) -> None:
    folder, _, program = hook["entry"].split()[0].rpartition("/")
    pins = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    assert (folder, hook["language"]) == (".venv/bin", "system")
    assert re.search(rf"^{PACKAGE.get(program, program)}==", pins, re.MULTILINE), program


def test_make_lint_and_the_hooks_use_the_same_checkers() -> None:
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\n\n")[0]
    for program in ("ruff check", "ruff format", "mypy", "snakefmt", "typos"):
        assert program in lint and any(program in hook["entry"] for hook in HOOKS), program


def test_the_page_of_judgement_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 60


def test_the_workflow_catalogue_can_read_its_file() -> None:
    """Keys as its README shows them; a report there is what `snakemake --report` makes."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
