"""What replay and sweep accept, refuse and give back."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from numba.core.runtime import _nrt_python, rtsys

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError, DataError, StrategyError
from algomaster.core.jit import kernel
from algomaster.performance import overfitting
from algomaster.strategy.steps import contract as desk
from hand_made import random_day

DAYS = [random_day(seed) for seed in (1, 2, 3)]
PARAMS = {"entry": "09:20", "exit": "10:00", "stop_pct": 10}


class Nothing(strategy.Params):
    pass


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


@pytest.mark.parametrize("days", [None, 5, "2024-01-01"])
def test_what_are_no_sessions_is_an_error(days):
    with pytest.raises(DataError):
        backtest.replay("straddle", days)


def test_settings_and_grids_of_the_wrong_kind_are_refused():
    with pytest.raises(ConfigError, match="by its name"):
        backtest.replay("straddle", DAYS, params="entry=09:20")
    for grid in (None, "stop_pct=5", ["stop_pct", 5]):
        with pytest.raises(ConfigError, match="Expected a grid"):
            backtest.sweep("straddle", DAYS, grid=grid)


@strategy.step
def reads_legs_it_has_not_opened(state, params, day, i, book):
    """Trade by what stands in a leg of an earlier session, which must be nothing."""
    if i == 1 and day.session % 2 == 0:
        desk.enter(book, i, 0, -50, 0, 0)
    if i == 2 and day.session % 2 == 1:
        desk.enter(book, i, 1, -50 - book.legs[3]["entry_price"] - book.legs[0]["state"], 0, 0)


def test_a_reused_book_is_read_like_a_new_one():
    days = [random_day(seed) for seed in range(1, 7)]
    odd = strategy.Strategy("odd", step=reads_legs_it_has_not_opened, params=Nothing)
    run = backtest.replay(odd, days)
    grid = backtest.sweep(odd, days, grid=[{}, {}], digest=True)
    assert grid.frame["digest"].to_list() == [run.digest] * 2


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
    assert grid.best("pnl")["pnl"][0] == grid.frame["pnl"].max()


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
    assert grid.plot(metric="pnl").data
    with pytest.raises(ValueError, match="two settings that vary"):
        backtest.sweep("straddle", DAYS, grid={"stop_pct": [5, 10]}, params=PARAMS).plot()


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
    with pytest.raises(StrategyError, match="more than 512 legs"):
        backtest.replay(full, random_day(5, minutes=520), costs=False)
    with pytest.raises(StrategyError, match="more than 512 legs"):
        backtest.sweep(full, random_day(5, minutes=520), grid=[{}], costs=False)


@pytest.mark.parametrize("room", [1, 2, 5])
def test_records_that_overflow_are_taken_again_with_more_room(monkeypatch, room):
    days = [random_day(5, minutes=60), random_day(6, minutes=60)]
    often = strategy.Strategy("busy", step=busy, params=Nothing)
    roomy = backtest.replay(often, days)
    monkeypatch.setattr("algomaster.backtest.replayer._ROOM", room)
    monkeypatch.setattr("algomaster.backtest.sweeps.chunks._ROOM", room)
    tight = backtest.replay(often, days)
    assert (tight.digest, tight.fingerprint) == (roomy.digest, roomy.fingerprint)
    assert tight.orders.equals(roomy.orders)
    assert backtest.sweep(often, days, grid=[{}], digest=True).frame["digest"].to_list() == [roomy.digest]


def test_the_digest_follows_the_equity_of_every_minute():
    """A close in mid-trade changes the equity of one minute, no fill and no session's end."""
    day = random_day(7)
    params = {"entry": "09:20", "exit": "10:00", "stop_pct": None}
    run = backtest.replay("straddle", day, params=params)
    k = int(np.flatnonzero(day.strikes == run.trades["strike"][0] * 100)[0])
    close = day.close.copy()
    close[0, k, 0, 20] += 1
    other = backtest.replay("straddle", dataclasses.replace(day, close=close), params=params)
    assert other.fills.equals(run.fills)
    assert other.digest != run.digest
    assert other.fingerprint == run.fingerprint


def test_a_sweep_says_what_it_rests_on():
    grid = backtest.sweep("straddle", DAYS, grid={"stop_pct": [5, 10]}, params=PARAMS)
    said = grid.assumptions
    assert said["swept"] == ["entry", "exit", "stop_pct"]
    assert said["params"]["lots"] == 1
    assert said["trials"] == 2
    other = backtest.sweep("straddle", DAYS, grid={"stop_pct": [5, 11]}, params=PARAMS)
    assert other.assumptions["params_hash"] != said["params_hash"]


def test_idle_days_are_counted():
    grid = backtest.sweep("straddle", DAYS, grid={"strike": ["ATM", "ATM+50"]}, params=PARAMS)
    assert grid.frame["idle_days"].to_list() == [0, 3]


def test_a_parameter_named_like_a_metric_is_refused():
    class Clash(strategy.Params):
        days: int = 1

    with pytest.raises(ConfigError, match="'sessions' is called like a column"):
        backtest.sweep(strategy.Strategy("clash", step=busy, params=Clash), DAYS, grid={"sessions": [5, 10]})


class Order(strategy.Params):
    what: int = 0


