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
def exponential(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Exponential average, begun at the mean of the first n values.

    Numbers: n, the weight of the newest value. State: the average (before its beginning the sum), values seen up to n.
    """
    bars, weight = tape[line[0]], tape[line[0] + 1]
    keep = 1.0 - weight
    x, y = line[2], line[3]
    for each in range(stride):
        own = line[1] + 2 * each
        average, seen = tape[own], tape[own + 1]
        i = start + each
        while i < stop and seen < bars:
            value = tape[x + i]
            known = value == value
            average += value if known else 0.0
            seen += 1.0 if known else 0.0
            if seen == bars:
                average /= bars
            tape[y + i] = average if known and seen == bars else math.nan
            i += stride
        for at in range(i, stop, stride):
            value = tape[x + at]
            known = value == value
            average = fused(average, keep, weight * value) if known else average
            tape[y + at] = average if known else math.nan
        tape[own], tape[own + 1] = average, seen


@kernel(lean=True, inner=True)
def running(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of all values since the beginning, compensated (Neumaier 1974). State: the sum, what it has lost."""
    x, y = line[2], line[3]
    for each in range(stride):
        own = line[1] + 2 * each
        total, lost = tape[own], tape[own + 1]
        for i in range(start + each, stop, stride):
            value = tape[x + i]
            if value == value:
                more = total + value
                lost += (total - more) + value if abs(total) >= abs(value) else (value - more) + total
                total = more
                tape[y + i] = total + lost
            else:
                tape[y + i] = math.nan
        tape[own], tape[own + 1] = total, lost


@kernel(lean=True, inner=True)
def previous_known(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The last known value of a, this bar's included. State: that value."""
    x, y = line[2], line[3]
    for each in range(stride):
        last = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            value = tape[x + i]
            last = value if value == value else last
            tape[y + i] = last
        tape[line[1] + each] = last
