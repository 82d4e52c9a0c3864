"""Volume against its own past: how steeply a running total climbs, and what is usual at a minute of the day."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.face import span

__all__ = ["climb", "usual_at_minute"]


@kernel(lean=True, inner=True)
def climb(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Slope by least squares of the running total of a over the last n bars (the first number).

    The slope of n totals is a weighted sum of the n - 1 steps between them, 6 j (n - j) / (n (n**2 - 1)) being the
    weight of step j: so no running total is needed, and none can drift. Weights are the same from both ends.
    """
    y = span(tape, line[3] + start, stop - start)
    bars = int(tape[line[0]])
    unit = 6.0 / (tape[line[0]] * (tape[line[0]] * tape[line[0]] - 1.0))
    for i in range(stop - start):
        y[i] = 0.0
    for step in range(1, bars // 2 + bars % 2):
        near, far = line[2] - (step - 1) * stride, line[2] - (bars - 1 - step) * stride
        a, b = span(tape, near + start, stop - start), span(tape, far + start, stop - start)
        weight = unit * step * (bars - step)
        for i in range(stop - start):
            y[i] += weight * (a[i] + b[i])
    if bars % 2 == 0:
        middle = line[2] - (bars // 2 - 1) * stride
        a = span(tape, middle + start, stop - start)
        weight = unit * (bars // 2) * (bars // 2)
        for i in range(stop - start):
            y[i] += weight * a[i]


@kernel(lean=True, inner=True)
def usual_at_minute(tape: FloatArray, line: IntArray, start: int, stop: int, stride: int) -> None:
    """Mean of a at this minute of the day over the sessions before: reads a, minute of the day, first bar of a session.

    Numbers: first minute, minutes, sessions, how many of them must have the minute. State: sessions gone by, place of
    today's row, the means, the counts, then a row of minutes for today and each session before. The means are taken
    anew once a session, all minutes together, so that nothing drifts and a bar costs next to nothing.
    """
    minutes, sessions = int(tape[line[0] + 1]), int(tape[line[0] + 2])
    size = 2 + (sessions + 3) * minutes
    for each in range(min(stride, stop - start)):
        own = line[1] + each * size
        means, rows = own + 2, own + 2 + 2 * minutes
        for i in range(start + each, stop, stride):
            if tape[line[4] + i] == 1.0:
                _close_session(tape, own, minutes, sessions, tape[line[0] + 3])
            slot = tape[line[3] + i] - tape[line[0]]
            usual = math.nan
            if (slot >= 0.0) & (slot < minutes):
                place = int(slot)
                tape[rows + int(tape[own + 1]) * minutes + place] = tape[line[2] + i]
                usual = tape[means + place]
            tape[line[5] + i] = usual


@kernel(lean=True, inner=True)
def _close_session(tape: FloatArray, own: int, minutes: int, sessions: int, least: float) -> None:
    """Take the row of the session that has ended into the means; the row of the one too long ago becomes today's."""
    means, counts = span(tape, own + 2, minutes), tape[own + 2 + minutes : own + 2 + 2 * minutes]
    rows = own + 2 + 2 * minutes
    ended = tape[rows + int(tape[own + 1]) * minutes : rows + int(tape[own + 1] + 1.0) * minutes]
    today = int(tape[own + 1]) + 1
    today = 0 if today > sessions else today
    tape[own + 1] = today
    tape[own] = tape[own] + 1.0 if tape[own] < sessions + 1.0 else tape[own]
    fresh = tape[rows + today * minutes : rows + (today + 1) * minutes]
    for k in range(minutes):
        counts[k] += (1.0 if ended[k] == ended[k] else 0.0) - (1.0 if fresh[k] == fresh[k] else 0.0)
        fresh[k] = math.nan
        means[k] = 0.0
    for n in range(1, sessions, 2):  # from the oldest on: the order of adding must not depend on where the ring stands
        first, second = (today + n) % (sessions + 1), (today + n + 1) % (sessions + 1)
        a = tape[rows + first * minutes : rows + (first + 1) * minutes]
        b = tape[rows + second * minutes : rows + (second + 1) * minutes]
        for k in range(minutes):
            means[k] = means[k] + (a[k] if a[k] == a[k] else 0.0) + (b[k] if b[k] == b[k] else 0.0)
    if sessions % 2 == 1:
        for k in range(minutes):
            means[k] += ended[k] if ended[k] == ended[k] else 0.0
    full = tape[own] > sessions
    for k in range(minutes):
        means[k] = means[k] / counts[k] if full & (counts[k] >= least) else math.nan
