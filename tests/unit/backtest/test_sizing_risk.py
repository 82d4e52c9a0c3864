"""Which trades of a run are one round to the risk of ruin, and what its result a lot is."""

import dataclasses
from datetime import date, datetime

import polars as pl
import pytest

from algomaster import backtest, performance
from algomaster.backtest.session import days_of
from algomaster.backtest.sizing_risk import ruin_of, with_risk
from algomaster.strategy.sizing import Sized
from hand_made import random_day

DAYS = days_of([random_day(seed) for seed in (1, 2, 3)])
SETS = {"entry": "09:20", "exit": "09:50"}
ROWS = [  # session, entry, net, lots
    (1, 0, -300.0, 2), (1, 0, 100.0, 2), (1, 5, 40.0, 4), (2, 0, -90.0, 1), (2, 0, 15.0, 7), (3, 0, 60.0, 3),
]  # fmt: skip


class ByEntry(Sized):
    round_is = "entry"


@pytest.fixture(scope="module")
def run():
    trades = pl.DataFrame(
        {
            "session": [date(2024, 1, row[0]) for row in ROWS],
            "entry_time": [datetime(2024, 1, row[0], 9, 20 + row[1]) for row in ROWS],
            "net_pnl": [row[2] for row in ROWS],
            "lots": [row[3] for row in ROWS],
            "right": ["FUT" if row[3] == 7 else "CE" for row in ROWS],
        }
    )
    return dataclasses.replace(backtest.replay("straddle", DAYS, params=SETS, costs=False), trades=trades)


def test_the_trades_of_a_session_are_a_round(run):
    found = ruin_of(run, Sized(sizing="martingale"), DAYS, runs=300)
    assert found == performance.risk_of_ruin([-160 / 4, -75.0, 20.0], {"sizing": "martingale"}, runs=300)


def test_the_trades_of_an_entry_time_are_a_round(run):
    found = ruin_of(run, ByEntry(sizing="martingale"), DAYS, runs=300)
    rounds, sessions = [-100.0, 10.0, -75.0, 20.0], [1, 1, 2, 3]
    assert found == performance.risk_of_ruin(rounds, {"sizing": "martingale"}, sessions=sessions, runs=300)


def test_margin_is_that_of_a_lot_on_average(run):
    policy = Sized(sizing="martingale", max_margin=300_000.0)  # two lots of about 150,000
    assert ruin_of(run, policy, DAYS, runs=300).largest <= 2


def test_only_a_martingale_is_told_of(run):
    assert with_risk(run, Sized(sizing="antimartingale"), DAYS) is run
    assert with_risk(run, Sized(), DAYS) is run
    told = with_risk(run, Sized(sizing="martingale"), DAYS)
    assert told.notes["session"][-1] == DAYS[-1].session
    assert told.metrics.keys() - run.metrics.keys() == {"risk_of_ruin", "risk_of_ruin_se"}
    assert told.digest == run.digest
