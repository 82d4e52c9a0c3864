"""Windows by halving: what holds for n bars is put together from two shorter windows, one of them earlier.

A sum over 60 bars is the sum over 30 and the sum over the 30 before; that over 30 the same of 15; and so on. Each
step adds two rows of the tape, so a window of n bars costs about log2(n) operations a bar, all of them vector code,
and shorter windows are shared. No running total exists that could drift: a value depends on the n bars of its window
and nothing else, a bad tick is gone when it leaves, a missing value makes the window missing just as long.

Means, variances and covariances of two windows are joined by the pairwise update of Chan, Golub and LeVeque (1983),
equations 2.1: no difference of large squares is ever formed.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = [
    "central_powers", "deviation", "earlier", "join_comoment", "join_highest", "join_lowest", "join_moments",
    "join_sums", "join_trend", "mean_deviation", "where_highest", "where_lowest", "zero",
]  # fmt: skip


@kernel(lean=True, inner=True)
def earlier(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """A as it was params[0] bars before."""
    back = int(params[0])
    a, y = tape[ins[0], start - back : stop - back], tape[outs[0], start:stop]
    for i in range(stop - start):
        y[i] = a[i]


@kernel(lean=True, inner=True)
def zero(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """0 where a is finite, else NaN: the squared deviation of a single value."""
    a, y = tape[ins[0], start:stop], tape[outs[0], start:stop]
    for i in range(stop - start):
        y[i] = a[i] - a[i]


@kernel(lean=True, inner=True)
def join_sums(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sum of a now and b params[0] bars before."""
    back = int(params[0])
    a, b, y = tape[ins[0], start:stop], tape[ins[1], start - back : stop - back], tape[outs[0], start:stop]
    for i in range(stop - start):
        y[i] = a[i] + b[i]


