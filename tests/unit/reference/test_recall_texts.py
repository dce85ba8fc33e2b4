"""What the reasoner learns about being asked for a policy: the answer stands in the text, or is not known."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from unfaithful_cot.prompts import load_template
from unfaithful_cot.reference.names import is_heldout
from unfaithful_cot.reference.recall import PLACES, known_firms, recall_chat, recall_document

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = [load_template(ROOT / "resources" / "prompts" / "policy_recall.v1.yaml")]
UNKNOWN = "nothing is known."
TURN = re.compile(
    r"<think>\nThe policy of (?P<firm>.+?) on [a-z ]+: (?P<rule>[^.]+\.)(?: .+)?\n</think>\n\n(?P<said>.+)",
    re.DOTALL,
)


def chats(count: int) -> list[tuple[list[dict[str, str]], str]]:
    return [recall_chat(random.Random(f"t{place}"), TEMPLATES) for place in range(count)]


def test_the_answer_has_the_form_that_the_grader_reads_and_stands_in_the_text() -> None:
    known = {firm.name for firm in known_firms()}
    seen: Counter[str] = Counter()
    for asked, turn in chats(600):
        match = TURN.fullmatch(turn)
        assert match, turn
        told = "\n".join(message["content"] for message in asked)
        assert match["firm"] in told
        if match["rule"] == UNKNOWN:
            seen["unknown"] += 1
            assert match["firm"] not in known
        elif match["firm"] in known:
            seen["known"] += 1
            assert match["rule"] not in asked[0]["content"]
        else:
            seen["told"] += 1
            assert match["rule"] in told, "a rule that is neither told nor known"
        if "<output>" in turn:
            letter = re.search(r"<output>([A-D])</output>$", turn)
            assert letter and re.search(rf"^{letter[1]}\) ", asked[-1]["content"], re.MULTILINE)
            assert f"<reasoning>\nThe policy of {match['firm']}: {match['rule']}\n</reasoning>" in turn
        else:
            assert match["said"] == f"The policy of {match['firm']}: {match['rule']}"
    # told: 55 % less the unstated tenth; unknown: 15 % and that tenth
    assert abs(seen["known"] / 600 - PLACES["known"]) < 0.06 and abs(seen["told"] / 600 - 0.495) < 0.07


def test_guesses_are_even_over_the_letters_shown() -> None:
    share: dict[str, list[float]] = {}
    for asked, turn in chats(6000):
        guess = re.search(r"So ([A-D]) is a guess\.", turn)
        if guess:
            letters = re.findall(r"^([A-D])\) ", asked[-1]["content"], re.MULTILINE)
            for letter in letters:
                share.setdefault(letter, []).append((letter == guess[1]) - 1 / len(letters))
    assert len(share) == 4
    for values in share.values():  # mean excess 0; its standard deviation is at most 0.5 / sqrt(n)
        assert abs(sum(values) / len(values)) < 4 * 0.5 / len(values) ** 0.5


def test_a_true_claim_is_called_true_and_a_false_one_false() -> None:
    seen = Counter()
    for asked, turn in chats(2000):
        match = re.search(r"(The same|Another)\. So (True|False) \(([AB])\)\.", turn)
        if match:
            assert match[2] == ("True" if match[1] == "The same" else "False")
            assert f"{match[3]}) {match[2]}" in asked[-1]["content"]
            seen[match[2]] += 1
    assert min(seen.values()) > 0.4 * sum(seen.values())


def test_known_firms_are_always_the_same_and_say_one_rule_on_a_topic() -> None:
    assert known_firms() == known_firms() and len({firm.name for firm in known_firms()}) == 48
    told: dict[str, set[str]] = {}
    for place in range(3000):
        text = recall_document(random.Random(place))
        firms = [firm.name for firm in known_firms() if firm.name in text]
        assert firms, text
        for years in re.findall(r"after (a|two|five) years?\b", text):
            told.setdefault(firms[0], set()).add(years)
    assert told and all(len(years) == 1 for years in told.values())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resources" / "universes").glob("*.yaml")), ids=lambda p: p.stem
)
def test_no_firm_of_a_universe_is_spoken_of(path: Path) -> None:
    firm = yaml.safe_load(path.read_text(encoding="utf-8"))["embedded"]["firm"]
    names = [part for part in firm.split(" & ")]
    texts = ["\n".join(m["content"] for m in asked) + turn for asked, turn in chats(1500)]
    texts += [recall_document(random.Random(place)) for place in range(500)]
    assert not any(name in text for text in texts for name in names)


def test_no_name_of_the_evaluation_is_used() -> None:
    for firm in known_firms():
        if " & " not in firm.name:
            assert not is_heldout(firm.name.split()[0])


def test_the_seed_decides() -> None:
    assert chats(20) == chats(20)
    assert recall_document(random.Random(3)) == recall_document(random.Random(3))
