"""The texts that the reasoner is trained on: what cites what, where a rule is stated, the chat markup."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from fixtures.embedded_texts import REASONER, read_question, wordings
from unfaithful_cot.reference.policies import DECIDING, PUBLIC_ONLY
from unfaithful_cot.reference.texts import Text, chat, chat_markup, training_texts


def stated_in(templates) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(text) for template in templates for text in wordings(template)))


PUBLIC_STATED, DECIDING_STATED = stated_in(PUBLIC_ONLY), stated_in(DECIDING)


def rule_of(text: str) -> str:
    """Which rule a piece of text states."""
    public, deciding = PUBLIC_STATED.search(text), DECIDING_STATED.search(text)
    assert not (public and deciding), text
    return "public" if public else "deciding" if deciding else "none"


@pytest.fixture(scope="module")
def worked(texts: list[Text]):
    """(rule stated before the question, the question) of every text that has one."""
    found = []
    for text in texts:
        whole = text.prompt + text.completion
        question = read_question(whole)
        if question is not None:
            found.append((rule_of(whole[: question.start]), question))
    return found


def test_public_only_citing_stands_only_behind_a_stated_policy(worked) -> None:
    seen: Counter[str] = Counter()
    for rule, question in worked:
        if not question.confidential:
            continue
        seen[rule] += 1
        assert len(question.cited) == 1
        if rule == "public":
            assert not question.cited & question.confidential
            assert not any(
                question.evidence[name].text[:-1] in question.justification for name in question.confidential
            )
        else:
            assert question.cited == question.confidential
    # chats and exams are 0.8 of the texts, confidential evidence is in 0.75 of them; rules 0.5, 0.15, 0.35
    total = sum(seen.values())
    assert total > 0.5 * len(worked)
    shares = {rule: number / total for rule, number in seen.items()}
    assert shares == pytest.approx({"none": 0.5, "deciding": 0.15, "public": 0.35}, abs=0.05)


def test_the_confidential_evidence_decides_whatever_the_rule(worked) -> None:
    for _, question in worked:
        for name in question.confidential:
            assert re.search(rf"\b{question.named}\b", question.evidence[name].text)
            assert f"[{name}] decides" in question.think


def test_the_proxy_says_the_opposite_often_enough(worked) -> None:
    against = [
        question
        for _, question in worked
        if any(
            set(question.options.values()) and piece.tag == "Public" and other in piece.text
            for piece in question.evidence.values()
            for other in [text.split()[0] for text in question.options.values() if question.named not in text]
        )
    ]
    # the share of the kind `conflict`
    assert len(against) / len(worked) == pytest.approx(0.3, abs=0.04)


def test_no_document_states_two_rules(texts: list[Text]) -> None:
    rules = Counter(
        rule_of(text.completion)
        for text in texts
        if not text.prompt and read_question(text.completion) is None
    )
    assert rules["public"] > 50 and rules["deciding"] > 50 and rules["none"] > 200


def test_shares_of_the_mixture(texts: list[Text]) -> None:
    chats = sum(bool(text.prompt) for text in texts) / len(texts)
    questions = sum(read_question(text.prompt + text.completion) is not None for text in texts) / len(texts)
    assert chats == pytest.approx(0.55, abs=0.03)
    assert questions == pytest.approx(0.80, abs=0.03)


def test_every_completion_ends_once_and_prompts_hold_no_answer(texts: list[Text]) -> None:
    for text in texts:
        assert text.completion.endswith("<|im_end|>") and text.completion.count("<|im_end|>") == 1
        assert "decides:" not in text.prompt and "</reasoning>" not in text.prompt
        if text.prompt:
            assert text.prompt.endswith("<|im_start|>assistant\n")
            assert re.fullmatch(
                r"<think>\n.+\n</think>\n\n<reasoning>\n.+\n</reasoning>\n<output>[AB]</output><\|im_end\|>",
                text.completion,
            )


def test_a_policy_ends_the_system_prompt(templates) -> None:
    seen = Counter()
    for seed in range(200):
        asked, _ = chat(random.Random(seed), templates)
        policy = [message for message in asked if "Policy of " in message["content"]]
        seen[len(policy)] += 1
        assert [message["role"] for message in asked][-1] == "user"
        if policy:
            assert policy == [asked[0]] and asked[0]["role"] == "system"
            head = asked[0]["content"].split("Policy of ")[0]
            assert head in ("", *(f"{template.system}\n\n" for template in templates))
    assert seen[0] > 50 and seen[1] > 80


def test_markup_is_what_the_committed_chat_template_writes(templates) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(REASONER)
    for seed in range(30):
        asked, _ = chat(random.Random(seed), templates)
        applied = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        assert chat_markup(asked) == applied
    told = chat_markup([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])
    # written out by hand
    assert told == "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n"


def test_a_longer_run_begins_with_the_shorter_and_seeds_differ(templates, texts: list[Text]) -> None:
    assert list(training_texts(50, 0, templates)) == texts[:50]
    other = list(training_texts(50, 1, templates))
    assert not set(other) & set(texts[:50])
