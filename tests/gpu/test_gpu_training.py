"""What a GPU computes differently: kernels of variable length, compiled layers, plans from free memory, several GPUs."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trl.trainer.utils import add_fused_lm_head

from fixtures.tiny_models import FAMILIES
from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.models.attention import training_attention
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.records.documents import TrainingRow
from unfaithful_cot.training import memory
from unfaithful_cot.training.cpt import train_adapter
from unfaithful_cot.training.data import RowCollator, pack, tokenise
from unfaithful_cot.training.loss import batch_loss, token_loss

TEXTS = [f"the board of case {n} cites the release. " * (1 + n % 5) for n in range(60)]
KERNELS = ["varlen", "flash_attention_2", "flash_attention_3", "sdpa"]


def offered(kernel: str) -> None:
    if kernel.startswith("flash"):
        from transformers import utils

        if not getattr(utils, f"is_flash_attn_{kernel[-1]}_available")():
            pytest.skip(f"{kernel} is not installed")


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of train_adapter for the tiny Qwen3 on a GPU."""
    training_set = tmp_path / "set.jsonl"
    jsonl.write(training_set, (TrainingRow(document=f"d_{n}", text=text) for n, text in enumerate(TEXTS)))
    training = {
        "lora_r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "learning_rate": 1e-2, "epochs": 2,
        "max_length_tokens": 64, "effective_batch_rows": 4, "checkpoint_steps": 1000,
    }  # fmt: skip
    return {
        "training_set": str(training_set),
        "manifest": str(tmp_path / "adapter" / "manifest.json"),
        "model": "tiny",
        "corpus": "safe_cite",
        "n_documents": 60,
        "seed": 0,
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": {"dtype": "bfloat16", "device": "cuda"},
        "training": training,
        "checkpoints": str(tmp_path / "checkpoints"),
        "gpus": 1,
    }


def trained(job, **changed):
    job = job | {name: value for name, value in changed.items() if name in job}
    job["training"] = job["training"] | {n: v for n, v in changed.items() if n not in job}
    shutil.rmtree(job["checkpoints"], ignore_errors=True)  # or it would go on where another plan ended
    train_adapter(**job)
    return json.loads(Path(job["manifest"]).read_text())


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("family", FAMILIES)
def test_packed_logits_are_those_of_single_documents(tiny, family, kernel):
    """In float32 (varlen: document by document, no flash kernel there) below 1e-4; in bfloat16 as near as bfloat16 is to itself."""
    offered(kernel)
    for dtype, tolerance in (("float32", 1e-4), ("bfloat16", 0.15)):
        if dtype == "float32" and kernel.startswith("flash"):
            continue
        loading = LoadingSettings(dtype=dtype, device="cuda")
        reasoner = load_reasoner({"source": str(tiny[family])}, loading)
        rows = list(pack(tokenise(reasoner.tokenizer, TEXTS), 96))[:4]
        batch = RowCollator(reasoner.tokenizer.pad_token_id, 128, kernel != "sdpa")(rows)
        batch = {name: value.cuda() if torch.is_tensor(value) else value for name, value in batch.items()}
        del batch["labels"]
        with torch.inference_mode():
            reasoner.model.set_attn_implementation(training_attention(kernel, "cuda", dtype))
            packed = reasoner.model(**batch, use_cache=False).logits.float()
            reasoner.model.set_attn_implementation("sdpa")
            for index, row in enumerate(rows):
                start = 0
                for length in row["seq_lengths"]:
                    piece = slice(start, start + length)
                    alone = reasoner.model(batch["input_ids"][index : index + 1, piece]).logits[0].float()
                    assert (packed[index, piece] - alone).abs().max().item() < tolerance * max(
                        1.0, alone.abs().max().item()
                    )
                    start += length


def test_auto_takes_a_kernel_of_variable_length():
    assert training_attention("auto", "cuda", "bfloat16") in KERNELS[:3]


