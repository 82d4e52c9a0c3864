"""Fills and trades of bars as frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from algomaster.backtest.signals.inputs import BarInput
from algomaster.core.types import IntArray, Record
from algomaster.execution.bars_account import AT_CLOSE, MOMENTS, REASONS, STILL_OPEN

__all__ = ["orders_frame", "trades_frame"]


def _times(bars: BarInput, at: Any, moment: Any, step: int) -> pl.Series:
    """Give the moment of each fill: the bar's start, or its end for a fill at the close where its length is known."""
    if bars.times is None:
        return pl.Series(None, [None] * len(at), pl.Datetime("ns"))
    later = pl.Series(np.where(moment == AT_CLOSE, step, 0).astype(np.int64)).cast(pl.Duration("ns"))
    return bars.times.gather(at) + later


def _words(codes: Any, words: tuple[str, ...]) -> pl.Series:
    return pl.Series(np.asarray(codes, dtype=np.uint32)).replace_strict(
        list(range(len(words))), list(words), return_dtype=pl.String
    )


def _symbols(columns: IntArray, bars: BarInput) -> pl.Series:
    return pl.Series(bars.symbols, dtype=pl.String).gather(columns)


def trades_frame(trades: Record, bars: BarInput, step: int) -> pl.DataFrame:
    """Give one row a trade, by symbol (in the order of the columns) and entry."""
    order = np.lexsort((trades["exit_bar"], trades["entry_bar"], trades["column"]))
    trades = trades[order]
    size = np.abs(trades["size"])
    still = trades["reason"] == STILL_OPEN
    return pl.DataFrame(
        {
            "symbol": _symbols(trades["column"], bars),
            "direction": _words(trades["size"] < 0, ("long", "short")),
            "status": _words(still, ("closed", "open")),
            "size": size,
            "entry_bar": trades["entry_bar"],
            "entry_time": _times(bars, trades["entry_bar"], trades["entry_moment"], step),
            "entry_price": trades["entry_price"].copy(),
            "exit_bar": trades["exit_bar"],
            "exit_time": _times(bars, trades["exit_bar"], trades["exit_moment"], step),
            "exit_price": trades["exit_price"].copy(),
            "entry_fees": trades["entry_fees"].copy(),
            "exit_fees": trades["exit_fees"].copy(),
            "pnl": trades["pnl"].copy(),
            "return": trades["pnl"] / (size * trades["entry_price"]),
            "exit_reason": _words(trades["reason"], REASONS),
        }
    )


def orders_frame(fills: Record, bars: BarInput, step: int) -> pl.DataFrame:
    """Give one row a fill in the order in which they went, group by group."""
    return pl.DataFrame(
        {
            "symbol": _symbols(fills["column"], bars),
            "decided_bar": fills["decided"].copy(),
            "bar": fills["bar"].copy(),
            "time": _times(bars, fills["bar"], fills["moment"], step),
            "moment": _words(fills["moment"], MOMENTS),
            "size": fills["size"].copy(),
            "price": fills["price"].copy(),
            "fees": fills["fees"].copy(),
            "reason": _words(fills["reason"], REASONS),
        }
    )
