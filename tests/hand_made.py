"""Small sessions made by hand or by a plain random walk, for tests that need to see every bar."""

import dataclasses
from datetime import date, timedelta

import numpy as np

from algomaster.core.types import MINUTE_NS, MISSING
from algomaster.market.chain_day import ChainDay

FIRST = date(2024, 1, 1)
OPENING = 555


def blank(*, minutes=30, strikes=5, expiries=1, session=FIRST, step=50, centre=100, tick=5, lot=50):
    """Session of strikes ``centre`` +- steps of ``step`` rupees in which nothing has traded."""
    start = int((session - date(1970, 1, 1)).days) * 1440 + OPENING - 330
    grid = (np.arange(strikes) - strikes // 2) * step * 100 + centre * 100
    days = (session - date(1970, 1, 1)).days
    return ChainDay.empty(
        underlying="NIFTY",
        session=session,
        ts=(start + np.arange(minutes)) * MINUTE_NS,
        first_minute=OPENING,
        tick=tick,
        expiries=np.array([days + 3 + 7 * e for e in range(expiries)], np.int32),
        strikes=grid.astype(np.int64),
        strike_step=np.full(expiries, step * 100, np.int64),
        lot=np.full(expiries, lot, np.int64),
        source="hand-made",
    )


def flat_index(day, rupees):
    """Let the index stand still."""
    for name in ("spot_open", "spot_high", "spot_low", "spot"):
        getattr(day, name)[:] = round(rupees * 100)
    return day


def bars(day, strike, right, rows, *, start=0, expiry=0):
    """Write (open, high, low, close) rows in rupees into one contract from bar ``start`` on; None leaves a gap."""
    k = int(np.flatnonzero(day.strikes == strike * 100)[0])
    r = ("CE", "PE").index(right)
    for i, row in enumerate(rows, start):
        if row is None:
            continue
        for name, price in zip(("open", "high", "low", "close"), row):
            getattr(day, name)[expiry, k, r, i] = round(price * 100 / day.tick)
    return day


def random_day(seed, *, minutes=60, strikes=7, gaps=0.0, session=None):
    """Random values in every field: walks for the index and each contract, some minutes missing, nothing fits together.

    Equal seeds give equal days whatever else a caller draws.
    """
    rng = np.random.default_rng(seed)
    day = blank(minutes=minutes, strikes=strikes, session=session or FIRST + timedelta(days=seed % 1000), centre=20_000)
    spot = 2_000_000 + np.cumsum(rng.integers(-900, 901, minutes))
    day.spot[:] = spot
    day.spot_open[:] = spot + rng.integers(-400, 401, minutes)
    shape = day.close.shape
    close = np.maximum(400 + np.cumsum(rng.integers(-25, 26, shape), axis=-1), 3)
    opens = np.maximum(close + rng.integers(-20, 21, shape), 2)
    day.close[:], day.open[:] = close, opens
    day.high[:] = np.maximum(close, opens) + rng.integers(0, 12, shape)
    day.low[:] = np.maximum(np.minimum(close, opens) - rng.integers(0, 12, shape), 1)
    gone = rng.random(shape) < gaps
    for name in ("open", "high", "low", "close"):
        getattr(day, name)[gone] = MISSING
    gone = rng.random(minutes) < gaps
    for name in ("spot_open", "spot"):
        getattr(day, name)[gone] = MISSING
    for name in ("bid", "ask", "volume", "oi"):
        getattr(day, name)[:] = rng.integers(1, 900, shape)
    for name in ("spot_high", "spot_low", "future_open", "future_high", "future_low", "future", "vix"):
        getattr(day, name)[:] = rng.integers(1, 3_000_000, minutes)
    day.score[:] = rng.uniform(0, 100, minutes)
    return dataclasses.replace(day, features=rng.normal(size=(minutes, 2)))
