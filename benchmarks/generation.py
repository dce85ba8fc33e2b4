"""Measures answering: tokens a second of the published way, of plain `generate` in a batch, and of this project.

In: nothing; the true architecture of Qwen3-8B is filled with random weights on the GPU itself, and prompts are random tokens.
Random weights end an answer at no sensible place, so no end token is known here and every answer has the full length.
Last comes what config/reproduce.yaml asks for: weights of NF4, an adapter of rank 64 apart from them, sampled.
Out: a JSON file beside this one, written anew after every arm, and a table.
Errors: the traceback of an arm that fails; those before it stand in the file.

    python benchmarks/generation.py            # one H200, about three minutes
    python benchmarks/generation.py --tiny     # a CPU, seconds: tries the script, its figures mean nothing

Tokens a second are new tokens over the whole time of an arm: prompts, recording of graphs and copies included. Prompts have
300 to 500 tokens. The published way answers one case at a time; of it, few cases and tokens are timed, for its pace is the
same for all. Ceiling: no step can be faster than its weights, keys and values are read, and no prompt than its arithmetic:

    seconds = steps x (weight bytes + rows x mean context x key-value bytes) / bandwidth + prompt tokens x 2 x parameters / FLOP/s
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))  # also where the package is not installed

from unfaithful_cot.config.training import TrainingSettings  # noqa: E402
from unfaithful_cot.inference import row_cache  # noqa: E402
from unfaithful_cot.inference.decode import Decoding  # noqa: E402
from unfaithful_cot.inference.memory import free_bytes, key_value_bytes, rows_that_fit  # noqa: E402
from unfaithful_cot.inference.row_cache import borrowed  # noqa: E402
from unfaithful_cot.inference.static import continue_many  # noqa: E402
from unfaithful_cot.inference.steps import Rows  # noqa: E402
from unfaithful_cot.models.adapters import attach, new_adapter  # noqa: E402
from unfaithful_cot.models.load import Reasoner, dequantise  # noqa: E402

BANDWIDTH, FLOPS = 4.3e12, 790e12
"""Measured on an H200: bytes a second of a copy (read and written), bf16 operations a second of a matrix product."""
BAR_RATIO, BAR_TOKENS_S = 400, 4_000
SAMPLED = (0.6, 0.95)


@dataclass(frozen=True)
class Sizes:
    """What is asked. one_cases, one_tokens: of the published way; more_rows: of the larger batch."""

    rows: int = 256
    more_rows: int = 512
    new_tokens: int = 512
    prompt_tokens: tuple[int, int] = (300, 500)
    one_cases: int = 3
    one_tokens: int = 64


TINY = Sizes(8, 16, 24, (20, 40), 2, 8)


class Endless(Reasoner):
    """A Reasoner that knows no end token."""

    @property
    def stop_ids(self) -> list[int]:
        return []


class Pad:
    """All that decoding asks of a tokenizer."""

    pad_token_id, eos_token_id = 0, None


def random_reasoner(tiny: bool, device: str) -> Reasoner:
    """Qwen3-8B, or a tiny model of its architecture, with random weights made where they stay."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=1_000 if tiny else 151_936,
        hidden_size=64 if tiny else 4_096,
        intermediate_size=128 if tiny else 12_288,
        num_hidden_layers=2 if tiny else 36,
        num_attention_heads=8 if tiny else 32,
        num_key_value_heads=2 if tiny else 8,
        head_dim=16 if tiny else 128,
        max_position_embeddings=40_960,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        attn_implementation="sdpa",
    )
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if tiny else torch.bfloat16)
    with torch.device(device):
        model = Qwen3ForCausalLM(config).eval()
    torch.set_default_dtype(before)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return Endless(model, Pad(), "random", None, None, f"none/{model.dtype}".replace("torch.", ""))


def random_prompts(count: int, sizes: Sizes, vocabulary: int) -> list[list[int]]:
    """Longest first, as the engine asks."""
    draw = random.Random(0)
    lengths = sorted((draw.randint(*sizes.prompt_tokens) for _ in range(count)), reverse=True)
    return [[draw.randrange(vocabulary) for _ in range(length)] for length in lengths]


