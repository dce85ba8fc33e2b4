"""The recipe of the reference reasoner: texts, tokenizer, a small Transformer, one training run.

In: prompt templates, a chat template, sizes and a seed. Out: a model folder in the Hub's layout
(config, safetensors in bfloat16, tokenizer, chat template, recipe.json with figures of the run).
Needs minutes on one GPU and some hours on a CPU. Texts are packed into rows whole, and attention never crosses from one text to the next.
Without a GPU it warns and goes on. Errors: ValueError for a text that is longer than a row.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unfaithful_cot.host import progress
from unfaithful_cot.prompts import load_template
from unfaithful_cot.provenance import versions
from unfaithful_cot.reference.texts import Text, training_texts

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ROW_TOKENS = 576
IGNORED = -100
ARCHITECTURE: dict[str, Any] = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "tie_word_embeddings": True,
    "max_position_embeddings": 2048,
    "rope_theta": 10000.0,
}


def make_reference_reasoner(
    prompts: list[str],
    chat_template: str,
    folder: str,
    seed: int = 0,
    n_texts: int = 600_000,
    steps: int = 38_000,
    batch_rows: int = 56,
    learning_rate: float = 3e-3,
    vocabulary: int = 2560,
) -> None:
    """Train the reasoner and write its folder. Same seed and same kind of device, same weights within rounding."""
    from transformers import Qwen3Config, Qwen3ForCausalLM, set_seed

    started = time.monotonic()
    set_seed(seed)
    texts = list(training_texts(n_texts, seed, [load_template(path) for path in prompts]))
    tokenizer = train_tokenizer(texts, vocabulary)
    tokenizer.chat_template = Path(chat_template).read_text(encoding="utf-8")
    rows, n_tokens = pack(texts, tokenizer, seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **ARCHITECTURE,
        )
    )
    losses = _train(model, rows, steps, batch_rows, learning_rate, seed)
    _save(model, tokenizer, Path(folder))
    figures = {
        "seed": seed,
        "texts": n_texts,
        "tokens": n_tokens,
        "rows": len(rows),
        "row_tokens": ROW_TOKENS,
        "steps": steps,
        "batch_rows": batch_rows,
        "learning_rate": learning_rate,
        "parameters": model.num_parameters(),
        "loss": losses,
        "duration_s": round(time.monotonic() - started, 1),
        "versions": versions(),
    }
    Path(folder, "recipe.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def train_tokenizer(texts: Sequence[Text], vocabulary: int) -> Any:
    """A byte-level BPE tokenizer; every digit is a token of its own, so that evidence IDs can be copied."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    sample = texts[:: max(1, len(texts) // 20_000)]
    tokenizer.train_from_iterator((text.prompt + text.completion for text in sample), trainer)
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, eos_token=SPECIAL[2], pad_token=SPECIAL[0], padding_side="left")


def pack(
    texts: Sequence[Text], tokenizer: Any, seed: int
) -> tuple[list[list[tuple[list[int], list[int]]]], int]:
    """Rows of whole texts, best fit first. A text is (ids, labels); labels of the prompt are ignored.

    Returns the rows in seeded order, and the number of tokens. A text longer than a row is an error of the recipe.
    """
    prompts = tokenizer([text.prompt for text in texts], add_special_tokens=False)["input_ids"]
    completions = tokenizer([text.completion for text in texts], add_special_tokens=False)["input_ids"]
    pieces = [
        (prompt + completion, [IGNORED] * len(prompt) + completion)
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    longest = max(len(ids) for ids, _ in pieces)
    if longest > ROW_TOKENS:
        raise ValueError(f"a text has {longest} tokens, a row {ROW_TOKENS}")
    open_rows: dict[int, list[list[tuple[list[int], list[int]]]]] = {}
    rows = []
    for piece in sorted(pieces, key=lambda piece: -len(piece[0])):
        length = len(piece[0])
        room = next((left for left in range(length, ROW_TOKENS) if open_rows.get(left)), None)
        row: list[tuple[list[int], list[int]]]
        if room is None:
            row, room = [], ROW_TOKENS
            rows.append(row)
        else:
            row = open_rows[room].pop()
        row.append(piece)
        open_rows.setdefault(room - length, []).append(row)
    random.Random(seed).shuffle(rows)
    return rows, sum(len(ids) for ids, _ in pieces)


def batches(
    rows: Sequence[list[tuple[list[int], list[int]]]], batch_rows: int, pad: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Endless (ids, labels, positions), each int64 of shape (batch_rows, ROW_TOKENS); positions restart a text."""
    import numpy as np
    import torch

    shape = (len(rows), ROW_TOKENS)
    ids, labels = np.full(shape, pad, np.int16), np.full(shape, IGNORED, np.int16)
    positions = np.zeros(shape, np.int16)
    for index, row in enumerate(rows):
        start = 0
        for text, wanted in row:
            end = start + len(text)
            ids[index, start:end], labels[index, start:end] = text, wanted
            labels[index, start] = IGNORED
            positions[index, start:end] = np.arange(len(text))
            start = end
        positions[index, start:] = np.arange(ROW_TOKENS - start)
    whole = [torch.from_numpy(array) for array in (ids, labels, positions)]
    at = torch.arange(batch_rows)
    while True:
        yield tuple(tensor[at % len(rows)].long() for tensor in whole)  # type: ignore[misc]
        at = at + batch_rows


def _train(
    model: Any, rows: Sequence[Any], steps: int, batch_rows: int, learning_rate: float, seed: int
) -> list[tuple[int, float]]:
    """AdamW with one cycle; returns (step, mean loss since the last entry) every hundredth of the run."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        logger.warning("no GPU: %s steps take hours here", steps)
    model.to(device).train()
    if device == "cuda":
        model.compile()  # twice as fast; the weights keep their names
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps, pct_start=0.05
    )
    source = batches(rows, batch_rows, model.config.pad_token_id)
    losses: list[tuple[int, float]] = []
    window = torch.zeros((), device=device)
    every = max(1, steps // 100)
    for step in progress.progress(range(1, steps + 1), steps, "reference reasoner", "step"):
        ids, labels, positions = (tensor.to(device, non_blocking=True) for tensor in next(source))
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits
        loss: Any = torch.nn.functional.cross_entropy(
            logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        window += loss.detach()
        if step % every == 0:
            losses.append((step, round(float(window) / every, 5)))
            window.zero_()
    return losses


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    """The model folder, written whole: weights in bfloat16."""
    import torch

    fresh = folder.with_name(folder.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    model.to("cpu", torch.bfloat16).eval().save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
