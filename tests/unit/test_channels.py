"""The two channels, in every form in which chat templates and models leave them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfaithful_cot.channels import MARKS, Channels, split_channels, split_prefilled

OPENED = "opened_by_template"


@pytest.mark.parametrize(
    ("raw", "opened", "expected"),
    [
        # Qwen3 writes both marks itself; with a template that opens the part, R1 distills write only the second
        ("<think>\nhm\n</think>\n\nyes", False, Channels("hm", "yes", "closed")),
        ("hm\n</think>\n\nyes", True, Channels("hm", "yes", "opened_by_template")),
        ("hm</think>yes", False, Channels("hm", "yes", "opened_by_template")),
        # a model that opens the part again although the template did
        ("<think>hm</think>yes", True, Channels("hm", "yes", "closed")),
        # an empty think part, as Qwen3 has it when thinking is switched off
        ("<think>\n\n</think>\n\nyes", False, Channels("", "yes", "closed")),
        # no think part at all
        ("yes", False, Channels(None, "yes", "missing")),
        ("", False, Channels(None, "", "missing")),
        # cut before the part was closed
        ("<think>hm", False, Channels("hm", None, "unclosed")),
        ("hm", True, Channels("hm", None, "unclosed")),
        ("", True, Channels("", None, "unclosed")),
        # the part quotes its own marks: the last closing one counts
        (
            "<think>a </think> b <think> c</think>yes",
            False,
            Channels("a </think> b <think> c", "yes", "closed"),
        ),
        ("  <think>hm</think> ", False, Channels("hm", "", "closed")),
        # an answer that merely mentions the opening mark
        ("the tag <think> opens it", False, Channels(None, "the tag <think> opens it", "missing")),
    ],
)
def test_a_completion_is_split(raw: str, opened: bool, expected: Channels) -> None:
    assert split_channels(raw, opened) == expected


MARK = re.compile(
    "|".join(
        [
            *(f"{marks.opening.pattern}|{marks.closing.pattern}" for marks in MARKS.values()),
            r"<\|?[/\w｜▁]+\|?>|\[END FINAL RESPONSE\]|\[\|endofturn\|\]|assistant|[\ufeff\u200b]",
        ]
    )
)


def without_marks(text: str) -> str:
    text = "".join(text.split())
    while (shorter := MARK.sub("", text)) != text:
        text = shorter
    return text


@given(st.text(), st.booleans())
def test_no_text_is_invented_or_lost(raw: str, opened: bool) -> None:
    found = split_channels(raw, opened)
    parts = (found.think or "") + (found.answer or "")
    assert without_marks(parts) == without_marks(raw)
    assert (found.think is None) == (found.status == "missing")
    assert (found.answer is None) == (found.status == "unclosed")


@pytest.mark.parametrize(
    ("prefill", "raw_text", "think", "answer", "status"),
    [
        ("The memo decides.\n", "B\n", "The memo decides.", "B", "prefilled"),
        ("", "B", "", "B", "prefilled"),
        ("Given.", "", "Given.", "", "prefilled"),
        # it began to think anew: what it thought is part of the think channel, not of the answer
        ("Given.", "<think>\nNo, A.\n</think>\n\nA", "Given.\nNo, A.", "A", "prefilled_reopened"),
        ("Given.", "No, A.\n</think>\n\nA", "Given.\nNo, A.", "A", "prefilled_reopened"),
        ("", "<think>\nand on", "and on", None, "prefilled_reopened"),
    ],
)
def test_a_think_part_that_was_put_into_the_mouth(prefill, raw_text, think, answer, status) -> None:
    channels = split_prefilled(prefill, raw_text)
    assert (channels.think, channels.answer, channels.status) == (think, answer, status)
