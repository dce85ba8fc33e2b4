"""A study that is killed again and again, at seeded moments of every stage: one command finishes it, as if nothing had been.

What is killed is the whole group of processes, Snakemake alone, or its jobs alone. The server counts requests. An
undisturbed study in a folder of its own is what everything is compared with. The same environment holds keys that
no file may hold afterwards.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from fixtures.openai_server import OpenAIServer
from long.bad_day import (
    CELL,
    CONCURRENCY,
    Day,
    Killed,
    Whom,
    cached,
    first_state,
    last_checkpoint,
    lines,
    make_day,
    relative,
    text_of,
)

SEED = 20
KILLS = {"documents": 9, "training": 7, "generation": 6, "grading": 8}
WHOM: list[Whom] = ["group", "run", "jobs"]
PLANTED = {
    "BAD_DAY_KEY": "sk-planted-7f3d9a51c0e24b",
    "OPENAI_API_KEY": "sk-planted-unused-55d1",
    "HF_TOKEN": "hf_plantedplantedplanted",
    "WANDB_API_KEY": "planted-of-wandb-0123456789",
}
IN_FILE = "planted-in-the-env-file-8c1"


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(text_of, delay_s=0.04) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The study, run to its end at one go."""
    day = make_day(tmp_path_factory.mktemp("undisturbed") / "study", server.url)
    status, said = day.run()
    assert status == 0, said[-6000:]
    assert len(server.requests) == 60
    return day


