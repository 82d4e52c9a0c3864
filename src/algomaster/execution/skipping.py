"""Bars that cannot matter are passed over: nothing rests that they touch, and the step has said that it sleeps.

The highest high and the lowest low of every block of bars (``Tape.top``, ``Tape.bottom``) rule out a block at a glance.
A run that skips gives the same bits as one that does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.ledger import Log, mark, price_of, watch
from algomaster.execution.matching import BLOCK, Tape
from algomaster.strategy.steps.records import MARKET, N_OPEN, N_ORDERS, N_WAKE, STOP, Book


@kernel(lean=True, inner=True)
def next_bar(tape: Tape, book: Book, i: int, end: int) -> int:
    """Give the first bar after ``i`` that may matter, ``end`` where none does."""
    until = min(book.counts[N_WAKE], end)
    for slot in range(book.counts[N_ORDERS]):
        if until <= i + 1:
            break
        order = book.orders[slot]
        if order["kind"] == MARKET:
            return i + 1
        until = _first_touch(tape, order, i + 1, until)
    return max(until, i + 1)


@kernel(lean=True, inner=True)
def _first_touch(tape: Tape, order: Any, i: int, end: int) -> int:
    """Give the first bar from ``i`` on that touches the order's price, ``end`` where none does."""
    instrument, price = order["instrument"], order["price"]
    if instrument < 0:
        return end
    upward = (order["kind"] == STOP) == (order["quantity"] > 0)
    if instrument >= tape.high.shape[0]:
        return _in_future(tape, price, upward, i, end)
    if upward:
        return _rises_to(tape.high, tape.top, instrument, price, i, end)
    return _falls_to(tape.low, tape.bottom, instrument, price, i, end)


@kernel(inline=True, lean=True, inner=True)
def _rises_to(high: Any, top: Any, instrument: int, price: int, i: int, end: int) -> int:
    while i < end:
        if i % BLOCK == 0 and np.int64(top[instrument, i // BLOCK]) < price:
            i += BLOCK
        elif np.int64(high[instrument, i]) >= price:
            return i
        else:
            i += 1
    return end


@kernel(inline=True, lean=True, inner=True)
def _falls_to(low: Any, bottom: Any, instrument: int, price: int, i: int, end: int) -> int:
    while i < end:
        if i % BLOCK == 0 and np.int64(bottom[instrument, i // BLOCK]) > price:
            i += BLOCK
        elif np.int64(low[instrument, i]) <= price and low[instrument, i] != MISSING:
            return i
        else:
            i += 1
    return end


@kernel(lean=True, inner=True)
def _in_future(tape: Tape, price: int, upward: bool, i: int, end: int) -> int:
    for bar in range(i, end):
        if upward and tape.future_high[bar] >= price:
            return bar
        if not upward and tape.future_low[bar] <= price and tape.future_low[bar] != MISSING:
            return bar
    return end


@kernel(lean=True, inner=True)
def pass_over(tape: Tape, book: Book, account: Record, log: Log, start: int, end: int) -> None:
    """Mark the open legs as if bars ``start`` to ``end`` (left out) had been visited."""
    if log.equity.size > 0:
        for i in range(start, end):
            watch(account, log, mark(book, tape.close, tape.future, i), i)
        return
    for j in range(book.counts[N_OPEN]):
        leg = book.legs[book.open_legs[j]]
        for i in range(end - 1, start - 1, -1):
            last = price_of(tape.close, tape.future, leg["instrument"], i)
            if last != MISSING:
                leg["mark"] = last
                break


def skip_lists(high: Any, low: Any) -> tuple[Any, Any]:
    """Give the highest high and the lowest low of each block of bars: (C, M) int32 twice to (C, blocks) int32 twice."""
    contracts, bars = high.shape
    blocks = -(-bars // BLOCK)
    top = np.full((contracts, blocks * BLOCK), MISSING, np.int32)
    bottom = np.full((contracts, blocks * BLOCK), np.iinfo(np.int32).max, np.int32)
    top[:, :bars] = high
    bottom[:, :bars] = np.where(low == MISSING, np.iinfo(np.int32).max, low)
    shape = contracts, blocks, BLOCK
    return top.reshape(shape).max(axis=2), bottom.reshape(shape).min(axis=2)
