"""What must hold of every signal backtest: no look-ahead, money adds up, sweeps are given signals, order of columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster import backtest
from algomaster.backtest.signals.steps import SIGNAL_STEPS
from algomaster.strategy import Strategy, step
from signal_bars import random_bars, random_signals

COSTS = {"fees": 0.001, "fixed_fees": 1.0, "slippage": 0.0005}
STOPS = {"sl_stop": 0.01, "tp_stop": 0.02, "trail_stop": 0.015}


def known_by(run, last):
    """Fills up to and with bar ``last``."""
    return run.orders.filter(run.orders["bar"] <= last).drop("time")


@pytest.mark.parametrize("fill", ["next_open", "next_close", "close"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(5, 75))
def test_the_future_changes_no_fill(fill, seed, cut):
    """Bars and signals after bar ``cut`` are replaced by other ones: what was filled by then stays, to the bit."""
    made, other = random_bars(seed, bars=80, symbols=2), random_bars(seed + 1, bars=80, symbols=2)
    signals, others = (random_signals(s, made["close"].shape, 0.2) for s in (seed, seed + 1))
    spoiled = {name: np.vstack([made[name][: cut + 1], other[name][cut + 1 :]]) for name in made}
    changed = {name: np.vstack([signals[name][: cut + 1], others[name][cut + 1 :]]) for name in signals}
    rules = {"fill": fill, "cash_sharing": True, **COSTS, **STOPS}
    first = backtest.from_signals(**made, **signals, **rules)
    second = backtest.from_signals(**spoiled, **changed, **rules)
    assert known_by(first, cut).equals(known_by(second, cut))
    assert first.equity[: cut + 1].equals(second.equity[: cut + 1])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(5, 75))
def test_the_open_that_fills_is_the_first_thing_seen_of_its_bar(seed, cut):
    """A fill at the open of a bar does not know its range or close."""
    made = random_bars(seed, bars=80)
    spoiled = {name: values.copy() for name, values in made.items()}
    spoiled["close"][cut:] = made["open"][cut:]
    spoiled["high"][cut:] = made["open"][cut:]
    spoiled["low"][cut:] = made["open"][cut:]
    signals = random_signals(seed, made["close"].shape, 0.3)
    runs = [backtest.from_signals(**bars, **signals, **COSTS) for bars in (made, spoiled)]
    assert known_by(runs[0], cut).equals(known_by(runs[1], cut))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([None, 0.3]), stops=st.booleans())
def test_money_adds_up(seed, share, stops):
    made = random_bars(seed, bars=60, symbols=3, gaps=0.05)
    size = {} if share is None else {"size": share, "size_type": "percent"}
    run = backtest.from_signals(
        **made, **random_signals(seed, made["close"].shape, 0.2), cash_sharing=True, **size, **COSTS,
        **(STOPS if stops else {}),
    )  # fmt: skip
    end = run.metrics["final_value"]
    assert end == pytest.approx(100_000.0 + run.trades["pnl"].sum(), rel=1e-12)
    assert run.equity[-1, 1] == end
    spent = (run.orders["size"] * run.orders["price"]).sum() + run.orders["fees"].sum()
    assert run.cash[-1, 1] == pytest.approx(100_000.0 - spent, rel=1e-12, abs=1e-6)
    assert run.orders["fees"].sum() == pytest.approx(
        (run.trades["entry_fees"] + run.trades["exit_fees"]).sum(), rel=1e-12
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_symbols_of_their_own_cash_do_not_know_each_other(seed):
    made = random_bars(seed, bars=60, symbols=3)
    signals = random_signals(seed, made["close"].shape, 0.2)
    together = backtest.from_signals(**made, **signals, **COSTS)
    for c in range(3):
        alone = backtest.from_signals(
            **{name: values[:, c] for name, values in made.items()},
            **{name: values[:, c] for name, values in signals.items()}, **COSTS,
        )  # fmt: skip
        mine = together.trades.filter(together.trades["symbol"] == str(c)).drop("symbol")
        assert mine.equals(alone.trades.drop("symbol"))
        assert together.by_group["total_return"][c] == alone.metrics["total_return"]


@step
def rises_and_falls(state, params, tape, i):
    """Long after so many rises on end, short after as many falls; keeps its count in memory."""
    if i == 0:
        return 0
    if tape.close[i] > tape.close[i - 1]:
        state[0]["run"] = max(state[0]["run"], 0) + 1
    elif tape.close[i] < tape.close[i - 1]:
        state[0]["run"] = min(state[0]["run"], 0) - 1
    if state[0]["run"] == params[0]["count"]:
        return 1
    if state[0]["run"] == -params[0]["count"]:
        return 4
    return 0


def own_step():
    from algomaster.strategy import Params

    class Settings(Params):
        count: int = 3

    return Strategy("runs", step=rises_and_falls, params=Settings, state=np.dtype([("run", np.int64)]))


def signals_of_runs(close, count):
    into, down, run = np.zeros(close.size, bool), np.zeros(close.size, bool), 0
    for i in range(1, close.size):
        if close[i] > close[i - 1]:
            run = max(run, 0) + 1
        elif close[i] < close[i - 1]:
            run = min(run, 0) - 1
        into[i], down[i] = run == count, run == -count
    return {"entries": into, "short_entries": down}


@pytest.mark.parametrize("rules", [{}, STOPS, {"fill": "close", "size": 50.0}])
def test_a_sweep_of_a_step_is_given_signals(rules):
    """The same bits, whatever the chunk; also with a step of one's own that carries memory."""
    made = {name: values[:, 0] for name, values in random_bars(3, bars=700).items()}
    grid = {"count": [1, 2, 3, 4]}
    sweep = backtest.signal_sweep(own_step(), **made, grid=grid, freq="1h", **COSTS, **rules)
    small = backtest.signal_sweep(own_step(), **made, grid=grid, freq="1h", chunk=1, **COSTS, **rules)
    assert sweep.digest == small.digest
    assert sweep.trades.equals(small.trades)
    for number, count in enumerate(grid["count"]):
        run = backtest.from_signals(**made, **signals_of_runs(made["close"], count), freq="1h", **COSTS, **rules)
        mine = sweep.trades.filter(sweep.trades["set"] == number)
        assert mine.height == run.trades.height > 3
        for name in ("entry_bar", "exit_bar", "size", "entry_price", "exit_price", "entry_fees", "exit_fees", "pnl"):
            assert mine[name].to_list() == run.trades[name].to_list()
        row = sweep.frame.row(number, named=True)
        same = [name for name in run.metrics if name not in {"trials", "deflated_sharpe"}]
        assert [row[name] for name in same] == pytest.approx(
            [run.metrics[name] for name in same], abs=0, rel=0, nan_ok=True
        )


