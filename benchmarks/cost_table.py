"""Two tables made from the benchmark files: what a study costs (README.md), and all that was measured (benchmarks/README.md).

In: benchmarks/*.json, config/reproduce.yaml, config/models.yaml, resources/cards.yaml. Out: Markdown, printed; with --write
each table takes the place of what stands between the two marks on its page. A figure without a file is shown as not measured.
Errors: exit status 1 where a page has no marks.

    .venv/bin/python benchmarks/cost_table.py [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from unfaithful_cot.config.load import load_models
from unfaithful_cot.config.study import Settings
from unfaithful_cot.plan.stages import Stage, stages

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- made by `python benchmarks/cost_table.py --write` from benchmarks/*.json -->"
END = "<!-- end of what benchmarks/cost_table.py made -->"
CARD = "NVIDIA H200"
COSTS, MEASURED = "README.md", "benchmarks/README.md"
Read = Callable[[dict[str, Any]], list[str]]


def default_study(measured: dict[str, Any]) -> list[str]:
    """Time and memory of the default study."""
    whole = measured.get("make_run_s")
    first = f"{_minutes(whole)} with installation, " if whole else ""
    machine = f"{measured['machine']['cores']} cores, no GPU"
    return [
        f"{first}{_minutes(measured['dag_s'])} the run alone, {measured['peak_memory_mb'] / 1000:.1f} GB of memory ({machine})"
    ]


def training(measured: dict[str, Any]) -> list[str]:
    """Tokens a second of this project's arms, against the published way, against the ceiling."""
    lines = []
    for arm in measured["arms"]:
        if arm["arm"].startswith("ours"):
            gpus = f", {arm['gpus']} GPUs" if arm.get("gpus", 1) > 1 else ""
            rows = f" in rows of {arm['row_tokens']:,}" if "row_tokens" in arm else ""
            ratio = f", {arm['times_published']:.1f} x the published way" if "times_published" in arm else ""
            ratio += f", {arm['times_one_gpu']:.2f} x one GPU" if "times_one_gpu" in arm else ""
            peak = f", {arm['peak_memory_gib']:.0f} GiB" if arm.get("peak_memory_gib") else ""
            lines.append(
                f"{arm['arm'].removeprefix('ours_')}, documents of {arm['mean_tokens']:,} tokens{rows}{gpus}: "
                f"{arm['tokens_a_second']:,.0f} tokens/s{ratio}, {arm['share_of_ceiling']:.0%} of the ceiling{peak} ({measured['device']})"
            )
    return lines


def generation(measured: dict[str, Any]) -> list[str]:
    """Tokens a second of answering."""
    return [
        f"{arm['arm'].removeprefix('ours, ')}: {arm['tokens_s']:,.0f} tokens/s, {arm['ratio']:,.0f} x one case at a time"
        + (f", {arm['fraction_of_ceiling']:.0%} of the ceiling" if arm["fraction_of_ceiling"] else "")
        + f" ({measured['machine']['device']})"
        for arm in measured["arms"]
        if arm["arm"].startswith("ours")
    ]


def documents(measured: dict[str, Any]) -> list[str]:
    """The client of document APIs against a local server."""
    arms = measured["arms"]
    return [
        f"{measured['ratio']:g} x the published way's documents a second, {arms['window']['lost']} lost; "
        f"{arms['killed']['repeated']} requests repeated after a kill at half-way"
    ]


def grading(measured: dict[str, Any]) -> list[str]:
    """Responses graded a second on one core."""
    arms = measured["arms"]
    return [
        f"{name}: {arms[name]['responses_per_cpu_s']:,} responses/s on one core"
        for name in arms
        if name != "published_way"
    ]


def metrics(measured: dict[str, Any]) -> list[str]:
    """From grades to tables."""
    return [
        f"{measured['total_s']:.0f} s for {measured['responses']:,} responses and {measured['draws']:,} bootstrap draws"
    ]


def dag(measured: dict[str, Any]) -> list[str]:
    """The plan of a large grid."""
    arm = measured["arms"]["from nothing"]
    return [
        f"{measured['cells']} cells: dry-run in {arm['seconds']:.1f} s on {measured['cores']} cores ({arm['cpu_seconds']:.1f} s of CPU), "
        f"{arm['jobs_a_cell']:g} jobs a cell"
    ]


