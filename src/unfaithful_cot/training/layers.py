"""What is done to a model before it trains on a GPU: which layers are recomputed, which are compiled, and no casts for nothing.

In: a model with an adapter. Out: the same model, changed in place; names of weights stay.
Errors: none here; a layer that cannot be compiled fails at its first step (training.attempts).

Recompute (Chen et al., arXiv 1604.06174) is set layer by layer, so that memory is traded for time in small steps. Layers
are compiled one by one ("regional compilation"): they are alike, so one compilation serves all, and rows of constant
length keep their shapes. In bfloat16 peft would widen the input of every adapter to float32, and autocast would narrow
it again: the result is the same, so the input stays as it is.
"""

from __future__ import annotations

from typing import Any

INPUT_CAST = "cast_input_dtype_enabled"  # peft's own switch (peft.helpers.disable_input_dtype_casting)
WORTH_COMPILING_TOKENS = 2_000_000
"""Compilation takes about a minute; a fifth of the time of this many tokens is saved on a fast GPU."""


def decoder_layers(model: Any) -> list[Any]:
    """The layers that transformers can recompute, in their order."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


def recompute(model: Any, n_layers: int) -> int:
    """Recompute the first n_layers decoder layers in the backward pass. Returns how many that are."""
    layers = decoder_layers(model)
    if n_layers:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        base.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    for place, layer in enumerate(layers):
        layer.gradient_checkpointing = place < n_layers
    return min(n_layers, len(layers))


def compile_layers(model: Any, on: bool) -> None:
    """Compile each decoder layer, or take the compilation off."""
    if on:
        import torch

        torch.compiler.reset()  # graphs of an attempt before this one count towards the few that dynamo makes of a function
    for layer in decoder_layers(model):
        if on:
            layer.compile(dynamic=False)
        else:
            layer._compiled_call_impl = None


def keep_input_type(model: Any) -> None:
    """Leave the inputs of adapters in the type in which they come. For training under bfloat16 autocast."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            setattr(module, INPUT_CAST, False)


def any_number_of_documents(batch: dict[str, Any]) -> None:
    """Let compiled layers take any number of documents in a batch: the one shape that changes from step to step."""
    import torch

    if "cu_seq_lens_q" in batch:
        torch._dynamo.maybe_mark_dynamic(batch["cu_seq_lens_q"], 0)


def worth_compiling(wanted: bool | str, device: str, n_tokens: float) -> bool:
    """Whether to compile. wanted: of the settings; n_tokens: of the whole training."""
    if isinstance(wanted, bool):
        return wanted
    return device == "cuda" and n_tokens >= WORTH_COMPILING_TOKENS
