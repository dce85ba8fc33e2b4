"""The parts of a study by name: `snakemake documents`, `snakemake report` and so on; `rule all` stands in the Snakefile.

INPUTS   the files of the study (src/unfaithful_cot/plan/files.py)
OUTPUTS  none
USES     figure_files, files, POWER, publish_targets, REFERENCE_REASONER, REPORT
READ BY  people
"""


rule documents:
    """The corpora: documents written and filtered."""
    input:
        files.documents,


rule cases:
    """The cases of every suite."""
    input:
        files.cases,


rule baseline:
    """The responses of the untouched models."""
    input:
        files.baseline_responses,


rule train:
    """The adapters of every cell."""
    input:
        files.manifests,


rule evaluate:
    """All responses: of the untouched models and of every cell."""
    input:
        files.responses,


rule grade:
    """All grades by every grader."""
    input:
        files.grades,


rule power:
    """The smallest effects that the design of the study can see; needs no run."""
    input:
        POWER,


rule figures:
    """The figures alone."""
    input:
        figure_files(files, "svg", "png"),


rule report:
    """The report that opens from disk."""
    input:
        REPORT,


rule publish:
    """Upload documents and adapters to the Hub, where the configuration names a namespace; nothing else uploads anything."""
    input:
        lambda wildcards: publish_targets(),


rule reference_reasoner:
    """Make the embedded reasoner anew (one GPU, some minutes); the study uses the committed one."""
    input:
        REFERENCE_REASONER,
