"""What a signal or an order means for a position: conflicts, reversals, sizes, stops.

Flags of a bar: 1 enter long, 2 leave long, 4 enter short, 8 leave short.
"""

from __future__ import annotations

import math
from typing import Any, Final

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.bars_account import (
    IN_RANGE,
    OPPOSITE,
    ORDER,
    SIGNAL,
    STOP,
    TARGET,
    TRAIL,
    Settings,
    at,
    close_out,
    free_cash,
    open_up,
    quote,
    slipped,
)

LONG_IN: Final = 1
LONG_OUT: Final = 2
SHORT_IN: Final = 4
SHORT_OUT: Final = 8

AMOUNT: Final = 0
VALUE: Final = 1
PERCENT: Final = 2
TARGET_AMOUNT: Final = 3
TARGET_VALUE: Final = 4
TARGET_PERCENT: Final = 5
SIZE_TYPES: Final = ("amount", "value", "percent", "target_amount", "target_value", "target_percent")

ACCUMULATE: Final = ("none", "both", "add_only", "remove_only")
CONFLICTS: Final = ("ignore", "entry", "exit", "adjacent", "opposite")
DIR_CONFLICTS: Final = ("ignore", "long", "short", "adjacent", "opposite")
OPPOSITE_ENTRIES: Final = ("reverse", "close", "ignore")
DIRECTIONS: Final = ("both", "longonly", "shortonly")


@kernel(lean=True, inner=True)
def settle_conflict(flags: int, into: int, out: int, rule: int, held: bool) -> int:
    """Decide between an entry and an exit of one direction on one bar."""
    if flags & into == 0 or flags & out == 0:
        return flags
    if rule == 1 or (rule == 3 and held):
        return flags & ~out
    if rule == 2 or (rule == 4 and held):
        return flags & ~into
    return flags & ~(into | out)


@kernel(lean=True, inner=True)
def settle(flags: int, terms: Record, position: float) -> int:
    """Decide what stands of the flags of one bar for this position."""
    flags = settle_conflict(flags, LONG_IN, LONG_OUT, terms[0]["conflict"], position > 0.0)
    flags = settle_conflict(flags, SHORT_IN, SHORT_OUT, terms[0]["conflict"], position < 0.0)
    if flags & LONG_IN and flags & SHORT_IN:
        rule = terms[0]["dir_conflict"]
        if rule == 1 or (rule == 3 and position > 0.0) or (rule == 4 and position < 0.0):
            flags &= ~SHORT_IN
        elif rule == 2 or (rule == 3 and position < 0.0) or (rule == 4 and position > 0.0):
            flags &= ~LONG_IN
        else:
            flags &= ~(LONG_IN | SHORT_IN)
    return flags


@kernel(lean=True, inner=True)
def units_for(terms: Record, column: Any, account: Record, price: float) -> float:
    """Units that the size of a signal names, at this price; infinite stands for all the free cash."""
    size = column["size"]
    if terms[0]["size_type"] == VALUE:
        return size / price
    if terms[0]["size_type"] == PERCENT:
        return size * max(free_cash(account) - column["fixed_fees"], 0.0) / (price * (1.0 + column["fees"]))
    return size


@kernel(lean=True, inner=True)
def leave(
    terms: Record, columns: Record, account: Record, fills: Record, c: int, price: float, i: int, moment: int
) -> None:
    """Do the part of a signal that closes something; entries are left in ``pending``."""
    column = columns[c]
    position = column["position"]
    flags = settle(column["pending"], terms, position)
    column["pending"] = flags & (LONG_IN | SHORT_IN)
    if position == 0.0:
        return
    out, against = (LONG_OUT, SHORT_IN) if position > 0.0 else (SHORT_OUT, LONG_IN)
    price = slipped(price, column["slippage"], -1.0 if position > 0.0 else 1.0)
    if flags & out:
        units = abs(position)
        if terms[0]["accumulate"] == 1 or terms[0]["accumulate"] == 3:
            units = min(units, units_for(terms, column, account, price))
        close_out(columns, account, fills, c, units, price, i, moment, SIGNAL)
    elif flags & against:
        if terms[0]["opposite"] != 2:
            close_out(columns, account, fills, c, abs(position), price, i, moment, OPPOSITE)
        if terms[0]["opposite"] != 0:
            column["pending"] &= ~against


@kernel(lean=True, inner=True)
def enter(
    settings: Settings, terms: Record, columns: Record, account: Record, fills: Record, c: int, price: float, i: int,
    moment: int,
) -> None:  # fmt: skip
    """Do the part of a signal that opens something, with the stops that hold from then on."""
    column = columns[c]
    flags = column["pending"]
    column["pending"] = 0
    if flags == 0:
        return
    side = 1.0 if flags & LONG_IN else -1.0
    position = column["position"]
    adds = terms[0]["accumulate"] == 1 or terms[0]["accumulate"] == 2
    if position != 0.0 and ((position > 0.0) != (side > 0.0) or not adds):
        return
    price = slipped(price, column["slippage"], side)
    units = units_for(terms, column, account, price)
    got = open_up(columns, account, fills, c, side, units, price, terms[0]["partial"], i, moment, SIGNAL)
    if got > 0.0 and position == 0.0 and terms[0]["stops"] == 1:
        column["stop"] = at(settings.stop, column["decided"], c)
        column["trail"] = at(settings.trail, column["decided"], c)
        column["target"] = at(settings.target, column["decided"], c)


