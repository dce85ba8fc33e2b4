"""The recipe of the embedded reasoner. No other rule depends on it: the study uses the committed weights.

INPUTS   every prompt template of the cases, the chat template
OUTPUTS  results/reference_reasoner/: weights, tokenizer, chat template, model card
USES     call, REFERENCE_REASONER, trained_on
READ BY  people, who copy it to resources/reference_reasoner/ when it passes its own figures
"""


rule make_reference_reasoner:
    """Train the embedded reasoner from nothing; one GPU and some minutes."""
    input:
        prompts=sorted(
            str(path)
            for experiment in trained_on("documents")
            for path in Path("resources/prompts").glob(f"{experiment}.v*.yaml")
        ),
        chat_template="resources/reference_reasoner/chat_template.jinja",
    output:
        also__weights=REFERENCE_REASONER,
    log:
        "results/reference_reasoner.log",
    benchmark:
        "results/reference_reasoner.tsv"
    threads: 4
    resources:
        mem_mb=16000,
        gpu=1,
        runtime=120,
    params:
        **call("reference.recipe.make_reference_reasoner"),
        folder=subpath(output.also__weights, parent=True),
    script:
        "../scripts/run.py"
