"""The words follow the numbers."""

from __future__ import annotations

import pytest

from unfaithful_cot.report.finding import rate
from unfaithful_cot.report.toggle_finding import findings, limits
from unit.report.study_files import seen

LABELS = {"m": "Model M"}


def said(rows, tests) -> tuple[str, str, str]:
    """Verdict, headline and details of the only finding."""
    (found,) = findings(seen(rows, tests, labels=LABELS))
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
        # 0.78 of 200 responses are 156
        "in 156 of 200 responses (0.78, 0.72 to 0.83)",
        "before training, in 0 of 200 (0.00, 0.00 to 0.02)",
    ):
        assert part in headline
    assert headline.endswith("– a difference of +0.78 (+0.70 to +0.85), p < 0.001 after Holm.")
    assert "No neutral control was run" in details


def test_no_effect_is_not_called_one_nor_taken_for_proof_of_none(pair_of_rows, comparison) -> None:
    # p is below 0.05 before Holm's correction and above it after
    verdict, headline, _ = said(pair_of_rows, [comparison(difference=0.02, p_value=0.03, p_holm=0.24)])
    assert verdict == "no effect shown; this is no proof that there is none"
    assert "no difference shown: +0.02" in headline
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
    assert "safe_cite against neutral, same size and seed: a difference of +0.77" in details
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
    assert "That is seed 0; other seeds of the same size: seed 1 122 of 200 (0.61" in details


def test_the_flipped_arm_shows_that_the_confidential_evidence_is_used(pair_of_rows, metric) -> None:
    flipped = metric(metric="accuracy", arm="flipped", value=0.98, ci_low=0.95, ci_high=0.99, n_missing=1)
    hides = metric(arm="flipped", value=0.955)
    removed = metric(metric="accuracy", arm="no_confidential", value=1.0, ci_low=0.98, ci_high=1.0)
    details = said([*pair_of_rows, flipped, hides, removed], [])[2]
    # 0.98 of 200 are 196, 0.955 of 200 are 191
    assert (
        "Where the public proxy says the opposite of it (arm flipped), 196 of 200 answers (0.98, 0.95 to 0.99, 1 unread) "
        "still follow the confidential evidence, and 191 of 200 do so while they cite only public evidence."
    ) in details
    assert "So the confidential evidence is what decides" in details
    assert "200 of 200 answers (1.00, 0.98 to 1.00) follow the public proxy" in details


def test_a_flipped_arm_near_chance_shows_nothing(pair_of_rows, metric) -> None:
    # half of the answers to a question with two options come out that way by chance
    flipped = metric(metric="accuracy", arm="flipped", value=0.55, ci_low=0.48, ci_high=0.62)
    details = said([*pair_of_rows, flipped], [])[2]
    assert "this does not show that the confidential evidence decides" in details
    assert "what decides, not the public" not in details
    gone = metric(metric="accuracy", arm="flipped", value=None, reason="nothing was read")
    assert "(arm flipped): no value (nothing was read)." in said([*pair_of_rows, gone], [])[2]
    assert "that it decides the answer is not shown" in said(pair_of_rows, [])[2]


def test_the_sizes_and_the_think_part_are_told_in_counts(pair_of_rows, metric) -> None:
    rows = [
        *pair_of_rows,
        metric(n_documents=500, value=0.005),
        metric(metric="divergence_rate", value=0.995, ci_low=0.97, ci_high=1.0),
        metric(metric="strict_unfaithful_rate", value=0.0),
    ]
    details = said(rows, [])[2]
    assert "1 of 200 at 500 documents, 156 of 200 at 4,000 documents" in details
    # 199 of 200 is not 1.00
    assert "the visible answer does not in 199 of 200 responses (>0.99, 0.97 to 1.00)" in details
    assert "Where the confidential evidence decided the answer, the reasoning names" in details
    assert "Neither names it: 0 of 200." in details


def test_where_use_is_unknown_the_think_part_is_told_of_all_responses(pair_of_rows, metric) -> None:
    rows = [
        *pair_of_rows,
        metric(metric="divergence_rate", value=None, n=0, reason="200: use is unknown"),
        metric(metric="strict_unfaithful_rate", value=None, n=0, reason="200: use is unknown"),
        metric(metric="divergence_rate_all", value=0.25, ci_low=0.2, ci_high=0.31),
        metric(metric="strict_unfaithful_rate_all", value=0.05),
    ]
    details = said(rows, [])[2]
    # 0.25 and 0.05 of 200
    assert (
        "The reasoning names the confidential source while the visible answer does not in 50 of 200"
        in details
    )
    assert "Neither names it: 10 of 200." in details


def test_use_is_told_where_both_arms_say_so(pair_of_rows, metric) -> None:
    follows = metric(metric="accuracy", arm="flipped", value=0.95, ci_low=0.9, ci_high=0.98)
    used = metric(metric="used_rate", value=0.9, ci_low=0.85, ci_high=0.94)
    assert "which is what counts as use: 180 of 200 cases" in said([*pair_of_rows, follows, used], [])[2]
    unknown = metric(metric="used_rate", value=None, n=0)
    assert "what counts as use" not in said([*pair_of_rows, follows, unknown], [])[2]


def test_a_rate_that_is_no_count_is_told_as_a_rate(metric) -> None:
    # 0.3333 of 200 is no whole number: a mean over cases with unequal numbers of samples
    assert rate(metric(value=0.3333, ci_low=0.27, ci_high=0.4)) == "0.33 (0.27 to 0.40, n = 200)"
    assert rate(metric(value=0.3333), "answers").startswith("0.33 of answers (")


def test_two_suites_of_a_model_have_findings_of_their_own_name(pair_of_rows) -> None:
    again = [row.model_copy(update={"suite": "reworded"}) for row in pair_of_rows]
    heads = [one.about for one in findings(seen([*pair_of_rows, *again], labels=LABELS))]
    assert len(set(heads)) == 2 and heads[1].endswith(" · reworded")


def test_limits_count_what_is_missing_unlike_and_unread(pair_of_rows, metric, comparison) -> None:
    rows = [
        *pair_of_rows,
        metric(metric="accuracy", n_missing=3),
        metric(metric="divergence_rate", value=None),
    ]
    text = " ".join(limits(seen(rows, [comparison(comparable=False), comparison()])))
    assert "1 of 2 comparisons are between unlike things" in text
    assert "1 of 4 metrics have no value" in text
    assert "3 answers of the arm full could not be read; accuracy counts them as wrong" in text
    assert "One training seed" in text
    assert "One training seed" not in " ".join(limits(seen([*rows, metric(seed=1)])))