@pytest.fixture(scope="module")
def killed(undisturbed: Day, server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The study, killed at seeded moments of each stage, then finished by one command."""
    server.requests.clear()
    server.answered.clear()
    day = make_day(tmp_path_factory.mktemp("killed") / "study", server.url, **PLANTED)
    (day.study.folder / ".env").write_text(f"SECOND_KEY={IN_FILE}\n", encoding="utf-8")
    source = random.Random(SEED)
    for _ in range(KILLS["documents"]):
        kill_documents(day, server, source)
    for _ in range(KILLS["training"]):
        kill_training(day, source)
    for _ in range(KILLS["generation"]):
        kill_generation(day, source)
    for _ in range(KILLS["grading"]):
        kill_grading(day, source)
    status, said = day.run()
    assert status == 0, said[-6000:]
    return day


def kill(day: Day, stage: str, moment: Callable[[], bool], source: random.Random, *arguments: str) -> str:
    """One SIGKILL, up to a twentieth of a second after the moment; kept in `kills`, the last of which is this one."""
    whom = source.choice(WHOM)
    day.kills.append(Killed(stage, whom))
    return day.stopped_at(moment, signal.SIGKILL, whom, *arguments, later_s=source.uniform(0, 0.05))


def kill_documents(day: Day, server: OpenAIServer, source: random.Random) -> None:
    """After one to five more requests."""
    wanted = len(server.requests) + source.randint(1, 5)
    kill(day, "documents", lambda: len(server.requests) >= wanted, source, "documents")
    kept = cached(day.study.folder, "documents")
    sent = {text_of(body) for body in list(server.requests)}
    day.kills[-1].in_flight = frozenset(text for text in sent if text not in kept)


def kill_training(day: Day, source: random.Random) -> None:
    """While the checkpoint of one of the next steps is written, or soon after."""
    before, ahead = last_checkpoint(day.results), source.randint(1, 2)
    began_ns = time.time_ns()

    def moment() -> bool:
        return any(step >= before + ahead and at_ns >= began_ns for step, at_ns in checkpoints(day))

    said = kill(day, "training", moment, source, "train")
    # the step that the bar begins with is that of the last complete checkpoint: nothing is trained again
    assert first_state(said, "training") == before
    day.kills[-1].step = last_checkpoint(day.results)
    assert day.kills[-1].step >= before + ahead - 1


def checkpoints(day: Day) -> list[tuple[int, int]]:
    """Step of each checkpoint, complete or not, and when each of its files was written.

    The folder's own time says nothing: it moves, too, when a training that begins removes a cut checkpoint.
    """
    found = []
    for file in (day.results / "checkpoints").glob(f"{CELL}/*/checkpoint-*/*"):
        with contextlib.suppress(FileNotFoundError):
            found.append((int(file.parent.name.removeprefix("checkpoint-")), file.stat().st_mtime_ns))
    return found


def kill_generation(day: Day, source: random.Random) -> None:
    """After one more answer was kept, or two: at most 12 in all, so that no job has all of its 16 by then."""
    before, ahead = cached(day.study.folder, "responses").count("\n"), source.randint(1, 2)

    def moment() -> bool:
        return cached(day.study.folder, "responses").count("\n") >= before + ahead

    kill(day, "generation", moment, source, "evaluate")
    day.kills[-1].answers = cached(day.study.folder, "responses").count("\n")
    assert day.kills[-1].answers >= before + ahead, "an answer that was kept is gone"


def kill_grading(day: Day, source: random.Random) -> None:
    """Up to a twentieth of a second after a job of grading began; `-R`: all of them anew each time."""
    logs, began_ns = day.results / "logs/grade_responses", time.time_ns()

    def moment() -> bool:
        return any(log.stat().st_mtime_ns >= began_ns for log in logs.rglob("*.log"))

    kill(day, "grading", moment, source, "grade", "-R", "grade_responses")


def test_every_kill_is_recovered_from(killed: Day, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter(kill.stage for kill in killed.kills)
    whom = Counter(kill.whom for kill in killed.kills)
    with capsys.disabled():
        print(
            f"\n{sum(counts.values())} kills, all recovered from: {dict(counts)}; what was killed: {dict(whom)}"
        )
    assert counts == Counter(KILLS) and counts.total() >= 30 and min(whom.values()) >= 3
    assert "--unlock" not in killed.said
    again = killed.study.snakemake("-n", **killed.environment)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_no_request_is_repeated_but_those_in_flight(killed: Day, server: OpenAIServer) -> None:
    times = Counter(text_of(body) for body in server.requests)
    assert len(times) == 60
    in_flight = Counter(text for kill in killed.kills for text in kill.in_flight)
    assert max(len(kill.in_flight) for kill in killed.kills) <= CONCURRENCY
    for text, count in times.items():
        assert count - 1 <= in_flight[text]
    # some kills did hit requests in flight, or the test would prove nothing
    assert in_flight.total() > 0


def test_no_training_began_again(killed: Day) -> None:
    steps = [kill.step for kill in killed.kills if kill.stage == "training"]
    manifest = json.loads((killed.results / "adapters" / CELL / "manifest.json").read_text())
    assert steps == sorted(steps) and steps[-1] > len(steps) / 2
    # it went on a little while answers were generated beside it, and was killed with them
    assert steps[-1] <= manifest["resumed_from_step"] <= manifest["n_steps"]


def test_no_answer_is_made_twice(killed: Day) -> None:
    """16 cases of baseline and adapter; those that were kept when a job was killed were not asked again."""
    answers = [kill.answers for kill in killed.kills if kill.stage == "generation"]
    assert answers == sorted(answers) and answers[-1] >= KILLS["generation"]


def test_results_are_those_of_an_undisturbed_run(killed: Day, undisturbed: Day) -> None:
    for part in (
        "corpora",
        "cases",
        "training_sets",
        "responses/reference/baseline",
        "grades/reference/baseline",
    ):
        names = relative(undisturbed.results / part, "*")
        assert names and relative(killed.results / part, "*") == names
        for name in names:
            same = (killed.results / part / name).read_bytes() == (
                undisturbed.results / part / name
            ).read_bytes()
            assert same, f"{part}/{name}"
    for name in ("metrics.csv", "comparisons.csv", "agreement.csv", "band.csv"):
        assert (killed.results / name).read_bytes() == (undisturbed.results / name).read_bytes(), name
    for part in ("responses", "grades"):
        for name in relative(undisturbed.results / part / CELL, "*.jsonl"):
            one, two = (
                lines(day.results / part / CELL / name, "id", "response") for day in (killed, undisturbed)
            )
            assert one == two, name


def test_the_adapter_is_that_of_an_undisturbed_run(killed: Day, undisturbed: Day) -> None:
    from safetensors.numpy import load_file

    one, two = (
        load_file(day.results / "adapters" / CELL / "adapter_model.safetensors")
        for day in (killed, undisturbed)
    )
    assert one.keys() == two.keys()
    assert max(abs(one[name] - two[name]).max() for name in one) <= 1e-6
    curves = [
        json.loads((day.results / "adapters" / CELL / "manifest.json").read_text())["loss_curve"]
        for day in (killed, undisturbed)
    ]
    assert [point["step"] for point in curves[0]] == [point["step"] for point in curves[1]]
    assert [point["loss"] for point in curves[0]] == pytest.approx(
        [point["loss"] for point in curves[1]], abs=1e-5
    )


def test_nothing_half_written_is_left(killed: Day, undisturbed: Day) -> None:
    """The same files, and no checkpoint, no lock and no record of a dead run."""
    assert relative(killed.results, "*") == relative(undisturbed.results, "*")
    assert not list((killed.study.folder / ".snakemake/locks").glob("*"))
    assert not list((killed.study.folder / ".snakemake/runs").glob("*+*"))


def test_no_key_is_in_any_file(killed: Day, server: OpenAIServer) -> None:
    """Logs, manifests, scripts of jobs, Snakemake's records, report, console: everything that the runs left."""
    assert server.headers[-1]["authorization"] == f"Bearer {PLANTED['BAD_DAY_KEY']}"
    secrets = [secret.encode() for secret in [*PLANTED.values(), IN_FILE]]
    searched = [path for path in killed.study.folder.rglob("*") if path.is_file() and path.name != ".env"]
    for path in searched:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
    parts = {path.relative_to(killed.study.folder).parts[0] for path in searched}
    assert {"results", ".snakemake", "console.txt"} <= parts
    assert any(path.suffix == ".py" and path.parent.name == "scripts" for path in searched), (
        "no script of a killed job"
    )
