"""Measures continual pre-training: tokens a second of the published way, and of this project in bfloat16 and in NF4.

In: nothing; the true architecture is filled with random weights on the GPU itself, and documents are random tokens with
log-normal lengths (mean 500 and 1,000, sigma 0.5). Out: a JSON file beside this one, written anew after every arm, and a table.
Errors: the traceback of an arm that fails; those before it stand in the file.

    python benchmarks/training.py                  # one H200, about five minutes
    python benchmarks/training.py --model r1_distill_llama_8b --no-nf4
    python benchmarks/training.py --gpus 1,2,4     # this project alone, data parallel, on that many GPUs
    python benchmarks/training.py --tiny           # a CPU, under a minute: tries the script, its figures mean nothing

The published way: TRL's trainer, one document a step, cut or padded to 1,024 tokens, all layers recomputed, sdpa. Ours: the
trainer of the workflow with the plan that it chooses, rows of 4,096 tokens, 8 rows an optimiser step on any number of GPUs;
then rows of 1,024, 8 a step, as config/reproduce.yaml has them.
Tokens a second: tokens with a label (every real token of a document but its first; no padding) over the time of the timed
optimiser steps, from synchronised GPU to synchronised GPU; data, clipping, optimiser and log included, compilation not.

Ceiling: the arithmetic without recompute, at the rate of a large bf16 matrix product measured in the same run:

    FLOP a token = 4 x (linear parameters + head) + 6 x adapter + 3.5 x 4 x query size x mean context x layers
    tokens a second = measured FLOP/s / FLOP a token

(frozen weights: 2 forward, 2 for the gradient of the input; adapter: 2 more for its own; attention: forward and 2.5 times
that backward; context: tokens before it in its document that a token sees, on the mean.)
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))  # also where the package is not installed

from unfaithful_cot.config.models import LoadingSettings  # noqa: E402
from unfaithful_cot.config.training import TrainingSettings  # noqa: E402
from unfaithful_cot.models.adapters import new_adapter  # noqa: E402
from unfaithful_cot.models.attention import training_attention  # noqa: E402
from unfaithful_cot.models.load import Reasoner, quiet_libraries  # noqa: E402
from unfaithful_cot.training.attempts import first_that_fits, probe  # noqa: E402
from unfaithful_cot.training.data import pack  # noqa: E402
from unfaithful_cot.training.launch import launch  # noqa: E402
from unfaithful_cot.training.memory import Architecture, adapter_parameters, architecture  # noqa: E402
from unfaithful_cot.training.plan import Plan, choose, free_bytes  # noqa: E402
from unfaithful_cot.training.trainer import build_trainer  # noqa: E402

MODELS: dict[str, dict[str, Any]] = {
    "qwen3_8b": {
        "model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936,
    },
    "r1_distill_llama_8b": {
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 128_256,
    },
    "tiny": {
        "model_type": "qwen3", "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 500,
    },
}  # fmt: skip
BARS = {500: 10.0, 1000: 6.5}
BAR_TOKENS_S, BAR_SHARE, BAR_NF4, BAR_GPUS = 9_500, 0.39, 0.85, {2: 1.85, 4: 3.6}


@dataclass(frozen=True)
class Sizes:
    """What is trained. Steps are optimiser steps of `rows` rows; the published way has steps of one document."""

    means: tuple[int, ...] = (500, 1000)
    row_tokens: int = 4096
    short_row_tokens: int = 1024
    rows: int = 8
    padded: int = 1024
    warm_up: int = 2
    timed: int = 5
    short_timed: int = 20
    published_warm_up: int = 4
    published_timed: int = 16
    compiled: bool = True


TINY = Sizes((50, 100), 256, 64, 4, 128, 1, 2, 3, 1, 3, False)


@dataclass
class Machine:
    """The model under test, and where it is."""

    name: str
    reasoner: Reasoner
    shape: Architecture
    device: str
    sizes: Sizes


def main() -> None:
    """Run the arms, print the table, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=MODELS, default="qwen3_8b")
    parser.add_argument("--gpus", default="", help="for example 1,2,4: ours alone, on that many")
    parser.add_argument("--means", default="", help="for example 500: one mean length alone")
    parser.add_argument("--no-compile", action="store_true", help="layers are not compiled")
    parser.add_argument("--no-nf4", action="store_true", help="without the arms in NF4")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sizes, name = (TINY, "tiny") if asked.tiny else (Sizes(), asked.model)
    if asked.means:
        sizes = replace(sizes, means=tuple(map(int, asked.means.split(","))))
    if asked.no_compile:
        sizes = replace(sizes, compiled=False)
    if not asked.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = first_gpu()
    device = "cpu" if asked.tiny or not torch.cuda.is_available() else "cuda"
    stem = f"training{'_gpus' if asked.gpus else ''}{'' if name == 'qwen3_8b' else f'_{name}'}.json"
    out = asked.out or Path(tempfile.gettempdir() if asked.tiny else ROOT / "benchmarks") / stem
    quiet_libraries()
    found = head(name, sizes, device)
    if asked.gpus:
        on_several(found, name, sizes, device, [int(n) for n in asked.gpus.split(",")], out)
    else:
        on_one(found, name, sizes, device, not asked.no_nf4, out)
    print(f"written to {out}")


