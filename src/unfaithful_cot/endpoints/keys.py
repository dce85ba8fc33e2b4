"""The key of an API, from the environment or from `.env` in the folder where the command runs.

In: the settings of an endpoint. Out: the key, held in memory only: it is never written to a log, a message or the
environment of other processes. A variable in the environment goes before one in `.env`.
Errors: EndpointError when there is no key, or one that cannot stand in an HTTP header.
"""

from __future__ import annotations

import os
from pathlib import Path

from unfaithful_cot.config.addresses import HIDDEN, secrets_of
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.errors import EndpointError

NO_KEY = "none"
"""Sent where `api_key_env` is empty: a server of one's own that asks for no key."""


def read_key(endpoint: EndpointSettings) -> str:
    """The key that `endpoint.api_key_env` names; `none` where that is empty."""
    name = endpoint.api_key_env
    if not name:
        return NO_KEY
    key = os.environ.get(name, "").strip() or _from_file(Path.cwd() / ".env", name)
    if not key:
        raise EndpointError(
            f"endpoint.api_key_env: {name}",
            "there is no key: the variable is neither in the environment nor in .env",
            "`.env.example` shows the form",
            f"Write {name}=… to .env or export it; for a server that asks for no key set api_key_env to ''",
        )
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise EndpointError(
            f"endpoint.api_key_env: {name}",
            "the key holds a blank, a line break or a character outside ASCII",
            "A key is one word",
            f"Copy {name} again into .env or the environment",
        )
    return key


def redact(text: str, key: str, address: str = "") -> str:
    """The text without the key and the secrets of the address, on one line, at most 200 characters.

    Characters that steer a terminal become question marks.
    """
    for secret in [*secrets_of(address), *([key] if key != NO_KEY else [])]:
        text = text.replace(secret, HIDDEN)
    shown = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return shown[:200] + ("…" if len(shown) > 200 else "")


def _from_file(path: Path, name: str) -> str:
    from dotenv import dotenv_values

    return (dotenv_values(path).get(name) or "").strip() if path.is_file() else ""
