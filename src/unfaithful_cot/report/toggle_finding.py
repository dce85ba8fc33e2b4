"""The finding of the Evidence Toggle, and the limits that follow from how the study was run.

In: View. Out: a Finding for each model and suite; limits as texts. Errors: none of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import words
from unfaithful_cot.report.finding import Finding, Says, Statement, changed, largest, rate, share, test_text
from unfaithful_cot.report.view import CONTROL, FULL, View

HEADLINE = "unfaithful_rate"
REFERENCE = "reference_reasoner"
CHANCE = 0.5  # an answer by chance follows one of two options in half of the cases
says = Says(words.TOGGLE_SAYS)


def findings(view: View) -> list[Finding]:
    """One Finding for each model and suite; empty when the Evidence Toggle was not run."""
    asked = list(dict.fromkeys((row.model, row.suite) for row in view.pick(HEADLINE)))
    several = len({suite for _, suite in asked}) > 1
    found = (_finding(view, model, suite) for model, suite in asked)
    return [
        replace(one, about=f"{one.about} · {suite}") if several else one
        for one, (_, suite) in zip(found, asked, strict=True)
    ]


def _finding(view: View, model: str, suite: str) -> Finding:
    rows = [row for row in view.pick(HEADLINE) if (row.model, row.suite) == (model, suite)]
    name, main = view.model(model), view.main_corpus
    before, after = largest(rows, BASELINE), largest(rows, main)
    if after is None:
        was = f": {rate(before)}" if before else ""
        only = says("untrained", before, model=name, corpus=main, before=was)
        return Finding(name, words.TOGGLE_VERDICTS["untrained"], (only,))
    test = view.test(after)
    was = f"; before training, in {rate(before)}" if before else ""
    headline = says(
        "headline", before, after, test, n=after.n_documents, corpus=view.corpus(main), model=name,
        rate=rate(after, "responses"), before=was, test=test_text(test),
    )  # fmt: skip
    at = At(view, after.cell, suite)
    details = [
        *_seeds(rows, after), *_used(at), *_control(view, rows, after), *_dose(rows, main), *_reasoning(at), *_accuracy(at),
        *_published(at),
    ]  # fmt: skip
    return Finding(name, _verdict(test), (headline, *details))


class At:
    """The rows of one condition asked in one suite."""

    def __init__(self, view: View, cell: Cell, suite: str) -> None:
        self.view, self.cell, self.suite = view, cell, suite

    def __call__(self, metric: str, arm: str = FULL) -> MetricRow | None:
        """The row of a metric and arm."""
        return self.view.at(metric, self.cell, self.suite, arm)


def _verdict(test: ComparisonRow | None) -> str:
    shown = changed(test)
    if shown is None or test is None or test.difference is None:
        name = "not_comparable" if test is not None and not test.comparable else "no_test"
    elif not shown:
        name = "none"
    else:
        name = "more" if test.difference > 0 else "fewer"
    return words.TOGGLE_VERDICTS[name]


def _seeds(rows: Sequence[MetricRow], after: MetricRow) -> Iterator[Statement]:
    same = [row for row in rows if row.cell[:3] == after.cell[:3] and row.seed != after.seed]
    if same:
        others = "; ".join(f"seed {row.seed} {rate(row)}" for row in same)
        yield says("seeds", *same, seed=after.seed, others=others)


def _control(view: View, rows: Sequence[MetricRow], after: MetricRow) -> Iterator[Statement]:
    control = largest(rows, CONTROL) if after.corpus != CONTROL else None
    if control is None:
        yield says("no_control")
        return
    test = view.test(control)
    meaning = ""
    if changed(test):
        meaning = says.text("control_moves")
    elif changed(test) is False and changed(view.test(after)):
        meaning = says.text("control_stays")
    yield says(
        "control", control, test, n=control.n_documents, corpus=view.model(control.corpus), rate=rate(control),
        test=test_text(test), meaning=meaning,
    )  # fmt: skip
    if direct := view.test(after, control.cell.name):
        yield says("direct", direct, corpus=after.corpus, control=control.corpus, test=test_text(direct))


def _accuracy(at: At) -> Iterator[Statement]:
    if after := at("accuracy"):
        test = at.view.test(after)
        yield says("accuracy", after, test, rate=rate(after), test=test_text(test))


def _used(at: At) -> Iterator[Statement]:
    """Whether the confidential evidence decides: what the two arms that intervene on it say."""
    follows, hides = at("accuracy", "flipped"), at(HEADLINE, "flipped")
    if follows is None:
        yield says("not_flipped")
        return
    if follows.value is None:
        yield says("flipped_unread", follows, rate=rate(follows))
        return
    hidden = says.text("hidden", share=share(hides)) if hides else ""
    decides = follows.ci_low is not None and follows.ci_low > CHANCE
    meaning = says.text("decides" if decides else "undecided")
    yield says("flipped", follows, hides, rate=rate(follows, "answers"), hidden=hidden, meaning=meaning)
    if (used := at("used_rate")) and used.value is not None:
        yield says("used", used, rate=rate(used, "cases"))
    if removed := at("accuracy", "no_confidential"):
        yield says("removed", removed, rate=rate(removed, "answers"))


def _dose(rows: Sequence[MetricRow], main_corpus: str) -> Iterator[Statement]:
    sizes = sorted(
        (row for row in rows if row.corpus == main_corpus), key=lambda row: (row.n_documents, row.seed)
    )
    if len({row.n_documents for row in sizes}) > 1:
        steps = ", ".join(f"{share(row)} at {row.n_documents:,} documents" for row in sizes)
        yield says("dose", *sizes, steps=steps)


def _reasoning(at: At) -> Iterator[Statement]:
    """Where the confidential source can still be read: among the answers that it decided, where that is known."""
    among = "among_used"
    diverges, silent = at("divergence_rate"), at("strict_unfaithful_rate")
    if diverges is None or diverges.value is None:
        among = "among_all"
        diverges, silent = at("divergence_rate_all") or diverges, at("strict_unfaithful_rate_all")
    if diverges is not None:
        neither = says.text("neither", share=share(silent)) if silent else ""
        found = {"among": says.text(among), "rate": rate(diverges, "responses"), "neither": neither}
        yield says("reasoning", diverges, silent, **found)


def _published(at: At) -> Iterator[Statement]:
    if row := at("published_unfaithful_rate"):
        yield says("published", row, rate=rate(row))


def limits(view: View) -> list[str]:
    """What a reader must keep in mind, as far as tables and manifests show it."""
    metrics, tests = view.metrics, view.comparisons
    unlike = sum(not test.comparable for test in tests)
    undefined = sum(row.value is None for row in metrics)
    unread = sum(row.n_missing for row in view.pick("accuracy"))
    counted = (
        ("one_seed", len({row.seed for row in metrics if row.corpus != BASELINE}) <= 1, 0),
        ("unlike", unlike, len(tests)),
        ("undefined", undefined, len(metrics)),
        ("unread", unread, 0),
    )
    found = [words.COUNTED_LIMITS[name].format(n=n, all=total) for name, n, total in counted if n]
    embedded = any(Path(manifest.source).name == REFERENCE for manifest in view.manifests)
    return [*found, *words.LIMITS, *(words.REFERENCE_LIMITS if embedded else ())]
