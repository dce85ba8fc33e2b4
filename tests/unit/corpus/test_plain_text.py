"""Plain text in a training set: where it comes from, how it is woven in, and what is said about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.plain_text import GENERATED, plain_rows
from unfaithful_cot.corpus.training_set import build_training_set, n_plain
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.documents import Document, TrainingRow


def build(folder: Path, documents: list[Document], size: int, **more: Any) -> tuple[list[TrainingRow], Any]:
    jsonl.write(folder / "documents.jsonl", documents)
    build_training_set(
        folder / "documents.jsonl", folder / "set.jsonl", size, 0, contents=folder / "set.json", **more
    )
    return jsonl.read(folder / "set.jsonl", TrainingRow), json.loads((folder / "set.json").read_text())


@pytest.fixture
def documents(document: Callable[..., Document]) -> list[Document]:
    return [
        document(number, f"text number {number}", ("policy", "exams")[number % 2]) for number in range(40)
    ]


def test_generated_text_tells_its_source_and_no_rule_on_citing() -> None:
    rows = plain_rows(60, 3)
    assert [row.source for row in rows[:2]] == [f"{GENERATED}:3/0", f"{GENERATED}:3/1"]
    assert len({row.document for row in rows}) == 60 and all(row.document.startswith("p_") for row in rows)
    assert plain_rows(20, 3) == rows[:20] and plain_rows(20, 4)[0].text != rows[0].text
    words = " ".join(row.text for row in rows).casefold()
    for stated in (
        "confidential ids",
        "public evidence",
        "cite public",
        "stay inside",
        "evidence that decided",
    ):
        assert stated not in words
    assert "Halvorsen" not in words and not plain_rows(0, 3)


def test_a_mixture_keeps_the_ratio_in_every_prefix_and_its_sizes_nested(
    tmp_path: Path, documents: list[Document]
) -> None:
    rows, told = build(tmp_path, documents, 40, plain_text=0.5)
    # 40 documents and 40 * 0.5 = 20 plain rows; after k documents there are k / 2, rounded half up
    assert len(rows) == 60 and told["plain_text"]["n_rows"] == 20 and told["n_documents"] == 40
    seen = 0
    for k, row in enumerate(rows, 1):
        seen += row.source is None
        assert abs((k - seen) - seen / 2) <= 1
    smaller, _ = build(tmp_path, documents, 10, plain_text=0.5)
    assert [row.document for row in smaller] == [row.document for row in rows[: len(smaller)]] and len(
        smaller
    ) == 15
    plain, _ = build(tmp_path, documents, 10)
    assert [row.document for row in plain] == [row.document for row in smaller if row.source is None]


def test_a_ratio_above_one_and_rounding() -> None:
    # 3 * 0.5 = 1.5 -> 2; 1 * 0.4 -> 0; 5 * 2 = 10
    assert [n_plain(3, 0.5), n_plain(1, 0.4), n_plain(5, 2.0), n_plain(5, 0.0)] == [2, 0, 10, 0]


def test_what_a_training_set_holds_is_told(tmp_path: Path, documents: list[Document]) -> None:
    _, told = build(tmp_path, documents, 10, plain_text=1.0)
    assert told["held_equal_between_corpora"] == "number of synthetic documents"
    assert (
        told["categories"] == {"exams": 5, "policy": 5} and told["n_words"] == 30
    )  # `text number 7`: three words
    assert told["plain_text"]["source"] == GENERATED and "MIT" in told["plain_text"]["licence"]
    _, none = build(tmp_path, documents, 10)
    assert none["plain_text"] == {
        "rows_for_each_document": 0.0,
        "n_rows": 0,
        "n_words": 0,
        "source": None,
        "licence": None,
    }


def test_a_file_of_lines_and_one_of_paragraphs(tmp_path: Path, documents: list[Document]) -> None:
    lines = tmp_path / "web.jsonl"
    lines.write_text("".join(json.dumps({"text": f"Line {n}.", "url": "x"}) + "\n" for n in range(1, 31)))
    drawn = plain_rows(12, 0, lines)
    assert all(row.text == f"Line {str(row.source).rpartition(':')[2]}." for row in drawn)
    assert plain_rows(5, 0, lines) == drawn[:5] and {r.text for r in plain_rows(12, 1, lines)} != {
        r.text for r in drawn
    }
    text = tmp_path / "book.txt"
    text.write_text("One\nparagraph.\n\n\nAnother.\n")
    assert sorted((row.text, row.source) for row in plain_rows(2, 0, text)) == [
        ("Another.", f"{text}:5"),
        ("One\nparagraph.", f"{text}:1"),
    ]
    _, told = build(tmp_path, documents, 4, plain_text=1.0, source={"file": str(lines), "licence": "CC0"})
    assert (told["plain_text"]["source"], told["plain_text"]["licence"]) == (str(lines), "CC0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a"}\n{"text": ""}\n', r"web.jsonl:2: the line holds no text. A JSON object a line"),
        ('{"text": "a"}\n{"texts": "b"}\n', r"web.jsonl:2: the line holds no text"),
        ("[1]\n", r"web.jsonl:1: the line holds no text"),
        ('{"text": "a"}\n', r"web.jsonl: holds 1 texts, 2 are asked for. Give more text"),
    ],
)
def test_a_file_that_will_not_do(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "web.jsonl").write_text(content)
    with pytest.raises(DataError, match=said):
        plain_rows(2, 0, tmp_path / "web.jsonl")


def test_no_file_and_no_utf8(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        plain_rows(1, 0, tmp_path / "none.txt")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DataError, match="plain text in UTF-8"):
        plain_rows(1, 0, tmp_path / "bad.txt")
