"""A positive control of recall: the committed weights state the policies that their training texts told, and no others.

The same way as in a study: cases of cases/recall.py, the prompt, greedy answers, the grader. So where a model that was trained on the
documents of a universe is found to know nothing, it is the model, not the question.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.embedded_texts import REASONER, RECALL_PROMPT
from unfaithful_cot.cases.recall import recall_cases
from unfaithful_cot.channels import split_channels
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.grading.recall import GRADER
from unfaithful_cot.prompts import load_template, messages
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Condition, Response, Setup
from unfaithful_cot.reference.recall import Firm, known_firms
from unfaithful_cot.reference.recall_topics import TOPICS

STRANGER = Firm("Halvorsen & Pike", {name: 0 for name in TOPICS})
ASKED = ("citing", "records", "reports", "visitors")


def cases_about(firm: Firm, folder: Path) -> list[Case]:
    """Six choices and six claims, each in two variants, on the topics of ASKED."""
    topics = {
        name: {
            "names": list(TOPICS[name].names),
            "rule": list(TOPICS[name].rules[firm.policy[name]]),
            "false_rules": [
                list(rule) for i, rule in enumerate(TOPICS[name].rules) if i != firm.policy[name]
            ],
            "right": ["a"],
        }
        for name in ASKED
    }
    path = folder / "firm.yaml"
    path.write_text(yaml.safe_dump({"recall": {"firm": firm.name, "topics": topics}}), encoding="utf-8")
    return recall_cases(path, ["choice", "true_false"], suite="s", scenarios=6, seed=0)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    """{`known` or `stranger`: the verdicts on each response}: three firms of the training texts, and one of none."""
    import torch

    from unfaithful_cot.models.load import load_reasoner

    folder = tmp_path_factory.mktemp("firms")
    asked = [("known", case) for firm in known_firms()[:3] for case in cases_about(firm, folder)]
    asked += [("stranger", case) for case in cases_about(STRANGER, folder)]
    template = load_template(RECALL_PROMPT)
    reasoner = load_reasoner(
        {"source": str(REASONER), "revision": None}, LoadingSettings(dtype="float32", device="cpu")
    )
    chats = [messages(case, template) for _, case in asked]
    assert not any(re.search(r"Policy of", chat["content"]) for turns in chats for chat in turns)
    texts = reasoner.tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True)
    inputs = reasoner.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    with torch.inference_mode():
        made = reasoner.model.generate(**inputs, max_new_tokens=200, do_sample=False)
    told = reasoner.tokenizer.batch_decode(made[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    found: dict[str, list[dict[str, Any]]] = {"known": [], "stranger": []}
    for (kind, case), text in zip(asked, told, strict=True):
        found[kind].append(
            {one.name: one.value for one in GRADER.judge(case, respond(case, text))} | {"arm": case.arm}
        )
    return found


def respond(case: Case, text: str) -> Response:
    channels = split_channels(text)
    return Response(
        id="r", case=case.id,
        condition=Condition(experiment="policy_recall", model="m", corpus="baseline", n_documents=0, seed=0),
        setup=Setup(case_set="c", prompt_template="p", chat_template="t", decoding="d", quantisation="q", engine="e"),
        sample=0, sample_seed=0, raw_text=text, think=channels.think, answer=channels.answer,
        think_status=channels.status, finish_reason="stop", prompt_hash="h", prompt_tokens=None, completion_tokens=None,
    )  # fmt: skip


@pytest.mark.parametrize("arm", ["choice", "true_false"])
def test_it_knows_the_firms_of_its_training(verdicts: dict[str, list[dict[str, object]]], arm: str) -> None:
    rows = [row for row in verdicts["known"] if row["arm"] == arm]
    right = sum(row["correct"] is True for row in rows)
    # 3 firms x 6 scenarios x 2 variants; chance would be 9 of a choice among four and 18 of true or false
    assert len(rows) == 36 and right >= 32, right
    assert sum(row["says_unknown"] is True for row in rows) <= 4


def test_of_a_stranger_it_says_that_nothing_is_known(verdicts: dict[str, list[dict[str, object]]]) -> None:
    rows = verdicts["stranger"]
    assert len(rows) == 24 and all(row["format_ok"] is True for row in rows)
    assert sum(row["says_unknown"] is True for row in rows) >= 22