@strategy.step
def orders_about(state, params, day, i, book):
    """Place what the tests ask for; the call at the first strike is contract 0."""
    what = params[0]["what"]
    if i == 1:
        if what == 1:
            desk.enter(book, i, -1, -50, 0, 0)
        elif what == 2:
            desk.enter(book, i, day.strikes.size * 2 + 1, -50, 0, 0)  # the number before is the future's
        elif what == 3:
            desk.enter(book, i, 0, 0, 0, 0)
        elif what == 4:
            leg = desk.enter_at_fill(book, i, 0, 0, 0, -50, 0, 0)
            desk.place(book, i, leg, desk.STOP, 50, 500, desk.STOPPED)
        else:
            desk.enter(book, i, 0, -100, 0, 0)
    if what == 5 and i == 5:
        desk.close(book, i, 0, desk.SIGNAL)
    if what == 5 and i == 10:
        desk.place(book, i, 0, desk.MARKET, -100, 0, desk.SIGNAL)
    if what == 6 and i == 5:
        desk.place(book, i, 0, desk.MARKET, 250, 0, desk.SIGNAL)  # more than is held
    if what == 7 and i >= 5:
        desk.cancel(book, 0)
        desk.place(book, i, 0, desk.STOP, 100, 30_000 + i, desk.STOPPED)  # trailed every bar, never hit


@pytest.mark.parametrize(
    ("what", "said"),
    [(1, "a contract that the session does not have"), (2, "a contract that the session does not have"),
     (3, "an order of 0 units"), (4, "a contract that the session does not have"), (5, "a leg that was closed")],
)  # fmt: skip
def test_orders_that_cannot_be_stop_the_run(what, said):
    about = strategy.Strategy("about", step=orders_about, params=Order)
    with pytest.raises(StrategyError, match=said):
        backtest.replay(about, DAYS, params={"what": what})
    with pytest.raises(StrategyError, match=said):
        backtest.sweep(about, DAYS, grid={"what": [0, what]})


def test_an_order_never_takes_a_leg_through_zero():
    run = backtest.replay(strategy.Strategy("about", step=orders_about, params=Order), DAYS[0], params={"what": 6})
    assert run.fills["quantity"].to_list() == [-100, 100]


def test_a_stop_may_be_trailed_all_day():
    day = random_day(9, minutes=200)
    run = backtest.replay(strategy.Strategy("about", step=orders_about, params=Order), day, params={"what": 7})
    assert run.trades["exit_reason"].to_list() == ["session_end"]
    assert run.orders.filter(kind="stop").height == 195


class Half(strategy.Params):
    stop_ppm: int = 100_000


@strategy.step
def halves(state, params, day, i, book):
    """Sell 100 with a stop, buy 50 back: the stop then leaves the other 50."""
    if i == 1:
        desk.enter(book, i, 6, -100, params[0]["stop_ppm"], 0)
    if i == 3:
        desk.place(book, i, 0, desk.MARKET, 50, 0, desk.SIGNAL)


def test_an_attached_stop_leaves_what_is_held():
    day = random_day(3, minutes=60)
    run = backtest.replay(strategy.Strategy("halves", step=halves, params=Half), day, costs=False)
    assert run.fills["quantity"].to_list() == [-100, 50, 50]
    assert run.fills["reason"].to_list() == ["entry", "signal", "stop"]


@kernel
def window(day, i):
    return np.full(3, day.spot[i])


@strategy.step
def allocates(state, params, day, i, book):
    """Create arrays on the way, which a step may."""
    fresh = np.zeros(2) + window(day, i)[:2]
    if i == 1 and fresh[0] > 0:
        desk.enter(book, i, 0, -50, 0, 0)


def test_a_step_may_create_arrays_and_leaks_none():
    often = strategy.Strategy("allocates", step=allocates, params=Nothing)
    assert backtest.replay(often, DAYS).trades.height == 3
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    backtest.replay(often, DAYS)
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free > 300


@strategy.step
def misspells(state, params, day, i, book):
    """Write a field that the memory does not have."""
    state[0]["unusd"] = 1


@strategy.step
def opens_a_file(state, params, day, i, book):
    """Use what compiled code cannot."""
    open("/dev/null")  # noqa: SIM115


@pytest.mark.parametrize("step", [misspells, opens_a_file])
def test_a_step_that_does_not_compile_is_one_clear_error(step):
    with pytest.raises(StrategyError, match=r"'broken' does not compile: .+ no Python objects"):
        backtest.replay(strategy.Strategy("broken", step=step, params=Nothing), DAYS, costs=False)


def test_a_sweep_judges_its_sets_by_their_own_curves():
    days = [random_day(seed, minutes=90) for seed in range(12)]
    found = backtest.sweep("straddle", days, grid={"stop_pct": [5, 10, 20], "lots": [1, 2]}, params=PARAMS)
    own = overfitting(np.column_stack([
        backtest.replay("straddle", days, params=PARAMS | {"stop_pct": stop, "lots": lots}).daily["pnl"].to_numpy()
        for stop in (5, 10, 20) for lots in (1, 2)
    ]))  # fmt: skip
    assert found.overfitting().to_dict() == own.to_dict()
    assert found.to_dict()["overfitting"]["trials"] == 6
