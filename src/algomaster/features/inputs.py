"""What comes with a bar, and how a frame's columns become the series that kernels read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import as_vector, kind_of
from algomaster.core.types import FloatArray, IntArray

__all__ = ["ABOUT", "moments_of", "seconds", "series_of"]

ABOUT: Final[dict[str, str]] = {
    "ts": "start of the bar",
    "open": "price", "high": "price", "low": "price", "close": "price",
    "volume": "units traded in the bar (of the front future where the bar is an index's)",
    "vwap": "volume-weighted average price of the bar",
    "oi": "open interest of the front future in units, at the bar's end",
    "future": "close of the front future",
    "bid": "best bid at the bar's end", "ask": "best ask at the bar's end",
    "bid_qty": "units at the best bid", "ask_qty": "units at the best ask",
    "bid_qty_5": "units at the five best bids together", "ask_qty_5": "units at the five best asks together",
    "expiry_day": "next expiry in days since 1970-01-01 (NIFTY's where there is none)",
    "monthly_expiry_day": "next monthly expiry, likewise",
    "vix": "volatility index in points",
    "peer": "close of the other index (BANKNIFTY for NIFTY)",
    "usdinr": "rupees for a dollar",
    "breadth": "share of the index's constituents above their VWAP",
    "days_to_event": "trading days to the next scheduled event (rate decision, budget) known by then",
}  # fmt: skip
"""Series that features may read besides those of the option chain, and what they are."""

_SECOND: Final = 1_000_000_000


def seconds(ns: Any) -> Any:
    """Give nanoseconds UTC, a whole number or an int64 array, as seconds: equal bits for both."""
    return ns // _SECOND + (ns % _SECOND) / 1e9


def moments_of(values: Any) -> IntArray:
    """Give a column of times as int64 nanoseconds UTC.

    Raises
    ------
    ValueError
        Times without a zone, or missing ones.
    TypeError
        No times.
    """
    kind = kind_of(values)
    if kind == "polars":
        import polars as pl

        if values.null_count():
            raise ValueError(f"ts: expected a time in every row, got {values.null_count()} missing")
        if isinstance(values.dtype, pl.Datetime):
            _zoned(values.dtype.time_zone)
            return np.asarray(values.dt.convert_time_zone("UTC").dt.timestamp("ns").to_numpy(), dtype=np.int64)
        values = values.to_numpy()
    elif kind == "pandas":
        zone = getattr(values.dtype, "tz", None)
        if values.isna().any():
            raise ValueError(f"ts: expected a time in every row, got {int(values.isna().sum())} missing")
        if zone is not None:
            utc = values.dt.tz_convert("UTC").dt.tz_localize(None)
            return np.asarray(utc.to_numpy(dtype="datetime64[ns]").astype(np.int64))
        values = values.to_numpy()
    array = np.asarray(values)
    if array.dtype.kind == "M":
        _zoned(None)
    if array.dtype.kind not in "iu":
        raise TypeError(f"ts: expected times with a zone or whole nanoseconds UTC, got {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.int64)


def _zoned(zone: object) -> None:
    if zone is None:
        raise ValueError(
            "ts: expected times with a zone, got times without one; say which they are, for example "
            "pl.col('ts').dt.replace_time_zone('Asia/Kolkata')"
        )


def moment_of(value: Any) -> int:
    """Give one time as nanoseconds UTC; a datetime needs a zone."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, dt.datetime):
        _zoned(value.tzinfo)
        whole = getattr(value, "value", None)  # a pandas Timestamp counts nanoseconds
        if isinstance(whole, int):
            return whole
        gap = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return ((gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds) * 1_000
    raise TypeError(f"ts: expected a time with a zone or whole nanoseconds UTC, got {type(value).__name__}")


def series_of(frame: Any, ts: IntArray, wanted: Sequence[str]) -> FloatArray:
    """Give the series of a frame that a program wants, (C, T); one that is not there is NaN throughout."""
    rows = np.full((len(wanted), ts.size), np.nan)
    columns = set(frame.columns)
    for n, name in enumerate(wanted):
        if name == "ts":
            rows[n] = seconds(ts)
        elif name in columns:
            rows[n] = as_vector(frame[name], name)
    return rows
