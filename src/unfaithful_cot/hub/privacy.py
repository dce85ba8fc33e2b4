"""What must not be in an upload: keys, and paths of the machine that it comes from.

In: {path in the repository: file, or content}. Out: nothing.
Errors: DataError that names file and line, and what kind of thing was found there, never the thing itself.
Searched for are the values of all variables of the environment and of `.env` that are named like secrets, the token of
the Hub, the forms of well-known keys, and in every file but documents the folders of this machine and home folders of any.
Source of the forms: what the services write about their own keys.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unfaithful_cot.errors import DataError
from unfaithful_cot.hub.access import token
from unfaithful_cot.hub.layout import DOCUMENTS

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
SECRET_FORMS = re.compile(
    rb"hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"
    rb"|xox[abp]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
HOMES = re.compile(
    rb"(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})[A-Za-z0-9._-]+|/root/[\w.]|/workspace/[\w.]"
)
SHORTEST = 8  # characters of a value that is searched for; a shorter one would be found by chance
BINARY = (".safetensors",)


def check_upload(files: Mapping[str, Path | bytes]) -> None:
    """Refuse an upload that holds a key or a path of this machine. files: {path in the repository: file, or content}."""
    secrets, places = list(_secrets()), list(_places())
    for path, file in files.items():
        with _content(file) as content:
            _check(path, content, secrets, places)


def _check(path: str, content: Any, secrets: list[bytes], places: list[bytes]) -> None:
    for secret in secrets:
        _refuse(path, content, content.find(secret), "the value of a secret of this machine")
    for place in places:
        _refuse(path, content, content.find(place), "the path of a folder of this machine")
    if not path.endswith(BINARY) and (found := SECRET_FORMS.search(content)):
        _refuse(path, content, found.start(), "what has the form of a key")
    if not path.endswith((*BINARY, DOCUMENTS)) and (found := HOMES.search(content)):
        _refuse(path, content, found.start(), "the path of somebody's folder")


@contextlib.contextmanager
def _content(file: Path | bytes) -> Iterator[Any]:
    """The content of a file, not read into memory where it is large."""
    if isinstance(file, bytes) or not file.stat().st_size:
        yield file if isinstance(file, bytes) else b""
        return
    with file.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _refuse(path: str, content: Any, position: int, what: str) -> None:
    if position >= 0:
        line = content[:position].count(b"\n") + 1
        raise DataError(
            path if path.endswith(BINARY) else f"{path}:{line}",
            f"holds {what}, and was to be uploaded",
            "Uploads without keys and without paths of a machine",
            "Nothing was uploaded. Find out where it comes from (for a model that is a folder: name it relative to the "
            "project in config/models.yaml), make the file anew, and replace a key that has been in it",
        )


def _secrets() -> Iterator[bytes]:
    from dotenv import dotenv_values

    file = Path.cwd() / ".env"
    named = {**(dotenv_values(file) if file.is_file() else {}), **os.environ}
    values = {value.strip() for name, value in named.items() if value and SECRET_NAME.search(name)}
    for value in sorted(values | {token() or ""}):
        if len(value) >= SHORTEST and not Path(value).exists():  # NAME_KEY_FILE=/path is a path
            yield value.encode()


def _places() -> Iterator[bytes]:
    """Folders of this machine that a careless file would name, as they stand there and in JSON."""
    from huggingface_hub import constants

    folders = {Path.cwd(), Path.home(), Path(tempfile.gettempdir()), Path(constants.HF_HOME)}
    for folder in sorted({str(path) for one in folders for path in (one, one.resolve())}):
        if len(Path(folder).parts) > 2:  # `/tmp` and `/root` alone may stand in a text
            yield folder.encode()
