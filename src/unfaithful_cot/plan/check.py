"""Rule preflight: everything that can be known before anything is spent, in seconds.

In: the configuration, config/models.yaml, this machine, the network. Out: a table of what was found, one of hours and dollars
by stage, and all problems at the end, each as its one message.
Errors: SettingsError when there is a problem, so that the command ends with another status than 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from unfaithful_cot.config.load import load_models
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.host import machine
from unfaithful_cot.host.machine import Card
from unfaithful_cot.plan import local, remote
from unfaithful_cot.plan.findings import Finding, findings_table, problems
from unfaithful_cot.plan.stages import stage_lines, stages
from unfaithful_cot.plan.start import on_cluster


def preflight(settings: Mapping[str, Any], models: str, universes: str, cache: str) -> None:
    """Look at everything, print it, and fail when something has to be mended.

    settings: the study, as a dict. models: config/models.yaml. universes: folder of NAME.yaml. cache: that of API answers.
    """
    study = Settings.model_validate(settings)
    used = local.models_of(study, load_models(models))
    cards = machine.cards()
    found = list(look(study, used, Path(universes), Path(cache), cards, cluster=on_cluster()))
    kind = cards[0].model if cards and cards[0].memory_mb else study.prices.gpu
    estimated = stages(study, used, Path(universes), Path(cache), kind)
    lines = [*findings_table(found), "", *stage_lines(estimated, study, max(len(cards), 1))]
    messages = problems(found)
    print("", *lines, "", *messages, sep="\n", flush=True)
    if messages:
        raise SettingsError(
            "preflight",
            f"{len(messages)} problem{'s' * (len(messages) > 1)}, listed above",
            todo="Mend them, then run `snakemake preflight` again: nothing was spent",
        )


def look(
    study: Settings,
    models: dict[str, ModelSettings],
    universes: Path,
    cache: Path,
    cards: list[Card],
    cluster: bool,
) -> Iterator[Finding]:
    """All findings; what goes over the network is asked while the rest is looked at. cluster: jobs go elsewhere."""
    with ThreadPoolExecutor() as pool:
        asked, apis = pool.submit(remote.look_at_models, models), pool.submit(remote.endpoint_findings, study)
        hub = pool.submit(remote.hub_findings, study)
        yield from local.gpu_findings(models, study.loading.device, cluster)
        if not cluster:
            yield from local.driver_finding(models, study.loading.device)
        yield from local.ram_findings(models, cluster)
        yield from local.program_findings(models, cluster)
        looked, answered = asked.result(), apis.result()
    configs = {name: config for name, (_, config) in looked.items()}
    for name, model in models.items():
        yield from local.memory_findings(name, model, study, configs[name], [] if cluster else cards)
    fetched = {name for name, model in models.items() if remote.is_fetched(model)}
    yield from local.disk_findings(study, models, configs, fetched)
    yield from remote.token_finding(models)
    yield from (found for found, _ in looked.values())
    yield from hub.result()
    yield from answered
    yield from remote.price_findings(study, universes, cache)
