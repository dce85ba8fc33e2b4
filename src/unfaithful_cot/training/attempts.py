"""A training is tried with the fastest plan; where memory runs out, with the next one, which takes less.

In: plans (training.plan), and what to try with one of them. Out: its result, the plan that fitted, and what was said.
Errors: MachineError when the smallest plan runs out of memory as well. Everything else passes through.
Before a training on a GPU, one micro-batch of full rows goes forward and backward while the room for the optimiser is
held, so that a plan fails in its first seconds; several processes decide together. Nothing is learnt from it, and
random numbers stay as they were.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from unfaithful_cot.errors import MachineError
from unfaithful_cot.training.plan import Plan

Result = TypeVar("Result")


class CompilationError(RuntimeError):
    """A layer could not be compiled; it trains without."""


def first_that_fits(
    plans: Sequence[Plan], attempt: Callable[[Plan], Result], where: str
) -> tuple[Result, Plan, list[str]]:
    """The result of the first attempt that has memory enough, its plan, and what went wrong before. where: for messages."""
    import torch

    left = list(plans)
    notes: list[str] = []
    while True:
        plan = left[0]
        try:
            return attempt(plan), plan, notes
        except torch.OutOfMemoryError as error:
            if len(left) == 1:
                raise MachineError(
                    where,
                    f"out of GPU memory with {plan} ({str(error).splitlines()[0][:160]})",
                    "Memory for one row with every layer recomputed",
                    "Set loading.use_4bit: true, lower max_length_tokens, or take a GPU with more memory; what was trained is kept",
                ) from None
            left = [replace(one, compiled=plan.compiled) for one in left[1:]]
            note = f"out of memory with {plan}; going on with {left[0]}"
        except CompilationError as error:
            left = [replace(one, compiled=False) for one in left]
            note = f"layers cannot be compiled ({error}); going on without"
        logging.getLogger(__name__).warning("%s", note)
        notes.append(note)
        _free()


def probe(trainer: Any, plan: Plan) -> None:
    """One micro-batch of the longest rows, forward and backward. torch.OutOfMemoryError or CompilationError where it fails."""
    import torch

    failed: RuntimeError | None = None
    try:
        with torch.random.fork_rng(devices=[trainer.args.device]):
            _one_step(trainer, plan)
    except torch.OutOfMemoryError as error:
        failed = torch.OutOfMemoryError(str(error))
    except RuntimeError as error:
        if not plan.compiled:
            raise
        failed = CompilationError(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:160]}")
    trainer.model.zero_grad(set_to_none=True)
    _free()
    kinds = (None, CompilationError, torch.OutOfMemoryError)
    worst = _largest(next(n for n, kind in enumerate(kinds) if type(failed) is (kind or type(None))), trainer)
    if worst:
        raise failed or kinds[worst]("in another process")  # type: ignore[misc]


def _one_step(trainer: Any, plan: Plan) -> None:
    import torch

    held = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    moments_and_buckets = torch.empty(
        (2 + (trainer.accelerator.num_processes > 1), held), device=trainer.args.device
    )
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    longest = sorted(range(len(lengths)), key=lambda row: -lengths[row])[: plan.micro_batch_rows]
    rows = [trainer.train_dataset[row] for row in longest]
    rows += rows[:1] * (plan.micro_batch_rows - len(rows))
    batch = trainer._prepare_inputs(trainer.data_collator(rows))
    count = (batch["labels"] != -100).sum()
    trainer.model.train()
    with trainer.accelerator.autocast():
        loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=count)
    loss.backward()
    torch.cuda.synchronize()
    del moments_and_buckets


def _largest(value: int, trainer: Any) -> int:
    """The largest value of all processes."""
    import torch

    told = torch.tensor([value], device=trainer.args.device)
    return int(trainer.accelerator.gather(told).max())


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
