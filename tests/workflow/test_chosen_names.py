"""A rule file reads no name of other files that it does not list under USES."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake import io
from snakemake.parser import parse
from snakemake.sourcecache import LocalSourceFile

from workflow.study import ROOT

FOLDER = ROOT / "workflow" / "rules"
FILES = sorted(path.name for path in FOLDER.glob("*.smk"))
OF_SNAKEMAKE = {"workflow", "rules", "config", "report", "script", "subpath", *vars(io)}


class Cache:
    """What Snakemake's parser asks for the text of a file."""

    def open(self, file: LocalSourceFile, mode: str = "r") -> object:
        return Path(file.get_path_or_uri(secret_free=True)).open(mode, encoding="utf-8")


def python_of(name: str) -> ast.Module:
    """The Python that Snakemake makes of a rule file."""
    file = LocalSourceFile(str(FOLDER / name))
    code, _ = parse(file, SimpleNamespace(sourcecache=Cache()), {})
    return ast.parse(code)


def free_names(tree: ast.Module) -> set[str]:
    """Names that the file reads and does not make itself."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ExceptHandler)}  # type: ignore[misc]
    made |= {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {node.id for node in names} - made - set(dir(builtins)) - OF_SNAKEMAKE


def listed(name: str) -> set[str]:
    """The names after USES in the docstring or the comment at the top of a rule file; none where nothing is used."""
    head = re.search(
        r"^#? ?USES +(.*?)(?=^#? ?[A-Z]+ BY|^\"\"\"|\n\n)",
        (FOLDER / name).read_text(encoding="utf-8"),
        re.M | re.S,
    )
    return set(re.findall(r"\w+", head[1])) if head else set()


@pytest.mark.parametrize("name", FILES)
def test_a_rule_file_lists_what_it_uses(name: str) -> None:
    assert free_names(python_of(name)) == listed(name)


@pytest.mark.parametrize("name", FILES)
def test_what_is_used_stands_in_common(name: str) -> None:
    """Nothing is handed from one rule file to another but rules."""
    tree = python_of("common.smk")
    made = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    made |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    made |= {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert listed(name) <= made
