"""Who appears in a document, where, when and in which matter: drawn by seed, against sameness.

In: a spec, the lists of resources/names.v1.yaml. Out: Cast, the same for the same spec.
A writer that invents its own names takes the same dozen again and again; so each commission names its own.
Errors: DataError for a file that does not hold the lists.
"""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Annotated, NamedTuple

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from unfaithful_cot import jsonl
from unfaithful_cot.config.base import Strict
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import ROOT
from unfaithful_cot.records.documents import DocumentSpec

NAMES = ROOT.parents[1] / "resources" / "names.v1.yaml"
N_PEOPLE = 4
FIRST_DAY, LAST_DAY = datetime.date(2005, 1, 3), datetime.date(2025, 12, 19)
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

Words = Annotated[
    list[str], BeforeValidator(lambda value: value.split() if isinstance(value, str) else value)
]
Listed = Annotated[Words, Field(min_length=N_PEOPLE)]


class Names(Strict):
    """The lists that are drawn from; a list of single words may be written as one text."""

    given: Listed
    family: Listed
    roles: Listed
    departments: Listed
    places: Listed
    matters: Listed


class Cast(NamedTuple):
    """`people`: names with job titles, in one line; the others as they stand in the commission."""

    people: str
    department: str
    date: str
    matter: str


def load_names(path: Path | str = NAMES) -> Names:
    """Read and check the lists."""
    try:
        return Names.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except ValidationError as error:
        raise DataError(
            path, jsonl.first_problem(error), f"The lists {', '.join(Names.model_fields)}"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(path, f"cannot be read ({' '.join(str(error).split())[:160]})") from None


def draw_cast(spec: DocumentSpec, names: Names) -> Cast:
    """Four people without a common name, a department, a date and a matter."""
    source = random.Random(f"cast/{spec.corpus}/{spec.seed}/{spec.index}")
    given, family = source.sample(names.given, N_PEOPLE), source.sample(names.family, N_PEOPLE)
    roles = source.sample(names.roles, N_PEOPLE)
    people = [f"{a} {b} ({role})" for a, b, role in zip(given, family, roles, strict=True)]
    return Cast(
        people=", ".join(people),
        department=source.choice(names.departments),
        date=_date(source),
        matter=f"the {source.choice(names.places)} {source.choice(names.matters)}",
    )


def _date(source: random.Random) -> str:
    """A working day in one of the forms that offices write."""
    while True:
        day = FIRST_DAY + datetime.timedelta(days=source.randrange((LAST_DAY - FIRST_DAY).days + 1))
        if day.weekday() < 5:
            break
    month, weekday = MONTHS[day.month - 1], DAYS[day.weekday()]
    return source.choice(
        [
            f"{day.day} {month} {day.year}",
            f"{weekday}, {day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{day:%Y-%m-%d}",
            f"{day:%d.%m.%Y}",
            f"{weekday} {day.day} {month}, {day.year}",
        ]
    )
