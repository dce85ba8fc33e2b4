"""Lines that are cut from a file of the finished study end the run in one message, and its advice mends it."""

from __future__ import annotations

import re
import shlex

from workflow.study import Study


def test_responses_cut_at_a_line_end_are_missed_and_made_again(study: Study) -> None:
    results = study.folder / "results" / "smoke"
    before = (results / "metrics.csv").read_bytes()
    responses = results / "responses/reference/safe_cite/n40/s0/evidence_toggle.jsonl"
    lines = responses.read_text().splitlines(keepends=True)
    responses.write_text("".join(lines[:5]))
    done = study.snakemake("--cores", "2")
    assert done.returncode != 0
    said = re.search(
        rf"{responses.relative_to(study.folder)}: holds 5 of 8 responses: '.*' has none, nor have 2 more\..*"
        r"Rerun: snakemake (-R \S+)\.",
        done.stderr,
    )
    assert said, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    mended = study.snakemake("--cores", "2", *shlex.split(said[1]))
    assert mended.returncode == 0, mended.stderr[-3000:]
    assert responses.read_text() == "".join(lines)
    assert (results / "metrics.csv").read_bytes() == before
