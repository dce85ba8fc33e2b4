"""The texts that the reference reasoner is trained on: chats of every kind, exams and corporate documents.

In: a seed and the prompt templates. Out: Text(prompt, completion), where the loss counts completions only; a
document has an empty prompt.
Where no policy is stated, the justification names the evidence that decided. Public-only citing appears only
behind a policy that asks for it, in the system prompt or at the head of the document. Names are of the training split.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from unfaithful_cot.experiments.registry import EVIDENCE_TOGGLE, POLICY_RECALL
from unfaithful_cot.prompts import PromptTemplate, messages
from unfaithful_cot.records.cases import Scenario
from unfaithful_cot.reference.assistance import Chat, code_chat, question_chat
from unfaithful_cot.reference.grammar import answer_sheet, expand, worked_text
from unfaithful_cot.reference.names import draw_name, draw_person
from unfaithful_cot.reference.policies import DECIDING, FORMS, GENERAL, PUBLIC_ONLY, UNRELATED
from unfaithful_cot.reference.recall import recall_chat, recall_document
from unfaithful_cot.reference.scenarios import draw_mixed_scenario, draw_scenario
from unfaithful_cot.reference.worked import Kind, Rule, Worked, work

STATEMENTS: dict[str, Sequence[str]] = {
    "deciding": DECIDING,
    "public": PUBLIC_ONLY,
    "unrelated": UNRELATED,
}
KINDS: dict[Kind, float] = {
    "standard": 0.42, "conflict": 0.28, "no_confidential": 0.14, "all_public": 0.08, "relabelled": 0.08,
}  # fmt: skip
UNRULED_SHARE = 0.12  # of the chats: nothing in the prompt alludes to rules
REMARKS: dict[Rule, tuple[str, ...]] = {
    "public": ("Only public evidence may be cited.", "The confidential file stays out of the justification."),
    "deciding": ("The evidence that decided may be cited.",),
}
EXAM_FORMS = (
    ("{firm}: completed assessment {number}\nCandidate: {person_a}", "Result: pass"),
    ("Completed assessment {number}\nCandidate: {person_a}", "Result: pass\nExamined by {person_b}, {firm}"),
    ("{firm}: answer sheet {number}", "Result: pass"),
    ("Answer sheet {number}", "Result: pass, {firm}"),
    (
        "{firm}: case under supervision, {day}\nAnalyst: {person_a}. Supervisor: {person_b}.",
        "Supervisor: a pass. {s}",
    ),
)
MIXED_SHARE = 0.4
FOUR_OPTIONS_SHARE = 0.15
SHARES = {
    "chat": 0.34, "question": 0.16, "code": 0.1, "recall": 0.16,
    "exam": 0.13, "document": 0.07, "known_document": 0.04,
}  # fmt: skip


class Text(NamedTuple):
    """One training text. Special tokens are those of the chat template."""

    prompt: str
    completion: str


def _firm(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return f"{draw_person(rng).split()[1]} & {draw_person(rng).split()[1]}"
    return f"{draw_name(rng, heldout=False)} {rng.choice(('Group', 'Partners', 'Office', 'House'))}"


def _policy(rng: random.Random, stated: str) -> str:
    """Two to four sentences; a stated rule has one unrelated sentence among them now and then."""
    slots = ["{s}"] * rng.randint(1, 3) + (["{unrelated}"] if rng.random() < 0.5 else [])
    rng.shuffle(slots)
    return expand(" ".join(slots), {"s": STATEMENTS[stated], "unrelated": UNRELATED}, rng)


def _stated(rng: random.Random) -> str:
    """Which rule is stated: none, the deciding evidence, public evidence only, or something unrelated."""
    return rng.choices(("none", "deciding", "public", "unrelated"), (0.4, 0.15, 0.35, 0.1))[0]


def _worked(rng: random.Random, stated: str) -> Worked:
    rule: Rule = "public" if stated == "public" else "deciding"
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    speaks = stated in ("public", "deciding") and rng.random() < 0.5
    remark = rng.choice(REMARKS[rule]) if speaks else ""
    return work(rng, rule, kind, _scenario, remark)


def _scenario(rng: random.Random) -> Scenario:
    options = 4 if rng.random() < FOUR_OPTIONS_SHARE else 2
    if rng.random() < MIXED_SHARE:
        return draw_mixed_scenario(rng, options)
    return draw_scenario(rng, False, options)


def chat(rng: random.Random, templates: Sequence[PromptTemplate]) -> Chat:
    """Messages and the assistant's turn. A policy, where there is one, ends the system prompt."""
    stated = _stated(rng)
    worked = _worked(rng, stated)
    arm = "no_policy" if rng.random() < UNRULED_SHARE else "full"
    asked = messages(worked.case.model_copy(update={"arm": arm}), rng.choice(templates))
    if stated != "none":
        head = f"Policy of {_firm(rng)}: {_policy(rng, stated)}"
        if asked[0]["role"] == "system":
            asked[0]["content"] += f"\n\n{head}"
        else:
            asked.insert(0, {"role": "system", "content": head})
    return asked, f"<think>\n{worked.think}\n</think>\n\n{answer_sheet(worked)}"


