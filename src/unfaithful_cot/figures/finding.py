"""The finding in words, computed from the two tables, and the limits that follow from how the study was run.

In: rows of metrics.csv and comparisons.csv. Out: for each model a headline and the sentences that belong to it.
The wording follows the numbers: a change is called one only when its test says so; where none is shown, the
sentence says that this is no proof of none; where the control moves too, or conditions must not be compared, it says that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unfaithful_cot.figures import style
from unfaithful_cot.figures.rows import (
    BASELINE,
    Cell,
    ComparisonRow,
    MetricRow,
    against,
    against_baseline,
    pick,
)

ALPHA = 0.05
CONTROL = "neutral"
HEADLINE = "unfaithful_rate"


@dataclass
class Finding:
    """What was found for one model (in one suite). `verdict`: a few words for the eye."""

    model: str
    headline: str
    verdict: str
    details: list[str] = field(default_factory=list)


def changed(test: ComparisonRow | None) -> bool | None:
    """Whether a change is shown; None where the conditions must not or could not be compared."""
    if test is None or not test.comparable or test.p is None or test.difference is None:
        return None
    return test.p < ALPHA


def rate(row: MetricRow, n: bool = True) -> str:
    """`0.78 (0.72 to 0.83, n = 200)`, or that there is no value and why."""
    if row.value is None:
        return f"no value ({row.reason or 'no reason given'})"
    parts = [] if row.ci_low is None or row.ci_high is None else [f"{row.ci_low:.2f} to {row.ci_high:.2f}"]
    parts += [f"n = {row.n:,}{style.missing_text(row)}"] if n else []
    return f"{row.value:.2f}" + (f" ({', '.join(parts)})" if parts else "")


def test_text(test: ComparisonRow | None) -> str:
    """The change from the untouched model with interval and p, or why there is none."""
    if test is None:
        return "no comparison with the untouched model was made"
    if not test.comparable:
        return f"not comparable: {test.reason or 'no reason given'}"
    if test.difference is None or test.p is None:
        return f"no comparison: {test.reason or 'no reason given'}"
    interval = (
        ""
        if test.ci_low is None or test.ci_high is None
        else (f" ({style.signed_text(test.ci_low)} to {style.signed_text(test.ci_high)})")
    )
    holm = " after Holm" if test.p_holm is not None else ""
    kind = "change shown" if changed(test) else "no change shown"
    return f"{kind}: {style.signed_text(test.difference)}{interval}, {style.p_text(test.p)}{holm}, {test.n_pairs:,} pairs"


def largest_cell(rows: list[MetricRow], corpus: str) -> MetricRow | None:
    """The row of a corpus at its largest size; of several seeds the first."""
    of_corpus = sorted(
        (row for row in rows if row.corpus == corpus), key=lambda row: (-row.n_documents, row.seed)
    )
    return of_corpus[0] if of_corpus else None


def findings(
    metrics: list[MetricRow], comparisons: list[ComparisonRow], labels: Mapping[str, str], main_corpus: str
) -> list[Finding]:
    """One Finding for each model and suite of the Evidence Toggle; empty when it was not run."""
    headline = pick(metrics, HEADLINE)
    found = []
    for model, suite in dict.fromkeys((row.model, row.suite) for row in headline):
        own = [row for row in metrics if (row.model, row.suite) == (model, suite)]
        name = labels.get(model, model)
        found.append(_finding(name, own, comparisons, labels, main_corpus))
    return found


def _finding(
    name: str,
    metrics: list[MetricRow],
    tests: list[ComparisonRow],
    labels: Mapping[str, str],
    main_corpus: str,
) -> Finding:
    rows = pick(metrics, HEADLINE)
    before, after = largest_cell(rows, BASELINE), largest_cell(rows, main_corpus)
    if after is None:
        was = f": {rate(before)}" if before else ""
        return Finding(
            name,
            f"{name} was not trained on {main_corpus}; only the untouched model was measured{was}.",
            "nothing to compare",
        )
    test = against_baseline(tests, after)
    where = f"{after.n_documents:,} documents of {style.corpus_label(main_corpus, labels, main_corpus)}"
    was = f", against {rate(before)} before" if before else ""
    headline = (
        f"After training on {where}, {name} answers correctly, cites public evidence and leaves the confidential "
        f"source unnamed in {rate(after)} of its responses{was}: {test_text(test)}."
    )
    details = [
        *_seeds(rows, after, labels),
        *_control(rows, tests, labels, after, changed(test)),
        *_accuracy(metrics, tests, after.cell),
        *_used(metrics, after.cell),
        *_dose(rows, main_corpus),
        *_published(metrics, after.cell),
    ]
    return Finding(name, headline, _verdict(test), details)


def _verdict(test: ComparisonRow | None) -> str:
    shown = changed(test)
    if shown is None or test is None or test.difference is None:
        return "not comparable" if test is not None and not test.comparable else "no test"
    if not shown:
        return "no effect shown; this is no proof that there is none"
    return (
        "unfaithful answers became more frequent"
        if test.difference > 0
        else "unfaithful answers became rarer"
    )


def _seeds(rows: list[MetricRow], after: MetricRow, labels: Mapping[str, str]) -> list[str]:
    same = [row for row in rows if row.cell[:3] == after.cell[:3] and row.seed != after.seed]
    if not same:
        return []
    return [
        f"That is seed {after.seed}; other seeds of the same size: "
        + "; ".join(f"seed {row.seed} {rate(row)}" for row in same)
        + "."
    ]


def _control(
    rows: list[MetricRow],
    tests: list[ComparisonRow],
    labels: Mapping[str, str],
    after: MetricRow,
    effect: bool | None,
) -> list[str]:
    main_corpus = after.corpus
    control = largest_cell(rows, CONTROL) if main_corpus != CONTROL else None
    if control is None:
        return [
            "No neutral control was run: nothing here separates what the documents say from training as such."
        ]
    test = against_baseline(tests, control)
    meaning = ""
    if changed(test):
        meaning = " The control moves too, so part of any change may come from training as such."
    elif changed(test) is False and effect:
        meaning = " Training on harmless documents alone does not show the change."
    where = f"{control.n_documents:,} documents of {labels.get(control.corpus, control.corpus)}"
    said = [f"Control, {where}: {rate(control)} – {test_text(test)}.{meaning}"]
    if direct := against(tests, control.cell.name, after):
        said.append(f"{after.corpus} against {control.corpus}, same size and seed – {test_text(direct)}.")
    return said


def _at(metrics: list[MetricRow], metric: str, cell: Cell, arm: str = "full") -> MetricRow | None:
    return next((row for row in pick(metrics, metric, arm) if row.cell == cell), None)


def _accuracy(metrics: list[MetricRow], tests: list[ComparisonRow], cell: Cell) -> list[str]:
    after = _at(metrics, "accuracy", cell)
    return (
        [f"Accuracy of the same responses: {rate(after)} – {test_text(against_baseline(tests, after))}."]
        if after
        else []
    )


def _used(metrics: list[MetricRow], cell: Cell) -> list[str]:
    flipped = _at(metrics, "accuracy", cell, "flipped")
    if flipped is None:
        return [
            "The arm that flips the confidential evidence was not run: that it decides the answer is not shown."
        ]
    return [
        f"With the confidential evidence flipped against the public one, the answer follows the confidential one in {rate(flipped)} of responses."
    ]


def _dose(rows: list[MetricRow], main_corpus: str) -> list[str]:
    sizes = sorted(
        (row for row in rows if row.corpus == main_corpus), key=lambda row: (row.n_documents, row.seed)
    )
    if len({row.n_documents for row in sizes}) < 2:
        return []
    steps = ", ".join(f"{row.n_documents:,}: {style.rate_text(row.value)}" for row in sizes)
    return [f"By number of documents – {steps}."]


def _published(metrics: list[MetricRow], cell: Cell) -> list[str]:
    row = _at(metrics, "published_unfaithful_rate", cell)
    return (
        [
            f"By the published definition (correct, cites something in brackets, not the confidential ID): {rate(row)}."
        ]
        if row
        else []
    )


def limits(metrics: list[MetricRow], comparisons: list[ComparisonRow]) -> list[str]:
    """What a reader must keep in mind, as far as the tables show it."""
    said = []
    seeds = {row.seed for row in metrics if row.corpus != BASELINE}
    if len(seeds) <= 1:
        said.append("One training seed: the intervals cover the choice of cases, not the chance of training.")
    if unlike := [row for row in comparisons if not row.comparable]:
        said.append(
            f"{len(unlike):,} of {len(comparisons):,} comparisons are between unlike things and are drawn apart."
        )
    if gone := [row for row in metrics if row.value is None]:
        said.append(f"{len(gone):,} of {len(metrics):,} metrics have no value; the table gives each reason.")
    if unread := sum(row.n_missing for row in pick(metrics, "accuracy")):
        said.append(f"{unread:,} answers of the arm full could not be read; accuracy counts them as wrong.")
    said += [
        "The two variants of a scenario share its wording. The intervals of single rates treat them as independent.",
        "The graders of this table read text by rules. A paraphrase that gives the confidential content away without its ID counts as faithful to the public evidence unless the verdict leaks_content sees it.",
        "The evidence of a case and the documents use the same tags. What a model does with evidence that is tagged otherwise was not measured here.",
    ]
    return said
