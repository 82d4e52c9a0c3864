"""Products of deviations of two series, or of one and time, joined from four quarters, two halves, and one bar more.

As :mod:`~algomaster.features.kernels.fours`: the bits of joining twice by
:mod:`~algomaster.features.kernels.windows`, in one pass.
"""

from __future__ import annotations

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = [
    "comoment_of_four", "comoment_of_four_and_one", "comoment_of_two_and_one", "trend_of_four", "trend_of_four_and_one",
    "trend_of_two_and_one",
]  # fmt: skip


@kernel(inline=True, lean=True, inner=True)
def _middle(a: float, b: float) -> float:
    """Mean of two windows of equal length from theirs."""
    return a + (b - a) * 0.5


@kernel(lean=True, inner=True)
def comoment_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of products of deviations (a; b and c are the means) over four windows of the first number of bars."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x, y = line[2] + start, line[3] + start, line[4] + start
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    s2, s3 = span(tape, at - 2 * back, count), span(tape, at - 3 * back, count)
    x0, x1 = span(tape, x, count), span(tape, x - back, count)
    x2, x3 = span(tape, x - 2 * back, count), span(tape, x - 3 * back, count)
    y0, y1 = span(tape, y, count), span(tape, y - back, count)
    y2, y3 = span(tape, y - 2 * back, count), span(tape, y - 3 * back, count)
    out = span(tape, line[5] + start, stop - start)
    half = bars * 0.5
    for i in range(count):
        late = s0[i] + s1[i] + (x1[i] - x0[i]) * (y1[i] - y0[i]) * half
        early = s2[i] + s3[i] + (x3[i] - x2[i]) * (y3[i] - y2[i]) * half
        gap_x = _middle(x2[i], x3[i]) - _middle(x0[i], x1[i])
        gap_y = _middle(y2[i], y3[i]) - _middle(y0[i], y1[i])
        out[i] = late + early + gap_x * gap_y * bars


@kernel(lean=True, inner=True)
def comoment_of_two_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Over two windows (a; b and c are the means) and the bar before them, whose values are d and e."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x, y = line[2] + start, line[3] + start, line[4] + start
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    x0, x1 = span(tape, x, count), span(tape, x - back, count)
    y0, y1 = span(tape, y, count), span(tape, y - back, count)
    one_x, one_y = line[5] + start - 2 * back, line[6] + start - 2 * back
    x2, y2 = span(tape, one_x, count), span(tape, one_y, count)
    out = span(tape, line[7] + start, stop - start)
    half = bars * 0.5
    weight = 2.0 * bars * (1.0 / (2.0 * bars + 1.0))
    for i in range(count):
        late = s0[i] + s1[i] + (x1[i] - x0[i]) * (y1[i] - y0[i]) * half
        out[i] = late + (x2[i] - _middle(x0[i], x1[i])) * (y2[i] - _middle(y0[i], y1[i])) * weight


@kernel(lean=True, inner=True)
def comoment_of_four_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Over four windows (a; b and c are the means) and the bar before them, whose values are d and e."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x, y = line[2] + start, line[3] + start, line[4] + start
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    s2, s3 = span(tape, at - 2 * back, count), span(tape, at - 3 * back, count)
    x0, x1 = span(tape, x, count), span(tape, x - back, count)
    x2, x3 = span(tape, x - 2 * back, count), span(tape, x - 3 * back, count)
    y0, y1 = span(tape, y, count), span(tape, y - back, count)
    y2, y3 = span(tape, y - 2 * back, count), span(tape, y - 3 * back, count)
    one_x, one_y = line[5] + start - 4 * back, line[6] + start - 4 * back
    x4, y4 = span(tape, one_x, count), span(tape, one_y, count)
    out = span(tape, line[7] + start, stop - start)
    half = bars * 0.5
    weight = 4.0 * bars * (1.0 / (4.0 * bars + 1.0))
    for i in range(count):
        late = s0[i] + s1[i] + (x1[i] - x0[i]) * (y1[i] - y0[i]) * half
        early = s2[i] + s3[i] + (x3[i] - x2[i]) * (y3[i] - y2[i]) * half
        late_x, early_x = _middle(x0[i], x1[i]), _middle(x2[i], x3[i])
        late_y, early_y = _middle(y0[i], y1[i]), _middle(y2[i], y3[i])
        four = late + early + (early_x - late_x) * (early_y - late_y) * bars
        out[i] = four + (x4[i] - _middle(late_x, early_x)) * (y4[i] - _middle(late_y, early_y)) * weight


@kernel(lean=True, inner=True)
def trend_of_four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of products of deviations from the mean and the mean time (a; b is the mean) over four windows."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x = line[2] + start, line[3] + start
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    s2, s3 = span(tape, at - 2 * back, count), span(tape, at - 3 * back, count)
    x0, x1 = span(tape, x, count), span(tape, x - back, count)
    x2, x3 = span(tape, x - 2 * back, count), span(tape, x - 3 * back, count)
    out = span(tape, line[4] + start, stop - start)
    half, whole = bars * bars * 0.5, 2.0 * bars * bars
    for i in range(count):
        late = s0[i] + s1[i] + (x0[i] - x1[i]) * half
        early = s2[i] + s3[i] + (x2[i] - x3[i]) * half
        out[i] = late + early + (_middle(x0[i], x1[i]) - _middle(x2[i], x3[i])) * whole


@kernel(lean=True, inner=True)
def trend_of_two_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Over two windows (a; b is the mean) and the bar before them, whose value is c."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x, one = line[2] + start, line[3] + start, line[4] + start - 2 * back
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    x0, x1, x2 = span(tape, x, count), span(tape, x - back, count), span(tape, one, count)
    out = span(tape, line[5] + start, stop - start)
    half, weight = bars * bars * 0.5, bars
    for i in range(count):
        late = s0[i] + s1[i] + (x0[i] - x1[i]) * half
        out[i] = late + (_middle(x0[i], x1[i]) - x2[i]) * weight


@kernel(lean=True, inner=True)
def trend_of_four_and_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Over four windows (a; b is the mean) and the bar before them, whose value is c."""
    bars = tape[line[0]]
    back = int(bars) * stride
    at, x, one = line[2] + start, line[3] + start, line[4] + start - 4 * back
    count = stop - start
    s0, s1 = span(tape, at, count), span(tape, at - back, count)
    s2, s3 = span(tape, at - 2 * back, count), span(tape, at - 3 * back, count)
    x0, x1 = span(tape, x, count), span(tape, x - back, count)
    x2, x3 = span(tape, x - 2 * back, count), span(tape, x - 3 * back, count)
    x4 = span(tape, one, count)
    out = span(tape, line[5] + start, stop - start)
    half, whole, weight = bars * bars * 0.5, 2.0 * bars * bars, 2.0 * bars
    for i in range(count):
        late_x, early_x = _middle(x0[i], x1[i]), _middle(x2[i], x3[i])
        late = s0[i] + s1[i] + (x0[i] - x1[i]) * half
        early = s2[i] + s3[i] + (x2[i] - x3[i]) * half
        out[i] = late + early + (late_x - early_x) * whole + (_middle(late_x, early_x) - x4[i]) * weight
