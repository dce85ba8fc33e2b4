"""A copy of the repository in a folder of its own, and Snakemake in it, as a user would type it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fixtures import snakemake_server

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "config", "workflow", "src", "resources", "profiles", "pyproject.toml")
JOB = re.compile(r"^(?:local)?rule (\w+):\n((?: +.*\n)*)", re.MULTILINE)
WILDCARDS = re.compile(r"^ +wildcards: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Study:
    """A working folder; `config` is the file given to --configfile, none for the default study."""

    folder: Path
    config: str | None = None

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with the package of the copy; the caller looks at the exit status.

        With an environment of its own it is a process of its own, which reads that from its first import on.
        """
        if not environment:
            return self.forked(*arguments)
        return subprocess.run(
            self.command(*arguments, *self.configfile),
            cwd=self.folder,
            env=self.environment() | environment,
            text=True,
            capture_output=True,
            timeout=600,
        )

    def forked(self, *arguments: str, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
        """The same, of a server that has Snakemake loaded already."""
        command = [*arguments, *self.configfile]
        return snakemake_server.run(command, self.folder, self.environment(hash_seed), hash_seed, 600)

    @property
    def configfile(self) -> list[str]:
        return ["--configfile", self.config] if self.config else []

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def environment(self, hash_seed: int = 0) -> dict[str, str]:
        """That of the tests, with the copy's package first and one thread for each library."""
        return os.environ | {
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONHASHSEED": str(hash_seed),
            "OMP_NUM_THREADS": "1",
        }

    def planned(self, *arguments: str, hash_seed: int = 0) -> Counter[tuple[str, str]]:
        """{(rule, wildcards): jobs} of a dry-run, the targets without a script left out."""
        done = self.forked("-n", *arguments, hash_seed=hash_seed)
        assert done.returncode == 0, done.stderr + done.stdout
        found: Counter[tuple[str, str]] = Counter()
        for rule, block in JOB.findall(done.stdout + done.stderr):
            wildcards = WILDCARDS.search(block)
            found[rule, wildcards.group(1) if wildcards else ""] += 1
        return Counter({job: count for job, count in found.items() if job[0] != "all"})

    def rules(self, *arguments: str, hash_seed: int = 0) -> Counter[str]:
        """{rule: jobs} of a dry-run."""
        found: Counter[str] = Counter()
        for (rule, _), count in self.planned(*arguments, hash_seed=hash_seed).items():
            found[rule] += count
        return found

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands there exactly once."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path}: {old!r} stands there {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        """Add to the end of a file."""
        with (self.folder / path).open("a", encoding="utf-8") as file:
            file.write(text)


def copy_repository(folder: Path) -> None:
    """Copy what a run needs, compiled modules too, without what runs and tools left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    left = shutil.ignore_patterns("*.egg-info", ".*", "*.pyc.*")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=left)
        else:
            shutil.copy2(source, folder / part)
