"""The files of a replay, from the folder of transcripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.plan.replay_files import ReplayFiles


def test_a_folder_with_labels_and_cases(tmp_path: Path) -> None:
    for name in ("m.trained.jsonl", "m.baseline.jsonl", "m.trained.labels.jsonl", "cases.jsonl"):
        (tmp_path / name).touch()
    files = ReplayFiles("r", str(tmp_path))
    assert files.each("origins") == ["r/origins/m.baseline.jsonl", "r/origins/m.trained.jsonl"]
    assert files.labels == ["r/labels/m.trained.jsonl"]
    assert files.rejected == [
        f"r/rejected/{name}.json" for name in ("m.baseline", "m.trained", "m.trained.labels")
    ]
    # 2 transcripts by 2 graders
    assert len(files.grades) == 4 and files.grades[0] == "r/grades/m.baseline.rules.jsonl"
    assert files.known_cases == [str(tmp_path / "cases.jsonl")]
    assert [Path(path).name for path in files.sources] == [
        "m.baseline.jsonl", "m.trained.jsonl", "m.trained.labels.jsonl", "cases.jsonl",
    ]  # fmt: skip
    assert "r/report.html" in files.targets


def test_without_a_folder_there_are_no_files_and_a_run_says_so() -> None:
    files = ReplayFiles("r", None)
    assert files.each("cases") == files.grades == files.sources == files.rejected == files.known_cases == []
    with pytest.raises(SettingsError) as stop:
        _ = files.targets
    assert str(stop.value) == (
        "transcripts: no folder is named. One with files {model}.{condition}.jsonl (docs/replay.md). "
        "Run: snakemake --cores 1 replay --config transcripts=FOLDER."
    )
