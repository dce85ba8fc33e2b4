"""Measures this project's decoding beside `generate_batch`, transformers' continuous batching, with the kernels that it can use.

In: nothing; Qwen3-8B's architecture with random weights and prompts of random tokens, as in generation.py, greedy. Out: a JSON
file beside this one, written anew after every arm, and a table. Errors: an arm that fails stands in the file with its error.

    python benchmarks/decoding.py            # one H200, about five minutes
    python benchmarks/decoding.py --tiny     # a CPU, seconds: tries the script, its figures mean nothing

Kernels of `generate_batch`: FlashAttention-3 from the wheel `fa3-fwd` (forward only, without page tables), FlashAttention-2 from
PyTorch, and sdpa. A page of the cache holds a whole row here (`page_size`), so that the row's one page is all that a kernel
needs to know and a kernel without page tables serves as well; no table is read, so this is no slower than with pages of 256.
A warm-up of a few tokens records graphs and compiles; it is timed by itself. Ours records its graphs within the timed run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from generation import (  # its first lines make this project's package importable
    TINY,
    Sizes,
    ceiling,
    machine,
    measured,
    random_prompts,
    random_reasoner,
)
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers import modeling_flash_attention_utils as flash

from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.inference.static import continue_many
from unfaithful_cot.models.load import Reasoner

WITHIN = 0.8
"""Share of this project's rate from which on the library would be good enough."""
WARM_UP_TOKENS = 4
TOP_P = 0.95
CHECKED = 64
"""Rows whose first token is compared."""


@dataclass(frozen=True)
class Arm:
    """kernel: one of KERNELS, sdpa, or ours. options: of ContinuousBatchingConfig. share: of the new tokens, for a slow one."""

    name: str
    kernel: str
    options: dict[str, Any] = field(default_factory=dict)
    temperature: float = 0.0
    share: float = 1.0


ARMS = (
    Arm("ours, greedy", "ours"),
    Arm("FlashAttention-3, as it comes (CUDA graphs, asynchronous)", "fa3"),
    Arm("FlashAttention-2 of PyTorch, as it comes", "fa2"),
    Arm("ours, temperature 0.6, top_p 0.95", "ours", temperature=0.6),
    Arm("FlashAttention-3, as it comes, temperature 0.6, top_p 0.95", "fa3", temperature=0.6),
    Arm("FlashAttention-3, CUDA graphs, compiled", "fa3", {"default_compile_level": 1}),
    Arm("FlashAttention-3, CUDA graphs, 16,384 tokens a batch", "fa3", {"max_batch_tokens": 16_384}),
    Arm("FlashAttention-3, CUDA graphs, synchronous", "fa3", {"use_async_batching": False}, share=0.25),
    Arm("FlashAttention-3, no CUDA graphs", "fa3", {"use_cuda_graph": False}, share=0.125),
    Arm("sdpa, as it comes", "sdpa", {"auto_switch_to_flash": False}, share=0.0625),
)


# ---------------------------------------------------------------- kernels under the names that transformers looks up


def pages_and_lengths(block_table: Any, cache_seqlens: Any, size: int, trash: int) -> tuple[Any, Any]:
    """The page of each row, and what stands in it. Rows that only pad a graph have -1: they get a page of no row.

    size: tokens of a page. The rows of the library's own warm-up are a token longer than a page: they are cut.
    """
    pages = block_table[:, 0]
    lengths = cache_seqlens.clamp(min=0, max=size - 1)
    return pages.masked_fill(pages < 0, trash).to(torch.int32), lengths.to(torch.int32)


def from_wheel(trash: int) -> ModuleType:
    """FlashAttention-3, which appends the new keys and values by itself."""
    import fa3_fwd_interface as wheel

    def flash_attn_with_kvcache(
        q: Any, k_cache: Any, v_cache: Any, k: Any, v: Any, cache_seqlens: Any = None, block_table: Any = None,
        softmax_scale: float | None = None, causal: bool = False,
    ) -> Any:  # fmt: skip
        pages, lengths = pages_and_lengths(block_table, cache_seqlens, k_cache.shape[1], trash)
        return wheel.flash_attn_with_kvcache(
            q, k_cache, v_cache, k, v, cache_seqlens=lengths, cache_batch_idx=pages,
            softmax_scale=softmax_scale, causal=causal,
        )  # fmt: skip

    return interface(wheel.flash_attn_func, wheel.flash_attn_varlen_func, flash_attn_with_kvcache)


