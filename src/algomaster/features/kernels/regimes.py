"""States that a market is in: how far two series have drifted apart, calm or turbulent, a move under way."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.fused import fused

__all__ = ["cumulative_sum_alarm", "join_paths", "two_states"]


@kernel(lean=True, inner=True)
def join_paths(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Total, and mean and squared deviations of its running total, of a window joined from two.

    Reads total, mean and squared deviations of the later part, then of the part the first number bars before, which is
    the second number bars long. The later path begins where the earlier one has ended; otherwise as
    :func:`~algomaster.features.kernels.windows.join_moments`.
    """
    back = int(tape[line[0]]) * stride
    first, last = start - back, stop - back
    total_a, mean_a, sum_a = (
        span(tape, line[2] + start, stop - start),
        span(tape, line[3] + start, stop - start),
        span(tape, line[4] + start, stop - start),
    )
    total_b, mean_b, sum_b = (
        span(tape, line[5] + first, last - first),
        span(tape, line[6] + first, last - first),
        span(tape, line[7] + first, last - first),
    )
    total, mean, spread = (
        span(tape, line[8] + start, stop - start),
        span(tape, line[9] + start, stop - start),
        span(tape, line[10] + start, stop - start),
    )
    share = tape[line[0] + 1] / (tape[line[0]] + tape[line[0] + 1])
    weight = tape[line[0]] * share
    for i in range(stop - start):
        late = mean_a[i] + total_b[i]
        gap = mean_b[i] - late
        total[i] = total_a[i] + total_b[i]
        mean[i] = late + gap * share
        spread[i] = sum_a[i] + sum_b[i] + gap * gap * weight


@kernel(lean=True, inner=True)
def two_states(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Probability of the higher of two states given a up to now (Hamilton 1989, the filter, never the smoother).

    In both states a is normal with one variance. Numbers: slope of the log of the ratio of the two densities in a, the
    a at which they are equal, probabilities of staying in the lower and in the higher state. State: the probability. A
    missing a is passed over.
    """
    a, y = span(tape, line[2] + start, stop - start), span(tape, line[3] + start, stop - start)
    slope, middle, calm, wild = tape[line[0]], tape[line[0] + 1], tape[line[0] + 2], tape[line[0] + 3]
    for i in range(stop - start):
        said = slope * (a[i] - middle)
        said = said if said < 300.0 else 300.0
        y[i] = exp(said) - 1.0
    come, last = 1.0 - calm, wild + calm - 1.0
    for each in range(min(stride, stop - start)):
        state = tape[line[1] + each]
        for i in range(each, stop - start, stride):
            known = a[i] == a[i]
            before = fused(state, last, come)  # state * wild + (1 - state) * (1 - calm)
            high = fused(before, y[i], before) / fused(before, y[i], 1.0)  # with r the ratio: b r / (b r + 1 - b)
            high = high if high < 1.0 else 1.0
            state = high if known else state
            y[i] = state if known else math.nan
        tape[line[1] + each] = state


@kernel(lean=True, inner=True)
def cumulative_sum_alarm(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """The further of two one-sided sums of a (Page 1954) over the threshold, which is the first number.

    Each sum never falls below 0 on its own side; at the threshold it has given its alarm, +-1, and begins anew. State:
    the sum upwards, the sum downwards. A missing a is passed over.
    """
    threshold = tape[line[0]]
    for each in range(min(stride, stop - start)):
        own = line[1] + 2 * each
        up, down = tape[own], tape[own + 1]
        for i in range(start + each, stop, stride):
            value = tape[line[2] + i]
            if value == value:
                up = up + value if up + value > 0.0 else 0.0
                down = down + value if down + value < 0.0 else 0.0
                far = up if up >= -down else down
                far = far / threshold
                far = 1.0 if far > 1.0 else (-1.0 if far < -1.0 else far)
                up = 0.0 if up >= threshold else up
                down = 0.0 if down <= -threshold else down
                tape[line[3] + i] = far
            else:
                tape[line[3] + i] = math.nan
        tape[own], tape[own + 1] = up, down
