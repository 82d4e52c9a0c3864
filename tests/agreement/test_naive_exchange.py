"""Any timetable of orders: the compiled loop equals a plain telling, fill by fill, skipping or not, over nights too."""

import dataclasses
from datetime import timedelta

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, given, settings

from algomaster import backtest
from hand_made import FIRST, random_day
from naive import exchange
from timetable import CLOSE, ENTER, KEEP, STOP_TO, TARGET_TO, TIMETABLE

MINUTES, STRIKES = 40, 5
OPTIONS = STRIKES * 2

enter = st.tuples(
    st.integers(0, MINUTES - 1), st.just(ENTER), st.just(0), st.integers(-1, OPTIONS - 1),
    st.integers(-3, 3).filter(bool).map(lambda lots: 50 * lots), st.sampled_from([1, 1, 2, 3]), st.integers(300, 500),
    st.sampled_from([0, 0, 50_000, 200_000]), st.sampled_from([0, 0, 50_000, 200_000]),
    st.sampled_from([0, 0, 7]), st.sampled_from([0, 0, 9]),
)  # fmt: skip
manage = st.tuples(
    st.integers(0, MINUTES - 1), st.sampled_from([CLOSE, STOP_TO, TARGET_TO, KEEP, KEEP]), st.integers(0, 4),
    st.just(0), st.just(0), st.just(0), st.integers(300, 500), st.just(0), st.just(0), st.just(0), st.just(0),
)  # fmt: skip
timetables = st.lists(st.one_of(enter, manage), min_size=1, max_size=12).map(lambda rows: tuple(sorted(rows)))
slippages = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "ticks": st.integers(0, 3),
            "spread": st.sampled_from([0.0, 0.5]),
            "impact": st.sampled_from([0.0, 0.1]),
            "quotes": st.booleans(),
        }
    ),
)


def sessions(seed, count, expiry_after):
    """Sessions that follow one another, of one expiry, some with fewer strikes."""
    expiry = np.array([(FIRST - exchange.EPOCH).days + expiry_after], np.int32)
    days = []
    for k in range(count):
        strikes = STRIKES - 2 * ((seed + k) % 3 == 2)
        date = FIRST + timedelta(days=k + 2 * (k > 0 and seed % 4 == 0))  # now and then an expiry is not in the data
        day = random_day(seed + k, minutes=MINUTES, strikes=strikes, gaps=0.15 * (seed % 2), session=date)
        rng = np.random.default_rng(seed + k)
        future = 400 + np.cumsum(rng.integers(-20, 21, MINUTES))  # as cheap as the options, so that orders touch it
        day.future[:] = future
        day.future_open[:] = opens = future + rng.integers(-10, 11, MINUTES)
        day.future_high[:] = np.maximum(future, opens) + rng.integers(0, 8, MINUTES)
        day.future_low[:] = np.minimum(future, opens) - rng.integers(0, 8, MINUTES)
        days.append(dataclasses.replace(day, expiries=expiry))
    return days


def told(run):
    contracts = [
        ("FUT",) if right == "FUT" else ((expiry - exchange.EPOCH).days, round(strike * 100), ("CE", "PE").index(right))
        for expiry, strike, right in zip(run.fills["expiry"], run.fills["strike"], run.fills["right"])
    ]
    prices = [round(price * 100) for price in run.fills["price"]]
    columns = run.fills["session"], contracts, run.fills["quantity"], prices, run.fills["reason"]
    return list(zip(*columns, strict=True))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=timetables,
    seed=st.integers(0, 40),
    count=st.integers(1, 4),
    expiry_after=st.integers(0, 5),
    fills=st.sampled_from(["next_open", "strict", "decision_close", "algotest"]),
    slippage=slippages,
)
def test_every_fill(rows, seed, count, expiry_after, fills, slippage):
    rows = tuple(row for row in rows if row[1] != ENTER or row[3] < OPTIONS - 4)  # listed on every session
    days = sessions(seed, count, expiry_after)
    expected, equity = exchange.run(days, rows, fills, slippage)
    given_ = {"params": {"rows": rows}, "fills": fills, "costs": False, "slippage": slippage}
    run = backtest.replay(TIMETABLE, days, **given_)
    assert told(run) == [(session, *rest) for session, _, *rest in expected]
    assert round(run.equity["equity"][-1] * 100) == equity
    plain = backtest.replay(TIMETABLE, days, skip_lists=False, **given_)
    assert (plain.digest, plain.fingerprint) == (run.digest, run.fingerprint)
    assert plain.equity.equals(run.equity)
    grid = backtest.sweep(TIMETABLE, days, grid=[{"rows": rows}, {"rows": rows[:1]}], fills=fills, costs=False,
                          slippage=slippage)  # fmt: skip
    assert grid.frame["fingerprint"][0] == run.fingerprint
