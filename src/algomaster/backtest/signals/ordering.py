"""``from_orders``: sizes given as an array, or targets to hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from algomaster.backtest.signals.inputs import groups_of, read_bars, read_matrix, same_rows, setting
from algomaster.backtest.signals.result import SignalResult
from algomaster.backtest.signals.running import (
    SEQUENCES,
    costs_of,
    fill_mode,
    run_and_tell,
    told,
    word_of,
)
from algomaster.execution.bars_account import Settings
from algomaster.execution.bars_engine import TERMS
from algomaster.execution.bars_rules import DIRECTIONS, SIZE_TYPES

__all__ = ["from_orders"]


def from_orders(
    close: Any,
    size: Any,
    *,
    size_type: str = "amount",
    open: Any = None,
    high: Any = None,
    low: Any = None,
    times: Any = None,
    freq: str | None = None,
    fill: str | None = None,
    price: Any = None,
    size_granularity: Any = 0.0,
    fees: Any = 0.0,
    fixed_fees: Any = 0.0,
    slippage: Any = 0.0,
    init_cash: Any = 100_000.0,
    cash_sharing: bool = False,
    group_by: Sequence[Any] | None = None,
    call_seq: str = "sells_first",
    direction: str = "both",
    allow_partial: bool = True,
) -> SignalResult:
    """Trade orders on bars; an order of bar ``i`` is decided at its close and filled after that.

    Parameters
    ----------
    close : (T,) or (T, N)
    size : (T,) or (T, N)
        NaN for no order. Positive buys, negative sells; infinite is all that the free cash allows.
    size_type : str
        "amount" (units), "value" (money), "percent" (-1 to 1: of the free cash for what opens, of the position for what
        closes), or what to hold afterwards: "target_amount", "target_value", "target_percent" (share of the group's
        value at the prices of the fill, before any order of that moment).
    direction : "both", "longonly" or "shortonly"
        "longonly" never sells more than is held. With "shortonly" sizes are those of shorts: positive opens one.
    open, high, low, times, freq, fill, price, size_granularity, fees, fixed_fees, slippage, init_cash
        As in :func:`from_signals`.
    cash_sharing, group_by, call_seq, allow_partial
        As in :func:`from_signals`.

    Returns
    -------
    SignalResult

    Raises
    ------
    ConfigError, ValueError, TypeError
        As in :func:`from_signals`.

    Examples
    --------
    >>> from algomaster import backtest
    >>> run = backtest.from_orders([10.0, 10.0, 20.0], [5.0, float("nan"), -5.0], fill="close", init_cash=100)
    >>> run.trades["pnl"].item(), run.metrics["final_value"]
    (50.0, 150.0)
    """
    first = read_matrix(close, "close")
    wanted = read_matrix(size, "size") if np.ndim(size) else read_matrix(np.full(len(first.values), size), "size")
    same_rows(first, wanted, "size")
    columns = max(first.values.shape[1], wanted.values.shape[1])
    if wanted.values.shape[1] not in (1, columns):
        raise ValueError(f"size: expected 1 or {columns} columns, got {wanted.values.shape[1]}")
    bars = read_bars(close, open=open, high=high, low=low, times=times, columns=columns)
    if wanted.names is not None and first.values.shape[1] == 1 < columns:
        bars = bars._replace(symbols=wanted.names)
    shape = bars.close.shape
    kind, way = word_of(size_type, SIZE_TYPES, "size_type"), word_of(direction, DIRECTIONS, "direction")
    sizes = np.array(np.broadcast_to(wanted.values, shape))
    if DIRECTIONS[way] == "shortonly":
        sizes = -sizes
    if SIZE_TYPES[kind] in {"percent", "target_percent"} and np.any(np.abs(sizes) > 1.0):
        raise ValueError("size: expected shares from -1 to 1, there is no borrowing here; divide percents by 100")
    terms = np.zeros(1, TERMS)
    terms[0]["order_kind"] = 1
    terms[0]["size_type"] = kind
    terms[0]["direction"] = way
    terms[0]["sequence"] = word_of(call_seq, SEQUENCES, "call_seq")
    terms[0]["partial"] = int(allow_partial)
    terms[0]["fill"] = fill_mode(fill, price, bars)
    none = np.full((1, 1), np.nan)
    settings = Settings(
        size=sizes,
        price=setting(price, "price", shape, nan=True),
        **costs_of(fees, fixed_fees, slippage, size_granularity, shape),
        stop=none,
        trail=none,
        target=none,
    )
    said = {
        "kind": "orders", "size": told(size), "size_type": size_type, "direction": direction, "fees": told(fees),
        "fixed_fees": told(fixed_fees), "slippage": told(slippage), "size_granularity": told(size_granularity),
        "allow_partial": allow_partial, "call_seq": call_seq,
    }  # fmt: skip
    flags = (~np.isnan(sizes)).astype(np.uint8)
    groups = groups_of(group_by, cash_sharing, bars.symbols)
    return run_and_tell(bars, flags, settings, terms, groups=groups, init_cash=init_cash, freq=freq, said=said)
