"""From verdicts to counts.

INPUTS   grades/{cell}/{suite}.{grader}.jsonl of all cells, suites and graders
         cases/{suite}.jsonl
OUTPUTS  power.csv, metrics.csv, pooled.csv, slopes.csv, comparisons.csv, agreement.csv, band.csv
USES     AGREEMENT, BAND, call, COMPARISONS, files, flat, METRICS, POOLED, POWER, RESULTS, settings,
         SLOPES
READ BY  figures.smk
"""

from unfaithful_cot.plan.design import designs


rule measure_power:
    """Say which effects the design can see, before anything is run."""
    output:
        power=ensure(POWER, non_empty=True),
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
        grades=files.grades + files.swapped_grades,
        cases=files.cases,
        swapped=files.swapped_cases,
    output:
        metrics=ensure(METRICS, non_empty=True),
        pooled=ensure(POOLED, non_empty=True),
        slopes=ensure(SLOPES, non_empty=True),
    log:
        f"{RESULTS}/logs/compute_metrics.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.tables.compute_metrics"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


use rule compute_metrics as compare_conditions with:
    """Compare each cell with its baseline on the same cases."""
    output:
        comparisons=ensure(COMPARISONS, non_empty=True),
    log:
        f"{RESULTS}/logs/compare_conditions.log",
    params:
        **call("metrics.comparisons.compare_conditions"),


use rule compute_metrics as measure_agreement with:
    """Compare the graders with each other, and see how far each metric moves when one is swapped for another."""
    input:
        grades=files.grades,
        cases=files.cases,
    output:
        agreement=ensure(AGREEMENT, non_empty=True),
        band=ensure(BAND, non_empty=True),
    log:
        f"{RESULTS}/logs/measure_agreement.log",
    params:
        **call("metrics.grader_agreement.measure_agreement"),
