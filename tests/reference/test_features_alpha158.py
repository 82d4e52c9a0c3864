"""Alpha158 against a twin that follows Qlib's operators, on made-up bars and on those of a real index future."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import features
from feature_bars import bars
from naive.alpha158 import alpha158

NAMES = features.preset("alpha158")


def _agree(frame: pl.DataFrame) -> None:
    found = features.compute(frame, NAMES).select(NAMES).to_numpy()
    twin = alpha158(frame.to_pandas().reset_index(drop=True))[NAMES].to_numpy(dtype=float)
    for n, name in enumerate(NAMES):
        ours, theirs = found[:, n], twin[:, n]
        theirs = np.where(np.isinf(theirs), np.nan, theirs)
        known = np.isfinite(ours)
        assert known.sum() > 0.8 * len(ours), name
        np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-7, atol=1e-9, err_msg=name)
        assert np.array_equal(np.isnan(theirs), ~known), name


def test_the_names_are_qlibs() -> None:
    assert len(NAMES) == len(set(NAMES)) == 158
    assert NAMES[:4] == ["KMID", "KLEN", "KMID2", "KUP"]
    assert NAMES[9:14] == ["OPEN0", "HIGH0", "LOW0", "VWAP0", "ROC5"]
    assert NAMES[-1] == "VSUMD60"


def test_made_up_bars() -> None:
    frame = bars(2, seed=4)
    _agree(frame.with_columns(vwap=(pl.col("open") + pl.col("close")) / 2))


def test_without_vwap_the_typical_price_stands_in() -> None:
    frame = bars(1, 20)
    found = features.compute(frame, ["VWAP0"])["VWAP0"]
    typical = (frame["high"] + frame["low"] + frame["close"]) / 3.0 / frame["close"]
    assert found.to_list() == pytest.approx(typical.to_list(), rel=1e-15)


def test_a_bad_tick_is_gone_when_it_leaves_the_window() -> None:
    """A running sum would keep the rounding of 1e9 for ever."""
    clean = bars(2, seed=5)
    spoiled = clean.with_columns(close=pl.when(pl.int_range(pl.len()) == 100).then(1e9).otherwise(pl.col("close")))
    names = [name for name in NAMES if not name.startswith("QTL")] + ["QTLU60", "QTLD60"]
    one, two = (features.compute(frame, names).select(names).to_numpy()[162:] for frame in (clean, spoiled))
    assert np.array_equal(one, two, equal_nan=True)


def test_pandas_in_pandas_out() -> None:
    whole = bars(1, 100)
    frame = whole.to_pandas()
    frame.index = pd.RangeIndex(7, 107)
    found = features.compute(frame, ["MA5", "RANK10"])
    assert list(found.columns) == ["ts", "MA5", "RANK10"]
    assert found.index.equals(frame.index)
    theirs = features.compute(whole, ["MA5", "RANK10"])
    assert np.array_equal(found["MA5"], theirs["MA5"], equal_nan=True)
