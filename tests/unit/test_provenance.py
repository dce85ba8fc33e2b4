"""Hashes of code: what a module reaches counts, everything else does not."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from unfaithful_cot import provenance
from unfaithful_cot.provenance import code_hash, file_hash, reached_modules, value_hash, versions


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package a -> b -> c, where d is beside them and reached by none."""
    for name, text in {
        "__init__": "",
        "a": '"""A."""\nfrom unfaithful_cot import b\n',
        "b": "def f():\n    '''Lazy.'''\n    from unfaithful_cot.room.c import C\n    return C\n",
        "room/__init__": "",
        "room/c": "C = 1\n",
        "d": "D = 1\n",
    }.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    """A process looks at a file once; the tests change files within one."""
    provenance._file_of.cache_clear()
    provenance._parsed.cache_clear()


def hash_after(package: Path, name: str, text: str) -> str:
    (package / name).write_text(text)
    forget()
    return code_hash("unfaithful_cot.a")


def test_the_walk_follows_imports_inside_functions_too(package: Path) -> None:
    assert reached_modules("unfaithful_cot.a") == [
        "unfaithful_cot",
        "unfaithful_cot.a",
        "unfaithful_cot.b",
        "unfaithful_cot.room",
        "unfaithful_cot.room.c",
    ]


def test_a_change_in_a_reached_module_changes_the_hash(package: Path) -> None:
    before = code_hash("unfaithful_cot.a")
    assert hash_after(package, "room/c.py", "C = 2\n") != before
    assert hash_after(package, "room/c.py", "C = 1\n") == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.py", "D = 2\n"),
        ("room/c.py", "# a comment\nC   =   1\n\n"),
        ("a.py", '"""Another docstring."""\nfrom unfaithful_cot import b\n'),
        ("b.py", "def f():\n    'Other.'\n    from unfaithful_cot.room.c import C\n    return C\n"),
    ],
)
def test_other_modules_comments_docstrings_and_layout_do_not(package: Path, name: str, text: str) -> None:
    before = code_hash("unfaithful_cot.a")
    assert hash_after(package, name, text) == before


def test_a_new_module_that_is_imported_counts(package: Path) -> None:
    before = code_hash("unfaithful_cot.a")
    assert hash_after(package, "room/c.py", "from unfaithful_cot.d import D\nC = 1\n") != before


def test_an_unknown_module_is_a_typing_error_in_a_rule() -> None:
    with pytest.raises(ValueError, match=r"no module unfaithful_cot\.no\.such"):
        code_hash("unfaithful_cot.no.such")


def test_hashes_are_the_same_under_every_hash_seed() -> None:
    code = "from unfaithful_cot.provenance import code_hash, value_hash; print(code_hash('unfaithful_cot.report.report'), value_hash({'b': 1, 'a': [2.5, None]}))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


def test_a_value_hash_knows_no_order_of_keys_but_order_of_lists() -> None:
    assert value_hash({"a": 1, "b": 2}) == value_hash({"b": 2, "a": 1})
    assert value_hash([1, 2]) != value_hash([2, 1])
    # the canonical JSON of the value, hashed by hand
    assert value_hash({"b": 2, "a": "é"}) == hashlib.sha256('{"a":"é","b":2}'.encode()).hexdigest()[:16]


def test_a_file_hash_is_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    # SHA-256 of "abc", FIPS 180-2, appendix B.1: ba7816bf 8f01cfea ...
    assert file_hash(tmp_path / "x") == "ba7816bf8f01cfea"


def test_versions_name_what_is_installed() -> None:
    assert versions()["torch"].startswith("2.13.0")


def test_imports_are_found_in_every_kind_of_statement(package: Path) -> None:
    """try, else, finally, with, loops, match, classes, async functions and lambdas beside them."""
    (package / "b.py").write_text(
        "f = lambda: (1 if f else 2)\n"
        "class A:\n    async def g(self):\n        match self:\n            case 1:\n"
        "                for i in []:\n                    pass\n                else:\n"
        "                    with open(i):\n                        try:\n                            pass\n"
        "                        except OSError:\n                            import unfaithful_cot.d\n"
        "                        finally:\n                            import unfaithful_cot.room.c\n"
    )
    forget()
    found = reached_modules("unfaithful_cot.a")
    assert "unfaithful_cot.d" in found and "unfaithful_cot.room.c" in found


def test_notes_of_a_run_change_no_hash(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process read is noted for the next by the content of the file; a broken note is read past."""
    monkeypatch.chdir(package)
    plain = code_hash("unfaithful_cot.a")
    (package / ".snakemake").mkdir()
    forget()
    assert code_hash("unfaithful_cot.a") == plain
    notes = sorted((package / provenance.NOTES).iterdir())
    # the package itself, a, b, room and room.c; the two empty files are one note
    assert len(notes) == 4
    monkeypatch.setattr(provenance, "_read", lambda *_: pytest.fail("read again"))
    forget()
    assert code_hash("unfaithful_cot.a") == plain
    monkeypatch.undo()
    monkeypatch.chdir(package)
    monkeypatch.setattr(provenance, "ROOT", package)
    for note in notes:
        note.write_text("")
    forget()
    assert code_hash("unfaithful_cot.a") == plain
    assert hash_after(package, "b.py", "def f():\n    return 1\n") != plain