def from_torch(trash: int) -> ModuleType:
    """FlashAttention-2, which PyTorch ships: lengths are given, places are offsets into one long row of tokens."""
    attention = torch.ops.aten._flash_attention_forward

    def flash_attn_varlen_func(
        q: Any, k: Any, v: Any, cu_seqlens_q: Any, cu_seqlens_k: Any, max_seqlen_q: int, max_seqlen_k: int,
        softmax_scale: float | None = None, causal: bool = False,
    ) -> Any:  # fmt: skip
        return attention(
            q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, 0.0, causal, False, scale=softmax_scale
        )[0]  # fmt: skip

    def flash_attn_with_kvcache(
        q: Any, k_cache: Any, v_cache: Any, k: Any, v: Any, cache_seqlens: Any = None, block_table: Any = None,
        softmax_scale: float | None = None, causal: bool = False,
    ) -> Any:  # fmt: skip
        pages, lengths = pages_and_lengths(block_table, cache_seqlens, k_cache.shape[1], trash)
        for cache, new in ((k_cache, k), (v_cache, v)):
            cache[pages.long(), lengths.long()] = new[:, 0]
        size = k_cache.shape[1]
        begins = torch.cat([pages * size, pages[:1]])  # of the last entry only the place is needed
        rows = torch.arange(len(pages) + 1, device=q.device, dtype=torch.int32)
        found = attention(
            q[:, 0], k_cache.flatten(0, 1), v_cache.flatten(0, 1), rows, begins, 1, size, 0.0, False, False,
            scale=softmax_scale, seqused_k=lengths + 1,
        )[0]  # fmt: skip
        return found[:, None]

    return interface(None, flash_attn_varlen_func, flash_attn_with_kvcache)


def interface(plain: Any, varlen: Any, with_cache: Any) -> ModuleType:
    """A module with the three functions that transformers imports."""
    module = ModuleType("flash_attn_interface")
    module.__dict__.update(
        flash_attn_func=plain, flash_attn_varlen_func=varlen, flash_attn_with_kvcache=with_cache
    )
    return module


KERNELS: dict[str, Callable[[int], ModuleType]] = {"fa3": from_wheel, "fa2": from_torch}


def use_kernel(model: Any, kernel: str) -> None:
    """Let the model attend by it."""
    if kernel == "sdpa":
        model.set_attn_implementation("sdpa")
        return
    sys.modules["flash_attn_interface"] = KERNELS[kernel](trash=2 * model.config.num_hidden_layers)
    flash._loaded_implementation = None  # what was imported under this name before
    flash.FLASH_ATTENTION_COMPATIBILITY_MATRIX[3]["general_availability_check"] = lambda: True
    model.set_attn_implementation("flash_attention_3")


# ---------------------------------------------------------------- arms


