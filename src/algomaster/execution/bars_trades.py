"""From fills to trades and to value: what a bar backtest is told by.

A trade is one closing: it takes part of a position, or all of it, off at one price. Its entry price is the average of
what was paid up to then, and it carries its part of the charges of entering. What is held at the end makes one more
trade, marked at the last close and without charges of leaving.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel, prange
from algomaster.core.types import Record
from algomaster.execution.bars_account import STILL_OPEN

TRADE: Final = np.dtype(
    [
        ("column", np.int32), ("entry_bar", np.int32), ("exit_bar", np.int32), ("entry_moment", np.int16),
        ("exit_moment", np.int16), ("reason", np.int64), ("size", np.float64), ("entry_price", np.float64),
        ("exit_price", np.float64), ("entry_fees", np.float64), ("exit_fees", np.float64), ("pnl", np.float64),
    ]
)  # fmt: skip
"""One trade: signed size, average entry price, P&L after charges."""

HOLDING: Final = np.dtype(
    [("size", np.float64), ("price", np.float64), ("fees", np.float64), ("bar", np.int64), ("moment", np.int64)]
)
"""What is held of one symbol while trades are told."""


@kernel(lean=True, inner=True)
def tell(
    trades: Record, n: int, held: Any, c: int, size: float, bar: int, moment: int, price: float, fees: float, why: int
) -> None:
    """Write trade ``n`` that takes ``size`` (signed as held) off a holding."""
    share = held["fees"] if size == held["size"] else held["fees"] * (size / held["size"])
    if n < trades.size:
        trade = trades[n]
        trade["column"] = c
        trade["entry_bar"] = held["bar"]
        trade["exit_bar"] = bar
        trade["entry_moment"] = held["moment"]
        trade["exit_moment"] = moment
        trade["reason"] = why
        trade["size"] = size
        trade["entry_price"] = held["price"]
        trade["exit_price"] = price
        trade["entry_fees"] = share
        trade["exit_fees"] = fees
        trade["pnl"] = size * (price - held["price"]) - share - fees
    held["fees"] -= share
    held["size"] -= size


@kernel(lean=True)
def tell_trades(fills: Record, close: Any, holdings: Record, first: int, last: int, trades: Record) -> int:
    """Write the trades of one group's fills; give their number. ``holdings`` (columns of the group) are scratch."""
    n = 0
    for c in range(first, last):
        holdings[c]["size"] = 0.0
        holdings[c]["fees"] = 0.0
    for k in range(fills.size):
        fill = fills[k]
        c = int(fill["column"])
        held = holdings[c]
        size = fill["size"]
        if held["size"] == 0.0 or (held["size"] > 0.0) == (size > 0.0):
            if held["size"] == 0.0:
                held["bar"] = fill["bar"]
                held["moment"] = fill["moment"]
                held["price"] = fill["price"]
            else:
                held["price"] = (held["price"] * held["size"] + fill["price"] * size) / (held["size"] + size)
            held["size"] += size
            held["fees"] += fill["fees"]
        else:
            why = int(fill["reason"])
            tell(trades, n, held, c, -size, int(fill["bar"]), int(fill["moment"]), fill["price"], fill["fees"], why)
            n += 1
    for c in range(first, last):
        if holdings[c]["size"] != 0.0:
            j = close.shape[0] - 1
            while j > 0 and not close[j, c] > 0.0:
                j -= 1
            tell(trades, n, holdings[c], c, holdings[c]["size"], close.shape[0] - 1, 2, close[j, c], 0.0, STILL_OPEN)
            n += 1
    return n


