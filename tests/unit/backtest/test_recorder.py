"""What a snapshot shows, on hand-made bars whose every number is known."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from algomaster import backtest, pricing, strategy
from algomaster.backtest.playback import snapshots
from algomaster.core.types import MISSING
from hand_made import bars, blank, flat_index
from walking_strategies import OVER_NIGHTS

DOCS = Path(__file__).resolve().parents[3] / "docs" / "replay.md"


def day(minutes=30, **more):
    """The index stands at 100; the call of 100 trades at 10 and rises to 12 in bar 12, the put at 8 throughout."""
    made = flat_index(blank(minutes=minutes, **more), 100)
    bars(made, 100, "CE", [(10, 10, 10, 10)] * 12 + [(10, 12, 10, 12)] * (minutes - 12))
    bars(made, 100, "PE", [(8, 8, 8, 8)] * minutes)
    made.oi[:, 2] = np.arange(minutes) * 50 + 1000
    made.vix[:] = 1434
    return made


def at(time, made=None, **params):
    run = backtest.Stepper("straddle", made or day(), costs=False, params={"entry": "09:20", "exit": "09:40"} | params)
    run.seek(time)
    return run.snapshot()


def test_the_market():
    shot = at("09:27")
    assert (shot.session, shot.time) == ("2024-01-01", "2024-01-01T09:27:00+05:30")
    assert (shot.at, shot.bars, shot.expiry, shot.lot) == (12, 30, "2024-01-04", 50)
    assert (shot.spot, shot.future, shot.vix) == (100.0, None, 14.34)
    assert (shot.money, shot.forward) == (100.0, 102.0)  # 100 + 10 - 8
    assert shot.series.straddle == (18.0,) * 12
    assert at("09:28").series.straddle == (18.0,) * 12 + (20.0,)
    row = next(row for row in shot.chain if row.strike == 100)
    assert (row.call.price, row.call.oi, row.call.oi_change, row.call.bid) == (10.0, 1550, 550, None)
    assert [row.strike for row in shot.chain] == [0.0, 50.0, 100.0, 150.0, 200.0]
    assert next(row for row in shot.chain if row.strike == 150).call == snapshots.Quote(*[None] * 7)


def test_the_volatility_is_the_one_that_gives_the_price():
    shot = at("09:27")
    years = backtest.Stepper("straddle", day()).session.day.years[0, 11]
    row = next(row for row in shot.chain if row.strike == 100)
    for right, quote in (("CE", row.call), ("PE", row.put)):
        value = pricing.price(right, 100.0, 100.0, years, quote.iv, forward=shot.forward)
        assert value == pytest.approx(quote.price, rel=1e-12)


def test_quotes_go_before_the_last_price():
    made = day()
    made.bid[0, 2, 0, :], made.ask[0, 2, 0, :] = 190, 200  # 9.50 and 10.00
    call = next(row for row in at("09:27", made).chain if row.strike == 100).call
    assert (call.price, call.bid, call.ask) == (9.75, 9.5, 10.0)


def test_before_the_first_bar_there_is_nothing():
    shot = at("09:15")
    assert (shot.at, shot.spot, shot.chain, shot.positions, shot.events) == (0, None, (), (), ())
    assert shot.account == snapshots.Money(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)


def test_without_an_index_there_is_no_money():
    made = day()
    made.spot[11] = MISSING
    shot = at("09:27", made)
    assert (shot.money, shot.chain, shot.straddle) == (None, (), None)
    assert shot.series.straddle[:11] == (18.0,) * 11


def test_the_positions():
    waiting = at("09:20").positions
    assert [(leg.state, leg.quantity, leg.entry_price, leg.entry_time) for leg in waiting] == [
        ("waiting", 0, None, None)
    ] * 2
    call, put = at("09:27", stop_pct=50).positions
    assert (call.contract, call.expiry, call.right, call.strike) == ("100 CE", "2024-01-04", "CE", 100.0)
    assert (call.state, call.quantity, call.entry_time) == ("open", -50, "2024-01-01T09:20:00+05:30")
    assert (call.entry_price, call.price, call.stop, call.target, call.pnl) == (10.0, 10.0, 15.0, None, 0.0)
    assert (put.stop, put.pnl) == (12.0, 0.0)
    call, put = at("09:28", stop_pct=50, target_pct=90).positions
    assert (call.price, call.pnl, call.target) == (12.0, -100.0, 1.0)  # two rupees against 50 units


def test_a_stopped_leg_and_what_happened():
    shot = at("09:30", stop_pct=15)
    call, put = shot.positions
    assert (call.state, call.quantity, call.price, call.pnl, call.stop) == ("closed", 0, 11.5, -75.0, None)
    assert put.state == "open"
    assert [(e.what, e.time[11:16], e.leg, e.kind, e.quantity, e.price, e.reason) for e in shot.events] == [
        ("order", "09:20", 0, "market", -50, None, "entry"),
        ("order", "09:20", 1, "market", -50, None, "entry"),
        ("fill", "09:20", 0, "sell", -50, 10.0, "entry"),
        ("fill", "09:20", 1, "sell", -50, 8.0, "entry"),
        ("order", "09:21", 0, "stop", 50, 11.5, "stop"),
        ("order", "09:21", 1, "stop", 50, 9.2, "stop"),
        ("fill", "09:27", 0, "buy", 50, 11.5, "stop"),
    ]
    assert [(order.leg, order.kind, order.price, order.placed[11:16]) for order in shot.orders] == [
        (1, "stop", 9.2, "09:21")
    ]
    assert (shot.account.pnl, shot.account.realised, shot.account.open, shot.account.trades) == (
        -75.0,
        -75.0,
        -400.0,
        1,
    )
    assert shot.series.pnl == (0.0,) * 12 + (-75.0,) * 3


def test_what_is_held_costs_to_leave():
    assert at("09:28", stop_pct=50).series.held == (None,) * 5 + (18.0,) * 7 + (20.0,)
    assert at("09:30", stop_pct=15).held == 8.0
    assert at("09:28", stop_pct=50, side="buy").held == -20.0
    assert at("09:41").held is None


def test_a_late_strike_is_named_by_its_rule():
    shot = at("09:20", strike_at="fill", width=0, strike=1)
    assert [order.contract for order in shot.orders] == ["ATM+1 CE", "ATM+1 PE"]
    assert {leg.contract for leg in shot.positions} == {"not chosen yet"}


def test_events_since_a_bar():
    run = backtest.Stepper("straddle", day(), params={"entry": "09:20", "exit": "09:40", "stop_pct": 15})
    run.seek("09:30")
    assert [event.what for event in run.snapshot(since=6).events] == ["fill"]
    assert run.recorder().events(run.scene, 6, 12) == []


def test_the_strategys_memory_by_name():
    state = at("09:20").state
    assert state.keys() == set(strategy.get("straddle").state.names)
    assert (state["phase"], state["since"], state["legs"]) == (1, 560, [0, 1] + [0] * 8)


def test_a_leg_out_of_the_night_keeps_its_name_but_no_time():
    days = [day(session=blank().session.replace(day=n)) for n in (1, 2)]
    for one in days:
        one.future_open[:] = one.future_high[:] = one.future_low[:] = one.future[:] = 10_100
    run = backtest.Stepper(OVER_NIGHTS, days[1], earlier=days[:1])
    names = [(leg.contract, leg.right, leg.entry_time, leg.overnight) for leg in run.snapshot().positions]
    assert ("FUT", "FUT", None, True) in names
    run.seek(2)
    assert len(run.snapshot().series.held) == 2


def test_a_host_may_look_without_volatilities():
    run = backtest.Stepper("straddle", day())
    run.seek(12)
    shot = backtest.Recorder("NIFTY", "straddle", around=1, iv=False).snapshot(run.scene, run.at)
    assert [row.strike for row in shot.chain] == [50.0, 100.0, 150.0]
    assert {quote.iv for row in shot.chain for quote in (row.call, row.put)} == {None}


def test_the_schema_is_documented():
    """Every field of every part of a snapshot stands in the page, under the name of its part."""
    text = DOCS.read_text("utf-8")
    parts = [part for name in snapshots.__all__ if isinstance(part := getattr(snapshots, name), type)]
    assert len(parts) == 8
    for part in parts:
        section = re.search(rf"^### {part.__name__}$(.*?)(?=^#|\Z)", text, re.M | re.S)
        assert section, part
        for field in dataclasses.fields(part):
            assert f"`{field.name}`" in section[1], f"{part.__name__}.{field.name}"
    assert f"`schema` is {snapshots.SCHEMA}" in text
