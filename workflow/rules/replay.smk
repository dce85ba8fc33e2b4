"""Foreign transcripts, graded and counted like our own: `snakemake --cores 1 replay --config transcripts=FOLDER`.

INPUTS   FOLDER/{model}.{condition}.jsonl, .labels.jsonl beside it, cases.jsonl for files in our own form (docs/replay.md)
OUTPUTS  replay/: metrics.csv, comparisons.csv, agreement.csv and .json, rejected.csv, readings.json, report.html, figures/,
         and a file {model}.{condition} each in cases/, responses/, origins/, labels/, rejected/, grades/
USES     call, flat, models, one_of, or_message, RESULTS, settings
READ BY  people
"""

from unfaithful_cot.plan.replay_files import GRADERS as REPLAY_GRADERS
from unfaithful_cot.plan.replay_files import ReplayFiles

REPLAY = f"{RESULTS}/replay"
replayed = or_message(lambda: ReplayFiles(REPLAY, settings.transcripts))


rule load_transcripts:
    """Read a file of transcripts row by row; what cannot be read is named and never scored."""
    input:
        answered=lambda wildcards: str(replayed.transcripts[wildcards.transcript].path),
        known=replayed.known_cases,
    output:
        cases=ensure(f"{REPLAY}/cases/{{transcript}}.jsonl", non_empty=True),
        responses=ensure(f"{REPLAY}/responses/{{transcript}}.jsonl", non_empty=True),
        origins=ensure(f"{REPLAY}/origins/{{transcript}}.jsonl", non_empty=True),
        rejected=ensure(f"{REPLAY}/rejected/{{transcript}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/load_transcripts/{{transcript}}.log",
    wildcard_constraints:
        transcript=one_of(replayed.transcripts),
    params:
        **call("grading.replay.load_transcripts"),
    script:
        "../scripts/run.py"


rule load_labels:
    """Read the labels of a file of transcripts and join them to its responses."""
    input:
        judged=lambda wildcards: str(replayed.transcripts[wildcards.transcript].labels),
        origins=rules.load_transcripts.output.origins,
    output:
        labels=ensure(f"{REPLAY}/labels/{{transcript}}.jsonl", non_empty=True),
        rejected=ensure(f"{REPLAY}/rejected/{{transcript}}.labels.json", non_empty=True),
    log:
        f"{RESULTS}/logs/load_labels/{{transcript}}.log",
    wildcard_constraints:
        transcript=one_of(replayed.labelled),
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
        transcript=one_of(replayed.transcripts),
        grader=one_of(REPLAY_GRADERS),
    params:
        samples=None,  # as many a case as the file holds


rule measure_transcripts:
    """Count the verdicts of every file into rates, and the rejected lines into one table."""
    input:
        grades=replayed.grades,
        cases=replayed.each("cases"),
        origins=replayed.each("origins"),
        rejected=replayed.rejected,
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
        grades=replayed.grades,
        cases=replayed.each("cases"),
        origins=replayed.each("origins"),
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
        cases=replayed.each("cases"),
        responses=replayed.each("responses"),
        grades=replayed.grades,
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
        labels=replayed.labels,
        origins=replayed.each("origins"),
        grades=replayed.grades,
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
        cases=replayed.each("cases"),
        responses=replayed.each("responses"),
        origins=replayed.each("origins"),
        grades=replayed.grades,
        rejected=replayed.rejected,
        sources=replayed.sources,
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
        lambda wildcards: or_message(lambda: replayed.targets),
