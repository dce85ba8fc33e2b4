"""From responses to verdicts.

INPUTS   responses/{cell}/{suite}.jsonl, cases/{suite}.jsonl
OUTPUTS  grades/{cell}/{suite}.{grader}.jsonl; `cell` is {model}/baseline or that of an adapter
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
        cell="|".join(BASELINES + CELLS),
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_hash("unfaithful_cot.grading.grade"),
    script:
        "../scripts/grade_responses.py"
