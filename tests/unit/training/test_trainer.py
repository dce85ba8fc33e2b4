from __future__ import annotations

import math

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.models.adapters import new_adapter
from unfaithful_cot.models.attention import register_varlen
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.training.data import RowCollator, pack, supervised_tokens, tokenise
from unfaithful_cot.training.layers import compile_layers, decoder_layers, worth_compiling
from unfaithful_cot.training.loss import batch_loss
from unfaithful_cot.training.plan import Plan
from unfaithful_cot.training.trainer import build_trainer

FLOAT = LoadingSettings(dtype="float32", device="cpu")
LORA = TrainingSettings(
    lora_r=4,
    lora_alpha=8,
    lora_dropout=0.0,
    learning_rate=1e-3,
    schedule="constant",
    warmup_ratio=0.0,
    max_length_tokens=48,
    effective_batch_rows=8,
    micro_batch_rows=8,
    checkpoint_steps=1000,
)
TEXTS = [f"the board of case {n} cites the release. " * (1 + n % 7) for n in range(40)]


def trainer_for(source, output, training, loading=FLOAT, texts=TEXTS, plan=None):
    reasoner = load_reasoner({"source": str(source)}, loading)
    rows = pack(tokenise(reasoner.tokenizer, texts), training.max_length_tokens)
    adapted = new_adapter(reasoner, training, 0)
    return build_trainer(adapted, rows, loading, training, 0, output, plan=plan), rows


def weights(trainer):
    return {n: p.detach().clone() for n, p in trainer.model.named_parameters() if p.requires_grad}