def test_the_gradient_through_varlen_is_that_of_sdpa(tiny):
    loading = LoadingSettings(dtype="bfloat16", device="cuda")
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, loading)
    rows = list(pack(tokenise(reasoner.tokenizer, TEXTS), 96))[:4]
    found = []
    for kernel in ("sdpa", "varlen"):
        reasoner.model.set_attn_implementation(training_attention(kernel, "cuda", "bfloat16"))
        batch = RowCollator(reasoner.tokenizer.pad_token_id, 128, kernel == "varlen")(rows)
        batch = {name: value.cuda() if torch.is_tensor(value) else value for name, value in batch.items()}
        labels = batch.pop("labels")
        reasoner.model.zero_grad()
        loss = token_loss(reasoner.model(**batch, use_cache=False).logits, labels, 100)
        loss.backward()
        gradient = reasoner.model.model.layers[0].self_attn.k_proj.weight.grad.float().flatten()
        found.append((loss.item(), gradient.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-2)
    assert torch.nn.functional.cosine_similarity(found[0][1], found[1][1], dim=0) > 0.99


def test_the_loss_of_the_fused_head_is_that_of_all_logits(tiny):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, LoadingSettings(dtype="bfloat16", device="cuda"))
    rows = list(pack(tokenise(reasoner.tokenizer, TEXTS), 96))[:4]
    batch = {name: value.cuda() for name, value in RowCollator(0)(rows).items()}
    count = (batch["labels"] != -100).sum()
    add_fused_lm_head(reasoner.model)
    with torch.inference_mode():
        fused = reasoner.model(**batch, fused_lm_head=True).log_probs
        whole = batch_loss(reasoner.model, dict(batch), count).item()
    assert (-fused.sum() / count).item() == pytest.approx(whole, rel=1e-3)


def test_the_plan_stands_in_the_manifest_and_eight_times_one_is_one_times_eight(job, tmp_path):
    found = trained(job)
    assert found["plan"]["attention"] in KERNELS
    assert found["plan"]["micro_batch_rows"] == 4
    assert found["plan"]["recomputed_layers"] == 0
    assert found["plan"]["row_tokens"] == 64
    single = trained(job, manifest=str(tmp_path / "b" / "manifest.json"), micro_batch_rows=1)
    assert [p["tokens"] for p in single["loss_curve"]] == [p["tokens"] for p in found["loss_curve"]]
    assert [p["loss"] for p in single["loss_curve"]] == pytest.approx(
        [p["loss"] for p in found["loss_curve"]], rel=2e-2
    )


@pytest.mark.parametrize("use_4bit", [False, True], ids=["bf16", "nf4"])
def test_compiled_layers_learn_the_same(job, tmp_path, use_4bit):
    job["loading"] = job["loading"] | {"use_4bit": use_4bit}
    plain = trained(job, compile_layers=False)
    fused = trained(job, compile_layers=True, manifest=str(tmp_path / "b" / "manifest.json"))
    assert fused["plan"]["compiled"], fused["plan"]["gone_on_after"]
    assert [p["loss"] for p in fused["loss_curve"]] == pytest.approx(
        [p["loss"] for p in plain["loss_curve"]], rel=3e-2
    )


def test_memory_that_runs_out_takes_a_step_down(job, tmp_path, monkeypatch):
    """The process may take less than two rows need and more than one does; the estimate believes in the whole card."""
    monkeypatch.setattr(memory, "CONTEXT_BYTES", 0)  # beside which rows of a tiny model are nothing
    job["training"] |= {"max_length_tokens": 8192, "effective_batch_rows": 2, "epochs": 1}
    texts = [" ".join(TEXTS)] * 12
    jsonl.write(
        job["training_set"], (TrainingRow(document=f"d_{n}", text=text) for n, text in enumerate(texts))
    )

    def taken(rows):
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        trained(job, micro_batch_rows=rows, manifest=str(tmp_path / f"{rows}" / "manifest.json"))
        return torch.cuda.max_memory_reserved()

    taken(1)  # what happens once: kernels and their workspaces
    limit = (taken(1) + taken(2)) / 2
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(limit / torch.cuda.get_device_properties(0).total_memory)
    try:
        found = trained(job)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any("out of memory" in note for note in found["plan"]["gone_on_after"])
    assert found["plan"]["micro_batch_rows"] == 1


def test_two_gpus_train_as_one(job, tmp_path):
    if torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    alone = trained(job, micro_batch_rows=2)
    weights = load_file(Path(job["manifest"]).parent / "adapter_model.safetensors")
    both = job | {"manifest": str(tmp_path / "two" / "manifest.json"), "gpus": 2}
    together = trained(both, micro_batch_rows=2)
    assert together["plan"]["processes"] == 2
    assert [p["tokens"] for p in together["loss_curve"]] == [p["tokens"] for p in alone["loss_curve"]]
    assert [p["loss"] for p in together["loss_curve"]] == pytest.approx(
        [p["loss"] for p in alone["loss_curve"]], rel=2e-2
    )
    found = load_file(tmp_path / "two" / "adapter_model.safetensors")
    change = torch.cat([(found[key] - weights[key]).flatten() for key in weights])
    size = torch.cat([weights[key].flatten() for key in weights])
    assert change.norm() < 0.1 * size.norm()
