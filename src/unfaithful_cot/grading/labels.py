"""Labels that readers gave to transcripts, joined to the responses that they are about.

In: {model}.{condition}.labels.jsonl, a line {case_id, sample (optional), FIELD: true, false, text or null, …}, and the origins of
the responses. Out: a Label for each field of each line, and every line that is not used, with its reason.
Errors: DataError for a file without a line that can be used.
"""

from __future__ import annotations

from collections.abc import Iterable

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.replay import Unfit, lines_of, parse_object, write_rejected
from unfaithful_cot.records.replay import Label, Origin, Rejected

KEYS = ("case_id", "sample")
RIGHT = "Lines of case_id and the fields that were judged (docs/replay.md)"


def load_labels(judged: str, origins: str, labels: str, rejected: str) -> None:
    """Rule: read the labels file `judged` of the responses in `origins`."""
    found, left = read_labels(judged, jsonl.read(origins, Origin, "snakemake -R load_transcripts"))
    jsonl.write(labels, found)
    write_rejected(rejected, left)


def read_labels(path: str, origins: Iterable[Origin]) -> tuple[list[Label], list[Rejected]]:
    """Every line of a labels file, as labels or as rejected."""
    by_name: dict[str, list[Origin]] = {}
    for origin in origins:
        by_name.setdefault(origin.name, []).append(origin)
    found: list[Label] = []
    rejected: list[Rejected] = []
    lines: dict[str, int] = {}
    for number, line in lines_of(path):
        try:
            value = parse_object(line)
            origin = _meant(value, by_name)
            if (first := lines.setdefault(origin.response, number)) != number:
                raise Unfit("duplicate", f"the same response is labelled in line {first}")
            found += _labels(path, number, value, origin)
        except Unfit as problem:
            rejected.append(Rejected(file=path, line=number, kind=problem.kind, reason=str(problem)))
    if not found:
        first_reason = f"; line {rejected[0].line}: {rejected[0].reason}" if rejected else ""
        raise DataError(path, f"no line can be used{first_reason}", RIGHT, "Mend the file or take it away")
    return found, rejected


def _meant(value: dict[str, object], by_name: dict[str, list[Origin]]) -> Origin:
    """The response that a line is about. Raises: Unfit."""
    name, sample = value.get("case_id"), value.get("sample")
    if not isinstance(name, str):
        raise Unfit("malformed", f"case_id is {str(name)[:40]!r}, not a case's name")
    if name not in by_name:
        raise Unfit("foreign", f"case '{name[:40]}' is not among the responses that were read")
    samples = by_name[name]
    if sample is None and len(samples) > 1:
        raise Unfit(
            "malformed", f"case '{name[:40]}' has {len(samples)} responses, and the line names no sample"
        )
    place = 0 if sample is None else sample
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(samples):
        raise Unfit("foreign", f"sample {str(place)[:20]} of case '{name[:40]}' is not among the responses")
    return samples[place]


def _labels(path: str, number: int, value: dict[str, object], origin: Origin) -> list[Label]:
    labels = []
    for field, given in value.items():
        if field in KEYS:
            continue
        if not (given is None or isinstance(given, bool | str)):
            raise Unfit(
                "malformed", f"{field[:40]} is {str(given)[:40]!r}; true, false, a text or null is read"
            )
        labels.append(
            Label(
                file=path, line=number, case=origin.case, response=origin.response, field=field, value=given
            )
        )
    if not labels:
        raise Unfit("malformed", "the line holds no field beside case_id")
    return labels
