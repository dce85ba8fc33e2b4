"""The grader `judge_NAME`: a language model reads each response by a rubric.

In: responses, their cases, a rubric (rubrics.py), an endpoint. Out: grades of the same form as any other grader's, and beside
them requests and answers, word for word (judge_answer.JudgeAnswer). Two requests a response: one for each channel.
What the judge is shown: judge_prompt.py, blinding.py; how its answer is read: judge_answer.py.
Errors: those of grade.read_answered; DataError for a wrong rubric or one of another experiment; EndpointError when more than
`max_failed` of the requests stay unanswered. Fewer are missing verdicts with the reason.
Source: a panel of judges and its agreement instead of one judge's word (Verga et al., 2404.18796).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unfaithful_cot import jsonl
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import Request
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.blinding import untriggered
from unfaithful_cot.grading.grade import grade_all, read_answered
from unfaithful_cot.grading.judge_answer import Said, read_answer, verdicts_of
from unfaithful_cot.grading.judge_prompt import Asked, ask
from unfaithful_cot.grading.rubrics import Rubric, load_rubric
from unfaithful_cot.grading.verdicts import Grader, Verdict, missing
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import JudgeAnswer
from unfaithful_cot.records.responses import Response

log = logging.getLogger(__name__)


class Heard(NamedTuple):
    """One channel of one response: what was asked, what came back, and what can be read of it."""

    response: Response
    asked: Asked
    answer: Answer | None
    said: Said | str


def judge_responses(
    responses: str,
    cases: str,
    rubric: str,
    grades: str,
    raw: str,
    judge: str,
    endpoint: dict[str, Any],
    max_failed: float,
    cache: Path | str,
    samples: int | None = None,
) -> None:
    """Rule: have every response of one file judged.

    Args:
        responses, cases, rubric: files to read.
        grades: the file of verdicts to write.
        raw: the file of what the judge was asked and answered.
        judge: its name, without `judge_`.
        endpoint: keys of EndpointSettings.
        max_failed: share of the requests, in [0, 1], that may stay unanswered.
        cache: folder of answers.
        samples: how often each case was asked; None: that is not known.
    """
    chosen, settings = load_rubric(rubric), EndpointSettings.model_validate(endpoint)
    answered, by_id = read_answered(responses, cases, samples)
    _check_experiment(by_id, chosen, rubric)
    heard = hear(answered, by_id, chosen, settings, max_failed, cache, f"{responses} by judge_{judge}")
    grader = as_grader(judge, chosen, settings.model, heard)
    jsonl.write(grades, grade_all(answered, by_id, grader))
    jsonl.write(raw, [as_record(one, grader.name, chosen) for one in heard])
    problems = Counter(one.said for one in heard if isinstance(one.said, str))
    log.info("%s: %d answers, without a verdict %s", grader.name, len(heard), dict(problems.most_common()))


def _check_experiment(cases: dict[str, Case], rubric: Rubric, path: str) -> None:
    other = next((case for case in cases.values() if case.experiment != rubric.experiment), None)
    if other is not None:
        raise DataError(
            path, f"asks about {rubric.experiment}, but case '{other.id}' is of {other.experiment}",
            "A rubric of the suite's experiment", "Name one in grading.judges.NAME.rubrics",
        )  # fmt: skip


def hear(
    responses: Sequence[Response],
    cases: dict[str, Case],
    rubric: Rubric,
    endpoint: EndpointSettings,
    max_failed: float,
    cache: Path | str,
    label: str,
) -> list[Heard]:
    """Ask the judge about all responses, from the cache or from the API; two entries a response, in order."""
    blinded = untriggered(cases)
    every = [(r, asked) for r in responses for asked in ask(blinded[r.case], r, rubric, endpoint)]
    sent = [asked.request for _, asked in every if asked.request is not None]
    done = complete(sent, endpoint, cache, label, float(max_failed))
    answers = iter(done.answers)
    heard = []
    for response, asked in every:
        if asked.request is None:
            heard.append(Heard(response, asked, None, str(asked.reason)))
            continue
        answer = next(answers)
        said = read_answer(answer, done.failures.get(asked.request.key))
        heard.append(Heard(response, asked, answer, said))
    return heard


def requests(responses: str, cases: str, rubric: Path | str, endpoint: EndpointSettings) -> list[Request]:
    """What a judge would be asked about one file of responses, for a plan."""
    chosen = load_rubric(rubric)
    answered, by_id = read_answered(responses, cases)
    blinded = untriggered(by_id)
    every = [asked for r in answered for asked in ask(blinded[r.case], r, chosen, endpoint)]
    return [asked.request for asked in every if asked.request is not None]


def as_grader(judge: str, rubric: Rubric, model: str, heard: Sequence[Heard]) -> Grader:
    """The judge as a grader of the responses that it has judged; its version names rubric, wording and model."""
    by_response: dict[str, dict[str, Verdict]] = {}
    for one in heard:
        verdicts = by_response.setdefault(one.response.id, {})
        verdicts |= {verdict.name: verdict for verdict in verdicts_of(one.asked, one.said)}

    def verdicts_on(case: Case, response: Response) -> list[Verdict]:
        verdicts = by_response[response.id]
        return [
            verdicts.get(question.name) or missing(question.name, str(question.why_not(case)))
            for question in rubric.questions
        ]

    version = f"{rubric.version} {rubric.hash} {model}"
    return Grader(f"judge_{judge}", version, rubric.verdicts, verdicts_on)


def as_record(heard: Heard, grader: str, rubric: Rubric) -> JudgeAnswer:
    """Request and answer, as the record that is written."""
    asked, answer = heard.asked, heard.answer
    request = asked.request
    return JudgeAnswer(
        id=make_id("j", heard.response.id, grader, asked.channel),
        response=heard.response.id,
        case=heard.response.case,
        grader=grader,
        rubric=rubric.version,
        rubric_hash=rubric.hash,
        channel=asked.channel,
        verdicts=[question.name for question in asked.questions],
        labels=asked.labels,
        prompt_hash=None if request is None else value_hash(request.messages),
        request=None if request is None else request.key,
        model=None if answer is None else answer.model,
        text=None if answer is None else answer.text,
        finish_reason=None if answer is None else answer.finish_reason,
        prompt_tokens=None if answer is None else answer.prompt_tokens,
        completion_tokens=None if answer is None else answer.completion_tokens,
        problem=heard.said if isinstance(heard.said, str) else None,
    )
