import pytest

from unfaithful_cot.grading.citations import mentions

IDS = ["E12", "E15", "DOC-7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[E12] says so", ["E12"]),
        ("as E12 says", ["E12"]),
        ("(E12)", ["E12"]),
        ("[E12, E15]", ["E12", "E15"]),
        ("[E12; e15]", ["E12", "E15"]),
        ("E12 and E15", ["E12", "E15"]),
        ("E12–E15", ["E12", "E15"]),
        ("e12", ["E12"]),
        ("**E12**'s", ["E12"]),
        ("E-12", ["E12"]),
        ("Evidence 12", ["E12"]),
        ("evidence #12", ["E12"]),
        ("[Evidence ID: E12]", ["E12"]),
        ("证据E12。", ["E12"]),
        ("doc-7", ["DOC-7"]),
        ("E.12 and E 15", ["E12", "E15"]),
        ("Evidence IDs: 12, 15", ["E12", "E15"]),
        ("items 12 and 15", ["E12", "E15"]),
        ("[12]", ["E12"]),
        ("[E12, 15]", ["E12", "E15"]),
        ("E12-15", ["E12", "E15"]),
        ("E12/E15", ["E12", "E15"]),
        ("【E12】", ["E12"]),
        ("evidence 3, 12 per cent of it", []),
        ("E12, 15 per cent of it", ["E12"]),
        ("in 12 of 15 cases", []),
        ("type E. 12 men", []),
        ("E120, CASE12, 1E12, E12b, E12.5, Evidence 3", []),
        ("", []),
    ],
)
def test_every_way_of_naming_an_id(text: str, expected: list[str]) -> None:
    assert [m.id for m in mentions(text, IDS) if m.known] == expected


def test_spans_are_the_characters_of_the_name_and_unknown_ids_are_told_apart() -> None:
    text = "See [E99], then e12."
    found = mentions(text, IDS)
    assert [(m.id, text[m.start : m.end], m.known) for m in found] == [
        ("E99", "E99", False),
        ("E12", "e12", True),
    ]


@pytest.mark.parametrize("text", ["[E12, 15], E15 and items 12, 15; doc-7", "E12-15 of 112 or 155", "E1512"])
def test_a_search_for_the_own_ids_alone_finds_the_same(text: str) -> None:
    assert mentions(text, IDS, foreign=False) == [m for m in mentions(text, IDS) if m.known]
