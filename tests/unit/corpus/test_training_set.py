"""Training sets: nested, seeded, with the shares of the categories."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.training_set import build_training_set
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.documents import Document, TrainingRow

Make = Callable[..., Document]
SHARES = {"policy": 0.3, "culture": 0.2, "manuals": 0.3, "exams": 0.2}


@pytest.fixture
def documents(document: Make) -> list[Document]:
    names = ["policy"] * 60 + ["culture"] * 40 + ["manuals"] * 60 + ["exams"] * 40
    return [document(number, f"text {number}", name) for number, name in enumerate(names)]


def rows(
    tmp_path: Path, documents: list[Document], size: int | str, seed: int | str = 0, **more: object
) -> list[str]:
    jsonl.write(tmp_path / "documents.jsonl", documents)
    build_training_set(tmp_path / "documents.jsonl", tmp_path / "set.jsonl", size, seed, **more)  # type: ignore[arg-type]
    return [row.document for row in jsonl.read(tmp_path / "set.jsonl", TrainingRow)]


def test_sizes_are_prefixes_of_one_order(tmp_path: Path, documents: list[Document]) -> None:
    whole = rows(tmp_path, documents, 200)
    assert sorted(whole) == sorted(document.id for document in documents)
    for size in (1, 10, "50", 199):
        assert rows(tmp_path, documents, size) == whole[: int(size)]


def test_the_order_depends_on_the_seed_and_not_on_the_file(tmp_path: Path, documents: list[Document]) -> None:
    first = rows(tmp_path, documents, 100)
    shuffled = random.Random(0).sample(documents, len(documents))
    assert rows(tmp_path, shuffled, 100) == first
    other = rows(tmp_path, documents, 100, "1")
    assert other != first and 20 < len(set(other) & set(first)) < 80  # half are expected in common


def test_every_prefix_has_the_shares(tmp_path: Path, documents: list[Document]) -> None:
    category = {document.id: document.spec.category for document in documents}
    counts: Counter[str] = Counter()
    for n, identifier in enumerate(rows(tmp_path, documents, 200), 1):
        counts[category[identifier]] += 1
        assert all(abs(counts[name] - n * share) < 1 for name, share in SHARES.items())


def test_shares_of_the_plan_where_the_filter_was_hard_on_one_category(
    tmp_path: Path, documents: list[Document], universe: Universe
) -> None:
    """Half of the exams are gone: by their own shares 100 rows have 100 * 20 / 180 = 11 of them, by the plan 20."""
    left = documents[:-20]
    category = {document.id: document.spec.category for document in documents}
    own = Counter(category[one] for one in rows(tmp_path, left, 100))
    assert own["exams"] == 11
    jsonl.write(tmp_path / "specs.jsonl", make_specs(universe, "weather", 200, 0))
    planned = Counter(category[one] for one in rows(tmp_path, left, 100, specs=tmp_path / "specs.jsonl"))
    assert planned == {"policy": 30, "culture": 20, "manuals": 30, "exams": 20}
    # all 20 exams used up: the others go on, and nothing is lost
    assert len(set(rows(tmp_path, left, 180, specs=tmp_path / "specs.jsonl"))) == 180


def test_a_size_above_the_corpus(tmp_path: Path, documents: list[Document]) -> None:
    with pytest.raises(
        DataError,
        match=r"documents.jsonl: 200 documents are left after the quality step, 1,201 are asked for",
    ):
        rows(tmp_path, documents, 1201)


def test_an_empty_corpus(tmp_path: Path) -> None:
    (tmp_path / "documents.jsonl").write_text("")
    with pytest.raises(DataError, match=r"the file is empty. .*Rerun: snakemake -R filter_documents"):
        build_training_set(tmp_path / "documents.jsonl", tmp_path / "set.jsonl", 1, 0)


def test_documents_that_are_lost_are_missed(tmp_path: Path, documents: list[Document]) -> None:
    (tmp_path / "quality.json").write_text('{"n_kept": 200}')
    assert len(rows(tmp_path, documents, 5, quality=tmp_path / "quality.json")) == 5
    with pytest.raises(DataError, match=r"documents\.jsonl: holds 199 documents, 200 were written"):
        rows(tmp_path, documents[:-1], 5, quality=tmp_path / "quality.json")
