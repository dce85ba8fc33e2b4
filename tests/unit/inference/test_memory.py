from __future__ import annotations

import torch
from transformers import LlamaConfig, Qwen3Config

from fixtures.tiny_models import make_tiny
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.inference.memory import CPU_ROWS, key_value_bytes, rows_for, rows_that_fit
from unfaithful_cot.models.load import load_reasoner

QWEN3_8B = Qwen3Config(
    vocab_size=151_936,
    hidden_size=4_096,
    intermediate_size=12_288,
    num_hidden_layers=36,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=128,
)


def test_bytes_of_a_token_by_hand():
    # keys and values, 36 layers, 8 heads of 128 numbers of 2 bytes: 2 x 36 x 8 x 128 x 2 = 147,456
    assert key_value_bytes(QWEN3_8B, 2) == 147_456
    # R1-Distill-Llama-8B: 4,096 / 32 = 128 a head, 32 layers: 2 x 32 x 8 x 128 x 2 = 131,072
    llama = LlamaConfig(
        hidden_size=4_096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8
    )
    assert key_value_bytes(llama, 2) == 131_072


def test_rows_by_hand():
    # a row of 1,000 tokens: 147,456,000 + 24 x 151,936 = 151,102,464 bytes
    # prompts: 16,384 tokens x (8 x 4,096 + 3 x 12,288) x 2 bytes = 2,281,701,376
    # 0.9 x 100e9 - 2,281,701,376 = 87,718,298,624, which holds 580.5 rows: 576 is a multiple of 8
    assert rows_for(QWEN3_8B, 2, int(100e9), 1_000) == 576
    # 0.9 x 3.5e9 - 2,281,701,376 = 868,298,624 holds 5.7 rows
    assert rows_for(QWEN3_8B, 2, int(3.5e9), 1_000) == 5
    assert rows_for(QWEN3_8B, 2, 0, 1_000) == 1
    assert rows_for(QWEN3_8B, 2, int(1e12), 100) == 1_024


def test_a_cpu_takes_a_fixed_number(tmp_path):
    reasoner = load_reasoner(
        {"source": str(make_tiny(tmp_path))}, LoadingSettings(dtype="float32", device="cpu")
    )
    assert reasoner.device == torch.device("cpu")
    assert rows_that_fit(reasoner, 100, 4_096) == CPU_ROWS == 32
