"""Every command of README.md is run, in a copy of the repository; what would take long is run as its plan.

    make TARGET ...             make -n TARGET ...        what would be done is printed, nothing is done
    snakemake --unlock          as it stands
    snakemake --report FILE     as it stands, on the finished smoke study
    snakemake ...               with -n, where that is not there already
    python benchmarks/X ...     with --help
    source PATH                 PATH has to be in the environment that the Makefile makes
    cp FROM TO                  as it stands

Any other form is an error of this test: add it here, or take it out of the README. A YAML block whose first line is
`# config/NAME.yaml` is that file.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.study import ROOT, Study, copy_repository

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:snakemake|make|source|python|pip|cp|git) [^`]+)`")
NEEDED = ("Makefile", "README.md", "requirements.lock", "requirements-dev.lock", ".env.example", "benchmarks")


def commands(text: str) -> list[str]:
    """Lines of the bash blocks, continued ones joined, and commands in backquotes; each once, in order."""
    blocks = [body for language, body in FENCE.findall(text) if language in ("bash", "sh", "console")]
    lines = [line.strip() for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    written = [line.split(" # ")[0].strip() for line in lines if line and not line.startswith("#")]
    return list(dict.fromkeys(written + INLINE.findall(FENCE.sub("", text))))


def as_run(command: str) -> list[str]:
    """What this test runs for a command; an unknown form is a failure."""
    words = shlex.split(command)
    program, rest = Path(words[0]).name, words[1:]
    if program == "make":
        return ["make", "-n", *rest]
    if program == "snakemake":
        plain = {"-n", "--dry-run", "--unlock", "--report"} & set(rest)
        return [sys.executable, "-m", "snakemake", *rest, *([] if plain else ["-n"])]
    if program == "python" and rest[0].startswith("benchmarks/"):
        return [sys.executable, *rest, "--help"]
    if program == "source" and rest == [".venv/bin/activate"]:
        return ["grep", "-qx", "VENV := .venv", "Makefile"]
    if program == "cp":
        return words
    raise AssertionError(
        f"README.md: `{command}` has a form that tests/workflow/test_readme.py does not know"
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A copy of the repository with the configuration files that the README shows."""
    folder = tmp_path_factory.mktemp("readme")
    copy_repository(folder)
    for name in NEEDED:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    for language, body in FENCE.findall(TEXT):
        shown = re.match(r"# (config/\S+\.yaml)\n", body)
        if language == "yaml" and shown:
            (folder / shown.group(1)).write_text(body, encoding="utf-8")
    return Study(folder)


def test_the_readme_shows_commands() -> None:
    assert {"make run", "make test", "snakemake -n"} <= set(commands(TEXT))


@pytest.mark.parametrize("command", commands(TEXT))
def test_a_command_of_the_readme(command: str, clone: Study, request: pytest.FixtureRequest) -> None:
    run, study = as_run(command), clone
    if "--report" in run:
        study = request.getfixturevalue("study")
        run += ["--configfile", str(study.config)]
    if run[1:3] == ["-m", "snakemake"]:
        done = Study(study.folder).snakemake(*run[3:])
    else:
        done = subprocess.run(
            run, cwd=study.folder, env=study.environment(), text=True, capture_output=True, timeout=300
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    "command", ["curl x | sh", "python -m other", "source elsewhere/activate", "pip install x"]
)
def test_an_unknown_form_is_an_error(command: str) -> None:
    with pytest.raises(AssertionError, match="does not know"):
        as_run(command)


def test_commands_are_found_in_blocks_and_in_backquotes() -> None:
    text = "a `make run` b `x.yaml`\n```bash\n# note\nsnakemake -n \\\n  all\nmake test  # why\n```\n```yaml\na: b\n```\n"
    assert [shlex.split(line) for line in commands(text)] == [
        ["snakemake", "-n", "all"],
        ["make", "test"],
        ["make", "run"],
    ]
