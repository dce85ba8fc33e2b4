"""The files of a replay of foreign transcripts: what is read from a folder, and what comes of it.

In: the folder, which is listed; the folder of the replay. Out: paths.
Errors: SettingsError for a folder that holds no transcripts, or none that is named.
"""

from __future__ import annotations

from pathlib import Path

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.folder import CASES, find_transcripts

GRADERS = ("rules", "published")  # no model and no key, and the published figures beside the corrected ones
TABLES = (
    "metrics.csv",
    "rejected.csv",
    "comparisons.csv",
    "agreement.csv",
    "agreement.json",
    "readings.json",
)
SHOWN = ("figures/replay.svg", "figures/replay.png", "report.html")


class ReplayFiles:
    """Paths of a replay by what they hold.

    Args:
        root: The folder of the replay, results/{study}/replay.
        folder: That of the transcripts; None where none is named.

    Raises:
        SettingsError: The folder is none, or holds no transcripts.
    """

    def __init__(self, root: str, folder: str | None) -> None:
        self.root = root
        self.transcripts = find_transcripts(folder) if folder else {}
        self.labelled = [name for name, found in self.transcripts.items() if found.labels]
        known = Path(folder or "") / CASES
        self.known_cases = [str(known)] if self.transcripts and known.is_file() else []

    def each(self, kind: str) -> list[str]:
        """A file of each transcript. kind: cases, responses or origins."""
        return [f"{self.root}/{kind}/{name}.jsonl" for name in self.transcripts]

    @property
    def labels(self) -> list[str]:
        """The labels of each transcript that has some."""
        return [f"{self.root}/labels/{name}.jsonl" for name in self.labelled]

    @property
    def rejected(self) -> list[str]:
        """What could not be read of transcripts and labels."""
        names = [*self.transcripts, *(f"{name}.labels" for name in self.labelled)]
        return [f"{self.root}/rejected/{name}.json" for name in names]

    @property
    def grades(self) -> list[str]:
        """Verdicts of each grader on each transcript."""
        return [
            f"{self.root}/grades/{name}.{grader}.jsonl" for name in self.transcripts for grader in GRADERS
        ]

    @property
    def sources(self) -> list[str]:
        """The files of the folder that are read."""
        read = [path for found in self.transcripts.values() for path in (found.path, found.labels) if path]
        return [*map(str, read), *self.known_cases]

    @property
    def targets(self) -> list[str]:
        """Tables, figures and report.

        Raises:
            SettingsError: No folder is named.
        """
        if not self.transcripts:
            raise SettingsError(
                "transcripts",
                "no folder is named",
                "One with files {model}.{condition}.jsonl (docs/replay.md)",
                "Run: snakemake --cores 1 replay --config transcripts=FOLDER",
            )
        return [f"{self.root}/{name}" for name in (*TABLES, *SHOWN)]
