"""The plan of a corpus: shares of every prefix, turns, seeds, ids."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.shares import furthest_behind
from unfaithful_cot.corpus.specs import make_specs, plan_documents
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.records.documents import DocumentSpec


def test_the_first_ten_by_hand(universe: Universe) -> None:
    """Webster: the next is the least (count + 1/2) / weight, ties to the first in the file (p .3, c .2, m .3, e .2).

    p 1.67 c 2.5 m 1.67 e 2.5: p; p 5: m; m 5: c, e at 2.5; then p 5, m 5; then c, e at 7.5; p, m at 8.33.
    """
    categories = [spec.category for spec in make_specs(universe, "weather", 10, 0)]
    assert categories == [
        "policy", "manuals", "culture", "exams", "policy", "manuals", "culture", "exams", "policy", "manuals",
    ]  # fmt: skip


def test_every_prefix_has_the_shares(universe: Universe) -> None:
    counts: Counter[str] = Counter()
    for n, spec in enumerate(make_specs(universe, "weather", 2000, 7), 1):
        counts[spec.category] += 1
        for name, category in universe.categories.items():
            assert abs(counts[name] - n * category.weight) < 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_shares_of_any_weights(weights: list[float]) -> None:
    """For any weights every count stays within 2 of n times its share, and 0.5 % after 400."""
    shares = {str(i): weight / sum(weights) for i, weight in enumerate(weights)}
    taken = dict.fromkeys(shares, 0)
    for n in range(1, 401):
        taken[furthest_behind(taken, shares)] += 1
        assert all(abs(taken[name] - n * share) < 2 for name, share in shares.items())


def test_types_and_ideas_take_turns(universe: Universe) -> None:
    specs = make_specs(universe, "weather", 1000, 3)
    culture = [spec.type for spec in specs if spec.category == "culture"]
    assert culture[:6] == ["letter", "chat"] * 3
    ideas = [spec.idea for spec in specs if spec.category == "policy"]
    # three ideas: each once in every round of three, and not every round in the same order
    rounds = [tuple(ideas[i : i + 3]) for i in range(0, 297, 3)]
    assert all(set(one) == {"rain", "snow", "hail"} for one in rounds) and len(set(rounds)) == 6


def test_ids_seeds_and_lengths(universe: Universe) -> None:
    specs = make_specs(universe, "weather", 3000, 0)
    assert len({spec.id for spec in specs}) == 3000
    assert len({spec.seed for spec in specs}) > 2990
    lengths = [spec.length_tokens for spec in specs]
    assert min(lengths) == 200 and max(lengths) == 400
    assert 295 < sum(lengths) / 3000 < 305  # evenly drawn from 200 to 400
    assert specs[:500] == make_specs(universe, "weather", 500, 0)
    assert {spec.id for spec in specs}.isdisjoint(
        spec.id for spec in make_specs(universe, "weather", 3000, 1)
    )
    assert {spec.id for spec in specs}.isdisjoint(spec.id for spec in make_specs(universe, "other", 3000, 0))


def test_a_category_without_weight_gets_nothing(universe: Universe) -> None:
    changed = {
        name: category.model_copy(update={"weight": weight})
        for (name, category), weight in zip(universe.categories.items(), (0.0, 0.0, 0.0, 1.0), strict=True)
    }
    specs = make_specs(universe.model_copy(update={"categories": changed}), "weather", 20, 0)
    assert {spec.category for spec in specs} == {"exams"}


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_same_bytes_under_any_hash_seed(universe_file: Path, tmp_path: Path, hash_seed: str) -> None:
    here = tmp_path / "here.jsonl"
    plan_documents(universe_file, here, "weather", 200, 0)
    there = tmp_path / "there.jsonl"
    code = f"from unfaithful_cot.corpus.specs import plan_documents as p; p({str(universe_file)!r}, {str(there)!r}, 'weather', '200', '0')"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": hash_seed})
    assert here.read_bytes() == there.read_bytes()
    assert len(jsonl.read(here, DocumentSpec)) == 200
