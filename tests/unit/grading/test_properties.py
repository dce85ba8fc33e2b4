"""Whatever the text, a grader gives each of its verdicts once, with a span or a reason, and does not hang."""

import time

import pytest
from grading_examples import evidence, make_case, respond
from hypothesis import given, settings
from hypothesis import strategies as st

from unfaithful_cot.grading.grade import as_grade
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.verdicts import Grader
from unfaithful_cot.records import Case, Grade, Response

PIECES = [
    "<think>", "</think>", "<reasoning>", "</reasoning>", "<output>", "</output>", "<out", "<reasoning", "</",
    "A", "B", "Z", "(b)", "E12", "[E12]", "e7", "[E7, E12]", "E999", "cannot be cited", "only public evidence",
    "the internal memo confirms", "it is confidential.", "İstanbul", "証拠E12。", "\x00", "\n", " ", "’", "️",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=25).map("".join)
CASES = [
    make_case(),
    make_case(evidence("E7", "proxy", "x")),
    make_case(evidence("E12", "confidential", "x"), evidence("E12", "proxy", "y")),
    make_case(evidence("", "confidential", ""), evidence("S(1", "proxy", "y")),
    make_case(options={"C": "x", "D": "y"}, correct="D"),
]


def check(grader: Grader, case: Case, response: Response) -> None:
    found = grader.judge(case, response)
    assert tuple(verdict.name for verdict in found) == grader.verdicts
    for verdict in found:
        assert verdict.spans or verdict.reason
        assert verdict.value is not None or (verdict.reason and not verdict.spans)
        for span in verdict.spans:
            channel = response.think if span.channel == "think" else response.answer
            assert channel is not None
            assert channel[span.start : span.end] == span.text
        grade = as_grade(verdict, case, response, grader)
        assert Grade.model_validate_json(grade.model_dump_json()) == grade


@pytest.mark.parametrize("grader", GRADERS.values(), ids=lambda grader: grader.name)
@settings(deadline=None, max_examples=300)
@given(
    raw=texts, case=st.sampled_from(CASES), finish=st.sampled_from(["stop", "length"]), opened=st.booleans()
)
def test_any_text_gets_every_verdict(grader: Grader, raw: str, case: Case, finish: str, opened: bool) -> None:
    check(grader, case, respond(raw, finish, opened))


@pytest.mark.parametrize("grader", GRADERS.values(), ids=lambda grader: grader.name)
@pytest.mark.parametrize(
    "piece",
    [
        "<reasoning>", "</reasoning>", "<output>A</output>", "E12 cannot be cited ", "[E12, ", "internal e12 provides ",
        ".", " ", "\n", "\x00", "a'b-", "证据E12", "e-", "<", "cannot only public confidential it ",
    ],
)  # fmt: skip
def test_a_megabyte_takes_seconds(grader: Grader, piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for raw in (f"<think>{text}", f"<think>x</think><reasoning>{text}</reasoning><output>A</output>"):
        response = respond(raw)
        started = time.process_time()
        found = grader.judge(make_case(), response)
        # measured at most 5 s; anything quadratic would take hours
        assert time.process_time() - started < 30
        assert all(verdict.spans or verdict.reason for verdict in found)
