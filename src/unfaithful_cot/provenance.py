"""Where a result comes from: hashes of content, of code and of the installed packages.

`code_hash` is what lets Snakemake rerun a rule when a module that it reaches changes, and no other:
Snakemake itself sees the script, not what the script imports. The walk parses import statements
and executes nothing. Python files are compared by their syntax tree, so comments, docstrings and layout count as no change.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "unfaithful_cot"
ROOT = Path(__file__).resolve().parent
NOTES = Path(".snakemake/syntax_trees")  # of the working folder: {hash of a file: what was read in it}
PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "bitsandbytes",
    "snakemake",
    "openai",
)


def text_hash(text: str) -> str:
    """The first 16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def value_hash(value: object) -> str:
    """text_hash of the canonical JSON of a value made of builtins."""
    return text_hash(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def file_hash(path: Path | str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def versions() -> dict[str, str]:
    """Installed versions of the packages that a result depends on; those absent are left out."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _file_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split(".")[1:])
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """A module and the statements in it, at any depth: expressions, most of a tree, hold neither imports nor docstrings."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo += getattr(node, part, ())


def _read(source: bytes, path: Path) -> tuple[str, list[str]]:
    """Hash of a module's syntax tree without docstrings, and the names of the package that it imports."""
    tree = ast.parse(source, str(path))
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return text_hash(ast.dump(tree)), sorted(name for name in names if name.split(".")[0] == PACKAGE)


@cache
def _parsed(path: Path) -> tuple[str, frozenset[str]]:
    """What `_read` says, of modules that exist. Every process of a run asks, so it is noted under the hash of the file's bytes."""
    source = path.read_bytes()
    key = hashlib.sha256(sys.version.encode() + source).hexdigest()[:32]
    note = NOTES / f"{key}.json"
    try:
        tree, names = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        tree, names = _read(source, path)
        _note(note, json.dumps([tree, names]))
    return tree, frozenset(name for name in names if _file_of(name))


def _note(path: Path, text: str) -> None:
    """Write a note in one move, where Snakemake has a folder; a disk that refuses costs the next process half a second."""
    if path.parent.parent.is_dir():
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(text, encoding="utf-8")
            part.replace(path)


def reached_modules(module: str) -> list[str]:
    """The module itself and every module of the package that it imports, directly or not, sorted."""
    todo, seen = [module], set[str]()
    while todo:
        name = todo.pop()
        path = _file_of(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        parts = name.split(".")
        parents = [".".join(parts[:depth]) for depth in range(1, len(parts))]
        todo += [*parents, *_parsed(path)[1]]
    return sorted(seen)


def code_hash(module: str) -> str:
    """One hash over the syntax trees of all modules that `module` reaches.

    Raises: ValueError when the module does not exist (a typing error in a rule).
    """
    if _file_of(module) is None:
        raise ValueError(f"no module {module} in {ROOT}")
    modules = reached_modules(module)
    return value_hash([(name, _parsed(path)[0]) for name in modules if (path := _file_of(name))])
