"""From a universe to its corpus.

INPUTS   resources/universes/{universe of the corpus}.yaml, the prompt for an API, the cases (no document may contain one)
OUTPUTS  corpora/{corpus}/specs.jsonl, raw.jsonl, documents.jsonl, quality.json
USES     asked, CACHE, call, corpora, document_suites, flat, one_of, RESULTS, revised, settings,
         universe_file, written
READ BY  training.smk, figures.smk
"""


rule plan_documents:
    """Draw what each document is to be: category, type, idea, length, seed."""
    input:
        universe=lambda wildcards: universe_file(wildcards.corpus),
    output:
        specs=ensure(f"{RESULTS}/corpora/{{corpus}}/specs.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/plan_documents/{{corpus}}.log",
    localrule: True
    params:
        **flat("", settings.documents, "count", "seed"),
        **flat("", corpora, "categories", by="corpus"),
        **call("corpus.specs.plan_documents"),
    script:
        "../scripts/run.py"


rule generate_documents:
    """Have each document written, by the embedded grammar or by an API."""
    input:
        universe=lambda wildcards: universe_file(wildcards.corpus),
        specs=rules.plan_documents.output.specs,
        prompt=(
            f"resources/prompts/{settings.documents.prompt}.yaml"
            if settings.documents.generator == "openai"
            else []
        ),
        names="resources/names.v1.yaml" if settings.documents.generator == "openai" else [],
    output:
        raw=ensure(f"{RESULTS}/corpora/{{corpus}}/raw.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/generate_documents/{{corpus}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_documents/{{corpus}}.tsv"
    wildcard_constraints:
        corpus=one_of(written),
    resources:
        runtime=1440,
    params:
        **flat("endpoint", asked(settings.documents)),
        **flat("", settings.documents, "generator"),
        **flat("", settings.documents.quality, "max_failed"),
        **call("corpus.generate.generate_documents"),
        n_planned=settings.documents.count,
        cache=f"{CACHE}/documents",
    script:
        "../scripts/run.py"


rule filter_documents:
    """Remove duplicates, refusals, cut texts and whatever contains a case; count each removal."""
    input:
        universe=lambda wildcards: universe_file(wildcards.corpus),
        raw=lambda wildcards: f"{RESULTS}/corpora/{wildcards.corpus}/{'revised' if revised(wildcards.corpus) else 'raw'}.jsonl",
        drafts=lambda wildcards: (
            f"{RESULTS}/corpora/{wildcards.corpus}/raw.jsonl" if revised(wildcards.corpus) else []
        ),
        revision=lambda wildcards: (
            f"{RESULTS}/corpora/{wildcards.corpus}/revision.json" if revised(wildcards.corpus) else []
        ),
        cases=expand(f"{RESULTS}/cases/{{suite}}.jsonl", suite=document_suites),
    output:
        documents=ensure(f"{RESULTS}/corpora/{{corpus}}/documents.jsonl", non_empty=True),
        quality=ensure(f"{RESULTS}/corpora/{{corpus}}/quality.json", non_empty=True),
    log:
        f"{RESULTS}/logs/filter_documents/{{corpus}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/filter_documents/{{corpus}}.tsv"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        **flat("", settings.documents.quality, "near_duplicate", "min_words"),
        **flat("", settings.documents, "generator"),
        **call("corpus.quality.filter_documents"),
        n_planned=lambda wildcards: settings.documents.count if wildcards.corpus in written else None,
    script:
        "../scripts/run.py"
