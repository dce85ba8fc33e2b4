"""From verdicts to counts.

INPUTS   grades/{cell}/{suite}.{grader}.jsonl of all cells, suites and graders
OUTPUTS  metrics.csv, comparisons.csv
READ BY  figures.smk
"""


rule compute_metrics:
    """Count the verdicts into rates with their intervals."""
    input:
        grades=GRADES,
    output:
        metrics=report(
            ensure(METRICS, non_empty=True),
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "every metric, with interval and n"},
        ),
    log:
        f"{RESULTS}/logs/compute_metrics.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **flat("", settings.statistics, "confidence"),
        code=code_hash("unfaithful_cot.metrics.tables"),
    script:
        "../scripts/compute_metrics.py"


rule compare_conditions:
    """Compare each cell with its baseline on the same cases."""
    input:
        grades=GRADES,
    output:
        comparisons=report(
            ensure(COMPARISONS, non_empty=True),
            caption="../report/comparisons.rst",
            category="Tables",
            labels={"table": "comparisons on the same cases"},
        ),
    log:
        f"{RESULTS}/logs/compare_conditions.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **flat("", settings.statistics, "confidence"),
        code=code_hash("unfaithful_cot.metrics.comparisons"),
    script:
        "../scripts/compare_conditions.py"
