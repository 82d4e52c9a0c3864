"""Volume of the session by price: its fullest price and the area around it that holds most of it."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["value_area"]


@kernel(lean=True, inner=True)
def value_area(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Point of control, and width of the value area: reads price, volume, first bar of a session.

    Numbers: width of a price step as a share of the session's first price, steps on each side of it, share of the
    volume inside. State: first price, volume, fullest step, lowest and highest step with volume, then two empty steps,
    the volumes of all steps, two empty ones. Bars without volume are passed over.
    """
    steps = 2 * int(tape[line[0] + 1]) + 1
    size = 5 + steps + 4
    for each in range(stride):
        own = line[1] + each * size
        bins = tape[own + 7 : own + 7 + steps]
        for i in range(start + each, stop, stride):
            if tape[line[4] + i] == 1.0:
                for k in range(steps):
                    bins[k] = 0.0
                tape[own], tape[own + 1] = math.nan, 0.0
            price, volume = tape[line[2] + i], tape[line[3] + i]
            middle, width = math.nan, math.nan
            if (price > 0.0) & (price < math.inf) & (volume >= 0.0) & (volume < math.inf):
                if volume > 0.0:
                    _add(tape, own, bins, tape[line[0]], price, volume)
                if tape[own + 1] > 0.0:
                    step = tape[own] * tape[line[0]]
                    low, high = _around(tape, own, tape[line[0] + 2] * tape[own + 1])
                    middle = tape[own] + (tape[own + 2] - tape[line[0] + 1]) * step
                    width = (high - low + 1) * step
            tape[line[5] + i] = middle
            tape[line[6] + i] = width


@kernel(lean=True, inner=True)
def _add(tape: FloatArray, own: int, bins: FloatArray, share: float, price: float, volume: float) -> None:
    """Put a bar's volume on the step of its price; beyond the outermost step on that."""
    last = bins.size - 1
    if tape[own + 1] == 0.0:
        tape[own] = price
    place = (price - tape[own]) / (tape[own] * share) + 0.5 * last + 0.5
    place = 0.0 if place < 0.0 else (float(last) if place > last else place)
    at = int(place)
    place = float(at)
    bins[at] += volume
    if tape[own + 1] == 0.0:
        tape[own + 2], tape[own + 3], tape[own + 4] = place, place, place
    tape[own + 1] += volume
    if bins[at] > bins[int(tape[own + 2])]:
        tape[own + 2] = place
    tape[own + 3] = place if place < tape[own + 3] else tape[own + 3]
    tape[own + 4] = place if place > tape[own + 4] else tape[own + 4]


@kernel(lean=True, inner=True)
def _around(tape: FloatArray, own: int, wanted: float) -> tuple[int, int]:
    """Give the first and last step of the value area.

    From the fullest step on two steps at a time are taken in, on the side where two hold more (above if equal).
    """
    bins = own + 7
    bottom, top = int(tape[own + 3]), int(tape[own + 4])
    low, high = int(tape[own + 2]), int(tape[own + 2])
    inside = tape[bins + low]
    while inside < wanted and (low > bottom or high < top):
        above = tape[bins + high + 1] + tape[bins + high + 2]
        below = tape[bins + low - 1] + tape[bins + low - 2]
        up = (high < top) & ((above >= below) | (low <= bottom))
        inside += above if up else below
        high += 2 if up else 0
        low -= 0 if up else 2
    return (low if low > bottom else bottom), (high if high < top else top)