@kernel(lean=True)
def value_curve(
    fills: Record, close: Any, first: int, last: int, cash: float, position: Any, mark: Any, equity: Any, money: Any
) -> None:  # fmt: skip
    """Write value and, where there is room, cash of one group at every close. ``position``, ``mark`` are scratch."""
    for c in range(first, last):
        position[c] = 0.0
        mark[c] = 0.0
    k = 0
    for i in range(close.shape[0]):
        while k < fills.size and fills[k]["bar"] == i:
            cash -= fills[k]["size"] * fills[k]["price"] + fills[k]["fees"]
            position[fills[k]["column"]] += fills[k]["size"]
            k += 1
        value = cash
        for c in range(first, last):
            if close[i, c] > 0.0:
                mark[c] = close[i, c]
            if position[c] != 0.0:
                value += position[c] * mark[c]
        equity[i] = value
        if money.size > 0:
            money[i] = cash


@kernel(parallel=True)
def value_curves(
    fills: Record, rooms: Any, close: Any, starts: Any, cash: Any, positions: Any, marks: Any, equity: Any, money: Any
) -> None:  # fmt: skip
    """Write the curves (G, T) of all groups; ``positions`` and ``marks`` (N,) are scratch."""
    for g in prange(cash.size):
        value_curve(
            fills[rooms[g] : rooms[g + 1]], close, starts[g], starts[g + 1], cash[g], positions, marks, equity[g],
            money[g],
        )  # fmt: skip


SPAN: Final = 16
"""Bars whose highest and lowest close stand for all of them where they can change nothing."""


def spans_of(marks: Any) -> tuple[Any, Any]:
    """Give the highest and the lowest of each :data:`SPAN` closes (T,); what is left over at the end has none."""
    whole = marks[: marks.size // SPAN * SPAN].reshape(-1, SPAN)
    return whole.max(axis=1), whole.min(axis=1)


@kernel(lean=True)
def value_alone(
    fills: Record, marks: Any, tops: Any, bottoms: Any, cash: float, ends: Any, at_ends: Any, extras: Any
) -> None:
    """Follow the account of one symbol without writing its curve down, from fill to fill.

    Sixteen bars that reach neither a new high nor a deeper fall are passed at once: the value moves with the close, so
    their highest and lowest close tell. The numbers are those of every bar, to the bit.

    Parameters
    ----------
    marks : (T,) float64
        Close of each bar, a missing one as the close before it.
    tops, bottoms : (T // 16,) float64
        :func:`spans_of` these.
    ends : (D,) int64
        Last bar of each day.
    at_ends : (D,) float64
        Receives the value at the end of each day.
    extras : (5,) float64
        Receives the value before, at the end, the deepest fall below an earlier high, the largest share of a high that
        was lost, and the number of bars at whose close something is held.
    """
    bars = marks.size
    extras[0] = cash
    position = 0.0
    peak = cash
    deepest = 0.0
    share = 0.0
    held = 0
    d = 0
    k = 0
    i = 0
    while i < bars:
        while k < fills.size and fills[k]["bar"] == i:
            cash -= fills[k]["size"] * fills[k]["price"] + fills[k]["fees"]
            position += fills[k]["size"]
            k += 1
        until = fills[k]["bar"] if k < fills.size else bars
        stop = until if position != 0.0 else i + 1  # a flat stretch is worth the same at all its bars
        held += until - i if position != 0.0 else 0
        j = i
        while j < stop:
            if j % SPAN == 0 and j + SPAN <= stop:
                one, other = cash + position * tops[j // SPAN], cash + position * bottoms[j // SPAN]
                fall = peak - min(one, other)
                if max(one, other) <= peak and fall <= deepest and fall <= share * peak:
                    j += SPAN
                    continue
            value = cash + position * marks[j]
            peak = max(peak, value)
            fall = peak - value
            deepest = max(deepest, fall)
            if fall > share * peak:
                share = fall / peak
            j += 1
        while d < ends.size and ends[d] < until:
            at_ends[d] = cash + position * marks[ends[d]] if position != 0.0 else cash
            d += 1
        i = until
    extras[1] = cash + position * marks[bars - 1] if position != 0.0 else cash
    extras[2] = deepest
    extras[3] = share
    extras[4] = held
