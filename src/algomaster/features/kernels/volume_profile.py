"""Volume of the session by price: its fullest price and the area around it that holds most of it."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["value_area"]


@kernel(lean=True, inner=True)
def value_area(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Point of control, and width of the value area: reads price, volume, first bar of a session.

    Numbers: width of a price step as a share of the session's first price, steps on each side of it, share of the
    volume inside. State: first price, volume, fullest step, lowest and highest step with volume, then two empty steps,
    the volumes of all steps, two empty ones. Bars without volume are passed over.
    """
    side, share = int(tape[line[0] + 1]), tape[line[0] + 2]
    steps = 2 * side + 1
    for each in range(min(stride, stop - start)):
        own = line[1] + each * (steps + 9)
        bins = span(tape, own + 7, steps)
        first, total = tape[own], tape[own + 1]
        fullest, bottom, top = int(tape[own + 2]), int(tape[own + 3]), int(tape[own + 4])
        for i in range(start + each, stop, stride):
            if tape[line[4] + i] == 1.0:
                for k in range(steps):
                    bins[k] = 0.0
                total = 0.0
            price, volume = tape[line[2] + i], tape[line[3] + i]
            known = (price > 0.0) & (price < math.inf) & (volume >= 0.0) & (volume < math.inf)
            if known & (volume > 0.0):
                first = price if total == 0.0 else first
                at = _step_of(price, first, tape[line[0]], side)
                bottom = at if total == 0.0 or at < bottom else bottom
                top = at if total == 0.0 or at > top else top
                bins[at] += volume
                fullest = at if total == 0.0 or bins[at] > bins[fullest] else fullest
                total += volume
            middle, width = math.nan, math.nan
            if known & (total > 0.0):
                unit = first * tape[line[0]]
                middle = first + (fullest - side) * unit
                width = _steps_around(tape, own + 7, fullest, bottom, top, share * total) * unit
            tape[line[5] + i] = middle
            tape[line[6] + i] = width
        tape[own], tape[own + 1] = first, total
        tape[own + 2], tape[own + 3], tape[own + 4] = float(fullest), float(bottom), float(top)


@kernel(lean=True, inner=True)
def _step_of(price: float, first: float, share: float, side: int) -> int:
    """Give the step of a price; beyond the outermost step that one."""
    place = (price - first) / (first * share) + side + 0.5
    place = place if place > 0.0 else 0.0
    return int(place if place < 2.0 * side else 2.0 * side)


@kernel(lean=True, inner=True)
def _steps_around(tape: FloatArray, bins: int, fullest: int, bottom: int, top: int, wanted: float) -> int:
    """Count the steps of the value area.

    From the fullest step on two steps at a time are taken in, on the side where two hold more (above if equal).
    """
    low, high = fullest, fullest
    inside = tape[bins + fullest]
    while inside < wanted and (low > bottom or high < top):
        above = tape[bins + high + 1] + tape[bins + high + 2]
        below = tape[bins + low - 1] + tape[bins + low - 2]
        up = (high < top) & ((above >= below) | (low <= bottom))
        inside += above if up else below
        high += 2 if up else 0
        low -= 0 if up else 2
    return (high if high < top else top) - (low if low > bottom else bottom) + 1
