from __future__ import annotations

import json

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.adapters import (
    CONFIG_FILE,
    attach,
    check_config,
    config_hash,
    new_adapter,
    without_adapter,
)
from unfaithful_cot.models.load import dequantise, load_reasoner
from unfaithful_cot.records.adapters import Manifest

FLOAT = LoadingSettings(dtype="float32", device="cpu")
NF4 = LoadingSettings(use_4bit=True, dtype="float32", device="cpu")
LORA = TrainingSettings(lora_r=4, lora_alpha=8, lora_dropout=0.0)
TOKENS = torch.arange(5, 45)[None]


def logits(reasoner):
    with torch.inference_mode():
        return reasoner.model(TOKENS).logits


def saved_adapter(source, folder, loading=FLOAT):
    """A random adapter that changes the logits, saved."""
    trained = new_adapter(load_reasoner({"source": str(source)}, loading), LORA, seed=0)
    torch.manual_seed(1)
    for name, parameter in trained.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    trained.model.save_pretrained(str(folder))
    return folder


@pytest.mark.parametrize("loading", [FLOAT, NF4], ids=["float32", "nf4"])
def test_a_fresh_adapter_trains_only_itself_and_changes_nothing(tiny, loading):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, loading)
    before = logits(reasoner)
    fresh = new_adapter(reasoner, LORA, seed=0)
    assert torch.equal(logits(fresh), before)
    trainable = {n for n, p in fresh.model.named_parameters() if p.requires_grad}
    assert trainable
    assert all("lora_" in name for name in trainable)
    # r (in + out) summed over q 64+64, k and v 64+32, o 64+64, gate and up 64+128, down 128+64, twice (two blocks):
    # 4 x (128 + 2 x 96 + 128 + 2 x 192 + 192) x 2 = 8192
    assert sum(p.numel() for p in fresh.model.parameters() if p.requires_grad) == 8192


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loading", [FLOAT, NF4], ids=["float32", "nf4"])
def test_one_load_serves_both_arms(tiny, tmp_path, family, loading):
    folder = saved_adapter(tiny[family], tmp_path / "adapter", loading)
    baseline = logits(load_reasoner({"source": str(tiny[family])}, loading))
    trained = attach(load_reasoner({"source": str(tiny[family])}, loading), folder, merge=False)
    assert (logits(trained) - baseline).abs().max() > 0.1
    with without_adapter(trained) as same_load:
        assert torch.equal(logits(same_load), baseline)


def test_merged_answers_as_unmerged(tiny, tmp_path):
    folder = saved_adapter(tiny["qwen3"], tmp_path / "adapter")
    apart = attach(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), folder, merge=False)
    merged = attach(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), folder)
    assert not hasattr(merged.model, "disable_adapter")
    torch.testing.assert_close(logits(merged), logits(apart), atol=1e-4, rtol=1e-4)


def test_merging_into_bfloat16_loses_no_more_than_bfloat16_does(tiny, tmp_path):
    """Both ways against float32: merged weights are rounded once more, unmerged ones have one more rounded product."""
    half = LoadingSettings(dtype="bfloat16", device="cpu")
    base = {"source": str(tiny["qwen3"])}
    folder = saved_adapter(tiny["qwen3"], tmp_path / "adapter")
    exact = logits(attach(load_reasoner(base, FLOAT), folder))
    apart = logits(attach(load_reasoner(base, half), folder, merge=False)).float() - exact
    merged = logits(attach(load_reasoner(base, half), folder)).float() - exact
    change = exact - logits(load_reasoner(base, FLOAT))
    assert merged.abs().mean() < 1.5 * apart.abs().mean()
    assert merged.abs().mean() < 0.1 * change.abs().mean()  # the adapter does much more than rounding


def test_an_adapter_is_never_merged_into_4_bit_weights(tiny, tmp_path):
    from bitsandbytes.nn import Linear4bit

    folder = saved_adapter(tiny["qwen3"], tmp_path / "adapter", NF4)
    by_default = attach(load_reasoner({"source": str(tiny["qwen3"])}, NF4), folder)
    assert hasattr(by_default.model, "disable_adapter")
    assert sum(isinstance(m, Linear4bit) for m in by_default.model.modules()) == 14
    with pytest.raises(ValueError, match="never merged"):
        attach(load_reasoner({"source": str(tiny["qwen3"])}, NF4), folder, merge=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_dequantised_weights_are_the_numbers_that_4_bit_stands_for(tiny, tmp_path, family):
    """To the last bit, where gradients are kept: without them a CPU multiplies 4-bit weights in bfloat16."""
    folder = saved_adapter(tiny[family], tmp_path / "adapter", NF4)
    base = {"source": str(tiny[family])}
    quantised, floats = load_reasoner(base, NF4), dequantise(load_reasoner(base, NF4), 1e9)
    assert {type(layer).__name__ for layer in floats.model.model.layers[0].mlp.children()} >= {"Linear"}
    assert torch.equal(floats.model(TOKENS).logits, quantised.model(TOKENS).logits)
    adapted, beside = attach(floats, folder), attach(quantised, folder)
    assert hasattr(adapted.model, "disable_adapter")  # not merged, as its arm in 4 bit is not
    for one in (adapted, beside):
        one.model.get_input_embeddings().weight.requires_grad_()
    torch.testing.assert_close(
        adapted.model(TOKENS).logits, beside.model(TOKENS).logits, atol=1e-5, rtol=1e-5
    )


def test_weights_stay_in_4_bit_where_memory_is_short(tiny):
    from bitsandbytes.nn import Linear4bit

    # a block: q, o 64 x 64, k, v 64 x 32, three of 64 x 128: 36,864 parameters; two of them in float32: 294,912 bytes
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, NF4)
    dequantise(reasoner, 2 * 294_911)
    assert sum(isinstance(layer, Linear4bit) for layer in reasoner.model.modules()) == 14
    dequantise(reasoner, 2 * 294_912)
    assert not any(isinstance(layer, Linear4bit) for layer in reasoner.model.modules())


