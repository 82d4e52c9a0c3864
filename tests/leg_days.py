"""Small sessions with four expiries whose premiums hang together with the index, for tests of the straddle manager."""

import dataclasses
from datetime import date

import numpy as np

from algomaster.core.types import MISSING
from algomaster.market import calendar
from hand_made import blank

EPOCH = date(1970, 1, 1)
EXPIRIES = [date(2024, 1, 4), date(2024, 1, 11), date(2024, 1, 25), date(2024, 2, 29)]
STEP = 50


def leg_days(seed, *, sessions=1, minutes=60, strikes=9, gaps=0.0):
    """Sessions in a row from the first days of 2024; equal seeds give equal sessions whatever else is drawn."""
    rng = np.random.default_rng(seed)
    first = calendar.sessions(date(2024, 1, 1), date(2024, 1, 31))
    start = seed % 4
    spot = 20_000.0
    days = []
    for session in first[start : start + sessions]:
        day, spot = _day(rng, session.date, spot + rng.normal(0, 40), minutes, strikes, gaps)
        days.append(day)
    return days


def _day(rng, session, spot, minutes, strikes, gaps):
    live = [expiry for expiry in EXPIRIES if expiry >= session]
    day = blank(minutes=minutes, strikes=strikes, session=session, centre=20_000, step=STEP, expiries=len(live))
    day = dataclasses.replace(day, expiries=np.array([(e - EPOCH).days for e in live], np.int32))
    closes = np.round(spot + np.cumsum(rng.normal(0, 9, minutes)), 2)
    opens = np.round(np.concatenate([[spot], closes[:-1]]) + rng.normal(0, 2, minutes), 2)
    for name, values in (("spot", closes), ("spot_open", opens)):
        getattr(day, name)[:] = np.round(values * 100)
    wide = np.abs(rng.normal(0, 3, (2, minutes)))
    day.spot_high[:] = np.round((np.maximum(opens, closes) + wide[0]) * 100)
    day.spot_low[:] = np.round((np.minimum(opens, closes) - wide[1]) * 100)
    basis = np.round(rng.normal(20, 5, minutes) * 100)
    for name in ("", "_open", "_high", "_low"):
        getattr(day, f"future{name}")[:] = getattr(day, f"spot{name}") + basis
    day.vix[:] = np.round(rng.uniform(10, 30) * 100 + np.cumsum(rng.normal(0, 10, minutes)))
    _premiums(rng, day, live, session)
    gone = rng.random(day.close.shape) < gaps
    for name in ("open", "high", "low", "close"):
        getattr(day, name)[gone] = MISSING
    gone = rng.random(minutes) < gaps
    for name in ("spot", "spot_open", "spot_high", "spot_low", "vix", "future"):
        getattr(day, name)[gone] = MISSING
    return day, float(closes[-1])


def _premiums(rng, day, live, session):
    shape = day.close.shape
    strikes = day.strikes / 100
    years = np.array([((expiry - session).days + 0.6) / 365 for expiry in live])
    gap = (day.spot[None, None, :] / 100 - strikes[None, :, None]) * np.ones((shape[0], 1, 1))
    spread = 20_000 * 0.14 * np.sqrt(years)[:, None, None]
    value = spread * 0.4 * np.exp(-((gap / spread) ** 2) / 2)
    for right, sign in ((0, 1), (1, -1)):
        premium = np.maximum(sign * gap, 0) * 0.995 + value + np.cumsum(rng.normal(0, 2.5, gap.shape), axis=-1)
        close = np.maximum(np.round(premium * 20), 2)
        opens = np.maximum(np.round((premium + rng.normal(0, 2, gap.shape)) * 20), 2)
        day.close[:, :, right], day.open[:, :, right] = close, opens
        day.high[:, :, right] = np.maximum(close, opens) + rng.integers(0, 60, gap.shape)
        day.low[:, :, right] = np.maximum(np.minimum(close, opens) - rng.integers(0, 60, gap.shape), 1)
