"""agreement.csv: do several graders see the same in the same responses?

alpha is Krippendorff's, nominal (library krippendorff): 1 - D_o / D_e over units with two values or more,
    D_o = sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1),  D_e = (n^2 - sum_c n_c^2) / (n - 1),
m_u values of unit u, n_uc of them c, n_c and n their sums over units; undefined where all values are alike.
Interval: percentile bootstrap over scenarios with all their responses. agreement_rate: share of pairs of values of one unit
that are the same.
Sources: Krippendorff 2004, ch. 11; Hayes and Krippendorff 2007.
Known value: the nominal example of Krippendorff 2011 has alpha 0.743.

Args:
    Grade files of all graders, the cases, the confidence of intervals. What the published grader calls by its own name is
    matched by `comparable` first.

Returns:
    A table of AgreementRow, one row a suite, arm (and `all` of them together), verdict and set of graders: all that give the
    verdict, and where these are more than two each pair; and band.csv (band.py).

Raises:
    DataError: as frame.read_grades. StorageError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unfaithful_cot.grading.verdicts import NO_CONFIDENTIAL
from unfaithful_cot.metrics.band import band_table
from unfaithful_cot.metrics.frame import KEYS, read_cases, read_grades
from unfaithful_cot.metrics.intervals import DRAWS, SEED, Floats, percentiles, resamples
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.tables import AgreementRow, BandRow

Objects = NDArray[np.object_]
ALL = "all"
FREE = {"answer_letter", "cited_ids", "unknown_ids", "insecure_cwe"}
"""Verdicts that quote the response: what is one reading and what another has no list."""


class Alpha(NamedTuple):
    """`alpha` None: undefined, for `reason`. n: units with two values or more; n_missing: units with fewer."""

    alpha: float | None
    ci_low: float | None
    ci_high: float | None
    agreement_rate: float | None
    n: int
    n_scenarios: int
    n_missing: int
    values: str
    reason: str | None


def measure_agreement(
    grades: list[str],
    cases: list[str],
    agreement: str,
    band: str,
    confidence: float,
    samples: int | None = None,
) -> None:
    """Rule: write agreement.csv and band.csv from grade files. samples: as for read_grades."""
    table = comparable(read_grades(grades, cases, samples=samples), cases)
    AgreementRow.write_frame(agreement, agreement_table(table, confidence))
    BandRow.write_frame(band, band_table(table))


def comparable(table: pd.DataFrame, cases: Sequence[str]) -> pd.DataFrame:
    """The rows of the published grader with its verdicts under the names that other graders use.

    published_correct -> correct; published_cited -> names_confidential and cites_public, by the IDs of the case. A reading that
    cites nothing names nothing, as published. Rows of other graders, and the published columns, stay as they are.
    """
    rows = table["grader"] == "published"
    if not rows.any():
        return table
    known = read_cases(cases)
    found = [
        _cited(known.get(case), cited)
        for case, cited in table.loc[rows, ["case", "published_cited"]].to_numpy()
    ]
    renamed = pd.DataFrame(found, index=table.index[rows]).assign(
        correct=table.loc[rows, "published_correct"]
    )
    table = table.copy()
    for name in renamed:
        # a column in which every value is null has the type of numbers, which takes no truth values
        table[name] = table[name].astype(object) if name in table else None
        table.loc[rows, name] = renamed[name]
    return table


def _cited(case: Case | None, cited: object) -> dict[str, object]:
    names = ("names_confidential", "cites_public")
    if case is None or not isinstance(cited, str):
        return {"names_confidential?": "the case is not known"} | dict.fromkeys(names)
    ids, hidden = set(cited.split()), set(case.confidential_ids)
    public = bool(ids & (set(case.public_ids) - hidden))
    if not hidden:
        return {"names_confidential": None, "names_confidential?": NO_CONFIDENTIAL, "cites_public": public}
    return {"names_confidential": bool(ids & hidden), "names_confidential?": None, "cites_public": public}


def agreement_table(
    table: pd.DataFrame, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """Agreement of the graders of a table, suite by suite, arm by arm, verdict by verdict."""
    rows = []
    for (experiment, suite), whole in table.groupby(["experiment", "suite"], sort=True):
        arms = [(arm, part) for arm, part in whole.groupby("arm", sort=True)]
        for arm, part in [(ALL, whole), *(arms if len(arms) > 1 else [])]:
            for verdict in verdicts_of(part):
                for named, values, scenarios in _graders(part, verdict):
                    result = alpha_of(values, scenarios, confidence, draws, seed)
                    place = {"experiment": experiment, "suite": suite, "arm": arm, "verdict": verdict}
                    place |= {"graders": " ".join(named), "n_graders": len(named)}
                    rows.append({**place, **result._asdict()})
    return AgreementRow.frame(rows)


def verdicts_of(table: pd.DataFrame) -> list[str]:
    """Names of the verdicts in a table that can be compared, in order."""
    left = {*KEYS, *FREE}
    return [str(name) for name in table if name not in left and not str(name).endswith("?")]


def _graders(part: pd.DataFrame, verdict: str) -> Iterator[tuple[list[str], Objects, Objects]]:
    """(graders, values of shape (units, graders), scenario of each unit): all graders of a verdict, then each pair.

    A response to a case without confidential evidence is no unit of a verdict about that evidence.
    """
    why = f"{verdict}?"
    if why in part:
        bare = part.loc[part[why] == NO_CONFIDENTIAL, "response"]
        part = part[~part["response"].isin(bare)]
    giving = [str(name) for name, rows in part.groupby("grader", sort=False) if rows[verdict].notna().any()]
    if len(giving) < 2:
        return
    chosen = part[part["grader"].isin(giving)]
    wide = chosen.pivot(index="response", columns="grader", values=verdict)[giving].astype(object)
    values: Objects = wide.where(wide.notna(), None).to_numpy(dtype=object)
    scenario = chosen.drop_duplicates("response").set_index("response")["scenario"]
    scenarios: Objects = scenario.reindex(wide.index).to_numpy(dtype=object)
    yield giving, values, scenarios
    if len(giving) > 2:
        for pair in combinations(range(len(giving)), 2):
            yield [giving[place] for place in pair], values[:, list(pair)], scenarios


def alpha_of(
    values: Objects,
    scenarios: Objects,
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Alpha:
    """Krippendorff's alpha of values of shape (units, graders), None where a grader has none.

    scenarios: of each unit; they are what is resampled.
    """
    counts, names = _counts(values)
    comparable_units = counts.sum(axis=1) >= 2
    counts, scenarios = counts[comparable_units], scenarios[comparable_units]
    n_missing = int((~comparable_units).sum())
    given = ", ".join(f"{name} {int(n)}" for name, n in zip(names, counts.sum(axis=0), strict=True) if n)
    size = counts.sum(axis=1)
    pairs, same = (size * (size - 1)).sum(), (counts * (counts - 1)).sum()
    place = (len(counts), len(set(scenarios)), n_missing, given)
    if not len(counts):
        return Alpha(None, None, None, None, *place, "no response has a value by two graders")
    rate = float(same / pairs)
    if (counts.sum(axis=0) > 0).sum() < 2:
        return Alpha(None, None, None, rate, *place, "all values are alike: alpha is undefined")
    low, high, note = _interval(counts, scenarios, confidence, draws, seed)
    return Alpha(_alpha(counts), low, high, rate, *place, note)


def _alpha(counts: Floats) -> float:
    import krippendorff

    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def _counts(values: Objects) -> tuple[Floats, list[str]]:
    """How many graders gave a unit each value, shape (units, values), and the values in words."""
    flat, uniques = pd.factorize(values.ravel())  # None becomes -1
    codes = flat.reshape(values.shape)
    names = {str(value): place for place, value in enumerate(uniques)}
    counts = [(codes == names[name]).sum(axis=1) for name in sorted(names)] or [np.zeros(len(values))]
    return np.stack(counts, axis=1).astype(np.float64), sorted(names)


def _interval(
    counts: Floats, scenarios: Objects, confidence: float, draws: int, seed: int
) -> tuple[float | None, float | None, str | None]:
    """Percentile bootstrap over scenarios, from the sums of each scenario, and what the reader should know of it."""
    _, place = np.unique(scenarios.astype(str), return_inverse=True)
    size = counts.sum(axis=1)
    disagreement = np.bincount(place, weights=(size**2 - (counts**2).sum(axis=1)) / (size - 1))
    totals = np.stack([np.bincount(place, weights=column) for column in counts.T], axis=1)
    if len(disagreement) < 2:
        return None, None, "one scenario: no interval"
    sums = np.column_stack([disagreement, totals])
    found = []
    for weights in resamples(len(disagreement), draws, seed):
        observed, *drawn = (weights.astype(np.float64) @ sums).T
        n = np.sum(drawn, axis=0)
        expected = n**2 - np.sum(np.square(drawn), axis=0)
        found.append(1 - (n - 1) * observed / np.where(expected > 0, expected, np.nan))
    alphas = np.concatenate(found)
    undefined = int(np.isnan(alphas).sum())
    low, high = percentiles(alphas, confidence)
    if not disagreement.any():
        return float(low), float(high), "the graders never differ: the interval has no width"
    note = f"{undefined} of {draws} bootstrap draws without variation are left out" if undefined else None
    return float(low), float(high), note
