"""Numbers of an account's curve: days for the metrics, drawdown and exposure bar by bar. Compiled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel, prange
from algomaster.core.types import PAISE, FloatArray, IntArray, Record
from algomaster.execution.bars_account import STILL_OPEN
from algomaster.execution.bars_trades import value_curve
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

__all__ = ["EXTRAS", "PARTS_OF_ONE", "WIDTH", "curve_numbers", "day_numbers", "group_numbers", "trade_numbers"]

PARTS_OF_ONE: Final = 1_000_000_000
"""Daily returns are counted in billionths, so that the statistics of whole paise serve them too."""

EXTRAS: Final = ("start", "end", "drawdown", "drawdown_share", "bars_held")
"""What :func:`curve_numbers` finds beside the days."""

WIDTH: Final = len(DAILY_STATISTICS)


@kernel
def day_numbers(at_ends: FloatArray, start: float, daily: IntArray, money: Any, returns: Any) -> None:
    """Write statistics of daily money and of daily returns, a row each, from the values at the ends of days.

    ``daily`` (D,) int64 is scratch.
    """
    before = start
    for d in range(at_ends.size):
        daily[d] = np.int64(np.rint(at_ends[d] * PAISE)) - np.int64(np.rint(before * PAISE))
        before = at_ends[d]
    daily_statistics(daily, money)
    before = start
    for d in range(at_ends.size):
        daily[d] = np.int64(np.rint((at_ends[d] / before - 1.0) * PARTS_OF_ONE)) if before > 0.0 else 0
        before = at_ends[d]
    daily_statistics(daily, returns)


@kernel
def curve_numbers(equity: FloatArray, start: float, extras: Any) -> None:
    """Write :data:`EXTRAS` of a curve (T,), but the bars held."""
    peak = start
    deepest = 0.0
    share = 0.0
    for i in range(equity.size):
        value = equity[i]
        peak = max(peak, value)
        fall = peak - value
        deepest = max(deepest, fall)
        if fall > share * peak:
            share = fall / peak
    extras[0] = start
    extras[1] = equity[equity.size - 1]
    extras[2] = deepest
    extras[3] = share


@kernel
def trade_numbers(trades: Record, fills: Record, totals: Any) -> None:
    """Write the (6,) totals that metrics need, in paise: open trades count in the charges only."""
    totals[:] = 0
    for k in range(trades.size):
        if trades[k]["reason"] == STILL_OPEN:
            continue
        paise = np.int64(np.rint(trades[k]["pnl"] * PAISE))
        totals[0] += 1
        if paise > 0:
            totals[1] += 1
            totals[3] += paise
        elif paise < 0:
            totals[2] += 1
            totals[4] -= paise
    charges = 0.0
    for k in range(fills.size):
        charges += fills[k]["fees"]
    totals[5] = np.int64(np.rint(charges * PAISE))


@kernel
def bars_held(fills: Record, bars: int, first: int, last: int, positions: Any) -> int:
    """Count the bars at whose close something is held. ``positions`` (N,) is scratch."""
    for c in range(first, last):
        positions[c] = 0.0
    total = 0
    held = 0
    for k in range(fills.size):
        c = fills[k]["column"]
        before = positions[c]
        positions[c] = before + fills[k]["size"]
        was = held
        held += (1 if positions[c] != 0.0 else 0) - (1 if before != 0.0 else 0)
        if was == 0 and held > 0:
            total -= fills[k]["bar"]
        elif was > 0 and held == 0:
            total += fills[k]["bar"]
    return total + bars if held > 0 else total


@kernel(parallel=True)
def group_numbers(
    fills: Record, rooms: IntArray, trades: Record, trade_rooms: IntArray, close: Any, starts: IntArray,
    cash: FloatArray, ends: IntArray, money: Any, returns: Any, totals: Any, extras: Any,
) -> None:  # fmt: skip
    """Write the numbers of every group: money, returns (G, ...), totals (G, 6), extras (G, 5)."""
    columns = close.shape[1]
    positions = np.zeros(columns)
    marks = np.zeros(columns)
    for g in prange(cash.size):
        equity = np.empty(close.shape[0])
        at_ends = np.empty(ends.size)
        daily = np.empty(ends.size, np.int64)
        some = fills[rooms[g] : rooms[g + 1]]
        value_curve(some, close, starts[g], starts[g + 1], cash[g], positions, marks, equity, equity[:0])
        for d in range(ends.size):
            at_ends[d] = equity[ends[d]]
        day_numbers(at_ends, cash[g], daily, money[g], returns[g])
        curve_numbers(equity, cash[g], extras[g])
        trade_numbers(trades[trade_rooms[g] : trade_rooms[g + 1]], some, totals[g])
        extras[g, 4] = bars_held(some, close.shape[0], starts[g], starts[g + 1], positions)