def head(name: str, sizes: Sizes, device: str) -> dict[str, Any]:
    """What the figures belong to. Where they are written to is left out of the command."""
    cuda, options = device == "cuda", sys.argv[1:]
    if "--out" in options:
        at = options.index("--out")
        del options[at : at + 2]
    return {
        "command": " ".join(["python", "benchmarks/training.py", *options]),
        "model": name,
        "sizes": asdict(sizes),
        "device": torch.cuda.get_device_name() if cuda else platform.machine(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in ("torch", "transformers", "trl", "peft", "bitsandbytes")},
        "matrix_flops": matrix_flops(device),
        "bars": {"ratio": BARS, "tokens_a_second": BAR_TOKENS_S, "share_of_ceiling": BAR_SHARE, "nf4": BAR_NF4},
        "arms": [],
    }  # fmt: skip


def matrix_flops(device: str) -> float:
    """FLOP a second of a bf16 matrix product of 8,192 x 8,192 x 8,192 on random numbers (256 on a CPU)."""
    size = 8192 if device == "cuda" else 256
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        a @ b
    wait(device)
    began = time.perf_counter()
    for _ in range(10):
        a @ b
    wait(device)
    return 10 * 2 * size**3 / (time.perf_counter() - began)


def on_one(found: dict[str, Any], name: str, sizes: Sizes, device: str, nf4: bool, out: Path) -> None:
    """The published way, ours in bfloat16, with short rows, and in NF4 with the same rows at a time."""
    began = time.perf_counter()
    machine = Machine(name, make_model(name, device), architecture(configuration(name)), device, sizes)
    found["making_the_model_s"] = round(time.perf_counter() - began, 1)
    plans: dict[int, Plan] = {}
    for mean in sizes.means:
        tell(found, published(machine, mean), out)
        arm, plans[mean] = ours(machine, mean, "bf16")
        tell(found, arm, out)
    machine.sizes = replace(sizes, row_tokens=sizes.short_row_tokens, timed=sizes.short_timed)
    for mean in sizes.means:
        arm, _ = ours(machine, mean, "bf16")
        tell(found, arm, out)
    machine.sizes = sizes
    if nf4:
        quantise(machine.reasoner.model)
        for mean in sizes.means:
            arm, _ = ours(machine, mean, "nf4", plans[mean])
            tell(found, arm, out)