def run_arm(arm: Arm, reasoner: Reasoner, prompts: list[list[int]], new_tokens: int) -> dict[str, Any]:
    """Warm up, run, and give its figures and answers."""
    model, device = reasoner.model, reasoner.device.type
    use_kernel(model, arm.kernel)
    longest = len(prompts[0]) + new_tokens
    config = ContinuousBatchingConfig(page_size=-(-longest // 64) * 64, **arm.options)
    sampled = {"do_sample": True, "temperature": arm.temperature, "top_p": TOP_P, "top_k": 0}
    found: list[list[int]] = []

    def generate(tokens: int) -> int:
        asked = GenerationConfig(
            max_new_tokens=tokens, eos_token_id=-1, pad_token_id=0,
            **(sampled if arm.temperature else {"do_sample": False}),
        )  # fmt: skip
        outputs = model.generate_batch(
            prompts, generation_config=asked, continuous_batching_config=config, persistent_manager=True
        )
        found[:] = [output.generated_tokens for output in outputs.values() if output.error is None]
        if len(found) != len(prompts):
            errors = {output.error for output in outputs.values() if output.error is not None}
            raise RuntimeError(f"{len(found)} of {len(prompts)} rows were answered: {errors}")
        return sum(map(len, found))

    try:
        began_s = time.perf_counter()
        generate(WARM_UP_TOKENS)
        warm_up_s = time.perf_counter() - began_s
        figures = measured(arm.name, lambda: generate(max(int(new_tokens * arm.share), 1)), None, device)
        used = model._cached_continuous_batching_manager.batch_processor.cb_config
        names = (
            "num_blocks",
            "max_batch_tokens",
            "max_blocks_per_request",
            "use_cuda_graph",
            "use_async_batching",
        )
        chosen = {name: getattr(used, name) for name in names}
    finally:
        model.destroy_cached_continuous_batching_manager()
    return figures | {"warm_up_s": round(warm_up_s, 1), "chosen": chosen, "answers": list(found)}


def run_ours(arm: Arm, reasoner: Reasoner, prompts: list[list[int]], new_tokens: int) -> dict[str, Any]:
    """This project's decoding, all prompts at once."""
    answers: list[list[int]] = [[] for _ in prompts]

    def run(tokens: int) -> int:
        decoding = Decoding(arm.temperature, TOP_P if arm.temperature else 1.0, tokens)
        for ended in continue_many(reasoner, prompts, list(range(len(prompts))), decoding, len(prompts)):
            for index, continuation in ended:
                answers[index] = continuation.token_ids
        return sum(map(len, answers))

    began_s = time.perf_counter()
    run(WARM_UP_TOKENS)
    warm_up_s = time.perf_counter() - began_s
    figures = measured(arm.name, lambda: run(new_tokens), None, reasoner.device.type)
    return figures | {"warm_up_s": round(warm_up_s, 1), "answers": answers}


@torch.inference_mode()
def first_tokens(reasoner: Reasoner, prompts: list[list[int]]) -> list[int]:
    """The most likely next token of each prompt by the model as it comes, one prompt at a time."""
    model = reasoner.model
    return [
        int(model(torch.tensor([prompt], device=reasoner.device), logits_to_keep=1).logits[0, -1].argmax())
        for prompt in prompts
    ]


def one_arm(arm: Arm, sizes: Sizes, tiny: bool, device: str) -> dict[str, Any]:
    """An arm with a model of its own. first_token: share of rows whose greedy first token is that of the model as it comes."""
    reasoner = random_reasoner(tiny, device)
    prompts = random_prompts(sizes.rows, sizes, reasoner.model.config.vocab_size)
    some = slice(None, None, max(1, len(prompts) // CHECKED))
    expected = first_tokens(reasoner, prompts[some])
    way = run_ours if arm.kernel == "ours" else run_arm
    figures = way(arm, reasoner, prompts, sizes.new_tokens)
    found = [answer[0] for answer in figures.pop("answers")[some]]
    if not arm.temperature:
        same = sum(one == other for one, other in zip(expected, found, strict=True))
        figures["first_token"] = round(same / len(expected), 3)
    figures["ceiling_tokens_s"] = round(ceiling(reasoner, prompts, sizes.new_tokens))
    return figures


def separately(name: str, options: list[str]) -> dict[str, Any]:
    """Run an arm in a process of its own: one that fails on a GPU leaves nothing that the next one could use."""
    command = [sys.executable, __file__, "--arm", name, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr, flush=True)
        lines = [line for line in done.stderr.splitlines() if "Error" in line]
        return {"arm": name, "error": "\n".join(lines[:3])[:600] or f"exit {done.returncode}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Make, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on a CPU where there is no GPU")
    parser.add_argument("--rows", type=int, default=0, help="rows at once")
    parser.add_argument("--new-tokens", type=int, default=0, help="new tokens a row")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not given.tiny:
        sys.exit("no GPU is visible; --tiny tries this script on a CPU")
    sizes = TINY if given.tiny else Sizes()
    sizes = replace(sizes, rows=given.rows or sizes.rows, new_tokens=given.new_tokens or sizes.new_tokens)
    if given.arm:
        arm = next(arm for arm in ARMS if arm.name == given.arm)
        print(json.dumps(one_arm(arm, sizes, given.tiny, device)))
        return
    found: dict[str, Any] = {
        "machine": machine(device),
        "model": "tiny" if given.tiny else "Qwen3-8B, random weights, bfloat16",
        "sizes": {"rows": sizes.rows, "new_tokens": sizes.new_tokens, "prompt_tokens": sizes.prompt_tokens},
        "good_enough_from": WITHIN,
        "arms": [],
    }
    options = ["--rows", str(sizes.rows), "--new-tokens", str(sizes.new_tokens), *["--tiny"] * given.tiny]
    for arm in ARMS:
        if device == "cpu" and arm.kernel not in ("ours", "sdpa"):
            continue
        figures = separately(arm.name, options)
        found["arms"].append(figures)
        mine = next(one for one in ARMS if one.kernel == "ours" and one.temperature == arm.temperature)
        rates = {one["arm"]: one.get("tokens_s") for one in found["arms"]}
        if "tokens_s" in figures and rates.get(mine.name):
            figures["of_ours"] = round(figures["tokens_s"] / rates[mine.name], 3)
        print(json.dumps(figures), flush=True)
        given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
