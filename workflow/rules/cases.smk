"""The questions that every model is asked.

INPUTS   the suite's settings; the prompt for an API; the universe whose policy is asked
OUTPUTS  cases/{suite}.jsonl
USES     asked, CACHE, call, document_suites, flat, RESULTS, suites, universe_asked
READ BY  documents.smk (what no document may contain), inference.smk, grading.smk, figures.smk
"""


rule generate_cases:
    """Make the scenarios of a suite and render them in every arm and variant."""
    input:
        needs__prompt=lambda wildcards: (
            "resources/prompts/scenarios.v1.yaml" if suites[wildcards.suite].generator == "openai" else []
        ),
        universe=lambda wildcards: universe_asked(wildcards.suite),
    output:
        cases=ensure(f"{RESULTS}/cases/{{suite}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/generate_cases/{{suite}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_cases/{{suite}}.tsv"
    wildcard_constraints:
        suite="|".join(document_suites) or "nothing",
    resources:
        runtime=120,
    params:
        **flat("", suites, "experiment", "generator", "scenarios", "options", "arms", "seed", by="suite"),
        **flat("endpoint", {name: asked(suite) for name, suite in suites.items()}, by="suite"),
        **call("cases.generate.generate_cases"),
        cache=f"{CACHE}/cases",
    script:
        "../scripts/run.py"
