"""Cross-fitting: what responses are selected by is never what they are scored by.

The halves are the even and the odd samples: fixed by the number alone, so that every metric splits alike. A rate among responses
selected on their own noise is biased (a case in which the evidence seemed to matter by chance is scored on that chance); selecting on
one half and scoring on the other is not. Each half selects for the other, and a rate among selected responses takes both directions
together, each response once, so that no sample is wasted.
Source: sample splitting with the folds swapped, Chernozhukov et al. 2018, Econometrics Journal 21:C1, definition 3.2 (folds pooled)
with two folds. Differs: the nuisance is a majority vote of an item's other half.

Args:
    For each response its item (a case, or a scenario and variant), the number of its sample, and whether it shows what is
    selected for.

Returns:
    The selection of each response by the other half of its item's samples; unknown is NaN.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from unfaithful_cot.metrics.intervals import Floats


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
