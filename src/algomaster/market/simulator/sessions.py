"""From a seed to sessions: the simulator's front.

1. :func:`simulate` walks the sessions of the trading calendar and carries the market's state from one to the next.
2. Each session draws from generators keyed by seed, underlying and date, so that a session is the same however many
   are asked for.
3. :func:`market_path` gives the index at a few points of every minute: one second in, then evenly to its end.
4. Index, future, volatility index and option bars are read off the same points (:func:`_fill`).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algomaster.core.types import MINUTE_NS, FloatArray, IntArray
from algomaster.market import calendar, clock, facts
from algomaster.market.chain_day import ChainDay, Days
from algomaster.market.simulator.interest import activity, oi_targets, popularity, strike_weights
from algomaster.market.simulator.model import MarketModel, model_of, start_level
from algomaster.market.simulator.quotes import Bars, MarketPoints, option_bars, quote_params
from algomaster.market.simulator.surface import compound, expected_variances, surface_params, volatility_index
from algomaster.market.simulator.walk import NORMALS, first_state, path_params, walk

__all__ = ["POINTS", "MarketPath", "first_session_state", "market_path", "market_points", "simulate"]

POINTS: Final = 8
"""Points a minute; eight come near the high-low range of real index minutes (1.2 standard deviations)."""

_EPOCH: Final = date(1970, 1, 1)
_SECOND_NS: Final = 1_000_000_000
_START, _PATH, _TRADES = 0, 1, 2


class MarketPath(NamedTuple):
    """The index of one session at N = M x POINTS points."""

    ts: IntArray
    """(N,) nanoseconds UTC."""
    spot: FloatArray
    """(N,) paise, not rounded."""
    variance: FloatArray
    """(N,) a year, now."""
    level: FloatArray
    """(N,) variance that the fast factor reverts to."""
    rho: FloatArray
    """(N,) correlation parameter of the smile."""
    basis: FloatArray
    """(N,) the future's deviation from fair value, a fraction."""
    anchor: FloatArray
    """(N,) slow mean of log spot."""
    speed: FloatArray
    """(M,) business time of each minute relative to the session's mean."""


def simulate(
    underlying: str,
    *,
    sessions: int,
    start: str | date,
    strikes: int = 41,
    expiries: int = 1,
    seed: int = 0,
    level: float | None = None,
    model: MarketModel | None = None,
    progress: Callable[[int], object] | None = None,
) -> Days:
    """Make up sessions of an index and its options.

    Parameters
    ----------
    underlying : str
        A name the contract facts know ("NIFTY").
    sessions : int
        How many, counted on the trading calendar.
    start : str or date
        The first session is the first one on or after it.
    strikes : int
        Strikes a session, a step apart, around the strike nearest to the first index price.
    expiries : int
        The next so many expiries; one on the day itself counts.
    seed : int
        Equal arguments give equal bytes; a session does not depend on ``sessions``.
    level : float, optional
        Index level in points from which the first session opens; by default a round level of the year.
    model : MarketModel, optional
        By default the underlying's entry in ``MODELS``.
    progress : callable, optional
        Called with the number of sessions done after each.

    Returns
    -------
    Days
        ``source`` of each session names the seed and the model's content hash.

    Raises
    ------
    FactError
        Sessions, expiries or contract facts are not on record for the dates.
    ConfigError
        There is no default model of the underlying.
    ValueError
        A count, the level or the start is out of range.

    Examples
    --------
    >>> from algomaster import market
    >>> days = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=5, seed=7)
    >>> days[0].close.shape
    (1, 5, 2, 375)
    """
    for name, count in (("sessions", sessions), ("strikes", strikes), ("expiries", expiries)):
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")
    if seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed}")
    if level is not None and not 0 < level < math.inf:
        raise ValueError(f"level: expected a positive number of points, got {level}")
    first = start if isinstance(start, date) else date.fromisoformat(start)
    model = model or model_of(underlying)
    schedule = calendar.sessions_from(first, sessions)
    level = start_level(underlying, schedule[0].date) if level is None else level
    state = first_session_state(underlying, schedule[0].date, level=level, seed=seed, model=model)
    source = f"simulator seed={seed} level={level:g} model={model.content_hash()[:16]}"
    before: calendar.Session | None = None
    days: list[ChainDay] = []
    for session in schedule:
        path = market_path(underlying, session, before, state=state, seed=seed, model=model)
        day = _empty(underlying, session, path, strikes=strikes, expiries=expiries, source=source)
        _fill(day, session, before, path, seed=seed, model=model)
        days.append(day)
        before = session
        if progress is not None:
            progress(len(days))
    return Days(days)


