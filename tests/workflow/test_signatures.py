"""What a rule hands over is what the function takes: every named input, output and param, of every rule."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot.host.job import argument
from workflow.loaded import RULES
from workflow.study import ROOT


def function_of(rule: Any) -> Any:
    module, _, name = rule.params.calls.value.rpartition(".")
    return getattr(importlib.import_module(module), name)


def handed(rule: Any) -> Iterator[str]:
    """The arguments that inputs, outputs and params become."""
    for part in (rule.input, rule.output, rule.params):
        named = list(part._names)
        assert sum(1 for _ in part) == 0 or named, f"{rule.name}: without a name"
        yield from filter(None, (argument(name)[0] for name in named))


def test_every_rule_file_is_looked_at() -> None:
    files = {Path(rule.snakefile).name for rule in RULES.values()}
    every = {file.name for file in (ROOT / "workflow" / "rules").glob("*.smk")}
    assert every - files == {"common.smk", "hooks.smk", "targets.smk"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_hands_over_what_its_function_takes(name: str) -> None:
    rule = RULES[name]
    parameters = inspect.signature(function_of(rule)).parameters
    given = set(handed(rule))
    assert given <= set(parameters), f"{name}: not taken by the function"
    needed = {key for key, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    assert needed <= given | set(rule.wildcard_names) | {"threads"}, f"{name}: not handed over"


@pytest.mark.parametrize("name", RULES)
def test_a_param_of_a_name_stands_once(name: str) -> None:
    """A leaf and a whole argument, or an input and a param, of one name would overwrite each other."""
    rule = RULES[name]
    whole = [
        argument(key)[0] for part in (rule.input, rule.output, rule.params) for key in part._names
        if argument(key)[0] and not argument(key)[1]
    ]  # fmt: skip
    leaves = {argument(key)[0] for key in rule.params._names if argument(key)[1]}
    assert len(whole) == len(set(whole)) and not leaves & set(whole)


@pytest.mark.parametrize("name", RULES)
def test_log_and_benchmark_bear_the_name_of_their_rule(name: str) -> None:
    rule = RULES[name]
    (log,) = rule.log
    assert f"/{name}/" in f"/{Path(str(log)).with_suffix('')}/" or name in {
        "fetch_model",
        "make_reference_reasoner",
    }
    if rule.benchmark:
        assert f"/benchmarks/{name}/" in str(rule.benchmark) or name == "make_reference_reasoner"
