"""Ranks and quantiles of a window."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["quantiles", "rank"]


@kernel(lean=True, inner=True)
def rank(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Average rank of a among its last n values over n, for several windows n, ascending: one pass serves all.

    Numbers: how many windows, then their lengths. Below counts 1 and equal a half, exact in float64, so the order of
    counting cannot change a bit.
    """
    a = span(tape, line[2] + start, stop - start)
    count = int(tape[line[0]])
    back = 0
    for window in range(count):
        y = span(tape, line[3 + window] + start, stop - start)
        bars = int(tape[line[0] + 1 + window])
        if window == 0:
            for i in range(stop - start):
                y[i] = 0.5
        else:
            shorter = span(tape, line[2 + window] + start, stop - start)
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
                past = span(tape, line[2] + start - late, stop - start)
                for i in range(stop - start):
                    y[i] += _worth(past[i], a[i])
        back = bars
    for window in range(count):
        y = span(tape, line[3 + window] + start, stop - start)
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
    one, two = span(tape, place, count), span(tape, place - stride, count)
    three = span(tape, place - 2 * stride, count)
    four = span(tape, place - 3 * stride, count)
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

    Numbers: how many windows and shares, the shares, then n of each window and what its state takes. State, a window
    after the other: its values in order between -inf and inf, twice (missing values stand as inf, which also fills the
    room up to a multiple of eight); which of the two holds; how many are missing. Windows take turns bar by bar: each
    has to wait for what it wrote a bar before, and meanwhile the others go on.
    """
    windows, shares = int(tape[line[0]]), int(tape[line[0] + 1])
    lengths = line[0] + 2 + shares
    total = 0
    for w in range(windows):
        total += int(tape[lengths + 2 * w + 1])
    for each in range(min(stride, stop - start)):
        for i in range(start + each, stop, stride):
            own = line[1] + each * total
            new = tape[line[2] + i]
            for w in range(windows):
                bars, size = int(tape[lengths + 2 * w]), int(tape[lengths + 2 * w + 1])
                there = _slide(tape, own, size, tape[line[2] + i - bars * stride], new)
                known = tape[own + size - 1] == 0.0
                for q in range(shares):
                    place = tape[line[0] + 2 + q] * (bars - 1)
                    low = int(place)
                    below = tape[there + low]
                    above = tape[there + low + 1] if low + 1 < bars else below
                    value = below + (above - below) * (place - low)
                    tape[line[3 + w * shares + q] + i] = value if known else math.nan
                own += size


@kernel(inline=True, lean=True, inner=True)
def _slide(tape: FloatArray, own: int, size: int, old: float, new: float) -> int:
    """Take the value that leaves out of a window and the new one in; give where the ordered values begin now."""
    which, room = int(tape[own + size - 2]), size // 2 - 3
    missing = tape[own + size - 1] + (1.0 if new != new else 0.0) - (1.0 if old != old else 0.0)
    here = own + which * (room + 2)
    there = own + (1 - which) * (room + 2) + 1
    _replace(
        span(tape, here, room + 2),
        span(tape, there, room),
        old if old == old else math.inf,
        new if new == new else math.inf,
    )
    tape[own + size - 2], tape[own + size - 1] = float(1 - which), missing
    return there


@kernel(inline=True, lean=True, inner=True)
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
