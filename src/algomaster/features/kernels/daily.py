"""What remembers whole sessions: a value against those of the sessions before, the mean of their sums.

A session counts when it is over and had a value; one without is passed over. State of each underlying: see the kernels.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["mean_of_sessions", "rank_among_sessions"]


@kernel(lean=True, inner=True)
def mean_of_sessions(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean over the last n finished sessions of the session's sum of a (b is 1 at a first bar); NaN before the n-th.

    Numbers: n. State: the last n sums, oldest overwritten first; how many there have been; this session's sum; the
    mean.
    """
    x, fresh, y = line[2], line[3], line[4]
    count = int(tape[line[0]])
    for each in range(min(stride, stop - start)):
        own = line[1] + each * (count + 3)
        seen, total, mean = tape[own + count], tape[own + count + 1], tape[own + count + 2]
        for i in range(start + each, stop, stride):
            if tape[fresh + i] == 1.0:
                if total == total:
                    tape[own + int(seen) % count] = total
                    seen += 1.0
                    if seen >= count:
                        mean = 0.0
                        for n in range(count):
                            mean += tape[own + n]
                        mean /= count
                total = math.nan
            value = tape[x + i]
            if value == value:
                total = value if total != total else total + value
            tape[y + i] = mean
        tape[own + count], tape[own + count + 1], tape[own + count + 2] = seen, total, mean


@kernel(lean=True, inner=True)
def rank_among_sessions(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Place of a among the last known a of each of the last n finished sessions (b is 1 at a first bar).

    First output: (a - least) / (largest - least) of those and a itself; second: the share of them below a, equal
    ones counting half. NaN before n sessions are over. Numbers: n. State: the n values, oldest overwritten first; these
    in ascending order; how many there have been; the last known a of this session.
    """
    x, fresh = line[2], line[3]
    count = int(tape[line[0]])
    for each in range(min(stride, stop - start)):
        own = line[1] + each * (2 * count + 2)
        ordered = tape[own + count : own + 2 * count]
        seen, last = tape[own + 2 * count], tape[own + 2 * count + 1]
        for i in range(start + each, stop, stride):
            if tape[fresh + i] == 1.0:
                if last == last:
                    place = own + int(seen) % count
                    held = min(int(seen), count)
                    if held == count:
                        _remove(ordered, count, tape[place])
                        held -= 1
                    _insert(ordered, held, last)
                    tape[place] = last
                    seen += 1.0
                last = math.nan
            value = tape[x + i]
            last = value if value == value else last
            position, share = math.nan, math.nan
            if seen >= count and value == value:
                below, upto = _below(ordered, count, value, False), _below(ordered, count, value, True)
                low, high = min(ordered[0], value), max(ordered[count - 1], value)
                position = (value - low) / (high - low) if high > low else math.nan
                share = (below + 0.5 * (upto - below)) / count
            tape[line[4] + i] = position
            tape[line[5] + i] = share
        tape[own + 2 * count], tape[own + 2 * count + 1] = seen, last


@kernel(lean=True, inner=True)
def _below(ordered: FloatArray, count: int, value: float, or_equal: bool) -> int:
    """Count the values below ``value``, or not above it."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < value or (or_equal and ordered[middle] == value):
            low = middle + 1
        else:
            high = middle
    return low


@kernel(lean=True, inner=True)
def _remove(ordered: FloatArray, count: int, value: float) -> None:
    for place in range(_below(ordered, count, value, False), count - 1):
        ordered[place] = ordered[place + 1]


@kernel(lean=True, inner=True)
def _insert(ordered: FloatArray, held: int, value: float) -> None:
    place = held
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = value
