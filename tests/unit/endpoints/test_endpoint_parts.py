"""Keys, Retry-After and templates on their own."""

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints import faults
from unfaithful_cot.endpoints.faults import retry_after
from unfaithful_cot.endpoints.keys import read_key, redact
from unfaithful_cot.endpoints.templates import load_request_template
from unfaithful_cot.errors import DataError, EndpointError


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text('OTHER_KEY=from-file\nQUOTED="in quotes"\nEMPTY=\n')
    endpoint = EndpointSettings(api_key_env="OTHER_KEY")
    monkeypatch.delenv("OTHER_KEY", raising=False)
    assert read_key(endpoint) == "from-file"
    monkeypatch.setenv("OTHER_KEY", " from-environment\n")
    assert read_key(endpoint) == "from-environment"
    monkeypatch.setenv("OTHER_KEY", "")
    assert read_key(endpoint) == "from-file"
    assert read_key(EndpointSettings(api_key_env="")) == "none"
    with pytest.raises(EndpointError, match=r"EMPTY: there is no key: .* neither in the environment nor in"):
        read_key(EndpointSettings(api_key_env="EMPTY"))
    with pytest.raises(EndpointError, match="holds a blank") as caught:
        read_key(EndpointSettings(api_key_env="QUOTED"))
    assert "in quotes" not in str(caught.value)


def test_redact() -> None:
    assert redact("the key  sk-1\nand sk-1 again", "sk-1") == "the key *** and *** again"
    assert len(redact("word " * 100, "sk-1")) == 201


def test_retry_after() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "86400"}) == faults.MAX_RETRY_AFTER_S
    assert 3 <= (retry_after({"retry-after": formatdate(time.time() + 5, usegmt=True)}) or 0) <= 5
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "nan"}) is None
    assert retry_after({}) is None


def test_template_draws_by_seed_and_fills(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: p.v1\nsystem: about {topic}\nuser: 'in {place}, {initials} {{x}}'\nvariations: {place: [a, b, c]}\n"
    )
    template = load_request_template(path, {"topic"})
    first = template.messages(1, topic="{braces} in a value")
    assert first == template.messages(1, topic="{braces} in a value")
    assert first[0] == {"role": "system", "content": "about {braces} in a value"}
    assert first[1]["content"].endswith("{x}")
    assert len({template.messages(seed, topic="t")[1]["content"] for seed in range(50)}) > 40
    assert template.hash != template.model_copy(update={"user": "x"}).hash


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version: v\nsystem: s\nuser: '{nobody}'\n", r"nothing fills the place \{nobody\}"),
        ("version: v\nsystem: s\nuser: u\nvariations: {place: []}\n", "variations.place: the list is empty"),
        ("version: v\nsystem: s\nuser: '{'\n", "is no prompt template"),
        ("version: v\nuser: u\n", "is no prompt template"),
        ("a: [", "is no prompt template"),
    ],
)
def test_a_wrong_template(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        load_request_template(path, set())
