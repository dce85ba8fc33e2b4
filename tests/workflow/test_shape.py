"""The form of the workflow: style, one script for all rules, what each rule has to state, what its loading costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
import yaml
from snakemake.io import get_flag_value

from unfaithful_cot.host.params import Untracked
from unfaithful_cot.provenance import code_hash
from workflow.loaded import RULES
from workflow.study import ROOT, Study


def test_one_script_calls_what_a_rule_names() -> None:
    (script,) = (ROOT / "workflow" / "scripts").glob("*.py")
    docstring, imported, called = ast.parse(script.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(imported) == "from unfaithful_cot.host.job import called, run_rule"
    assert ast.unparse(called) == "run_rule(called(snakemake), snakemake)"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_one_call(name: str) -> None:
    """The function takes what the rule hands over: test_signatures.py."""
    rule = RULES[name]
    assert rule.script == "../scripts/run.py"
    assert not rule.shellcmd and not rule.is_run
    module = rule.params.calls.value.rpartition(".")[0]
    code = rule.params.code
    assert (code.value if isinstance(code, Untracked) else code) == code_hash(module)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_does_in_a_line_of_its_own(name: str) -> None:
    """What inherits from another rule has another docstring."""
    assert re.fullmatch(r"[A-Z].*\.", RULES[name].docstring)
    assert [rule.name for rule in RULES.values() if rule.docstring == RULES[name].docstring] == [name]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_log_and_lets_no_jsonl_be_empty(name: str) -> None:
    rule = RULES[name]
    assert len(rule.log) == 1
    for output in rule.output:
        if str(output).endswith(".jsonl"):
            assert get_flag_value(output, "ensure")["non_empty"], output


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


@pytest.mark.parametrize("name", ["default", "runpod", "slurm"])
def test_every_profile_says_what_a_small_job_needs(name: str) -> None:
    """Each takes the place of the default one as a whole, and rules state memory and time only where they need more."""
    text = (ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8")
    (part,) = re.findall(
        r"^default-resources:.*\n(?: .*\n)+", text, re.MULTILINE
    )  # the rest is no plain YAML
    assert yaml.safe_load(part)["default-resources"] == {"mem_mb": 2000, "runtime": 30, "disk_mb": 1000}


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
