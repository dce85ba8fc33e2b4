"""Memory from config.json alone, and the plans that follow from it. The two published architectures, a GPU of any size."""

from __future__ import annotations

import itertools
import json

import pytest

from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError
from unfaithful_cot.training.cpt import train_adapter
from unfaithful_cot.training.memory import (
    Architecture,
    adapter_parameters,
    architecture,
    fixed_bytes,
    training_bytes,
)
from unfaithful_cot.training.plan import Plan, choose, plans_for, settled

QWEN3_8B = Architecture(36, 4096, 12288, 4096, 1024, 151_936, tied=False)
LLAMA_8B = Architecture(32, 4096, 14336, 4096, 1024, 128_256, tied=False)
BF16, NF4 = LoadingSettings(), LoadingSettings(use_4bit=True)
RECIPE = TrainingSettings()  # rows of 1,024 tokens, 8 a step, rank 64
GIB = 2**30


def plans(free_gib: float, training=RECIPE, loading=BF16, shape=QWEN3_8B, processes=1, device="cuda"):
    return choose(shape, "Qwen/Qwen3-8B", loading, training, "varlen", device, processes, free_gib * GIB)


def config_of(folder, **changed):
    told = {
        "model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936,
        "tie_word_embeddings": False,
    }  # fmt: skip
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(told | changed))
    return {"source": str(folder), "revision": None}


def test_the_numbers_of_the_published_architectures(tmp_path):
    from transformers import AutoConfig

    base = config_of(tmp_path / "qwen")
    assert architecture(AutoConfig.from_pretrained(base["source"])) == QWEN3_8B
    # a layer: 4096x4096 (q, o) x 2 + 4096x1024 (k, v) x 2 + 4096x12288 x 3 = 192,937,984; 36 of them
    assert QWEN3_8B.linear_parameters == 36 * 192_937_984
    # embeddings and head: 2 x 151,936 x 4,096. Together 8.19 billion, the model's name
    assert QWEN3_8B.linear_parameters + QWEN3_8B.other_parameters == pytest.approx(8.19e9, rel=1e-3)
    assert LLAMA_8B.linear_parameters + LLAMA_8B.other_parameters == pytest.approx(8.03e9, rel=1e-3)
    # rank 64 x (inputs + outputs): q 8192, k 5120, v 5120, o 8192, gate 16384, up 16384, down 16384 = 75,776
    assert adapter_parameters(QWEN3_8B, RECIPE) == 36 * 64 * 75_776 == 174_587_904


def test_fixed_memory_by_hand():
    # bf16: 8.19e9 x 2 bytes, and 174,587,904 adapter parameters x (4 float32 copies x 4 + 2) bytes
    weights = (36 * 192_937_984 + 2 * 151_936 * 4096) * 2
    assert fixed_bytes(QWEN3_8B, RECIPE, BF16) == weights + 174_587_904 * 18
    # nf4: linear layers of 4.127 bits each, embeddings and head stay
    small = 36 * 192_937_984 * 4.127 / 8 + 2 * 151_936 * 4096 * 2
    assert fixed_bytes(QWEN3_8B, RECIPE, NF4) == pytest.approx(small + 174_587_904 * 18)


@pytest.mark.parametrize(
    ("shape", "loading", "tokens", "compiled", "measured_gib"),
    [
        (QWEN3_8B, BF16, 8192, False, 95.1),
        (QWEN3_8B, BF16, 8192, True, 81.2),
        (QWEN3_8B, BF16, 4096, True, 50.8),
        (QWEN3_8B, NF4, 8192, True, 71.6),
        (LLAMA_8B, BF16, 8192, True, 74.7),
    ],
)
def test_the_estimate_is_near_what_an_h200_measured_and_not_below(
    shape, loading, tokens, compiled, measured_gib
):
    """Measured: benchmarks/training*.json; not compiled and 4,096 tokens at once: the same script, with another plan."""
    estimate = training_bytes(shape, RECIPE, loading, tokens, 0, compiled) / GIB
    assert measured_gib <= estimate <= 1.08 * measured_gib


def test_what_is_not_compiled_is_reckoned_so():
    plain = plans(139, TrainingSettings(compile_layers=False))
    assert plain[0].estimated_mb > 1.15 * plans(139)[0].estimated_mb


