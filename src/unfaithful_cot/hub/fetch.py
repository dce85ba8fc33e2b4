"""Rule fetch_model: one commit of a model on the Hub, in the cache, and the small file that names it.

In: source and revision of an entry of config/models.yaml. Out: results/models/{model}.json, a Snapshot. What loads the
model loads that commit (models/pins.py), so that a branch that moves changes no study until the rule is run again.
Errors: those of hub.download; ModelError for a repository that holds no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from functools import partial
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.errors import ModelError
from unfaithful_cot.hub.download import take

SMALL = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken", "LICENSE*", "LICENCE*", "README.md")
SAFE, PICKLED = "*.safetensors", "pytorch_model*.bin"


def fetch_model(pin: str, base: Mapping[str, Any], with_weights: bool = True) -> None:
    """Fetch a model and write its Snapshot to `pin`. base: source and revision.

    with_weights: False where an endpoint answers and the tokenizer alone is needed.
    """
    repo = str(base["source"])
    choose = partial(model_files, repo=repo, with_weights=with_weights)
    record, _ = take(repo, base.get("revision"), "model", choose)
    jsonl.write_json(pin, record.model_dump())


def model_files(paths: list[str], repo: str, with_weights: bool) -> list[str]:
    """Those of a repository's files that a model is loaded from: settings, tokenizer, and one form of the weights.

    Files in folders (other formats, originals) are left out, and pickled weights where there are safe ones.
    """
    top = [path for path in paths if "/" not in path]
    weights = matching(top, SAFE) or matching(top, PICKLED)
    if "config.json" not in top or (with_weights and not weights):
        raise ModelError(
            repo,
            f"the repository holds no {'weights' if 'config.json' in top else 'config.json'}",
            "A model for transformers: config.json, *.safetensors, a tokenizer",
            "Correct `source` in config/models.yaml",
        )
    return [*matching(top, *SMALL), *(weights if with_weights else [])]


def matching(paths: list[str], *patterns: str) -> list[str]:
    """The paths that match one of the patterns."""
    return [path for path in paths if any(fnmatch(path, pattern) for pattern in patterns)]