FILES: tuple[tuple[str, str, Read], ...] = (
    ("the default study", "default_study", default_study),
    ("training, Qwen3-8B", "training", training),
    ("training, R1-Distill-Llama-8B", "training_r1_distill_llama_8b", training),
    ("training on several GPUs", "training_gpus", training),
    ("answering, Qwen3-8B", "generation", generation),
    ("documents of an API", "documents", documents),
    ("grading", "grading", grading),
    ("metrics and comparisons", "metrics", metrics),
    ("plan of a large grid", "dag", dag),
)


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


def measurements(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(what, figure, file) of each benchmark."""
    for what, name, read in FILES:
        path = folder / f"{name}.json"
        script = f"benchmarks/{'training' if name.startswith('training') else name}.py"
        if not path.is_file():
            yield what, "not measured yet", f"`{script}`"
            continue
        for line in read(json.loads(path.read_text(encoding="utf-8"))) or ["not measured yet"]:
            yield what, line, f"`benchmarks/{name}.json`"


def _default_row(root: Path) -> str:
    """What the default study takes, in the form of the table of costs."""
    path = root / "benchmarks" / "default_study.json"
    figure = (
        default_study(json.loads(path.read_text(encoding="utf-8")))[0]
        if path.is_file()
        else "not measured yet"
    )
    return f"| `make run` | all three experiments of `config/config.yaml` | {figure} | $0 |"


def costs(root: Path = ROOT) -> str:
    """The default study and the stages of config/reproduce.yaml: hours and dollars, at the speeds and prices that preflight uses."""
    study = Settings.model_validate(
        yaml.safe_load((root / "config" / "reproduce.yaml").read_text(encoding="utf-8"))
    )
    models = load_models(root / "config" / "models.yaml")
    found = stages(study, models, root / "resources" / "universes", root / "no cache", CARD)
    by_name: dict[str, list[Stage]] = defaultdict(list)
    for stage in found:
        by_name[stage.name].append(stage)
    rows = [_default_row(root)]
    for name, parts in by_name.items():
        hours = f"{sum(one.hours or 0 for one in parts):.1f} {'GPU hours' if parts[0].gpu else 'hours'}"
        usd, most = sum(one.usd for one in parts), sum(one.max_usd for one in parts)
        amount = "; ".join(f"{one.part}: {one.amount}" for one in parts)
        rows.append(f"| `reproduce`: {name} | {amount} | {hours} | ${usd:,.2f}, at most ${most:,.2f} |")
    usd, most = sum(one.usd for one in found), sum(one.max_usd for one in found)
    rows.append(f"| `reproduce`: all | | | ${usd:,.2f}, at most ${most:,.2f} |")
    prices = study.prices
    bases = dict.fromkeys(one.basis for one in found if one.gpu)
    lines = [
        "| what | how much | time | price |", "| --- | --- | --- | --- |", *rows, "",
        f"One {prices.gpu} at ${prices.gpu_usd_per_hour:.2f} an hour ({prices.source}, read {prices.read_on}). "
        + "; ".join(bases) + ".",
    ]  # fmt: skip
    return "\n".join([BEGIN, "", *lines, "", END])


def figures(folder: Path = ROOT / "benchmarks") -> str:
    """Every measured figure, as it stands between the marks of benchmarks/README.md."""
    rows = [f"| {what} | {figure} | {file} |" for what, figure, file in measurements(folder)]
    return "\n".join(
        [BEGIN, "", "| what was measured | figure | by |", "| --- | --- | --- |", *rows, "", END]
    )


def between_marks(page: str) -> str | None:
    """What stands in a page from mark to mark, None without marks."""
    begin, end = page.find(BEGIN), page.find(END)
    return page[begin : end + len(END)] if 0 <= begin < end else None


def write(page: Path, table: str) -> None:
    """Put a table between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    old = between_marks(text)
    if old is None:
        sys.exit(
            f"{page.relative_to(ROOT)}: the two marks are missing. Put these lines where the table is to stand:\n{BEGIN}\n{END}"
        )
    page.write_text(text.replace(old, table), encoding="utf-8")


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put the tables into the two pages")
    options = parser.parse_args()
    for page, table in ((COSTS, costs()), (MEASURED, figures())):
        print(table)
        if options.write:
            write(ROOT / page, table)


if __name__ == "__main__":
    main()
