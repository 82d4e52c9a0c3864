"""Nothing is created or lost between fills, trades, days and equity, whatever was traded."""

import hypothesis.strategies as st
import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings

from algomaster import backtest
from hand_made import random_day

drawn = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
params = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 590),
        "exit": st.integers(591, 620),
        "stop_pct": st.one_of(st.none(), st.integers(2, 60)),
        "target_pct": st.one_of(st.none(), st.integers(2, 60)),
        "width": st.integers(0, 2),
        "side": st.sampled_from(["sell", "buy"]),
        "lots": st.integers(1, 20),
    }
)
modes = st.sampled_from(["next_open", "decision_close"])


def rupees(series):
    return round(series.sum() * 100)


@drawn
@given(params=params, fills=modes, seed=st.integers(0, 200), gaps=st.sampled_from([0.0, 0.2]))
def test_money_is_conserved(params, fills, seed, gaps):
    days = [random_day(seed + k, gaps=gaps) for k in range(2)]
    run = backtest.replay("straddle", days, params=params, fills=fills)
    cash = -(run.fills["quantity"] * (run.fills["price"] * 100).round()).sum()
    costs = rupees(run.fills["costs"])
    assert rupees(run.trades["pnl"]) == cash
    assert rupees(run.trades["costs"]) == costs
    assert round(run.equity["equity"][-1] * 100) == cash - costs
    assert rupees(run.daily["pnl"]) == cash - costs
    assert round(run.metrics["pnl"] * 100) == cash - costs
    by_leg = run.fills.group_by("session", "leg").agg(pl.col("quantity").sum())
    assert (by_leg["quantity"] == 0).all()
    peak = np.maximum.accumulate(np.maximum(run.equity["equity"].to_numpy(), 0))
    assert round(run.metrics["max_drawdown_intraday"] * 100) == round(float((peak - run.equity["equity"]).max()) * 100)


@drawn
@given(params=params, fills=modes, seed=st.integers(0, 200))
def test_twice_the_lots_is_twice_the_money(params, fills, seed):
    day = random_day(seed)
    one = backtest.replay("straddle", day, params=params, fills=fills, costs=False)
    two = backtest.replay("straddle", day, params=params | {"lots": 2 * params["lots"]}, fills=fills, costs=False)
    assert (two.trades["pnl"] == 2 * one.trades["pnl"]).all()
    assert two.trades["exit_time"].equals(one.trades["exit_time"])


@drawn
@given(params=params, fills=modes, seed=st.integers(0, 200))
def test_sessions_do_not_see_each_other(params, fills, seed):
    days = [random_day(seed), random_day(seed + 1)]
    both = backtest.replay("straddle", days, params=params, fills=fills)
    alone = [backtest.replay("straddle", day, params=params, fills=fills) for day in days]
    assert both.trades.equals(pl.concat([run.trades for run in alone]))


@drawn
@given(params=params, fills=modes, seed=st.integers(0, 200))
def test_costs_change_no_trade_but_its_costs(params, fills, seed):
    day = random_day(seed)
    free = backtest.replay("straddle", day, params=params, fills=fills, costs=False)
    paid = backtest.replay("straddle", day, params=params, fills=fills)
    assert free.trades.drop("costs", "net_pnl").equals(paid.trades.drop("costs", "net_pnl"))
    assert (paid.trades["costs"] > 40).all()  # two orders at 20 rupees, and the rest
