"""Messages: where, what, what would be right, what to do."""

from __future__ import annotations

import pickle

import pytest

from unfaithful_cot.errors import (
    DataError,
    EndpointError,
    MachineError,
    ModelError,
    SettingsError,
    StorageError,
    WorkflowError,
    known,
)


def test_a_message_has_its_parts_in_order() -> None:
    error = SettingsError("config.yaml: a.b", "'x' is not known", "Known: y", "See the README")
    assert str(error) == "config.yaml: a.b: 'x' is not known. Known: y. See the README."


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("here", "it is wrong"), "here: it is wrong."),
        (("here", "it is wrong.", "", "Mend it."), "here: it is wrong. Mend it."),
        (("here", "it is wrong", "Did you mean 'y'?"), "here: it is wrong. Did you mean 'y'?"),
    ],
)
def test_empty_parts_and_closing_marks_are_not_doubled(parts: tuple[str, ...], text: str) -> None:
    assert str(WorkflowError(*parts)) == text


@pytest.mark.parametrize(
    "kind", [SettingsError, DataError, EndpointError, ModelError, StorageError, MachineError]
)
def test_an_error_survives_the_way_to_another_process(kind: type[WorkflowError]) -> None:
    sent = kind("where", "what", "right", "todo")
    received = pickle.loads(pickle.dumps(sent))
    assert type(received) is kind and str(received) == str(sent)
    assert (received.where, received.what, received.right, received.todo) == (
        "where",
        "what",
        "right",
        "todo",
    )


def test_known_names_are_sorted_and_the_nearest_is_offered() -> None:
    assert known("qwen3-8b", ["r1", "qwen3_8b"]) == "Known: qwen3_8b, r1. Did you mean 'qwen3_8b'?"
    assert known("nothing like it", ["a", "b"]) == "Known: a, b"
    assert known("x", []) == "Known: none"
