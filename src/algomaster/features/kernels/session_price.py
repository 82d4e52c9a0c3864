"""The session's volume-weighted price and how far prices lie around it."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["session_price"]


@kernel(lean=True, inner=True)
def session_price(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean and variance of a, weighted by b, since the session began (c is 1 at its first bar), as West (1979) updates.

    Bars whose price or weight is missing, or whose weight is not positive, are passed over. State: the weight, the
    mean, the sum of weighted squared deviations.
    """
    for each in range(min(stride, stop - start)):
        own = line[1] + 3 * each
        weight, mean, spread = tape[own], tape[own + 1], tape[own + 2]
        for i in range(start + each, stop, stride):
            if tape[line[4] + i] == 1.0:
                weight, mean, spread = 0.0, math.nan, math.nan
            price, more = tape[line[2] + i], tape[line[3] + i]
            if price == price and more > 0.0:
                mean, spread = (price, 0.0) if weight == 0.0 else (mean, spread)
                weight += more
                gap = price - mean
                mean += gap * (more / weight)
                spread += more * gap * (price - mean)
            tape[line[5] + i] = mean
            tape[line[6] + i] = spread / weight if weight > 0.0 else math.nan  # Python would raise
        tape[own], tape[own + 1], tape[own + 2] = weight, mean, spread
