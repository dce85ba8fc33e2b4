from __future__ import annotations

import pytest

from fixtures.tiny_models import FAMILIES, make_tiny
from unfaithful_cot import jsonl
from unfaithful_cot.records.documents import TrainingRow
from unfaithful_cot.training.cpt import train_adapter

LOADING = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """{family: folder} of the tiny models, written once."""
    home = tmp_path_factory.mktemp("tiny")
    return {family: make_tiny(home / family, family) for family in FAMILIES}


@pytest.fixture
def manifest(tiny, tmp_path):
    """A real adapter of the tiny model."""
    jsonl.write(
        tmp_path / "set.jsonl",
        (TrainingRow(document=f"d{n}", text="the board cites the release " * 9) for n in range(8)),
    )
    path = tmp_path / "adapter" / "manifest.json"
    train_adapter(
        training_set=str(tmp_path / "set.jsonl"),
        manifest=str(path),
        model="tiny",
        corpus="safe_cite",
        n_documents=8,
        seed=0,
        base={"source": str(tiny["qwen3"]), "revision": None},
        loading=LOADING,
        training={"lora_r": 4, "learning_rate": 0.05, "epochs": 3, "max_length_tokens": 64},
        checkpoints=str(tmp_path / "checkpoints"),
    )
    return path
