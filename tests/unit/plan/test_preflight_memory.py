"""Does a model fit: against what was measured on cards, and in words where it does not."""

from __future__ import annotations

import pytest

from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError
from unfaithful_cot.plan.memory import GIB, answering_fits, read_config, shape_of, training_fits, weight_bytes
from unit.plan.preflight_examples import QWEN3_8B, model

CONFIG = read_config(QWEN3_8B)
SHAPE = shape_of(CONFIG)
BF16, NF4 = LoadingSettings(dtype="bfloat16"), LoadingSettings(use_4bit=True, dtype="bfloat16")


def test_the_numbers_of_the_architecture() -> None:
    assert (SHAPE.layers, SHAPE.query, SHAPE.key_value) == (36, 4096, 1024)
    # embeddings and head: 2 x 151,936 x 4,096
    assert SHAPE.other_parameters == 2 * 151_936 * 4096


def test_weights_in_bf16_in_float32_and_in_nf4() -> None:
    assert weight_bytes(model(), BF16, SHAPE) == 8.2e9 * 2
    assert weight_bytes(model(), LoadingSettings(dtype="float32"), SHAPE) == 8.2e9 * 4
    # (8.2e9 - 1,244,659,712) x 4.127 / 8 + 1,244,659,712 x 2 = 6,077,447,…
    assert weight_bytes(model(), NF4, SHAPE) == pytest.approx(6_077_465_500, rel=1e-3)


def test_what_a_configuration_may_leave_out() -> None:
    told = {key: value for key, value in QWEN3_8B.items() if key not in ("head_dim", "num_key_value_heads")}
    shape = shape_of(read_config(told))
    # 4,096 / 32 = 128 a head; without num_key_value_heads each head has keys of its own
    assert (shape.query, shape.key_value, shape.tied) == (4096, 4096, False)
    with pytest.raises(KeyError, match="vocab_size"):
        read_config({key: value for key, value in QWEN3_8B.items() if key != "vocab_size"})


def test_a_training_that_was_seen_to_fit_fits() -> None:
    # measured on an H200 (139 GiB): a row of 4,096 took 50.8 GiB without recompute
    training = TrainingSettings(max_length_tokens=4096, micro_batch_rows=1, gradient_checkpointing=False)
    told = training_fits(model(), BF16, training, SHAPE, 139 * GIB)
    need = float(told.split()[1])
    assert 50.8 <= need <= 55
    assert told.endswith("of 139.0 GiB: 1 row at a time, 0 layers recomputed")


def test_a_training_that_does_not_fit_says_by_how_much_and_what_would() -> None:
    with pytest.raises(MachineError) as caught:
        training_fits(model(), BF16, TrainingSettings(gradient_checkpointing=False), SHAPE, 12 * GIB)
    told = str(caught.value)
    assert told.startswith("lab/big: training needs about ")
    assert "12.0 GiB are free" in told and "GiB too little" in told
    assert "loading.use_4bit: true" in told


def test_answering_takes_as_many_rows_as_fit() -> None:
    told = answering_fits(model(), BF16, InferenceSettings(batch_rows=32), CONFIG, 139 * GIB)
    # weights 15.27 GiB, context 1 GiB, 32 rows x 1,112 tokens x 147,456 bytes = 4.89 GiB
    assert told == "about 21.2 of 139.0 GiB: 32 rows at a time"
    few = answering_fits(model(), BF16, InferenceSettings(batch_rows=256), CONFIG, 24 * GIB)
    assert 1 <= int(few.split()[5]) < 256


def test_answering_that_does_not_fit_says_by_how_much_and_what_would() -> None:
    with pytest.raises(MachineError) as caught:
        answering_fits(model(), BF16, InferenceSettings(), CONFIG, 12 * GIB)
    # 15.27 + 1 + 0.15 = 16.4 GiB; in NF4 5.66 + 1.15 = 6.8 GiB
    assert str(caught.value) == (
        "lab/big: answering needs about 16.4 GiB of GPU memory, and the card has 12.0 GiB: 4.4 GiB too little. What "
        "would fit: loading.use_4bit: true (6.8 GiB), RTX 4090, L40S, A100, H100, H200, B200. Change that, take a larger "
        "card, or let an endpoint answer (docs/serving.md)."
    )
