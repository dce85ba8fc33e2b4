"""Ctrl-C, a network that goes away and comes back, a folder in which another run is alive."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
import yaml

from fixtures.openai_server import Fault, OpenAIServer
from long.bad_day import (
    CELL,
    CONCURRENCY,
    Day,
    cached,
    first_state,
    last_checkpoint,
    make_day,
    settings,
    text_of,
)
from unfaithful_cot.host.runs import GOES_ON

GO_ON = "run the same command again to go on"


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(text_of, delay_s=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def day(server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """One study for all tests of this file, which go through its stages in order."""
    return make_day(tmp_path_factory.mktemp("stops") / "study", server.url)


def interrupted(said: str) -> None:
    """A clean stop: the message, no traceback, no lock."""
    assert GO_ON in said and "Traceback" not in said and "is a bug" not in said, said[-4000:]


def locks(day: Day) -> list[Path]:
    return list((day.study.folder / ".snakemake/locks").glob("*"))


def test_ctrl_c_while_documents_are_written(day: Day, server: OpenAIServer) -> None:
    said = day.stopped_at(lambda: len(server.requests) >= 12, signal.SIGINT, "group", "documents")
    interrupted(said)
    assert not locks(day)
    asked = [text_of(body) for body in list(server.requests)]
    kept = {text for text in asked if text in cached(day.study.folder, "documents")}
    assert len(asked) - CONCURRENCY <= len(kept) < 60
    status, said = day.run("documents")
    assert status == 0 and GOES_ON not in said, said[-3000:]
    times = Counter(text_of(body) for body in server.requests)
    assert len(times) == 60 and not [text for text in kept if times[text] > 1]


def test_ctrl_c_while_libraries_are_loaded_and_in_the_middle_of_a_training(day: Day) -> None:
    """Three times: as soon as the job has its log, while torch and transformers are loaded, between two steps."""
    log = day.results / "logs/train_adapter" / CELL.with_suffix(".log")
    for later_s in (0.0, 1.0):
        log.unlink(missing_ok=True)
        interrupted(day.stopped_at(log.exists, signal.SIGINT, "group", "train", later_s=later_s))
    said = day.stopped_at(lambda: last_checkpoint(day.results) >= 3, signal.SIGINT, "group", "train")
    interrupted(said)
    assert not locks(day)
    step = last_checkpoint(day.results)
    status, said = day.run("train")
    assert status == 0, said[-3000:]
    assert first_state(said, "training") == step


def test_ctrl_c_while_answers_are_generated(day: Day) -> None:
    said = day.stopped_at(
        lambda: cached(day.study.folder, "responses").count("\n") >= 2, signal.SIGINT, "group", "baseline"
    )
    interrupted(said)
    kept = cached(day.study.folder, "responses").count("\n")
    status, said = day.run("baseline")
    assert status == 0, said[-3000:]
    assert first_state(said, "answers of") == kept


def test_a_folder_where_another_run_is_alive(day: Day, server: OpenAIServer) -> None:
    """It is refused, with a line that says which run is alive; that one is not disturbed, and the folder is free afterwards."""
    before, delay_s = len(server.requests), server.delay_s
    shutil.rmtree(day.study.folder / "results/cache/documents")
    server.delay_s = 8.0  # the first run is kept busy until the second was refused
    first = day.start("documents", "-R", "generate_documents")
    wait_until(lambda: len(server.requests) > before, first)
    status, said = day.run("documents", "-R", "generate_documents")
    server.delay_s = delay_s
    assert first.poll() is None, "the first run was to be alive still"
    assert status == 1 and f"Another run is alive in this folder (process {first.pid} on " in said
    assert "cannot be locked" in said and "Traceback" not in said
    assert first.wait(120) == 0, day.said[-3000:]
    assert len(server.requests) == before + 60
    assert not locks(day)


def test_a_network_that_goes_away_and_comes_back(day: Day) -> None:
    """A run waits until it is back; one that is stopped while it waits is gone on with."""
    cache, gone = day.study.folder / "results/cache/documents", threading.Event()

    def fault(body: dict[str, object], number: int) -> Fault | None:
        return Fault(reset=True) if gone.is_set() else None

    with OpenAIServer(text_of, fault, delay_s=0.05) as server:
        config = day.study.folder / str(day.study.config)
        config.write_text(yaml.safe_dump(settings(server.url)), encoding="utf-8")
        for stopped in (False, True):
            shutil.rmtree(cache)
            answered, asked, said = len(server.answered), len(server.requests), len(day.said)
            run = day.start("documents", "-R", "generate_documents")
            wait_until(partial(more_than, server.answered, answered + 9), run)
            gone.set()
            wait_until(partial(more_than, server.requests, asked + 19), run)  # some of them in vain
            wait_until(partial(says, day, "no answers (connection); asked again in 2 s", said), run)
            if stopped:
                before = len(day.said)
                os.killpg(run.pid, signal.SIGINT)
                assert run.wait(60) == 1
                interrupted(day.said[before:])
            gone.clear()
            if stopped:
                run = day.start("documents", "-R", "generate_documents")
            assert run.wait(120) == 0, day.said[-3000:]
            # each answer was made once: none is lost, none is paid for twice
            assert len(server.answered) - answered == 60
            assert len({text_of(body) for body in server.answered}) == 60


def more_than(things: Sequence[object], count: int) -> bool:
    return len(things) > count


def says(day: Day, text: str, since: int) -> bool:
    return text in day.said[since:]


def wait_until(moment: Callable[[], bool], run: subprocess.Popen[bytes]) -> None:
    """Until something has happened; the run has to live until then."""
    end = time.monotonic() + 120
    while not moment():
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.01)
