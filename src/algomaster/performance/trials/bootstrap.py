"""The stationary bootstrap of many columns at once, and the maxima that data-snooping tests compare with.

Politis and Romano, "The Stationary Bootstrap", JASA 89, 1994: blocks of days begin anywhere, go round the end, and have
lengths drawn from a geometric distribution, so that days that depend on one another stay together. A block's sum is the
difference of two rows of running sums, so a resample costs a few rows, however many days it has.
"""

from __future__ import annotations

import numpy as np

from algomaster.core.jit import kernel, prange
from algomaster.core.types import FloatArray, IntArray

__all__ = ["long_run_variance", "resampled_maxima", "stationary_indices"]

_TILE = 256  # columns whose running sums of a year fit the processor's cache together


def stationary_indices(days: int, *, resamples: int, block_length: float, seed: int) -> IntArray:
    """Draw days (B, T) of the stationary bootstrap with blocks of so many days on average."""
    draw = np.random.default_rng(seed)
    starts = draw.random((resamples, days)) * block_length < 1.0
    places = draw.integers(0, days, (resamples, days))
    for t in range(1, days):
        follow = (places[:, t - 1] + 1) % days
        places[:, t] = np.where(starts[:, t], places[:, t], follow)
    return places


def long_run_variance(centred: FloatArray, block_length: float) -> FloatArray:
    """Variance of ``sqrt(T)`` times the bootstrapped mean of each column, in closed form.

    Politis and Romano 1994, lemma 1 (Hansen 2005 tells hopeless columns by it): ``g_0 + 2 sum_i k_i g_i`` with
    autocovariances g (divisor T), ``k_i = (1 - i/T) a^i + (i/T) a^(T-i)`` and ``a = 1 - 1/block_length``. The second
    term of k is the way round the end of the series, so both are one sum over days that go round, which a recursion
    gives in one pass.

    Parameters
    ----------
    centred : (T, N) float64
        Less the mean of each column.
    """
    days = len(centred)
    a = 1.0 - 1.0 / block_length
    powers = a ** np.arange(1, days)
    after = powers @ centred[1:]  # sum of a^i x_(t+i), 0 < i < T, here for t = 0
    timed = (np.arange(1, days) * powers) @ centred[1:]  # sum of i a^i x_(t+i)
    total = np.sum(centred * centred, axis=0)
    last = a**days
    for t in range(days - 1, -1, -1):
        following = centred[(t + 1) % days]
        timed = a * (following + timed + after) - days * last * centred[t]
        after = a * (following + after) - last * centred[t]
        total += 2.0 * centred[t] * (after - timed / days)
    return np.asarray(np.maximum(total / days, 0.0))


@kernel(parallel=True)
def resampled_maxima(
    running: FloatArray, places: IntArray, shifts: FloatArray, scales: FloatArray, out: FloatArray
) -> None:
    """Write the greatest ``(mean* - shift) scale`` over the columns, for each resample.

    Parameters
    ----------
    running : (T + 1, N) float64
        Running sums of the days, from a row of zeros.
    places : (B, T) int64
        Days of each resample.
    shifts, scales : (J, N) float64
        J statistics at once.
    out : (tiles, B, J) float64
        Receives the maxima of each tile of 256 columns.
    """
    days = places.shape[1]
    for tile in prange(out.shape[0]):
        first = tile * _TILE
        width = min(_TILE, running.shape[1] - first)
        near = running[:, first : first + width].copy()
        shift = shifts[:, first : first + width].copy()
        scale = scales[:, first : first + width].copy()
        mean = np.empty(width)
        for b in range(places.shape[0]):
            mean[:] = 0.0
            t = 0
            while t < days:
                start = places[b, t]
                end = start + 1
                t += 1
                while t < days and places[b, t] == end:
                    end += 1
                    t += 1
                for k in range(width):
                    mean[k] += near[end, k] - near[start, k]
            for j in range(shift.shape[0]):
                best = -np.inf
                for k in range(width):
                    value = (mean[k] / days - shift[j, k]) * scale[j, k]
                    if value > best:
                        best = value
                out[tile, b, j] = best


def tiles_of(columns: int) -> int:
    """Give the number of tiles that :func:`resampled_maxima` writes."""
    return -(-columns // _TILE)
