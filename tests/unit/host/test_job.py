"""Settings to params, params to arguments, errors to one message."""

from __future__ import annotations

import errno
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.iocontainers import InputFiles, OutputFiles, Params, Wildcards
from snakemake.persistence import UNREPRESENTABLE, PersistenceBase

from unfaithful_cot.config.documents import DocumentSettings, QualitySettings
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.errors import DataError, ModelError, SettingsError
from unfaithful_cot.host.job import called, named_arguments, run_rule
from unfaithful_cot.host.params import Untracked, call, flat
from unfaithful_cot.host.progress import bar, progress
from unfaithful_cot.provenance import code_hash, text_hash

QUALITY = QualitySettings(near_duplicate=0.5, min_words=7)


@pytest.fixture
def job(tmp_path: Path) -> SimpleNamespace:
    """What Snakemake hands to a script, of its own classes."""
    return SimpleNamespace(
        rule="look",
        threads=3,
        wildcards=Wildcards(fromdict={"corpus": "safe_cite"}),
        params=Params(
            fromdict={"quality__min_words": 7, "quality__near_duplicate": 0.5, "count_": 9, "code": "f00"}
        ),
        output=OutputFiles(fromdict={"out": "o.jsonl"}),
        input=InputFiles(fromdict={"one": "a", "several": ["b", "c"]}),
        log=[str(tmp_path / "logs" / "rule.log")],
    )


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Any]:
    """A job whose function takes one file."""
    before = logging.root.handlers[:]
    yield SimpleNamespace(
        threads=1,
        wildcards=Wildcards(),
        params=Params(),
        output=OutputFiles(),
        input=InputFiles(fromdict={"one": "a"}),
        log=[str(tmp_path / "logs" / "rule.log")],
    )
    logging.root.handlers[:] = before


def test_a_leaf_is_a_param_and_names_stand_beside_the_values() -> None:
    assert flat("quality", QUALITY, "near_duplicate", "min_words") == {
        "quality__near_duplicate": 0.5,
        "quality__min_words": 7,
        "tracked_quality": "near_duplicate=0.5, min_words=7",
    }


def test_a_name_that_snakemake_keeps_for_itself_gets_an_underscore() -> None:
    settings = DocumentSettings(count=3)
    assert flat("", settings, "count", "seed") == {"count_": 3, "seed": 0, "tracked_count": "count=3, seed=0"}
    Params(fromdict=flat("", settings, "count"))


def test_braces_in_a_setting_are_no_wildcard() -> None:
    # a string with {name} in a param would be filled in by Snakemake; what a function returns is left as it is
    params = flat("", EndpointSettings(model="{adapter}"), "model", "kind")
    assert params["kind"] == "openai"
    assert params["model"]({}) == "{adapter}"
    assert params["tracked_model"]({}) == "model='{adapter}', kind='openai'"


def test_leaves_by_a_wildcard() -> None:
    models = {
        name: ModelSettings(source=f"hub/{name}", label=name, parameters=1, gpus=0, memory_mb=1)
        for name in ("a", "b")
    }
    params = flat("base", models, "source", by="model")
    job = Wildcards(fromdict={"model": "b"})
    assert {key: value(job) for key, value in params.items()} == {
        "base__source": "hub/b",
        "tracked_base": "source='hub/b'",
    }


def test_values_that_swap_change_what_snakemake_compares() -> None:
    """Snakemake compares sorted values: 4 and 8 are 8 and 4 to it, were it not for the string with the names."""
    first = QualitySettings(near_duplicate=1, min_words=1, max_failed=0)
    second = QualitySettings(near_duplicate=0, min_words=1, max_failed=1)
    compared = [sorted(map(repr, flat("q", one).values())) for one in (first, second)]
    assert compared[0] != compared[1]
    without_names = [
        sorted(repr(v) for k, v in flat("q", one).items() if k != "tracked_q") for one in (first, second)
    ]
    assert without_names[0] == without_names[1]


