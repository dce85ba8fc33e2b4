"""Critique and revision of what an API wrote, asked for where documents.revision.rounds is more than 0.

INPUTS   corpora/{corpus}/raw.jsonl, resources/universes/{universe of the corpus}.yaml, the prompt, the lists of names
OUTPUTS  corpora/{corpus}/revised.jsonl, revision.json
USES     CACHE, call, flat, RESULTS, settings, universe_file
READ BY  documents.smk (filter_documents)
"""


rule revise_documents:
    """Criticise and revise each document: what is wrong or thin in it is named, and it is written anew."""
    input:
        universe=lambda wildcards: universe_file(wildcards.corpus),
        raw=rules.generate_documents.output.raw,
        prompt=f"resources/prompts/{settings.documents.revision.prompt}.yaml",
        names="resources/names.v1.yaml",
    output:
        revised=ensure(f"{RESULTS}/corpora/{{corpus}}/revised.jsonl", non_empty=True),
        account=ensure(f"{RESULTS}/corpora/{{corpus}}/revision.json", non_empty=True),
    log:
        f"{RESULTS}/logs/revise_documents/{{corpus}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/revise_documents/{{corpus}}.tsv"
    resources:
        mem_mb=4000,
        runtime=1440,
    params:
        **flat("endpoint", settings.documents.endpoint),
        **flat("", settings.documents.revision, "rounds"),
        **flat("", settings.documents.quality, "min_words", "max_failed"),
        **call("corpus.revise.revise_documents"),
        n_planned=settings.documents.count,
        cache=f"{CACHE}/documents",
    script:
        "../scripts/run.py"
