"""What looks at one bar only: arithmetic, comparisons, logarithms of rows of the tape.

See :mod:`algomaster.features.kernels.face` for the face that every kernel has.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.elementary import log_ratio

__all__ = [
    "above", "absolute", "add", "add_number", "below", "choose", "clip", "divide", "divide_number", "equal",
    "first_known", "larger", "log_of", "log_of_ratio", "multiply", "multiply_number", "number", "number_by",
    "number_less", "ratio_less_one", "relative", "root", "share", "shift", "sign", "smaller",
    "subtract",
]  # fmt: skip


@kernel(lean=True, inner=True)
def add(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A + b."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] + b[i]


@kernel(lean=True, inner=True)
def subtract(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A - b."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] - b[i]


@kernel(lean=True, inner=True)
def multiply(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A * b."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] * b[i]


@kernel(lean=True, inner=True)
def divide(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A / b, NaN where b is 0: a ratio without a base says nothing."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] / b[i] if b[i] != 0.0 else math.nan


@kernel(lean=True, inner=True)
def ratio_less_one(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A / b - 1, NaN where b is 0."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = (a[i] / b[i] if b[i] != 0.0 else math.nan) - 1.0


@kernel(lean=True, inner=True)
def share(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A / b held between -1 and 1 against rounding, NaN where b is 0."""
    a, b = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    y = span(tape, line[4] + start, stop - start)
    for i in range(stop - start):
        value = a[i] / b[i] if b[i] != 0.0 else math.nan
        value = 1.0 if value > 1.0 else value
        y[i] = -1.0 if value < -1.0 else value


@kernel(lean=True, inner=True)
def shift(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """(first number - a) / second number."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    top, divisor = tape[line[0]], tape[line[0] + 1]
    for i in range(stop - start):
        y[i] = (top - a[i]) / divisor


@kernel(lean=True, inner=True)
def relative(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """(a - b) / (c - d + the first number); NaN where the base is 0."""
    a, b, c, d, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
        span(tape, line[5] + start, stop - start),
        span(tape, line[6] + start, stop - start),
    )
    eps = tape[line[0]]
    for i in range(stop - start):
        base = c[i] - d[i] + eps
        y[i] = (a[i] - b[i]) / base if base != 0.0 else math.nan


@kernel(lean=True, inner=True)
def add_number(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A + number."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    number = tape[line[0]]
    for i in range(stop - start):
        y[i] = a[i] + number


@kernel(lean=True, inner=True)
def number_less(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Number - a."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    number = tape[line[0]]
    for i in range(stop - start):
        y[i] = number - a[i]


@kernel(lean=True, inner=True)
def multiply_number(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A * number."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    number = tape[line[0]]
    for i in range(stop - start):
        y[i] = a[i] * number


@kernel(lean=True, inner=True)
def divide_number(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A / number."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    number = tape[line[0]]
    for i in range(stop - start):
        y[i] = a[i] / number


@kernel(lean=True, inner=True)
def number_by(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Number / a, NaN where a is 0."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    number = tape[line[0]]
    for i in range(stop - start):
        y[i] = number / a[i] if a[i] != 0.0 else math.nan


@kernel(lean=True, inner=True)
def log_of_ratio(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """ln(a / b), NaN unless both are positive and finite."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        good = (a[i] > 0.0) & (b[i] > 0.0) & (a[i] < math.inf) & (b[i] < math.inf)
        value = log_ratio(a[i] if good else 1.0, b[i] if good else 1.0)
        y[i] = value if good else math.nan


@kernel(lean=True, inner=True)
def log_of(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """ln(a + the first number), NaN unless that is positive and finite."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    more = tape[line[0]]
    for i in range(stop - start):
        value = a[i] + more
        good = (value > 0.0) & (value < math.inf)
        found = log_ratio(value if good else 1.0, 1.0)
        y[i] = found if good else math.nan


@kernel(lean=True, inner=True)
def root(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Square root, NaN below 0."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        y[i] = math.sqrt(a[i] if a[i] >= 0.0 else math.nan)


@kernel(lean=True, inner=True)
def absolute(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """abs(a)."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        y[i] = abs(a[i])


@kernel(lean=True, inner=True)
def sign(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """-1, 0 or 1; NaN stays NaN."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    for i in range(stop - start):
        side = 1.0 if a[i] > 0.0 else (-1.0 if a[i] < 0.0 else 0.0)
        y[i] = side if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def larger(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The larger of a and b; NaN if either is."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        top = a[i] if a[i] > b[i] else b[i]
        y[i] = top if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def smaller(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The smaller of a and b; NaN if either is."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        low = a[i] if a[i] < b[i] else b[i]
        y[i] = low if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def clip(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A held between the first number and the second; NaN stays NaN."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    low, high = tape[line[0]], tape[line[0] + 1]
    for i in range(stop - start):
        value = low if a[i] < low else a[i]
        y[i] = high if value > high else value


@kernel(lean=True, inner=True)
def above(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """1 where a > b, else 0; NaN if either is."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        said = 1.0 if a[i] > b[i] else 0.0
        y[i] = said if (a[i] == a[i]) & (b[i] == b[i]) else math.nan


@kernel(lean=True, inner=True)
def below(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """1 where a < b, else 0; NaN if either is."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        said = 1.0 if a[i] < b[i] else 0.0
        y[i] = said if (a[i] == a[i]) & (b[i] == b[i]) else math.nan


@kernel(lean=True, inner=True)
def equal(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """1 where a = b, else 0; NaN if either is."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        said = 1.0 if a[i] == b[i] else 0.0
        y[i] = said if (a[i] == a[i]) & (b[i] == b[i]) else math.nan


@kernel(lean=True, inner=True)
def choose(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """B where a is neither 0 nor NaN, c where it is 0, NaN where it is NaN."""
    a, b, c, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
        span(tape, line[5] + start, stop - start),
    )
    for i in range(stop - start):
        taken = b[i] if a[i] != 0.0 else c[i]
        y[i] = taken if a[i] == a[i] else math.nan


@kernel(lean=True, inner=True)
def first_known(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """A, or b where a is missing."""
    a, b, y = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    for i in range(stop - start):
        y[i] = a[i] if a[i] == a[i] else b[i]


@kernel(lean=True, inner=True)
def number(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """the first number wherever a is known."""
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    value = tape[line[0]]
    for i in range(stop - start):
        y[i] = value if a[i] == a[i] else math.nan
