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

    Numbers: n, room (n up to a multiple of eight), how many quantiles, their shares. State: the window in order between
    -inf and inf, twice (missing values stand as inf, which also fills the room); which of the two holds; how many are
    missing.
    """
    bars, room, count = int(tape[line[0]]), int(tape[line[0] + 1]), int(tape[line[0] + 2])
    back = bars * stride
    size = room + 2
    for each in range(min(stride, stop - start)):
        own = line[1] + each * (2 * size + 2)
        which, missing = int(tape[own + 2 * size]), tape[own + 2 * size + 1]
        for i in range(start + each, stop, stride):
            new, old = tape[line[2] + i], tape[line[2] + i - back]
            missing += (1.0 if new != new else 0.0) - (1.0 if old != old else 0.0)
            new = new if new == new else math.inf
            old = old if old == old else math.inf
            here, there = own + which * size, own + (1 - which) * size
            _replace(tape[here : here + size], tape[there + 1 : there + 1 + room], old, new)
            which = 1 - which
            for q in range(count):
                place = tape[line[0] + 3 + q] * (bars - 1)
                low = int(place)
                below = tape[there + 1 + low]
                above = tape[there + 2 + low] if low + 1 < bars else below
                value = below + (above - below) * (place - low)
                tape[line[3 + q] + i] = value if missing == 0.0 else math.nan
        tape[own + 2 * size], tape[own + 2 * size + 1] = float(which), missing


@kernel(lean=True, inner=True)
def _replace(ordered: FloatArray, after: FloatArray, old: float, new: float) -> None:
    """Write the ordered window with one value out and another in, each place from its neighbours and without a branch.

    Above the value that leaves, what is not above the new one moves down a place; below it, what is not below the new
    one moves up; where neither holds, the new one or what was there stays.
    """
    falls = new < old
    for j in range(after.size):
        low, here, high = ordered[j], ordered[j + 1], ordered[j + 2]
        up = low if low > new else new
        up = here if here < up else up
        down = high if high < new else new
        down = here if here > down else down
        after[j] = up if (here < old) | ((here == old) & falls) else down
