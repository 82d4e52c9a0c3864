"""Small sessions whose option prices are Black-76's along a path of volatility with spikes, some minutes missing."""

import dataclasses
from datetime import date

import numpy as np

from algomaster import pricing
from algomaster.core.types import MISSING
from algomaster.market import calendar
from algomaster.strategy.day import day_of
from hand_made import blank

FIELDS = (
    "open", "high", "low", "close", "spot", "spot_open", "future", "future_open", "future_high", "future_low", "score",
)  # fmt: skip


def sessions(first, count):
    return [session.date for session in calendar.sessions_from(first, count)]


def priced(session, expiry, spots, vols, *, strikes=9, basis=0.0):
    """A session whose closes are Black-76's at these spots (rupees, M) and volatilities (M), opens last closes."""
    spots, vols = np.asarray(spots, float), np.asarray(vols, float)
    day = blank(minutes=spots.size, strikes=strikes, session=session, centre=20_000)
    day = dataclasses.replace(day, expiries=np.array([(expiry - date(1970, 1, 1)).days], np.int32))
    years = day_of(day).years[0]
    day = dataclasses.replace(day, **{name: getattr(day, name).copy() for name in FIELDS})
    rights, grid = np.array([1, -1])[:, None], (day.strikes / 100)[:, None, None]
    value = pricing.price(rights, None, grid, years, vols, forward=spots + basis)
    day.close[0] = np.maximum(np.round(value * 100 / day.tick), 1)
    day.spot[:] = np.round(spots * 100)
    day.future[:] = day.spot + round(100 * basis) + 35
    for first, last, ends in (
        (day.open, day.close, (day.high, day.low)),
        (day.spot_open, day.spot, ()),
        (day.future_open, day.future, (day.future_high, day.future_low)),
    ):
        first[..., 0], first[..., 1:] = last[..., 0], last[..., :-1]
        for end, choose in zip(ends, (np.maximum, np.minimum)):
            end[:] = choose(first, last)
    return day


def spiky(seed, *, minutes=90, gaps=0.0, count=1, wild=6.0):
    """``count`` sessions in a row with spikes of volatility that fall back; equal seeds give equal days."""
    rng = np.random.default_rng(seed)
    dates = sessions(sessions(date(2024, 1, 1), 1 + seed % 200)[-1], count + 5)
    expiry = dates[count - 1 + int(rng.integers(0, 4))]
    vol, basis = float(rng.uniform(0.08, 0.2)), float(rng.uniform(-5, 15))
    return [_spiky_day(rng, day, expiry, vol, basis, minutes, gaps, wild) for day in dates[:count]]


def _spiky_day(rng, session, expiry, vol, basis, minutes, gaps, wild):
    lift, lifts = 0.0, np.empty(minutes)
    for i in range(minutes):
        lift = lift * rng.uniform(0.8, 1.0) + (rng.uniform(0.05, 0.9) if rng.random() < 0.06 else 0.0)
        lifts[i] = lift
    spots = 20_000.0 + np.cumsum(rng.normal(0, wild, minutes))
    vols = vol * (1 + lifts) * np.exp(rng.normal(0, 0.004, minutes))
    day = priced(session, expiry, spots, vols, basis=basis)
    spread = rng.integers(0, 6, (2, *day.close.shape)).astype(np.int32)
    day.high[:] += spread[0]
    day.low[:] = np.maximum(day.low - spread[1], 1)
    score = np.clip(50 + np.cumsum(rng.normal(0, 6, minutes)), 0, 100)
    day.score[:] = np.where(rng.random(minutes) < gaps, np.nan, score)
    for names, shape in (
        (("open", "high", "low", "close"), day.close.shape),
        (("spot_open", "spot"), minutes),
        (("future_open", "future_high", "future_low", "future"), minutes),
    ):
        gone = rng.random(shape) < gaps
        for name in names:
            getattr(day, name)[gone] = MISSING
    return dataclasses.replace(day, features=rng.uniform(0, 100, size=(minutes, 2)))
