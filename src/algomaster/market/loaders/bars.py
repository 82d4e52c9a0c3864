"""From a vendor's minute rows to the minute datasets: symbols, stamps, prices on the paisa.

1. :func:`_instruments` reads each symbol once: an index, a future or an option.
2. Rows whose symbol, stamp or numbers cannot be read are set aside (:func:`~algomaster.market.loaders.parse.sift`).
3. A stamp at the end of the bar is moved to its start; prices are freed of the noise of single precision.
4. Each row goes to the dataset of its instrument.

What a good bar may be (inside the session, on the right scale, no second value for its key) is judged for all
formats alike in :mod:`algomaster.market.quality`.
"""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

from algomaster.core.errors import DataError
from algomaster.market.instruments import Option, parse_symbol
from algomaster.market.loaders.parse import (
    IST,
    Check,
    Parsed,
    index_name,
    number,
    numbers,
    on_paise,
    sift,
    uncountable,
    unreadable,
    utc,
)
from algomaster.market.loaders.source import Raw
from algomaster.market.schemas import DATASETS, RIGHT

__all__ = ["PRICES", "minute_bars", "price_checks"]

PRICES = ("open", "high", "low", "close")
_CONTINUOUS = re.compile(r"([A-Z][A-Z0-9&]*)-(I{1,3})")
_KNOWN_INDEX = re.compile(r"[A-Z][A-Z0-9 &]*")
_TABLE: dict[str, pl.DataType] = {
    "symbol": pl.String(), "_dataset": pl.String(), "underlying": pl.String(), "expiry": pl.Date(),
    "strike": pl.Float64(), "right": RIGHT, "_trouble": pl.String(),
}  # fmt: skip


def minute_bars(
    raw: Raw,
    frame: pl.DataFrame,
    *,
    stamp: Literal["start", "end"],
    style: Literal["ddmonyy", "kite"],
    activity: bool,
) -> Parsed:
    """Give the minute datasets of a vendor's rows.

    Parameters
    ----------
    raw : Raw
        What was read; its broken lines go to the rejects.
    frame : DataFrame
        ``_row``, ``symbol``, ``local`` (naive Indian time, null if unreadable), the four prices, and ``volume`` and
        ``oi`` (with ``activity``), as text or numbers.
    stamp : "start" or "end"
        Which moment of its minute labels a bar.
    style : "ddmonyy" or "kite"
        How the vendor writes contracts.
    activity : bool
        Whether volume and open interest are given.
    """
    quantities = ["volume", "oi"] if activity else []
    frame = frame.select("_row", pl.col("symbol").cast(pl.String), "local", *PRICES, *quantities)
    frame = frame.join(_instruments(frame["symbol"], style), on="symbol", how="left", maintain_order="left")
    trouble: list[Check] = [
        ("unknown_symbol", pl.col("_dataset").is_null(), pl.col("_trouble").fill_null("no symbol")),
        ("bad_time", pl.col("local").is_null(), "the date or time cannot be read"),
        unreadable(frame, [*PRICES, *quantities]),
    ]
    good, unread = sift(frame, trouble)
    good = good.with_columns(*numbers(good, PRICES), *(number(name) for name in quantities))
    good, changed = on_paise(good, PRICES)
    good, bad = sift(good, [*price_checks(PRICES), *_quantity_checks(quantities), _whole_minute()])
    shift = pl.duration(minutes=1 if stamp == "end" else 0)
    good = good.with_columns(ts=utc(pl.col("local") - shift)).with_columns(
        pl.col("ts").dt.convert_time_zone(IST).dt.date().alias("session"),
        *(pl.col(name).cast(pl.Int64) for name in quantities),
    )
    frames = []
    for name in ("index_minute", "future_minute", "option_minute"):
        rows = good.filter(pl.col("_dataset") == name)
        if rows.height:
            frames.append((name, rows.select("_row", *(c for c in DATASETS[name].schema if c in rows.columns))))
    changes = {"price rounded in single precision, brought to the paisa": changed} if changed else {}
    return Parsed(raw.rows, frames, pl.concat([raw.broken, unread, bad]), changed=changes)


def price_checks(prices: tuple[str, ...] = PRICES) -> list[Check]:
    """Give the checks of a bar's prices: all there, positive, the high the highest and the low the lowest."""
    o, h, low, c = (pl.col(name) for name in prices)
    return [
        ("missing_price", pl.any_horizontal(pl.col(name).is_null() for name in prices), "a price is missing"),
        ("zero_price", pl.any_horizontal(pl.col(name) <= 0 for name in prices), "a price is zero or negative"),
        (
            "inconsistent",
            (h < pl.max_horizontal(o, low, c)) | (low > pl.min_horizontal(o, h, c)),
            pl.format("high {} and low {} do not enclose open {} and close {}", h, low, o, c),
        ),
    ]


def _quantity_checks(quantities: list[str]) -> list[Check]:
    negative: list[Check] = [
        ("bad_quantity", (pl.col(name) < 0).fill_null(False), pl.format("{} is {}", pl.lit(name), name))
        for name in quantities
    ]
    return [*negative, uncountable(quantities)] if quantities else []


def _whole_minute() -> Check:
    odd = pl.col("local") != pl.col("local").dt.truncate("1m")
    return "not_a_minute", odd, pl.format("{} is not a whole minute", pl.col("local"))


def _instruments(symbols: pl.Series, style: Literal["ddmonyy", "kite"]) -> pl.DataFrame:
    unique = symbols.unique().drop_nulls().to_list()
    named = pl.DataFrame({"symbol": unique}, schema={"symbol": pl.String}).with_columns(name=pl.col("symbol"))
    names = dict(named.with_columns(index_name("name")).iter_rows())
    rows = [dict.fromkeys(_TABLE) | {"symbol": symbol} | _instrument(symbol, names[symbol], style) for symbol in unique]
    return pl.DataFrame(rows, schema=_TABLE)


def _instrument(symbol: str, name: str, style: Literal["ddmonyy", "kite"]) -> dict[str, object]:
    if series := _CONTINUOUS.fullmatch(name):
        if series[2] != "I":
            return {"_trouble": f"{symbol}: only the near month of a continuous series is stored"}
        return {"_dataset": "future_minute", "underlying": series[1]}
    if not re.search(r"\d(FUT|CE|PE)$", name) and _KNOWN_INDEX.fullmatch(name):
        return {"_dataset": "index_minute", "underlying": name}
    try:
        found = parse_symbol(name, style=style)
    except DataError as problem:
        return {"_trouble": problem.problem}
    dated = {"underlying": found.underlying, "expiry": found.expiry}
    if isinstance(found, Option):
        right = "CE" if found.right > 0 else "PE"
        return {"_dataset": "option_minute", **dated, "strike": found.strike / 100, "right": right}
    return {"_dataset": "future_minute", **dated}
