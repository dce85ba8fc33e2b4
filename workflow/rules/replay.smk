"""Foreign transcripts, graded and counted like our own: `snakemake --cores 1 replay --config transcripts=FOLDER`.

INPUTS   FOLDER/{model}.{condition}.jsonl, .labels.jsonl beside it, cases.jsonl for files in our own form (docs/replay.md)
OUTPUTS  replay/: metrics.csv, comparisons.csv, agreement.csv and .json, rejected.csv, readings.json, report.html, figures/,
         and a file {model}.{condition} each in cases/, responses/, origins/, labels/, rejected/, grades/
USES     call, flat, models, one_of, RESULTS, settings, sys, UserError
READ BY  people
"""

import re

from unfaithful_cot.grading.folder import find_transcripts

REPLAY = f"{RESULTS}/replay"
REPLAY_GRADERS = [
    "rules",
    "published",
]  # no model and no key, and the published figures beside the corrected ones

try:
    REPLAYED = find_transcripts(settings.transcripts) if settings.transcripts else {}
except UserError as error:
    sys.exit(f"\n{error}\n")

OWN_CASES = [
    str(path) for path in [Path(settings.transcripts or "") / "cases.jsonl"] if REPLAYED and path.is_file()
]
LABELLED = [name for name, found in REPLAYED.items() if found.labels]
REPLAY_CASES = expand(f"{REPLAY}/cases/{{name}}.jsonl", name=REPLAYED)
REPLAY_RESPONSES = expand(f"{REPLAY}/responses/{{name}}.jsonl", name=REPLAYED)
REPLAY_ORIGINS = expand(f"{REPLAY}/origins/{{name}}.jsonl", name=REPLAYED)
REPLAY_REJECTED = expand(f"{REPLAY}/rejected/{{name}}.json", name=REPLAYED) + expand(
    f"{REPLAY}/rejected/{{name}}.labels.json", name=LABELLED
)
REPLAY_LABELS = expand(f"{REPLAY}/labels/{{name}}.jsonl", name=LABELLED)
REPLAY_GRADES = expand(f"{REPLAY}/grades/{{name}}.{{grader}}.jsonl", name=REPLAYED, grader=REPLAY_GRADERS)


REPLAY_TARGETS = [
    f"{REPLAY}/{name}"
    for name in (
        *["metrics.csv", "rejected.csv", "comparisons.csv", "agreement.csv", "agreement.json"],
        *["readings.json", "figures/replay.svg", "figures/replay.png", "report.html"],
    )
    if REPLAYED
]
NO_FOLDER = (
    "\ntranscripts: no folder is named. One with files {model}.{condition}.jsonl (docs/replay.md). "
    "Run: snakemake --cores 1 replay --config transcripts=FOLDER\n"
)


rule load_transcripts:
    """Read a file of transcripts row by row; what cannot be read is named and never scored."""
    input:
        answered=lambda wildcards: str(REPLAYED[wildcards.transcript].path),
        known=OWN_CASES,
    output:
        cases=ensure(f"{REPLAY}/cases/{{transcript}}.jsonl", non_empty=True),
        responses=ensure(f"{REPLAY}/responses/{{transcript}}.jsonl", non_empty=True),
        origins=ensure(f"{REPLAY}/origins/{{transcript}}.jsonl", non_empty=True),
        rejected=ensure(f"{REPLAY}/rejected/{{transcript}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/load_transcripts/{{transcript}}.log",
    wildcard_constraints:
        transcript=one_of(REPLAYED),
    params:
        **call("grading.replay.load_transcripts"),
    script:
        "../scripts/run.py"


rule load_labels:
    """Read the labels of a file of transcripts and join them to its responses."""
    input:
        judged=lambda wildcards: str(REPLAYED[wildcards.transcript].labels),
        origins=rules.load_transcripts.output.origins,
    output:
        labels=ensure(f"{REPLAY}/labels/{{transcript}}.jsonl", non_empty=True),
        rejected=ensure(f"{REPLAY}/rejected/{{transcript}}.labels.json", non_empty=True),
    log:
        f"{RESULTS}/logs/load_labels/{{transcript}}.log",
    wildcard_constraints:
        transcript=one_of(LABELLED),
    params:
        **call("grading.labels.load_labels"),
    script:
        "../scripts/run.py"


use rule grade_responses as grade_transcripts with:
    """Judge each replayed response by one grader, with the span that justifies each verdict."""
    input:
        responses=rules.load_transcripts.output.responses,
        cases=rules.load_transcripts.output.cases,
    output:
        grades=ensure(f"{REPLAY}/grades/{{transcript}}.{{grader}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/grade_transcripts/{{transcript}}.{{grader}}.log",
    wildcard_constraints:
        transcript=one_of(REPLAYED),
        grader="|".join(REPLAY_GRADERS),


rule measure_transcripts:
    """Count the verdicts of every file into rates, and the rejected lines into one table."""
    input:
        grades=REPLAY_GRADES,
        cases=REPLAY_CASES,
        origins=REPLAY_ORIGINS,
        rejected=REPLAY_REJECTED,
    output:
        metrics=ensure(f"{REPLAY}/metrics.csv", non_empty=True),
        rejections=ensure(f"{REPLAY}/rejected.csv", non_empty=True),
    log:
        f"{RESULTS}/logs/measure_transcripts.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.replay.measure_transcripts"),
    script:
        "../scripts/run.py"


rule compare_transcripts:
    """Compare the conditions of each model where they may be compared, and say why where not."""
    input:
        grades=REPLAY_GRADES,
        cases=REPLAY_CASES,
        origins=REPLAY_ORIGINS,
    output:
        comparisons=ensure(f"{REPLAY}/comparisons.csv", non_empty=True),
    log:
        f"{RESULTS}/logs/compare_transcripts.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.replay.compare_transcripts"),
    script:
        "../scripts/run.py"


