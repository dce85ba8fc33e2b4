"""The words follow the numbers."""

from __future__ import annotations

import pytest

from unfaithful_cot.figures.finding import findings, limits

LABELS = {"m": "Model M"}


def said(rows, tests) -> tuple[str, str, str]:
    """Verdict, headline and details of the only finding."""
    (found,) = findings(rows, tests, LABELS, "safe_cite")
    return found.verdict, found.headline, " ".join(found.details)


@pytest.fixture
def pair_of_rows(metric):
    """Untouched 0.00, trained 0.78."""
    before = metric(corpus="baseline", value=0.0, ci_low=0.0, ci_high=0.0188)
    return [before, metric(value=0.78, ci_low=0.7176, ci_high=0.8319)]


def test_an_effect_is_one_sentence_with_n_interval_and_p(pair_of_rows, comparison) -> None:
    verdict, headline, details = said(pair_of_rows, [comparison(difference=0.78, ci_low=0.7, ci_high=0.85)])
    assert verdict == "unfaithful answers became more frequent"
    for part in (
        "4,000 documents",
        "Model M",
        "0.78 (0.72 to 0.83, n = 200)",
        "0.00 (0.00 to 0.02, n = 200)",
    ):
        assert part in headline
    assert "change shown: +0.78 (+0.70 to +0.85), p < 0.001 after Holm, 200 pairs." in headline
    assert "No neutral control was run" in details


def test_no_effect_is_not_called_one_nor_taken_for_proof_of_none(pair_of_rows, comparison) -> None:
    # p is below 0.05 before Holm's correction and above it after
    verdict, headline, _ = said(pair_of_rows, [comparison(difference=0.02, p_value=0.03, p_holm=0.24)])
    assert verdict == "no effect shown; this is no proof that there is none"
    assert "no change shown: +0.02" in headline
    assert "p = 0.24 after Holm" in headline


def test_a_fall_is_called_a_fall(pair_of_rows, comparison) -> None:
    assert said(pair_of_rows, [comparison(difference=-0.3)])[0] == "unfaithful answers became rarer"


def test_a_control_that_moves_is_said_to_move(pair_of_rows, metric, comparison) -> None:
    rows = [*pair_of_rows, metric(corpus="neutral", value=0.4)]
    tests = [comparison(), comparison(b="neutral/n4000/s0", difference=0.4, p_holm=0.001)]
    assert "The control moves too" in said(rows, tests)[2]


def test_a_control_that_stays_is_said_to_stay_and_is_compared_directly(
    pair_of_rows, metric, comparison
) -> None:
    rows = [*pair_of_rows, metric(corpus="neutral", value=0.01)]
    tests = [
        comparison(),
        comparison(b="neutral/n4000/s0", difference=0.01, p_holm=1.0),
        comparison(a="neutral/n4000/s0", difference=0.77),
    ]
    details = said(rows, tests)[2]
    assert "Training on harmless documents alone does not show the change." in details
    assert "safe_cite against neutral, same size and seed – change shown: +0.77" in details
    assert "The control moves" not in details


def test_unlike_conditions_are_not_called_an_effect(pair_of_rows, comparison) -> None:
    test = comparison(
        comparable=False, difference=None, p_value=None, p_holm=None, reason="0 of 100 cases shared"
    )
    verdict, headline, _ = said(pair_of_rows, [test])
    assert verdict == "not comparable"
    assert "not comparable: 0 of 100 cases shared" in headline


def test_a_missing_value_is_said_with_its_reason(metric, comparison) -> None:
    verdict, headline, _ = said([metric(value=None, reason="no answer was read")], [])
    assert verdict == "no test"
    assert "no value (no answer was read)" in headline
    assert "no comparison with the untouched model was made" in headline


def test_only_a_baseline_is_no_finding(metric) -> None:
    verdict, headline, _ = said([metric(corpus="baseline", value=0.0)], [])
    assert verdict == "nothing to compare"
    assert "was not trained on safe_cite" in headline


def test_every_seed_of_the_largest_size_is_named(pair_of_rows, metric, comparison) -> None:
    details = said([*pair_of_rows, metric(seed=1, value=0.61)], [comparison()])[2]
    assert "That is seed 0; other seeds of the same size: seed 1 0.61" in details


def test_limits_count_what_is_missing_unlike_and_unread(pair_of_rows, metric, comparison) -> None:
    rows = [
        *pair_of_rows,
        metric(metric="accuracy", n_missing=3),
        metric(metric="divergence_rate", value=None),
    ]
    text = " ".join(limits(rows, [comparison(comparable=False), comparison()]))
    assert "1 of 2 comparisons are between unlike things" in text
    assert "1 of 4 metrics have no value" in text
    assert "3 answers of the arm full could not be read; accuracy counts them as wrong" in text
    assert "One training seed" in text
    assert "One training seed" not in " ".join(limits([*rows, metric(seed=1)], []))