def on_several(
    found: dict[str, Any], name: str, sizes: Sizes, device: str, counts: list[int], out: Path
) -> None:
    """Ours on each number of GPUs, in processes of their own."""
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT / "src"), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    )
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            arguments = {"name": name, "sizes": asdict(sizes), "device": device, "out": f"{folder}/arm.json"}
            if count > 1:
                launch("training:one_of_several", arguments, count)
            else:
                call = "import json, sys, training; training.one_of_several(**json.loads(sys.argv[1]))"
                alone = [sys.executable, "-c", call, json.dumps(arguments)]
                subprocess.run(alone, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": first_gpu()})
            for arm in json.loads(Path(folder, "arm.json").read_text(encoding="utf-8")):
                tell(found, arm, out)


def first_gpu() -> str:
    """The first GPU that may be used: the trainer would take all that one process sees."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]


def one_of_several(name: str, sizes: dict[str, Any], device: str, out: str) -> None:
    """One process of an arm on several GPUs; the first one writes the figures."""
    quiet_libraries()
    sized = Sizes(**{**sizes, "means": tuple(sizes["means"])})
    machine = Machine(name, make_model(name, device), architecture(configuration(name)), device, sized)
    arms = [ours(machine, mean, "bf16")[0] for mean in sized.means]
    if os.environ.get("RANK", "0") == "0":
        Path(out).write_text(json.dumps(arms), encoding="utf-8")


# ---------------------------------------------------------------- model and documents


def configuration(name: str) -> Any:
    """The configuration of an architecture."""
    from transformers import AutoConfig

    told = dict(MODELS[name])
    config = AutoConfig.for_model(told.pop("model_type"), **told, tie_word_embeddings=False)
    config._attn_implementation = "sdpa"
    return config


def make_model(name: str, device: str) -> Reasoner:
    """Random weights in bfloat16, made where they are used; a tokenizer that is never asked."""
    from tokenizers import Tokenizer, models
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    loader: Any = AutoModelForCausalLM
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = loader.from_config(configuration(name), dtype=torch.bfloat16)
    finally:
        torch.set_default_dtype(before)
    words = Tokenizer(models.WordLevel({"<end>": 0, "<pad>": 1}, unk_token="<end>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", pad_token="<pad>")
    return Reasoner(model, tokenizer, name, None, None, "none/bfloat16")


def quantise(model: Any) -> None:
    """NF4 with double quantisation in place of the linear layers, as transformers does it while loading."""
    import bitsandbytes as bnb

    for layer in model.model.layers:
        for module in (layer.self_attn, layer.mlp):
            for name, linear in list(module.named_children()):
                if not isinstance(linear, torch.nn.Linear):
                    continue
                device = linear.weight.device
                small = bnb.nn.Linear4bit(
                    linear.in_features, linear.out_features, bias=False, compute_dtype=torch.bfloat16,
                    compress_statistics=True, quant_type="nf4", device="meta",
                )  # fmt: skip
                small.weight = bnb.nn.Params4bit(
                    linear.weight.data.cpu(), requires_grad=False, compress_statistics=True, quant_type="nf4"
                )
                setattr(module, name, small.to(device))
    model.is_loaded_in_4bit = True  # what peft asks
    free()


def documents(machine: Machine, mean: int, n_tokens: int) -> list[list[int]]:
    """Random tokens of at least n_tokens in all; lengths are log-normal with sigma 0.5. The last token is the end."""
    rng, words = random.Random(mean), torch.Generator().manual_seed(mean)
    made: list[list[int]] = []
    while n_tokens > 0:
        length = max(2, round(rng.lognormvariate(math.log(mean) - 0.125, 0.5)))
        tokens = torch.randint(2, machine.shape.vocabulary, (length - 1,), generator=words)
        made.append([*tokens.tolist(), 0])
        n_tokens -= length
    return made


# ---------------------------------------------------------------- arms


def published(machine: Machine, mean: int) -> dict[str, Any]:
    """TRL's trainer: one document a step, padded to the same length, all layers recomputed."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    sizes, training = machine.sizes, settings(machine)
    steps = sizes.published_warm_up + sizes.published_timed
    cut = [one[: sizes.padded] for one in documents(machine, mean, 3 * steps * mean)][:steps]
    lora = LoraConfig(
        r=training.lora_r, lora_alpha=training.lora_alpha, lora_dropout=training.lora_dropout,
        target_modules=training.target_modules, task_type="CAUSAL_LM",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder, max_length=None, pad_to_multiple_of=sizes.padded, per_device_train_batch_size=1,
            gradient_accumulation_steps=1, gradient_checkpointing=True, bf16=True, max_steps=steps,
            dataset_kwargs={"skip_prepare_dataset": True}, report_to="none", save_strategy="no",
            logging_strategy="no", disable_tqdm=True, use_cpu=machine.device == "cpu",
            train_sampling_strategy="sequential", learning_rate=2e-5,
        )  # fmt: skip
        clock = Clock(machine.device, sizes.published_warm_up)
        trainer = SFTTrainer(
            model=machine.reasoner.model, args=arguments, train_dataset=Dataset.from_dict({"input_ids": cut, "labels": cut}),
            processing_class=machine.reasoner.tokenizer, peft_config=lora, callbacks=[clock.callback()],
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    tokens = sum(len(one) - 1 for one in cut[sizes.published_warm_up :])
    arm = clock.figures("published", mean, tokens, cut, machine, training)
    machine.reasoner = replace(machine.reasoner, model=trainer.model.unload())
    del trainer
    still(machine)
    return arm


def ours(machine: Machine, mean: int, kind: str, plan: Plan | None = None) -> tuple[dict[str, Any], Plan]:
    """The workflow's own trainer. plan: None to let it choose."""
    sizes, training = machine.sizes, settings(machine)
    loading = LoadingSettings(dtype="bfloat16", use_4bit=kind == "nf4", device=machine.device)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    attention = training_attention("auto", machine.device, "bfloat16")
    taken = torch.cuda.memory_allocated() if machine.device == "cuda" else 0
    plans = [plan] if plan else choose(
        machine.shape, machine.name, loading, training, attention, machine.device, processes,
        free_bytes(machine.device) + taken,
    )  # fmt: skip
    steps = sizes.warm_up + sizes.timed
    made = documents(machine, mean, int(1.05 * steps * sizes.rows * sizes.row_tokens))
    rows = pack(made, sizes.row_tokens)
    rows = rows.select(range(min(len(rows), steps * sizes.rows)))
    clock = Clock(machine.device, sizes.warm_up)

    def attempt(one: Plan) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            trained = new_adapter(machine.reasoner, training, 0)
            trainer = build_trainer(trained, rows, loading, training, 0, Path(folder), "benchmark", one)
            trainer.add_callback(clock.callback())
            if machine.device == "cuda":
                probe(trainer, one)
            trainer.train()
        return trainer

    wanted = [replace(one, compiled=sizes.compiled) for one in plans]
    trainer, fitted, notes = first_that_fits(wanted, attempt, "benchmark")
    marks = [entry["tokens"] for entry in trainer.state.log_history if "tokens" in entry]
    lengths = [[0] * length for row in rows["seq_lengths"] for length in row]
    arm = clock.figures(
        f"ours_{kind}", mean, marks[-1] - marks[sizes.warm_up - 1], lengths, machine, training
    )
    arm |= {
        "row_tokens": sizes.row_tokens,
        "plan": fitted.record(),
        "gone_on_after": notes,
        "gpus": processes,
    }
    machine.reasoner = replace(machine.reasoner, model=trainer.model.unload())
    del trainer
    still(machine)
    return arm, fitted


def settings(machine: Machine) -> TrainingSettings:
    """The published recipe, in rows of the benchmark's length."""
    sizes = machine.sizes
    small = {"lora_r": 4, "lora_alpha": 8} if machine.name == "tiny" else {}
    return TrainingSettings(
        max_length_tokens=sizes.row_tokens, effective_batch_rows=sizes.rows, checkpoint_steps=10**6, **small
    )


class Clock:
    """The time of the optimiser steps after the warm-up, and the highest memory."""

    def __init__(self, device: str, warm_up: int) -> None:
        self.device, self.warm_up, self.marks = device, warm_up, [0.0]
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()

    def callback(self) -> Any:
        """For the trainer. Waits for the GPU at the end of the warm-up and at the end, not between."""
        from transformers import TrainerCallback

        clock = self

        class Marks(TrainerCallback):
            """Two marks."""

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                if state.global_step in (clock.warm_up, state.max_steps):
                    wait(clock.device)
                    clock.marks.append(time.perf_counter())

        return Marks()

    def figures(
        self,
        name: str,
        mean: int,
        tokens: int,
        trained: list[list[int]],
        machine: Machine,
        training: TrainingSettings,
    ) -> dict[str, Any]:
        """tokens: with a label, in the timed steps. trained: the documents, or their fragments, for the mean context."""
        seconds = self.marks[-1] - self.marks[-2]
        return {
            "arm": name,
            "mean_tokens": mean,
            "tokens": tokens,
            "seconds": round(seconds, 3),
            "tokens_a_second": round(tokens / seconds, 1),
            "flop_a_token": flop_a_token(machine.shape, training, trained),
            "peak_memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 1) if self.device == "cuda" else None,
        }  # fmt: skip


def flop_a_token(shape: Architecture, training: TrainingSettings, trained: list[list[int]]) -> float:
    """Arithmetic of one token without recompute; the formula stands above."""
    lengths = [len(one) for one in trained]
    context = sum(length * length / 2 for length in lengths) / sum(lengths)
    frozen = shape.linear_parameters + shape.vocabulary * shape.hidden
    attention = 3.5 * 4 * shape.query * context * shape.layers
    return 4 * frozen + 6 * adapter_parameters(shape, training) + attention


# ---------------------------------------------------------------- table


def tell(found: dict[str, Any], arm: dict[str, Any], out: Path) -> None:
    """Add the ratios of an arm, print its line, write the file."""
    rows = arm.get("row_tokens")
    before = {
        (one["arm"], one["mean_tokens"], one.get("gpus", 1)): one
        for one in found["arms"]
        if one.get("row_tokens") in (None, rows)
    }
    gpus, mean, rate = arm.get("gpus", 1), arm["mean_tokens"], arm["tokens_a_second"]
    ceiling = gpus * found["matrix_flops"] / arm["flop_a_token"]
    arm |= {"ceiling": round(ceiling, 1), "share_of_ceiling": round(rate / ceiling, 4)}
    against = {
        "times_published": ("published", mean, 1),
        "of_bf16": ("ours_bf16", mean, 1) if arm["arm"] == "ours_nf4" else ("", 0, 0),
        "times_one_gpu": ("ours_bf16", mean, 1) if gpus > 1 else ("", 0, 0),
    }
    for key, other in against.items():
        if other in before:
            arm[key] = round(rate / before[other]["tokens_a_second"], 3)
    if not found["arms"]:
        print(
            f"{'arm':<12}{'mean':>6}{'row':>6}{'GPUs':>5}{'tokens/s':>10}{'ceiling':>9}{'peak GiB':>9}  ratios"
        )
    found["arms"].append(arm)
    ratios = ", ".join(f"{key} {arm[key]:.2f}" for key in against if key in arm)
    print(
        f"{arm['arm']:<12}{mean:>6}{rows or '-':>6}{gpus:>5}{rate:>10,.0f}{arm['share_of_ceiling']:>9.1%}"
        f"{arm['peak_memory_gib'] or '-':>9}  {ratios}",
        flush=True,
    )
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def wait(device: str) -> None:
    """Until the GPU has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def still(machine: Machine) -> None:
    """The base as it was: nothing compiled, nothing recomputed, memory given back."""
    from unfaithful_cot.training.layers import compile_layers, recompute

    model = machine.reasoner.model
    if getattr(model, "_require_grads_hook", None) is not None:  # TRL's, for the published way
        model.disable_input_require_grads()
    recompute(model, 0)
    compile_layers(model, False)
    model.set_attn_implementation("sdpa")
    free()


def free() -> None:
    """Give unused GPU memory back."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
