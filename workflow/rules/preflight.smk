"""What can be known before anything is spent: machine, models, keys, endpoints, hours and dollars.

INPUTS   none; the configuration, config/models.yaml, this machine, the network
OUTPUTS  none; a table on the console, and a status other than 0 when something has to be mended
READ BY  people, before a long run
"""


localrules:
    preflight,


rule preflight:
    """Check GPUs, memory, disk, tokens, models, endpoints and prices in seconds, and estimate hours and dollars."""
    log:
        f"{RESULTS}/logs/preflight.log",
    conda:
        "../../envs/gpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        **call("plan.check.preflight"),
        settings=Untracked(settings.model_dump(mode="json")),
        models="config/models.yaml",
        universes="resources/universes",
        cache=CACHE,
    script:
        "../scripts/run.py"
