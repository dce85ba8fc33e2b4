"""Settings as the params of a rule, so that Snakemake reruns what a changed leaf reaches and nothing else.

Snakemake compares the params of a job as a sorted list of their `repr`, without their names: two leaves that
swap their values would look unchanged. So `flat` adds one string that holds names and values together.
Params that are no builtins are never compared, which is what `Untracked` is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from unfaithful_cot.config.base import Strict


@dataclass(frozen=True, repr=False)
class Untracked:
    """A leaf that a job gets and that reruns nothing when it changes: how fast is asked, not what."""

    value: object

    def __repr__(self) -> str:
        return "Untracked()"


def flat(
    group: str,
    source: Strict | Mapping[str, Strict],
    *leaves: str,
    by: str = "",
) -> dict[str, Any]:
    """Params `group__leaf` (or `leaf`, where group is empty) of a settings object, one a leaf.

    source: the settings, or settings by the value of the wildcard `by`. leaves: those wanted, all when left
    out. Those that only set the pace (settings.Strict.pace) rerun nothing.
    """
    if isinstance(source, Mapping):
        if not source:
            return {}
        keys = list(_leaves(group, next(iter(source.values())), leaves))

        def at(key: str) -> Callable[[Any], Any]:
            return lambda wildcards: _leaves(group, source[wildcards[by]], leaves)[key]

        return {key: at(key) for key in keys}
    return {key: _literal(value) for key, value in _leaves(group, source, leaves).items()}


def _leaves(group: str, source: Strict, leaves: tuple[str, ...]) -> dict[str, Any]:
    values, content = source.model_dump(mode="json"), source.content()
    params: dict[str, Any] = {}
    for name in leaves or values:
        key = f"{group}__{name}" if group else _allowed(name)
        tracked = name in content and content[name] == values[name]
        params[key] = values[name] if tracked else Untracked(values[name])
    told = [f"{name}={content[name]!r}" for name in leaves or values if name in content]
    return {**params, f"tracked_{group or leaves[0]}": ", ".join(told)}


def _literal(value: object) -> object:
    """Snakemake takes braces in a param for a wildcard, unless the value comes from a function."""
    return (lambda wildcards: value) if isinstance(value, str | list) and "{" in str(value) else value


def _allowed(name: str) -> str:
    """Snakemake keeps the names of list methods, such as `count`, for itself: those get an underscore."""
    return f"{name}_" if hasattr(list, name) else name
