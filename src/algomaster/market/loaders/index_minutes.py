"""Index minutes in three layouts: Parquet and plain text stamped at the bar's END, CSV stamped at its START."""

from __future__ import annotations

import re

import polars as pl

from algomaster.core.errors import DataError
from algomaster.market.loaders.bars import PRICES, minute_bars
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import IST, Parsed
from algomaster.market.loaders.source import Head, Source

__all__ = ["INDEX_CSV", "INDEX_PARQUET", "INDEX_TEXT"]

_TEXT = ("symbol", "day", "minute", *PRICES, "extra1", "extra2")
_CSV = {"Instrument": "symbol", "Open": "open", "High": "high", "Low": "low", "Close": "close"}


def _day_and_minute(day: str, minute: str) -> pl.Expr:
    return (pl.col(day) + " " + pl.col(minute)).str.to_datetime("%Y%m%d %H:%M", time_unit="ns", strict=False)


def _is_parquet(head: Head) -> bool:
    return head.kind == "parquet" and head.has("symbol", "ts", *PRICES) and "oi" not in head.columns


def _read_parquet(source: Source) -> Parsed:
    raw = source.table("symbol", "ts", *PRICES)
    stamp = raw.frame["ts"]
    if stamp.dtype == pl.String:
        local = pl.col("ts").str.to_datetime(time_unit="ns", strict=False)
    elif isinstance(stamp.dtype, pl.Datetime):
        zoned = stamp.dtype.time_zone is not None
        local = pl.col("ts").dt.convert_time_zone(IST).dt.replace_time_zone(None) if zoned else pl.col("ts")
    else:
        raise DataError(f"{source.path}: expected times in ts, got {stamp.dtype}.", hint="Choose another format.")
    return minute_bars(
        raw, raw.frame.with_columns(local=local.cast(pl.Datetime("ns"))), stamp="end", style="ddmonyy", activity=False
    )


def _is_text(head: Head) -> bool:
    def fits(row: tuple[str, ...]) -> bool:
        return (
            len(row) in (7, 8, 9)
            and re.fullmatch(r"\d{8}", row[1]) is not None
            and re.fullmatch(r"\d{1,2}:\d{2}", row[2]) is not None
        )

    rows = (head.columns, *head.rows)
    header = len(head.columns) > 2 and not any(letter.isdigit() for letter in "".join(head.columns))
    return head.kind == "text" and not header and 2 * sum(map(fits, rows)) > len(rows)


def _read_text(source: Source) -> Parsed:
    raw = source.text(_TEXT, header=False, optional=2)
    frame = raw.frame.with_columns(local=_day_and_minute("day", "minute"))
    return minute_bars(raw, frame, stamp="end", style="ddmonyy", activity=False)


def _read_csv(source: Source) -> Parsed:
    raw = source.table(*_CSV, "Date", "Time")
    frame = raw.frame.rename(_CSV).with_columns(local=_day_and_minute("Date", "Time"))
    return minute_bars(raw, frame, stamp="start", style="ddmonyy", activity=False)


INDEX_PARQUET = Loader(
    name="index_parquet",
    about="index minutes, Parquet with symbol, ts, open, high, low, close (naive Indian time), bar end",
    datasets=("index_minute",),
    stamp="end",
    recognises=_is_parquet,
    read=_read_parquet,
)
INDEX_TEXT = Loader(
    name="index_text",
    about="index minutes, text without header: symbol, yyyymmdd, hh:mm, o, h, l, c and up to two more, bar end",
    datasets=("index_minute",),
    stamp="end",
    recognises=_is_text,
    read=_read_text,
)
INDEX_CSV = Loader(
    name="index_csv",
    about="index minutes, CSV with Instrument, Date, Time, Open, High, Low, Close, bar start",
    datasets=("index_minute",),
    stamp="start",
    recognises=lambda head: head.kind == "text" and head.has(*_CSV, "Date", "Time"),
    read=_read_csv,
)
