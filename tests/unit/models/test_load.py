from __future__ import annotations

import shutil

import pytest
import torch

from fixtures.tiny_models import FAMILIES, make_tiny
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.load import load_reasoner

FLOAT = LoadingSettings(dtype="float32", device="cpu")
NF4 = LoadingSettings(use_4bit=True, dtype="bfloat16", device="cpu")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_loads_with_tokenizer_template_and_hash(tiny, family):
    reasoner = load_reasoner({"source": str(tiny[family]), "revision": None}, FLOAT)
    assert reasoner.quantisation == "none/float32"
    assert reasoner.commit.startswith("sha256:")
    assert {p.dtype for p in reasoner.model.parameters()} == {torch.float32}
    assert reasoner.stop_ids == [reasoner.tokenizer.eos_token_id]
    assert reasoner.tokenizer.padding_side == "left"


@pytest.mark.parametrize("family", FAMILIES)
def test_4_bit_is_nf4_with_double_quantisation_for_real(tiny, family):
    from bitsandbytes.nn import Linear4bit

    reasoner = load_reasoner({"source": str(tiny[family])}, NF4)
    layers = [m for m in reasoner.model.modules() if isinstance(m, Linear4bit)]
    # seven linear layers in each of the two blocks
    assert len(layers) == 14
    state = layers[0].weight.quant_state  # type: ignore[attr-defined]
    assert state.quant_type == "nf4"
    assert state.nested
    assert layers[0].compute_dtype == torch.bfloat16
    assert reasoner.quantisation == "nf4-double/bfloat16"


def test_other_weights_have_another_hash(tiny, tmp_path):
    other = make_tiny(tmp_path / "other", "qwen3", seed=1)
    hashes = [load_reasoner({"source": str(f)}, FLOAT).commit for f in (tiny["qwen3"], other, tiny["qwen3"])]
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("config.json", "holds no config.json"),
        ("model.safetensors", "holds no weights"),
        ("tokenizer.json", "holds no tokenizer"),
    ],
)
def test_a_folder_without_a_part_is_named_before_loading(tiny, tmp_path, removed, message):
    folder = shutil.copytree(tiny["qwen3"], tmp_path / "broken")
    (folder / removed).unlink()
    with pytest.raises(ModelError, match=message):
        load_reasoner({"source": str(folder)}, FLOAT)


def test_a_missing_chat_template_matters_for_answers_only(tiny, tmp_path):
    folder = shutil.copytree(tiny["qwen3"], tmp_path / "plain")
    (folder / "chat_template.jinja").unlink()
    assert load_reasoner({"source": str(folder)}, FLOAT, chat=False).commit
    with pytest.raises(ModelError, match=r"no chat template.*chat_template\.jinja"):
        load_reasoner({"source": str(folder)}, FLOAT)


def test_cut_weights_are_an_error_of_the_folder(tiny, tmp_path):
    folder = shutil.copytree(tiny["qwen3"], tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_reasoner({"source": str(folder)}, FLOAT)


def test_weights_that_lack_a_layer_are_not_filled_with_noise(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny["qwen3"], tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"1 weights are missing, the first is model\.layers\.1\.mlp\.up_proj"
    ):
        load_reasoner({"source": str(folder)}, FLOAT)


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "a/b/c"])
def test_a_folder_that_does_not_exist(source):
    with pytest.raises(ModelError, match=r"does not exist\. Correct `source` in config/models\.yaml"):
        load_reasoner({"source": source}, FLOAT)


def test_an_unknown_repository(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"no-such-owner/no-such-model: cannot be loaded.*HF_TOKEN"):
        load_reasoner({"source": "no-such-owner/no-such-model", "revision": "main"}, FLOAT)


def test_an_attention_kernel_that_is_not_here(tiny):
    loading = FLOAT.model_copy(update={"attention": "flash_attention_2"})
    with pytest.raises(ModelError, match=r"loading\.attention: 'flash_attention_2' cannot be used here"):
        load_reasoner({"source": str(tiny["qwen3"])}, loading)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_here(tiny):
    loading = FLOAT.model_copy(update={"device": "cuda"})
    with pytest.raises(ModelError, match=r"loading\.device: 'cuda', but no GPU is visible"):
        load_reasoner({"source": str(tiny["qwen3"])}, loading)
