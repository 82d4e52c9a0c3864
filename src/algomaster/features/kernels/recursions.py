"""What carries a memory from bar to bar: exponential averages and running totals.

A missing value is passed over: the memory stays, the output of that bar is missing.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.fused import fused

__all__ = ["exponential", "exponential_pair", "running"]


@kernel(lean=True, inner=True)
def exponential(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Exponential average, begun at the mean of the first n values.

    Numbers: n, the weight of the newest value. State: the average (before its beginning the sum), values seen up to n.
    """
    bars, weight = tape[line[0]], tape[line[0] + 1]
    keep = 1.0 - weight
    x, y = line[2], line[3]
    for each in range(min(stride, stop - start)):
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
        if _all_known(tape, x + i, x + stop, stride):  # then nothing but the sum stands between a bar and the next
            for at in range(i, stop, stride):
                average = fused(average, keep, weight * tape[x + at])
                tape[y + at] = average
        else:
            for at in range(i, stop, stride):
                value = tape[x + at]
                known = value == value
                average = fused(average, keep, weight * value) if known else average
                tape[y + at] = average if known else math.nan
        tape[own], tape[own + 1] = average, seen


@kernel(lean=True, inner=True)
def exponential_pair(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Two exponential averages, of a and of b, each as by :func:`exponential`; together they take as long as one.

    Numbers: n and weight of the first, then of the second. State: average and values seen of each.
    """
    bars, weight = tape[line[0]], tape[line[0] + 1]
    bars_b, weight_b = tape[line[0] + 2], tape[line[0] + 3]
    keep, keep_b = 1.0 - weight, 1.0 - weight_b
    x, x_b, y, y_b = line[2], line[3], line[4], line[5]
    for each in range(min(stride, stop - start)):
        own = line[1] + 4 * each
        average, seen, average_b, seen_b = tape[own], tape[own + 1], tape[own + 2], tape[own + 3]
        i = start + each
        while i < stop and (seen < bars or seen_b < bars_b):
            average, seen, tape[y + i] = _begun(average, seen, bars, weight, tape[x + i])
            average_b, seen_b, tape[y_b + i] = _begun(average_b, seen_b, bars_b, weight_b, tape[x_b + i])
            i += stride
        if _all_known(tape, x + i, x + stop, stride) and _all_known(tape, x_b + i, x_b + stop, stride):
            for at in range(i, stop, stride):
                average = fused(average, keep, weight * tape[x + at])
                average_b = fused(average_b, keep_b, weight_b * tape[x_b + at])
                tape[y + at], tape[y_b + at] = average, average_b
        else:
            for at in range(i, stop, stride):
                average, seen, tape[y + at] = _begun(average, seen, bars, weight, tape[x + at])
                average_b, seen_b, tape[y_b + at] = _begun(average_b, seen_b, bars_b, weight_b, tape[x_b + at])
        tape[own], tape[own + 1], tape[own + 2], tape[own + 3] = average, seen, average_b, seen_b


@kernel(inline=True, lean=True, inner=True)
def _begun(average: float, seen: float, bars: float, weight: float, value: float) -> tuple[float, float, float]:
    """Give average, values seen and output after one more value, begun or not."""
    if value != value:
        return average, seen, math.nan
    if seen < bars:
        average += value
        seen += 1.0
        if seen < bars:
            return average, seen, math.nan
        average /= bars
    else:
        average = fused(average, 1.0 - weight, weight * value)
    return average, seen, average


@kernel(lean=True, inner=True)
def _all_known(tape: FloatArray, first: int, last: int, stride: int) -> bool:
    """Say whether no value is missing."""
    if stride > 1:
        missing = 0
        for i in range(first, last, stride):
            missing += 0 if tape[i] == tape[i] else 1
        return missing == 0
    values = tape[first:last]
    missing = 0
    for i in range(last - first):
        missing += 0 if values[i] == values[i] else 1
    return missing == 0


@kernel(lean=True, inner=True)
def running(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of all values since the beginning, compensated (Neumaier 1974). State: the sum, what it has lost."""
    x, y = line[2], line[3]
    for each in range(min(stride, stop - start)):
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
