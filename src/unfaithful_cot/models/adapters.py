"""LoRA adapters on a loaded model: new ones for training, finished ones for answering.

In: a Reasoner, and TrainingSettings or a folder with adapter_model.safetensors and adapter_config.json. Out: a Reasoner.
Errors: ModelError for a folder without an adapter, target modules that the model does not have, or an adapter of
another architecture. Source: Hu et al., LoRA, arXiv 2106.09685.
A finished adapter is merged into float weights (faster), never into 4-bit weights (merging would requantise them).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.load import Reasoner

WEIGHTS_FILE, CONFIG_FILE = "adapter_model.safetensors", "adapter_config.json"


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
