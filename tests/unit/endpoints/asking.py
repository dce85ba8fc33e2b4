"""Requests for the tests of endpoints."""

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.requests import Request, make_request


def ask(endpoint: EndpointSettings, count: int) -> list[Request]:
    """`count` different questions to one endpoint."""
    return [make_request(endpoint, [{"role": "user", "content": f"question {i}"}]) for i in range(count)]
