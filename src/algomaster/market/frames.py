"""Sessions as arrays, written as frames of the store's datasets: ticks and paise become rupees, missing is null."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.types import MISSING, PAISE, RIGHTS, IntArray
from algomaster.market.chain_day import CHAIN_FIELDS, ChainDay
from algomaster.market.schemas import RIGHT, TIMESTAMP, validate

__all__ = ["FUTURE", "SPOT", "VIX", "chain_frame", "frames_of", "future_frame", "index_frame"]

VIX = "INDIAVIX"
SPOT = {"open": "spot_open", "high": "spot_high", "low": "spot_low", "close": "spot"}
FUTURE = {"open": "future_open", "high": "future_high", "low": "future_low", "close": "future"}
"""Columns of a frame and the arrays of a session that hold them."""


def frames_of(day: ChainDay) -> dict[str, pl.DataFrame]:
    """Give a session as frames of the store's datasets.

    Returns
    -------
    dict
        ``option_minute``, ``index_minute`` (the index, and the volatility index where there is one) and
        ``future_minute`` (as a continuous series). Minutes in which nothing was observed have no row. Scores and
        features are not market data and are not stored.
    """
    return {"option_minute": chain_frame(day), "index_minute": index_frame(day), "future_minute": future_frame(day)}


def chain_frame(day: ChainDay) -> pl.DataFrame:
    """Give the rows of ``option_minute``; see :func:`frames_of`."""
    fields = {name: getattr(day, name) for name in CHAIN_FIELDS}
    seen = np.logical_or.reduce([values != MISSING for values in fields.values()])
    expiry, strike, right, minute = np.nonzero(seen)
    columns: dict[str, Any] = {
        "ts": pl.Series(day.ts[minute]).cast(TIMESTAMP),
        "expiry": pl.Series(day.expiries[expiry]).cast(pl.Date),
        "strike": day.strikes[strike] / PAISE,
        "right": pl.Series(right, dtype=pl.UInt8).replace_strict(dict(enumerate(RIGHTS)), return_dtype=RIGHT),
    }
    for name, values in fields.items():
        found = values[seen].astype(np.int64)
        columns[name] = _quantity(found) if name in ("volume", "oi") else _rupees(found, day.tick)
    return _labelled(columns, day, day.underlying, "option_minute")


def index_frame(day: ChainDay) -> pl.DataFrame:
    """Give the rows of ``index_minute``; see :func:`frames_of`."""
    index = _series_frame(day, SPOT, day.underlying, "index_minute")
    return pl.concat([index, _series_frame(day, {"close": "vix"}, VIX, "index_minute")])


def future_frame(day: ChainDay) -> pl.DataFrame:
    """Give the rows of ``future_minute``; see :func:`frames_of`."""
    return _series_frame(day, FUTURE, day.underlying, "future_minute")


def _series_frame(day: ChainDay, fields: dict[str, str], underlying: str, name: str) -> pl.DataFrame:
    values = {column: getattr(day, field) for column, field in fields.items()}
    seen = np.logical_or.reduce([found != MISSING for found in values.values()])
    columns: dict[str, Any] = {"ts": pl.Series(day.ts[seen]).cast(TIMESTAMP)}
    columns |= {column: _rupees(found[seen], 1) for column, found in values.items()}
    return _labelled(columns, day, underlying, name)


def _labelled(columns: dict[str, Any], day: ChainDay, underlying: str, name: str) -> pl.DataFrame:
    frame = pl.DataFrame(columns).with_columns(underlying=pl.lit(underlying), session=pl.lit(day.session))
    return validate(frame, name)


def _rupees(units: IntArray, paise: int) -> NDArray[np.float64]:
    return np.where(units == MISSING, np.nan, units * paise / PAISE)


def _quantity(units: IntArray) -> pl.Series:
    found = pl.Series(units)
    return found.set(found == MISSING, None)
