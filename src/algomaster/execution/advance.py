"""One bar of the world, the same for every host.

1. Resting orders meet bar ``i`` (:func:`~algomaster.execution.matching.meet`).
2. The ledger marks open legs at its close (:func:`~algomaster.execution.ledger.mark`).
3. The step sees bar ``i`` and its fills and leaves orders.
4. Where the terms fill at the decision's close, its market orders meet that close.
5. Where the equity of every minute is kept, it is written (:func:`~algomaster.execution.ledger.watch`).

Nearly every bar touches no order. That path is inlined and reads a handful of arrays; only a bar that matters pays for
calls that carry the whole book. Bars that a step sleeps through are not visited at all where the tape has skip lists.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.costs import NEXT_OPEN, OPTION
from algomaster.execution.ledger import Log, mark, watch, worth
from algomaster.execution.matching import Tape, any_touched, bind, meet, meet_close
from algomaster.execution.overnight import Held, begin, finish
from algomaster.execution.skipping import next_bar, pass_over
from algomaster.strategy.steps.records import N_ORDERS, N_WAKE, Book, Day

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
        if any_touched(book.orders, book.counts, tape, i):
            bind(day, book, day.spot_open[i])
            meet(tape, book, account, terms, log, i)
        held = mark(book, tape.close, tape.future, i)
        book.counts[N_WAKE] = 0
        step(state, params, day, i, book)
        newest = book.counts[N_ORDERS] - 1
        if newest >= 0 and terms[OPTION]["fill"] != NEXT_OPEN and book.orders[newest]["bar"] == i:
            bind(day, book, day.spot[i])
            meet_close(tape, book, account, terms, log, i)
            held = worth(book)
        if log.equity.size > 0:
            watch(account, log, held, i)

    return advance


BEFORE: Final = -1
"""First bar of a run that begins its session."""


@functools.cache
def session_driver(step: Step) -> Callable[..., None]:
    """Give the compiled loop over the bars of one session.

    ``run(day, tape, terms, params, state, book, account, held, log, first, stop)`` runs the bars from ``first`` on
    until ``stop`` have closed. With BEFORE it begins the session, with its last bar it ends it. All hosts run this very
    function, the heaviest to compile, so that it is compiled once.
    """
    advance = advance_driver(step)

    @kernel(lean=True)
    def run(
        day: Day,
        tape: Tape,
        terms: Record,
        params: Record,
        state: Record,
        book: Book,
        account: Record,
        held: Held,
        log: Log,
        first: int,
        stop: int,
    ) -> None:
        i = int(np.int64(first))  # one type whatever was handed in
        if i == BEFORE:
            begin(day, terms, book, account, held, log)
            i += 1
        while i < stop:
            advance(day, tape, terms, params, state, book, account, log, i)
            following = i + 1
            if tape.top.size > 0 and book.counts[N_WAKE] > following:
                following = next_bar(tape, book, i, stop)
                pass_over(tape, book, account, log, i + 1, following)
            i = following
        if i == day.ts.size:
            finish(day, book, account, terms, held, log, i - 1)

    return run
