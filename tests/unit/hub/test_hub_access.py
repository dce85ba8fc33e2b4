"""What may be read and written is asked before work, and each refusal is one message that holds no token."""

from __future__ import annotations

import pytest

from fixtures.hub_server import READER, STRANGER, WRITER
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.hub.access import check_access, check_namespace, check_repository, token

CARD = b"---\nlicense: mit\n---\n# A model\n"
WRONG = "hf_" + "x" * 34


@pytest.fixture
def repositories(hub):
    """One that all may read, one that is gated, one that is private; all of alice's organisation."""
    commit = hub.add("lab/open", {"config.json": b"{}", "README.md": CARD}, tags=("v1",))
    hub.add("lab/gated", {"config.json": b"{}"}, gated=True)
    hub.add("lab/private", {"config.json": b"{}"}, private=True)
    return commit


def test_a_repository_that_may_be_read(repositories):
    found = check_repository("lab/open", "v1")
    assert found == (repositories, False, False, "mit")
    assert check_repository("lab/open").commit == repositories
    assert check_repository("lab/open", repositories).commit == repositories  # a commit names itself
    assert check_repository("lab/private").private


@pytest.mark.parametrize(
    ("owner", "repo", "revision", "message"),
    [
        (
            STRANGER,
            "lab/gated",
            None,
            "lab/gated: the repository is gated, and the token's account has no access",
        ),
        (
            "",
            "lab/gated",
            None,
            r"is gated and there is no token. Ask for access at huggingface.co/lab/gated",
        ),
        (
            STRANGER,
            "lab/private",
            None,
            "lab/private: no model repository of this name can be seen with the token",
        ),
        (
            "",
            "lab/nothing",
            None,
            "lab/nothing: no model repository of this name can be seen without a token",
        ),
        (WRITER, "lab/nothing", None, "lab/nothing: no model repository .* Check the spelling"),
        (WRITER, "lab/open", "v2", "lab/open: there is no revision 'v2'. A branch, a tag or a commit"),
        (
            WRONG,
            "lab/open",
            None,
            "lab/open: the Hub does not know the token. HF_TOKEN is wrong or was revoked",
        ),
        (WRITER, "lab/open/model", None, "lab/open/model: is no repository that can be used"),
    ],
)
def test_what_cannot_be_read(repositories, signed_in, owner, repo, revision, message):
    signed_in(owner)
    with pytest.raises(EndpointError, match=message) as told:
        check_repository(repo, revision)
    assert not owner or owner not in str(told.value)


def test_a_data_set_is_no_model(hub):
    hub.add("lab/texts", {"a.jsonl": b"{}"}, kind="dataset")
    assert check_repository("lab/texts", kind="dataset").commit
    with pytest.raises(EndpointError, match="no model repository of this name"):
        check_repository("lab/texts")


def test_a_hub_that_is_not_there(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(EndpointError, match=r"lab/open: the Hub cannot be reached .* HF_ENDPOINT"):
        check_repository("lab/open")


def test_who_may_write(hub, tmp_path):
    assert check_namespace("alice") == check_namespace("lab") == "alice"
    check_access(str(tmp_path / "access.json"), "lab")
    assert '"user": "alice"' in (tmp_path / "access.json").read_text()


@pytest.mark.parametrize(
    ("owner", "namespace", "message"),
    [
        (
            WRITER,
            "other",
            r"hub.namespace: the token is of 'alice', who is not a member of 'other'. One of: alice, lab",
        ),
        (READER, "lab", "HF_TOKEN: the token of 'alice' may not write in 'lab'. Make one with write access"),
        (WRONG, "lab", "HF_TOKEN: the Hub does not know the token"),
        ("", "lab", "HF_TOKEN: there is no token, and uploads need one"),
    ],
)
def test_who_may_not_write(hub, signed_in, owner, namespace, message):
    signed_in(owner)
    with pytest.raises(EndpointError, match=message):
        check_namespace(namespace)


def test_the_token_may_stand_in_the_env_file(hub, signed_in, tmp_path):
    signed_in("")
    assert token() is None
    (tmp_path / ".env").write_text(f"HF_TOKEN={WRITER}\n")
    assert token() == WRITER
    assert check_namespace("lab") == "alice"
