from __future__ import annotations

import pytest
import torch

from unfaithful_cot.errors import MachineError
from unfaithful_cot.training.attempts import CompilationError, first_that_fits
from unfaithful_cot.training.plan import Plan

PLANS = [Plan("varlen", 8, 0, True), Plan("varlen", 4, 0, True), Plan("varlen", 1, 36, True)]


def test_out_of_memory_takes_one_step_down_and_says_so(caplog):
    tried = []

    def attempt(plan):
        tried.append(plan)
        if plan.micro_batch_rows > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "trained"

    result, plan, notes = first_that_fits(PLANS, attempt, "training a/b/n1/s0")
    assert (result, plan, tried) == ("trained", PLANS[2], PLANS)
    assert notes[0] == (
        "out of memory with 8 rows at a time, 0 layers recomputed, compiled; "
        "going on with 4 rows at a time, 0 layers recomputed, compiled"
    )
    assert len(notes) == 2 == len([record for record in caplog.records if "out of memory" in record.message])


def test_the_smallest_plan_runs_out_of_memory():
    def attempt(plan):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MachineError) as error:
        first_that_fits(PLANS, attempt, "training a/b/n1/s0")
    assert "out of GPU memory with 1 row at a time, 36 layers recomputed" in str(error.value)
    assert "loading.use_4bit: true" in str(error.value)


def test_layers_that_cannot_be_compiled_train_without():
    def attempt(plan):
        if plan.compiled:
            raise CompilationError("InductorError: no compiler")
        return plan.micro_batch_rows

    result, plan, notes = first_that_fits(PLANS, attempt, "x")
    assert (result, plan.compiled) == (8, False)
    assert notes == ["layers cannot be compiled (InductorError: no compiler); going on without"]


def test_another_error_passes():
    def attempt(plan):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        first_that_fits(PLANS, attempt, "x")
