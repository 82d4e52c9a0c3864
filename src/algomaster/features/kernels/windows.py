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
from algomaster.features.kernels.face import span

__all__ = [
    "correlation", "deviation", "earlier", "explained", "join_comoment", "join_highest",
    "join_lowest", "join_moments", "join_sums", "join_trend", "mean_deviation", "residual", "where_highest",
    "where_lowest", "zero",
]  # fmt: skip


@kernel(lean=True, inner=True)
def earlier(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A as it was the first number bars before."""
    back = int(tape[line[0]]) * stride
    a, y = span(tape, line[2] + start - back, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        y[i] = a[i]


@kernel(lean=True, inner=True)
def zero(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """0 where a is finite, else NaN: the squared deviation of a single value."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        y[i] = a[i] - a[i]


@kernel(lean=True, inner=True)
def join_sums(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of a now and b the first number bars before."""
    back = int(tape[line[0]]) * stride
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start - back, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] + b[i]


@kernel(lean=True, inner=True)
def join_highest(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The larger of a now and a the first number bars before; NaN if either is."""
    back = int(tape[line[0]]) * stride
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start, stop - start),
    )
    for i in range(stop - start):
        top = a[i] if a[i] > b[i] else b[i]
        y[i] = top if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def join_lowest(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The smaller of a now and a the first number bars before; NaN if either is."""
    back = int(tape[line[0]]) * stride
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start, stop - start),
    )
    for i in range(stop - start):
        low = a[i] if a[i] < b[i] else b[i]
        y[i] = low if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def where_highest(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Bars since the highest: (value, age) now and n bars before. Numbers: n, 1 if of equals the later counts."""
    back = int(tape[line[0]]) * stride
    value, age = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    top, since = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    before, age_before = (
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start - back, stop - start),
    )
    latest = tape[line[0] + 1] > 0.0
    shift = tape[line[0]]
    for i in range(stop - start):
        a, b = value[i], before[i]
        now = (a >= b) if latest else (a > b)
        missing = math.nan if (a != a) | (b != b) else 0.0
        top[i] = (a if now else b) + missing
        since[i] = (age[i] if now else age_before[i] + shift) + missing


@kernel(lean=True, inner=True)
def where_lowest(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Bars since the lowest, as :func:`where_highest`."""
    back = int(tape[line[0]]) * stride
    value, age = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    low, since = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    before, age_before = (
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start - back, stop - start),
    )
    latest = tape[line[0] + 1] > 0.0
    shift = tape[line[0]]
    for i in range(stop - start):
        a, b = value[i], before[i]
        now = (a <= b) if latest else (a < b)
        missing = math.nan if (a != a) | (b != b) else 0.0
        low[i] = (a if now else b) + missing
        since[i] = (age[i] if now else age_before[i] + shift) + missing


@kernel(lean=True, inner=True)
def join_moments(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean and sum of squared deviations of the last the first number and the the second bars before them."""
    back = int(tape[line[0]]) * stride
    mean_a, sum_a = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    mean_b, sum_b = (
        span(tape, line[4] + start - back, stop - start),
        span(tape, line[5] + start - back, stop - start),
    )
    mean, total = span(tape, line[6] + start, stop - start), span(tape, line[7] + start, stop - start)
    share = tape[line[0] + 1] / (tape[line[0]] + tape[line[0] + 1])
    weight = tape[line[0]] * share
    for i in range(stop - start):
        gap = mean_b[i] - mean_a[i]
        mean[i] = mean_a[i] + gap * share
        total[i] = sum_a[i] + sum_b[i] + gap * gap * weight


@kernel(lean=True, inner=True)
def join_trend(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of products of deviations from the mean and from the mean time, joined like :func:`join_moments`."""
    back = int(tape[line[0]]) * stride
    sum_a, mean_a = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    sum_b, mean_b = (
        span(tape, line[4] + start - back, stop - start),
        span(tape, line[5] + start - back, stop - start),
    )
    y = span(tape, line[6] + start, stop - start)
    bars = tape[line[0]] + tape[line[0] + 1]
    weight = 0.5 * bars * (tape[line[0]] * tape[line[0] + 1] / bars)
    for i in range(stop - start):
        y[i] = sum_a[i] + sum_b[i] + (mean_a[i] - mean_b[i]) * weight


@kernel(lean=True, inner=True)
def join_comoment(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of products of the deviations of two series, joined like :func:`join_moments`."""
    back = int(tape[line[0]]) * stride
    first, last = start - back, stop - back
    sum_a, x_a, y_a = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    sum_b, x_b, y_b = (
        span(tape, line[5] + first, last - first),
        span(tape, line[6] + first, last - first),
        span(tape, line[7] + first, last - first),
    )
    out = span(tape, line[8] + start, stop - start)
    weight = tape[line[0]] * (tape[line[0] + 1] / (tape[line[0]] + tape[line[0] + 1]))
    for i in range(stop - start):
        out[i] = sum_a[i] + sum_b[i] + (x_b[i] - x_a[i]) * (y_b[i] - y_a[i]) * weight


@kernel(lean=True, inner=True)
def deviation(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Standard deviation from the sum of squared deviations: sqrt(a / the first number)."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    divisor = tape[line[0]]
    for i in range(stop - start):
        y[i] = math.sqrt(a[i] / divisor)


@kernel(lean=True, inner=True)
def mean_deviation(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean of the absolute deviations of a's last the first number values from b, their mean."""
    b, y = span(tape, line[3] + start, stop - start), span(tape, line[4] + start, stop - start)
    bars = int(tape[line[0]])
    for i in range(stop - start):
        y[i] = 0.0
    for back in range(0, bars - 3, 4):
        place = line[2] + start - back * stride
        a, a1 = span(tape, place, stop - start), span(tape, place - stride, stop - start)
        a2 = span(tape, place - 2 * stride, stop - start)
        a3 = span(tape, place - 3 * stride, stop - start)
        for i in range(stop - start):
            y[i] += (abs(a[i] - b[i]) + abs(a1[i] - b[i])) + (abs(a2[i] - b[i]) + abs(a3[i] - b[i]))
    for back in range(bars - bars % 4, bars):
        a = span(tape, line[2] + start - back * stride, stop - start)
        for i in range(stop - start):
            y[i] += abs(a[i] - b[i])
    for i in range(stop - start):
        y[i] /= bars


@kernel(lean=True, inner=True)
def correlation(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Correlation from a sum of products and two sums of squares of deviations: a / sqrt(b c), NaN where that is 0."""
    a, b = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    c, y = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    for i in range(stop - start):
        spread = math.sqrt(b[i]) * math.sqrt(c[i])
        value = a[i] / spread if spread != 0.0 else math.nan
        value = 1.0 if value > 1.0 else value
        y[i] = -1.0 if value < -1.0 else value


@kernel(lean=True, inner=True)
def explained(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Share of the squared deviations b that a straight line with time comoment a explains: a a / (b n), at most 1."""
    a, b = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    y = span(tape, line[4] + start, stop - start)
    time = tape[line[0]]
    for i in range(stop - start):
        base = b[i] * time
        value = a[i] * a[i] / base if base != 0.0 else math.nan
        y[i] = 1.0 if value > 1.0 else value


@kernel(lean=True, inner=True)
def residual(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """What a straight line leaves of the newest value: a - (mean b + time comoment c * n)."""
    a, b = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    c, y = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    ahead = tape[line[0]]
    for i in range(stop - start):
        y[i] = a[i] - (b[i] + c[i] * ahead)
