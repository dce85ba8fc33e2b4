"""What sinfo says, and the messages that follow from it. A script in place of sinfo speaks for clusters of other shapes;
a real Slurm answers in tests/long."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from unfaithful_cot.errors import MachineError
from unfaithful_cot.host.slurm import PROGRAMS, check_slurm, read_partitions

TWO = "cpu*|(null)\ngpu|gpu:h100:4(S:0-1)\n"
Shape = Callable[[str], None]


@pytest.fixture
def shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shape:
    """Put programs of Slurm's names on the path; sinfo prints the given lines."""

    def make(sinfo: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (tmp_path / "said").write_text(sinfo)
        for name in PROGRAMS:
            (folder / name).write_text(f"#!/bin/sh\nexec {shutil.which('cat')} {tmp_path}/said\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return make


def message(*arguments: object, **named: object) -> str:
    with pytest.raises(MachineError) as refused:
        check_slurm(*arguments, **named)  # type: ignore[arg-type]
    return str(refused.value)


def test_partitions_are_read_with_their_best_node() -> None:
    # the gpu partition has nodes with 4 + 2 = 6 and with 2 cards; shards are no cards
    said = TWO + "mixed|gpu:h100:4(S:0-1),gpu:a100:2\nmixed|gpu:2\nslices|shard:8,gpu:1(S:0)\n"
    assert read_partitions(said) == ({"cpu": 0, "gpu": 4, "mixed": 6, "slices": 1}, "cpu")


def test_a_cluster_without_a_default_partition() -> None:
    assert read_partitions("a|gpu:1\n") == ({"a": 1}, "")


def test_no_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert message({"m": 1}).startswith("profiles/slurm: no sbatch on the path. ")


def test_slurm_that_does_not_answer(shape: Shape, tmp_path: Path) -> None:
    shape(TWO)
    (tmp_path / "bin" / "sinfo").write_text(
        "#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n"
    )
    assert "Slurm does not answer (Unable to contact slurm controller)" in message({"m": 0})


def test_a_node_with_fewer_gpus(shape: Shape) -> None:
    shape(TWO)
    assert message({"small": 1, "large": 8}, named=True) == (
        "config/models.yaml: large.gpus: a job of large asks for 8 GPUs, and no node of this cluster has more than 4. "
        "A job stays on one node. Lower gpus, or take another cluster."
    )


def test_a_default_partition_without_gpus(shape: Shape) -> None:
    shape(TWO)
    told = message({"m": 1})
    assert "a job of m asks for 1 GPU, and the partitions that jobs may go to have at most: cpu 0" in told
    assert "Partitions with enough: gpu. Run generate-slurm-partition-config" in told


def test_a_file_that_keeps_gpus_back(shape: Shape, tmp_path: Path) -> None:
    shape(TWO)
    file = tmp_path / "partitions.yaml"
    file.write_text("partitions: {cpu: {max_threads: 8}, gpu: {max_threads: 8}}")
    assert f"Write max_gpu: 4 at gpu in {file}" in message({"m": 1}, file)
    file.write_text("partitions: {cpu: {}, gpu: {max_gpu: 4}}")
    check_slurm({"m": 4}, file)


def test_a_file_of_another_cluster(shape: Shape, tmp_path: Path) -> None:
    shape(TWO)
    file = tmp_path / "partitions.yaml"
    file.write_text("partitions: {gpus: {max_gpu: 4}}")
    assert message({"m": 0}, file) == (
        f"{file}: partitions: 'gpus' is no partition of this cluster. Known: cpu, gpu. Did you mean 'gpu'?"
    )


def test_what_can_be_placed_passes(shape: Shape) -> None:
    shape(TWO)
    check_slurm({"m": 0})
    check_slurm({"m": 4}, named=True)
