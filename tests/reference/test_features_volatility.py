"""Estimators of volatility against the papers' formulas, and against the volatility that made the prices."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from algomaster import features
from feature_bars import bars

ESTIMATORS = ["parkinson_20", "garman_klass_20", "rogers_satchell_20", "yang_zhang_20"]
MINUTES = 252 * 375


def walk(count: int, *, steps: int, sigma: float, drift: float = 0.0, seed: int = 0) -> pl.DataFrame:
    """Bars of a geometric Brownian motion watched ``steps`` times a bar, with this volatility a bar."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(drift / steps, sigma / math.sqrt(steps), count * steps)
    path = 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(moves)]))
    inside = np.stack([path[i * steps : (i + 1) * steps + 1] for i in range(count)])
    start = 1_704_080_700 + np.arange(count) // 375 * 86_400 + np.arange(count) % 375 * 60
    return pl.DataFrame({
        "ts": pl.Series(start * 1_000_000_000).cast(pl.Datetime("ns", "UTC")), "open": inside[:, 0],
        "high": inside.max(axis=1), "low": inside.min(axis=1), "close": inside[:, -1],
    })  # fmt: skip


def test_parkinson_1980_of_one_bar() -> None:
    """(ln(h/l))^2 / (4 ln 2): a range of 1 % says 0.6006 % a bar."""
    frame = flat(25).with_columns(high=pl.lit(100.0 * math.exp(0.01)), low=pl.lit(100.0))
    value = features.compute(frame, ["parkinson_20"])["parkinson_20"][-1]
    assert value == pytest.approx(0.01 / math.sqrt(4.0 * math.log(2.0)), rel=1e-12)
    assert value == pytest.approx(0.0060056, rel=1e-5)


def test_garman_klass_1980_of_one_bar() -> None:
    """Half the squared range less 0.386 times the squared body (their equation 20 without the opening jump)."""
    frame = flat(25).with_columns(high=pl.lit(102.0), low=pl.lit(99.0), close=pl.lit(101.0))
    value = features.compute(frame, ["garman_klass_20"])["garman_klass_20"][-1]
    expected = 0.5 * math.log(102 / 99) ** 2 - 0.386294361 * math.log(101 / 100) ** 2
    assert value == pytest.approx(math.sqrt(expected), rel=1e-9)


def test_rogers_satchell_1991_of_one_bar() -> None:
    """Nothing in a bar that only rises or only falls, whatever its length: the drift does not count."""
    only_up = flat(25).with_columns(high=pl.lit(103.0), close=pl.lit(103.0))
    assert features.compute(only_up, ["rogers_satchell_20"])["rogers_satchell_20"][-1] == 0.0
    frame = flat(25).with_columns(high=pl.lit(102.0), low=pl.lit(99.0), close=pl.lit(101.0))
    value = features.compute(frame, ["rogers_satchell_20"])["rogers_satchell_20"][-1]
    expected = math.log(102 / 101) * math.log(102 / 100) + math.log(99 / 101) * math.log(99 / 100)
    assert value == pytest.approx(math.sqrt(expected), rel=1e-9)


def test_yang_zhang_2000_weight() -> None:
    """Their k for n = 20 is 0.34 / (1.34 + 21/19); of equal bars without a night between, only RS is left of the three."""
    frame = flat(30).with_columns(high=pl.lit(102.0), low=pl.lit(99.0), close=pl.lit(100.0))
    rs = features.compute(frame, ["rogers_satchell_20"])["rogers_satchell_20"][-1]
    value = features.compute(frame, ["yang_zhang_20"])["yang_zhang_20"][-1]
    k = 0.34 / (1.34 + 21 / 19)
    assert k == pytest.approx(0.139045, rel=1e-5)
    assert value == pytest.approx(math.sqrt(1 - k) * rs, rel=1e-9)


def flat(count: int) -> pl.DataFrame:
    return bars(1, count).with_columns(**{name: pl.lit(100.0) for name in ("open", "high", "low", "close")})


