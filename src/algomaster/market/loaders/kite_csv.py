"""CSV files of one instrument each with the columns TIME, Open, High, Low, Close, VOLUME, SYMBOL, Date, TIME1.

The broker's historical-data layout: minutes stamped at the start, or days stamped at midnight; an index is written
``NIFTY%2050``, an option NIFTY2161715800CE (17-Jun-2021). No open interest.
"""

from __future__ import annotations

import polars as pl

from algomaster.market.loaders.bars import PRICES, minute_bars, price_checks
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import (
    Parsed,
    index_name,
    nameless,
    number,
    on_paise,
    sift,
    uncountable,
    unreadable,
)
from algomaster.market.loaders.source import Head, Raw, Source

__all__ = ["KITE_DAY", "KITE_MINUTE"]

_COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "VOLUME": "volume", "SYMBOL": "symbol"}
_MIDNIGHT = "00:00:00"


def _is_layout(head: Head) -> bool:
    return head.kind == "text" and head.has("TIME", *_COLUMNS, "Date", "TIME1")


def _is_daily(head: Head) -> bool:
    stamp = head.columns.index("TIME")
    return bool(head.rows) and all(row[stamp : stamp + 1] and row[stamp].endswith(_MIDNIGHT) for row in head.rows)


def _open(source: Source) -> tuple[Raw, pl.DataFrame]:
    raw = source.table("TIME", *_COLUMNS)
    local = pl.col("TIME").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=False)
    return raw, raw.frame.rename(_COLUMNS).with_columns(local=local, oi=pl.lit(None, pl.String))


def _read_minutes(source: Source) -> Parsed:
    raw, frame = _open(source)
    return minute_bars(raw, frame, stamp="start", style="kite", activity=True)


def _read_days(source: Source) -> Parsed:
    raw, frame = _open(source)
    checks = [
        nameless("symbol"),
        ("bad_time", pl.col("local").is_null(), "the date cannot be read"),
        ("not_a_day", pl.col("local") != pl.col("local").dt.truncate("1d"), "a time of day among days"),
        unreadable(frame, [*PRICES, "volume"]),
    ]
    good, unread = sift(frame, checks)
    good = good.with_columns(*(number(name) for name in PRICES), number("volume"), index_name("symbol"))
    good, changed = on_paise(good, PRICES)
    good, bad = sift(good, [*price_checks(), uncountable(["volume"])])
    volume = pl.when(pl.col("volume") > 0).then(pl.col("volume")).cast(pl.Int64)
    days = good.select("_row", *PRICES, underlying="symbol", session=pl.col("local").dt.date(), volume=volume)
    changes = {"price rounded in single precision, brought to the paisa": changed} if changed else {}
    return Parsed(raw.rows, [("index_eod", days)], pl.concat([raw.broken, unread, bad]), changed=changes)


KITE_MINUTE = Loader(
    name="kite_minute",
    about="one instrument's minutes, CSV with TIME, Open, ..., SYMBOL, Date, TIME1, bar start",
    datasets=("option_minute", "future_minute", "index_minute"),
    stamp="start",
    recognises=lambda head: _is_layout(head) and not _is_daily(head),
    read=_read_minutes,
)
KITE_DAY = Loader(
    name="kite_day",
    about="one index's days in the same CSV layout, stamped at midnight",
    datasets=("index_eod",),
    stamp="eod",
    recognises=lambda head: _is_layout(head) and _is_daily(head),
    read=_read_days,
)
