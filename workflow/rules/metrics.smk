"""From verdicts to counts.

INPUTS   grades/{cell}/{suite}.{grader}.jsonl of all cells, suites and graders
         cases/{suite}.jsonl
OUTPUTS  power.csv, metrics.csv, pooled.csv, slopes.csv, comparisons.csv, agreement.csv, band.csv
READ BY  figures.smk
"""


rule measure_power:
    """Say which effects the design can see, before anything is run."""
    output:
        power=report(
            ensure(POWER, non_empty=True),
            caption="../report/power.rst",
            category="Tables",
            labels={"table": "smallest effects that this design can see"},
        ),
    log:
        f"{RESULTS}/logs/measure_power.log",
    localrule: True
    params:
        **flat("", settings.statistics, "confidence"),
        **call("plan.power.measure_power"),
        designs=[design._asdict() for design in designs(settings)],
    script:
        "../scripts/run.py"


rule compute_metrics:
    """Count the verdicts into rates with their intervals, by cell, over seeds and by number of documents."""
    input:
        grades=GRADES + SWAPPED_GRADES,
        cases=CASES,
    output:
        metrics=report(
            ensure(METRICS, non_empty=True),
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "every metric, with interval and n"},
        ),
        pooled=report(
            ensure(POOLED, non_empty=True),
            caption="../report/pooled.rst",
            category="Tables",
            labels={"table": "every metric over seeds"},
        ),
        slopes=report(
            ensure(SLOPES, non_empty=True),
            caption="../report/slopes.rst",
            category="Tables",
            labels={"table": "change of every metric with each doubling of the documents"},
        ),
    log:
        f"{RESULTS}/logs/compute_metrics.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.tables.compute_metrics"),
    script:
        "../scripts/run.py"


rule compare_conditions:
    """Compare each cell with its baseline on the same cases."""
    input:
        grades=GRADES + SWAPPED_GRADES,
        cases=CASES,
    output:
        comparisons=report(
            ensure(COMPARISONS, non_empty=True),
            caption="../report/comparisons.rst",
            category="Tables",
            labels={"table": "comparisons on the same cases"},
        ),
    log:
        f"{RESULTS}/logs/compare_conditions.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.comparisons.compare_conditions"),
    script:
        "../scripts/run.py"


rule measure_agreement:
    """Compare the graders with each other, and see how far each metric moves when one is swapped for another."""
    input:
        grades=GRADES,
        cases=CASES,
    output:
        agreement=report(
            ensure(AGREEMENT, non_empty=True),
            caption="../report/agreement.rst",
            category="Tables",
            labels={"table": "agreement between graders"},
        ),
        band=report(
            ensure(BAND, non_empty=True),
            caption="../report/band.rst",
            category="Tables",
            labels={"table": "metrics by one grader or another"},
        ),
    log:
        f"{RESULTS}/logs/measure_agreement.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.grader_agreement.measure_agreement"),
    script:
        "../scripts/run.py"
