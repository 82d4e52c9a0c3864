"""One bar of a group of symbols on one cash, and the loop over bars: the same for given signals and for compiled steps.

1. At the open, orders decided on earlier bars fill (``next_open``).
2. In the range, the stop, the trailing stop and the target of what is held meet the bar: its open first (a gap fills at
   the open), then stops before targets.
3. At the close, orders decided on earlier bars fill (``next_close``).
4. The signals of the bar are read. From here on they may fill: at this close (``close``, ``price``) or later.

An order whose symbol has no price at its moment waits for the next bar; a newer signal takes its place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel, prange
from algomaster.core.types import Record
from algomaster.execution.bars_account import AT_CLOSE, AT_OPEN, Settings, at, quote
from algomaster.execution.bars_rules import TARGET_PERCENT, deal, enter, leave, meet_range, worth

NEXT_OPEN: Final = 0
NEXT_CLOSE: Final = 1
CLOSE: Final = 2
PRICE: Final = 3

FIXED: Final = 0
SELLS_FIRST: Final = 1


class Bars(NamedTuple):
    """Prices of all symbols: float64 (T, N), NaN where a symbol has none."""

    open: Any
    high: Any
    low: Any
    close: Any


TERMS: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "fill", "order_kind", "size_type", "accumulate", "conflict", "dir_conflict", "opposite", "sequence",
            "partial", "stops", "direction",
        )
    ]
)  # fmt: skip
"""Rules of a run, each a number of its own list."""

Source = Callable[..., int]


@kernel(lean=True, inner=True)
def at_moment(
    close: Any, prices: Any, settings: Settings, terms: Record, columns: Record, account: Record, fills: Record,
    first: int, last: int, i: int, moment: int,
) -> None:  # fmt: skip
    """Fill what waits at the prices of this moment; what has no price goes on waiting."""
    orders = terms[0]["order_kind"] == 1
    sells_first = terms[0]["sequence"] == SELLS_FIRST
    if orders and terms[0]["size_type"] == TARGET_PERCENT:
        account[0]["value"] = worth(close, prices, columns, account, first, last, i)
    for c in range(first, last):
        column = columns[c]
        column["left"] = 0
        price = at(prices, i, c)
        if column["pending"] == 0 or not price > 0.0:
            continue
        quote(settings, columns, c, i)
        if orders:
            deal(terms, columns, account, fills, c, price, i, moment, sells_first)
            continue
        leave(terms, columns, account, fills, c, price, i, moment)
        if not sells_first:
            enter(settings, terms, columns, account, fills, c, price, i, moment)
    if not sells_first:
        return
    for c in range(first, last):
        price = at(prices, i, c)
        if columns[c]["pending"] == 0 or not price > 0.0:
            continue
        if orders:
            deal(terms, columns, account, fills, c, price, i, moment, False)
        else:
            enter(settings, terms, columns, account, fills, c, price, i, moment)


@kernel(inline=True, lean=True, inner=True)
def any_held(columns: Record, first: int, last: int) -> bool:
    """Whether anything is held that a stop could sell."""
    for c in range(first, last):
        if columns[c]["position"] != 0.0:
            return True
    return False


@kernel(inline=True, lean=True, inner=True)
def waits(columns: Record, first: int, last: int) -> bool:
    """Whether any order waits."""
    for c in range(first, last):
        if columns[c]["pending"] != 0:
            return True
    return False


@functools.cache
def group_driver(source: Source) -> Callable[..., None]:
    """Give the compiled loop of one group over a source of signals.

    ``source(state, params, tape, signals, i, c) -> int`` gives the flags of bar ``i`` (:mod:`bars_rules`), 0 for none.
    Bars on which nothing can happen but a signal are passed in a loop of their own, which knows nothing else.
    """

    @kernel(lean=True, inner=True)
    def read(
        state: Record, params: Record, tape: Any, signals: Any, columns: Record, first: int, last: int, i: int, end: int
    ) -> int:
        """Read signals from bar ``i`` until one is not empty; give its bar, or ``end``."""
        while i < end:
            found = 0
            for c in range(first, last):
                flags = source(state, params, tape, signals, i, c)
                if flags != 0:
                    found = 1
                    columns[c]["pending"] = flags
                    columns[c]["decided"] = i
            if found == 1:
                break
            i += 1
        return i

    @kernel(lean=True, inner=True)
    def run(
        bars: Bars, tape: Any, signals: Any, settings: Settings, terms: Record, params: Record, state: Record,
        columns: Record, account: Record, fills: Record, first: int, last: int,
    ) -> None:  # fmt: skip
        mode = terms[0]["fill"]
        stops = terms[0]["stops"] == 1
        end = bars.close.shape[0]
        waiting = False
        i = 0
        while i < end:
            if waiting or (stops and any_held(columns, first, last)):
                if waiting and mode == NEXT_OPEN:
                    at_moment(
                        bars.close, bars.open, settings, terms, columns, account, fills, first, last, i, AT_OPEN
                    )  # fmt: skip
                if stops:
                    for c in range(first, last):
                        if columns[c]["position"] != 0.0:
                            meet_range(bars, settings, columns, account, fills, c, i)
                if waiting and mode == NEXT_CLOSE:
                    at_moment(
                        bars.close, bars.close, settings, terms, columns, account, fills, first, last, i, AT_CLOSE
                    )  # fmt: skip
                read(state, params, tape, signals, columns, first, last, i, i + 1)
            else:
                i = read(state, params, tape, signals, columns, first, last, i, end)
                if i == end:
                    break
            waiting = waits(columns, first, last)
            if waiting and mode == CLOSE:
                at_moment(
                    bars.close, bars.close, settings, terms, columns, account, fills, first, last, i, AT_CLOSE
                )  # fmt: skip
                waiting = waits(columns, first, last)
            elif waiting and mode == PRICE:
                at_moment(
                    bars.close, settings.price, settings, terms, columns, account, fills, first, last, i, AT_CLOSE
                )  # fmt: skip
                waiting = waits(columns, first, last)
            i += 1
        for c in range(first, last):
            account[0]["unfilled"] += 1 if columns[c]["pending"] != 0 else 0

    return run


@kernel(inline=True, lean=True, inner=True)
def given(state: Record, params: Record, tape: Any, signals: Any, i: int, c: int) -> int:
    """Source of signals that were given as an array (T, N) of flags."""
    return int(signals[i, c])


run_group = group_driver(given)


@kernel(parallel=True)
def run_groups(
    bars: Bars, signals: Any, settings: Settings, terms: Record, columns: Record, accounts: Record, fills: Record,
    starts: Any, rooms: Any,
) -> None:  # fmt: skip
    """Run every group: columns from ``starts[g]``, fills from ``rooms[g]``; fills without room are counted only."""
    for g in prange(accounts.size):
        run_group(
            bars, 0, signals, settings, terms, columns, columns, columns, accounts[g : g + 1],
            fills[rooms[g] : rooms[g + 1]], starts[g], starts[g + 1],
        )  # fmt: skip