def test_a_card_of_80_gb_recomputes_nothing_in_4_bit():
    assert (plans(79, loading=NF4)[0].micro_batch_rows, plans(79, loading=NF4)[0].recomputed_layers) == (8, 0)


def test_an_h200_recomputes_nothing_and_takes_the_whole_step_at_once():
    for shape in (QWEN3_8B, LLAMA_8B):
        first = plans(139, shape=shape)[0]
        assert (first.micro_batch_rows, first.recomputed_layers) == (8, 0)


@pytest.mark.parametrize("free_gib", [139, 79, 47, 31, 23])
def test_less_memory_gives_a_plan_that_fits_and_each_next_one_takes_less(free_gib):
    loading = BF16 if free_gib > 24 else NF4
    found = plans(free_gib, loading=loading)
    estimates = [plan.estimated_mb for plan in found]
    assert estimates[0] <= free_gib * 1024
    assert all(later <= 0.9 * before for before, later in itertools.pairwise(estimates))
    assert all(RECIPE.effective_batch_rows % plan.micro_batch_rows == 0 for plan in found)


def test_what_the_settings_name_is_kept():
    named = TrainingSettings(micro_batch_rows=2, gradient_checkpointing=True)
    assert {(p.micro_batch_rows, p.recomputed_layers) for p in plans(139, named)} == {(2, 36)}
    some = TrainingSettings(micro_batch_rows=4)
    assert {p.micro_batch_rows for p in plans(50, some)} == {4}
    assert plans(50, some)[0].recomputed_layers > 0


def test_processes_share_the_rows_of_a_step():
    # 8 rows a step on four GPUs: 2 each, at most
    assert plans(139, processes=4)[0].micro_batch_rows == 2
    assert {8 // 4 % p.micro_batch_rows for p in plans(40, processes=4)} == {0}


def test_a_cpu_takes_what_it_always_took():
    assert [(p.micro_batch_rows, p.recomputed_layers) for p in plans(500, device="cpu")] == [(1, 0)]
    assert settled(RECIPE, LoadingSettings(dtype="float32")) == Plan("sdpa", 1)


def test_a_model_that_does_not_fit_says_by_how_much_and_what_would():
    with pytest.raises(MachineError) as error:
        plans(15)
    said = str(error.value)
    assert (
        "Qwen/Qwen3-8B: training needs about 21.2 GiB of GPU memory and 15.0 GiB are free: 6.2 GiB too little"
        in said
    )
    assert "loading.use_4bit: true (11.6 GiB, fits)" in said
    assert "more GPUs do not help" in said
    named = TrainingSettings(micro_batch_rows=8, gradient_checkpointing=False)
    with pytest.raises(MachineError) as error:
        plans(70, named)
    # one row: fixed 19.53 GB + 1,024 tokens x 36 layers x 0.8 x 284,672 bytes + loss 1.59 GB + CUDA's own 1.07 GB
    assert "training.micro_batch_rows: auto (28.5 GiB, fits)" in str(error.value)
    assert "training.gradient_checkpointing: auto (24.9 GiB, fits)" in str(error.value)


def test_the_message_comes_before_weights_are_looked_for(tmp_path):
    """The folder holds config.json alone, of a model that no machine takes."""
    base = config_of(tmp_path / "huge", num_hidden_layers=80_000)
    with pytest.raises(MachineError, match=r"training needs about .* GiB of main memory"):
        train_adapter(
            "none.jsonl", str(tmp_path / "manifest.json"), "huge", "safe_cite", 1, 0, base,
            {"device": "cpu"}, {}, str(tmp_path / "checkpoints"),
        )  # fmt: skip


def test_a_gpu_that_torch_does_not_see(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    base = config_of(tmp_path / "base")
    with pytest.raises(MachineError, match="asks for 2 GPUs, and torch sees none"):
        plans_for(base, LoadingSettings(), RECIPE, 2, 1)
    with pytest.raises(MachineError, match="asks for 1 GPU, and torch sees none"):
        plans_for(base, LoadingSettings(), RECIPE, 1, 1)


def test_a_config_that_cannot_be_read_is_left_to_the_loader(tmp_path):
    (tmp_path / "empty").mkdir()
    base = {"source": str(tmp_path / "empty"), "revision": None}
    assert plans_for(base, LoadingSettings(device="cpu", dtype="float32"), RECIPE, 0, 1) == [Plan("sdpa", 1)]
