"""The form of the workflow: style, one thin script a rule, what each rule has to state, what its loading costs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml
from study import ROOT, Study

RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
RULES = {
    name: body
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for name, body in RULE.findall(file.read_text(encoding="utf-8"))
}


def test_snakemake_finds_nothing_to_blame() -> None:
    done = Study(ROOT).snakemake("--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakefmt_would_change_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_rule_has_a_script_of_its_name_and_no_script_is_left_over() -> None:
    scripts = {file.stem for file in (ROOT / "workflow" / "scripts").glob("*.py")}
    assert scripts == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_script_is_one_call(rule: str) -> None:
    lines = (ROOT / "workflow" / "scripts" / f"{rule}.py").read_text(encoding="utf-8").split("\n")
    assert "from unfaithful_cot.host.job import run_rule" in lines[:2]
    (imported,) = [line for line in lines[:2] if "host.job" not in line]
    found = re.fullmatch(r"from unfaithful_cot\.([\w.]+) import (\w+)", imported)
    assert found and lines[2:] == ["", f"run_rule({found[2]}, snakemake)", ""]
    assert f'code_hash("unfaithful_cot.{found[1]}")' in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_states_what_it_needs(rule: str) -> None:
    body = RULES[rule]
    assert re.match(r'    """[A-Z].*\."""\n', body), "a docstring of one line"
    for part in ("log:", "conda:", "threads:", "mem_mb=", "runtime=", f'"../scripts/{rule}.py"'):
        assert part in body, part
    assert "run:" not in body and "shell:" not in body
    for jsonl in re.findall(
        r"^ +\w+=.*\.jsonl\"", body.partition("output:")[2].partition("log:")[0], re.MULTILINE
    ):
        assert "ensure(" in jsonl, jsonl


def test_loading_the_workflow_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *Study.command("--list")[1:]],
        cwd=ROOT,
        env=Study(ROOT).environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    modules = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line]
    ours = set(modules[modules.index("snakemake.cli") :])  # what Snakemake itself needs comes before
    assert "unfaithful_cot.config.study" in ours
    assert (
        ours & {"torch", "transformers", "trl", "peft", "datasets", "pandas", "scipy", "matplotlib", "openai"}
        == set()
    )


def test_the_default_profile_can_stand_alone() -> None:
    profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text(encoding="utf-8"))
    assert profile["rerun-incomplete"] is True
    assert profile["cores"] == "all"
    # time of change of scripts is no trigger: code is followed by hashes in params
    assert "code" not in profile["rerun-triggers"]
    assert set(profile["rerun-triggers"]) >= {"params", "input", "mtime"}


def test_messages_name_rules_that_exist() -> None:
    """`Rerun: snakemake -R NAME` helps only where NAME is a rule."""
    named = {
        rule
        for file in (ROOT / "src").rglob("*.py")
        for rule in re.findall(r"snakemake -R (\w+)", file.read_text(encoding="utf-8"))
    }
    assert named and named <= set(RULES)
