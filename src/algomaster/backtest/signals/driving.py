"""The compiled loop of a signal sweep: many settings of one step over one symbol, in parallel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from algomaster.backtest.signals.curves import day_numbers, trade_numbers
from algomaster.core.jit import kernel, prange
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.bars_account import Settings
from algomaster.execution.bars_engine import Bars
from algomaster.execution.bars_sweep import SignalStep, SignalTape, step_driver
from algomaster.execution.bars_trades import HOLDING, tell_trades, value_alone

__all__ = ["BLOCK", "new_scratch", "sweep_driver"]

BLOCK: Final = 8
"""Sets that share their working memory."""


class Scratch(NamedTuple):
    """Memory of each block: values at the ends of days (D,), daily values (D,), one holding."""

    at_ends: FloatArray
    daily: IntArray
    held: Record


def new_scratch(sets: int, days: int) -> Scratch:
    """Give the memory for so many sets."""
    blocks = (sets + BLOCK - 1) // BLOCK
    return Scratch(np.empty((blocks, days)), np.empty((blocks, days), np.int64), np.zeros((blocks, 1), HOLDING))


@functools.cache
def sweep_driver(step: SignalStep) -> Callable[..., None]:
    """Give the compiled loop over sets ``(P,)``; ``fills`` (blocks, room) is scratch, ``trades`` (P, room) is kept.

    A set with more fills than there is room for has only ``accounts["fills"]`` right, by which it is run again.
    """
    run = step_driver(step)

    @kernel(parallel=True)
    def sweep(
        bars: Bars, tape: SignalTape, settings: Settings, terms: Record, params: Record, states: Record,
        columns: Record, accounts: Record, fills: Record, trades: Record, n_trades: IntArray, ends: IntArray,
        money: FloatArray, returns: FloatArray, totals: IntArray, extras: FloatArray, marks: FloatArray,
        scratch: Scratch,
    ) -> None:  # fmt: skip
        sets = params.size
        for block in prange((sets + BLOCK - 1) // BLOCK):
            at_ends, daily, held = scratch.at_ends[block], scratch.daily[block], scratch.held[block]
            room = fills[block]
            for p in range(block * BLOCK, min(sets, (block + 1) * BLOCK)):
                cash = accounts[p]["cash"]
                run(
                    bars, tape, 0, settings, terms, params[p : p + 1], states[p : p + 1], columns[p : p + 1],
                    accounts[p : p + 1], room, 0, 1,
                )  # fmt: skip
                found = accounts[p]["fills"]
                if found > room.size:
                    continue
                some = room[:found]
                n_trades[p] = tell_trades(some, bars.close, held, 0, 1, trades[p])
                value_alone(some, marks, cash, ends, at_ends, extras[p])
                day_numbers(at_ends, cash, daily, money[p], returns[p])
                trade_numbers(trades[p][: n_trades[p]], some, totals[p])

    return sweep
