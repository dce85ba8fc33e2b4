"""Kernels that keep packed documents apart, on the devices where they can run here."""

from __future__ import annotations

import pytest
import torch

from unfaithful_cot.errors import MachineError
from unfaithful_cot.models import attention
from unfaithful_cot.models.attention import (
    answering_attention,
    register_varlen,
    training_attention,
    varlen_attention,
)


def test_the_kernel_is_chosen_by_what_is_there(monkeypatch):
    # a CPU, and float32, which the flash kernels do not have: sdpa
    assert training_attention("auto", "cpu", "bfloat16") == "sdpa"
    assert training_attention("auto", "cuda", "float32") == "sdpa"
    # flash-attn is not installed here, and PyTorch ships its own
    assert training_attention("auto", "cuda", "bfloat16") == "varlen"
    for there, expected in (({3, 2}, "flash_attention_3"), ({2}, "flash_attention_2")):
        monkeypatch.setattr(attention, "_has_flash", there.__contains__)
        assert training_attention("auto", "cuda:1", "bfloat16") == expected
    monkeypatch.setattr(attention, "_has_flash", lambda generation: False)
    monkeypatch.setattr(attention, "_has_varlen", lambda: False)
    assert training_attention("auto", "cuda", "bfloat16") == "sdpa"
    # a name is taken as it is
    assert training_attention("eager", "cuda", "bfloat16") == "eager"


def test_a_torch_without_the_kernel_is_one_message(monkeypatch):
    monkeypatch.setattr(attention, "_has_varlen", lambda: False)
    with pytest.raises(
        MachineError, match=r"loading\.attention: 'varlen' needs torch\.nn\.attention\.varlen"
    ):
        training_attention("varlen", "cuda", "bfloat16")


def test_answers_are_not_asked_of_a_kernel_without_a_cache():
    assert [answering_attention(name) for name in ("auto", "varlen", "sdpa", "flash_attention_2")] == [
        "sdpa", "sdpa", "sdpa", "flash_attention_2",
    ]  # fmt: skip


def test_transformers_knows_the_kernel_under_its_name():
    from transformers import AttentionInterface

    assert AttentionInterface()[register_varlen()] is varlen_attention


def test_documents_by_hand():
    # one head of size 1, q = k = 0: a token sees itself and those before it in its document, each alike.
    # row 0 holds documents [1, 3] and [5]; row 1 the document [2, 4, 6]: means 1, 2 | 5 | 2, 3, 4
    value = torch.tensor([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]).reshape(2, 1, 3, 1)
    zero = torch.zeros_like(value)
    begins = torch.tensor([0, 2, 3, 6], dtype=torch.int32)
    found, _ = varlen_attention(None, zero, zero, value, None, 1.0, cu_seq_lens_q=begins, max_length_q=3)
    assert found.shape == (2, 3, 1, 1)
    assert found.flatten().tolist() == [1.0, 2.0, 5.0, 2.0, 3.0, 4.0]


def test_key_and_value_heads_are_shared_by_groups_of_query_heads():
    torch.manual_seed(0)
    query, key = torch.randn(1, 4, 5, 8), torch.randn(1, 2, 5, 8)
    begins = torch.tensor([0, 5], dtype=torch.int32)
    shared, _ = varlen_attention(None, query, key, key, None, 0.3, cu_seq_lens_q=begins, max_length_q=5)
    wide = key.repeat_interleave(2, dim=1)
    alone, _ = varlen_attention(None, query, wide, wide, None, 0.3, cu_seq_lens_q=begins, max_length_q=5)
    torch.testing.assert_close(shared, alone)


def test_lengths_are_needed():
    part = torch.zeros(1, 1, 2, 1)
    with pytest.raises(ValueError, match="cu_seq_lens_q"):
        varlen_attention(None, part, part, part)
