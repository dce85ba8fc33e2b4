"""What can be known before anything is spent: machine, models, keys, endpoints, hours and dollars.

INPUTS   none; the configuration, config/models.yaml, this machine, the network
OUTPUTS  none; a table on the console, and a status other than 0 when something has to be mended
USES     CACHE, call, RESULTS, settings, Untracked
READ BY  people, before a long run
"""


rule preflight:
    """Check GPUs, memory, disk, tokens, models, endpoints and prices in seconds, and estimate hours and dollars."""
    log:
        f"{RESULTS}/logs/preflight.log",
    localrule: True
    params:
        **call("plan.check.preflight"),
        settings=Untracked(settings.model_dump(mode="json")),
        models="config/models.yaml",
        universes="resources/universes",
        cache=CACHE,
    script:
        "../scripts/run.py"
