"""A compiled step in the place of given signals: one symbol, many settings, no array of signals.

``step(state, params, tape, i) -> int`` gives the flags of bar ``i`` (:mod:`algomaster.execution.bars_rules`), 0 for
none. It may read the tape at ``<= i`` and keep what it likes in ``state``; it sees no position and no cash, as an array
of signals does not either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.bars_engine import group_driver

SignalStep = Callable[[Record, Record, Any, int], int]


class SignalTape(NamedTuple):
    """Bars of one symbol as a step reads them: whole ticks (T,) int64, ``MISSING`` where there is no bar.

    Attributes
    ----------
    sums : (T + 1,) int64
        Closes of all bars before ``i``, a missing one as the close before it: those of ``n`` bars up to and with bar
        ``i`` add up to ``sums[i + 1] - sums[i + 1 - n]``, exactly.
    ts : (T,) int64
        Start of each bar in nanoseconds UTC, all 0 where times are not known.
    """

    open: Any
    high: Any
    low: Any
    close: Any
    sums: Any
    ts: Any


@functools.cache
def step_driver(step: SignalStep) -> Callable[..., None]:
    """Give the loop of one symbol over a step; it is that of given signals, to the bit."""

    @kernel(inline=True, inner=True)
    def source(state: Record, params: Record, tape: SignalTape, signals: Any, i: int, c: int) -> int:
        return int(step(state, params, tape, i))

    return group_driver(source)
