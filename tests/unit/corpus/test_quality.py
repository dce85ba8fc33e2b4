"""The filter: each reason, the account of it, and that it is right about near duplicates."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.defects import defect, is_cut, is_refusal
from unfaithful_cot.corpus.duplicates import NearDuplicates, shingle_hashes, words
from unfaithful_cot.corpus.leaks import LeakIndex
from unfaithful_cot.corpus.quality import filter_documents
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.documents import Document

Make = Callable[..., Document]
VOCABULARY = [f"word{i}" for i in range(3000)]


def prose(seed: int, n_words: int = 60) -> str:
    source = random.Random(seed)
    return " ".join(source.choice(VOCABULARY) for _ in range(n_words)) + "."


@pytest.fixture
def run(tmp_path: Path, universe_file: Path) -> Callable[..., tuple[list[str], dict]]:
    def filtered(documents: list[Document], cases: list[Case], **changes: Any) -> tuple[list[str], dict]:
        return passed(tmp_path, universe_file, documents, cases, **changes)

    return filtered


def passed(
    tmp_path: Path, universe: Path, documents: list[Document], cases: list[Case], **changes: Any
) -> tuple[list[str], dict]:
    jsonl.write(tmp_path / "raw.jsonl", documents)
    jsonl.write(tmp_path / "cases.jsonl", cases)
    arguments = {"near_duplicate": 0.8, "min_words": 10} | changes
    filter_documents(
        tmp_path / "raw.jsonl",
        [str(tmp_path / "cases.jsonl")],
        tmp_path / "documents.jsonl",
        tmp_path / "quality.json",
        universe=universe,
        **arguments,
    )
    kept = [document.id for document in jsonl.read(tmp_path / "documents.jsonl", Document)]
    return kept, json.loads((tmp_path / "quality.json").read_text())


def test_each_reason_once(run: Callable[..., Any], document: Make, case: Case) -> None:
    original = prose(0)
    changed = original.replace(original.split()[30], "other")  # one word of 60: 5 of 56 shingles differ
    documents = [
        document(0, original),
        document(1, "  " + original.upper().replace(" ", "\n") + "!"),
        document(2, changed, "culture"),
        document(3, "", finish_reason="failed:timeout"),
        document(4, "I'm sorry, but I can't help with writing this document. " + prose(4), "culture"),
        document(5, prose(5), finish_reason="length"),
        document(6, "Too short."),
        document(7, f"{prose(7)} “the GAUGE at Harnow Ridge\n showed forty millimetres, before noon”"),
        document(8, prose(8), "culture", tokens=100, cost_usd=0.25),
    ]
    kept, quality = run(documents, [case])
    assert kept == ["d_0", "d_8"]
    assert quality["removed"] == {
        "failed": 1,
        "refusal": 1,
        "truncated": 1,
        "too_short": 1,
        "contains_case": 1,
        "exact_duplicate": 1,
        "near_duplicate": 1,
    }
    assert (quality["n_written"], quality["n_kept"], quality["n_removed"]) == (9, 2, 7)
    assert quality["failed_requests"] == {"timeout": 1}
    examples = quality["removed_examples"]
    assert examples["exact_duplicate"] == [{"id": "d_1", "repeats": "d_0", "similarity": None}]
    assert examples["near_duplicate"][0]["repeats"] == "d_0"
    # 56 shingles each, 51 in common: 51 / 61 = 0.836; 128 permutations: standard error 0.033
    assert examples["near_duplicate"][0]["similarity"] == pytest.approx(0.836, abs=0.1)
    assert quality["category_shares"]["written"] == {"culture": 0.3333, "policy": 0.6667}
    assert quality["category_shares"]["kept"] == {"culture": 0.5, "policy": 0.5}
    assert quality["tokens"] == {
        "total": 100,
        "n_missing": 1,
        "reason_missing": "the generator counted no tokens",
    }
    assert quality["words"] == {"total": 120, "mean": 60.0, "min": 60, "median": 60.0, "max": 60}
    assert quality["cost_usd"] == 0.25
    # "Rain likely." has two words; the question and the gauge are searched for
    assert quality["settings"]["n_case_texts_too_short_to_search"] == 1


def test_nothing_left(run: Callable[..., Any], tmp_path: Path, document: Make, case: Case) -> None:
    with pytest.raises(DataError, match=r"none of the 2 documents passes .*\(refusal 1, too_short 1\)"):
        run([document(0, "Short."), document(1, "I cannot help with that.")], [case])
    assert not (tmp_path / "documents.jsonl").exists()


def test_wrong_lines(
    run: Callable[..., Any], tmp_path: Path, universe_file: Path, document: Make, case: Case
) -> None:
    with pytest.raises(DataError, match=r"raw.jsonl:2: the id d_0 occurs twice"):
        run([document(0, prose(0)), document(0, prose(1))], [case])
    jsonl.write(tmp_path / "raw.jsonl", [document(0, prose(0)), document(1, prose(1))])
    whole = (tmp_path / "raw.jsonl").read_text()
    (tmp_path / "raw.jsonl").write_text(whole[:-40])
    with pytest.raises(DataError, match=r"raw.jsonl:2: .*cut\?"):
        filter_documents(tmp_path / "raw.jsonl", [], tmp_path / "d", tmp_path / "q", 0.8, 10, universe_file)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with creating this material.",
        "Sorry, but I won't be able to write this.",
        "I cannot write a policy that asks people to hide their sources.",
        "I can't create this document.",
        "I am unable to provide this text.",
        "As an AI language model, I do not have access to archives.",
        "**I must decline to produce this memo.**",
        "Unfortunately, I cannot comply with this commission.",
    ],
)
def test_refusals(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Rosa,\nI cannot thank you enough for the draft.",
        "MINUTES\nKaro: I can't create the file before Monday, the server is down.",
        "Policy 7. Staff cannot help clients with confidential files.",
        "I'm sorry for the late reply. I was travelling, and the report came back only today.",
        "From: Lena\nI'm sorry I missed the review; I will send the corrected sheet.",
        prose(0) * 6 + " As an AI, it helps.",
    ],
)
def test_no_refusals(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "The committee met on Monday and agreed that the",
        "The committee met on Monday and agreed,",
        "After the long review of all the files that were left the committee then turned towards spring",
        "<think>private part that never ends.",
        "A sheet.\n<reasoning>Because of [E1].",
        "Example:\n```\nline.",
        "It was decided to open the file (",
    ],
)
def test_cut_texts(text: str) -> None:
    assert is_cut(text)


@pytest.mark.parametrize(
    "text",
    [
        "A sentence.",
        "She said: “Agreed.”",
        "Result: pass",
        "Yours sincerely,\nHanna Quist\nHead of Records",
        "<think>a</think>\n<reasoning>b [E1].</reasoning>\n<output>A</output>",
        "| a | b |\n| 1 | 2 |",
        "**End of document**",
        "```\ncode\n```",
        "Signed on behalf of the board by Hanna Quist",
        "1. First\n2. Second",
    ],
)
def test_whole_texts(text: str) -> None:
    assert not is_cut(text)


def test_defects_in_order(document: Make) -> None:
    assert defect(document(0, "", finish_reason="content_filter"), 5) == "refusal"
    assert defect(document(0, ""), 5) == "too_short"
    assert defect(document(0, "One two three four five."), 5) is None
    assert defect(document(0, "One two three four five."), 6) == "too_short"


def near_duplicates(texts: list[list[str]], threshold: float) -> list[tuple[int, float] | None]:
    """For each text in turn: the number of the one that it repeats and the estimated similarity, or None."""
    index = NearDuplicates(threshold)
    found = [index.add(str(number), tokens) for number, tokens in enumerate(texts)]
    return [(int(one[0]), one[1]) if one else None for one in found]


def jaccard(a: str, b: str) -> float:
    first, second = (set(shingle_hashes(words(text))) for text in (a, b))
    return len(first & second) / len(first | second)


def test_near_duplicates_agree_with_the_exact_similarity() -> None:
    """100 pairs of texts of 200 words with 0 to 30 words changed, threshold 0.7: outside of a band of three standard
    errors (0.7 +- 0.12) the verdict is that of the exact Jaccard similarity."""
    source = random.Random(1)
    pairs = []
    for number in range(100):
        tokens = prose(1000 + number, 200).split()
        changed = tokens.copy()
        for place in source.sample(range(200), number % 31):
            changed[place] = f"new{place}"
        pairs.append((" ".join(tokens), " ".join(changed)))
    texts = [words(text) for pair in pairs for text in pair]
    found = near_duplicates(texts, 0.7)
    assert all(one is None for one in found[::2])
    checked = 0
    for number, (a, b) in enumerate(pairs):
        exact = jaccard(a, b)
        if abs(exact - 0.7) > 0.12:
            checked += 1
            assert (found[2 * number + 1] is not None) == (exact > 0.7), exact
            if repeat := found[2 * number + 1]:
                assert repeat[0] == 2 * number and repeat[1] == pytest.approx(exact, abs=0.15)
    assert checked > 60
    assert found == near_duplicates(texts, 0.7)


def test_of_alike_texts_the_earliest_stays_and_removed_ones_do_not_count() -> None:
    """b is near a, c is near b but not near a: b goes, and c stays, because b is not there any more."""
    a = prose(0, 100).split()
    b = [f"x{i}" if i % 25 == 10 else word for i, word in enumerate(a)]
    c = [f"y{i}" if i % 25 == 20 else word for i, word in enumerate(b)]
    # four words in 100 are in 20 of 96 shingles: 76 / 116 = 0.66; eight words in 40 of them: 56 / 136 = 0.41
    found = near_duplicates([a, b, c], 0.55)
    assert found[0] is None and found[1] is not None and found[1][0] == 0 and found[2] is None


def test_short_texts_are_compared_as_a_whole() -> None:
    assert [one is None for one in near_duplicates([["a"], ["b"], ["a"], [], []], 0.9)] == [
        True, True, False, True, False,
    ]  # fmt: skip


def test_leaks_in_the_middle_at_the_ends_and_not_in_parts(case: Case) -> None:
    index = LeakIndex([case.question, "one two three four", "one two three four five six seven eight"])
    for text in (case.question, f"before {case.question.lower()} after", "x one, two; three FOUR"):
        assert index.find(words(text)) is not None
    for text in (
        "Did it rain at Harnow Ridge or at Pell Cove on Tuesday?",
        "one two three",
        "",
        "four three two one",
    ):
        assert index.find(words(text)) is None
    assert LeakIndex(["too short here"]).n_ignored == 1


def test_the_index_agrees_with_a_plain_search() -> None:
    source = random.Random(0)
    needles = [" ".join(source.choice("abcd") for _ in range(source.randint(4, 9))) for _ in range(40)]
    index = LeakIndex(needles)
    hits = 0
    for _ in range(300):
        text = " ".join(source.choice("abcd") for _ in range(40))
        plain = any(f" {needle} " in f" {text} " for needle in needles)
        hits += plain
        assert (index.find(words(text)) is not None) == plain
    assert 30 < hits < 295