@pytest.mark.parametrize("drift", [0.0, 0.002])
def test_estimators_find_the_volatility_that_made_the_prices(drift: float) -> None:
    """With 500 looks a bar the extremes are seen nearly enough; only RS and YZ bear a drift, as their papers say."""
    sigma = 0.001
    frame = walk(1500, steps=500, sigma=sigma, drift=drift, seed=3)
    found = features.compute(frame, ESTIMATORS).select(ESTIMATORS)
    for name in ESTIMATORS:
        mean = math.sqrt((found[name].drop_nans() ** 2).mean())  # type: ignore[operator]
        bears = drift == 0.0 or name in ("rogers_satchell_20", "yang_zhang_20")
        assert (abs(mean / sigma - 1.0) < 0.06) == bears, (name, mean / sigma)


def test_annualised_as_the_list_says() -> None:
    """A return of a basis point each minute is 0.01 % sqrt(252 * 375) = 3.07 % a year."""
    frame = bars(1, 120)
    close = 100.0 * np.exp(1e-4 * np.cumsum(np.where(np.arange(120) % 2, 1.0, -1.0)))
    found = features.compute(frame.with_columns(close=pl.Series(close)), ["rv_20", "rv_60", "bipower_60"])
    for name in ("rv_20", "rv_60"):
        assert found[name][-1] == pytest.approx(1e-4 * math.sqrt(MINUTES), rel=1e-9)
    assert found["bipower_60"][-1] == pytest.approx(math.pi / 2 * 1e-8, rel=1e-9)


def test_barndorff_nielsen_shephard_2004() -> None:
    """Bipower variation hardly sees a jump: the jump ratio is most of the jump's share of the squares, 0.87 here."""
    frame = walk(4000, steps=4, sigma=0.001, seed=5)
    quiet = features.compute(frame, ["bipower_60", "jump_ratio_60"])
    assert quiet["bipower_60"].drop_nans().mean() == pytest.approx(1e-6, rel=0.05)
    jump = (pl.int_range(pl.len()) >= 2000).cast(pl.Float64) * 0.02
    jumped = frame.with_columns((pl.col(name) * jump.exp()).alias(name) for name in ("open", "high", "low", "close"))
    found = features.compute(jumped, ["bipower_60", "jump_ratio_60"])
    assert found["jump_ratio_60"][2010] > 0.65
    assert quiet["jump_ratio_60"][2010] < 0.4
    assert found["jump_ratio_60"][2100] == pytest.approx(quiet["jump_ratio_60"][2100], abs=1e-6)


@given(seed=st.integers(0, 1000))
def test_shape_is_scipys(seed: int) -> None:
    frame = bars(1, 80, seed=seed)
    found = features.compute(frame, ["skew_60", "kurt_60"])
    close = frame["close"].to_numpy()
    r = np.log(close[1:] / close[:-1])
    for at in (60, 79):
        window = r[at - 60 : at]
        assert found["skew_60"][at] == pytest.approx(stats.skew(window), rel=1e-9, abs=1e-10)
        assert found["kurt_60"][at] == pytest.approx(stats.kurtosis(window), rel=1e-9, abs=1e-10)


def test_shape_far_from_zero_keeps_its_digits() -> None:
    """Returns of a steep trend: powers of the values themselves would lose all digits."""
    rng = np.random.default_rng(2)
    r = 0.5 + rng.normal(0.0, 1e-6, 200)
    frame = bars(1, 200).with_columns(close=pl.Series(np.exp(np.cumsum(r) - 50.0)))
    found = features.compute(frame, ["skew_60"])["skew_60"][-1]
    close = frame["close"].to_numpy()
    exact = pd.Series(np.log(close[1:] / close[:-1]))[-60:]
    assert found == pytest.approx(stats.skew(exact), abs=1e-5)


def test_one_bad_tick_is_gone_when_it_leaves_the_window() -> None:
    names = [each for each in features.preset("algo170") if features.get(each).family == "volatility"]
    names = [each for each in names if "moves over" not in features.get(each).nan_rule and each not in (
        "atr_14_pct", "keltner_pos_20", "rv_day")]  # fmt: skip
    clean = bars(1, 300, seed=5)
    spoiled = clean.with_columns(close=pl.when(pl.int_range(pl.len()) == 100).then(1e9).otherwise(pl.col("close")))
    one, two = (features.compute(frame, names).select(names).to_numpy()[185:] for frame in (clean, spoiled))
    assert np.array_equal(one, two, equal_nan=True)
