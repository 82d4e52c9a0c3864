"""What replay and sweep accept, refuse and give back."""

import numpy as np
import polars as pl
import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError, DataError, StrategyError
from algomaster.strategy.steps import contract as desk
from hand_made import random_day

DAYS = [random_day(seed) for seed in (1, 2, 3)]
PARAMS = {"entry": "09:20", "exit": "10:00", "stop_pct": 10}


def test_trades_have_the_promised_columns():
    run = backtest.replay(strategy.get("straddle"), DAYS, params=PARAMS)
    promised = ["right", "strike", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason"]
    assert {*promised, "pnl", "costs"} <= set(run.trades.columns)
    assert run.trades.height == 6
    assert (run.trades["quantity"] < 0).all()
    assert set(run.trades["exit_reason"]) <= {"stop", "time"}
    assert run.trades["entry_time"].dtype == pl.Datetime("ns", "Asia/Kolkata")
    assert len(run.digest) == 64


def test_a_digest_follows_every_setting_that_matters():
    digests = {
        backtest.replay("straddle", DAYS, params=PARAMS | more, fills=fills, costs=costs).digest
        for more in ({}, {"lots": 2}, {"stop_pct": 11}, {"width": 1})
        for fills in ("next_open", "decision_close")
        for costs in (True, False)
    }
    assert len(digests) == 16
    assert backtest.replay("straddle", DAYS, params=PARAMS).digest in digests


def test_what_a_result_rests_on():
    run = backtest.replay("straddle", DAYS, params=PARAMS, fills="decision_close")
    said = run.assumptions
    assert said["params"]["entry"] == "09:20"
    assert said["fills"]["mode"] == "decision_close"
    assert said["costs"][0]["brokerage_paise"] == 2000
    assert said["data"]["sessions"] == 3
    assert len(said["data"]["fingerprint"]) == 64
    assert said["version"]


def test_orders_show_what_was_placed_and_when():
    run = backtest.replay("straddle", DAYS[:1], params=PARAMS)
    entry = run.orders.filter(reason="entry")
    assert entry["ts"].dt.strftime("%H:%M").to_list() == ["09:20", "09:20"]
    stops = run.orders.filter(kind="stop")
    assert (stops["price"] > 0).all()
    assert stops.height == 2


def test_progress_is_told():
    told = []
    backtest.replay("straddle", DAYS, params=PARAMS, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    told.clear()
    grid = {"stop_pct": [5, 10, 15]}
    backtest.sweep("straddle", DAYS, grid=grid, params=PARAMS, chunk=2, progress=lambda *at: told.append(at))
    assert told == [(2, 3), (3, 3)]


@pytest.mark.parametrize("bad", [{"fills": "yesterday"}, {"params": {"stop": 5}}])
def test_replay_refuses(bad):
    with pytest.raises(ConfigError):
        backtest.replay("straddle", DAYS, **{"params": PARAMS} | bad)


def test_no_session_is_an_error():
    with pytest.raises(DataError, match="at least one session"):
        backtest.replay("straddle", [])


def test_sessions_out_of_order_are_an_error():
    with pytest.raises(DataError, match="out of order"):
        backtest.replay("straddle", DAYS[::-1])


def test_a_grid_is_all_combinations_in_order():
    grid = backtest.sweep("straddle", DAYS, grid={"entry": ["09:20", "09:30"], "stop_pct": [None, 10]}, params=PARAMS)
    assert grid.parameters == ("entry", "exit", "stop_pct")
    assert grid.frame.select("entry", "stop_pct").rows() == [
        ("09:20", None), ("09:20", 10.0), ("09:30", None), ("09:30", 10.0),
    ]  # fmt: skip
    assert grid.frame["trials"].to_list() == [4] * 4
    assert grid.best("net_pnl")["net_pnl"][0] == grid.frame["net_pnl"].max()


@pytest.mark.parametrize("grid", [{}, [], {"stop_pct": []}])
def test_an_empty_grid_is_refused(grid):
    if grid == {}:
        assert backtest.sweep("straddle", DAYS, grid=grid, params=PARAMS).frame.height == 1
    else:
        with pytest.raises(ConfigError, match="empty grid"):
            backtest.sweep("straddle", DAYS, grid=grid, params=PARAMS)


def test_a_grid_of_text_is_refused():
    with pytest.raises(ConfigError, match="expected a list of values"):
        backtest.sweep("straddle", DAYS, grid={"entry": "09:20"})


def test_a_sweep_saves_and_loads(tmp_path):
    grid = backtest.sweep("straddle", DAYS, grid={"stop_pct": [5, 10]}, params=PARAMS, digest=True)
    again = backtest.SweepResult.load(grid.save(tmp_path / "deep" / "grid.parquet"))
    assert again.frame.equals(grid.frame, null_equal=True)
    assert (again.digest, again.assumptions, again.parameters) == (grid.digest, grid.assumptions, grid.parameters)
    assert "2 parameter sets" in repr(again)
    assert "<table>" in again._repr_html_()
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="not written by a sweep"):
        backtest.SweepResult.load(tmp_path / "other.parquet")


def test_a_sweep_draws_its_heatmap():
    grid = backtest.sweep("straddle", DAYS, grid={"entry": ["09:20", "09:30"], "stop_pct": [5, 10]}, params=PARAMS)
    assert grid.plot(metric="net_pnl").data
    with pytest.raises(ValueError, match="two settings that vary"):
        backtest.sweep("straddle", DAYS, grid={"stop_pct": [5, 10]}, params=PARAMS).plot()


class Nothing(strategy.Params):
    pass


@strategy.step
def busy(state, params, day, i, book):
    """Sell a call at every bar."""
    contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[0]), 0)
    desk.enter(book, i, contract, -day.lot[0], 0, 0)


def test_a_busy_strategy_keeps_all_its_records_until_the_book_is_full():
    day = random_day(5, minutes=64)
    run = backtest.replay(strategy.Strategy("busy", step=busy, params=Nothing), day, costs=False)
    assert run.trades.height == 63  # the last bar's order meets no further bar
    full = strategy.Strategy("busy", step=busy, params=Nothing)
    with pytest.raises(StrategyError, match="more resting legs"):
        backtest.replay(full, random_day(5, minutes=66), costs=False)
    with pytest.raises(StrategyError, match="more resting legs"):
        backtest.sweep(full, random_day(5, minutes=66), grid=[{}], costs=False)


@strategy.step
def allocates(state, params, day, i, book):
    """Create an array, which a step may not."""
    fresh = np.zeros(3)
    state[0]["unused"] = int(fresh[0])


@strategy.step
def misspells(state, params, day, i, book):
    """Write a field that the memory does not have."""
    state[0]["unusd"] = 1


@pytest.mark.parametrize("step", [allocates, misspells])
def test_a_step_that_does_not_compile_is_one_clear_error(step):
    with pytest.raises(StrategyError, match=r"'broken' does not compile: .+ may not create arrays"):
        backtest.replay(strategy.Strategy("broken", step=step, params=Nothing), DAYS, costs=False)
