"""Addresses of services, as they may be shown: a user name, a password and what a query holds are secrets.

In: addresses as the configuration has them. Out: the same without secrets, or the secrets alone.
Errors: none; what is no address is shown as far as it holds no secret.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
OPEN_QUERY = frozenset({"api-version", "version"})
"""Names in a query whose values say nothing secret."""
USER = re.compile(r"(?<=//)[^/?#]*@|^[^/?#@\s]*:[^/?#\s]*@")


def shown_address(address: str) -> str:
    """The address with `***` for user and password, and for each value of its query; without its fragment."""
    bare, _, query = address.partition("#")[0].partition("?")
    bare = USER.sub(f"{HIDDEN}@", bare)
    return f"{bare}?{'&'.join(map(_shown_pair, query.split('&')))}" if query else bare


def secrets_of(address: str) -> list[str]:
    """What `shown_address` hides, as it is written and decoded, the longest first."""
    bare, _, query = address.partition("#")[0].partition("?")
    found = {value for name, value in parse_qsl(query) if name.lower() not in OPEN_QUERY}
    found |= {pair.partition("=")[2] for pair in query.split("&") if HIDDEN in _shown_pair(pair)}
    found |= {pair for pair in query.split("&") if pair and "=" not in pair}
    if user := USER.search(bare):
        whole = user.group().removesuffix("@")
        found |= {whole, *whole.split(":", 1)}
    found |= {unquote(secret) for secret in found}
    return sorted((secret for secret in found if len(secret) > 2), key=len, reverse=True)


def without_secrets(value: Any) -> Any:
    """A value of the configuration, and what stands in it, with each address as it may be shown."""
    if isinstance(value, dict):
        return {name: without_secrets(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_secrets(part) for part in value]
    return shown_address(value) if isinstance(value, str) and _is_address(value) else value


def _is_address(text: str) -> bool:
    return re.match(r"https?://\S+$", text) is not None and bool(urlsplit(text).netloc)


def _shown_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if name.lower() in OPEN_QUERY:
        return pair
    return f"{name}={HIDDEN}" if equals else HIDDEN if pair else ""
