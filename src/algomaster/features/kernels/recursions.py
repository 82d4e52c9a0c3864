"""What carries a memory from bar to bar: exponential averages and running totals.

A missing value is passed over: the memory stays, the output of that bar is missing.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.fused import fused

__all__ = ["exponential", "previous_known", "running"]


@kernel(lean=True, inner=True)
def exponential(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Exponential average with weight params[1] of the newest, begun at the mean of the first params[0] values.

    state: the average (before its beginning the sum), the number of values seen up to params[0].
    """
    x, y = tape[ins[0], start:stop], tape[outs[0], start:stop]
    average, seen = state[0], state[1]
    bars, weight = params[0], params[1]
    keep = 1.0 - weight
    i, count = 0, stop - start
    while i < count and seen < bars:
        value = x[i]
        known = value == value
        average += value if known else 0.0
        seen += 1.0 if known else 0.0
        if seen == bars:
            average /= bars
        y[i] = average if known and seen == bars else math.nan
        i += 1
    for at in range(i, count):
        value = x[at]
        if value == value:
            average = fused(average, keep, weight * value)
            y[at] = average
        else:
            y[at] = math.nan
    state[0], state[1] = average, seen


@kernel(lean=True, inner=True)
def running(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sum of all values since the beginning, compensated (Neumaier 1974). state: sum, what it has lost, seen."""
    x, y = tape[ins[0], start:stop], tape[outs[0], start:stop]
    total, lost = state[0], state[1]
    for i in range(stop - start):
        value = x[i]
        if value == value:
            more = total + value
            lost += (total - more) + value if abs(total) >= abs(value) else (value - more) + total
            total = more
            y[i] = total + lost
        else:
            y[i] = math.nan
    state[0], state[1] = total, lost


@kernel(lean=True, inner=True)
def previous_known(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """The last known value of a, this bar's included. state: that value."""
    x, y = tape[ins[0], start:stop], tape[outs[0], start:stop]
    last = state[0]
    for i in range(stop - start):
        last = x[i] if x[i] == x[i] else last
        y[i] = last
    state[0] = last
