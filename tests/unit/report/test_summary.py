"""Tables and the corpus section: what they say about numbers, and about numbers that are missing."""

from __future__ import annotations

import pytest

from unfaithful_cot.errors import DataError
from unfaithful_cot.report.corpora import flatten, read_quality, view_corpora
from unfaithful_cot.report.style import rate_text
from unfaithful_cot.report.tables import by_arm, by_condition, comparisons, entry, further, interventions
from unit.report.study_files import seen


def test_an_entry_has_value_interval_and_n(metric) -> None:
    shown = entry(metric(value=0.784, ci_low=0.72, ci_high=0.83, n_missing=2))
    assert (shown.value, shown.note.replace("\u00a0", " ")) == ("0.78", "[0.72, 0.83]\nn = 200, 2 missing")


def test_what_is_missing_is_a_dash_with_its_reason_never_zero(metric) -> None:
    shown = entry(metric(value=None, ci_low=None, ci_high=None, n=0, reason="no confidential evidence"))
    assert (shown.value, shown.note.replace("\u00a0", " ")) == ("–", "no confidential evidence\nn = 0")
    assert entry(None).value == "–"


def test_accuracy_says_unread_not_missing(metric) -> None:
    assert "3 unread" in entry(metric(metric="accuracy", n_missing=3)).note.replace("\u00a0", " ")


def test_conditions_stand_in_order_and_lead_to_their_transcripts(metric) -> None:
    rows = [metric(corpus="neutral"), metric(), metric(n_documents=500), metric(corpus="baseline")]
    table = by_condition(seen(rows, labels={"m": "Model"}))
    assert [row.values[0] for row in table.rows] == [
        "untouched model", "safe_cite, 500 documents", "safe_cite, 4,000 documents", "neutral (control), 4,000 documents",
    ]  # fmt: skip
    assert table.rows[2].entries[0].link == "#right=m/safe_cite/n4000/s0&arm=full"
    assert table.heads == ("condition", "unfaithful, corrected")


def test_the_first_table_holds_the_headline_metrics_and_the_second_all_others(metric) -> None:
    rows = [
        metric(metric=name, grader="published" if "published" in name else "rules")
        for name in ("format_rate", "accuracy", "published_accuracy", "unfaithful_rate")
    ]
    first = by_condition(seen(rows))
    (second,) = further(seen(rows))
    assert first.heads == ("condition", "accuracy", "unfaithful, corrected", "format")
    assert second.heads == ("condition", "accuracy, published")


def test_the_interventions_stand_side_by_side(metric) -> None:
    rows = [
        metric(metric="accuracy", arm="full", value=1.0),
        metric(metric="accuracy", arm="flipped", value=0.98),
        metric(arm="flipped", value=0.95),
        metric(arm="full", value=0.99),
    ]
    table = interventions(seen(rows))
    assert list(table.rows[0].values[1:]) == ["1.00", "0.98", "0.95"]
    assert "against the proxy" in table.heads[2]
    assert table.rows[0].entries[0].link.endswith("&arm=flipped")


def test_the_full_arm_comes_first_and_a_gap_is_shown(metric) -> None:
    rows = [metric(arm="flipped"), metric(arm="full"), metric(arm="full", n_documents=500)]
    table = by_arm(seen(rows), "unfaithful_rate")
    assert table.heads == ("condition", "full", "flipped")
    assert table.rows[0].entries[2].note == "not measured"


def test_headline_comparisons_stand_first(comparison) -> None:
    rows = [
        comparison(arm="flipped"),
        comparison(a="neutral/n4000/s0"),
        comparison(metric="format_rate"),
        comparison(metric="accuracy"),
        comparison(),
        comparison(b="safe_cite/n500/s0"),
    ]
    first, rest = comparisons(rows, seen(), "first_comparisons")
    # sizes in the order of numbers: 500 before 4000; the control after the baseline
    assert [(row.values[1], row.values[3], row.values[4]) for row in first.rows] == [
        ("accuracy", "safe_cite/n4000/s0", "baseline"),
        ("unfaithful, corrected", "safe_cite/n500/s0", "baseline"),
        ("unfaithful, corrected", "safe_cite/n4000/s0", "baseline"),
        ("unfaithful, corrected", "safe_cite/n4000/s0", "neutral/n4000/s0"),
    ]
    assert [row.values[1] for row in rest.rows] == ["format", "unfaithful, corrected"]


@pytest.mark.parametrize(
    ("value", "shown"),
    # halves go up; only what is 0 or 1 is shown as 0.00 or 1.00
    [(0.975, "0.98"), (0.955, "0.96"), (0.995, ">0.99"), (1.0, "1.00"), (0.004, "<0.01"), (0.005, "0.01"), (0.0, "0.00"), (None, "–")],
)  # fmt: skip
def test_a_rate_is_not_rounded_to_all_or_none(value, shown) -> None:
    assert rate_text(value) == shown


def test_quality_is_flattened_in_order() -> None:
    value = {
        "kept": 1200,
        "removed": {"exact": 3, "near": 0.25},
        "categories": ["a", "b"],
        "listed": [{"id": 1}],
        "seed": None,
    }
    assert flatten(value) == [
        ("kept", "1,200"), ("removed: exact", "3"), ("removed: near", "0.25"), ("categories", "a, b"),
        ("listed", "1 entries"), ("seed", "none"),
    ]  # fmt: skip


def test_shares_are_of_what_was_kept(study) -> None:
    corpus = view_corpora(study["documents"], study["quality"], 1)[0]
    # 6 + 4 + 6 + 4 documents of 20
    assert corpus.categories == [
        ("culture", 4, 0.2),
        ("exam", 4, 0.2),
        ("manual", 6, 0.3),
        ("policy", 6, 0.3),
    ]
    assert all(len(kind.examples) == 1 for kind in corpus.types)
    assert corpus.tokens == 20 * 12


def test_lists_that_do_not_fit_and_files_that_are_no_json_are_errors(study, tmp_path) -> None:
    with pytest.raises(DataError, match="2 files against 1"):
        view_corpora(study["documents"], study["quality"][:1], 1)
    bad = tmp_path / "quality.json"
    bad.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"quality\.json: is no JSON file .*snakemake -R filter_documents"):
        read_quality(bad)
    bad.write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match="holds a list"):
        read_quality(bad)
