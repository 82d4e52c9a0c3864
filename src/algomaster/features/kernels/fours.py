"""Windows put together from four quarters, or from two halves, and one bar more, in one pass over the tape.

The same sums in the same order, so the same bits, as joining twice by :mod:`~algomaster.features.kernels.windows`, with
half the rows of the tape written and read. A window of 60 is four of 15; 15 is twice 7 and one; 7 is twice 3 and one.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = [
    "highest_of_four", "lowest_of_four", "moments_of_four", "moments_of_four_and_one", "moments_of_two_and_one",
    "sum_of_four", "sum_of_four_and_one", "sum_of_two_and_one",
]  # fmt: skip


@kernel(lean=True, inner=True)
def sum_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of a now and once, twice, three times the first number of bars before."""
    back = int(tape[line[0]]) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    c, d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    y = span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        y[i] = (a[i] + b[i]) + (c[i] + d[i])


@kernel(lean=True, inner=True)
def sum_of_two_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of a now, a the first number of bars before, and b twice as many before."""
    back = int(tape[line[0]]) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    one = span(tape, line[3] + start - 2 * back, stop - start)
    y = span(tape, line[4] + start, stop - start)
    for i in range(stop - start):
        y[i] = (a[i] + b[i]) + one[i]


@kernel(lean=True, inner=True)
def sum_of_four_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """As :func:`sum_of_four`, and b four times as many bars before."""
    back = int(tape[line[0]]) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    c, d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    one = span(tape, line[3] + start - 4 * back, stop - start)
    y = span(tape, line[4] + start, stop - start)
    for i in range(stop - start):
        y[i] = ((a[i] + b[i]) + (c[i] + d[i])) + one[i]


@kernel(lean=True, inner=True)
def highest_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The largest of a now and three numbers of bars before; NaN if one is."""
    first, last = line[2] + start, line[2] + stop
    two, three = int(tape[line[0]]) * stride, int(tape[line[0] + 1]) * stride
    four = int(tape[line[0] + 2]) * stride
    a, b = tape[first:last], span(tape, first - two, last - first)
    c, d = span(tape, first - three, last - first), span(tape, first - four, last - first)
    y = span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        late = a[i] if a[i] > b[i] else b[i]
        early = c[i] if c[i] > d[i] else d[i]
        top = late if late > early else early
        y[i] = top if (a[i] == a[i]) & (late == late) & (c[i] == c[i]) else math.nan


@kernel(lean=True, inner=True)
def lowest_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The smallest of a now and three numbers of bars before; NaN if one is."""
    first, last = line[2] + start, line[2] + stop
    two, three = int(tape[line[0]]) * stride, int(tape[line[0] + 1]) * stride
    four = int(tape[line[0] + 2]) * stride
    a, b = tape[first:last], span(tape, first - two, last - first)
    c, d = span(tape, first - three, last - first), span(tape, first - four, last - first)
    y = span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        late = a[i] if a[i] < b[i] else b[i]
        early = c[i] if c[i] < d[i] else d[i]
        low = late if late < early else early
        y[i] = low if (a[i] == a[i]) & (late == late) & (c[i] == c[i]) else math.nan


@kernel(inline=True, lean=True, inner=True)
def _paired(mean_a: float, sum_a: float, mean_b: float, sum_b: float, weight: float) -> tuple[float, float]:
    """Join mean and sum of squared deviations of two windows of 2 weight bars each."""
    gap = mean_b - mean_a
    return mean_a + gap * 0.5, sum_a + sum_b + gap * gap * weight


@kernel(lean=True, inner=True)
def moments_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean and sum of squared deviations of four windows of the first number of bars, one after the other."""
    bars = tape[line[0]]
    back = int(bars) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    c, d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    first, last = line[3] + start, line[3] + stop
    sum_a, sum_b = tape[first:last], span(tape, first - back, last - first)
    sum_c, sum_d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    mean, total = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    weight = bars * 0.5
    for i in range(stop - start):
        late, late_sum = _paired(a[i], sum_a[i], b[i], sum_b[i], weight)
        early, early_sum = _paired(c[i], sum_c[i], d[i], sum_d[i], weight)
        mean[i], total[i] = _paired(late, late_sum, early, early_sum, bars)


@kernel(lean=True, inner=True)
def moments_of_two_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean and sum of squared deviations of two windows of the first number of bars and c in the bar before them."""
    bars = tape[line[0]]
    back = int(bars) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    first, last = line[3] + start, line[3] + stop
    sum_a, sum_b = tape[first:last], span(tape, first - back, last - first)
    one = span(tape, line[4] + start - 2 * back, stop - start)
    mean, total = span(tape, line[5] + start, stop - start), span(tape, line[6] + start, stop - start)
    half = bars * 0.5
    share = 1.0 / (2.0 * bars + 1.0)
    weight = 2.0 * bars * share
    for i in range(stop - start):
        late, late_sum = _paired(a[i], sum_a[i], b[i], sum_b[i], half)
        gap = one[i] - late
        mean[i] = late + gap * share
        total[i] = late_sum + gap * gap * weight


@kernel(lean=True, inner=True)
def moments_of_four_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean and sum of squared deviations of four windows of the first number of bars and c in the bar before them."""
    bars = tape[line[0]]
    back = int(bars) * stride
    first, last = line[2] + start, line[2] + stop
    a, b = tape[first:last], span(tape, first - back, last - first)
    c, d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    first, last = line[3] + start, line[3] + stop
    sum_a, sum_b = tape[first:last], span(tape, first - back, last - first)
    sum_c, sum_d = span(tape, first - 2 * back, last - first), span(tape, first - 3 * back, last - first)
    one = span(tape, line[4] + start - 4 * back, stop - start)
    mean, total = span(tape, line[5] + start, stop - start), span(tape, line[6] + start, stop - start)
    half = bars * 0.5
    share = 1.0 / (4.0 * bars + 1.0)
    weight = 4.0 * bars * share
    for i in range(stop - start):
        late, late_sum = _paired(a[i], sum_a[i], b[i], sum_b[i], half)
        early, early_sum = _paired(c[i], sum_c[i], d[i], sum_d[i], half)
        middle, middle_sum = _paired(late, late_sum, early, early_sum, bars)
        gap = one[i] - middle
        mean[i] = middle + gap * share
        total[i] = middle_sum + gap * gap * weight
