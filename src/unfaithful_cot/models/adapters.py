"""LoRA adapters on a loaded model: new ones for training, finished ones for answering.

In: a Reasoner, and TrainingSettings or a folder with adapter_model.safetensors and adapter_config.json. Out: a Reasoner.
Errors: ModelError for a folder without an adapter, target modules that the model does not have, an adapter of
another architecture, or a configuration that is not the one it was trained with. Source: Hu et al., LoRA, arXiv 2106.09685.
A finished adapter is merged into float weights (faster), never into 4-bit weights (merging would requantise them).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.adapters import Manifest

WEIGHTS_FILE, CONFIG_FILE = "adapter_model.safetensors", "adapter_config.json"
TRAINED_WITH = {name: name for name in ("lora_alpha", "lora_dropout", "target_modules")} | {"r": "lora_r"}
"""Key of adapter_config.json -> the setting of the training that it was made from."""


def new_adapter(reasoner: Reasoner, training: TrainingSettings, seed: int) -> Reasoner:
    """A copy of `reasoner` whose model carries a fresh, trainable adapter in float32. It answers as before."""
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=training.lora_r,
        lora_alpha=training.lora_alpha,
        lora_dropout=training.lora_dropout,
        target_modules=training.target_modules,
        bias="none",
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    try:
        return replace(reasoner, model=get_peft_model(reasoner.model, config))
    except ValueError as error:
        raise ModelError(
            "training.target_modules",
            f"{training.target_modules} do not fit {reasoner.source} ({str(error).splitlines()[0][:200]})",
            todo="Name linear layers of the model",
        ) from None


def read_config(path: Path) -> dict[str, Any]:
    """What adapter_config.json says; target modules, which peft writes in any order, are sorted."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        modules = values.get("target_modules")
        return {**values, "target_modules": sorted(modules) if isinstance(modules, list) else modules}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            path,
            f"cannot be read ({type(error).__name__}: {str(error).splitlines()[0][:150]})",
            "The file that was written with the weights",
            f"Rerun: snakemake -R {path.parent / 'manifest.json'}",
        ) from None


def config_hash(path: Path) -> str:
    """The hash of the values in adapter_config.json, however they are laid out."""
    return value_hash(read_config(path))


def check_config(path: Path, manifest: Manifest, where: object = "", todo: str = "") -> None:
    """adapter_config.json says what the adapter was trained with: its scale decides the answers as the weights do.

    Args:
        path: the file.
        manifest: that of the adapter.
        where, todo: for the message, where the file is a copy of another one.

    Raises:
        ModelError: with both values, where the manifest states them.
    """
    found = read_config(path)
    own = value_hash(found)
    if own == manifest.adapter_config:
        return
    todo = todo or f"Rerun: snakemake -R {path.parent / 'manifest.json'}"
    settings = manifest.settings.get("training")
    trained: dict[str, Any] = settings if isinstance(settings, dict) else {}
    for key, setting in TRAINED_WITH.items():
        wanted = trained.get(setting, found.get(key))
        wanted = sorted(wanted) if isinstance(wanted, list) else wanted
        if found.get(key) != wanted:
            was = f"The adapter was trained with {wanted!r}"
            raise ModelError(where or path, f"{key} is {found.get(key)!r}", was, todo)
    if manifest.adapter_config is not None:
        right = f"hash {manifest.adapter_config}"
        raise ModelError(
            where or path, f"its values are not those that the manifest names (hash {own})", right, todo
        )


def attach(reasoner: Reasoner, folder: Path | str, merge: bool | None = None) -> Reasoner:
    """A copy of `reasoner` that answers with the adapter in `folder`.

    merge: None merges float weights and leaves 4-bit weights alone; False keeps the adapter apart, so that
    `without_adapter` can give the baseline back; True on 4-bit weights is an error of the caller. An adapter that is
    apart computes in the type of the float weights beside it, as under autocast in training.
    """
    from peft import PeftModel

    folder = Path(folder)
    for name in (WEIGHTS_FILE, CONFIG_FILE):
        if not (folder / name).is_file():
            raise ModelError(folder, f"holds no {name}", todo="Rerun: snakemake -R train_adapter")
    in_4bit = reasoner.quantisation.startswith("nf4")
    if merge and in_4bit:
        raise ValueError("an adapter is never merged into 4-bit weights")
    merge = not in_4bit if merge is None else merge
    try:
        model = PeftModel.from_pretrained(reasoner.model, str(folder), autocast_adapter_dtype=merge)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            folder,
            f"the adapter does not fit {reasoner.source} ({str(error).splitlines()[0][:200]})",
            "An adapter belongs to the base model that it was trained on",
            "Rerun: snakemake -R train_adapter",
        ) from None
    return replace(reasoner, model=(model.merge_and_unload() if merge else model).eval())


@contextlib.contextmanager
def without_adapter(reasoner: Reasoner) -> Iterator[Reasoner]:
    """The baseline, from the same load, as long as the adapter is not merged."""
    with reasoner.model.disable_adapter():
        yield reasoner
