"""Bars for features out of the market store: one row a minute, with whatever the store knows of that minute.

The index gives open, high, low and close. Volume, open interest and ``future`` come from the nearest dated future of
the session (a vendor's continuous series only without any), ``vix`` from the volatility index, ``peer`` from the other
of NIFTY and BANKNIFTY. What the store does not hold is NaN: a home with nothing but index minutes works.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from algomaster.core.errors import DataError
from algomaster.market.home import Home
from algomaster.market.loading import VIX, as_date
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store

__all__ = ["BAR_COLUMNS", "bars"]

PRICES = ("open", "high", "low", "close")
_FUTURE = ("volume", "oi", "future")
_PEERS = {"NIFTY": "BANKNIFTY", "BANKNIFTY": "NIFTY"}
BAR_COLUMNS = (*PRICES, *_FUTURE, "vix", "peer")
"""What :func:`bars` can give beside ``underlying``, ``session`` and ``ts``."""


def bars(
    underlying: str,
    start: str | date,
    end: str | date,
    *,
    home: str | Path | Home | None = None,
    columns: Sequence[str] = BAR_COLUMNS,
) -> pl.DataFrame:
    """Read the minutes of a range of sessions as features take them.

    Parameters
    ----------
    underlying : str
        Such as "NIFTY".
    start, end : date or ISO text
        First and last session, both included.
    home : str, Path, Home or None
        Where the market store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    columns : sequence of str
        Which of :data:`BAR_COLUMNS`, prices being always there; datasets that none of them needs are not read.

    Returns
    -------
    DataFrame
        ``underlying``, ``session``, ``ts`` (bar start, UTC) and Float64 columns in the order of :data:`BAR_COLUMNS`,
        in the order of time; a missing value is NaN, never null.

    Raises
    ------
    DataError
        The store holds no index minutes of the range (the message says what it does hold), a file cannot be read, or a
        session holds both real and simulated minutes.

    Examples
    --------
    >>> bars("NIFTY", "2015-06-01", "2015-06-30")  # doctest: +SKIP
    """
    first, last = as_date(start, "start"), as_date(end, "end")
    if last < first:
        raise ValueError(f"end: expected a date not before the start {first}, got {last}")
    unknown = sorted(set(columns) - set(BAR_COLUMNS))
    if unknown:
        raise ValueError(f"columns: expected some of {', '.join(BAR_COLUMNS)}, got {', '.join(unknown)}")
    store = Store(home)
    index = store.read("index_minute", underlying=underlying, start=first, end=last, marked=True)
    index = index.filter(pl.col("close").is_not_null())
    if not index.height:
        raise DataError(
            f"The store {store.home.where} has no index minutes of {underlying} from {first} to {last}; "
            f"it holds: {store.told('index_minute')}.",
            hint=store.meant(underlying, "index_minute") + "Import some with: algo data import PATH.",
            underlying=underlying,
        )
    _refuse_mix(index, underlying, store)
    found = index.select("underlying", "session", "ts", *PRICES)
    if set(columns) & set(_FUTURE):
        futures = store.read("future_minute", underlying=underlying, start=first, end=last)
        found = found.join(_nearest(futures), on="ts", how="left", maintain_order="left")
    for name, other in (("vix", VIX), ("peer", _PEERS.get(underlying))):
        if name in columns:
            closes = pl.DataFrame(schema={"ts": TIMESTAMP, name: pl.Float64})
            if other is not None:
                closes = store.read("index_minute", underlying=other, start=first, end=last, columns=["ts", "close"])
            found = found.join(closes.rename({"close": name}, strict=False), on="ts", how="left", maintain_order="left")
    kept = [name for name in BAR_COLUMNS if name in PRICES or name in columns]
    values = pl.col(kept).cast(pl.Float64).fill_null(float("nan"))
    return found.select("underlying", "session", "ts", *kept).with_columns(values).sort("ts")


def _nearest(futures: pl.DataFrame) -> pl.DataFrame:
    """Give the minutes of each session's nearest dated future, of the continuous series where there is none."""
    alive = futures.filter(pl.col("expiry").is_null() | (pl.col("expiry") >= pl.col("session")))
    nearest = pl.col("expiry").min().over("session")
    chosen = alive.filter(pl.col("expiry").eq_missing(nearest))
    return chosen.select("ts", "volume", "oi", pl.col("close").alias("future"))


def _refuse_mix(index: pl.DataFrame, underlying: str, store: Store) -> None:
    """Refuse a session whose minutes are made up in part: no market ever looked like that."""
    kinds = index.group_by("session").agg(mixed=pl.col("simulated").fill_null(False).n_unique() > 1)
    mixed = sorted(kinds.filter("mixed")["session"].to_list())
    if mixed:
        raise DataError(
            f"The store {store.home.where} holds real and simulated minutes of {underlying} {mixed[0]}.",
            hint="Import the real data into another home (--home).",
            underlying=underlying,
            session=mixed[0],
        )
