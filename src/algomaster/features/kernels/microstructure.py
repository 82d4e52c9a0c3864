"""Spreads and the flow of orders as they show in bars, where no book is at hand."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.density import normal
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.fused import fused

__all__ = ["detrended_range", "high_low_spread", "normal_share", "order_imbalance"]

_K: Final = 3.0 - 2.0 * math.sqrt(2.0)


@kernel(lean=True, inner=True)
def normal_share(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """N(a), the standard normal distribution."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        below, _, _ = normal(a[i])
        y[i] = below


@kernel(lean=True, inner=True)
def high_low_spread(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Spread from the ranges of two bars (Corwin and Schultz 2012, equations 14 and 18): reads high, low, close.

    A bar that lies wholly beyond the close before is shifted back to it (their adjustment for the night), and a
    negative spread counts as 0 (their section on negative estimates).
    """
    high, low = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    high_1, low_1 = (
        span(tape, line[2] + start - stride, stop - start),
        span(tape, line[3] + start - stride, stop - start),
    )
    close_1 = span(tape, line[4] + start - stride, stop - start)
    y = span(tape, line[5] + start, stop - start)
    for i in range(stop - start):
        up = low[i] - close_1[i]
        down = close_1[i] - high[i]
        shift = up if up > 0.0 else (-down if down > 0.0 else 0.0)
        h, b = high[i] - shift, low[i] - shift
        top = h if h > high_1[i] else high_1[i]
        bottom = b if b < low_1[i] else low_1[i]
        good = (b > 0.0) & (h >= b) & (low_1[i] > 0.0) & (high_1[i] >= low_1[i]) & (top < math.inf)
        good = good & (close_1[i] == close_1[i])
        now = log_ratio(h if good else 1.0, b if good else 1.0)
        before = log_ratio(high_1[i] if good else 1.0, low_1[i] if good else 1.0)
        both = log_ratio(top if good else 1.0, bottom if good else 1.0)
        single = math.sqrt(now * now + before * before)
        alpha = single * ((math.sqrt(2.0) - 1.0) / _K) - both / math.sqrt(_K)
        grown = exp(alpha if alpha > 0.0 else 0.0)
        y[i] = 2.0 * (grown - 1.0) / (1.0 + grown) if good else math.nan


@kernel(lean=True, inner=True)
def detrended_range(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Range of a over the last n steps (the first number) once the straight line from end to end is taken out.

    Of logarithms of prices this is the range of the sums of deviations of returns from their mean (Hurst 1951). Four
    lags at a time, as reading and writing the rows of the extremes is most of the work. Outputs: range, low, slope.
    """
    bars = int(tape[line[0]])
    if stop - start == 1:
        _one_range(tape, line, start, bars, stride)
        return
    a = span(tape, line[2] + start, stop - start)
    first = span(tape, line[2] + start - bars * stride, stop - start)
    high, low, slope = (
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
        span(tape, line[5] + start, stop - start),
    )
    for i in range(stop - start):
        high[i] = a[i]
        low[i] = a[i]
        slope[i] = (a[i] - first[i]) / bars
    for lag in range(1, bars - 3, 4):
        _four(tape, line, start, stop, stride, lag)
    for lag in range(bars - (bars - 1) % 4, bars):
        past = span(tape, line[2] + start - lag * stride, stop - start)
        for i in range(stop - start):
            value = fused(slope[i], lag, past[i])
            high[i] = value if value > high[i] else high[i]
            low[i] = value if value < low[i] else low[i]
    for i in range(stop - start):
        high[i] -= low[i]


@kernel(lean=True, inner=True)
def _one_range(tape: FloatArray, line: IntArray, start: int, bars: int, stride: int) -> None:
    """Do the same for one column, in registers."""
    here = line[2] + start
    high = low = tape[here]
    slope = (high - tape[here - bars * stride]) / bars
    for lag in range(1, bars):
        value = fused(slope, lag, tape[here - lag * stride])
        high = value if value > high else high
        low = value if value < low else low
    tape[line[3] + start] = high - low
    tape[line[4] + start] = low
    tape[line[5] + start] = slope


@kernel(lean=True, inner=True)
def _four(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int, lag: int) -> None:
    """Take four lags into the extremes, whose rows are read and written once."""
    here = line[2] + start - lag * stride
    count = stop - start
    high, low, slope = (
        span(tape, line[3] + start, count),
        span(tape, line[4] + start, count),
        span(tape, line[5] + start, count),
    )
    p, q = span(tape, here, count), span(tape, here - stride, count)
    r, s = span(tape, here - 2 * stride, count), span(tape, here - 3 * stride, count)
    for i in range(count):
        a, b = fused(slope[i], lag, p[i]), fused(slope[i], lag + 1, q[i])
        c, d = fused(slope[i], lag + 2, r[i]), fused(slope[i], lag + 3, s[i])
        top, more = a if a > b else b, c if c > d else d
        bottom, less = a if a < b else b, c if c < d else d
        top = top if top > more else more
        bottom = bottom if bottom < less else less
        high[i] = top if top > high[i] else high[i]
        low[i] = bottom if bottom < low[i] else low[i]


@kernel(lean=True, inner=True)
def order_imbalance(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean imbalance of the last buckets of volume (Easley, Lopez de Prado and O'Hara 2012).

    Reads volume, share bought, first bar of a session. A bucket holds 1/b of the mean volume of the last sessions; the
    bar that fills it spills into the next, and each session begins with an empty one. Numbers: b, buckets, sessions.
    State: a bucket's size, what is in it, what of that was bought, the mean, today's volume, sessions gone by, buckets
    filled, the places in two rings, then these, each twice: the sessions' volumes and the buckets' imbalances. Bars
    whose volume or share is missing are passed over.
    """
    buckets, sessions = int(tape[line[0] + 1]), int(tape[line[0] + 2])
    for each in range(min(stride, stop - start)):
        own = line[1] + each * (9 + 2 * (sessions + buckets))
        size, inside, bought, mean, today = tape[own], tape[own + 1], tape[own + 2], tape[own + 3], tape[own + 4]
        for i in range(start + each, stop, stride):
            if tape[line[4] + i] == 1.0:
                size = _next_size(tape, own, tape[line[0]], sessions, today)
                inside, bought, today = 0.0, 0.0, 0.0
            volume, share = tape[line[2] + i], tape[line[3] + i]
            known = (volume >= 0.0) & (volume < math.inf)
            today += volume if known else 0.0
            known = known & (share == share)
            if known & (size > 0.0):
                over = inside + volume - size
                if over < 0.0:
                    inside += volume
                    bought += volume * share
                else:
                    last = bought + (size - inside) * share
                    inside, mean = _spill(tape, own, own + 9 + 2 * sessions, buckets, size, last, over, share)
                    bought = inside * share
            tape[line[5] + i] = mean if known else math.nan
        tape[own], tape[own + 1], tape[own + 2], tape[own + 3], tape[own + 4] = size, inside, bought, mean, today


@kernel(lean=True, inner=True)
def _next_size(tape: FloatArray, own: int, parts: float, sessions: int, ended: float) -> float:
    """Take the volume of the session that has ended into the size of a bucket."""
    if tape[own + 5] >= 0.0:
        _remember(tape, own + 9, own + 7, sessions, ended)
    tape[own + 5] = tape[own + 5] + 1.0 if tape[own + 5] < sessions else tape[own + 5]
    total = _sum(tape, own + 9 + int(tape[own + 7]), sessions)
    return total / (sessions * parts) if tape[own + 5] >= sessions else math.nan


@kernel(lean=True, inner=True)
def _spill(
    tape: FloatArray, own: int, ring: int, buckets: int, size: float, bought: float, over: float, share: float
) -> tuple[float, float]:
    """Close the bucket that is full, and those that what is over fills as well: what is in the next, and the mean."""
    _remember(tape, ring, own + 8, buckets, abs(2.0 * bought / size - 1.0))
    times = over / size
    whole = math.floor(times if times < 1e15 else 1e15)
    for _ in range(whole if whole < buckets else buckets):
        _remember(tape, ring, own + 8, buckets, abs(2.0 * share - 1.0))
    filled = tape[own + 6] + 1.0 + whole
    tape[own + 6] = filled if filled < buckets else float(buckets)
    rest = over - whole * size
    mean = _sum(tape, ring + int(tape[own + 8]), buckets) / buckets
    return (rest if rest > 0.0 else 0.0), (mean if filled >= buckets else math.nan)


@kernel(lean=True, inner=True)
def _remember(tape: FloatArray, ring: int, at: int, size: int, value: float) -> None:
    """Write a value into a ring that is kept twice, one after the other: so its last values always stand in order."""
    place = int(tape[at])
    tape[ring + place] = value
    tape[ring + size + place] = value
    tape[at] = place + 1.0 if place + 1 < size else 0.0


@kernel(lean=True, inner=True)
def _sum(tape: FloatArray, first: int, count: int) -> float:
    """Sum so many values from the oldest on: the order must not depend on where the ring stands."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for n in range(first, first + count - 3, 4):
        a += tape[n]
        b += tape[n + 1]
        c += tape[n + 2]
        d += tape[n + 3]
    for n in range(first + count - count % 4, first + count):
        a += tape[n]
    return (a + b) + (c + d)
