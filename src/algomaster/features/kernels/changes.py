"""Changes over some bars that count only within one session, one expiry, or whatever else a key tells."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["change_of_same"]


@kernel(lean=True, inner=True)
def change_of_same(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Change of a over the first number of bars, NaN where b, the key, is missing or was another then."""
    back = int(tape[line[0]]) * stride
    a, key, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    before, key_before = (
        span(tape, line[2] + start - back, stop - start),
        span(tape, line[3] + start - back, stop - start),
    )
    for i in range(stop - start):
        moved = a[i] - before[i]
        y[i] = moved if key[i] == key_before[i] else math.nan
