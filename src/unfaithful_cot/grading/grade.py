"""Judge the responses of a cell: responses and cases in, one Grade line a verdict out.

In: responses/{cell}/{suite}.jsonl and cases/{suite}.jsonl. Out: grades/{cell}/{suite}.{grader}.jsonl, in the order of
the responses. Errors: DataError for a response whose case is not in the suite, for a case without its responses, for two cases
or two responses with one id, and for an empty file; SettingsError for an unknown grader. A response that cannot be read is graded, with None and the reason.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator

from pydantic_core import to_json

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, SettingsError, known
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.verdicts import Grader, Verdict
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_responses, remake
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response


def grader_named(name: str) -> Grader:
    """The grader of that name. Raises: SettingsError when there is none."""
    if name not in GRADERS:
        raise SettingsError("grading.graders", f"'{name}' is no grader", known(name, GRADERS))
    return GRADERS[name]


def grade_responses(responses: str, cases: str, grades: str, grader: str, samples: int | None = None) -> None:
    """Grade every response of one file by one grader. samples: how often each case was asked; None where that is not known."""
    chosen = grader_named(grader)
    with rare_collection():
        answered, by_id = read_answered(responses, cases, samples)
        jsonl.write_lines(grades, grade_lines(answered, by_id, chosen))


@contextlib.contextmanager
def rare_collection() -> Iterator[None]:
    """Let Python look for cycles a hundred times less often: grades have none, and looking takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def read_answered(
    responses: str, cases: str, samples: int | None = None
) -> tuple[list[Response], dict[str, Case]]:
    """The responses of a file and the cases of its suite by id. Raises: DataError where they do not fit together."""
    by_id = index_cases(cases)
    answered = jsonl.read(responses, Response, remake=f"snakemake -R {responses}")
    seen: set[str] = set()
    for number, response in enumerate(answered, 1):
        if response.case not in by_id:
            raise DataError(
                f"{responses}:{number}",
                f"case '{response.case}' is not in {cases}",
                "Responses and cases of the same suite",
                remake(responses),
            )
        if response.id in seen:
            raise DataError(f"{responses}:{number}", f"response '{response.id}' stands there twice")
        seen.add(response.id)
    check_responses(responses, answered, by_id, cases, samples)
    return answered, by_id


def index_cases(path: str) -> dict[str, Case]:
    """The cases of a suite by id. Raises: DataError for two cases with one id."""
    by_id: dict[str, Case] = {}
    for number, case in enumerate(jsonl.read(path, Case, remake="snakemake -R generate_cases"), 1):
        if case.id in by_id:
            raise DataError(
                f"{path}:{number}", f"case '{case.id}' stands there twice", "One line a case",
                "Rerun: snakemake -R generate_cases",
            )  # fmt: skip
        by_id[case.id] = case
    return by_id


Judged = tuple[Case, Response, list[Verdict]]


def judge_each(responses: Iterable[Response], cases: dict[str, Case], grader: Grader) -> Iterator[Judged]:
    """Each response with its case and all that the grader says of it."""
    pairs = [(cases[response.case], response) for response in responses]
    judged = grader.judge_all(pairs) if grader.judge_all else (grader.judge(*pair) for pair in pairs)
    for (case, response), verdicts in zip(pairs, judged, strict=True):
        yield case, response, verdicts


def grade_all(responses: Iterable[Response], cases: dict[str, Case], grader: Grader) -> Iterator[Grade]:
    """The grades of many responses, verdict by verdict."""
    for case, response, verdicts in judge_each(responses, cases, grader):
        for verdict in verdicts:
            yield as_grade(verdict, case, response, grader)


def grade_lines(responses: Iterable[Response], cases: dict[str, Case], grader: Grader) -> Iterator[str]:
    """The same as JSON lines, those of a response together. What the grades of a response share is validated and written out once, which takes half the time."""
    for case, response, verdicts in judge_each(responses, cases, grader):
        if not verdicts:
            continue
        first = as_grade(verdicts[0], case, response, grader).model_dump_json()
        shared = first[first.index(',"response":') : first.rindex(',"verdict":')]
        yield "\n".join([_line(grade_id(response, grader, v.name), shared, v) for v in verdicts])


def _line(identifier: str, shared: str, verdict: Verdict) -> str:
    name, value, spans, reason = verdict
    own = to_json({"verdict": name, "value": value, "spans": spans, "reason": reason})[1:].decode()
    return f'{{"id":"{identifier}"{shared},{own}'


def grade_id(response: Response, grader: Grader, verdict: str) -> str:
    """The id of a grade: another one for another version of the grader."""
    return f"g_{text_hash(f'{response.id}/{grader.name}/{grader.version}/{verdict}')[:12]}"


def as_grade(verdict: Verdict, case: Case, response: Response, grader: Grader) -> Grade:
    """A verdict with everything that leads back to where it came from."""
    name = verdict.name
    return Grade(
        id=grade_id(response, grader, name),
        response=response.id,
        case=case.id,
        scenario=case.scenario,
        suite=case.suite,
        arm=case.arm,
        variant=case.variant,
        sample=response.sample,
        condition=response.condition,
        setup=response.setup,
        grader=grader.name,
        grader_version=grader.version,
        verdict=name,
        value=verdict.value,
        spans=list(verdict.spans),
        reason=verdict.reason,
    )
