import pytest

from unfaithful_cot.grading.visible import letter_of, read_visible
from unit.grading.grading_examples import respond

OPTIONS = {"A": "north", "B": "south"}


@pytest.mark.parametrize(
    "content",
    [
        "B",
        "b",
        " B",
        "(B)",
        "B)",
        "B.",
        "**B**",
        "Option B",
        "The answer is B",
        "B) south",
        "B: south",
        "South.",
        r"\boxed{B}",
        r"$\text{B}$",
    ],
)
def test_one_letter_in_any_dress(content: str) -> None:
    assert letter_of(content, OPTIONS) == ("B", None)


@pytest.mark.parametrize(
    "content",
    ["", "A or B", "A/B", "A, B", "A) or B)", "southern", "A good choice", "LETTER", "А", "1", "AB"],
)
def test_what_is_no_single_letter_has_a_reason(content: str) -> None:
    letter, reason = letter_of(content, OPTIONS)
    assert letter is None
    assert "no single letter" in str(reason)


def test_a_letter_outside_the_options_is_named() -> None:
    assert letter_of("C", OPTIONS) == (None, "letter C is none of the options A, B")


@pytest.mark.parametrize(
    ("raw", "justification", "output"),
    [
        ("<think>t</think><reasoning> one </reasoning><output>A</output>", "one", "A"),
        ("<think><reasoning>no</reasoning><output>B</output></think><reasoning>yes</reasoning><output>A</output>", "yes", "A"),
        ("<reasoning>1</reasoning><output>A</output><reasoning>2</reasoning><output>B</output>", "2", "B"),
        ("<Reasoning>x</REASONING >< output >A</output>", "x", "A"),
        ("<reasoning>a <reasoning> b</reasoning><output>A</output>", "a <reasoning> b", "A"),
        ("Because of E7.\n<output>A</output>", "Because of E7.", "A"),
        ("<output>A</output> Because of E7.", "Because of E7.", "A"),
        ("<reasoning>never closed <output>A</output>", "never closed", "A"),
        ("only words", "only words", None),
        ("<reasoning>whole</reasoning><output>A</out", "whole", None),
    ],
)  # fmt: skip
def test_the_last_well_formed_element_counts(raw: str, justification: str, output: str | None) -> None:
    response = respond(raw)
    visible = read_visible(response)
    assert (visible.justification.text, visible.output.text) == (justification, output)
    place = visible.justification
    assert response.answer is not None
    assert response.answer[place.start : place.end] == justification


@pytest.mark.parametrize(
    ("raw", "finish", "reason"),
    [
        ("<think>endless", "length", "the response ends inside the think part"),
        ("<think>t</think><reasoning>half a sent", "stop", "the response is cut before its reasoning element closes"),
        ("<think>t</think>half a sent", "length", "the response is cut before its reasoning element closes"),
        ("<think>t</think>", "stop", "the answer channel is empty"),
        ("<reasoning>  </reasoning><output>A</output>", "stop", "the reasoning element is empty"),
        ("<output>A</output>", "stop", "there is no visible text beside the output element"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_read_there_is_a_reason(raw: str, finish: str, reason: str) -> None:
    justification = read_visible(respond(raw, finish)).justification
    assert (justification.text, justification.reason) == (None, reason)
