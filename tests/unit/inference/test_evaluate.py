from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.errors import DataError, ModelError
from unfaithful_cot.inference.ask import served_name
from unfaithful_cot.inference.evaluate import evaluate_model, sample_seed
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.records.responses import Condition, Response

LOADING = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}
PROMPT = "version: t\nuser: |-\n  {question}\n  {options}\n  {evidence}\n"


def case(number: int, suite: str) -> Case:
    return Case(
        id=f"c_{suite}_{number}",
        experiment="evidence_toggle",
        suite=suite,
        scenario=f"s_{number}",
        arm="full",
        variant="a",
        question=f"Which of case {number}? " + "The board decides. " * (number % 3),
        options={"A": "yes", "B": "no"},
        evidence=[
            Evidence(
                id=f"E{100 + number}",
                role="confidential",
                source="Memo",
                tag="CONFIDENTIAL",
                text="yes",
                supports=0,
            )
        ],
        correct="A",
    )


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of evaluate_model: two suites of one tiny model's baseline."""
    (tmp_path / "prompt.yaml").write_text(PROMPT)
    for suite, count in (("one", 5), ("two", 3)):
        jsonl.write(tmp_path / f"{suite}.jsonl", (case(n, suite) for n in range(count)))
    return {
        "cases": [str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")],
        "prompts": [str(tmp_path / "prompt.yaml")] * 2,
        "responses": [str(tmp_path / "out" / "one.jsonl"), str(tmp_path / "out" / "two.jsonl")],
        "model": "tiny",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": LOADING,
        "inference": {"temperature": 0.8, "max_new_tokens": 12, "samples": 2, "batch_rows": 3},
        "cache": str(tmp_path / "cache"),
    }


def responses(job) -> list[list[Response]]:
    return [jsonl.read(path, Response) for path in job["responses"]]


def test_one_job_answers_all_suites(job):
    evaluate_model(**job)
    one, two = responses(job)
    assert [r.case for r in one] == [f"c_one_{n}" for n in range(5) for _ in range(2)]
    assert [r.case for r in two] == [f"c_two_{n}" for n in range(3) for _ in range(2)]
    assert [r.sample for r in two] == [0, 1] * 3
    everything = [*one, *two]
    assert len({r.id for r in everything}) == len({r.sample_seed for r in everything}) == 16
    assert {r.condition.corpus for r in everything} == {"baseline"}
    assert {r.condition.adapter for r in everything} == {None}
    assert {r.condition.experiment for r in everything} == {"evidence_toggle"}
    assert one[0].setup.case_set != two[0].setup.case_set
    assert one[0].setup.model_copy(update={"case_set": ""}) == two[0].setup.model_copy(
        update={"case_set": ""}
    )
    assert (one[0].setup.quantisation, one[0].setup.engine) == ("none/float32", "transformers")
    assert not list(Path(job["cache"]).glob("*"))


def test_batch_and_company_change_no_answer(job):
    evaluate_model(**job)
    before = responses(job)
    job["inference"]["batch_rows"] = 16
    evaluate_model(**job)
    assert responses(job) == before
    alone = {**job, **{name: job[name][:1] for name in ("cases", "prompts", "responses")}}
    evaluate_model(**alone)
    assert responses(job)[0] == before[0]


def test_baseline_and_adapter_are_asked_the_same(job, manifest):
    evaluate_model(**job)
    baseline = responses(job)
    evaluate_model(
        **job, manifest=str(manifest), corpus="safe_cite", n_documents="8", seed="0"
    )  # wildcards arrive as text
    trained = responses(job)
    for before, after in zip(baseline[0], trained[0], strict=True):
        assert (before.case, before.sample_seed, before.prompt_hash, before.setup) == (
            after.case,
            after.sample_seed,
            after.prompt_hash,
            after.setup,
        )
        assert before.id != after.id
        assert (after.condition.corpus, after.condition.n_documents) == ("safe_cite", 8)
        assert after.condition.adapter is not None
    assert [r.raw_text for r in baseline[0]] != [r.raw_text for r in trained[0]]


def test_a_killed_evaluation_goes_on_where_it_stopped(job, monkeypatch):
    evaluate_model(**job)
    whole = responses(job)
    for path in job["responses"]:
        Path(path).unlink()
    from unfaithful_cot.inference import engine

    asked: list[int] = []

    def counted(stop_after: int):
        real = engine.continue_rows  # type: ignore[attr-defined]

        def run(reasoner, prompts, seeds, decoding):
            if len(asked) >= stop_after:
                raise KeyboardInterrupt
            asked.append(len(prompts))
            return real(reasoner, prompts, seeds, decoding)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(engine, "continue_rows", counted(2))
        with pytest.raises(KeyboardInterrupt):
            evaluate_model(**job)
    assert asked == [3, 3]
    assert not Path(job["responses"][0]).exists()
    with monkeypatch.context() as patch:
        patch.setattr(engine, "continue_rows", counted(100))
        evaluate_model(**job)
    # 16 responses, 6 of them from before: three batches of 3 and one of 1 are left
    assert asked[2:] == [3, 3, 3, 1]
    assert responses(job) == whole


def test_other_settings_take_nothing_from_an_interrupted_run(job):
    evaluate_model(**job)
    first = responses(job)[0]
    job["inference"]["temperature"] = 1.5
    evaluate_model(**job)
    second = responses(job)[0]
    assert first[0].setup.decoding != second[0].setup.decoding
    assert [r.raw_text for r in first] != [r.raw_text for r in second]


def test_the_seed_of_a_case_depends_on_study_case_and_sample():
    seeds = {
        sample_seed(study, case, sample) for study in (0, 1) for case in ("c_1", "c_2") for sample in (0, 1)
    }
    assert len(seeds) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert sample_seed(0, "c_1", 0) == sample_seed(0, "c_1", 0)


def test_two_cases_with_one_id(job):
    path = Path(job["cases"][0])
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(DataError, match=r"one\.jsonl:6: the case ID c_one_1 stands in line 2 already"):
        evaluate_model(**job)


def test_weights_that_are_not_those_of_the_manifest(job, manifest):
    weights = manifest.parent / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(ModelError, match="is not the file that its manifest names"):
        evaluate_model(**job, manifest=str(manifest))
    weights.unlink()
    with pytest.raises(ModelError, match=r"does not exist.*snakemake -R train_adapter"):
        evaluate_model(**job, manifest=str(manifest))


def test_an_adapter_of_another_base(job, manifest, tiny, tmp_path):
    job["base"] = {"source": str(shutil.copytree(tiny["qwen3"], tmp_path / "moved"))}
    with pytest.raises(ModelError, match="the adapter was trained on"):
        evaluate_model(**job, manifest=str(manifest))


def test_a_manifest_that_is_none(job, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"model": "tiny"}))
    with pytest.raises(ModelError, match="is no manifest"):
        evaluate_model(**job, manifest=str(tmp_path / "manifest.json"))


def test_the_name_that_an_endpoint_is_asked_for():
    baseline = Condition(experiment="e", model="m", corpus="baseline", n_documents=0, seed=0)
    trained = Condition(experiment="e", model="m", corpus="safe_cite", n_documents=20, seed=1, adapter="h")
    plain, named = InferenceSettings(), InferenceSettings(endpoint={"model": "served"})
    assert served_name(baseline, {"source": "Qwen/Qwen3-8B"}, plain) == "Qwen/Qwen3-8B"
    assert served_name(baseline, {"source": "Qwen/Qwen3-8B"}, named) == "served"
    assert served_name(trained, {"source": "Qwen/Qwen3-8B"}, named) == "m/safe_cite/n20/s1"
    sglang = named.model_copy(update={"served_adapter": "{base}:{adapter}"})
    assert served_name(baseline, {"source": "Qwen/Qwen3-8B"}, sglang) == "served"
    assert served_name(trained, {"source": "Qwen/Qwen3-8B"}, sglang) == "served:m/safe_cite/n20/s1"
