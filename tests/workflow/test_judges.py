"""A panel of two judges in a real run: judged once, paid once, on no one's way when only the pace changes."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from typing import Any

import pytest

from fixtures.openai_server import OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.records.grades import Grade, JudgeAnswer
from workflow.study import Study

SECRET = "sk-judge-0123456789abcdef"
PANEL = """
grading:
  judges:
    strict: {rubrics: [evidence_toggle.v1], endpoint: {model: strict-1, base_url: 'URL', api_key_env: JUDGE_KEY}}
    mild: {rubrics: [evidence_toggle.v1], endpoint: {model: mild-1, base_url: 'URL', api_key_env: JUDGE_KEY}}
"""


def verdicts(body: dict[str, Any]) -> str:
    """`strict-1` finds every ID that the prompt calls marked; `mild-1` finds nothing."""
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    prompt = body["messages"][1]["content"]
    marked = re.search(r"Marked sources: (E\d+)", prompt)
    text = prompt.partition(" begins ===")[2].partition(" ends ===")[0]
    told = {
        name: {"answer": part["properties"]["answer"]["enum"][-2], "quote": ""}
        for name, part in properties.items()
    }
    if body["model"] == "strict-1" and marked and marked[1] in text and "names_confidential" in told:
        told["names_confidential"] = {"answer": "yes", "quote": marked[1]}
    return json.dumps(told)


@pytest.fixture(scope="module")
def judged(finished: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The finished smoke study, judged by two judges; each test leaves it finished."""
    folder = tmp_path_factory.mktemp("judged") / "study"
    shutil.copytree(finished.folder, folder, symlinks=True)
    study = Study(folder, finished.config)
    with OpenAIServer(verdicts) as server:
        study.append("config/smoke.yaml", PANEL.replace("URL", f"{server.url}/v1"))
        plan = study.snakemake("-n")
        # 4 conditions, 8 cases, 2 channels; equal responses to a case are counted once
        assert re.search(r"judge strict: \d+ API requests \(0 cached", plan.stderr), plan.stderr[-3000:]
        assert study.rules()["judge_responses"] == 8
        done = study.snakemake("--cores", "2", JUDGE_KEY=SECRET)
        assert done.returncode == 0, done.stderr[-6000:]
        assert {body["model"] for body in server.requests} == {"strict-1", "mild-1"}
        assert SECRET not in done.stderr + done.stdout
    return study


def judges_of(study: Study) -> Counter[str]:
    """{judge: jobs} of a dry-run."""
    planned = study.planned()
    return Counter(re.search(r"judge=(\w+)", job[1])[1] for job in planned if job[0] == "judge_responses")


def test_a_panel_in_a_study(judged: Study) -> None:
    results = judged.folder / "results" / "smoke"
    assert judged.rules() == Counter()
    files = sorted((results / "grades").rglob("*.judge_strict.jsonl"))
    assert len(files) == 4
    for path in files:
        grades = jsonl.read(path, Grade)
        raw = jsonl.read(path.with_name(path.name.replace(".jsonl", ".raw.jsonl")), JudgeAnswer)
        # 8 cases, 7 verdicts, 2 channels
        assert (len(grades), len(raw)) == (56, 16)
        assert {grade.grader for grade in grades} == {"judge_strict"}
        for grade in grades:
            assert grade.spans or grade.reason
    for path in results.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    with (results / "agreement.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    named = {
        row["graders"]: row for row in rows if (row["arm"], row["verdict"]) == ("all", "names_confidential")
    }
    assert "judge_strict" in max(named, key=len) and "judge_mild" in max(named, key=len)
    with (results / "band.csv").open(encoding="utf-8") as lines:
        band = [row for row in csv.DictReader(lines) if row["metric"] == "unfaithful_rate"]
    assert band and all("judge_mild" in row["values"] for row in band)
    # the tables of the study stay those of the rules
    with (results / "metrics.csv").open(encoding="utf-8") as lines:
        assert not [row for row in csv.DictReader(lines) if row["grader"].startswith("judge")]


def test_what_was_judged_is_not_paid_again(judged: Study) -> None:
    plan = judged.snakemake("-n", "-R", "judge_responses")
    assert re.search(r"judge strict: (\d+) API requests \(\1 cached, 0 to send\)", plan.stderr), plan.stderr[
        -3000:
    ]
    path = judged.folder / "results/smoke/grades/reference/baseline/evidence_toggle.judge_strict.jsonl"
    before, made = path.read_bytes(), path.stat().st_mtime_ns
    # no server and no key: everything lies in the cache
    done = judged.snakemake("--cores", "2", "-R", "judge_responses", JUDGE_KEY="")
    assert done.returncode == 0, done.stderr[-6000:]
    assert path.read_bytes() == before and path.stat().st_mtime_ns > made


def test_pace_and_key_judge_nothing_anew_but_wording_and_model_do(judged: Study) -> None:
    judged.edit("config/smoke.yaml", "model: mild-1, ", "model: mild-1, concurrency: 3, timeout_s: 9, ")
    assert judged.rules() == Counter()
    judged.edit("config/smoke.yaml", "model: mild-1, ", "model: mild-2, ")
    assert judges_of(judged) == Counter(mild=4)
    judged.append("resources/rubrics/evidence_toggle.v1.yaml", "# another remark\n")
    assert judges_of(judged) == Counter(mild=4, strict=4)
