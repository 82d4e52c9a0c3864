"""A strategy with sizing, through many sessions: its lots are what the plain telling makes of its own trades."""

import numpy as np
import pytest

from algomaster import backtest, strategy
from algomaster.core.types import MISSING
from algomaster.strategy.sizing import SIZING_PARAMS, SIZING_STATE, Sized
from algomaster.strategy.steps import contract as desk
from algomaster.strategy.steps.sizing import lots_now
from hand_made import random_day
from naive.sizing import next_lots

DAYS = [random_day(seed) for seed in range(40, 65)]
EVERY, HELD = 12, 8


class Settings(Sized):
    lots: int = 2

    def pack(self):
        record = np.zeros(1, np.dtype([("lots", np.int64), *SIZING_PARAMS]))
        record[0]["lots"] = self.lots
        self.pack_sizing(record[0])
        return record


STATE = np.dtype([("leg", np.int64), *SIZING_STATE])


@strategy.step
def sells_the_call_every_twelve_minutes(state, params, day, i, book):
    """One round after the other, each of one leg held for eight bars."""
    if i % 12 == 3 and day.spot[i] != MISSING:
        contract = desk.instrument_of(day, 0, day.strikes[day.strikes.size // 2], 0)
        lots = lots_now(state, params, day, i, book, params[0]["lots"])
        state[0]["leg"] = -1
        if lots > 0:
            state[0]["leg"] = desk.enter(book, i, contract, -lots * day.lot[0], 0, 0)
    elif i % 12 == 11 and state[0]["leg"] >= 0:
        desk.close(book, i, state[0]["leg"], desk.TIME)


MINE = strategy.Strategy("mine", step=sells_the_call_every_twelve_minutes, params=Settings, state=STATE)
POLICIES = [
    {},
    {"max_lots": 1},
    {"sizing": "martingale", "max_lots": 12},
    {"sizing": "martingale", "multiplier": 1.5, "reset": "recovery", "after_max": "restart", "max_steps": 3},
    {"sizing": "martingale", "reset": "day", "daily_loss_limit": 6_000.0},
    {"sizing": "antimartingale", "reset": "week", "max_loss": 30_000.0},
    {"sizing": "fraction", "capital": 60_000.0, "fraction": 5.0, "risk_per_lot": 300.0},
    {"sizing": "volatility", "target_volatility": 9_000.0, "lookback": 8},
    {"sizing": "kelly", "capital": 100_000.0, "lookback": 6},
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: "-".join(map(str, policy.values())) or "fixed")
def test_lots_are_what_the_plain_telling_makes_of_the_trades(policy):
    run = backtest.replay(MINE, DAYS, params=policy)
    trades = {(row["session"], row["entry_time"].hour * 60 + row["entry_time"].minute): row
              for row in run.trades.to_dicts()}  # fmt: skip
    asks = []
    for day in DAYS:
        number = (day.session - np.datetime64("1970-01-01").astype(object)).days
        for i in range(3, day.ts.size, EVERY):
            expected = next_lots(asks, number, 2, policy)
            row = trades.pop((day.session, day.first_minute + i + 1), None)
            assert (row["lots"] if row else 0) == expected
            asks.append((number, expected, round(row["net_pnl"] * 100) if row else 0))
    assert not trades
    assert len({lots for _, lots, _ in asks}) > 1 or policy in ({}, {"max_lots": 1})


def test_sweep_is_replay():
    grid = backtest.sweep(MINE, DAYS, grid=POLICIES, digest=True).frame["digest"].to_list()
    assert grid == [backtest.replay(MINE, DAYS, params=policy).digest for policy in POLICIES]


def test_margin_keeps_the_lots_down():
    """A lot of 50 units on an index near 20,000 takes about 15 % of 1,000,000 rupees; sold lots count until bought."""
    run = backtest.replay(MINE, DAYS[:3], params={"lots": 9, "max_margin": 700_000.0})
    for row in run.trades.to_dicts():
        bar = row["entry_time"].hour * 60 + row["entry_time"].minute - 556
        day = next(one for one in DAYS if one.session == row["session"])
        a_lot = int(day.spot[bar]) * 50 * 150_000 // 1_000_000
        assert row["lots"] == 70_000_000 // a_lot


def test_no_index_no_margin_no_trade():
    days = [random_day(40)]
    days[0].spot[:4] = MISSING
    assert not backtest.replay(MINE, days, params={"max_margin": 1e6}).trades.filter(leg=0).is_empty()
