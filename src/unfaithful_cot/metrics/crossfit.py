"""Cross-fitting: what responses are selected by is never what they are scored by.

In: for each response its item (a case, or a scenario and variant), the number of its sample, whether it shows what is selected for,
and what it is scored with. Out: the selection by the other half of an item's samples, and the mean score of what is selected.
The halves are the even and the odd samples: fixed by the number alone, so that every metric splits alike. A rate among responses
selected on their own noise is biased (a case in which the evidence seemed to matter by chance is scored on that chance); selecting on
one half and scoring on the other is not. Both directions are averaged, so that no sample is wasted.
Source: sample splitting with the folds swapped, Chernozhukov et al. 2018, Econometrics Journal 21:C1, definition 3.1 with two folds.
Differs: the nuisance is a majority vote of an item's other half. Errors: none; unknown is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class CrossFit(NamedTuple):
    """`value`: the mean of the two directions, None where one half selects nothing. n: scored responses, by the half they are in."""

    value: float | None
    n: tuple[int, int]
    reason: str | None


def half_of(samples: ArrayLike) -> NDArray[np.int64]:
    """0 for an even sample, 1 for an odd one. samples: numbers from 0, of shape (responses,)."""
    return np.asarray(samples, dtype=np.int64) % 2


def by_other_half(shown: ArrayLike, items: ArrayLike, samples: ArrayLike) -> Floats:
    """For each response 1 where most of the other half of its item's samples show it, else 0; NaN where none there is known.

    shown: 1, 0 or NaN a response. A tie is no majority. Known value: shown 1, 0, 1, 1 in the samples 0 to 3 of an item: the even
    half {1, 1} selects the samples 1 and 3, the odd half {0, 1} is a tie and does not select 0 and 2: 0, 1, 0, 1.
    """
    half = half_of(samples)
    table = pd.DataFrame({"item": items, "half": half, "shown": np.asarray(shown, dtype=np.float64)})
    shares = table.groupby(["item", "half"], sort=False)["shown"].mean()
    other = pd.MultiIndex.from_arrays([table["item"], 1 - half])
    share = shares.reindex(other).to_numpy(dtype=np.float64)
    return np.where(np.isnan(share), np.nan, (share > 0.5).astype(np.float64))


def crossfit(shown: ArrayLike, scores: ArrayLike, items: ArrayLike, samples: ArrayLike) -> CrossFit:
    """The mean score among what the other half selects, averaged over both directions.

    value = (m_0 + m_1) / 2, m_h the mean of the known scores of half h among responses whose other half shows it. With one sample an
    item there is no other half, and the value is None.
    """
    chosen = by_other_half(shown, items, samples) == 1
    half, score = half_of(samples), np.asarray(scores, dtype=np.float64)
    scored = [score[chosen & (half == side) & ~np.isnan(score)] for side in (0, 1)]
    n = (len(scored[0]), len(scored[1]))
    if not all(n):
        empty = "even" if not n[0] else "odd"
        return CrossFit(
            None, n, f"no scored response among the {empty} samples is selected by the other half"
        )
    return CrossFit(float(np.mean([part.mean() for part in scored])), n, None)
