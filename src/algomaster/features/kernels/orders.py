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
            for lag in range(back * stride, bars * stride, stride):
                past = tape[line[2] + start - lag : line[2] + stop - lag]
                for i in range(stop - start):
                    other = past[i]
                    more = 1.0 if other < a[i] else (0.5 if other == a[i] else 0.0)
                    y[i] += more if other == other else math.nan
        back = bars
    for window in range(count):
        y = tape[line[3 + window] + start : line[3 + window] + stop]
        bars = int(tape[line[0] + 1 + window])
        for i in range(stop - start):
            y[i] = (y[i] if a[i] == a[i] else math.nan) / bars


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
    for each in range(stride):
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
