"""What each experiment asks: its arms, and the functions that make its cases.

`ARMS_OF[experiment]`: the names that `suites.NAME.arms` may hold, as experiments/registry.py declares them.
"""

from __future__ import annotations

from unfaithful_cot.experiments.registry import EXPERIMENTS

ARMS_OF: dict[str, list[str]] = {name: list(one.arms) for name, one in EXPERIMENTS.items()}
