"""The exchange's daily file of index closes (``Index Name, Index Date, Open Index Value, ...``; "-" is missing)."""

from __future__ import annotations

import polars as pl

from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import Check, Parsed, index_name, number, sift, uncountable, unreadable
from algomaster.market.loaders.source import Source

__all__ = ["INDEX_CLOSE"]

_COLUMNS = {
    "Index Name": "underlying", "Index Date": "session", "Open Index Value": "open", "High Index Value": "high",
    "Low Index Value": "low", "Closing Index Value": "close", "Volume": "volume", "Turnover (Rs. Cr.)": "turnover",
    "P/E": "pe", "P/B": "pb", "Div Yield": "dividend_yield",
}  # fmt: skip
_CRORE = 10_000_000.0


def _read(source: Source) -> Parsed:
    raw = source.table(*_COLUMNS)
    frame = raw.frame.rename(_COLUMNS).select("_row", *_COLUMNS.values())
    values = [name for name in _COLUMNS.values() if name not in ("underlying", "session")]
    good, unread = sift(frame, [unreadable(frame, values)])
    missing = good.select(pl.col(values).str.strip_chars().is_in(["-", ""]).sum()).sum_horizontal()[0]
    good = good.with_columns(
        *(number(name) for name in values),
        index_name("underlying"),
        pl.col("session").str.to_date("%d-%m-%Y", strict=False),
    )
    highest, lowest = pl.max_horizontal("open", "low", "close"), pl.min_horizontal("open", "high", "close")
    checks: list[Check] = [
        ("bad_time", pl.col("session").is_null(), "the date cannot be read"),
        ("unknown_symbol", pl.col("underlying").is_null() | (pl.col("underlying") == ""), "no name"),
        ("missing_price", pl.col("close").is_null(), "no closing value"),
        ("zero_price", pl.any_horizontal(pl.col("open", "high", "low", "close") <= 0), "a value is zero or negative"),
        ("inconsistent", (pl.col("high") < highest) | (pl.col("low") > lowest), "high and low do not enclose the rest"),
    ]
    checks.append(uncountable(["volume"]))
    checks = [(kind, bad.fill_null(False), why) for kind, bad, why in checks]
    good, bad = sift(good, checks)
    good = good.with_columns(
        pl.col("volume").cast(pl.Int64), pl.col("turnover") * _CRORE, dividend_yield=pl.col("dividend_yield") / 100
    )
    notes = {'a "-" that means missing': int(missing)} if missing else {}
    return Parsed(raw.rows, [("index_eod", good)], pl.concat([raw.broken, unread, bad]), notes=notes)


INDEX_CLOSE = Loader(
    name="index_close",
    about="the exchange's file of index closes (ind_close_all), CSV",
    datasets=("index_eod",),
    stamp="eod",
    recognises=lambda head: head.kind == "text" and head.has(*_COLUMNS),
    read=_read,
)
