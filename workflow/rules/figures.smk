"""From tables to what a reader sees.

INPUTS   metrics.csv, comparisons.csv; the report also shows documents, cases, responses and grades
OUTPUTS  figures/*.svg and *.png, report.html
READ BY  people
"""


report: "../report/workflow.rst"


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
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **flat("", settings.statistics, "confidence"),
        labels=labels,
        main_corpus=main_corpus,
        code=code_hash("unfaithful_cot.figures.pair"),
    script:
        "../scripts/draw_pair.py"


rule draw_dose:
    """Draw the rates against the number of documents, with intervals and the control."""
    input:
        metrics=METRICS,
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
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **flat("", settings.statistics, "confidence"),
        labels=labels,
        main_corpus=main_corpus,
        code=code_hash("unfaithful_cot.figures.dose"),
    script:
        "../scripts/draw_dose.py"


rule write_report:
    """Write the one file that shows finding, figures, tables, documents and transcripts."""
    input:
        metrics=METRICS,
        comparisons=COMPARISONS,
        agreement=AGREEMENT,
        band=BAND,
        figures=[rules.draw_pair.output.svg, rules.draw_dose.output.svg],
        documents=DOCUMENTS,
        quality=QUALITY,
        cases=CASES,
        responses=RESPONSES,
        grades=GRADES,
        manifests=MANIFESTS,
        prompts=PROMPTS,
        templates=sorted(map(str, Path("src/unfaithful_cot/figures/templates").iterdir())),
    output:
        report=report(
            ensure(REPORT, non_empty=True),
            caption="../report/report.rst",
            category="Report",
            labels={"page": "the whole study on one page"},
        ),
    log:
        f"{RESULTS}/logs/write_report.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **flat("", settings.report, "title", "documents_shown"),
        **flat("", settings.statistics, "confidence"),
        labels=labels,
        main_corpus=main_corpus,
        code=code_hash("unfaithful_cot.figures.report"),
    script:
        "../scripts/write_report.py"
