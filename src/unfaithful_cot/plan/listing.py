"""The list of models that an API offers: a hint, for many keys may use what they may not list.

In: an endpoint. Out: a Listing, read from whatever form the service has for it.
Errors: EndpointError where there is no key, no address, or nobody at it; a list that is refused or odd is said in `words`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unfaithful_cot.config.addresses import shown_address
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.client import check_endpoint, open_client
from unfaithful_cot.endpoints.faults import MalformedAnswer
from unfaithful_cot.endpoints.keys import read_key, redact
from unfaithful_cot.errors import EndpointError, known

TIMEOUT_S = 20.0
ABSENT_LIST = {404, 405, 501}
"""A service that answers so has no list."""
NAMES = ("id", "name", "model")


@dataclass(frozen=True)
class Listing:
    """names: of the models, none where they could not be read. odd: why they could not, empty where there is no list."""

    endpoint: EndpointSettings
    address: str
    names: tuple[str, ...] = ()
    odd: str = ""

    @property
    def words(self) -> str:
        """What is there, for a row of the table."""
        return self.address + (
            f": {len(self.names)} models" if self.names else f": {self.odd}" if self.odd else ""
        )

    def unlisted(self) -> EndpointError | None:
        """The message for a model that the list does not name; a prefix (`models/NAME`) or a suffix (`NAME:free`) is no matter."""
        model, names = self.endpoint.model, self.names
        alike = {part for name in names for part in (name, name.rpartition("/")[2], name.partition(":")[0])}
        if not names or self.endpoint.kind != "openai" or model in alike:
            return None
        return EndpointError(
            f"{self.address}/models",
            f"the model '{model}' is not among the {len(names)} that this key may use",
            known(model, names if len(names) <= 20 else [name for name in names if name[:3] == model[:3]]),
        )

    def wrong_key(self) -> EndpointError:
        """The message for a key that the API does not accept."""
        name = self.endpoint.api_key_env
        return EndpointError(
            self.address,
            "the API refuses the key (401)",
            f"The key of this API in {name}",
            f"Correct {name} in .env or the environment",
        )


def models_listed(endpoint: EndpointSettings) -> Listing:
    """What the API lists."""
    address, key = check_endpoint(endpoint, endpoint.model or "any"), read_key(endpoint)
    return asyncio.run(_listed(endpoint, address, key))


async def _listed(endpoint: EndpointSettings, address: str, key: str) -> Listing:
    import openai

    quick = endpoint.model_copy(update={"timeout_s": TIMEOUT_S})
    shown = shown_address(address)
    try:
        async with asyncio.timeout(TIMEOUT_S), open_client(quick, address, key) as api:
            raw = await api.models.with_raw_response.list()
            return Listing(endpoint, shown, *_read(raw.content))
    except openai.APIStatusError as error:
        words = f"the list of models is refused ({error.status_code}: {redact(error.message, key, address)})"
        return Listing(endpoint, shown, odd="" if error.status_code in ABSENT_LIST else words)
    except (openai.APITimeoutError, TimeoutError):
        return Listing(endpoint, shown, odd=f"the list of models did not come within {TIMEOUT_S:g} s")
    except MalformedAnswer as error:
        return Listing(endpoint, shown, odd=f"the list of models cannot be read ({error})")
    except openai.APIConnectionError as error:
        raise EndpointError(
            shown,
            f"the API cannot be reached ({redact(str(error.__cause__ or error), key, address)})",
            todo="Check endpoint.base_url and the network, then run the same command again",
        ) from None


def _read(body: bytes) -> tuple[tuple[str, ...], str]:
    """Names in a list of any form, and why there are none."""
    try:
        names = tuple(dict.fromkeys(_names(json.loads(body))))
    except (ValueError, RecursionError):
        return (), "the list of models is no JSON"
    return names, "" if names else "the list of models names none"


def _names(values: Any) -> Iterator[str]:
    if isinstance(values, dict):
        values = next((values[key] for key in ("data", "models") if isinstance(values.get(key), list)), [])
    for entry in values if isinstance(values, list) else []:
        named = [entry.get(key) for key in NAMES] if isinstance(entry, dict) else [entry]
        yield from [name for name in named if isinstance(name, str) and name][:1]
