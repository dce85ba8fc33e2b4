"""A Hub on loopback, and this process as one of its clients.

huggingface_hub reads its variables when it is imported, which in a test process was long ago: the same values are set where it
keeps them. Tests of whole commands set the variables themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.hub_server import WRITER, HubServer


@pytest.fixture(scope="session")
def server() -> Iterator[HubServer]:
    with HubServer() as running:
        yield running


@pytest.fixture
def hub(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """The server, with this process as `alice` who may write; its cache is empty."""
    from huggingface_hub import constants

    for name, value in server.environment(tmp_path / "home", WRITER).items():
        monkeypatch.setenv(name, value)
    for name, value in {  # type: ignore[assignment]
        "ENDPOINT": server.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "home" / "hub"),
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN_PATH": str(tmp_path / "home" / "token"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_OFFLINE": False,
    }.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.chdir(tmp_path)
    server.reset()
    return server


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Become the owner of a token; nobody for an empty one."""
    return lambda token: monkeypatch.setenv("HF_TOKEN", token)
