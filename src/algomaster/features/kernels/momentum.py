"""Rises against falls, of prices and of money, and the rate of change."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.fused import fused

__all__ = ["change_rate", "money_flow", "strength"]

_SAME: Final = 1e-12
"""Typical prices that differ by less, as a share, are equal: a third of a tick is far more, a rounded sum far less."""


@kernel(lean=True, inner=True)
def strength(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """100 up / (up + down) of Wilder's averages of the rises and falls of a; NaN where neither is.

    Number: n. The averages begin at the mean of the first n changes. State: the averages (before their beginning the
    sums over n), changes seen up to n.
    """
    bars = tape[line[0]]
    weight = 1.0 / bars
    keep = 1.0 - weight
    x, y = line[2], line[3]
    for each in range(min(stride, stop - start)):
        own = line[1] + 3 * each
        up, down, seen = tape[own], tape[own + 1], tape[own + 2]
        i = start + each
        while i < stop and seen < bars:
            change = tape[x + i] - tape[x + i - stride]
            known = change == change
            up += change * weight if change > 0.0 else 0.0
            down -= change * weight if change < 0.0 else 0.0
            seen += 1.0 if known else 0.0
            both = up + down
            tape[y + i] = 100.0 * (up / both) if known and seen == bars and both != 0.0 else math.nan
            i += stride
        for at in range(i, stop, stride):
            change = tape[x + at] - tape[x + at - stride]
            known = change == change
            rise = change if change > 0.0 else 0.0
            fall = -change if change < 0.0 else 0.0
            up = fused(up, keep, weight * rise) if known else up
            down = fused(down, keep, weight * fall) if known else down
            both = up + down
            tape[y + at] = 100.0 * (up / both) if known & (both != 0.0) else math.nan
        tape[own], tape[own + 1], tape[own + 2] = up, down, seen


@kernel(lean=True, inner=True)
def change_rate(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """(a / a the first number bars before - 1) times the second; NaN where the base is 0."""
    back = int(tape[line[0]]) * stride
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start, stop - start),
    )
    scale = tape[line[0] + 1]
    for i in range(stop - start):
        y[i] = ((a[i] / b[i] if b[i] != 0.0 else math.nan) - 1.0) * scale


@kernel(lean=True, inner=True)
def money_flow(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A times b where a has risen, and where it has risen or fallen, else 0; NaN where one or the last a is missing."""
    a, before, b = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[2] + start - stride, stop - start),
        span(tape, line[3] + start, stop - start),
    )
    rising, both = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    for i in range(stop - start):
        change, flow = a[i] - before[i], a[i] * b[i]
        least = _SAME * abs(a[i])
        missing = 0.0 if (change == change) & (flow == flow) else math.nan
        rising[i] = (flow if change > least else 0.0) + missing
        both[i] = (flow if abs(change) > least else 0.0) + missing