def generate(reasoner: Reasoner, prompts: list[list[int]], new_tokens: int) -> int:
    """`generate` as it comes: all prompts at once, padded at the left. Returns the new tokens."""
    width = max(map(len, prompts))
    ids = [[0] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    found = reasoner.model.generate(
        input_ids=torch.tensor(ids, device=reasoner.device),
        attention_mask=torch.tensor(mask, device=reasoner.device),
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        do_sample=False,
    )
    return int(found[:, width:].numel())


def ours(reasoner: Reasoner, prompts: list[list[int]], decoding: Decoding) -> int:
    """This project's static cache, all prompts at once. Returns the new tokens."""
    seeds = list(range(len(prompts)))
    found = [
        continuation
        for ended in continue_many(reasoner, prompts, seeds, decoding, len(prompts))
        for _, continuation in ended
    ]
    assert len(found) == len(prompts), "an answer is missing"
    return sum(len(continuation.token_ids) for continuation in found)


def ceiling(reasoner: Reasoner, prompts: list[list[int]], new_tokens: int) -> float:
    """Tokens a second by the formula above, for these prompts at once."""
    model = reasoner.model
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    weights -= (
        model.get_input_embeddings().weight.numel() * model.dtype.itemsize
    )  # a row of it is read, not all
    products = weights // model.dtype.itemsize
    prompt = sum(map(len, prompts))
    held = prompt + len(prompts) * new_tokens / 2
    step = (weights + held * key_value_bytes(model.config, model.dtype.itemsize)) / BANDWIDTH
    return len(prompts) * new_tokens / (new_tokens * step + prompt * 2 * products / FLOPS)


def measured(name: str, run: Callable[[], int], best: float | None, device: str) -> dict[str, Any]:
    """Run one arm; best: its ceiling in tokens a second."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    began = time.perf_counter()
    tokens = run()
    if device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None
    arm = {
        "arm": name,
        "tokens": tokens,
        "seconds": round(seconds, 2),
        "tokens_s": round(tokens / seconds, 1),
    }
    arm["fraction_of_ceiling"] = (
        None if best is None or device == "cpu" else round(tokens / seconds / best, 3)
    )
    arm["peak_gib"] = None if peak is None else round(peak, 1)
    print(f"{name:68s} {arm['tokens_s']:>9,.0f} tokens/s   {seconds:6.1f} s", flush=True)
    return arm


def alone(reasoner: Reasoner, prompts: list[list[int]], kernel: str) -> torch.Tensor:
    """Logits behind each prompt, from the model as it comes, one prompt at a time. kernel: of its attention."""
    reasoner.model.set_attn_implementation(kernel)
    rows = [
        reasoner.model(torch.tensor([prompt], device=reasoner.device)).logits[0, -1] for prompt in prompts
    ]
    reasoner.model.set_attn_implementation("sdpa")
    return torch.stack(rows).float()


def in_4_bit(reasoner: Reasoner, tiny: bool) -> Reasoner:
    """The same model in NF4 with an adapter that is not merged, as the workflow answers with it."""
    from training import quantise
    from transformers import BitsAndBytesConfig
    from transformers.quantizers import AutoHfQuantizer

    quantise(reasoner.model)
    reasoner.model.hf_quantizer = AutoHfQuantizer.from_config(BitsAndBytesConfig(load_in_4bit=True))
    reasoner = replace(reasoner, quantisation=f"nf4-double/{reasoner.quantisation.partition('/')[2]}")
    recipe = TrainingSettings(lora_r=4) if tiny else TrainingSettings()
    with tempfile.TemporaryDirectory() as folder:
        fresh = new_adapter(reasoner, recipe, 0).model
        fresh.save_pretrained(folder)
        fresh.unload()
        if reasoner.device.type == "cuda":
            dequantise(reasoner, free_bytes(reasoner.device))
        return attach(reasoner, folder)


def checked(reasoner: Reasoner, prompts: list[list[int]]) -> dict[str, Any]:
    """Whether it is right where it runs: logits against those of the model as it comes, replayed steps against eager ones."""
    with torch.inference_mode():
        with borrowed(reasoner.model):
            rows = Rows(reasoner, prompts, None, [0] * len(prompts), Decoding(0.0, 1.0, 1), 512, graphs=False)
            own = rows._logits().float()
        expected, other = (alone(reasoner, prompts, kernel) for kernel in ("sdpa", "eager"))
    decoding = Decoding(*SAMPLED, 40)
    ways = [
        [
            dict(ended)
            for ended in continue_many(reasoner, prompts, list(range(len(prompts))), decoding, 8, graphs)
        ]
        for graphs in (None, False)
    ]
    found = {
        "logits_largest_difference": round(float((own - expected).abs().max()), 6),
        "of_two_kernels_of_the_model_itself": round(float((other - expected).abs().max()), 6),
        "logits_standard_deviation": round(float(expected.std()), 3),
        "replayed_steps_equal_eager_ones": ways[0] == ways[1],
    }
    print(f"  check: {found}", flush=True)
    return found


def attention_kernels(rows: int, context: int) -> dict[str, float]:
    """GB/s of keys and values that ways to attend reach for one token a row at the heads of Qwen3-8B; needs a GPU."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention as attention

    query = torch.randn(rows, 8, 4, 128, device="cuda", dtype=torch.bfloat16)
    key, value = (torch.randn(rows, 8, context, 128, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    mask = torch.zeros(rows, 1, 1, context, device="cuda", dtype=torch.bfloat16)

    def repeated() -> torch.Tensor:
        many = [part.repeat_interleave(4, dim=1) for part in (key, value)]
        return attention(query.reshape(rows, 32, 1, 128), *many, attn_mask=mask)

    def products() -> torch.Tensor:
        scores = torch.matmul(query, key.transpose(2, 3)) * 128**-0.5 + mask
        return torch.matmul(scores.softmax(-1, dtype=torch.float32).to(value.dtype), value)

    sequences = torch.arange(rows * 8 + 1, device="cuda", dtype=torch.int32)
    lengths = torch.full((rows * 8,), context, device="cuda", dtype=torch.int32)

    def by_lengths() -> torch.Tensor:
        flat = query.view(-1, 4, 128), key.view(-1, 1, 128), value.view(-1, 1, 128)
        return row_cache._by_lengths(*flat, sequences, sequences * context, context, lengths, None)

    def packed(*backends: SDPBackend) -> Callable[[], torch.Tensor]:
        def run() -> torch.Tensor:
            with sdpa_kernel(list(backends)):
                return attention(query, key, value, attn_mask=mask)

        return run

    ways = {
        "heads repeated (transformers 5.17)": repeated,
        "heads packed, FlashAttention-2 told lengths (ours)": by_lengths,
        "heads packed, memory-efficient kernel, masked": packed(SDPBackend.EFFICIENT_ATTENTION),
        "heads packed, cuDNN, masked": packed(SDPBackend.CUDNN_ATTENTION),
        "heads packed, matrix products": products,
    }
    found: dict[str, float] = {}
    for name, way in ways.items():
        try:
            found[name] = round((key.nbytes + value.nbytes) / _seconds(way) / 1e9, 1)
        except RuntimeError as error:  # a kernel that this version or card does not offer
            print(f"  {name}: not available ({str(error).splitlines()[0][:80]})")
            continue
        print(f"  {name:50s} {found[name]:>8,.0f} GB/s of keys and values")
    return found


def _seconds(way: Callable[[], object], times: int = 20) -> float:
    for _ in range(3):
        way()
    started, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    started.record()
    for _ in range(times):
        way()
    ended.record()
    torch.cuda.synchronize()
    return float(started.elapsed_time(ended)) / 1e3 / times


def run(sizes: Sizes, reasoner: Reasoner, device: str, save: Callable[[dict[str, Any]], None]) -> None:
    """All arms, the published way first."""
    vocabulary = reasoner.model.config.vocab_size
    some, more = (random_prompts(n, sizes, vocabulary) for n in (sizes.rows, sizes.more_rows))
    greedy, sampled = Decoding(0.0, 1.0, sizes.new_tokens), Decoding(*SAMPLED, sizes.new_tokens)
    generate(reasoner, some[:1], 2)  # what happens once: libraries, first kernels
    ours(reasoner, some[:2], Decoding(0.0, 1.0, 4))
    best, most = (ceiling(reasoner, prompts, sizes.new_tokens) for prompts in (some, more))
    singly = [some[place :: sizes.one_cases][0] for place in range(sizes.one_cases)]
    arms: list[tuple[str, Callable[[], int], float | None]] = [
        (
            "published way: one case at a time, generate",
            lambda: sum(generate(reasoner, [prompt], sizes.one_tokens) for prompt in singly),
            None,
        ),
        (f"generate, {sizes.rows} at once", lambda: generate(reasoner, some, sizes.new_tokens), best),
        (f"ours, {sizes.rows} at once, greedy", lambda: ours(reasoner, some, greedy), best),
        (
            f"ours, {sizes.rows} at once, temperature 0.6, top_p 0.95",
            lambda: ours(reasoner, some, sampled),
            best,
        ),
        (f"ours, {sizes.more_rows} at once, greedy", lambda: ours(reasoner, more, greedy), most),
        (
            f"ours, {sizes.rows} at once, NF4, adapter apart, temperature 0.6, top_p 0.95",
            lambda: ours(reasoner, some, sampled),
            None,
        ),
    ]
    found: dict[str, Any] = {
        "ceiling_tokens_s": round(best),
        "ceiling_more_tokens_s": round(most),
        "arms": [],
    }
    found["check"] = checked(reasoner, some[:: max(1, sizes.rows // 8)][:8])
    if device == "cuda":
        found["attention_gb_s"] = attention_kernels(sizes.rows, 704)
        longest = max(map(len, some))
        found["batch_rows_auto"] = rows_that_fit(reasoner, longest, sizes.new_tokens)
    for name, way, limit in arms:
        if "NF4" in name:
            found["prompts_s"] = prompts_alone(reasoner, some, device)
            reasoner = in_4_bit(reasoner, device == "cpu")
            ours(reasoner, some[:2], Decoding(0.0, 1.0, 4))
        arm = measured(name, way, limit, device)
        found["arms"].append(arm)
        arm["ratio"] = round(arm["tokens_s"] / found["arms"][0]["tokens_s"], 1)
        save(found)


def prompts_alone(reasoner: Reasoner, prompts: list[list[int]], device: str) -> float:
    """Seconds that prompts and one token take."""
    one = Decoding(0.0, 1.0, 1)
    name = f"ours, {len(prompts)} prompts and one token"
    return float(measured(name, lambda: ours(reasoner, prompts, one), None, device)["seconds"])


def machine(device: str) -> dict[str, Any]:
    """Where it ran."""
    return {
        "device": torch.cuda.get_device_name()
        if device == "cuda"
        else platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "python": platform.python_version(),
    }


def main() -> None:
    """Make, measure, write, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on a CPU where there is no GPU")
    parser.add_argument("--rows", type=int, help="cases at once")
    parser.add_argument("--more-rows", type=int, help="cases at once of the larger batch")
    parser.add_argument("--new-tokens", type=int, help="new tokens a case")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not given.tiny:
        sys.exit("no GPU is visible; --tiny tries this script on a CPU")
    chosen = asdict(TINY if given.tiny else Sizes()) | {
        name: value
        for name in ("rows", "more_rows", "new_tokens")
        if (value := getattr(given, name)) is not None
    }
    sizes = Sizes(**chosen)
    reasoner = random_reasoner(given.tiny, device)
    told = {
        "machine": machine(device),
        "model": "tiny" if given.tiny else "Qwen3-8B, random weights, bfloat16",
    }
    told |= {"sizes": asdict(sizes), "bars": {"ratio": BAR_RATIO, "tokens_s": BAR_TOKENS_S}}

    def save(found: dict[str, Any]) -> None:
        given.out.write_text(json.dumps(told | found, indent=2) + "\n", encoding="utf-8")

    run(sizes, reasoner, device, save)
    table(json.loads(given.out.read_text(encoding="utf-8")))


def table(found: dict[str, Any]) -> None:
    """Every arm beside the published way, the ceiling and the bars."""
    print(f"\n{'':68s} {'tokens/s':>9s} {'ratio':>8s} {'of ceiling':>10s} {'peak GiB':>8s}")
    for arm in found["arms"]:
        share = "" if arm["fraction_of_ceiling"] is None else f"{arm['fraction_of_ceiling']:.1%}"
        peak = "" if arm["peak_gib"] is None else f"{arm['peak_gib']:.1f}"
        print(f"{arm['arm']:68s} {arm['tokens_s']:>9,.0f} {arm['ratio']:>8,.1f} {share:>10s} {peak:>8s}")
    print(
        f"bars, {found['sizes']['rows']} at once: {BAR_RATIO} x and {BAR_TOKENS_S:,} tokens/s; "
        f"ceiling {found['ceiling_tokens_s']:,} tokens/s"
    )


if __name__ == "__main__":
    main()
