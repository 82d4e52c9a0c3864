"""How far a bar reached beyond the one before, which way, and what trails behind: Wilder's movement and ranges."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.fused import fused

__all__ = ["directional", "movement", "movement_averages", "supertrend", "true_range"]


@kernel(lean=True, inner=True)
def true_range(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """max(h, c1) - min(l, c1) from high, low, close; NaN where one is missing."""
    high, low, before, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start - stride, stop - start),
        span(tape, line[5] + start, stop - start),
    )
    for i in range(stop - start):
        top = high[i] if high[i] > before[i] else before[i]
        bottom = low[i] if low[i] < before[i] else before[i]
        y[i] = top - bottom if (high[i] == high[i]) & (low[i] == low[i]) else math.nan


@kernel(lean=True, inner=True)
def movement(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """+DM, -DM and true range from high, low, close; all three NaN where one is missing now or in the bar before.

    They are missing together so that an average of movements never passes that of the ranges that contain them.
    """
    first, last = start - stride, stop - stride
    high, low = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    high_before, low_before, close_before = (
        span(tape, line[2] + first, last - first),
        span(tape, line[3] + first, last - first),
        span(tape, line[4] + first, last - first),
    )
    plus, minus, reach = (
        span(tape, line[5] + start, stop - start),
        span(tape, line[6] + start, stop - start),
        span(tape, line[7] + start, stop - start),
    )
    for i in range(stop - start):
        up, down = high[i] - high_before[i], low_before[i] - low[i]
        top = high[i] if high[i] > close_before[i] else close_before[i]
        bottom = low[i] if low[i] < close_before[i] else close_before[i]
        known = (up == up) & (down == down) & (top == top)
        rise = up if (up > down) & (up > 0.0) else 0.0
        fall = down if (down > up) & (down > 0.0) else 0.0
        plus[i] = rise if known else math.nan
        minus[i] = fall if known else math.nan
        reach[i] = top - bottom if known else math.nan


@kernel(lean=True, inner=True)
def movement_averages(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Wilder's averages of what :func:`movement` gives: three at once take as long as one.

    Number: n. They begin as TA-Lib's and Tulip's do, at the sum of the first n - 1 values over n; the first output
    comes with the n-th value, as TA-Lib's does. State: the averages (before that the sums), values seen up to n - 1.
    """
    bars = tape[line[0]]
    weight = 1.0 / bars
    keep = 1.0 - weight
    for each in range(min(stride, stop - start)):
        own = line[1] + 4 * each
        plus, minus, reach, seen = tape[own], tape[own + 1], tape[own + 2], tape[own + 3]
        i = start + each
        while i < stop and seen < bars - 1.0:
            if tape[line[4] + i] == tape[line[4] + i]:
                plus += tape[line[2] + i] * weight
                minus += tape[line[3] + i] * weight
                reach += tape[line[4] + i] * weight
                seen += 1.0
            tape[line[5] + i] = tape[line[6] + i] = tape[line[7] + i] = math.nan
            i += stride
        for at in range(i, stop, stride):
            value = tape[line[4] + at]
            known = value == value
            missing = 0.0 if known else math.nan
            plus = fused(plus, keep, weight * tape[line[2] + at]) if known else plus
            minus = fused(minus, keep, weight * tape[line[3] + at]) if known else minus
            reach = fused(reach, keep, weight * value) if known else reach
            tape[line[5] + at], tape[line[6] + at], tape[line[7] + at] = (
                plus + missing,
                minus + missing,
                reach + missing,
            )
        tape[own], tape[own + 1], tape[own + 2], tape[own + 3] = plus, minus, reach, seen


@kernel(lean=True, inner=True)
def directional(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """(a - b) / c and 100 abs(a - b) / (a + b) of averages of +DM, -DM and range; NaN where the base is 0."""
    plus, minus, reach = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    balance, index = span(tape, line[5] + start, stop - start), span(tape, line[6] + start, stop - start)
    for i in range(stop - start):
        gap, both = plus[i] - minus[i], plus[i] + minus[i]
        balance[i] = gap / reach[i] if reach[i] != 0.0 else math.nan
        index[i] = 100.0 * abs(gap) / both if both != 0.0 else math.nan


@kernel(lean=True, inner=True)
def supertrend(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Side (1 up, -1 down) and trailing line of the supertrend from high, low, close and average range.

    Number: how many average ranges the bands stand off (h + l) / 2. A band moves towards the price only, until a close
    beyond it; the line is the band below in an upward trend and the band above in a downward one. State: the bands,
    the side (NaN before the first), the last close.
    """
    width = tape[line[0]]
    for each in range(min(stride, stop - start)):
        own = line[1] + 4 * each
        above, below, side, last = tape[own], tape[own + 1], tape[own + 2], tape[own + 3]
        for i in range(start + each, stop, stride):
            high, low, close, reach = tape[line[2] + i], tape[line[3] + i], tape[line[4] + i], tape[line[5] + i]
            known = high + low + close + reach
            if known != known:
                tape[line[6] + i] = tape[line[7] + i] = math.nan
                continue
            middle = 0.5 * (high + low)
            top, bottom = middle + width * reach, middle - width * reach
            begun = side == side
            above = above if begun and top >= above and last <= above else top
            below = below if begun and bottom <= below and last >= below else bottom
            up = side > 0.0 if begun else close >= middle
            side = -1.0 if close <= (below if up else above) else 1.0
            last = close
            tape[line[6] + i] = side
            tape[line[7] + i] = below if side > 0.0 else above
        tape[own], tape[own + 1], tape[own + 2], tape[own + 3] = above, below, side, last