def test_eight_rows_at_once_train_as_eight_rows_one_by_one(tiny, tmp_path):
    together, rows = trainer_for(tiny["qwen3"], tmp_path / "a", LORA)
    one_by_one, _ = trainer_for(
        tiny["qwen3"], tmp_path / "b", LORA.model_copy(update={"micro_batch_rows": 1})
    )
    # the rows differ in their number of tokens, so a mean of means would differ
    assert len({sum(lengths) - len(lengths) for lengths in rows["seq_lengths"]}) > 1
    together.train()
    one_by_one.train()
    losses = [
        [entry["loss"] for entry in t.state.log_history if "loss" in entry] for t in (together, one_by_one)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for name, value in weights(together).items():
        torch.testing.assert_close(weights(one_by_one)[name], value, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_and_its_gradient_are_those_of_trl(tiny, tmp_path, family):
    """On a CPU the loss is computed directly; on a GPU by TRL's fused head, which is the reference."""
    from trl import SFTTrainer

    trainer, rows = trainer_for(tiny[family], tmp_path, LORA)
    batch = RowCollator(trainer.processing_class.pad_token_id)(list(rows)[:8])
    count = (batch["labels"] != -100).sum()
    found = []
    for function in (type(trainer).compute_loss, SFTTrainer.compute_loss):
        trainer.model.zero_grad()
        loss = function(trainer, trainer.model, dict(batch), num_items_in_batch=count)
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
        found.append((loss.item(), gradient.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-5, rtol=1e-4)


def test_the_log_counts_supervised_tokens(tiny, tmp_path):
    training = LORA.model_copy(update={"epochs": 2})
    trainer, rows = trainer_for(tiny["qwen3"], tmp_path, training)
    trainer.train()
    counts = [entry["tokens"] for entry in trainer.state.log_history if "tokens" in entry]
    assert counts == sorted(set(counts))
    assert len(counts) == trainer.state.global_step == 2 * math.ceil(len(rows) / 8)
    assert counts[-1] == 2 * supervised_tokens(rows)


def test_adapters_stay_float32_on_4_bit_weights(tiny, tmp_path):
    nf4 = LoadingSettings(use_4bit=True, dtype="bfloat16", device="cpu")
    trainer, _ = trainer_for(tiny["qwen3"], tmp_path, LORA, nf4)
    before = weights(trainer)
    assert {value.dtype for value in before.values()} == {torch.float32}
    trainer.train()
    assert any(not torch.equal(before[name], value) for name, value in weights(trainer).items())


def test_what_trl_would_choose_is_chosen_here(tiny, tmp_path):
    trainer, _ = trainer_for(tiny["qwen3"], tmp_path, LORA)
    assert (trainer.args.bf16, trainer.args.gradient_checkpointing, trainer.args.report_to) == (
        False,
        False,
        [],
    )
    checkpointed, _ = trainer_for(
        tiny["qwen3"], tmp_path, LORA.model_copy(update={"gradient_checkpointing": True})
    )
    checkpointed.train()
    assert checkpointed.state.log_history[0]["loss"] > 0


def test_no_plan_changes_what_is_learnt(tiny, tmp_path):
    """Layers recomputed: none, one of two, both; another kernel with half the rows at a time."""
    register_varlen()
    plans = [Plan("sdpa", 8, layers) for layers in (0, 1, 2)] + [Plan("varlen", 4, 1)]
    losses, adapters = [], []
    for number, plan in enumerate(plans):
        trainer, _ = trainer_for(tiny["qwen3"], tmp_path / str(number), LORA, plan=plan)
        recomputed = [layer.gradient_checkpointing for layer in decoder_layers(trainer.model)]
        assert recomputed == [n < plan.recomputed_layers for n in (0, 1)]
        trainer.train()
        losses.append([entry["loss"] for entry in trainer.state.log_history if "loss" in entry])
        adapters.append(weights(trainer))
    for found, adapter in zip(losses[1:], adapters[1:], strict=True):
        assert found == pytest.approx(losses[0], rel=1e-4)
        for name, value in adapters[0].items():
            torch.testing.assert_close(adapter[name], value, atol=2e-4, rtol=1e-3)


def test_compiled_layers_compute_the_same_in_one_compilation_for_all_layers_and_batches(tiny):
    """As on a GPU, but by a backend that needs no C++ compiler."""
    from torch._dynamo.utils import counters

    reasoner = new_adapter(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), LORA, 0)
    documents = tokenise(reasoner.tokenizer, TEXTS)
    collate = RowCollator(reasoner.tokenizer.pad_token_id, 64)
    batches = [collate(list(pack(documents[:n], 48))[:2]) for n in (10, 20, 40)]
    model = reasoner.model
    plain = [batch_loss(model, dict(batch), 100).item() for batch in batches]
    torch._dynamo.reset()
    counters.clear()
    for layer in decoder_layers(model):
        layer.compile(dynamic=False, backend="aot_eager")
    found = [batch_loss(model, dict(batch), 100).item() for batch in batches]
    assert found == pytest.approx(plain, rel=1e-5)
    # one graph for the first layer, whose input needs no gradient, and one for all others
    assert 1 <= counters["stats"]["unique_graphs"] <= 2
    compile_layers(model, False)
    assert all(layer._compiled_call_impl is None for layer in decoder_layers(model))


@pytest.mark.parametrize(
    ("wanted", "device", "n_tokens", "expected"),
    [
        ("auto", "cpu", 1e9, False),
        ("auto", "cuda", 1e6, False),
        ("auto", "cuda", 2e7, True),
        (True, "cpu", 1, True),
        (False, "cuda", 1e9, False),
    ],
)
def test_compilation_has_to_pay(wanted, device, n_tokens, expected):
    assert worth_compiling(wanted, device, n_tokens) is expected


def test_under_bfloat16_inputs_of_adapters_keep_their_type_and_nothing_else_changes(tiny, tmp_path):
    trainer, rows = trainer_for(
        tiny["qwen3"], tmp_path, LORA, LoadingSettings(dtype="bfloat16", device="cpu")
    )
    batch = RowCollator(trainer.processing_class.pad_token_id)(list(rows)[:4])
    adapters = [m for m in trainer.model.modules() if hasattr(m, "cast_input_dtype_enabled")]
    assert adapters and not any(module.cast_input_dtype_enabled for module in adapters)
    found = []
    for cast in (False, True):
        for module in adapters:
            module.cast_input_dtype_enabled = cast
        trainer.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = batch_loss(trainer.model, dict(batch), 100)
        loss.backward()
        gradients = [p.grad for p in trainer.model.parameters() if p.grad is not None]
        found.append((loss.item(), torch.cat([g.flatten() for g in gradients]).clone()))
    assert found[0][0] == found[1][0]
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-3, rtol=2e-2)


def test_a_loss_that_is_no_number_stops_the_run(tiny, tmp_path):
    trainer, _ = trainer_for(tiny["qwen3"], tmp_path, LORA.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(SettingsError, match=r"training\.learning_rate: the loss is (nan|inf) after step \d+"):
        trainer.train()
