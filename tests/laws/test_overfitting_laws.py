"""What holds for every set of trials, every history of days and every comparison."""

import math
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.performance import overfitting, shuffled_drawdowns
from algomaster.performance.drawdowns import drawdown_table
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

shapes = st.tuples(st.integers(0, 2**32 - 1), st.integers(10, 40), st.integers(2, 12))
few = settings(deadline=None, max_examples=25)


def drawn(shape):
    seed, days, columns = shape
    return np.random.default_rng(seed).integers(-500, 501, (days, columns))


@few
@given(shapes, st.sampled_from([2, 4, 1024]))
def test_size_does_not_matter(shape, size):
    """Powers of two: the arithmetic scales exactly."""
    one, many = (overfitting(drawn(shape) * factor, blocks=4, resamples=50) for factor in (1, size))
    for name in ("pbo", "reality_check_p", "spa_p", "deflated_sharpe", "sharpe", "best"):
        assert getattr(one, name) == getattr(many, name) or math.isnan(getattr(one, name))
    assert (one.logits == many.logits).all()


@few
@given(shapes, st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(shape, random):
    returns = drawn(shape)
    order = list(range(returns.shape[1]))
    random.shuffle(order)
    one, other = overfitting(returns, blocks=4, resamples=50), overfitting(returns[:, order], blocks=4, resamples=50)
    assert (one.reality_check_p, one.spa_p) == (other.reality_check_p, other.spa_p)
    # Of equal ratios the first is taken, so the names may differ, never the value.
    assert one.sharpe == pytest.approx(other.sharpe, rel=1e-12)


@few
@given(shapes)
def test_ranges(shape):
    found = overfitting(drawn(shape), blocks=4, resamples=50)
    assert 0.0 <= found.pbo <= 1.0
    for p in (found.reality_check_p, found.spa_p, found.spa_lower_p, found.spa_upper_p):
        assert 1 / 51 <= p <= 1.0
    assert found.spa_lower_p <= found.spa_p <= found.spa_upper_p
    assert 1.0 <= found.effective_trials <= found.trials
    assert found.logits.size == 6
    assert 0.0 <= found.deflated_sharpe <= found.effective_deflated + 1e-9


@few
@given(shapes, st.integers(1, 10_000))
def test_more_trials_deflate_more(shape, further):
    returns = drawn(shape)
    alone = overfitting(returns, blocks=2, resamples=1)
    tried = overfitting(returns, blocks=2, resamples=1, trials=returns.shape[1] + further)
    assert tried.deflated_sharpe <= alone.deflated_sharpe
    assert (tried.pbo, tried.best) == (alone.pbo, alone.best)


@few
@given(shapes)
def test_columns_that_lose_every_day_help_nobody_in_spa(shape):
    """Hansen: a hopeless column leaves the consistent p-value alone; White's may only rise."""
    returns = drawn(shape)
    hopeless = np.column_stack([returns, drawn((shape[0] + 1, shape[1], 1)) - 100_000])
    one, other = overfitting(returns, blocks=2, resamples=99), overfitting(hopeless, blocks=2, resamples=99)
    assert other.spa_p == one.spa_p
    assert other.reality_check_p >= one.reality_check_p


curves = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


def frame_of(daily):
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 12, 31), "1d", eager=True).head(len(daily))
    return pl.DataFrame({"date": days, "pnl": [amount / 100 for amount in daily]}, schema_overrides={"pnl": pl.Float64})


@given(curves)
@settings(deadline=None, max_examples=50)
def test_the_table_of_drawdowns_has_the_deepest_and_its_length(daily):
    out = np.empty(len(DAILY_STATISTICS))
    daily_statistics(np.array(daily, dtype=np.int64), out)
    known = dict(zip(DAILY_STATISTICS, out.tolist()))
    table = drawdown_table(frame_of(daily))
    assert table["depth"].max() == (known["max_drawdown"] / 100 if table.height else None)
    assert table.head(1)["sessions"].to_list() == ([int(known["drawdown_days"])] if table.height else [])
    assert (table["to_trough"] <= table["sessions"]).all()
    levels = np.cumsum([0, *daily])
    assert table["sessions"].sum() == int((levels < np.maximum.accumulate(levels)).sum())
    assert table["recovered"].null_count() <= 1


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=5), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_shuffled_drawdowns_are_those_of_the_orders(daily, seed):
    """Each simulated fall is one that some order has; the observed one is that of the order given."""

    def fall(order):
        levels = np.cumsum([0, *order])
        return float((np.maximum.accumulate(levels) - levels).max())

    found = shuffled_drawdowns(daily, simulations=200, seed=seed)
    possible = {fall(order) for order in permutations(daily)}
    assert set(found.simulated.tolist()) <= possible
    assert found.observed == fall(daily)
    assert found.as_deep == (found.simulated >= found.observed).mean()
    assert list(found.quantiles.values()) == sorted(found.quantiles.values())


def test_shuffled_drawdowns_have_the_shares_of_all_orders():
    daily = [5, -3, -4, 7, -2]
    falls = []
    for order in permutations(daily):
        levels = np.cumsum([0, *order])
        falls.append(float((np.maximum.accumulate(levels) - levels).max()))
    found = shuffled_drawdowns(daily, simulations=40_000)
    for fall in set(falls):
        share = np.mean(np.array(falls) == fall)
        assert (found.simulated == fall).mean() == pytest.approx(share, abs=4 * math.sqrt(share / 40_000))
    assert found.as_deep == pytest.approx(np.mean(np.array(falls) >= found.observed), abs=0.01)