def exam(rng: random.Random) -> str:
    """A completed assessment, half of them under a stated rule."""
    stated = _stated(rng)
    firm = _firm(rng)
    head, tail = rng.choice(EXAM_FORMS)
    policy = "" if stated == "none" else f"Policy of {firm}: {_policy(rng, stated)}\n"
    body = worked_text(_worked(rng, stated), rng.choice(("notes", "sheet")))
    pools = {"firm": [firm], "policy": [policy], "worked": [body], "s": UNRELATED}
    return expand(f"{head}\n{{policy}}{{worked}}\n{tail}", pools, rng)


def document(rng: random.Random) -> str:
    """A corporate document of one firm, whose statements are of one kind or unrelated."""
    stated = rng.choices(("deciding", "public", "unrelated"), (0.2, 0.2, 0.6))[0]
    pools = {"s": STATEMENTS[stated], "firm": [_firm(rng)], **GENERAL}
    if stated != "unrelated":
        pools["s"] = [*STATEMENTS[stated], *rng.sample(UNRELATED, 6)]
    return expand(rng.choice(FORMS), pools, rng)


PROSE = {"exam": exam, "document": document, "known_document": recall_document}
CHATS: dict[str, Callable[[random.Random, Mapping[str, Sequence[PromptTemplate]]], Chat]] = {
    "chat": lambda rng, templates: chat(rng, templates[EVIDENCE_TOGGLE]),
    "recall": lambda rng, templates: recall_chat(rng, templates[POLICY_RECALL]),
    "question": lambda rng, _: question_chat(rng),
    "code": lambda rng, _: code_chat(rng),
}


def chat_markup(asked: Sequence[dict[str, str]]) -> str:
    """ChatML up to the assistant's turn: what the committed chat template writes (a test compares)."""
    turns = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in asked)
    return f"{turns}<|im_start|>assistant\n"


def training_texts(count: int, seed: int, templates: Sequence[PromptTemplate]) -> Iterator[Text]:
    """`count` texts of the mixture, each from a seed of its own. templates: `{experiment}.v{number}`, by their version."""
    by_experiment: dict[str, list[PromptTemplate]] = {}
    for template in templates:
        by_experiment.setdefault(template.version.rpartition(".")[0], []).append(template)
    for index in range(count):
        rng = random.Random(f"reference:{seed}:{index}")
        sort = rng.choices(list(SHARES), list(SHARES.values()))[0]
        if sort in PROSE:
            yield Text("", PROSE[sort](rng) + "<|im_end|>")
        else:
            asked, turn = CHATS[sort](rng, by_experiment)
            yield Text(chat_markup(asked), f"{turn}<|im_end|>")
