"""Third and fourth powers of deviations in a window, joined from two shorter windows, and the shape they tell of."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["join_powers", "shape"]


@kernel(lean=True, inner=True)
def join_powers(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sums of third and fourth powers of the deviations in two windows joined (Pébay 2008, equations 1.2 and 1.3).

    Reads mean and sums of second, third, fourth powers of the later window, which has the first number of bars, then
    those of the earlier one, which has the second.
    """
    bars, bars_b = tape[line[0]], tape[line[0] + 1]
    back = int(bars) * stride
    first, last = start - back, stop - back
    mean_a, two_a, three_a, four_a = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
        span(tape, line[5] + start, stop - start),
    )
    mean_b, two_b, three_b, four_b = (
        span(tape, line[6] + first, last - first),
        span(tape, line[7] + first, last - first),
        span(tape, line[8] + first, last - first),
        span(tape, line[9] + first, last - first),
    )
    three, four = span(tape, line[10] + start, stop - start), span(tape, line[11] + start, stop - start)
    a, b = bars / (bars + bars_b), bars_b / (bars + bars_b)
    cubes = bars * b * (a - b)
    fourths = bars * b * (a * a - a * b + b * b)
    for i in range(stop - start):
        gap = mean_b[i] - mean_a[i]
        square = gap * gap
        three[i] = three_a[i] + three_b[i] + gap * (square * cubes + 3.0 * (a * two_b[i] - b * two_a[i]))
        four[i] = (
            four_a[i] + four_b[i]
            + square * (square * fourths + 6.0 * (a * a * two_b[i] + b * b * two_a[i]))
            + 4.0 * gap * (a * three_b[i] - b * three_a[i])
        )  # fmt: skip


@kernel(lean=True, inner=True)
def shape(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Skewness and excess kurtosis from sums of second, third and fourth powers; NaN where all values are equal."""
    two, three, four = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    skew, excess = span(tape, line[5] + start, stop - start), span(tape, line[6] + start, stop - start)
    bars = tape[line[0]]
    root = math.sqrt(bars)
    for i in range(stop - start):
        base = two[i] if two[i] * two[i] > 0.0 else math.nan
        skew[i] = root * three[i] / (base * math.sqrt(base))
        excess[i] = bars * four[i] / (base * base) - 3.0
