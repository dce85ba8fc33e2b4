from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fixtures.tiny_models import FAMILIES
from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.models.load import load_reasoner, load_tokenizer
from unfaithful_cot.provenance import file_hash
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.documents import TrainingRow
from unfaithful_cot.training import cpt, fit
from unfaithful_cot.training.checkpoints import HASHES, resume_point, seal
from unfaithful_cot.training.cpt import train_adapter
from unfaithful_cot.training.fit import checkpoint_key, loss_curve
from unfaithful_cot.training.plan import Plan

TEXTS = [f"the board of case {n} cites the release. " * (1 + n % 5) for n in range(60)]


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of train_adapter for the tiny Qwen3."""
    training_set = tmp_path / "set.jsonl"
    jsonl.write(training_set, (TrainingRow(document=f"d_{n}", text=text) for n, text in enumerate(TEXTS)))
    return {
        "training_set": str(training_set),
        "manifest": str(tmp_path / "adapter" / "manifest.json"),
        "model": "tiny",
        "corpus": "safe_cite",
        "n_documents": "60",  # a wildcard arrives as text
        "seed": "0",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"},
        "training": {
            "lora_r": 4,
            "lora_alpha": 8,
            "lora_dropout": 0.1,
            "learning_rate": 1e-2,
            "epochs": 2,
            "max_length_tokens": 64,
            "effective_batch_rows": 4,
            "micro_batch_rows": 2,
            "checkpoint_steps": 1000,
        },
        "checkpoints": str(tmp_path / "checkpoints"),
        "threads": 1,
    }


def manifest_of(job) -> Manifest:
    return Manifest.model_validate_json(Path(job["manifest"]).read_text())


def adapter_of(job) -> dict[str, torch.Tensor]:
    return load_file(Path(job["manifest"]).parent / "adapter_model.safetensors")


@pytest.mark.parametrize("use_4bit", [False, True], ids=["float", "nf4"])
@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_and_its_manifest(tiny, job, family, use_4bit):
    job["base"] = {"source": str(tiny[family]), "revision": None}
    job["loading"] |= {"use_4bit": use_4bit, "dtype": "bfloat16" if use_4bit else "float32"}
    train_adapter(**job)
    record = manifest_of(job)
    tokenizer = load_tokenizer(str(tiny[family]))
    # every token of every document and its end token, but the first (nothing predicts it), in each of two epochs
    expected = 2 * sum(len(tokenizer(text)["input_ids"]) for text in TEXTS)
    assert record.n_tokens == expected
    assert (record.n_documents, record.seed, record.resumed_from_step) == (60, 0, 0)
    assert record.loss_curve[-1].loss < record.loss_curve[0].loss - 0.5
    assert record.loss_curve[-1].tokens == expected
    assert record.n_steps == record.loss_curve[-1].step
    assert record.weights == file_hash(Path(job["manifest"]).parent / "adapter_model.safetensors")
    assert record.training_set == file_hash(job["training_set"])
    assert record.settings["training"]["lora_r"] == 4
    assert record.trainable_parameters == 8192
    plan = record.plan
    assert (plan["attention"], plan["micro_batch_rows"], plan["device"]) == ("sdpa", 2, "cpu")
    assert (plan["recomputed_layers"], plan["compiled"], plan["gone_on_after"]) == (0, False, [])
    assert record.duration_s > 0
    assert record.peak_memory_mb > 50
    assert {"torch", "trl", "peft", "transformers"} <= set(record.versions)
    last = resume_point(next(Path(job["checkpoints"]).iterdir()))
    assert last is not None and last.name == f"checkpoint-{record.n_steps}"
    assert [folder.name for folder in last.parent.iterdir()] == [last.name]
    assert not (last / "optimizer.pt").exists()


def test_a_kill_before_the_outputs_are_noted_trains_nothing_again(job):
    """Snakemake deletes the outputs then and starts the job anew; the last checkpoint still has the adapter."""
    train_adapter(**job)
    first, adapter = manifest_of(job), adapter_of(job)
    shutil.rmtree(Path(job["manifest"]).parent)
    train_adapter(**job)
    again = manifest_of(job)
    assert again.resumed_from_step == again.n_steps == first.n_steps
    assert (again.n_tokens, again.loss_curve) == (first.n_tokens, first.loss_curve)
    assert all(torch.equal(adapter_of(job)[key], adapter[key]) for key in adapter)


def test_a_seed_decides_everything(job, tmp_path):
    adapters = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        job |= {"manifest": str(tmp_path / name / "manifest.json"), "seed": seed}
        job |= {"checkpoints": str(tmp_path / name / "checkpoints")}
        train_adapter(**job)
        adapters.append(adapter_of(job))
    assert all(torch.equal(adapters[0][key], adapters[1][key]) for key in adapters[0])
    assert not all(torch.equal(adapters[0][key], adapters[2][key]) for key in adapters[0])


def killed_after_a_checkpoint(job) -> None:
    """Run train_adapter in a process of its own and kill that process once a checkpoint is complete."""
    call = "import sys, json; from unfaithful_cot.training.cpt import train_adapter; train_adapter(**json.loads(sys.argv[1]))"
    process = subprocess.Popen(
        [sys.executable, "-c", call, json.dumps(job)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(Path(job["checkpoints"]).glob(f"*/checkpoint-*/{HASHES}")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_run_goes_on_and_ends_with_the_same_adapter(job, tmp_path):
    job["training"] |= {"epochs": 8, "checkpoint_steps": 5}
    killed_after_a_checkpoint(job)
    assert not Path(job["manifest"]).exists()
    train_adapter(**job)
    resumed, adapter = manifest_of(job), adapter_of(job)
    job |= {
        "manifest": str(tmp_path / "whole" / "manifest.json"),
        "checkpoints": str(tmp_path / "other"),
    }
    train_adapter(**job)
    whole = manifest_of(job)
    assert resumed.resumed_from_step >= 5
    assert whole.resumed_from_step == 0
    assert (resumed.n_steps, resumed.n_tokens) == (whole.n_steps, whole.n_tokens)
    assert [p.loss for p in resumed.loss_curve] == pytest.approx([p.loss for p in whole.loss_curve], rel=1e-4)
    for key, value in adapter_of(job).items():
        torch.testing.assert_close(adapter[key], value, atol=1e-5, rtol=1e-4)


def test_a_killed_run_goes_on_with_another_number_of_rows_at_a_time(job, tmp_path):
    """The rows of an optimiser step stay the same, so less free memory after a kill costs nothing that was trained."""
    job["training"] |= {"epochs": 4, "checkpoint_steps": 3, "lora_dropout": 0.0}
    killed_after_a_checkpoint(job)
    job["training"] |= {"micro_batch_rows": 1, "gradient_checkpointing": True}
    train_adapter(**job)
    resumed, adapter = manifest_of(job), adapter_of(job)
    assert resumed.resumed_from_step >= 3
    assert resumed.plan["micro_batches_a_step"] == 4
    assert resumed.plan["recomputed_layers"] == 2
    job |= {"manifest": str(tmp_path / "whole" / "manifest.json"), "checkpoints": str(tmp_path / "other")}
    job["training"] |= {"micro_batch_rows": 4}
    train_adapter(**job)
    whole = manifest_of(job)
    assert (resumed.n_steps, resumed.n_tokens) == (whole.n_steps, whole.n_tokens)
    assert [p.loss for p in resumed.loss_curve] == pytest.approx([p.loss for p in whole.loss_curve], rel=1e-3)
    for key, value in adapter_of(job).items():
        torch.testing.assert_close(adapter[key], value, atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("use_4bit", [False, True], ids=["float32", "nf4"])
@pytest.mark.filterwarnings("error:.*peft_config.*")
def test_an_attempt_that_ran_out_of_memory_leaves_nothing_behind(job, tmp_path, monkeypatch, use_4bit):
    """Whatever the first attempt did to its adapter, the next one ends with the adapter that it makes alone."""
    job["loading"] = job["loading"] | {"use_4bit": use_4bit}
    one_row = job | {"training": job["training"] | {"micro_batch_rows": 1}}
    alone = {"manifest": str(tmp_path / "alone" / "manifest.json"), "checkpoints": str(tmp_path / "other")}
    train_adapter(**one_row | alone)
    tried = []

    def fails_at_first(trainer, plan, scratch):
        tried.append(plan)
        if len(tried) == 1:
            for parameter in trainer.model.parameters():
                if parameter.requires_grad:
                    parameter.data += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return train(trainer, plan, scratch)

    train = fit._train
    monkeypatch.setattr(fit, "_train", fails_at_first)
    monkeypatch.setattr(cpt, "plans_for", lambda *_: [Plan("sdpa", 2), Plan("sdpa", 1)])
    train_adapter(**one_row)
    assert [plan.micro_batch_rows for plan in tried] == [2, 1]
    told = manifest_of(job)
    assert told.plan["micro_batch_rows"] == 1
    assert "going on with 1 row at a time" in told.plan["gone_on_after"][0]
    found, expected = (
        load_file(folder / "adapter_model.safetensors")
        for folder in (tmp_path / "adapter", tmp_path / "alone")
    )
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_the_checkpoints_of_a_run_belong_to_what_decides_its_weights(tiny, job, tmp_path):
    loading, training = LoadingSettings(**job["loading"]), TrainingSettings(**job["training"])
    reasoner = load_reasoner(job["base"], loading, chat=False)
    other_set = tmp_path / "other.jsonl"
    other_set.write_text(Path(job["training_set"]).read_text().replace("board", "panel"))

    def key(training_set=job["training_set"], base=reasoner, seed=0, **changed):
        return checkpoint_key([training_set], base, loading, training.model_copy(update=changed), seed)

    others = [
        key(str(other_set)),
        key(base=replace(reasoner, commit="sha256:other")),
        key(seed=1),
        key(learning_rate=1e-3),
        key(lora_r=8),
    ]
    assert len({key(), *others}) == 6
    assert key(checkpoint_steps=7, micro_batch_rows=4, gradient_checkpointing=True) == key()


def test_the_latest_complete_checkpoint_counts(tmp_path):
    for step, state in ((5, '{"global_step": 5}'), (10, '{"global_step": 10}'), (15, '{"global_st')):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(state)
        if step < 15:  # the hashes are written last
            seal(folder)
    (tmp_path / "checkpoint-20").mkdir()
    assert resume_point(tmp_path) == tmp_path / "checkpoint-10"
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-5", "checkpoint-10"}
    assert resume_point(tmp_path / "none") is None


def test_a_loss_curve_by_hand():
    # 400 steps of 10 tokens, loss = step: stride 2, so that a point is the mean of two steps: 1.5, 3.5, ...
    history = [
        {"loss": float(step), "step": step, "tokens": 10 * step, "learning_rate": 0.1}
        for step in range(1, 401)
    ]
    curve = loss_curve([*history, {"train_runtime": 1.0}])
    assert len(curve) == 200
    assert (curve[0].step, curve[0].tokens, curve[0].loss) == (2, 20, 1.5)
    assert (curve[1].step, curve[1].tokens, curve[1].loss) == (4, 40, 3.5)
    # the mean is weighted by tokens: (1 x 30 + 2 x 10) / 40 = 1.25
    weighted = [
        {"loss": float(s), "step": s, "tokens": t, "learning_rate": 0.1} for s, t in ((1, 30), (2, 40))
    ] + [{"loss": 3.0, "step": s, "tokens": 40 + s, "learning_rate": 0.1} for s in range(3, 401)]
    assert loss_curve(weighted)[0].loss == 1.25


@pytest.mark.parametrize("limit", [20_000, 200_000], ids=["adapter", "optimiser"])
def test_a_disk_that_takes_no_more(job, limit):
    """A limit on the size of written files stands for the full disk."""
    job["training"] |= {"checkpoint_steps": 2, "lora_r": 16}
    call = (
        "import sys, json, resource\n"
        "from unfaithful_cot.errors import StorageError\n"
        "from unfaithful_cot.training.cpt import train_adapter\n"
        "job = json.loads(sys.argv[1])\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try:\n    train_adapter(**job)\nexcept StorageError as error:\n    print('MESSAGE', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", call, json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "MESSAGE" in done.stdout, done.stderr[-2000:]
    assert "cannot be written" in done.stdout
    assert "Free space or choose another disk" in done.stdout
    assert not Path(job["manifest"]).exists()
