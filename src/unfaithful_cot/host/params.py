"""Settings as the params of a rule, so that Snakemake reruns what a changed field reaches and nothing else.

Snakemake compares the params of a job as a sorted list of their `repr`, without their names: two fields that
swap their values would look unchanged. So `flat` adds one string that holds names and values together.
Params that are no builtins are never compared, which is what `Untracked` is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from unfaithful_cot.config.addresses import without_secrets
from unfaithful_cot.config.base import Strict
from unfaithful_cot.provenance import PACKAGE, code_hash

TRACKED = "tracked_"  # begins a param with the names and values of a group of fields in one string
NOT_HANDED = frozenset({"code", "calls"})  # params that are no arguments of the function that a rule calls
NOT_HANDED_GROUPS = frozenset(
    {"needs", "also"}
)  # files that a function finds itself, and those that it writes beside others


@dataclass(frozen=True, repr=False)
class Untracked:
    """A field that a job gets and that reruns nothing when it changes: how fast is asked, not what."""

    value: object

    def __repr__(self) -> str:
        return "Untracked()"


def call(path: str, tracked: bool = True) -> dict[str, Any]:
    """The params `calls` and `code` of a rule: the function that its job calls, and the hash of the modules it reaches.

    Args:
        path: Module and function below the package, for example `grading.grade.grade_responses`.
        tracked: Whether a change of the code reruns the jobs.

    Raises:
        ValueError: The module does not exist.
    """
    function = f"{PACKAGE}.{path}"
    code = code_hash(function.rpartition(".")[0])
    return {"calls": Untracked(function), "code": code if tracked else Untracked(code)}


def flat(
    group: str,
    source: Strict | Mapping[str, Strict],
    *fields: str,
    by: str = "",
) -> dict[str, Any]:
    """Params `group__field` (or `field`, where group is empty) of a settings object, one a field.

    Fields that only set the pace (Strict.pace) rerun nothing, nor do the secrets in an address, which Snakemake would write
    into its metadata.

    Args:
        group: The argument of the function that the fields become together.
        source: The settings, or settings by the value of the wildcard `by`.
        fields: Those wanted; all when left out.
        by: A wildcard.
    """
    if isinstance(source, Mapping):
        if not source:
            return {}
        keys = list(_fields(group, next(iter(source.values())), fields))

        def at(key: str) -> Callable[[Any], Any]:
            return lambda wildcards: _fields(group, source[wildcards[by]], fields)[key]

        return {key: at(key) for key in keys}
    return {key: _literal(value) for key, value in _fields(group, source, fields).items()}


def _fields(group: str, source: Strict, fields: tuple[str, ...]) -> dict[str, Any]:
    values, content = source.model_dump(mode="json"), without_secrets(source.content())
    params: dict[str, Any] = {}
    for name in fields or values:
        key = f"{group}__{name}" if group else _allowed(name)
        tracked = name in content and content[name] == values[name]
        params[key] = values[name] if tracked else Untracked(values[name])
    named = [f"{name}={content[name]!r}" for name in fields or values if name in content]
    return {**params, f"{TRACKED}{group or fields[0]}": ", ".join(named)}


def _literal(value: object) -> object:
    """Snakemake takes braces in a param for a wildcard, unless the value comes from a function."""
    return (lambda wildcards: value) if isinstance(value, str | list) and "{" in str(value) else value


def _allowed(name: str) -> str:
    """Snakemake keeps the names of list methods, such as `count`, for itself: those get an underscore."""
    return f"{name}_" if hasattr(list, name) else name