rule compare_readings:
    """Count where the published reading of a response and the corrected one part."""
    input:
        cases=REPLAY_CASES,
        responses=REPLAY_RESPONSES,
        grades=REPLAY_GRADES,
    output:
        readings=ensure(f"{REPLAY}/readings.json", non_empty=True),
    log:
        f"{RESULTS}/logs/compare_readings.log",
    params:
        **call("metrics.readings.compare_readings"),
    script:
        "../scripts/run.py"


rule match_labels:
    """Hold the verdicts against the labels that readers gave; every disagreement is listed."""
    input:
        labels=REPLAY_LABELS,
        origins=REPLAY_ORIGINS,
        grades=REPLAY_GRADES,
    output:
        agreement=ensure(f"{REPLAY}/agreement.csv", non_empty=True),
        details=ensure(f"{REPLAY}/agreement.json", non_empty=True),
    log:
        f"{RESULTS}/logs/match_labels.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.agreement.match_labels"),
    script:
        "../scripts/run.py"


rule draw_replay:
    """Draw published and corrected figures side by side; conditions that are not comparable stand apart."""
    input:
        metrics=rules.measure_transcripts.output.metrics,
        comparisons=rules.compare_transcripts.output.comparisons,
    output:
        svg=ensure(f"{REPLAY}/figures/replay.svg", non_empty=True),
        png=ensure(f"{REPLAY}/figures/replay.png", non_empty=True),
    log:
        f"{RESULTS}/logs/draw_replay.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.replay.draw_replay"),
        labels={name: models[name].label for name in models},
    script:
        "../scripts/run.py"


rule write_replay:
    """Write the one file that shows what the transcripts hold, published and corrected, with the transcripts themselves."""
    input:
        metrics=rules.measure_transcripts.output.metrics,
        comparisons=rules.compare_transcripts.output.comparisons,
        readings=rules.compare_readings.output.readings,
        agreement=rules.match_labels.output.details,
        figure=rules.draw_replay.output.svg,
        cases=REPLAY_CASES,
        responses=REPLAY_RESPONSES,
        origins=REPLAY_ORIGINS,
        grades=REPLAY_GRADES,
        rejected=REPLAY_REJECTED,
        sources=[str(path) for found in REPLAYED.values() for path in (found.path, found.labels) if path]
        + OWN_CASES,
        needs__templates=sorted(map(str, Path("src/unfaithful_cot/report/templates").iterdir())),
    output:
        report=ensure(f"{REPLAY}/report.html", non_empty=True),
    log:
        f"{RESULTS}/logs/write_replay.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("report.replay_page.write_replay"),
        labels={name: models[name].label for name in models},
    script:
        "../scripts/run.py"


rule replay:
    """Foreign transcripts, graded, counted and shown: --config transcripts=FOLDER."""
    input:
        lambda wildcards: REPLAY_TARGETS or sys.exit(NO_FOLDER),
