"""The shape of one bar, and what its open, high, low and close tell of volatility."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.elementary import log_ratio

__all__ = ["candle", "gap_over", "ranges"]

_BODY: Final = 2.0 * math.log(2.0) - 1.0


@kernel(lean=True, inner=True)
def candle(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Six shapes of the candle from open, high, low, close; NaN where the base is 0.

    (c - o) / o, (h - l) / o, then over h - l: c - o, h - max(o, c), min(o, c) - l, 2 c - h - l.
    """
    count = stop - start
    o, h = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    lo, c = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    middle, length = span(tape, line[6] + start, stop - start), span(tape, line[7] + start, stop - start)
    body, upper = span(tape, line[8] + start, stop - start), span(tape, line[9] + start, stop - start)
    lower, shift = span(tape, line[10] + start, stop - start), span(tape, line[11] + start, stop - start)
    for i in range(count):
        reach, gain = h[i] - lo[i], c[i] - o[i]
        base = reach if reach != 0.0 else math.nan
        price = o[i] if o[i] != 0.0 else math.nan
        top, bottom = (c[i], o[i]) if gain > 0.0 else (o[i], c[i])
        missing = gain - gain
        middle[i] = gain / price
        length[i] = reach / price
        body[i] = gain / base
        upper[i] = (h[i] - top + missing) / base
        lower[i] = (bottom - lo[i] + missing) / base
        side = (c[i] * 2.0 - h[i] - lo[i]) / base
        side = 1.0 if side > 1.0 else side
        shift[i] = -1.0 if side < -1.0 else side


@kernel(lean=True, inner=True)
def ranges(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """From open, high, low, close ln(c/o) and the terms whose means are variances by three papers.

    ln(h/l)^2 (Parkinson 1980, before its 4 ln 2); ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2 (Garman and Klass 1980);
    ln(h/o) ln(h/c) + ln(l/o) ln(l/c) (Rogers and Satchell 1991), which rounding must not take below 0.
    """
    count = stop - start
    o, h = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    lo, c = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    body, square = span(tape, line[6] + start, stop - start), span(tape, line[7] + start, stop - start)
    garman, rogers = span(tape, line[8] + start, stop - start), span(tape, line[9] + start, stop - start)
    for i in range(count):
        reach, down, gain = _log(h[i], lo[i]), _log(lo[i], o[i]), _log(c[i], o[i])
        up = reach + down
        both = reach * reach
        body[i] = gain
        square[i] = both
        garman[i] = 0.5 * both - _BODY * (gain * gain)
        found = up * (up - gain) + down * (down - gain)
        rogers[i] = 0.0 if found < 0.0 else found


@kernel(inline=True, lean=True, inner=True)
def _log(a: float, b: float) -> float:
    """ln(a / b), NaN unless both are positive and finite."""
    good = (a > 0.0) & (b > 0.0) & (a < math.inf) & (b < math.inf)
    value = log_ratio(a if good else 1.0, b if good else 1.0)
    return value if good else math.nan


@kernel(lean=True, inner=True)
def gap_over(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """(a - b) / (c times the first number) + the second; NaN where the base is 0."""
    a, b = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    c, y = span(tape, line[4] + start, stop - start), span(tape, line[5] + start, stop - start)
    scale, more = tape[line[0]], tape[line[0] + 1]
    for i in range(stop - start):
        base = c[i] * scale
        y[i] = (a[i] - b[i]) / base + more if base != 0.0 else math.nan
