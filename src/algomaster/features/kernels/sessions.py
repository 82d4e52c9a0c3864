"""What begins anew with each session: the mark of its first bar, totals and extremes since, the day before."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["clock", "day_before", "first_of_session", "highest_since", "lowest_since", "sum_since"]

_DAY: Final = 86_400.0
_INDIA: Final = 19_800.0
"""Seconds from UTC to Asia/Kolkata, the whole year."""


@kernel(lean=True, inner=True)
def clock(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """From seconds UTC the day's number and minute in Asia/Kolkata, and 1 at the first bar of a day. State: the day."""
    for each in range(min(stride, stop - start)):
        last = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            local = tape[line[2] + i] + _INDIA
            day = float(math.floor(local / _DAY))
            tape[line[3] + i] = day
            tape[line[4] + i] = (local - day * _DAY) / 60.0
            tape[line[5] + i] = 0.0 if day == last else 1.0
            last = day
        tape[line[1] + each] = last


@kernel(lean=True, inner=True)
def sum_since(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Sum of a since the session began (b is 1 at its first bar); NaN until a value is known. State: the sum."""
    x, fresh, y = line[2], line[3], line[4]
    for each in range(min(stride, stop - start)):
        total = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            total = math.nan if tape[fresh + i] == 1.0 else total
            value = tape[x + i]
            if value == value:
                total = value if total != total else total + value
            tape[y + i] = total
        tape[line[1] + each] = total


@kernel(lean=True, inner=True)
def highest_since(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Highest a since the session began (b is 1 at its first bar), missing ones passed over. State: that value."""
    x, fresh, y = line[2], line[3], line[4]
    for each in range(min(stride, stop - start)):
        top = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            value = tape[x + i]
            top = value if tape[fresh + i] == 1.0 or top != top or value > top else top
            tape[y + i] = top
        tape[line[1] + each] = top


@kernel(lean=True, inner=True)
def lowest_since(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Lowest a since the session began (b is 1 at its first bar), missing ones passed over. State: that value."""
    x, fresh, y = line[2], line[3], line[4]
    for each in range(min(stride, stop - start)):
        low = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            value = tape[x + i]
            low = value if tape[fresh + i] == 1.0 or low != low or value < low else low
            tape[y + i] = low
        tape[line[1] + each] = low


@kernel(lean=True, inner=True)
def first_of_session(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The session's first known a (b is 1 at its first bar). State: that value."""
    x, fresh, y = line[2], line[3], line[4]
    for each in range(min(stride, stop - start)):
        first = tape[line[1] + each]
        for i in range(start + each, stop, stride):
            first = tape[x + i] if tape[fresh + i] == 1.0 or first != first else first
            tape[y + i] = first
        tape[line[1] + each] = first


@kernel(lean=True, inner=True)
def day_before(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The last known a of the session before (b is 1 at a first bar). State: that value, the last of this session."""
    x, fresh, y = line[2], line[3], line[4]
    for each in range(min(stride, stop - start)):
        own = line[1] + 2 * each
        before, last = tape[own], tape[own + 1]
        for i in range(start + each, stop, stride):
            if tape[fresh + i] == 1.0:
                before = last
                last = math.nan
            value = tape[x + i]
            last = value if value == value else last
            tape[y + i] = before
        tape[own], tape[own + 1] = before, last
