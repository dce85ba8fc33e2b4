"""From responses to verdicts.

INPUTS   responses/{cell}/{suite}.jsonl, cases/{suite}.jsonl; the rubric of a judge
OUTPUTS  grades/{cell}/{suite}.{grader}.jsonl; `cell` is {model}/baseline or that of an adapter;
         grades/{cell}/{suite}.judge_{judge}.raw.jsonl: what a judge said, word for word
USES     CACHE, call, files, flat, judges, one_of, RESULTS, settings, suites
READ BY  metrics.smk, figures.smk
"""


rule grade_responses:
    """Judge each response by one grader, with the span that justifies each verdict."""
    input:
        responses=f"{RESULTS}/responses/{{cell}}/{{suite}}.jsonl",
        cases=rules.generate_cases.output.cases,
    output:
        grades=ensure(f"{RESULTS}/grades/{{cell}}/{{suite}}.{{grader}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/grade_responses/{{cell}}/{{suite}}.{{grader}}.log",
    wildcard_constraints:
        cell=one_of(files.conditions),
    params:
        **call("grading.grade.grade_responses"),
        samples=settings.inference.samples,
    script:
        "../scripts/run.py"


rule judge_responses:
    """Have a language model judge each response by a rubric, and keep its words beside the verdicts."""
    input:
        responses=f"{RESULTS}/responses/{{cell}}/{{suite}}.jsonl",
        cases=rules.generate_cases.output.cases,
        rubric=lambda wildcards: (
            f"resources/rubrics/{judges[wildcards.judge].rubric_of(suites[wildcards.suite].experiment)}.yaml"
        ),
    output:
        grades=ensure(f"{RESULTS}/grades/{{cell}}/{{suite}}.judge_{{judge}}.jsonl", non_empty=True),
        raw=ensure(f"{RESULTS}/grades/{{cell}}/{{suite}}.judge_{{judge}}.raw.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/judge_responses/{{cell}}/{{suite}}.{{judge}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/judge_responses/{{cell}}/{{suite}}.{{judge}}.tsv"
    wildcard_constraints:
        cell=one_of(files.conditions),
    resources:
        runtime=720,
    params:
        **flat("endpoint", {name: judge.endpoint for name, judge in judges.items()}, by="judge"),
        **flat("", judges, "max_failed", by="judge"),
        **call("grading.judge.judge_responses"),
        samples=settings.inference.samples,
        cache=f"{CACHE}/judges",
    script:
        "../scripts/run.py"