def first_session_state(underlying: str, on: date, *, level: float, seed: int, model: MarketModel) -> FloatArray:
    """Give the market's state before the first session; see ``walk.STATE``."""
    normals = _generator(seed, underlying, on, _START).standard_normal(4)
    return first_state(100.0 * level, path_params(model), normals)


def market_path(
    underlying: str,
    session: calendar.Session,
    before: calendar.Session | None,
    *,
    state: FloatArray,
    seed: int,
    model: MarketModel,
) -> MarketPath:
    """Walk the index through the night before a session (if there is one) and through the session.

    Parameters
    ----------
    underlying : str
    session, before : Session
        The session, and the one it follows; without one there is no gap.
    state : (6,) float64
        Carried on in place.
    seed : int
    model : MarketModel
    """
    seconds = np.linspace(_SECOND_NS, MINUTE_NS, POINTS).round().astype(np.int64)
    ts = (session.bar_starts()[:, None] + seconds).ravel()
    elapsed = clock.t_business(session.open_ns, ts)
    night = 0.0 if before is None else float(clock.t_business(before.close_ns, session.open_ns))
    years = np.concatenate(([night], np.diff(elapsed, prepend=0.0)))
    generator = _generator(seed, underlying, session.date, _PATH)
    normals = generator.standard_normal((years.size, NORMALS))
    out = np.empty((6, years.size))
    walk(state, years, normals, generator.random(years.size), before is not None, path_params(model), out)
    of_minutes = np.diff(elapsed[POINTS - 1 :: POINTS], prepend=0.0)
    spot, variance, reverts_to, rho, basis, anchor = np.ascontiguousarray(out[:, 1:])
    return MarketPath(ts, spot, variance, reverts_to, rho, basis, anchor, of_minutes / of_minutes.mean())


