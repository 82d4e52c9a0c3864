"""Price, trend, momentum and volatility features against their twins, with bars and values missing."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import features
from feature_bars import bars
from naive.features_momentum import momentum
from naive.features_price import price
from naive.features_trend import trend
from naive.features_volatility import volatility

TWINS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "price": price, "trend": trend, "momentum": momentum, "volatility": volatility,
}  # fmt: skip
CLOSE = {"kurt_60": 1e-8, "skew_60": 1e-8, "autocorr_1_60": 1e-8, "vol_of_vol_60": 1e-8}


def family(name: str) -> list[str]:
    return [each for each in features.preset("algo170") if features.get(each).family == name]


def agree(frame: pl.DataFrame, name: str) -> None:
    names = family(name)
    found = features.compute(frame, names)
    twin = TWINS[name](frame.to_pandas())
    assert list(twin.columns) == names
    for each in names:
        ours, theirs = found[each].to_numpy(), twin[each].to_numpy(dtype=float)
        theirs = np.where(np.isinf(theirs), np.nan, theirs)
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg=each)
        known = np.isfinite(ours)
        assert known.sum() > len(ours) / 5, each
        np.testing.assert_allclose(ours[known], theirs[known], rtol=CLOSE.get(each, 1e-9), atol=1e-10, err_msg=each)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("holes", [False, True])
def test_twins(name: str, holes: bool) -> None:
    agree(bars(3, 150, seed=11, holes=holes), name)
