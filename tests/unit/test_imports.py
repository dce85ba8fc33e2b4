"""Imports go one way, a light import stays light, and functions stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src" / "unfaithful_cot"
FILES = sorted(SRC.rglob("*.py"))

# A room imports rooms of the lines above its own, and itself. `corpus` and `cases` write with the grammar of `reference`.
LAYERS = [
    ["errors", "provenance"],
    ["jsonl"],
    ["records"],
    ["experiments"],
    ["config"],
    ["channels", "prompts", "host"],
    ["endpoints", "models", "reference"],
    ["corpus", "cases", "training", "inference", "grading", "hub"],
    ["metrics"],
    ["plan"],
    ["report"],
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "bitsandbytes", "accelerate"}


def room(file: Path) -> str:
    relative = file.relative_to(SRC)
    return relative.parts[0].removesuffix(".py")


def imported_rooms(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "unfaithful_cot":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unfaithful_cot."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("unfaithful_cot.")
            }
    return found


def functions(file: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def own_lines(function: ast.FunctionDef) -> int:
    """Lines of the body, without the docstring and without definitions inside."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    inner = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    spans = [(node.end_lineno or 0) - node.lineno + 1 for node in inner]
    return (function.end_lineno or 0) - body[0].lineno + 1 - sum(spans) if body else 0


def test_every_room_has_a_rank() -> None:
    assert {room(file) for file in FILES} - {"__init__"} == set(RANK)


def test_imports_go_one_way() -> None:
    assert not imported_rooms(SRC / "__init__.py")
    wrong = [
        f"{file.relative_to(SRC)} imports {there}"
        for file in FILES
        for there in sorted(imported_rooms(file))
        if there != room(file) and RANK[there] >= RANK[room(file)]
    ]
    assert wrong == []


def test_the_package_knows_nothing_of_snakemake() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "snakemake"], file


def test_importing_every_module_loads_no_model_library() -> None:
    modules = [".".join(("unfaithful_cot", *file.relative_to(SRC).with_suffix("").parts)) for file in FILES]
    modules = [name.removesuffix(".__init__") for name in modules]
    code = (
        f"import sys\nfor name in {modules!r}: __import__(name)\nprint(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_functions_stay_short() -> None:
    long = [
        f"{file.relative_to(SRC)}: {function.name}: {own_lines(function)} lines"
        for file in FILES
        for function in functions(file)
        if own_lines(function) > 40
    ]
    assert long == []


def test_modules_and_public_functions_are_documented() -> None:
    bare = []
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree) and file.name != "__init__.py":
            bare.append(str(file.relative_to(SRC)))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                bare += [] if ast.get_docstring(node) else [f"{file.relative_to(SRC)}: {node.name}"]
    assert bare == []