def test_more_trades_than_there_was_room_for():
    """A set that trades on nearly every bar is run again with room enough, and only that one."""
    close = 100.0 + 0.5 * (np.arange(4000) % 2)
    opens = np.full(4000, 100.25)
    sweep = backtest.signal_sweep(own_step(), close, open=opens, grid={"count": [1, 50]})
    assert sweep.frame["trades"].to_list() == [3997, 0]
    run = backtest.from_signals(close, **signals_of_runs(close, 1), open=opens)
    assert run.trades["pnl"].to_list() == sweep.trades["pnl"].to_list()


def test_equal_averages_are_equal():
    """Averages that tie in whole ticks give no signal; float sums of the same prices tell them apart."""
    assert "sma_cross" in SIGNAL_STEPS
    rng = np.random.default_rng(2)
    close = np.round(100.0 + 0.05 * np.cumsum(rng.integers(-2, 3, 4000)), 2)
    sweep = backtest.signal_sweep("sma_cross", close, grid=[{"fast": 2, "slow": 4}], fill="close")
    ticks = np.rint(close * 100).astype(int)
    side, entered = 0, []
    for i in range(3, close.size):
        gap = 2 * int(ticks[i - 1 : i + 1].sum()) - int(ticks[i - 3 : i + 1].sum())
        if gap > 0:
            entered += [i] * (side < 0)
            side = 1
        elif gap < 0:
            side = -1
    assert sweep.trades["entry_bar"].to_list() == entered
