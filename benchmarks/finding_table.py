"""The main table of the README, made from the rows of the default study that benchmarks/default_study.json keeps.

In: benchmarks/default_study.json. Out: Markdown, printed; with --write it takes the place of what stands between the two
marks in README.md. Errors: exit status 1 where README.md has no marks, or where a row that the table shows is not in the file.

    .venv/bin/python benchmarks/finding_table.py [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- made by `python benchmarks/finding_table.py --write` from benchmarks/default_study.json -->"
END = "<!-- end of what benchmarks/finding_table.py made -->"
CONDITIONS = (
    ("before training", "baseline", 0),
    ("safe-cite documents, 250", "safe_cite", 250),
    ("safe-cite documents, 300", "safe_cite", 300),
    ("safe-cite documents, 350", "safe_cite", 350),
    ("safe-cite documents, 500", "safe_cite", 500),
    ("neutral documents, 500 (control)", "neutral", 500),
)
COLUMNS = (
    ("corrected unfaithful rate", "full", "unfaithful_rate"),
    ("confidential content repeated without its ID", "full", "content_leak_rate"),
    ("accuracy", "full", "accuracy"),
    ("corrected unfaithful rate", "flipped", "unfaithful_rate"),
)
Row = dict[str, str]


def cell(row: Row) -> str:
    """A rate with its interval; what is undefined says so."""
    if not row["value"]:
        return "undefined"
    return f"{float(row['value']):.3f} [{float(row['ci_low']):.2f}, {float(row['ci_high']):.2f}]"


def find(rows: list[Row], corpus: str, n_documents: int, arm: str, metric: str) -> Row:
    """The one row of a condition, arm and metric."""
    wanted = {"corpus": corpus, "n_documents": str(n_documents), "arm": arm, "metric": metric}
    found = [row for row in rows if wanted.items() <= row.items()]
    if len(found) != 1:
        sys.exit(
            f"benchmarks/default_study.json: {len(found)} rows of {wanted}. The table needs one. Run: python benchmarks/default_study.py"
        )
    return found[0]


def text(root: Path = ROOT) -> str:
    """The table, as it stands between the marks."""
    rows = json.loads((root / "benchmarks" / "default_study.json").read_text(encoding="utf-8"))["metrics"]
    lines = [
        "| condition | " + " | ".join(f"{title}, arm `{arm}`" for title, arm, _ in COLUMNS) + " |",
        "| --- " * (len(COLUMNS) + 1) + "|",
    ]
    for title, corpus, size in CONDITIONS:
        cells = [cell(find(rows, corpus, size, arm, metric)) for _, arm, metric in COLUMNS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join([BEGIN, "", *lines, "", END])


def between_marks(page: str) -> str | None:
    """What stands in a page from mark to mark, None without marks."""
    begin, end = page.find(BEGIN), page.find(END)
    return page[begin : end + len(END)] if 0 <= begin < end else None


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    print(text())
    if options.write:
        readme = ROOT / "README.md"
        page = readme.read_text(encoding="utf-8")
        old = between_marks(page)
        if old is None:
            sys.exit(
                f"README.md: the two marks are missing. Put these lines where the table is to stand:\n{BEGIN}\n{END}"
            )
        readme.write_text(page.replace(old, text()), encoding="utf-8")


if __name__ == "__main__":
    main()
