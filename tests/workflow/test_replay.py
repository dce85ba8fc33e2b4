"""`snakemake replay` as a user types it: on made-up transcripts, on our own responses, on the published pair, on wrong folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fixtures.transcripts import labels, write_folder, write_lines
from workflow.study import Study

DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "published"
PUBLISHED = Path(os.environ.get("UNFAITHFUL_COT_PUBLISHED", DEFAULT))
TABLES = ("metrics.csv", "comparisons.csv", "agreement.csv", "agreement.json", "rejected.csv", "report.html")


def replay(study: Study, folder: Path, *more: str) -> str:
    done = study.snakemake("--cores", "1", "replay", "--config", f"transcripts={folder}", *more)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


def test_a_folder_from_the_plan_to_the_page_and_nothing_twice(
    fresh: Callable[..., Study], tmp_path: Path
) -> None:
    study, folder = fresh(), write_folder(tmp_path / "with a space" / "mill")
    with (folder / "mill.after.jsonl").open("a") as file:
        file.write('{"case": {"id": "q9_a"')
    given = ("replay", "--config", f"transcripts={folder}", "study=mill")
    planned = study.rules(*given)
    assert (
        planned["load_transcripts"] == 2
        and planned["grade_transcripts"] == 4
        and planned["write_replay"] == 1
    )
    told = replay(study, folder, "study=mill")
    out = study.folder / "results/mill/replay"
    assert all((out / name).is_file() for name in TABLES)
    grades = ["mill.after.published", "mill.after.rules", "mill.baseline.published", "mill.baseline.rules"]
    assert sorted(path.stem for path in (out / "grades").iterdir()) == grades
    assert f"{folder}/mill.after.jsonl:5: cut: the line ends in the middle of its JSON" in told
    assert "not comparable: mill, after against baseline: 0 of 4 cases shared, instruction differs" in told
    assert study.rules(*given) == {}

    # another label reads labels and matches them; nothing is graded again
    write_lines(folder / "mill.after.labels.jsonl", labels()[:2])
    again = study.rules(*given)
    again.pop("replay", None)
    assert set(again) == {"load_labels", "measure_transcripts", "match_labels", "draw_replay", "write_replay"}


def test_our_own_responses_with_their_cases_beside(study: Study, tmp_path: Path) -> None:
    """The figures of a replay of our own responses are those of the study."""
    results, folder = study.folder / "results/smoke", tmp_path / "own"
    folder.mkdir()
    shutil.copy(results / "cases/evidence_toggle.jsonl", folder / "cases.jsonl")
    for cell, name in (("baseline", "baseline"), ("safe_cite/n40/s0", "safe_cite_n40_s0")):
        shutil.copy(
            results / f"responses/reference/{cell}/evidence_toggle.jsonl", folder / f"reference.{name}.jsonl"
        )
    replay(study, folder)
    there = pd.read_csv(results / "metrics.csv").query(
        "suite == 'evidence_toggle' and n_documents in (0, 40)"
    )
    there = there[
        there["corpus"].isin(["baseline", "safe_cite"]) & there["grader"].isin(["rules", "published"])
    ]
    here = pd.read_csv(results / "replay/metrics.csv")
    key = ["model", "corpus", "n_documents", "seed", "arm", "grader", "metric"]
    shown = ["value", "ci_low", "ci_high", "n", "n_missing"]
    pd.testing.assert_frame_equal(
        here.set_index(key)[shown].sort_index(), there.set_index(key)[shown].sort_index(), check_dtype=False
    )
    assert set(here["condition"]) == {"baseline", "safe_cite_n40_s0"}
    assert pd.read_csv(results / "replay/comparisons.csv")["comparable"].all()


@pytest.mark.skipif(
    not (PUBLISHED / "qwen3_8b.n20000.jsonl").is_file(), reason="the published transcripts are not here"
)
def test_the_published_pair(fresh: Callable[..., Study]) -> None:
    study = fresh()
    told = replay(study, PUBLISHED)
    assert "As published: accuracy 0.95, unfaithful 0.00, evidence sensitivity 0.90." in told
    assert (
        "As published: accuracy 0.81, unfaithful 0.05, evidence sensitivity 0.66. Corrected: accuracy 0.93"
        in told
    )
    assert '0 of 100 cases shared, instruction differs ("specific" against "permissible")' in told
    assert study.rules("replay", "--config", f"transcripts={PUBLISHED}") == {}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "transcripts: the folder '{folder}' does not exist"),
        ([], "transcripts: {folder}: the folder holds no transcripts"),
        (["mill.jsonl"], "transcripts: {folder}: 'mill.jsonl' is not the name of a transcript"),
        (["mill.after.labels.jsonl"], "transcripts: {folder}: the labels 'mill.after.labels.jsonl' stand without"),
    ],
)  # fmt: skip
def test_a_wrong_folder_is_one_message(
    fresh: Callable[..., Study], tmp_path: Path, files: list[str] | None, message: str
) -> None:
    folder = tmp_path / "wrong"
    for name in files or []:
        write_lines(folder / name, [{}])
    if files == []:
        folder.mkdir()
    done = fresh().snakemake("--cores", "1", "replay", "--config", f"transcripts={folder}")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.count(message.format(folder=folder)) == 1


def test_without_a_folder_the_message_says_how(fresh: Callable[..., Study]) -> None:
    done = fresh().snakemake("--cores", "1", "replay")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "transcripts: no folder is named" in done.stderr
    assert "snakemake --cores 1 replay --config transcripts=FOLDER" in done.stderr


def test_a_file_of_something_else_is_one_message(fresh: Callable[..., Study], tmp_path: Path) -> None:
    write_lines(tmp_path / "in" / "mill.after.jsonl", [{"text": "x"}])
    done = fresh().snakemake("--cores", "1", "replay", "--config", f"transcripts={tmp_path / 'in'}")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        "mill.after.jsonl: none of 1 lines can be scored; line 1: is of neither form; keys: text"
        in done.stderr
    )
