"""Base weights and tokenizer, loaded in one way for training, baseline and trained evaluation.

In: a source (a folder, or a repository on the Hub with a revision) and LoadingSettings. Out: a Reasoner.
Errors: ModelError for a folder that lacks a part, an unknown repository or revision, an attention kernel or a
device that this machine does not have.
4 bit is NF4 with double quantisation (Dettmers et al., QLoRA, arXiv 2305.14314, section 3) by bitsandbytes, which has
a CPU kernel as well.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.errors import ModelError, first_line
from unfaithful_cot.models.attention import answering_attention
from unfaithful_cot.models.pins import Place, on_hub, place_of
from unfaithful_cot.models.templates import has_template, set_template
from unfaithful_cot.provenance import file_hash, value_hash

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
POINTER = b"version https://git-lfs.github.com/spec/v1"
READ = {".safetensors", ".bin", ".json", ".model", ".jinja", ".txt"}
TOKENIZER = ("tokenizer.json", "tokenizer.model", "vocab.json")


@dataclass(frozen=True)
class Reasoner:
    """A model and its tokenizer, ready to train or to answer.

    commit: commit on the Hub, or for a folder `sha256:` and a hash over its weight files.
    quantisation: what is in memory, for example `nf4-double/bfloat16` or `none/float32`.
    """

    model: Any
    tokenizer: Any
    source: str
    revision: str | None
    commit: str | None
    quantisation: str

    @property
    def device(self) -> Any:
        """The device of the input embeddings."""
        return self.model.get_input_embeddings().weight.device

    @property
    def stop_ids(self) -> list[int]:
        """Tokens that end a response: that of the tokenizer and those of the generation settings."""
        configured = self.model.generation_config.eos_token_id
        listed = configured if isinstance(configured, list) else [configured]
        return sorted({token for token in [self.tokenizer.eos_token_id, *listed] if token is not None})


def load_reasoner(base: Mapping[str, Any], loading: LoadingSettings, chat: bool = True) -> Reasoner:
    """Load what `base` names (keys source, revision and pin). chat: a chat template is needed.

    Raises: ModelError. A folder is checked before anything large is read.
    """
    place = place_of(base)
    folder = folder_of(place.source)
    if folder is not None:
        check_folder(folder)
    device = pick_device(loading.device)
    tokenizer = load_tokenizer(place.source, place.at, chat, place.local)
    set_template(tokenizer, base)
    model = _load_model(place, loading, device)
    model.eval()
    commit = weights_hash(folder) if folder else place.commit or getattr(model.config, "_commit_hash", None)
    return Reasoner(model, tokenizer, place.source, place.revision, commit, quantisation(loading))


def dequantise(reasoner: Reasoner, free_bytes: float) -> Reasoner:
    """Replace 4-bit weights by the same numbers in the model's own type, where these take at most half of `free_bytes`.

    Each product with a 4-bit weight dequantises it anyway, at every token. For answering alone: merging an adapter into
    dequantised weights would not give what it was trained beside. The model itself is changed.
    """
    quantised = [weight for weight in reasoner.model.parameters() if hasattr(weight, "quant_state")]
    float_bytes = (
        sum(weight.quant_state.shape.numel() for weight in quantised) * reasoner.model.dtype.itemsize
    )
    if not quantised or float_bytes > free_bytes / 2:
        return reasoner
    reasoner.model.dequantize()
    reasoner.model.is_loaded_in_4bit = False  # what peft reads
    return reasoner


def quiet_libraries() -> None:
    """No bars and notes of the libraries between the project's own: what matters of them is checked and raised here."""
    import transformers

    notes: Any = transformers.logging
    notes.set_verbosity_error()
    notes.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def load_tokenizer(source: str, revision: str | None = None, chat: bool = True, local: bool = False) -> Any:
    """The tokenizer, padded at the left, with an end token and, where `chat`, a chat template.

    local: the network is not used.
    """
    from transformers import AutoTokenizer

    quiet_libraries()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, local_files_only=local)
    except (OSError, ValueError) as error:
        raise _unreachable(source, revision, error) from None
    if tokenizer.eos_token_id is None:
        raise ModelError(
            source, "the tokenizer names no end token", todo="Set eos_token in tokenizer_config.json"
        )
    if chat and not has_template(tokenizer):
        raise ModelError(
            source,
            "the tokenizer has no chat template",
            "A reasoner brings the template that it was trained with",
            "Put chat_template.jinja into the folder, or choose the instruct version of the model",
        )
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def pick_device(wanted: str) -> str:
    """`auto` is cuda where there is one, else cpu."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("loading.device", f"'{wanted}', but no GPU is visible", "auto, cpu or cuda")
    return wanted


def quantisation(loading: LoadingSettings) -> str:
    """What `loading` puts into memory, as it stands in Setup and manifest."""
    return f"{'nf4-double' if loading.use_4bit else 'none'}/{loading.dtype}"


def weights_hash(folder: Path) -> str:
    """`sha256:` and one hash over the weight files of a folder, by name."""
    files = sorted(path for pattern in WEIGHTS for path in folder.glob(pattern))
    return "sha256:" + value_hash([[path.name, file_hash(path)] for path in files])


def _load_model(place: Place, loading: LoadingSettings, device: str) -> Any:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    loader: Any = AutoModelForCausalLM
    dtype = getattr(torch, loading.dtype)
    nf4 = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    try:
        model, found = loader.from_pretrained(
            place.source,
            revision=place.at,
            local_files_only=place.local,
            dtype=dtype,
            attn_implementation=answering_attention(loading.attention),
            device_map={"": device},
            quantization_config=nf4 if loading.use_4bit else None,
            output_loading_info=True,
        )
    except (ImportError, ValueError) as error:
        if "attn" in str(error).lower() or "attention" in str(error).lower():
            raise ModelError(
                "loading.attention",
                f"'{loading.attention}' cannot be used here ({first_line(error)[:200]})",
                "sdpa works everywhere",
            ) from None
        raise _unreachable(place.source, place.at, error) from None
    except (OSError, SafetensorError) as error:
        raise _unreachable(place.source, place.at, error) from None
    _check_complete(place.source, sorted(found["missing_keys"]))
    return model


def _check_complete(source: str, missing: list[str]) -> None:
    """transformers fills missing weights with random numbers; here they are an error."""
    if missing:
        raise ModelError(
            source,
            f"{len(missing)} weights are missing, the first is {missing[0]}",
            "All weights of the architecture in config.json",
            "Complete the weight files, or correct config.json",
        )


def folder_of(source: str) -> Path | None:
    """The folder that `source` means, None for a repository on the Hub."""
    path = Path(source)
    if path.is_dir():
        return path
    if not on_hub(source):
        raise ModelError(source, "this folder does not exist", todo="Correct `source` in config/models.yaml")
    return None


def check_folder(folder: Path) -> None:
    """Name the first missing part of a model folder."""
    parts = (
        ("config.json", ("config.json",)),
        ("weights", WEIGHTS),
        ("a tokenizer", TOKENIZER),
    )
    for part, patterns in parts:
        if not any(path for pattern in patterns for path in folder.glob(pattern)):
            raise ModelError(
                folder,
                f"the folder holds no {part.removeprefix('a ')}",
                f"{part}: one of {', '.join(patterns)}" if part != "config.json" else "",
                "Complete the folder, or name another in config/models.yaml",
            )
    _check_bytes(folder)


def _check_bytes(folder: Path) -> None:
    """Each file is itself and no Git LFS pointer; the weight files that an index names are there."""
    for path in sorted(folder.glob("*")):
        if path.suffix in READ and path.is_file() and _begins(path) == POINTER:
            raise ModelError(
                path,
                "is a Git LFS pointer, not the file itself",
                "The file that the pointer stands for",
                f"Fetch it (git lfs pull in {folder}), or download the model again",
            )
    for index in sorted(folder.glob("*.index.json")):
        try:
            named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ModelError(
                index, "is no index of weight files", "JSON with weight_map", "Download the model again"
            ) from None
        absent = sorted(name for name in named if not (folder / str(name)).is_file())
        if absent:
            raise ModelError(
                folder,
                f"{len(absent)} of {len(named)} weight files are missing, the first is {absent[0]}",
                f"All files that {index.name} names",
                "Download those that are missing, or the model again",
            )


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(POINTER))


def _unreachable(source: str, revision: str | None, error: Exception) -> ModelError:
    at = f" at revision '{revision}'" if revision else ""
    words = f"cannot be loaded{at} ({first_line(error)[:200]})"
    if Path(source).is_dir():
        unknown = "does not recognize this architecture" in str(error) or "model type" in str(error)
        advice = (
            "Choose a model that this version of transformers knows, or update it"
            if unknown
            else "Download the model again, or name another folder in config/models.yaml"
        )
        return ModelError(source, words, "A whole folder of a model that transformers knows", advice)
    return ModelError(
        source,
        words,
        "A folder, or the name of a repository on huggingface.co (OWNER/NAME)",
        "Check the spelling, the network, and for gated models that HF_TOKEN is set",
    )