def test_weights_that_are_not_in_4_bit_are_left_alone(tiny):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    before = logits(reasoner)
    assert torch.equal(logits(dequantise(reasoner, 1e9)), before)


@pytest.mark.parametrize("removed", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_folder_without_an_adapter(tiny, tmp_path, removed):
    folder = saved_adapter(tiny["qwen3"], tmp_path / "adapter")
    (folder / removed).unlink()
    with pytest.raises(ModelError, match=rf"holds no {removed}\. Rerun"):
        attach(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), folder)


def test_an_adapter_of_another_shape(tiny, tmp_path):
    import json

    folder = saved_adapter(tiny["qwen3"], tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"r": 8}))
    with pytest.raises(ModelError, match="the adapter does not fit"):
        attach(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), folder)


EDITS = {
    "lora_alpha": 1, "r": 2, "lora_dropout": 0.5, "target_modules": ["q_proj"], "use_rslora": True, "use_dora": True,
    "fan_in_fan_out": True, "alpha_pattern": {"q_proj": 1}, "rank_pattern": {"q_proj": 1}, "layers_to_transform": [0],
    "bias": "all", "peft_type": "LOHA", "base_model_name_or_path": "elsewhere",
}  # fmt: skip


def manifest_of(folder, **changed):
    settings = {"training": LORA.model_dump()}
    return Manifest.model_validate({
        "model": "m", "source": "s", "revision": None, "commit": None, "corpus": "c", "n_documents": 1, "seed": 0,
        "training_set": "t", "settings": settings, "weights": "w", "trainable_parameters": 1, "n_rows": 1, "n_tokens": 1,
        "n_steps": 1, "loss_curve": [], "duration_s": 1, "peak_memory_mb": 1, "resumed_from_step": 0, "versions": {},
        "adapter_config": config_hash(folder / CONFIG_FILE),
    } | changed)  # fmt: skip


def test_no_edit_of_an_adapters_configuration_is_overlooked(tiny, tmp_path):
    path = saved_adapter(tiny["qwen3"], tmp_path / "adapter") / CONFIG_FILE
    record, config = manifest_of(path.parent), json.loads(path.read_text())
    older = record.model_copy(update={"adapter_config": None})
    for one in (record, older):
        check_config(path, one)
    path.write_text(json.dumps(config | {"target_modules": config["target_modules"][::-1]}, indent=None))
    check_config(path, record)  # the same values, laid out otherwise
    for key, value in EDITS.items():
        path.write_text(json.dumps(config | {key: value}))
        with pytest.raises(ModelError, match=r"Rerun: snakemake -R .*manifest\.json") as error:
            check_config(path, record)
        assert error.value.where == str(path)
    path.write_text(json.dumps(config | {"lora_alpha": 1}))
    for one in (record, older):
        with pytest.raises(
            ModelError, match=r"adapter_config\.json: lora_alpha is 1\. The adapter was trained with 8\."
        ):
            check_config(path, one)
    path.write_text(json.dumps({key: value for key, value in config.items() if key != "lora_alpha"}))
    with pytest.raises(ModelError, match="lora_alpha is None"):
        check_config(path, record)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"target_modules": [1, "a"]}'])
def test_a_configuration_that_is_none_is_one_message(tiny, tmp_path, text):
    path = saved_adapter(tiny["qwen3"], tmp_path / "adapter") / CONFIG_FILE
    record = manifest_of(path.parent)
    path.write_text(text)
    with pytest.raises(ModelError, match=r"adapter_config\.json: "):
        check_config(path, record)
    path.unlink()
    with pytest.raises(ModelError, match=r"adapter_config\.json: cannot be read"):
        check_config(path, record)


def test_target_modules_that_the_model_does_not_have(tiny):
    wrong = LORA.model_copy(update={"target_modules": ["query_key_value"]})
    with pytest.raises(ModelError, match=r"training\.target_modules: \['query_key_value'\] do not fit"):
        new_adapter(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), wrong, seed=0)
