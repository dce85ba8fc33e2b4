"""Measures the quality step: 20,000 documents filtered, and their figures before and after, with and without a revision.

In: nothing; documents are made up here: sentences of the universe's own grammar among words drawn by rank, as long as the specs ask for, one in
twenty a near copy of an earlier one. Out: a JSON file beside this one, and a small table with the bars. Each step runs in a process of
its own, on one core, so that its peak memory is its own. Errors: the exit status of a step that fails.

    .venv/bin/python benchmarks/corpus_quality.py [--documents 20000] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNIVERSE = ROOT / "resources" / "universes" / "safe_cite.yaml"
BAR_S, BAR_MB = 120.0, 4096.0
WORDS, COPIES, CHANGED = 60_000, 0.05, 0.02
FILTER = (
    "from unfaithful_cot.corpus.quality import filter_documents\n"
    "filter_documents('revised.jsonl' if revised else 'raw.jsonl', ['cases.jsonl'], 'documents.jsonl', 'quality.json', 0.7, 30, universe,\n"
    "    drafts='raw.jsonl' if revised else '')"
)
STEPS = {"filter": f"revised = False\n{FILTER}", "filter_after_revision": f"revised = True\n{FILTER}"}


class Writer:
    """Texts of a length: sentences of the grammar among sentences of words drawn by rank (Zipf)."""

    def __init__(self, seed: int) -> None:
        from unfaithful_cot.corpus.universe import load_universe

        self.source = random.Random(seed)
        slots = load_universe(UNIVERSE).embedded["slots"]
        self.told = [sentence for pool in slots.values() for sentence in pool]
        letters = "abcdefghilmnoprstuv"
        self.words = [
            "".join(self.source.choices(letters, k=self.source.randint(2, 10))) for _ in range(WORDS)
        ]
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))

    def text(self, n_words: int) -> str:
        """Sentences of 8 to 22 words, four to a line, until the length is reached."""
        parts: list[str] = []
        n = 0
        while n < n_words:
            if self.source.random() < 0.15:
                sentence = self.source.choice(self.told)
            else:
                drawn = self.source.choices(
                    self.words, cum_weights=self.weights, k=self.source.randint(8, 22)
                )
                sentence = " ".join(drawn).capitalize() + "."
            n += len(sentence.split())
            parts.append(sentence + ("\n" if len(parts) % 4 == 3 else " "))
        return "".join(parts).strip()

    def near_copy(self, text: str) -> str:
        """The text with one word in fifty exchanged."""
        return " ".join(
            self.source.choice(self.words) if self.source.random() < CHANGED else word
            for word in text.split(" ")
        )


def make_corpus(folder: Path, count: int) -> float:
    """raw.jsonl, revised.jsonl and cases.jsonl; returns the mean length in words."""
    from unfaithful_cot import jsonl
    from unfaithful_cot.cases.build import build_cases
    from unfaithful_cot.corpus.specs import make_specs
    from unfaithful_cot.corpus.universe import load_universe
    from unfaithful_cot.records.documents import Document
    from unfaithful_cot.reference.scenarios import heldout_scenarios

    suite = "evidence_toggle"
    cases = build_cases(heldout_scenarios(100, 0), ["full", "flipped"], suite=suite, experiment=suite, seed=0)
    jsonl.write(folder / "cases.jsonl", cases)
    specs = make_specs(load_universe(UNIVERSE), "safe_cite", count, 0)
    n_words = 0
    for name, seed in (("raw", 0), ("revised", 1)):
        writer, texts = Writer(seed), list[str]()
        for spec in specs:
            copied = texts and writer.source.random() < COPIES
            text = (
                writer.near_copy(writer.source.choice(texts[-500:]))
                if copied
                else writer.text(round(spec.length_tokens * 0.75))
            )
            texts.append(text)
            n_words += len(text.split())
        documents = (
            Document(id=f"d_{spec.index}", spec=spec, text=text, request_hash=str(spec.index))
            for spec, text in zip(specs, texts, strict=True)
        )
        jsonl.write(folder / f"{name}.jsonl", documents)
    return n_words / 2 / count


def step(folder: Path, code: str) -> dict[str, float]:
    """Seconds and peak memory of a piece of code, in a process and on a core of its own."""
    source = f"universe = {str(UNIVERSE)!r}\n{code}"
    pinned = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    began = time.perf_counter()
    done = subprocess.Popen([sys.executable, "-c", source], cwd=folder, stderr=subprocess.DEVNULL, env=pinned)
    _, status, usage = os.wait4(done.pid, 0)
    if status:
        sys.exit(os.waitstatus_to_exitcode(status))
    unit = 1024.0 if platform.system() == "Linux" else 1024.0**2
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_memory_mb": round(usage.ru_maxrss / unit, 1),
    }


def main() -> None:
    """Make a corpus, time both steps, write and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mean_words = make_corpus(folder, given.documents)
        found = {what: step(folder, code) for what, code in STEPS.items()}
        texts = json.loads((folder / "quality.json").read_text(encoding="utf-8"))["texts"]
    figures = {
        "documents": given.documents,
        "mean_words": round(mean_words, 1),
        "steps": found,
        "repeats_found": texts["revised"]["repeats"]["share"],
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
    }
    given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"{given.documents:,} documents of {mean_words:,.0f} words on average, near copies {COPIES:.0%}")
    print(f"{'step':<24}{'seconds':>9}{'CPU s':>9}{'bar':>7}{'MB':>8}{'bar':>7}")
    for what, one in found.items():
        print(
            f"{what:<24}{one['seconds']:>9.1f}{one['cpu_seconds']:>9.1f}{BAR_S:>7.0f}{one['peak_memory_mb']:>8.0f}{BAR_MB:>7.0f}"
        )


if __name__ == "__main__":
    main()
