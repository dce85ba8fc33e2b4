"""What the parts of a configuration must agree on: names that exist, sizes that fit, endpoints that can be asked.

Errors: SettingsError naming the key, its value and what would be right.
"""

from __future__ import annotations

from collections.abc import Sequence

from unfaithful_cot.config.sources import corpora_written
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError, known
from unfaithful_cot.experiments.registry import EXPERIMENTS


def check_names(
    settings: Settings,
    file: str,
    models: list[str],
    universes: list[str],
    graders: list[str],
    prompts: list[str] | None,
) -> None:
    """Every name in the configuration is one of those that exist, and stands in its list once."""
    for key, values, options, home in (
        ("grid.models", settings.grid.models, models, "config/models.yaml"),
        (
            "grid.corpora",
            list(settings.grid.corpora),
            [*universes, *settings.corpora],
            "resources/universes/ or corpora",
        ),
        ("grading.graders", settings.grading.graders, graders, "src/unfaithful_cot/grading/"),
        *(
            (
                f"suites.{name}.arms",
                suite.arms,
                EXPERIMENTS[suite.experiment].arms,
                "src/unfaithful_cot/cases/",
            )
            for name, suite in settings.suites.items()
        ),
        *(
            (
                f"suites.{name}.prompt",
                [suite.prompt],
                [one for one in prompts if one.startswith(suite.experiment)],
                "resources/prompts/",
            )
            for name, suite in settings.suites.items()
            if prompts is not None
        ),
        (
            "report.main_corpus",
            [settings.report.main_corpus] if settings.report.main_corpus else [],
            list(settings.grid.corpora),
            "grid.corpora",
        ),
    ):
        for value in values:
            if value not in options:
                raise SettingsError(f"{file}: {key}", f"'{value}' is not in {home}", known(value, options))
        check_once(f"{file}: {key}", values)


def check_judges(settings: Settings, file: str, rubrics: list[str] | None) -> None:
    """Each rubric of a judge exists, and no two are for one experiment."""
    for name, judge in settings.grading.judges.items():
        where = f"{file}: grading.judges.{name}.rubrics"
        for rubric in judge.rubrics:
            if rubrics is not None and rubric not in rubrics:
                raise SettingsError(where, f"'{rubric}' is not in resources/rubrics/", known(rubric, rubrics))
        experiments = [rubric.split(".")[0] for rubric in judge.rubrics]
        if len(set(experiments)) < len(experiments):
            raise SettingsError(
                where,
                f"{judge.rubrics} names two rubrics for one experiment",
                "One for each experiment",
                "Declare a second judge for the other rubric",
            )


def check_corpora(settings: Settings, file: str, universes: list[str]) -> None:
    """An entry of `corpora` is used, bears a name of its own, and names a universe and a source that exist."""
    asked = [(f"suites.{name}.universe", suite.universe) for name, suite in settings.suites.items()]
    named = [(f"corpora.{name}.universe", recipe.universe) for name, recipe in settings.corpora.items()]
    for key, universe in (*named, *asked):
        if universe is not None and universe not in universes:
            raise SettingsError(
                f"{file}: {key}", f"'{universe}' is not in resources/universes/", known(universe, universes)
            )
    for name, suite in settings.suites.items():
        if EXPERIMENTS[suite.experiment].universe and settings.policy_of(name) is None:
            raise SettingsError(
                f"{file}: suites.{name}.universe",
                "no universe is named, and the study has no corpus whose policy could be asked about",
                known("", universes),
                "Name one",
            )
    for name, recipe in settings.corpora.items():
        where = f"{file}: corpora.{name}"
        if name in universes:
            raise SettingsError(where, "a universe bears this name", "A name that no universe bears")
        if name not in settings.grid.corpora:
            raise SettingsError(where, "is not in grid.corpora", known(name, settings.grid.corpora))
        check_once(f"{where}.categories", recipe.categories)
        generated = settings.documents.generator == "embedded" or settings.documents.plain_text.file
        if recipe.plain_text and not generated:
            raise SettingsError(
                f"{where}.plain_text",
                f"{recipe.plain_text:g} rows a document, and no source",
                "Texts of the reference world are for embedded studies",
                "Set documents.plain_text.file and its licence",
            )


def check_documents(settings: Settings, file: str, prompts: list[str] | None) -> None:
    """The requests to a writer exist, and only what an API wrote is revised."""
    documents = settings.documents
    for key, prompt in (("prompt", documents.prompt), ("revision.prompt", documents.revision.prompt)):
        kind = "documents." if key == "prompt" else "revise_document."
        fitting = [name for name in prompts or [] if name.startswith(kind)]
        if prompts is not None and prompt not in fitting:
            raise SettingsError(
                f"{file}: documents.{key}",
                f"'{prompt}' is no {kind}* of resources/prompts/",
                known(prompt, fitting),
            )
    if documents.revision.rounds and documents.generator == "embedded":
        raise SettingsError(
            f"{file}: documents.revision.rounds",
            f"{documents.revision.rounds} with the embedded generator, which would write the same again",
            "0, or documents.generator: openai",
        )


def check_once(where: str, values: Sequence[object]) -> None:
    """Nothing stands twice in a list of the configuration."""
    if len(set(values)) < len(values):
        raise SettingsError(where, f"{list(values)} names something twice", todo="Name each once")


def check_sizes(settings: Settings, file: str) -> None:
    """Sizes and seeds stand in their lists once; the largest size is among the documents that are written."""
    check_once(f"{file}: grid.seeds", settings.grid.seeds)
    for corpus, sizes in settings.grid.corpora.items():
        check_once(f"{file}: grid.corpora.{corpus}", sizes)
        if max(sizes) > settings.documents.count and settings.documents_of(corpus) in corpora_written(
            settings
        ):
            raise SettingsError(
                f"{file}: grid.corpora.{corpus}",
                f"{max(sizes)} documents are more than documents.count writes ({settings.documents.count})",
                todo="Raise documents.count, best by a tenth more than the largest size, or lower the size",
            )


def check_endpoints(settings: Settings, file: str) -> None:
    """An endpoint that will be asked has to name its model, and Azure its address and version."""
    writes = settings.documents.generator == "openai" and corpora_written(settings)
    asked = {"documents": settings.documents.endpoint} if writes else {}
    asked |= {
        f"suites.{name}": suite.endpoint
        for name, suite in settings.suites.items()
        if suite.generator == "openai"
    }
    if settings.inference.engine == "openai":
        asked["inference"] = settings.inference.endpoint
    asked |= {
        f"organisms.{name}.teacher.inference": organism.teacher.inference.endpoint
        for name, organism in settings.organisms.items()
        if organism.teacher.inference.engine == "openai" and organism.teacher.model is None
    }
    asked |= {f"grading.judges.{name}": judge.endpoint for name, judge in settings.grading.judges.items()}
    for key, endpoint in asked.items():
        if not endpoint.model and key != "inference":
            raise SettingsError(
                f"{file}: {key}.endpoint.model",
                "no model is named",
                todo="Name the model that the API is to use",
            )
        if endpoint.kind == "azure" and not (endpoint.base_url and endpoint.api_version):
            raise SettingsError(
                f"{file}: {key}.endpoint",
                "azure needs base_url and api_version",
                todo="Add both; base_url is https://NAME.openai.azure.com",
            )
