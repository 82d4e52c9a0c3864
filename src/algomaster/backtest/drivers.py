"""The compiled loop of a sweep: many parameter sets over one session, in parallel, each on its own book."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from algomaster.core.jit import kernel, prange
from algomaster.core.types import Record
from algomaster.execution.advance import Step, session_driver
from algomaster.execution.ledger import Log
from algomaster.execution.matching import Tape
from algomaster.execution.overnight import Held
from algomaster.strategy.steps.contract import Day, new_book

BLOCK: Final = 32
"""Parameter sets that share one book, so that its memory is taken once for many sessions' worth of work."""


@functools.cache
def sweep_driver(step: Step) -> Callable[..., None]:
    """Give the compiled ``sweep(day, tape, terms, params, states, accounts, held, fills, n_fills, equity)``.

    ``params``, ``states``, ``accounts`` (P,); ``held`` has a row a set; ``fills`` (P, n), ``n_fills`` (P, 1) and
    ``equity`` (P, M) keep records, or have a second axis of length 0 where none are wanted.
    """
    run = session_driver(step)

    @kernel(parallel=True)
    def sweep(
        day: Day, tape: Tape, terms: Record, params: Record, states: Record, accounts: Record, held: Held,
        fills: Any, n_fills: Any, equity: Any,
    ) -> None:  # fmt: skip
        sets = params.size
        for block in prange((sets + BLOCK - 1) // BLOCK):
            book = new_book(0)
            for p in range(block * BLOCK, min(sets, (block + 1) * BLOCK)):
                log = Log(fills[p], n_fills[p], equity[p])
                run(
                    day, tape, terms, params[p : p + 1], states[p : p + 1], book, accounts[p : p + 1],
                    Held(held.legs[p], held.orders[p], held.counts[p]), log,
                )  # fmt: skip

    return sweep
