"""The compiled loop of a sweep: many parameter sets over one session, one after the other, on one book.

It runs on one thread and holds no lock of Python's, so that hosts spread chunks of sets over threads, processes or
machines. A loop with ``prange`` over the sets waited for its slowest thread after every session; on a machine with
other work that took three times as long.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.advance import BEFORE, Step, session_driver
from algomaster.execution.ledger import Log
from algomaster.execution.matching import Tape
from algomaster.execution.overnight import Held
from algomaster.strategy.steps.contract import Day, new_book


@functools.cache
def sweep_driver(step: Step) -> Callable[..., None]:
    """Give the compiled ``sweep(day, tape, terms, params, states, accounts, held, fills, n_fills, equity)``.

    ``params``, ``states``, ``accounts`` (P,); ``held`` has a row a set; ``fills`` (P, n), ``n_fills`` (P, 1) and
    ``equity`` (P, M) keep records, or have a second axis of length 0 where none are wanted.
    """
    run = session_driver(step)

    @kernel
    def sweep(
        day: Day, tape: Tape, terms: Record, params: Record, states: Record, accounts: Record, held: Held,
        fills: Any, n_fills: Any, equity: Any,
    ) -> None:  # fmt: skip
        book = new_book(0)
        for p in range(params.size):
            log = Log(fills[p], n_fills[p], equity[p])
            run(
                day, tape, terms, params[p : p + 1], states[p : p + 1], book, accounts[p : p + 1],
                Held(held.legs[p], held.orders[p], held.counts[p]), log, BEFORE, day.ts.size,
            )  # fmt: skip

    return sweep
