"""Combinatorially symmetric cross-validation (CSCV), compiled.

Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance
20(4), 2017: the days are cut into S blocks; every choice of half of them is once the sample in which the best column is
sought and once the sample in which it has to stand. Only the best column and its rank elsewhere matter, so nothing is
sorted, and every choice is a sum of two rows of sums made once:

1. :func:`block_sums` adds up each block of days by column.
2. :func:`half_sums` adds the blocks up for every subset of the first and of the second half of the blocks.
3. :func:`cross_validate` takes each pair of complementary choices once and uses it in both directions.

Columns are ordered by ``s |s| / q`` (s the sum, q the sum of squares), which grows with the Sharpe ratio and costs one
division. A column that makes nothing has 0. Sums of whole numbers below 2^53 are exact, so the order is exact for them.
"""

from __future__ import annotations

import math

import numpy as np

from algomaster.core.jit import kernel, prange
from algomaster.core.types import FloatArray, IntArray

__all__ = ["block_sums", "cross_validate", "half_sums"]

_NOTHING = 1e-300  # beside any sum of squares of real money this is nothing; it makes 0 of 0 / 0


@kernel(parallel=True)
def block_sums(returns: FloatArray, edges: IntArray, sums: FloatArray, squares: FloatArray) -> None:
    """Write sums and sums of squares of each block: (T, N) and (S + 1,) edges to two of (S, N)."""
    for block in prange(edges.size - 1):
        for k in range(returns.shape[1]):
            sums[block, k] = 0.0
            squares[block, k] = 0.0
        for t in range(edges[block], edges[block + 1]):
            for k in range(returns.shape[1]):
                value = returns[t, k]
                sums[block, k] += value
                squares[block, k] += value * value


@kernel(parallel=True)
def half_sums(blocks: FloatArray, out: FloatArray) -> None:
    """Write the sum of every subset of (h, N) blocks to (2^h, N); bit b of a row's number takes block b."""
    for subset in prange(out.shape[0]):
        for k in range(out.shape[1]):
            out[subset, k] = 0.0
        for block in range(blocks.shape[0]):
            if (subset >> block) & 1:
                for k in range(out.shape[1]):
                    out[subset, k] += blocks[block, k]


@kernel
def _bits(number: int) -> int:
    count = 0
    while number > 0:
        count += number & 1
        number >>= 1
    return count


@kernel
def _score(s1: FloatArray, q1: FloatArray, s2: FloatArray, q2: FloatArray, out: FloatArray) -> None:
    for k in range(out.size):
        total = s1[k] + s2[k]
        out[k] = total * abs(total) / (q1[k] + q2[k] + _NOTHING)


@kernel
def _first_best(score: FloatArray) -> int:
    at = 0
    best = score[0]
    for k in range(1, score.size):
        if score[k] > best:
            best = score[k]
            at = k
    return at


@kernel
def _rank(score: FloatArray, at: int) -> float:
    """Give the rank from below of one score, 1 to N; equal ones share the middle of their ranks."""
    value = score[at]
    below = 0
    equal = 0
    for k in range(score.size):
        below += score[k] < value
        equal += score[k] == value
    return below + 0.5 * (equal + 1)


@kernel
def _sharpe(total: float, squares: float, days: float) -> float:
    if days < 2:
        return math.nan
    mean = total / days
    variance = (squares - total * mean) / (days - 1.0)
    return mean / math.sqrt(variance) if variance > 0.0 else math.nan


@kernel(parallel=True)
def cross_validate(
    low: tuple[FloatArray, FloatArray],
    high: tuple[FloatArray, FloatArray],
    days: tuple[FloatArray, FloatArray],
    starts: IntArray,
    chosen: IntArray,
    ranks: FloatArray,
    ratios: FloatArray,
) -> None:
    """Try every choice of half the blocks.

    Parameters
    ----------
    low, high : two of (2^h, N) float64
        Sums and sums of squares over the subsets of the first and of the second h = S/2 blocks.
    days : two of (2^h,) float64
        Days in those subsets.
    starts : (2^h / 2,) int64
        Where the results of each odd subset of the first half begin.
    chosen : (C,) int64
        Receives the best column in the sample of each of the C = S! / (S/2)!^2 choices.
    ranks : (C,) float64
        Receives its rank from below in the other days.
    ratios : (C, 2) float64
        Receives its Sharpe ratio of a day in the sample and in the other days, NaN where all days are alike.
    """
    full = low[0].shape[0] - 1
    half = _bits(full)
    for m in prange((full + 1) // 2):
        own = 2 * m + 1
        one = np.empty(low[0].shape[1])
        other = np.empty(low[0].shape[1])
        at = starts[m]
        for pick in range(full + 1):
            if _bits(own) + _bits(pick) != half:
                continue
            _score(low[0][own], low[1][own], high[0][pick], high[1][pick], one)
            _score(low[0][full - own], low[1][full - own], high[0][full - pick], high[1][full - pick], other)
            for side in range(2):
                k = _first_best(one) if side == 0 else _first_best(other)
                chosen[at] = k
                ranks[at] = _rank(other, k) if side == 0 else _rank(one, k)
                for look in range(2):
                    i, j = (own, pick) if look == side else (full - own, full - pick)
                    ratios[at, look] = _sharpe(
                        low[0][i, k] + high[0][j, k], low[1][i, k] + high[1][j, k], days[0][i] + days[1][j]
                    )
                at += 1