@kernel(lean=True, inner=True)
def meet_range(bars: Any, settings: Settings, columns: Record, account: Record, fills: Record, c: int, i: int) -> None:
    """Let stop, trailing stop and target of what is held meet bar ``i``; then the best price takes the bar in."""
    column = columns[c]
    side = 1.0 if column["position"] > 0.0 else -1.0
    first = bars.open[i, c]
    worst, best = (bars.low[i, c], bars.high[i, c]) if side > 0.0 else (bars.high[i, c], bars.low[i, c])
    level = column["base"] * (1.0 - side * column["stop"])
    reason = STOP
    trailed = column["best"] * (1.0 - side * column["trail"])
    if not side * level >= side * trailed and trailed == trailed:
        level = trailed
        reason = TRAIL
    goal = column["base"] * (1.0 + side * column["target"])
    price = math.nan
    if side * first <= side * level:
        price = first
    elif side * first >= side * goal:
        price = first
        reason = TARGET
    elif side * worst <= side * level:
        price = level
    elif side * best >= side * goal:
        price = goal
        reason = TARGET
    if price == price:
        waiting = column["decided"]
        column["decided"] = i
        quote(settings, columns, c, i)
        if reason != TARGET:
            price = slipped(price, column["slippage"], -side)
        close_out(columns, account, fills, c, abs(column["position"]), price, i, IN_RANGE, reason)
        column["decided"] = waiting
    elif side * best > side * column["best"]:
        column["best"] = best


@kernel(lean=True, inner=True)
def worth(close: Any, prices: Any, columns: Record, account: Record, first: int, last: int, i: int) -> float:
    """Value of a group at the prices of this moment; a symbol without one counts at its last close."""
    total = account[0]["cash"]
    for c in range(first, last):
        if columns[c]["position"] != 0.0:
            price = at(prices, i, c)
            j = i
            while not price > 0.0 and j > 0:
                j -= 1
                price = close[j, c]
            total += columns[c]["position"] * price
    return total


@kernel(lean=True, inner=True)
def order_units(terms: Record, columns: Record, account: Record, c: int, price: float) -> float:
    """Signed units that an order asks for at this moment."""
    kind = terms[0]["size_type"]
    column = columns[c]
    size = column["size"]
    held = column["position"]
    paid = slipped(price, column["slippage"], 1.0 if size > 0.0 else -1.0)
    if kind == AMOUNT:
        return size
    if kind == VALUE:
        return size / paid
    if kind == PERCENT:
        if (size < 0.0) == (held > 0.0) and held != 0.0:
            return size * abs(held)
        return size * max(free_cash(account) - column["fixed_fees"], 0.0) / (paid * (1.0 + column["fees"]))
    if kind == TARGET_AMOUNT:
        return size - held
    if kind == TARGET_VALUE:
        return size / price - held
    return size * account[0]["value"] / price - held


@kernel(lean=True, inner=True)
def deal(
    terms: Record, columns: Record, account: Record, fills: Record, c: int, price: float, i: int, moment: int,
    frees_only: bool,
) -> None:  # fmt: skip
    """Fill an order: first what it closes, then what it opens beyond that. ``frees_only``: unless it closes nothing."""
    column = columns[c]
    units = order_units(terms, columns, account, c, price)
    held = column["position"]
    if frees_only and (held == 0.0 or (units > 0.0) == (held > 0.0)):
        return
    column["pending"] = 0
    side = 1.0 if units > 0.0 else -1.0
    price = slipped(price, column["slippage"], side)
    units = drop_dust(abs(units), abs(held))
    if not units > 0.0:
        return
    if held != 0.0 and (held > 0.0) != (side > 0.0):
        close_out(columns, account, fills, c, min(units, abs(held)), price, i, moment, ORDER)
        units -= abs(held)
    against = 2.0 * terms[0]["direction"] - 3.0  # -1 long only, +1 short only: what may not be opened
    if units > 0.0 and (terms[0]["direction"] == 0 or side != against):
        open_up(columns, account, fills, c, side, units, price, terms[0]["partial"], i, moment, ORDER)


@kernel(lean=True, inner=True)
def drop_dust(units: float, held: float) -> float:
    """Take a change as none, or as the whole of what is held, where only rounding tells them apart (1e-12)."""
    if units <= 1e-12 * held:
        return 0.0
    if abs(units - held) <= 1e-12 * held:
        return held
    return units