def test_what_is_untracked_is_never_compared() -> None:
    slow, fast = (flat("endpoint", EndpointSettings(concurrency=n)) for n in (1, 200))
    serialise = PersistenceBase._serialize_param_builtin
    assert serialise(None, slow["endpoint__concurrency"]) is UNREPRESENTABLE
    tracked = [
        {key: value for key, value in params.items() if not isinstance(value, Untracked)}
        for params in (slow, fast)
    ]
    assert tracked[0] == tracked[1] and "concurrency" not in tracked[0]["tracked_endpoint"]
    job = SimpleNamespace(threads=1, wildcards={}, params=fast, output={}, input={})
    assert named_arguments(lambda endpoint: None, job)["endpoint"]["concurrency"] == 200


def test_a_part_below_is_compared_by_what_it_decides() -> None:
    """The endpoint that answers: more requests in flight rerun nothing, another model does."""

    def compared(**endpoint: Any) -> list[str]:
        params = flat("inference", InferenceSettings(endpoint=EndpointSettings(**endpoint)))
        given = [value(None) if callable(value) else value for value in params.values()]
        return sorted(repr(value) for value in given if not isinstance(value, Untracked))

    assert compared(concurrency=1) == compared(concurrency=200)
    assert compared(model="a") != compared(model="b")
    job = SimpleNamespace(
        threads=1,
        wildcards={},
        output={},
        input={},
        params=flat("inference", InferenceSettings(batch_rows=7)),
    )
    given = named_arguments(lambda inference: None, job)["inference"]
    assert (given["batch_rows"], given["endpoint"]["concurrency"]) == (7, 64)


def test_arguments_are_found_by_name(job: Any) -> None:
    def rule(
        one: str, several: list[str], out: str, corpus: str, quality: dict[str, Any], count: int, threads: int
    ) -> None:
        pass

    assert named_arguments(rule, job) == {
        "one": "a",
        "several": ["b", "c"],
        "out": "o.jsonl",
        "corpus": "safe_cite",
        "quality": {"min_words": 7, "near_duplicate": 0.5},
        "count": 9,
        "threads": 3,
    }


def look(
    corpus: str, one: str, several: list[str], out: str, quality: dict[str, Any], count: int = 3
) -> None:
    """A function of a rule: it has a default that a misnamed param would leave in place."""


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("params", "count_", "counts"),
        ("output", "out", "put"),
        ("input", "one", "on"),
        ("params", "quality__min_words", "qualities__min_words"),
    ],
)
def test_what_the_function_does_not_take_is_refused(job: Any, part: str, old: str, new: str) -> None:
    """A misnamed param would otherwise fall back to the function's default without a word."""
    assert named_arguments(look, job)["count"] == 9
    names = dict(getattr(job, part).items())
    names[new] = names.pop(old)
    setattr(job, part, type(getattr(job, part))(fromdict=names))
    with pytest.raises(SettingsError) as refused:
        named_arguments(look, job)
    group = old.removesuffix("_").partition("__")[0]
    assert f"rule look: '{new}' is no parameter of " in str(refused.value)
    assert f"test_job.look. Known: corpus, count, one, out, quality, several. Did you mean '{group}'?" in str(
        refused.value
    )


def test_what_only_reruns_a_job_is_no_argument(job: Any) -> None:
    """The weights in a model's folder, found by the function; the adapter beside the manifest; hashes and tracked values."""
    job.input = InputFiles(fromdict={"one": "a", "several": [], "needs__weights": ["w"]})
    job.output = OutputFiles(fromdict={"out": "o", "also__adapter": "x"})
    job.params = Params(
        fromdict={"quality__min_words": 7, **call("provenance.code_hash"), "tracked_quality": "min_words=7"}
    )
    assert named_arguments(look, job) == {
        "corpus": "safe_cite",
        "one": "a",
        "several": [],
        "out": "o",
        "quality": {"min_words": 7},
    }


