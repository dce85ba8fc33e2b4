"""From a corpus to the adapters that were trained on it.

INPUTS   corpora/{corpus}/documents.jsonl (of a mixture: those of its universe), plain text; the base model's files, where it is a folder
OUTPUTS  training_sets/{corpus}/n{n_documents}/s{seed}.jsonl and .json (what it holds); adapters/{cell}/manifest.json and weights
USES     call, CELL, corpora, flat, models, of_model, one_of, pin_of, RESULTS, settings, taken,
         Untracked, weights
READ BY  inference.smk, figures.smk
"""


rule build_training_set:
    """Take the first n documents of the corpus in the seed's order: a larger size contains a smaller one."""
    input:
        documents=lambda wildcards: f"{RESULTS}/corpora/{settings.documents_of(wildcards.corpus)}/documents.jsonl",
        # a count for what is read already: a new account of the same documents trains nothing anew
        quality=ancient(
            lambda wildcards: f"{RESULTS}/corpora/{settings.documents_of(wildcards.corpus)}/quality.json"
        ),
        needs__plain=lambda wildcards: (
            settings.documents.plain_text.file or [] if corpora[wildcards.corpus].plain_text else []
        ),
    output:
        training_set=ensure(
            f"{RESULTS}/training_sets/{{corpus}}/n{{n_documents}}/s{{seed}}.jsonl",
            non_empty=True,
        ),
        contents=ensure(
            f"{RESULTS}/training_sets/{{corpus}}/n{{n_documents}}/s{{seed}}.json",
            non_empty=True,
        ),
    log:
        f"{RESULTS}/logs/build_training_set/{{corpus}}/n{{n_documents}}/s{{seed}}.log",
    wildcard_constraints:
        corpus=one_of(corpora),
    localrule: True
    params:
        **flat("", corpora, "plain_text", by="corpus"),
        **flat("source", settings.documents.plain_text),
        **call("corpus.training_set.build_training_set"),
    script:
        "../scripts/run.py"


rule train_adapter:
    """Continue the model's pre-training with LoRA, on the GPUs that its entry asks for; resumes where a killed run stopped."""
    input:
        training_set=rules.build_training_set.output.training_set,
        contents=ancient(rules.build_training_set.output.contents),
        needs__weights=weights,
    output:
        manifest=ensure(f"{RESULTS}/adapters/{CELL}/manifest.json", non_empty=True),
        also__adapter=f"{RESULTS}/adapters/{CELL}/adapter_model.safetensors",
        also__adapter_config=f"{RESULTS}/adapters/{CELL}/adapter_config.json",
    log:
        f"{RESULTS}/logs/train_adapter/{CELL}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_adapter/{CELL}.tsv"
    wildcard_constraints:
        corpus=one_of(name for name in corpora if name not in taken),
    priority: 10  # trainings before evaluations: the longest jobs are not to be left for the end
    resources:
        mem_mb=of_model("memory_mb"),
        gpu=of_model("gpus"),
        runtime=1440,
    params:
        **flat("base", models, "source", "revision", "think_marks", "chat_template", by="model"),
        **flat("loading", settings.loading),
        **flat("training", settings.training),
        **call("training.cpt.train_adapter"),
        base__pin=lambda wildcards: pin_of(wildcards.model),
        gpus=lambda wildcards: Untracked(models[wildcards.model].gpus),
        checkpoints=f"{RESULTS}/checkpoints/{CELL}",
    script:
        "../scripts/run.py"
