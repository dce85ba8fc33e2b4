"""Bad input on the console: one message each, no traceback, before any work where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from workflow.study import ROOT, Study, copy_repository

SMOKE = (ROOT / "tests" / "fixtures" / "smoke.yaml").read_text(encoding="utf-8")
API = "generator: openai, endpoint: {model: m, base_url: 'http://127.0.0.1:9/v1', api_key_env: NO_SUCH_KEY, max_attempts: 1}"

# the smoke study with one thing changed, and what the one message has to say
WRONG: dict[str, tuple[str, str, str]] = {
    "unknown key": ("seeds: [0]", "seed: [0]", "config/trial.yaml: grid: unknown key 'seed'"),
    "which keys are known": ("seeds: [0]", "seed: [0]", "Did you mean 'seeds'?"),
    "unknown section": ("study: smoke", "studdy: smoke", "unknown key 'studdy'. Known: "),
    "missing key": ("documents: {count: 60, ", "documents: {", "documents.count: this key is missing"),
    "unknown model": (
        "models: [reference]",
        "models: [referense]",
        "config/trial.yaml: grid.models: 'referense' is not in config/models.yaml. Known: ",
    ),
    "unknown corpus": ("neutral: [40]", "neutrall: [40]", "Did you mean 'neutral'?"),
    "unknown arm": ("arms: [full, flipped]", "arms: [ful]", "suites.evidence_toggle.arms: 'ful' is not in"),
    "unknown grader": ("study: smoke", "study: smoke\ngrading: {graders: [rule]}", "Did you mean 'rules'?"),
    "unknown prompt": (
        "{scenarios: 2,",
        "{scenarios: 2, prompt: evidence_toggle.v0,",
        "suites.evidence_toggle.prompt: 'evidence_toggle.v0' is not in resources/prompts/",
    ),
    "unknown main corpus": (
        "study: smoke",
        "study: smoke\nreport: {main_corpus: x}",
        "report.main_corpus: 'x' is not",
    ),
    "a size above the corpus": (
        "[20, 40]",
        "[20, 400]",
        "400 documents are more than documents.count writes (60)",
    ),
    "a size twice": ("[20, 40]", "[40, 40]", "[40, 40] names something twice"),
    "a seed twice": ("seeds: [0]", "seeds: [0, 0]", "grid.seeds: [0, 0] names something twice"),
    "not a number": ("lora_r: 4", "lora_r: four", "training.lora_r: 'four' is not valid"),
    "batches that do not divide": ("micro_batch_rows: 8", "micro_batch_rows: 3", "is not a multiple of"),
    "a study that leaves its folder": ("study: smoke", "study: ../x", "study: '../x' is not valid"),
    "an API without a model": ("{count: 60,", "{count: 60, generator: openai,", "no model is named"),
    "Azure without an address": (
        "{count: 60,",
        "{count: 60, generator: openai, endpoint: {kind: azure, model: m},",
        "azure needs base_url and api_version",
    ),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the repository for all messages of the configuration."""
    folder = tmp_path_factory.mktemp("messages")
    copy_repository(folder)
    return folder


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_configuration_ends_in_one_message(bench: Path, wrong: str) -> None:
    old, new, message = WRONG[wrong]
    assert SMOKE.count(old) == 1
    (bench / "config" / "trial.yaml").write_text(SMOKE.replace(old, new), encoding="utf-8")
    done = Study(bench, "config/trial.yaml").snakemake("-n")
    assert done.returncode == 1
    told = [
        line for line in done.stderr.splitlines() if line and not line.startswith("Using workflow specific")
    ]
    assert len(told) == 1 and message in told[0], done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def stopped(study: Study, target: str, **environment: str) -> str:
    """What the console shows when a target fails."""
    done = study.snakemake("--cores", "2", target, **environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done.stderr


def test_a_universe_whose_weights_do_not_sum_to_one(fresh: Callable[..., Study]) -> None:
    study = fresh(SMOKE)
    path = study.folder / "resources/universes/neutral.yaml"
    world = yaml.safe_load(path.read_text(encoding="utf-8"))
    next(iter(world["categories"].values()))["weight"] = 0.9
    path.write_text(yaml.safe_dump(world), encoding="utf-8")
    told = stopped(study, "documents")
    assert "resources/universes/neutral.yaml" in told and "1.6" in told  # 0.9 instead of 0.3


def test_a_missing_key_stops_before_anything_is_asked(fresh: Callable[..., Study]) -> None:
    told = stopped(fresh(SMOKE.replace("{count: 60,", f"{{count: 60, {API},")), "documents")
    assert "NO_SUCH_KEY" in told


def test_an_endpoint_that_nobody_serves(fresh: Callable[..., Study]) -> None:
    """Port 9 of this machine: nothing listens there."""
    study = fresh(SMOKE.replace("{count: 60,", f"{{count: 60, {API},"))
    told = stopped(study, "documents", NO_SUCH_KEY="a-key-of-the-test")
    assert "http://127.0.0.1:9/v1" in told and "a-key-of-the-test" not in told


def test_a_model_folder_without_weights(fresh: Callable[..., Study]) -> None:
    study = fresh(SMOKE)
    (study.folder / "resources/reference_reasoner/model.safetensors").unlink()
    told = stopped(study, "baseline")
    assert "resources/reference_reasoner" in told and "safetensors" in told


def test_a_cut_line_names_its_file_and_number(study: Study) -> None:
    path = "results/smoke/responses/reference/baseline/evidence_toggle.jsonl"
    text = (study.folder / path).read_text(encoding="utf-8")
    (study.folder / path).write_text(text[:-40], encoding="utf-8")
    assert f"{path}:{text.count(chr(10))}: " in stopped(study, "grade")


def test_an_empty_line_names_its_file_and_number(study: Study) -> None:
    path = "results/smoke/cases/evidence_toggle.jsonl"
    lines = (study.folder / path).read_text(encoding="utf-8").splitlines(keepends=True)
    (study.folder / path).write_text("".join([lines[0], "\n", *lines[1:]]), encoding="utf-8")
    assert f"{path}:2: the line is empty" in stopped(study, "evaluate")


def test_two_cases_with_one_id(study: Study) -> None:
    path = "results/smoke/cases/evidence_toggle.jsonl"
    lines = (study.folder / path).read_text(encoding="utf-8").splitlines(keepends=True)
    (study.folder / path).write_text("".join([*lines, lines[0]]), encoding="utf-8")
    assert path in stopped(study, "evaluate")
