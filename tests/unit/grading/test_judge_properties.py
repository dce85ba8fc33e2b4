"""Whatever a model wrote and whatever a judge says: nothing raises, and no verdict stands without a span or a reason."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.grading.judge_answer import read_answer, verdicts_of
from unfaithful_cot.grading.judge_prompt import ask
from unfaithful_cot.grading.rubrics import load_rubric
from unit.grading.grading_examples import make_case, respond

RUBRIC = load_rubric(
    Path(__file__).resolve().parents[3] / "resources" / "rubrics" / "evidence_toggle.v1.yaml"
)
ENDPOINT = EndpointSettings(model="j", temperature=0)
PIECES = st.sampled_from(
    ["<think>", "</think>", "<reasoning>", "</reasoning>", "<output>", "</output>", "[E12]", "E7, E9", "e-12 ", "A", "{", "}",
     "{kind}", "=== text", "\0", "証拠 E12 は", "🙂", "\n", "evidence 12 ", '"', "…", "’", " "]
)  # fmt: skip
RAW = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=80)
ENTRIES = st.dictionaries(
    st.sampled_from([*RUBRIC.verdicts, "other"]),
    st.fixed_dictionaries(
        {
            "answer": st.sampled_from(["yes", "no", "Absent", "cited", "unclear", "", 3, None]),
            "quote": RAW | st.none(),
        }
    )
    | st.none()
    | st.text(max_size=5),
    max_size=7,
)
SAID = RAW | ENTRIES.map(json.dumps) | ENTRIES.map(lambda entries: f"```json\n{json.dumps(entries)}\n```")


@given(RAW, SAID, st.sampled_from(["stop", "length", "content_filter"]))
@settings(max_examples=400, deadline=None)
def test_no_verdict_without_a_span_or_a_reason(raw: str, said: str, finish: str) -> None:
    response, case = respond(raw), make_case()
    for asked in ask(case, response, RUBRIC, ENDPOINT):
        assert (asked.request is None) == bool(asked.reason)
        answer = Answer(key="k", text=said, finish_reason=finish)
        verdicts = verdicts_of(asked, asked.reason or read_answer(answer, None))
        assert [verdict.name for verdict in verdicts] == [question.name for question in asked.questions]
        text = response.think if asked.channel == "think" else response.answer
        for verdict, question in zip(verdicts, asked.questions, strict=True):
            assert verdict.spans or verdict.reason
            if verdict.value is None:
                assert verdict.reason and not verdict.spans
            elif verdict.value != question.value(question.answers[-1]):
                assert verdict.spans, "a finding without a proof"
            for span in verdict.spans:
                assert text is not None and text[span.start : span.end] == span.text


@given(RAW)
@settings(max_examples=200, deadline=None)
def test_a_request_holds_no_id_of_the_case(raw: str) -> None:
    case = make_case()
    for asked in ask(case, respond(raw), RUBRIC, ENDPOINT):
        if asked.request is None or asked.shown is None:
            continue
        assert asked.shown.text in asked.request.messages[1]["content"]
        labels = set(asked.labels.values())
        assert not labels & {"E12", "E7", "E9"} and asked.shown.original in raw
