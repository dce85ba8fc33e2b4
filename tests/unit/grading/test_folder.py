"""Which files of a folder are transcripts, and one message for each folder that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.folder import Named, find_transcripts, named_condition, split_name


def folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).write_text("{}\n")
    return tmp_path


def test_transcripts_labels_and_cases_are_told_apart(tmp_path: Path) -> None:
    files = ("b.n5.jsonl", "a.x.jsonl", "b.baseline.jsonl", "b.n5.labels.jsonl", "cases.jsonl", "README.md")
    found = find_transcripts(folder(tmp_path, *files))
    assert list(found) == ["a.x", "b.baseline", "b.n5"]
    assert found["b.n5"].labels == tmp_path / "b.n5.labels.jsonl"
    assert found["b.baseline"].labels is None
    assert (found["a.x"].model, found["a.x"].condition) == ("a", "x")


def test_a_model_may_have_dots_in_its_name() -> None:
    assert split_name("qwen2.5_7b.baseline") == ("qwen2.5_7b", "baseline")


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ("baseline", Named("baseline", 0, None)),
        ("n20000", Named("unknown", 20000, None)),
        ("safe_cite_n400_s3", Named("safe_cite", 400, 3)),
        ("after", Named("after", None, None)),
    ],
)
def test_what_the_name_of_a_condition_says(condition: str, named: Named) -> None:
    assert named_condition(condition) == named


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), r"the folder holds no transcripts"),
        (("README.md",), r"the folder holds no transcripts"),
        (("mill.jsonl",), r"'mill\.jsonl' is not the name of a transcript.* Rename the file"),
        (("mill .after.jsonl",), r"'mill \.after\.jsonl' is not the name"),
        (("mill.after.labels.jsonl",), r"'mill\.after\.labels\.jsonl' stand without their responses.*Put 'mill\.after\.jsonl'"),
        (("a.b.jsonl", "a.c.labels.jsonl"), r"'a\.c\.labels\.jsonl' stand without"),
    ],
)  # fmt: skip
def test_a_wrong_folder_has_one_message(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        find_transcripts(folder(tmp_path, *names))


def test_a_missing_folder_and_a_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^transcripts: the folder '.*nowhere' does not exist\."):
        find_transcripts(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"is a file, not a folder"):
        find_transcripts(tmp_path / "file")
