"""Money of a bar backtest: what an order may buy, what it does to cash and position, what is written down of it.

Sizes are fractions of units where the market knows such, and fees are shares of a value, so this ledger counts in
float64 and rounds nothing; signals come from outside (or from integer ticks in a sweep), so no decision rests on it but
stops, targets and what the cash allows.

- A purchase is paid from free cash. A short sale locks, besides what it brought in, as much again: free cash is
  ``cash - 2 debt``, with the debt the entry value of open shorts. There is no borrowing.
- Closing is always done in full, also where the cash to buy a short back has run out; cash is then negative.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import Record

AT_OPEN: Final = 0
IN_RANGE: Final = 1
AT_CLOSE: Final = 2
MOMENTS: Final = ("open", "range", "close")

SIGNAL: Final = 0
STOP: Final = 1
TRAIL: Final = 2
TARGET: Final = 3
OPPOSITE: Final = 4
ORDER: Final = 5
STILL_OPEN: Final = 6
REASONS: Final = ("signal", "stop", "trail", "target", "opposite", "order", "open")

FILL: Final = np.dtype(
    [
        ("bar", np.int32), ("decided", np.int32), ("column", np.int32), ("moment", np.int16), ("reason", np.int16),
        ("size", np.float64), ("price", np.float64), ("fees", np.float64),
    ]
)  # fmt: skip
"""One fill: signed size in units, the price got (slippage in it), what was charged."""

COLUMN: Final = np.dtype(
    [
        ("position", np.float64), ("debt", np.float64), ("base", np.float64), ("best", np.float64),
        ("stop", np.float64), ("trail", np.float64), ("target", np.float64),
        ("pending", np.int64), ("decided", np.int64), ("left", np.int64),
        ("fees", np.float64), ("fixed_fees", np.float64), ("slippage", np.float64), ("granularity", np.float64),
        ("size", np.float64),
    ]
)  # fmt: skip
"""One symbol of an account: what is held, from which price stops count, the best price since, the order that waits, and
the settings that hold for it at this moment (:func:`quote`)."""

ACCOUNT: Final = np.dtype(
    [
        ("cash", np.float64), ("debt", np.float64), ("value", np.float64),
        ("fills", np.int64), ("refused", np.int64), ("partial", np.int64), ("unfilled", np.int64),
    ]
)  # fmt: skip
"""Cash of a group, the entry value of its open shorts, its value before the orders of this moment (where targets need
it), and counts of what went on."""


class Settings(NamedTuple):
    """What may differ by bar and by column: each (T or 1, N or 1) float64."""

    size: Any
    price: Any
    fees: Any
    fixed_fees: Any
    slippage: Any
    granularity: Any
    stop: Any
    trail: Any
    target: Any


@kernel(inline=True, lean=True, inner=True)
def at(values: Any, i: int, c: int) -> float:
    """Value of a setting for bar ``i`` and column ``c``."""
    return values[i if values.shape[0] > 1 else 0, c if values.shape[1] > 1 else 0]


@kernel(lean=True, inner=True)
def quote(settings: Settings, columns: Record, c: int, i: int) -> None:
    """Look up what bar ``i`` charges and what the order that waits asks for."""
    column = columns[c]
    column["fees"] = at(settings.fees, i, c)
    column["fixed_fees"] = at(settings.fixed_fees, i, c)
    column["slippage"] = at(settings.slippage, i, c)
    column["granularity"] = at(settings.granularity, i, c)
    column["size"] = at(settings.size, column["decided"], c)


@kernel(lean=True, inner=True)
def whole(units: float, grain: float) -> float:
    """Largest multiple of ``grain`` that is not above ``units``; no grain (0) leaves them as they are.

    A quotient within a billionth of a whole number is that number: 0.3 units are three times 0.1.
    """
    if grain <= 0.0 or units == math.inf:
        return units
    return math.floor(units / grain * (1.0 + 1e-9)) * grain


@kernel(lean=True, inner=True)
def free_cash(account: Record) -> float:
    """Give the cash that new positions may use."""
    return max(account[0]["cash"] - 2.0 * account[0]["debt"], 0.0)


@kernel(lean=True, inner=True)
def most_units(account: Record, price: float, fees: float, fixed: float) -> float:
    """Units that the free cash pays for, or may be sold short against it, charges included."""
    return max(free_cash(account) - fixed, 0.0) / (price * (1.0 + fees))


@kernel(lean=True, inner=True)
def slipped(price: float, slippage: float, side: float) -> float:
    """Price that a market order gets: a buyer (+1) pays more, a seller (-1) gets less."""
    return price * (1.0 + side * slippage)


@kernel(lean=True, inner=True)
def book(
    columns: Record, account: Record, fills: Record, c: int, size: float, price: float, charged: float,
    bar: int, moment: int, reason: int,
) -> None:  # fmt: skip
    """Write a fill down; positions, cash and locked cash follow it. ``size`` never crosses zero."""
    column = columns[c]
    before = column["position"]
    if before == 0.0 or (before > 0.0) == (size > 0.0):
        base = price if before == 0.0 else (column["base"] * before + price * size) / (before + size)
        column["base"] = base
        if before == 0.0:
            column["best"] = price
        if size < 0.0:
            column["debt"] -= size * price
            account[0]["debt"] -= size * price
        column["position"] = before + size
    else:
        left = before + size
        if before < 0.0:
            freed = column["debt"] if left == 0.0 else column["debt"] * (size / -before)
            column["debt"] -= freed
            account[0]["debt"] -= freed
        column["position"] = left
    account[0]["cash"] -= size * price + charged
    n = account[0]["fills"]
    if n < fills.size:
        fill = fills[n]
        fill["bar"] = bar
        fill["decided"] = column["decided"]
        fill["column"] = c
        fill["moment"] = moment
        fill["reason"] = reason
        fill["size"] = size
        fill["price"] = price
        fill["fees"] = charged
    account[0]["fills"] = n + 1


@kernel(lean=True, inner=True)
def close_out(
    columns: Record, account: Record, fills: Record, c: int, units: float, price: float, bar: int, moment: int,
    reason: int,
) -> None:  # fmt: skip
    """Take ``units`` (not more than are held) off a position at ``price``, slippage in it."""
    column = columns[c]
    side = -1.0 if column["position"] > 0.0 else 1.0
    units = min(units, abs(column["position"]))
    if units <= 0.0:
        return
    charged = units * price * column["fees"] + column["fixed_fees"]
    book(columns, account, fills, c, side * units, price, charged, bar, moment, reason)
    column["left"] = 1


@kernel(lean=True, inner=True)
def open_up(
    columns: Record, account: Record, fills: Record, c: int, side: float, units: float, price: float, partial: int,
    bar: int, moment: int, reason: int,
) -> float:  # fmt: skip
    """Buy (side +1) or sell short (-1) so many units at ``price``, as far as cash allows; give what was got.

    ``units`` infinite: all that the free cash allows. What closing at the same moment was charged as a fixed fee is
    not charged again: a reversal is one order.
    """
    column = columns[c]
    fees = column["fees"]
    fixed = 0.0 if column["left"] == 1 else column["fixed_fees"]
    most = most_units(account, price, fees, fixed)
    if units > most * (1.0 + 1e-12):
        account[0]["partial"] += 1 if units < math.inf and partial == 1 else 0
        units = most if partial == 1 or units == math.inf else 0.0
    units = whole(units, column["granularity"])
    if not units > 0.0:
        account[0]["refused"] += 1
        return 0.0
    charged = units * price * fees + fixed
    book(columns, account, fills, c, side * units, price, charged, bar, moment, reason)
    return units
