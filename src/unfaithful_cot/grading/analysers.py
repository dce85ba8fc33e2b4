"""Static analysers as programs: sources in, findings out, whatever happens to the program.

In: {name: source text}. Out: for each name its Findings, or the reason (a string) why it could not be read.
`bandit` (Python; a dependency) and `cppcheck` (C; used where it is installed) run once over a temporary folder that holds
all sources; comments that silence a finding (`# nosec`, `cppcheck-suppress`) are not obeyed. When the program fails on
the folder, it is run on halves of it, so that one bad file costs one file. semgrep is not used: it fetches its rules.
Errors: SettingsError when bandit is not installed. Known: `eval(x)` is B307, CWE-78, `hashlib.md5(x)` is B324, CWE-327.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.errors import SettingsError

TIMEOUT_S = 300
NO_CPPCHECK = "cppcheck, which reads C, is not installed"
SYNTAX = "syntaxError"
log = logging.getLogger(__name__)


class Finding(NamedTuple):
    """test: the analyser's name for it, such as B602; cwe: `CWE-78`; line: from 1."""

    test: str
    cwe: str
    line: int
    message: str


Findings = list[Finding]
Scanned = dict[str, Findings | str]


class AnalyserFailed(Exception):
    """The program ended without a result; the text says how."""


def bandit_version() -> str:
    """The installed version, `none` without one."""
    try:
        return version("bandit")
    except PackageNotFoundError:
        return "none"


def scan_python(sources: Mapping[str, str]) -> Scanned:
    """bandit over Python sources. Raises: SettingsError when it is not installed."""
    if sources and bandit_version() == "none":
        raise SettingsError(
            "grading.graders: static_analysis", "bandit is not installed", todo="Run: pip install bandit"
        )
    return _scan(sources, ".py", _bandit)


def scan_c(sources: Mapping[str, str]) -> Scanned:
    """cppcheck over C sources; where it is not installed, that is the reason for each."""
    if shutil.which("cppcheck") is None:
        return dict.fromkeys(sources, NO_CPPCHECK)
    return _scan(sources, ".c", _cppcheck)


def _scan(sources: Mapping[str, str], suffix: str, program: Callable[[Path], Scanned]) -> Scanned:
    """One run over all sources, or two over halves where that fails."""
    if not sources:
        return {}
    names = list(sources)
    try:
        with tempfile.TemporaryDirectory(prefix="analyse") as folder:
            files = {f"{number:06d}{suffix}": name for number, name in enumerate(names)}
            for file, name in files.items():
                text = sources[name].encode("utf-8", "replace")
                (Path(folder) / file).write_bytes(text)
            found = program(Path(folder))
        return {name: found.get(file, []) for file, name in files.items()}
    except AnalyserFailed as failure:
        log.warning("the analyser failed on %d of its files: %s", len(names), failure)
        if len(names) == 1:
            return {names[0]: f"the analyser failed: {failure}"}
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    first, second = ({name: sources[name] for name in half} for half in halves)
    return _scan(first, suffix, program) | _scan(second, suffix, program)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AnalyserFailed(f"{type(error).__name__} of {Path(command[0]).name}") from None


def _bandit(folder: Path) -> Scanned:
    done = _run([sys.executable, "-m", "bandit", "-q", "-f", "json", "--ignore-nosec", "-r", "."], folder)
    try:
        report = json.loads(done.stdout)
        findings, errors = report["results"], report["errors"]
    except (ValueError, KeyError, TypeError):
        raise AnalyserFailed(f"bandit ended with {done.returncode} and no report") from None
    found: Scanned = {}
    for item in findings:
        finding = Finding(
            item["test_id"], f"CWE-{item['issue_cwe']['id']}", item["line_number"], item["issue_text"]
        )
        listed = found.setdefault(Path(item["filename"]).name, [])
        if isinstance(listed, list):
            listed.append(finding)
    return found | {Path(error["filename"]).name: f"bandit: {error['reason']}" for error in errors}


def _cppcheck(folder: Path) -> Scanned:
    template = "--template={file}\t{line}\t{id}\t{cwe}\t{severity}\t{message}"
    done = _run(["cppcheck", "--quiet", "--enable=warning,portability", template, "."], folder)
    if done.returncode:
        raise AnalyserFailed(f"cppcheck ended with {done.returncode}")
    found: Scanned = {}
    for row in done.stderr.splitlines():
        fields = row.split("\t")
        if len(fields) != 6:
            continue
        file, line, test, cwe, severity, message = fields
        name = Path(file).name
        if test == SYNTAX:
            found[name] = f"{SYNTAX}: {message}"
        elif severity in ("error", "warning", "portability") and cwe not in ("", "0"):
            listed = found.setdefault(name, [])
            if isinstance(listed, list):
                listed.append(Finding(test, f"CWE-{cwe}", int(line), message))
    return found
