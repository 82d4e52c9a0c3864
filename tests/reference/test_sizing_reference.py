"""Volatility and Kelly sizing against pandas' exponentially weighted moments, and against books' own examples."""

import math

import numpy as np
import pandas as pd
import pytest

from algomaster.strategy.sizing import SIZING_PARAMS, SIZING_STATE, Sized
from algomaster.strategy.steps.sizing import lots_for

SESSIONS = np.random.default_rng(8).normal(300, 2_500, 60).round(2)  # rupees a lot


def asked(policy):
    """One round of one session after the other; give the lots of each."""
    record, state = np.zeros(1, np.dtype(SIZING_PARAMS)), np.zeros(1, np.dtype(SIZING_STATE))
    policy.pack_sizing(record[0])
    netted, lots = 0, []
    for session, result in enumerate(SESSIONS):
        lots.append(int(lots_for(state, record, session, netted, 10_000, 1)))
        netted += lots[-1] * round(result * 100)
    return lots


@pytest.mark.parametrize("lookback", [5, 20])
def test_the_volatility_target_is_pandas_ewm(lookback):
    lots = asked(Sized(sizing="volatility", target_volatility=40_000.0, lookback=lookback))
    sd = pd.Series(SESSIONS).ewm(span=lookback).var(bias=True).shift() ** 0.5
    known = lots[lookback:]
    assert known == np.floor(40_000 / sd[lookback:]).astype(int).tolist()
    assert len(set(known)) > 3


def test_kelly_is_capital_times_mean_over_variance():
    """A session that was left out counts nothing, but the ones before it fade; little knowledge gives the base, 1."""
    lots = asked(Sized(sizing="kelly", capital=1_000_000.0, lookback=20, kelly_fraction=0.5))
    traded = pd.Series(np.where(np.array(lots) > 0, SESSIONS, np.nan))
    weighted = traded.ewm(span=20, ignore_na=False)
    mean, variance = weighted.mean().shift(), weighted.var(bias=True).shift()
    capital = 1_000_000.0
    for session in range(len(SESSIONS)):
        known = [(19 / 21) ** age for age in range(session) if lots[session - 1 - age] > 0]
        kelly = 0.5 * capital * mean[session] / variance[session] if sum(known) >= 21 / 4 else 1
        assert lots[session] == max(math.floor(kelly), 0)
        capital += lots[session] * SESSIONS[session]
    assert max(lots) > 5
    assert min(lots) == 0


def test_fixed_fraction_is_two_percent_of_what_is_there():
    """R. Vince, "Portfolio Management Formulas", 1990: 2 % of 100,000 over a risk of 400 a unit are 5 units."""
    policy = Sized(sizing="fraction", capital=100_000.0, fraction=2.0, risk_per_lot=400.0)
    assert asked(policy)[0] == 5


def test_a_doubling_needs_a_thousand_units_after_ten_losses():
    """The folk figure: 1 + 2 + ... + 512 are lost after ten losses, 1,024 are staked next."""
    record, state = np.zeros(1, np.dtype(SIZING_PARAMS)), np.zeros(1, np.dtype(SIZING_STATE))
    Sized(sizing="martingale", max_steps=None).pack_sizing(record[0])
    netted, lots = 0, []
    for _ in range(11):
        lots.append(int(lots_for(state, record, 0, netted, 10_000, 1)))
        netted -= lots[-1]
    assert (sum(lots[:10]), lots[10]) == (1023, 1024)
