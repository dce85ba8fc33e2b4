"""The message when a run over an API ends before its end.

In: the fault that ended it, the address, how far the run came. Out: EndpointErrors. What a server said is shown without
the key, and for a key that it does not accept not at all.
Errors: none of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from unfaithful_cot.config.addresses import shown_address
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.faults import Fault
from unfaithful_cot.endpoints.keys import redact
from unfaithful_cot.errors import EndpointError

GOES_ON = "What came back is kept: the same command goes on from there and pays for nothing twice"
KNOWN = {
    "http_401": (
        "the key in {variable} is not accepted (401)",
        "Check {variable} in the environment or in .env",
    ),
    "http_402": (
        "the account of the key in {variable} has no money left (402)",
        "Add credit at the provider, or lower endpoint.max_tokens where it reserves the longest answer",
    ),
    "http_403": (
        "the key in {variable} may not use the model '{model}' (403)",
        "Check the rights of the key",
    ),
    "http_404": (
        "there is no model '{model}', or no API, at this address (404)",
        "Check endpoint.model, endpoint.base_url and, for azure, endpoint.api_version",
    ),
    "http_429": ("nothing more may be sent for now (429)", "Check quota and billing, or wait"),
    "connection": ("the endpoint cannot be reached", "Check endpoint.base_url and the network"),
    "timeout": (
        "there was no answer within {timeout_s} s",
        "Raise endpoint.timeout_s or lower endpoint.max_tokens",
    ),
    "long_pause": (
        "nothing more may be sent for a long time",
        "Start it again then, or ask the provider for a higher limit",
    ),
    "error_in_200": (
        "the API reports an error in its answers",
        "Check endpoint.model and the state of the service",
    ),
    "unfinished": (
        "the answers break off",
        "Try again later, or another endpoint.model or provider",
    ),
    "temperature": (
        "the model does not take this temperature",
        "Set temperature: null, which leaves it out",
    ),
    "top_p": ("the model does not take this top_p", "Set top_p: null, which leaves it out"),
    "malformed": (
        "the answers are no chat completions",
        "Check endpoint.base_url, which often ends in /v1",
    ),
    "no_batches": ("this API takes no batches", "Set endpoint.mode: online, or check endpoint.base_url"),
    "batch_not_seen": (
        "a batch of an earlier run is not seen with the key in {variable} (404)",
        "Use the key that made it. To forget all batches noted there, ask their requests anew and pay for them again, delete "
        "{journal}",
    ),
    "too_large": (
        "the answers are larger than any completion",
        "Check endpoint.base_url and the service",
    ),
    "batch_failed": (
        "the API refused a batch as a whole",
        "Check endpoint.model and whether it takes batches",
    ),
    "queue_full": (
        "the batch queue of the account is full",
        "Wait for other batches of the account, or lower endpoint.batch_queue_tokens",
    ),
}
"""What is and what to do, by the reason of a fault."""


def refusal(
    fault: Fault,
    address: str,
    endpoint: EndpointSettings,
    key: str,
    state: str,
    n_answers: int = 0,
    journal: Path | str = "batches.jsonl",
) -> EndpointError:
    """The message when one fault ends the run.

    n_answers: how many requests of this run were answered before. journal: the file that notes batches.
    """
    if fault.reason == "max_usd":
        todo = f"Raise max_usd, or ask for less. {GOES_ON}"
        return EndpointError("endpoint.max_usd", fault.detail, state, todo)
    other = ("the request is refused ({reason})", "Check the settings of the endpoint")
    words = {
        "reason": fault.reason,
        "variable": endpoint.api_key_env or "api_key_env",
        "model": endpoint.model,
        "timeout_s": f"{endpoint.timeout_s:g}",
        "journal": str(journal),
    }
    what, todo = (part.format(**words) for part in KNOWN.get(fault.reason, other))
    said = "" if fault.reason == "http_401" or not fault.detail else f": {redact(fault.detail, key, address)}"
    before = f", after {n_answers:,} answers with the same key and model" if n_answers else ""
    error = EndpointError(shown_address(address), what + said + before, state, f"{todo}. {GOES_ON}")
    error.reason = fault.reason
    return error


def causes(failures: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Failures by reason, then what the server said first of each: `(http_400 2, timeout 1); http_400: too long`."""
    counts = ", ".join(f"{reason} {n:,}" for reason, n in sorted(Counter(failures.values()).items()))
    return f"({counts})" + "".join(f"; {reason}: {words[reason]}" for reason in sorted(words))


def too_many(
    address: str, failures: Mapping[str, str], allowed: int, state: str, words: Mapping[str, str]
) -> EndpointError:
    """The message when more requests failed for good than allowed. words: what the server said, by reason."""
    return EndpointError(
        shown_address(address),
        f"{len(failures):,} requests failed after all attempts {causes(failures, words)}",
        f"At most {allowed:,} may fail (max_failed); {state}",
        GOES_ON,
    )
