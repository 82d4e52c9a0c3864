"""A row of a sweep is the replay of its settings, to the bit, over thousands of drawn settings."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from algomaster import backtest, market
from hand_made import random_day
from shared_data import shared_path

ONLY_OF_A_SWEEP = {"trials", "deflated_sharpe"}

one_set = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 600),
        "exit": st.integers(601, 640),
        "strike": st.integers(-2, 2),
        "width": st.integers(0, 2),
        "stop_pct": st.one_of(st.none(), st.floats(1, 90).map(lambda x: round(x, 2))),
        "target_pct": st.one_of(st.none(), st.floats(1, 90).map(lambda x: round(x, 2))),
        "stop_on": st.sampled_from(["range", "close"]),
        "strike_at": st.sampled_from(["decision", "fill"]),
        "side": st.sampled_from(["sell", "buy"]),
        "lots": st.integers(1, 9),
    }
)
drawn = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def same(left, right):
    return left == right or (math.isnan(left) and math.isnan(right))


def agree(days, sets, fills, chunk, costs):
    grid = backtest.sweep("straddle", days, grid=sets, fills=fills, costs=costs, chunk=chunk, digest=True, trades=True)
    lean = backtest.sweep("straddle", days, grid=sets, fills=fills, costs=costs, chunk=chunk)
    by_minute = ["max_drawdown_intraday"]  # known where the equity of every minute is kept
    assert lean.frame.drop(by_minute).equals(grid.frame.drop("digest", *by_minute), null_equal=True)
    assert lean.frame["max_drawdown_intraday"].is_nan().all()
    for p, (row, one) in enumerate(zip(grid.frame.to_dicts(), sets, strict=True)):
        run = backtest.replay("straddle", days, params=one, fills=fills, costs=costs)
        assert row["digest"] == run.digest
        assert row["fingerprint"] == run.fingerprint
        assert {n for n, value in run.metrics.items() if not same(row[n], value)} <= ONLY_OF_A_SWEEP
        assert grid.trades.filter(set=p).drop("set").equals(run.trades)


@drawn
@given(
    sets=st.lists(one_set, min_size=20, max_size=30),
    fills=st.sampled_from(["next_open", "decision_close", "algotest"]),
    chunk=st.sampled_from([1, 7, 4096]),
    seed=st.integers(0, 50),
    gaps=st.sampled_from([0.0, 0.2]),
)
def test_on_random_sessions(sets, fills, chunk, seed, gaps):
    days = [random_day(seed + k, minutes=90, gaps=gaps) for k in range(3)]
    agree(days, sets, fills, chunk, costs=True)


@pytest.fixture(scope="module")
def simulated():
    return market.simulate("NIFTY", sessions=3, start="2024-01-01", strikes=21, seed=7)


@drawn
@given(
    sets=st.lists(one_set, min_size=20, max_size=30), fills=st.sampled_from(["next_open", "decision_close", "algotest"])
)
def test_on_simulated_sessions(simulated, sets, fills):
    agree(simulated, sets, fills, None, costs=True)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    from algomaster.market.importer import import_path

    home = tmp_path_factory.mktemp("home")
    import_path(shared_path("data", "nse_option_minute"), home=home)
    return {
        "NIFTY": market.load("NIFTY", "2021-06-11", "2021-06-11", home=home),
        "BANKNIFTY": market.load("BANKNIFTY", "2022-12-30", "2022-12-30", home=home),
    }


@drawn
@given(
    sets=st.lists(one_set, min_size=20, max_size=30),
    fills=st.sampled_from(["next_open", "decision_close", "algotest"]),
    underlying=st.sampled_from(["NIFTY", "BANKNIFTY"]),
)
def test_on_real_sessions(real, sets, fills, underlying):
    agree(real[underlying], sets, fills, None, costs=True)
