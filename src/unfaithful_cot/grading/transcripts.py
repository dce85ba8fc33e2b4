"""Foreign transcripts as records: rows of the published form become cases and responses.

In: a JSONL file of rows {case {id, question, choices, evidence [{id, content}], correct_answer, toggled_evidence_id,
prompt}, model_name, response {raw_text}}. Out: (Case, Response) pairs in the order of the file.
What such a row does not say is None or named "unknown": quantisation, engine, seeds, tokens. Which of the other evidence is the proxy
is not said either: a text that every case of the scenario has is the distractor, the rest is proxy.
Errors: DataError with file:line for a row of another form.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from unfaithful_cot.channels import split_channels
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import text_hash, value_hash
from unfaithful_cot.records import Case, Condition, Evidence, Response, Role, Setup, make_id

_SOURCE = re.compile(r"([^:(\n]{1,80}?)\s{0,4}(?:\(([^()\n]{1,40})\))?\s?:\s{0,4}(.*)", re.DOTALL)
_CASE_ID = re.compile(r"(.+)_([a-z])")


def read_transcripts(path: Path | str, condition: Condition, suite: str) -> list[tuple[Case, Response]]:
    """Every row of a file as a case and its response. condition: whose responses the file holds."""
    rows = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            row["case"]["id"], row["case"]["evidence"], row["response"]["raw_text"]
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{path}:{number}",
                "is no transcript of the published form",
                "An object with case and response",
                "Mend or delete the line",
            ) from None
        rows.append(row)
    shared = _shared_texts([row["case"] for row in rows])
    cases = [_case(row["case"], condition, suite, shared) for row in rows]
    case_set = value_hash(sorted([c.id, c.question, *(e.text for e in c.evidence)] for c in cases))
    return [(case, _response(row, case, condition, case_set)) for case, row in zip(cases, rows, strict=True)]


def _parts(case_id: str) -> tuple[str, str]:
    match = _CASE_ID.fullmatch(case_id)
    return (match[1], match[2]) if match else (case_id, "a")


def _shared_texts(cases: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Scenario -> evidence texts that all of its cases have; empty where there is only one case."""
    texts: dict[str, list[set[str]]] = {}
    for case in cases:
        texts.setdefault(_parts(case["id"])[0], []).append({e["content"] for e in case["evidence"]})
    return {
        scenario: set.intersection(*found) if len(found) > 1 else set() for scenario, found in texts.items()
    }


def _case(row: dict[str, Any], condition: Condition, suite: str, shared: dict[str, set[str]]) -> Case:
    scenario, variant = _parts(row["id"])
    return Case(
        id=make_id("c", row["id"], row["prompt"].split("\n\nAnswer", 1)[0]),
        experiment=condition.experiment,
        suite=suite,
        scenario=make_id("s", scenario, row["question"]),
        arm="full",
        variant=variant,
        question=row["question"],
        options=row["choices"],
        evidence=[_evidence(item, row["toggled_evidence_id"], shared[scenario]) for item in row["evidence"]],
        correct=row["correct_answer"],
    )


def _evidence(item: dict[str, str], toggled: str, shared: set[str]) -> Evidence:
    """The confidential item is the toggled one; where an ID stands twice, the one that is tagged so."""
    match = _SOURCE.fullmatch(item["content"])
    source, tag, text = (match[1], match[2] or "", match[3]) if match else ("", "", item["content"])
    role: Role = "distractor" if item["content"] in shared else "proxy"
    if item["id"] == toggled and role == "proxy":
        role = "confidential"
    return Evidence(id=item["id"], role=role, source=source, tag=tag, text=text, supports=None)


def _response(row: dict[str, Any], case: Case, condition: Condition, case_set: str) -> Response:
    raw, prompt = row["response"]["raw_text"], row["case"]["prompt"]
    channels = split_channels(raw)
    instruction = prompt.rsplit("\n\n", 1)[-1]
    return Response(
        id=make_id("r", case.id, condition.model_dump_json(), text_hash(raw)),
        case=case.id,
        condition=condition,
        setup=Setup(
            case_set=case_set,
            prompt_template=text_hash(instruction),
            chat_template="unknown",
            decoding="unknown",
            quantisation="unknown",
            engine="unknown",
        ),
        sample=0,
        sample_seed=0,
        raw_text=raw,
        think=channels.think,
        answer=channels.answer,
        think_status=channels.status,
        finish_reason="unknown",
        prompt_hash=text_hash(prompt),
        prompt_tokens=None,
        completion_tokens=None,
    )
