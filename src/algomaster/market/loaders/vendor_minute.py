"""Minute bars of index, futures and options in one table with text columns, stamped at the start.

Columns ``date, time, symbol, open, high, low, close, volume, oi``; contracts are written BANKNIFTY05JAN2343000CE, the
vendor's continuous near month BANKNIFTY-I.
"""

from __future__ import annotations

import polars as pl

from algomaster.market.loaders.bars import PRICES, minute_bars
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Head, Source

__all__ = ["VENDOR_MINUTE"]


def _recognises(head: Head) -> bool:
    return head.has("date", "time", "symbol", "open", "high", "low", "close", "volume", "oi")


def _read(source: Source) -> Parsed:
    raw = source.table("date", "time", "symbol", *PRICES, "volume", "oi")
    day, time = (pl.col(name).cast(pl.String).str.strip_chars() for name in ("date", "time"))
    moment = day.str.slice(0, 10) + " " + time
    formats = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
    local = pl.coalesce(moment.str.to_datetime(form, time_unit="ns", strict=False) for form in formats)
    frame = raw.frame.with_columns(local=local)
    return minute_bars(raw, frame, stamp="start", style="ddmonyy", activity=True)


VENDOR_MINUTE = Loader(
    name="vendor_minute",
    about="option, future and index minutes in one table of text columns (date, time, symbol, ...), bar start",
    datasets=("option_minute", "future_minute", "index_minute"),
    stamp="start",
    recognises=_recognises,
    read=_read,
)
