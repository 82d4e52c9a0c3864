"""Made-up companions of bars: columns that some features read and that few people have files for.

Everything :func:`companions` adds is SIMULATED: it lets such features run, be tested and be drawn, and says nothing
about any market. A table of real events goes through :func:`event_days`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.core.arrays import as_vector, kind_of
from algomaster.core.types import MINUTE_NS, FloatArray, IntArray
from algomaster.features import trading_days
from algomaster.features.inputs import moments_of
from algomaster.market import calendar

__all__ = ["companions", "event_days"]

_CONSTITUENTS: Final = 50
_EVENT_EVERY: Final = 14  # days; each is known of from the day of the one before
_TICK: Final = 0.05
_SALT: Final = 6_174  # so that no one's own generator of the same seed draws the same numbers


def companions(bars: Any, *, seed: int = 0) -> Any:
    """Add simulated columns to the bars of one underlying; columns that are there and have a value stay as they are.

    Parameters
    ----------
    bars : polars or pandas DataFrame
        ``ts`` (start of the bar) and ``close``, in ascending order.
    seed : int
        Equal bars and seeds give equal columns.

    Returns
    -------
    DataFrame
        Of the kind that came, with

        - ``peer``: another index that follows this one with a beta of 1.2;
        - ``future``: the close plus a basis that decays towards 10 basis points;
        - ``oi``: open interest of that future, a walk of some ten million units;
        - ``breadth``: the share of 50 made-up constituents that stand above their mean price of the session;
        - ``vix``, ``usdinr``: walks that lean against the index;
        - ``bid``, ``ask``, ``bid_qty``, ``ask_qty``, ``bid_qty_5``, ``ask_qty_5``: a book around the close;
        - ``days_to_event``: sessions to an event every second Wednesday, known of two weeks ahead.

    Raises
    ------
    ValueError
        There is more than one underlying, or the seed is negative.

    Notes
    -----
    A row depends on the bars up to it and on nothing later: longer bars begin with the rows of shorter ones.
    """
    if seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed}")
    if "underlying" in bars.columns and len(set(bars["underlying"].to_list())) > 1:
        raise ValueError("bars: expected those of one underlying, got several; add companions to each by itself")
    ts = moments_of(bars["ts"])
    close = as_vector(bars["close"], "close")
    made = {**_indices(ts, close, seed), **_book(close, seed), "days_to_event": _events(ts)}
    added = {name: values for name, values in made.items() if not _there(bars, name)}
    if kind_of(bars) == "pandas":
        return bars.assign(**added)
    import polars as pl

    return bars.with_columns(pl.Series(name, values) for name, values in added.items())


def _there(bars: Any, name: str) -> bool:
    return name in bars.columns and bool(np.isfinite(as_vector(bars[name], name)).any())


def event_days(ts: Any, events: Any) -> FloatArray:
    """Give the sessions from each bar to the next event known of at the bar's end: the series ``days_to_event``.

    Parameters
    ----------
    ts : column of times, or int64 nanoseconds UTC
        Starts of bars of a minute, ascending.
    events : polars or pandas DataFrame
        ``date`` (day of the event) and ``known_at`` (when its date became public: a time with a zone, or nanoseconds
        UTC). A rate decision, the budget; sessions are counted as on the exchange.

    Returns
    -------
    (T,) float64
        0 all through the day of the event; NaN where none is known of.

    Raises
    ------
    ValueError
        Times have no zone or a date or time is missing.
    """
    starts = moments_of(ts)
    dates = events["date"].to_numpy().astype("datetime64[D]")
    if np.isnat(dates).any():
        raise ValueError(f"date: expected a day in every row, got {int(np.isnat(dates).sum())} missing")
    return _until(starts, dates.astype(np.int64), moments_of(events["known_at"]))


def _until(starts: IntArray, dates: IntArray, known_at: IntArray) -> FloatArray:
    days = calendar.session_ids(starts)
    so_far = trading_days.sessions_so_far(days)
    out = np.full(starts.size, np.nan)
    for date, at, count in zip(dates, known_at, trading_days.sessions_so_far(dates)):
        first = np.searchsorted(starts + MINUTE_NS, at)
        last = np.searchsorted(days, date, side="right")
        if first < last:
            out[first:last] = np.fmin(out[first:last], count - so_far[first:last])
    return out


def _events(ts: IntArray) -> FloatArray:
    """Give the sessions to the next of the events that stand on every second Wednesday."""
    if not ts.size:
        return np.empty(0)
    days = calendar.session_ids(ts[[0, -1]])
    wednesday = 6  # 1970-01-07
    first = (int(days[0]) - wednesday) // _EVENT_EVERY * _EVENT_EVERY + wednesday
    dates = np.arange(first, int(days[1]) + _EVENT_EVERY + 1, _EVENT_EVERY)
    known_at = np.array(
        [calendar.to_ns(np.datetime64(int(day) - _EVENT_EVERY, "D").item()) for day in dates], dtype=np.int64
    )
    return _until(ts, dates, known_at)


def _draws(seed: int, stream: int, count: int) -> FloatArray:
    """Give standard normal numbers; more of a stream begin with fewer of it."""
    return np.random.default_rng((_SALT, seed, stream)).standard_normal(count)


def _indices(ts: IntArray, close: FloatArray, seed: int) -> dict[str, FloatArray]:
    known = np.isfinite(close) & (close > 0.0)
    log = np.log(np.where(known, close, 1.0))
    last = np.maximum.accumulate(np.where(known, np.arange(close.size), -1))
    moved = np.diff(np.where(last >= 0, log[last], np.nan), prepend=np.nan)
    moved = np.where(np.isfinite(moved), moved, 0.0)
    noise = [_draws(seed, stream, close.size) for stream in range(4)]
    basis = 1e-3 + 5e-4 * _decaying(noise[3], 0.98)
    return {
        "peer": 45_000.0 * np.exp(np.cumsum(1.2 * moved + 2e-4 * noise[0])),
        "future": close * (1.0 + basis),
        "oi": np.round(1e7 * np.exp(np.cumsum(1e-3 * _draws(seed, 4, close.size)))),
        "vix": 14.0 * np.exp(_decaying(-8.0 * moved + 4e-3 * noise[1], 0.999)),
        "usdinr": 83.0 * np.exp(_decaying(-0.05 * moved + 5e-5 * noise[2], 0.9999)),
        "breadth": _breadth(ts, moved, seed),
    }


def _decaying(steps: FloatArray, keep: float) -> FloatArray:
    out = np.empty(steps.size)
    value = 0.0
    for n, step in enumerate(steps.tolist()):
        value = keep * value + step
        out[n] = value
    return out


def _breadth(ts: IntArray, moved: FloatArray, seed: int) -> FloatArray:
    days = calendar.session_ids(ts)
    starts = np.flatnonzero(np.diff(days, prepend=-1))
    first = np.repeat(starts, np.diff(starts, append=ts.size))
    bars = np.arange(ts.size) - first + 1.0
    above = np.zeros(ts.size)
    for each in range(_CONSTITUENTS):
        price = np.exp(np.cumsum((0.6 + 0.8 * each / _CONSTITUENTS) * moved + 3e-4 * _draws(seed, 10 + each, ts.size)))
        total = np.concatenate([[0.0], np.cumsum(price)])
        above += price > (total[1:] - total[first]) / bars
    return above / _CONSTITUENTS


def _book(close: FloatArray, seed: int) -> dict[str, FloatArray]:
    noise = [_draws(seed, 100 + stream, close.size) for stream in range(5)]
    half = _TICK * (1.0 + np.floor(np.abs(noise[0])))
    units = [75.0 * (1.0 + np.floor(10.0 * np.exp(0.7 * each))) for each in noise[1:]]
    return {
        "bid": np.round(close / _TICK) * _TICK - half,
        "ask": np.round(close / _TICK) * _TICK + half,
        "bid_qty": units[0],
        "ask_qty": units[1],
        "bid_qty_5": units[0] + 4.0 * units[2],
        "ask_qty_5": units[1] + 4.0 * units[3],
    }
