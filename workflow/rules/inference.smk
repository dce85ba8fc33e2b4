"""From cases to responses, the same way for the untouched model and for every adapter.

INPUTS   cases/{suite}.jsonl and prompt template of every suite; manifest.json of the adapter; the model's files
OUTPUTS  responses/{model}/baseline/{suite}.jsonl, responses/{cell}/{suite}.jsonl; one job loads a model once
USES     CACHE, call, CELL, corpora, document_suites, files, flat, gpus_to_answer, models, of_model,
         one_of, pin_of, RESULTS, settings, suites, weights
READ BY  grading.smk, figures.smk
"""


rule evaluate_baseline:
    """Let the untouched model answer all suites."""
    input:
        cases=files.cases,
        prompts=files.prompts,
        needs__weights=weights,
    output:
        responses=ensure(
            expand(
                f"{RESULTS}/responses/{{{{model}}}}/baseline/{{suite}}.jsonl",
                suite=suites,
            ),
            non_empty=True,
        ),
    log:
        f"{RESULTS}/logs/evaluate_baseline/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_baseline/{{model}}.tsv"
    resources:
        mem_mb=of_model("memory_mb"),
        gpu=gpus_to_answer,
        runtime=720,
    params:
        **flat("base", models, "source", "revision", "think_marks", "chat_template", by="model"),
        **flat("loading", settings.loading),
        **flat("inference", settings.inference),
        **call("inference.evaluate.evaluate_model"),
        base__pin=lambda wildcards: pin_of(wildcards.model),
        cache=f"{CACHE}/responses",
    script:
        "../scripts/run.py"


use rule evaluate_baseline as evaluate_adapter with:
    """Let a model that was trained on documents answer their suites."""
    input:
        cases=expand(rules.generate_cases.output.cases, suite=document_suites or suites),
        prompts=[f"resources/prompts/{suites[name].prompt}.yaml" for name in document_suites or suites],
        needs__weights=weights,
        manifest=f"{RESULTS}/adapters/{CELL}/manifest.json",
    output:
        responses=ensure(
            expand(
                f"{RESULTS}/responses/{CELL}/{{suite}}.jsonl",
                allow_missing=True,
                suite=document_suites or suites,
            ),
            non_empty=True,
        ),
    log:
        f"{RESULTS}/logs/evaluate_adapter/{CELL}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_adapter/{CELL}.tsv"
    wildcard_constraints:
        corpus=one_of(corpora),
