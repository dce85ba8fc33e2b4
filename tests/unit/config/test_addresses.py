"""What is secret in an address is shown nowhere; an address without secrets stays as it is."""

import pytest

from unfaithful_cot.config.addresses import secrets_of, shown_address, without_secrets
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.host.params import Untracked, flat

PLANTED = "http://ann:pla%40nted@h:8000/v1?api_key=planted-q&api-version=2024-10-21&planted-w#planted-f"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://api.test/v1/", "https://api.test/v1/"),
        ("https://h/v1?api-version=2024-10-21", "https://h/v1?api-version=2024-10-21"),
        ("https://h/v1?api_key=planted", "https://h/v1?api_key=***"),
        ("http://planted@h/v1", "http://***@h/v1"),
        ("http://ann:pl@nted@h/v1", "http://***@h/v1"),
        ("ann:planted@h/v1", "***@h/v1"),
        (PLANTED, "http://***@h:8000/v1?api_key=***&api-version=2024-10-21&***"),
    ],
)
def test_what_is_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown


def test_the_secrets_as_written_and_decoded() -> None:
    found = secrets_of(PLANTED)
    assert {"pla%40nted", "pla@nted", "planted-q", "planted-w"} <= set(found)
    assert "2024-10-21" not in found and secrets_of("https://api.test/v1") == []
    assert [len(secret) for secret in found] == sorted(map(len, found), reverse=True)


def test_other_values_stay() -> None:
    values = {"a": [1, None, "http://h/v1", "a text with http://x:y@h in it"], "b": {"base_url": PLANTED}}
    assert without_secrets(values) == {
        "a": values["a"],
        "b": {"base_url": shown_address(PLANTED)},
    }


def test_params_that_are_written_down_hold_no_secret() -> None:
    """Snakemake writes `repr` of each param into its metadata; a job still gets the address."""
    params = flat("endpoint", EndpointSettings(model="m", base_url=PLANTED))
    assert "planted" not in repr(params) and "pla%40nted" not in repr(params)
    address = params["endpoint__base_url"]
    assert isinstance(address, Untracked) and address.value == PLANTED
    assert flat("endpoint", EndpointSettings(base_url="http://h/v1"))["endpoint__base_url"] == "http://h/v1"
