"""The parts of a study by name: `snakemake documents`, `snakemake report` and so on; `rule all` stands in the Snakefile.

INPUTS   the files of the study (files.smk)
OUTPUTS  none
READ BY  people
"""


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