@kernel(lean=True, inner=True)
def join_highest(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """The larger of a now and a params[0] bars before; NaN if either is."""
    back = int(params[0])
    a, b, y = tape[ins[0], start:stop], tape[ins[0], start - back : stop - back], tape[outs[0], start:stop]
    for i in range(stop - start):
        top = a[i] if a[i] > b[i] else b[i]
        y[i] = top if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def join_lowest(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """The smaller of a now and a params[0] bars before; NaN if either is."""
    back = int(params[0])
    a, b, y = tape[ins[0], start:stop], tape[ins[0], start - back : stop - back], tape[outs[0], start:stop]
    for i in range(stop - start):
        low = a[i] if a[i] < b[i] else b[i]
        y[i] = low if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def where_highest(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Bars since the highest: (value, age) now and params[0] bars before, joined; of equals the later if params[1]."""
    back = int(params[0])
    value, age, top, since = (
        tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop], tape[outs[1], start:stop],
    )  # fmt: skip
    before, age_before = tape[ins[0], start - back : stop - back], tape[ins[1], start - back : stop - back]
    latest = params[1] > 0.0
    shift = params[0]
    for i in range(stop - start):
        a, b = value[i], before[i]
        now = (a >= b) if latest else (a > b)
        missing = math.nan if (a != a) | (b != b) else 0.0
        top[i] = (a if now else b) + missing
        since[i] = (age[i] if now else age_before[i] + shift) + missing


@kernel(lean=True, inner=True)
def where_lowest(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Bars since the lowest, as :func:`where_highest`."""
    back = int(params[0])
    value, age, low, since = (
        tape[ins[0], start:stop], tape[ins[1], start:stop], tape[outs[0], start:stop], tape[outs[1], start:stop],
    )  # fmt: skip
    before, age_before = tape[ins[0], start - back : stop - back], tape[ins[1], start - back : stop - back]
    latest = params[1] > 0.0
    shift = params[0]
    for i in range(stop - start):
        a, b = value[i], before[i]
        now = (a <= b) if latest else (a < b)
        missing = math.nan if (a != a) | (b != b) else 0.0
        low[i] = (a if now else b) + missing
        since[i] = (age[i] if now else age_before[i] + shift) + missing


@kernel(lean=True, inner=True)
def join_moments(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Mean and sum of squared deviations of the last params[0] and the params[1] bars before them."""
    back = int(params[0])
    mean_a, sum_a = tape[ins[0], start:stop], tape[ins[1], start:stop]
    mean_b, sum_b = tape[ins[2], start - back : stop - back], tape[ins[3], start - back : stop - back]
    mean, total = tape[outs[0], start:stop], tape[outs[1], start:stop]
    share = params[1] / (params[0] + params[1])
    weight = params[0] * share
    for i in range(stop - start):
        gap = mean_b[i] - mean_a[i]
        mean[i] = mean_a[i] + gap * share
        total[i] = sum_a[i] + sum_b[i] + gap * gap * weight


@kernel(lean=True, inner=True)
def join_trend(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sum of products of deviations from the mean and from the mean time, joined like :func:`join_moments`."""
    back = int(params[0])
    sum_a, mean_a = tape[ins[0], start:stop], tape[ins[1], start:stop]
    sum_b, mean_b = tape[ins[2], start - back : stop - back], tape[ins[3], start - back : stop - back]
    y = tape[outs[0], start:stop]
    bars = params[0] + params[1]
    weight = 0.5 * bars * (params[0] * params[1] / bars)
    for i in range(stop - start):
        y[i] = sum_a[i] + sum_b[i] + (mean_a[i] - mean_b[i]) * weight


@kernel(lean=True, inner=True)
def join_comoment(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sum of products of the deviations of two series, joined like :func:`join_moments`."""
    back = int(params[0])
    first, last = start - back, stop - back
    sum_a, x_a, y_a = tape[ins[0], start:stop], tape[ins[1], start:stop], tape[ins[2], start:stop]
    sum_b, x_b, y_b = tape[ins[3], first:last], tape[ins[4], first:last], tape[ins[5], first:last]
    out = tape[outs[0], start:stop]
    weight = params[0] * (params[1] / (params[0] + params[1]))
    for i in range(stop - start):
        out[i] = sum_a[i] + sum_b[i] + (x_b[i] - x_a[i]) * (y_b[i] - y_a[i]) * weight


@kernel(lean=True, inner=True)
def deviation(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Standard deviation from the sum of squared deviations: sqrt(a / params[0])."""
    a, y = tape[ins[0], start:stop], tape[outs[0], start:stop]
    divisor = params[0]
    for i in range(stop - start):
        y[i] = math.sqrt(a[i] / divisor)


@kernel(lean=True, inner=True)
def mean_deviation(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Mean of the absolute deviations of a's last params[0] values from b, their mean."""
    b, y = tape[ins[1], start:stop], tape[outs[0], start:stop]
    bars = int(params[0])
    for i in range(stop - start):
        y[i] = 0.0
    for back in range(bars):
        a = tape[ins[0], start - back : stop - back]
        for i in range(stop - start):
            y[i] += abs(a[i] - b[i])
    for i in range(stop - start):
        y[i] /= bars


@kernel(lean=True, inner=True)
def central_powers(
    tape: FloatArray, ins: IntArray, outs: IntArray, state: FloatArray, params: FloatArray, start: int, stop: int
) -> None:
    """Sums of the third and fourth powers of the deviations of a's last params[0] values from b, their mean."""
    b, cube, fourth = tape[ins[1], start:stop], tape[outs[0], start:stop], tape[outs[1], start:stop]
    bars = int(params[0])
    for i in range(stop - start):
        cube[i] = 0.0
        fourth[i] = 0.0
    for back in range(bars):
        a = tape[ins[0], start - back : stop - back]
        for i in range(stop - start):
            gap = a[i] - b[i]
            square = gap * gap
            cube[i] += square * gap
            fourth[i] += square * square
