"""The two committed studies, the models, and what is said about them. Messages: tests/workflow/test_messages.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from unfaithful_cot.config.documentation import pages
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.registry import GRADERS

ROOT = Path(__file__).resolve().parents[3]
MODELS = load_models(ROOT / "config" / "models.yaml")


def settings_of(name: str) -> Settings:
    config = yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))
    return load_settings(
        config,
        MODELS,
        [path.stem for path in (ROOT / "resources/universes").glob("*.yaml")],
        list(GRADERS),
        name,
        [path.stem for path in (ROOT / "resources/prompts").glob("*.yaml")],
    )


def test_the_published_study_trains_as_published() -> None:
    settings = settings_of("reproduce.yaml")
    training = settings.training
    assert (training.lora_r, training.lora_alpha, training.lora_dropout) == (64, 128, 0.05)
    assert (training.learning_rate, training.epochs, training.max_length_tokens) == (2e-5, 1, 1024)
    assert training.effective_batch_rows == 8 and settings.loading.use_4bit
    assert training.target_modules == [f"{name}_proj" for name in ("q", "k", "v", "o", "up", "down", "gate")]
    assert settings.grid.corpora == {"safe_cite": [20_000]}
    assert [MODELS[name].source for name in settings.grid.models] == [
        "Qwen/Qwen3-8B",
        "deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
    ]


def test_the_default_study_needs_no_key_no_gpu_and_enough_cases() -> None:
    settings = settings_of("config.yaml")
    assert settings.documents.generator == "embedded" and settings.inference.engine == "transformers"
    assert {suite.generator for suite in settings.suites.values()} == {"embedded"}
    assert max(max(sizes) for sizes in settings.grid.corpora.values()) <= 4000
    assert all(MODELS[name].gpus == 0 for name in settings.grid.models)
    # 100 scenarios, each in variant a and b: 200 cases an arm
    assert settings.suites["evidence_toggle"].scenarios >= 100


@pytest.mark.parametrize(("path", "text"), pages().items())
def test_what_is_generated_is_in_step(path: str, text: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is out of step: run `make docs`"


def test_no_schema_is_left_over() -> None:
    files = {f"workflow/schemas/{path.name}" for path in (ROOT / "workflow" / "schemas").iterdir()}
    assert files == {path for path in pages() if path.startswith("workflow/schemas/")}


@pytest.mark.parametrize(
    "kind",
    [
        Settings,
        *[type(value) for value in settings_of("config.yaml").__dict__.values()],
        EndpointSettings,
        ModelSettings,
    ],
)
def test_every_leaf_says_what_it_is(kind: type) -> None:
    for name, field in getattr(kind, "model_fields", {}).items():
        nested = getattr(field.annotation, "model_fields", None)
        assert field.description or nested, f"{kind.__name__}.{name} has no description"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {source: x}", "models.yaml: a: label: this key is missing"),
        ("a: {source: x, label: a, parameters: 0, gpus: 0, memory_mb: 1}", "a: parameters: 0 is not valid"),
        ("a: {sauce: x, label: a, parameters: 1, gpus: 0, memory_mb: 1}", "Did you mean 'source'?"),
        ("a: [", "cannot be read"),
        ("- a", "A mapping of names to entries"),
        ("", "A mapping of names to entries"),
    ],
)
def test_a_wrong_model_entry_is_one_message(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_models(tmp_path / "models.yaml")
    assert message in str(error.value)


def test_a_models_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_models(tmp_path / "models.yaml")


def test_settings_cannot_be_changed_on_the_way() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainingSettings().lora_r = 3  # type: ignore[misc]
