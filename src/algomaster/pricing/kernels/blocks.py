"""How a loop over options goes through its arguments: in blocks, each argument with one value or one an option.

A block of every argument fits the processor's nearest memory, and what has one value for all is spread over one block
only, so a scalar costs neither memory nor a loop of its own.

:func:`over` turns the loop of one block into two kernels, one for this thread and one for all threads. What is
computed of an option depends on nothing but its own values, so both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel, prange

__all__ = ["BLOCK", "PARALLEL_FROM", "Loops", "Options", "over"]

BLOCK: Final = 1024
"""Options that are computed in one go."""
PIECE: Final = 8 * BLOCK
"""Options that one thread takes at a time."""
PARALLEL_FROM: Final = 4 * PIECE
"""Options from which on waking the other threads pays: below, it may take longer than the work."""


class Options(NamedTuple):
    """Arguments of a loop: ``right`` int64, the rest float64, all contiguous, each (n,) or (1,)."""

    right: Any
    spot: Any
    strike: Any
    t: Any
    vol: Any
    rate: Any
    dividend: Any


class Loops(NamedTuple):
    """One loop, for this thread and for all of them: ``loop(options, on_forward, out)`` with ``out`` (rows, n)."""

    serial: Callable[[Options, bool, Any], None]
    parallel: Callable[[Options, bool, Any], None]


@kernel(inner=True)
def _spread(values: Any, n: int, first: int, last: int) -> Any:
    """Give the values from ``first`` to ``last``, or a block full of the only one."""
    return values[first:last] if values.size == n else np.full(min(BLOCK, last - first), values[0])


@kernel(inner=True)
def _part(values: Any, whole: bool, first: int, last: int) -> Any:
    return values[first:last] if whole else values[: last - first]


def over(block: Callable[..., None]) -> Loops:
    """Make loops over any number of options of a kernel ``block(right, …, dividend, on_forward, out, first)``.

    The block has its arguments in equal length m and writes the columns of ``out`` from ``first`` to ``first + m``.
    """

    @kernel(inner=True)
    def some(options: Options, on_forward: bool, out: Any, first: int, last: int) -> None:
        n = out.shape[1]
        right = _spread(options.right, n, first, last)
        spot = _spread(options.spot, n, first, last)
        strike = _spread(options.strike, n, first, last)
        t = _spread(options.t, n, first, last)
        vol = _spread(options.vol, n, first, last)
        rate = _spread(options.rate, n, first, last)
        dividend = _spread(options.dividend, n, first, last)
        for a in range(0, last - first, BLOCK):
            b = min(last - first, a + BLOCK)
            block(
                _part(right, options.right.size == n, a, b),
                _part(spot, options.spot.size == n, a, b),
                _part(strike, options.strike.size == n, a, b),
                _part(t, options.t.size == n, a, b),
                _part(vol, options.vol.size == n, a, b),
                _part(rate, options.rate.size == n, a, b),
                _part(dividend, options.dividend.size == n, a, b),
                on_forward,
                out,
                first + a,
            )

    @kernel
    def serial(options: Options, on_forward: bool, out: Any) -> None:
        some(options, on_forward, out, 0, out.shape[1])

    @kernel(parallel=True)
    def parallel(options: Options, on_forward: bool, out: Any) -> None:
        n = out.shape[1]
        for piece in prange((n + PIECE - 1) // PIECE):
            some(options, on_forward, out, piece * PIECE, min(n, (piece + 1) * PIECE))

    return Loops(serial, parallel)