def _empty(
    underlying: str, session: calendar.Session, path: MarketPath, *, strikes: int, expiries: int, source: str
) -> ChainDay:
    on = session.date
    dates = [expiry.date for expiry in facts.next_expiries(underlying, on, expiries)]
    step = facts.strike_step_paise(underlying, on=on)
    middle = round(float(path.spot[0]) / step)
    return ChainDay.empty(
        underlying=underlying,
        session=on,
        ts=session.bar_starts(),
        first_minute=session.first_minute,
        tick=facts.tick_paise(underlying, on=on),
        expiries=np.array([(expiry - _EPOCH).days for expiry in dates], np.int32),
        strikes=step * (middle - strikes // 2 + np.arange(strikes, dtype=np.int64)),
        strike_step=np.full(expiries, step, np.int64),
        lot=np.array([facts.lot_size(underlying, expiry=expiry, on=on) for expiry in dates], np.int64),
        source=source,
    )


def market_points(
    session: calendar.Session, path: MarketPath, expiries: list[date], model: MarketModel
) -> MarketPoints:
    """Give forwards, variances and clocks of each expiry at the points of a path."""
    expiry_ns = np.array([clock.expiry_ns(expiry) for expiry in expiries], np.int64)[:, None]
    calendar_years = clock.t_calendar(path.ts, expiry_ns)
    years = clock.t_business(path.ts, expiry_ns)
    theta, growth, discount = np.empty((3, *years.shape))
    compound(model.rate - model.dividend_yield, calendar_years, growth)
    compound(-model.rate, calendar_years, discount)
    expected_variances(years, path.variance, path.level, surface_params(model), theta)
    return MarketPoints(
        forward=path.spot * growth,
        theta=theta,
        years=years,
        minutes_left=(expiry_ns - path.ts) / MINUTE_NS,
        discount=discount,
        rho=path.rho,
        since_open=(path.ts - session.open_ns) / MINUTE_NS,
    )


def _fill(
    day: ChainDay,
    session: calendar.Session,
    before: calendar.Session | None,
    path: MarketPath,
    *,
    seed: int,
    model: MarketModel,
) -> None:
    _fill_series(day, session, path, model)
    points = market_points(session, path, day.expiry_dates, model)
    E, K, _, M = day.close.shape
    draws = np.empty((E, K, 2, M, POINTS + 2), np.float32)
    for e, days_since_1970 in enumerate(day.expiries):
        key = (_TRADES, int(days_since_1970))
        _generator(seed, day.underlying, day.session, *key).random(out=draws[e], dtype=np.float32)
    yesterday = session.open_ns if before is None else before.close_ns
    ends = np.array([clock.expiry_ns(expiry) for expiry in day.expiry_dates], np.int64)
    targets = oi_targets(
        day.strikes, day.expiries, day.lot,
        anchors=(path.anchor[0], path.anchor[-1]),
        years=(clock.t_business(yesterday, ends), clock.t_business(session.close_ns, ends)),
        seed=seed, model=model,
    )  # fmt: skip
    bars = Bars(day.open, day.high, day.low, day.close, day.bid, day.ask, day.volume, day.oi)
    near = float(model.traded_steps * day.strike_step[0])
    option_bars(
        points, day.strikes, _open_minutes(session), activity(path.speed), near, day.tick, day.lot,
        popularity(points.years[:, 0]), strike_weights(day.strikes), targets, draws, quote_params(model), bars,
    )  # fmt: skip


def _fill_series(day: ChainDay, session: calendar.Session, path: MarketPath, model: MarketModel) -> None:
    """Fill index, future and volatility index; halted minutes stay MISSING."""
    traded = _open_minutes(session)
    tick = facts.tick_paise(day.underlying, on=day.session, segment="index")
    _bars(path.spot, tick, traded, day.spot_open, day.spot_high, day.spot_low, day.spot)
    fair = market_points(session, path, [_future_expiry(day.underlying, day.session)], model).forward[0]
    tick = facts.tick_paise(day.underlying, on=day.session, segment="future")
    future = fair * (1.0 + path.basis)
    _bars(future, tick, traded, day.future_open, day.future_high, day.future_low, day.future)
    closes = slice(POINTS - 1, None, POINTS)
    points = np.empty(traded.size)
    volatility_index(
        path.variance[closes].copy(), path.level[closes].copy(), path.rho[closes].copy(), surface_params(model), points
    )
    day.vix[traded] = np.rint(100.0 * points[traded]).astype(np.int64)


def _bars(prices: FloatArray, tick: int, traded: NDArray[np.bool_], *out: IntArray) -> None:
    """Write open, high, low and close of each traded minute on the tick grid, in paise."""
    grid = tick * np.rint(prices.reshape(-1, POINTS)[traded] / tick).astype(np.int64)
    for array, values in zip(out, (grid[:, 0], grid.max(axis=1), grid.min(axis=1), grid[:, -1])):
        array[traded] = values


def _open_minutes(session: calendar.Session) -> NDArray[np.bool_]:
    """Say of each minute (M,) whether trading was open in it."""
    minutes = session.first_minute + np.arange(session.minutes)
    traded = np.ones(session.minutes, np.bool_)
    for start, end in session.halts:
        traded &= (minutes < start) | (minutes >= end)
    return traded


def _future_expiry(underlying: str, on: date) -> date:
    expiry = facts.monthly_expiry(underlying, on.year, on.month)
    if expiry >= on:
        return expiry
    following = on.replace(day=1) + timedelta(days=32)
    return facts.monthly_expiry(underlying, following.year, following.month)


def _generator(seed: int, underlying: str, on: date, *stream: int) -> np.random.Generator:
    """Give the random numbers of one purpose on one day, the same on every machine and in every order of asking."""
    key = (seed, zlib.crc32(underlying.encode()), on.toordinal(), *stream)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
