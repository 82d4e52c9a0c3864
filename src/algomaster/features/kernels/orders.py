"""Ranks and quantiles of a window."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["quantiles", "rank"]


@kernel(lean=True, inner=True)
def rank(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Average rank of a among its last n values over n, for several windows n, ascending: one pass serves all.

    Numbers: how many windows, then their lengths. Below counts 1 and equal a half, exact in float64, so the order of
    counting cannot change a bit.
    """
    a = tape[line[2] + start : line[2] + stop]
    count = int(tape[line[0]])
    back = 0
    for window in range(count):
        y = tape[line[3 + window] + start : line[3 + window] + stop]
        bars = int(tape[line[0] + 1 + window])
        if window == 0:
            for i in range(stop - start):
                y[i] = 0.5
        else:
            shorter = tape[line[2 + window] + start : line[2 + window] + stop]
            for i in range(stop - start):
                y[i] = shorter[i]
        if stop - start == 1:
            y[0] = _count(tape, line[2] + start, a[0], back, bars, stride) + y[0]
        else:
            lag = back * stride
            while lag + 3 * stride < bars * stride:
                _count_four(tape, line[2] + start - lag, stop - start, stride, a, y)
                lag += 4 * stride
            for late in range(lag, bars * stride, stride):
                past = tape[line[2] + start - late : line[2] + stop - late]
                for i in range(stop - start):
                    y[i] += _worth(past[i], a[i])
        back = bars
    for window in range(count):
        y = tape[line[3 + window] + start : line[3 + window] + stop]
        bars = int(tape[line[0] + 1 + window])
        for i in range(stop - start):
            y[i] = (y[i] if a[i] == a[i] else math.nan) / bars


@kernel(inline=True, lean=True, inner=True)
def _worth(other: float, value: float) -> float:
    """1 below the value, a half if equal, NaN if missing."""
    more = 1.0 if other < value else (0.5 if other == value else 0.0)
    return more if other == other else math.nan


@kernel(lean=True, inner=True)
def _count_four(tape: FloatArray, place: int, count: int, stride: int, a: FloatArray, y: FloatArray) -> None:
    """Add to y what the values at ``place`` and one, two and three bars before are worth beside a."""
    one, two = tape[place : place + count], tape[place - stride : place - stride + count]
    three = tape[place - 2 * stride : place - 2 * stride + count]
    four = tape[place - 3 * stride : place - 3 * stride + count]
    for i in range(count):
        late, early = _worth(one[i], a[i]) + _worth(two[i], a[i]), _worth(three[i], a[i]) + _worth(four[i], a[i])
        y[i] += late + early


@kernel(lean=True, inner=True)
def _count(tape: FloatArray, place: int, value: float, back: int, bars: int, stride: int) -> float:
    """Count those below ``value`` and half of the equal ones, ``back`` to ``bars - 1`` bars before ``place``."""
    count = 0.0
    for lag in range(back, bars):
        other = tape[place - lag * stride]
        more = 1.0 if other < value else (0.5 if other == value else 0.0)
        count += more if other == other else math.nan
    return count


@kernel(lean=True, inner=True)
def quantiles(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Quantiles of a's last n values, between neighbours by straight line (Hyndman and Fan 1996, definition 7).

    Numbers: n, how many quantiles, their shares. State: the window in order (missing values stand as infinity), then
    how many are missing.
    """
    bars, count = int(tape[line[0]]), int(tape[line[0] + 1])
    back = bars * stride
    for each in range(stride):
        first = line[1] + each * (bars + 1)
        ordered = tape[first : first + bars]
        missing = tape[first + bars]
        for i in range(start + each, stop, stride):
            new, old = tape[line[2] + i], tape[line[2] + i - back]
            if new != new:
                missing += 1.0
                new = math.inf
            if old != old:
                missing -= 1.0
                old = math.inf
            _replace(ordered, bars, old, new)
            for q in range(count):
                place = tape[line[0] + 2 + q] * (bars - 1)
                low = int(place)
                high = low + 1 if low + 1 < bars else low
                value = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
                tape[line[3 + q] + i] = value if missing == 0.0 else math.nan
        tape[first + bars] = missing


@kernel(lean=True, inner=True)
def _replace(ordered: FloatArray, bars: int, old: float, new: float) -> None:
    """Take one value out of the ordered window and put another in."""
    place = _below(ordered, bars, old)
    target = _below(ordered, bars, new)
    if new > old:
        target -= 1  # the old one below it leaves
        for i in range(place, target):
            ordered[i] = ordered[i + 1]
    else:
        for i in range(place, target, -1):
            ordered[i] = ordered[i - 1]
    ordered[target] = new


@kernel(lean=True, inner=True)
def _below(ordered: FloatArray, bars: int, value: float) -> int:
    """Count the values below ``value``, in the same steps for every value so that no branch is guessed wrong."""
    low, left = 0, bars
    while left > 1:
        half = left >> 1
        low += half if ordered[low + half - 1] < value else 0
        left -= half
    return low + (1 if ordered[low] < value else 0)
