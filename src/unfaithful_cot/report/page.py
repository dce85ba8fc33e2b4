"""How a page is made: templates filled in, figures put inside, records read.

In: values, SVG files, paths of records. Out: text of one page that opens from disk, with style, script, figures and data inside;
it asks no network and names no time, so the same study gives the same bytes.
Errors: DataError for a file that is missing, cut or no SVG; StorageError when the disk is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import file_hash, versions
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report import style, words
from unfaithful_cot.report.tables import METRICS, Table, texts
from unfaithful_cot.report.transcripts import script_json

TEMPLATES = Path(__file__).resolve().parent / "templates"
SWAPS = {
    style.INK: "ink", style.MUTED: "muted", style.GRID: "grid", style.PAPER: "paper",
    style.BASELINE_LOOK.colour: "baseline", style.MAIN_LOOK.colour: "main",
    **{look.colour: f"other{number}" for number, look in enumerate(style.OTHER_LOOKS)},
}  # fmt: skip
Item = TypeVar("Item", bound=BaseModel)


class Picture(NamedTuple):
    """A figure in the page, with the table that says the same."""

    name: str
    title: str
    caption: str
    svg: Markup
    table: Table | None = None


def read_all(paths: Iterable[str], record: type[Item], remake: str) -> list[Item]:
    """The records of several files, one after the other."""
    return [each for path in paths for each in jsonl.iterate(path, record, remake)]


def inline_svg(svg: str, name: str, title: str) -> Markup:
    """An SVG file of ours as an element of the page: ids made unique, colours those of the page, a text for readers."""
    start = svg.find("<svg")
    if start < 0:
        raise DataError(name, "is no SVG file", todo="Rerun: snakemake -R draw_figure")
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[start:], flags=re.DOTALL)
    body = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", body)
    for colour, variable in SWAPS.items():
        body = body.replace(colour, f"var(--figure-{variable})")
    head, rest = body.split(">", 1)
    width_pt = re.search(r'\swidth="([\d.]+)pt"', head)
    width_rem = float(width_pt[1]) / 12 if width_pt else 60
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    label = Markup(' role="img" style="max-width: {:.1f}rem" aria-label="{}">').format(width_rem, title)
    return Markup(head) + label + Markup(rest)


def read_picture(path: str, table: Table | None = None) -> Picture:
    """A figure by the name of its file."""
    name = Path(path).stem
    title, caption = words.FIGURES.get(name, (name, ""))
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", todo="Rerun: snakemake figures") from None
    return Picture(name, title, caption, inline_svg(text, name, f"{title}. {caption}"), table)


def hash_table(paths: Iterable[str]) -> Table:
    """Files that went in, with their hashes."""
    rows = ((path, file_hash(path)) for path in paths)
    return texts(words.TABLES["hashes"], rows, ("row", "code"), narrow=False, label="Files")


def unreasoned(asked: Mapping[str, Sequence[Response]]) -> list[str]:
    """A sentence for each condition of which no response has a think part. asked: the responses by the name of their condition."""
    return [
        words.UNREASONED.format(n=len(own), where=where)
        for where, own in asked.items()
        if own and all(response.think_status == "missing" for response in own)
    ]


def write_page(path: str, template: str, data: object, values: Mapping[str, object]) -> None:
    """Fill a page in and write it. Everything is escaped unless it is our own markup. data: the transcripts."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    parts = {
        name: Markup((TEMPLATES / f"report.{name}").read_text(encoding="utf-8")) for name in ("css", "js")
    }
    shared = {
        "data": Markup(script_json(data)),
        "versions": versions(),
        "legend": words.LEGEND,
        "definitions": list(METRICS.values()),
    }
    with jsonl.replacing(path) as out:
        out.write(environment.get_template(template).render(**shared, **parts, **values))
