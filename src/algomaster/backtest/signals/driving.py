"""The compiled loop of a signal sweep: many settings of one step over one symbol.

It lets go of Python's lock, and threads take chunks of settings as they get free: where others use the machine too, no
thread waits for its share of a common loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from algomaster.backtest.signals.curves import day_numbers, trade_numbers
from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.bars_account import Settings
from algomaster.execution.bars_engine import Bars
from algomaster.execution.bars_sweep import SignalStep, SignalTape, step_driver
from algomaster.execution.bars_trades import tell_trades, value_alone

__all__ = ["sweep_driver"]


@functools.cache
def sweep_driver(step: SignalStep) -> Callable[..., None]:
    """Give the compiled loop over sets ``(P,)``; ``fills`` and ``held``, ``at_ends``, ``daily`` (D,) are scratch.

    Trades of all sets stand in ``trades`` one set after the other, ``counts`` (P,) of each. A set with more fills or
    trades than there is room for has a count of -1 and the number of its fills right, by which it is run again.
    """
    run = step_driver(step)

    @kernel
    def sweep(
        bars: Bars, tape: SignalTape, settings: Settings, terms: Record, params: Record, states: Record,
        columns: Record, accounts: Record, fills: Record, trades: Record, counts: IntArray, ends: IntArray,
        money: FloatArray, returns: FloatArray, totals: IntArray, extras: FloatArray, marks: FloatArray,
        tops: FloatArray, bottoms: FloatArray, held: Record, at_ends: FloatArray, daily: IntArray,
    ) -> None:  # fmt: skip
        used = 0
        for p in range(params.size):
            cash = accounts[p]["cash"]
            run(
                bars, tape, 0, settings, terms, params[p : p + 1], states[p : p + 1], columns[p : p + 1],
                accounts[p : p + 1], fills, 0, 1,
            )  # fmt: skip
            found = accounts[p]["fills"]
            counts[p] = -1
            if found > fills.size or used + found + 1 > trades.size:
                continue
            some = fills[:found]
            counts[p] = tell_trades(some, bars.close, held, 0, 1, trades[used:])
            value_alone(some, marks, tops, bottoms, cash, ends, at_ends, extras[p])
            day_numbers(at_ends, cash, daily, money[p], returns[p])
            trade_numbers(trades[used : used + counts[p]], some, totals[p])
            used += counts[p]

    return sweep
