"""One bar of the world, the same for every host.

1. Resting orders meet bar ``i`` (:func:`~algomaster.execution.matching.meet`).
2. The ledger marks open legs at its close (:func:`~algomaster.execution.ledger.mark`).
3. The step sees bar ``i`` and its fills and leaves orders.
4. Where the terms fill at the decision's close, its market orders meet that close.
5. The equity at the end of the bar enters the account (:func:`~algomaster.execution.ledger.value`).

Nearly every bar touches no order. That path is inlined and reads a handful of arrays; only a bar that matters pays for
calls that carry the whole book.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.costs import DECISION_CLOSE
from algomaster.execution.ledger import AT_CLOSE, Log, fill, mark, value, worth
from algomaster.execution.matching import Tape, any_touched, bind, meet, meet_close
from algomaster.strategy.steps.contract import (
    FLAGS,
    MARKET,
    N_OPEN,
    N_ORDERS,
    N_REALISED,
    SESSION_END,
    UNFILLED,
    WAITING,
    Book,
    Day,
    clear,
    compact,
    put,
)

Step = Callable[[Record, Record, Day, int, Book], None]


@functools.cache
def advance_driver(step: Step) -> Callable[..., None]:
    """Give the compiled ``advance(day, tape, terms, params, state, book, account, log, i)`` of a step."""

    @kernel(inline=True, lean=True, inner=True)
    def advance(
        day: Day,
        tape: Tape,
        terms: Record,
        params: Record,
        state: Record,
        book: Book,
        account: Record,
        log: Log,
        i: int,
    ) -> None:
        if any_touched(book.orders, book.counts, tape.high, tape.low, i):
            bind(day, book, day.spot_open[i])
            meet(tape, book, account, terms, log, i)
        held = mark(book.legs, book.open_legs, book.counts, tape.close, i)
        step(state, params, day, i, book)
        newest = book.counts[N_ORDERS] - 1
        if newest >= 0 and terms[0]["fill"] == DECISION_CLOSE and book.orders[newest]["bar"] == i:
            bind(day, book, day.spot[i])
            meet_close(tape, book, account, terms, log, i)
            held = worth(book)
        value(account, terms, held, i)
        if log.equity.size > 0:
            log.equity[i] = account[0]["equity"]

    return advance


@functools.cache
def session_driver(step: Step) -> Callable[..., None]:
    """Give the compiled loop over one session: ``run(day, tape, terms, params, state, book, account, log)``."""
    advance = advance_driver(step)

    @kernel(lean=True)
    def run(
        day: Day, tape: Tape, terms: Record, params: Record, state: Record, book: Book, account: Record, log: Log
    ) -> None:
        clear(book, tape.close.shape[0])
        book.counts[N_REALISED] = account[0]["won"] - account[0]["lost"]
        last = day.ts.size - 1
        for i in range(last + 1):
            advance(day, tape, terms, params, state, book, account, log, i)
        finish(book, account, terms, log, last)

    return run


@kernel(lean=True, inner=True)
def finish(book: Book, account: Record, terms: Record, log: Log, last: int) -> None:
    """End a session: entries that still wait expire, open legs are squared off at their last traded close."""
    for slot in range(book.counts[N_ORDERS]):
        leg = book.legs[book.orders[slot]["leg"]]
        book.orders[slot]["live"] = 0
        if leg["state"] == WAITING:
            leg["state"] = UNFILLED
    compact(book)
    while book.counts[N_OPEN] > 0:
        number = book.open_legs[0]
        leg = book.legs[number]
        slot = put(book, last, number, MARKET, -leg["quantity"], 0, SESSION_END, 0, 0, 0, 0, 0, 0, 1)
        fill(book, account, terms, log, slot, leg["mark"], last, AT_CLOSE)
        compact(book)
    value(account, terms, 0, last)
    if log.equity.size > 0:
        log.equity[last] = account[0]["equity"]
    account[0]["flags"] |= book.counts[FLAGS]
