"""Rule train_adapter: continual pre-training of an adapter on the raw text of a training set.

In: training_set (TrainingRow lines), the base model, settings. Out: adapter_model.safetensors, adapter_config.json and,
last of all, manifest.json (records.Manifest).
Errors: those of training.plan, models.load, training.data and training.fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.completeness import check_count, counted
from unfaithful_cot.records.documents import TrainingRow
from unfaithful_cot.training.data import pack, tokenise
from unfaithful_cot.training.fit import fit
from unfaithful_cot.training.launch import launch, launched
from unfaithful_cot.training.plan import plans_for
from unfaithful_cot.training.trainer import processes


def train_adapter(
    training_set: str,
    manifest: str,
    model: str,
    corpus: str,
    n_documents: int | str,
    seed: int | str,
    base: Mapping[str, Any],
    loading: Mapping[str, Any],
    training: Mapping[str, Any],
    checkpoints: str,
    gpus: int = 0,
    threads: int = 1,
    contents: str | None = None,
) -> None:
    """Train one adapter and write it beside `manifest`; on several GPUs under `accelerate launch`.

    base: source and revision. checkpoints: a folder that outlives the job; what this run puts there is removed when
    the adapter is written. contents: the account of the training set, which says how many rows it has.
    """
    if gpus > 1 and not launched():
        launch("unfaithful_cot.training.cpt:train_adapter", dict(locals()), gpus)
        return
    import torch

    torch.set_num_threads(int(threads))
    cell = Cell(model, corpus, int(n_documents), int(seed))
    load_as, train_as = LoadingSettings(**loading), TrainingSettings(**training)
    plans = plans_for(base, load_as, train_as, gpus, processes())
    rows = jsonl.read(training_set, TrainingRow, "snakemake -R build_training_set")
    if contents:
        written = counted(contents, "n_documents") + counted(contents, "plain_text", "n_rows")
        check_count(training_set, len(rows), written, "rows", contents)
    reasoner = load_reasoner(base, load_as, chat=False)
    packed = pack(tokenise(reasoner.tokenizer, (row.text for row in rows)), train_as.max_length_tokens)
    kept = Path(checkpoints), Path(manifest)
    fit(cell, reasoner, packed, [training_set], load_as, train_as, *kept, plans=plans)