def test_a_rule_names_the_function_that_it_calls(job: Any) -> None:
    """The function is never compared by Snakemake; the hash of its module is, unless it reruns nothing on purpose."""
    job.params = Params(fromdict=call("provenance.text_hash"))
    assert called(job) is text_hash
    assert job.params.code == code_hash("unfaithful_cot.provenance")
    assert isinstance(call("provenance.text_hash", tracked=False)["code"], Untracked)
    with pytest.raises(ValueError, match=r"no module unfaithful_cot\.provenances in"):
        call("provenances.text_hash")


def test_an_error_that_the_user_can_mend_is_one_message(
    bare: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def rule(one: str) -> None:
        raise DataError(one, "is wrong", todo="Mend it")

    with pytest.raises(SystemExit) as stop:
        run_rule(rule, bare)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "\na: is wrong. Mend it.\n\n"
    assert "a: is wrong. Mend it." in Path(bare.log[0]).read_text()


def test_a_bug_keeps_its_traceback(bare: Any) -> None:
    def rule(one: str) -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        run_rule(rule, bare)
    log = Path(bare.log[0]).read_text()
    assert "please report it" in log and "Traceback" in log


def test_an_interruption_says_that_nothing_is_lost(bare: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def rule(one: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stop:
        run_rule(rule, bare)
    assert stop.value.code == 130 and "run the same command again" in capsys.readouterr().err


def test_an_interruption_that_a_library_turned_into_an_error(
    bare: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries that load others lazily swallow KeyboardInterrupt and say that something cannot be imported."""

    def rule(one: str) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise ModelError("folder", "cannot be loaded") from None

    with pytest.raises(SystemExit) as stop:
        run_rule(rule, bare)
    message = capsys.readouterr().err
    assert (
        stop.value.code == 130
        and "run the same command again" in message
        and "cannot be loaded" not in message
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EFBIG, errno.EDQUOT])
def test_a_disk_without_room_is_no_bug_whoever_writes(
    bare: Any, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def rule(one: str) -> None:
        raise OSError(number, os.strerror(number), "figure.svg")

    with pytest.raises(SystemExit) as stop:
        run_rule(rule, bare)
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        f"\nfigure.svg: cannot be written ({os.strerror(number)}). Free space or choose another disk, then run the same "
        "command again: what was finished is kept.\n\n"
    )


def test_a_log_that_cannot_be_written_is_one_message(
    bare: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SystemExit):
        run_rule(lambda one: None, bare)
    message = capsys.readouterr().err
    assert f"{tmp_path}/logs/rule.log: cannot be written (" in message and "Traceback" not in message


def test_progress_yields_everything_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(iter("abc"), total=3, label="letters", unit="letter")) == ["a", "b", "c"]
    assert "letters: 100%" in capsys.readouterr().err


def test_a_bar_writes_whole_lines_and_no_state_twice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unfaithful_cot.host.progress.LINE_EVERY_S", 0.0)
    with bar(4, "answers of m/baseline", "case", initial=1) as shown:
        shown.set_postfix_str("failed 1", refresh=False)
        shown.update(2)
        shown.refresh()
        shown.update()
    lines = capsys.readouterr().err.split("\n")
    assert [line[:40] for line in lines] == [
        "answers of m/baseline:  25% |#####      "[:40],
        "answers of m/baseline:  75% |###########"[:40],
        "answers of m/baseline: 100% |###########"[:40],
        "",
    ]
    assert "| 3 of 4 cases, 00:00 gone, 00:00 left, failed 1" in lines[1] and "\r" not in "".join(lines)


def test_a_bar_that_is_left_early_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        for item in progress([1, 0], 2, "inverses", "number"):
            1 / item
    lines = capsys.readouterr().err.splitlines()
    assert "0 of 2 numbers" in lines[0] and "1 of 2 numbers" in lines[-1] and len(lines) == 2
