"""The loop over one session as a generator, so that a host in Python can stop at any bar.

A compiled function takes its arguments apart at every call, and a session has some sixty arrays: that costs hundreds of
times as much as a bar. A compiled generator takes them apart once; from then on ``next`` is all it needs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.advance import Step, session_driver
from algomaster.execution.ledger import Log
from algomaster.execution.matching import Tape
from algomaster.execution.overnight import Held
from algomaster.strategy.steps.records import Book, Day

AT: Final = 0
UNTIL: Final = 1
"""``cursor[AT]`` counts the bars that have closed (BEFORE: the session has not begun), ``cursor[UNTIL]`` how many
shall have closed when the generator next yields. The last bar ends the session with it."""


@functools.cache
def walk_driver(step: Step) -> Callable[..., Iterator[int]]:
    """Give the compiled generator ``walk(day, tape, terms, params, state, book, account, held, log, cursor)``.

    Its bars are those of :func:`~algomaster.execution.advance.session_driver`. Whoever holds it must keep the arrays
    alive.
    """
    run = session_driver(step)

    @kernel(lean=True)
    def walk(
        day: Day, tape: Tape, terms: Record, params: Record, state: Record, book: Book, account: Record, held: Held,
        log: Log, cursor: Any,
    ) -> Iterator[int]:  # fmt: skip
        while True:
            if cursor[AT] < cursor[UNTIL]:
                run(day, tape, terms, params, state, book, account, held, log, cursor[AT], cursor[UNTIL])
                cursor[AT] = cursor[UNTIL]
            yield cursor[AT]

    return walk
