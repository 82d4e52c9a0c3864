"""How much of the best of many trials is luck: PBO, Reality Check, SPA and the deflated Sharpe ratio in one call."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.core.arrays import as_array, kind_of
from algomaster.core.types import FloatArray, IntArray
from algomaster.performance.deflation import deflated_sharpe, expected_best_sharpe, trial_variance
from algomaster.performance.drawdowns import shuffled_drawdowns
from algomaster.performance.statistics import FEWEST_DAYS, SESSIONS_A_YEAR, sharpe_standard_error
from algomaster.performance.trials.bootstrap import long_run_variance, resampled_maxima, stationary_indices, tiles_of
from algomaster.performance.trials.cscv import block_sums, cross_validate, half_sums
from algomaster.performance.trials.verdict import Overfitting

__all__ = ["MOST_BLOCKS", "overfitting"]

MOST_BLOCKS: Final = 16
"""Blocks of CSCV as the paper has them: 12,870 choices. More would take memory with 2^(blocks / 2)."""

_ANNUAL: Final = math.sqrt(SESSIONS_A_YEAR)
_NAN: Final = math.nan


def overfitting(
    returns: Any,
    *,
    blocks: int | None = None,
    resamples: int = 1000,
    block_length: float | None = None,
    trials: int | None = None,
    seed: int = 0,
) -> Overfitting:
    """Say how much of the best of N strategies is luck.

    Parameters
    ----------
    returns : (T, N) numpy array, pandas or polars DataFrame
        P&L or return of N strategies, parameter sets or models on the same T days, all that were tried; any unit. Of
        :attr:`SweepResult.daily <algomaster.backtest.SweepResult>`, which is (N, T), give the transpose.
    blocks : int, optional
        Even number of blocks for CSCV, 2 to 16; by default 16, or as many as leave two days in each.
    resamples : int
        Resamples of the stationary bootstrap.
    block_length : float, optional
        Average days of its blocks; by default ``sqrt(T)`` rounded down.
    trials : int, optional
        How many were tried, where ``returns`` has only some of them; counts for the deflated Sharpe ratio alone.
    seed : int
        Of the bootstrap and of the shuffled days.

    Returns
    -------
    Overfitting
        - ``pbo``: share of the choices of half the days in which the best column is no better than the median in the
          other half (Bailey, Borwein, Lopez de Prado and Zhu 2017). About 1/2 for noise. NaN for one column.
        - ``reality_check_p``: p-value of the best mean, none being above 0 (White, Econometrica 68, 2000).
        - ``spa_p``: the same of the best Sharpe ratio, without help from hopeless columns (Hansen, JBES 23, 2005,
          consistent form). Studentised by the standard deviation of the days: with one that allows for dependent days,
          as in his paper, 61 % of tests of 1,000 columns of noise over 250 days came out below 0.05.
        - ``deflated_sharpe``: probability that the true Sharpe ratio of the best column beats the best of so many
          worthless trials (Bailey and Lopez de Prado 2014).
        - what they rest on; see the attributes.

        With fewer than ten days everything that needs more is NaN and ``remark`` says so.

    Raises
    ------
    ValueError
        The returns are not a matrix of finite numbers, or a setting is impossible.
    TypeError
        They are not numbers.

    Notes
    -----
    Deterministic for a seed, whatever the number of threads. Memory: 8 kB a column for 16 blocks, beside 8 bytes a
    return. p-values are ``(1 + c) / (1 + B)`` with c of B resamples at least as extreme, so they are never 0.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(7).normal(size=(250, 40))
    >>> found = overfitting(noise)
    >>> found.trials, 0.2 < found.pbo < 0.8
    (40, True)
    """
    values, names = _matrix(returns)
    days, columns = values.shape
    tried = columns if trials is None else trials
    if tried < columns:
        raise ValueError(f"trials: expected at least the {columns} columns, got {tried}")
    blocks = _blocks(blocks, days)
    length = float(block_length if block_length is not None else max(1, math.isqrt(days)))
    if not 1.0 <= length <= days:
        raise ValueError(f"block_length: expected 1 to {days} days, got {block_length}")
    if resamples < 1:
        raise ValueError(f"resamples: expected at least 1, got {resamples}")
    known = days >= FEWEST_DAYS
    best = _best(values, tried)
    cross = _cross_validated(values, blocks) if known and columns > 1 else _NO_CROSS
    snooping = _snooped(values, resamples, length, seed) if known else _Snooping(_NAN, _NAN, _NAN, _NAN)
    logits = np.log(cross.share / (1.0 - cross.share))
    return Overfitting(
        **best,
        trials=tried,
        columns=columns,
        sessions=days,
        name=None if best["best"] is None else names[best["best"]],
        pbo=float((logits <= 0.0).mean()) if logits.size else _NAN,
        logits=logits,
        chosen=cross.chosen,
        in_sample=cross.ratios[:, 0] * _ANNUAL,
        out_of_sample=cross.ratios[:, 1] * _ANNUAL,
        blocks=blocks,
        **snooping._asdict(),
        resamples=resamples,
        block_length=length,
        seed=seed,
        drawdown=shuffled_drawdowns(values[:, best["best"] or 0], seed=seed),
        remark="" if known else f"{days} days are too few to say more: {FEWEST_DAYS} are needed",
    )


def _matrix(returns: Any) -> tuple[FloatArray, list[Any]]:
    kind = kind_of(returns)
    names: list[Any] | None = None
    if kind != "numpy" and hasattr(returns, "columns"):
        names = list(returns.columns)
        wrong = [name for name, of in zip(names, returns.dtypes) if not _numeric(of, kind)]
        if wrong:
            raise TypeError(f"returns: expected columns of numbers, {', '.join(map(str, wrong))} is not")
    values = as_array(returns, "returns")
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise ValueError(f"returns: expected (days, strategies) with two days at least, got shape {values.shape}")
    if bad := int(values.size - np.isfinite(values).sum()):
        raise ValueError(f"returns: expected finite numbers, got {bad} that are not; a day without a trade is a 0")
    return values, names or list(range(values.shape[1]))


def _numeric(dtype: Any, kind: str) -> bool:
    return bool(dtype.is_numeric()) if kind == "polars" else getattr(dtype, "kind", "O") in "fiu"


def _blocks(blocks: int | None, days: int) -> int:
    most = max(2, min(MOST_BLOCKS, days // 2 // 2 * 2))
    if blocks is None:
        return most
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS or blocks > days:
        raise ValueError(f"blocks: expected an even number from 2 to {min(MOST_BLOCKS, days)}, got {blocks}")
    return blocks


# --- the best column, deflated ---------------------------------------------------------------------------------


def _best(values: FloatArray, trials: int) -> dict[str, Any]:
    """Give the column of the highest Sharpe ratio and what luck leaves of it; Sharpe ratios are annualised."""
    days = len(values)
    centred = values - values.mean(axis=0)
    spread = np.sqrt((centred * centred).sum(axis=0))
    varies = np.ptp(values, axis=0) > 0.0
    sharpes = np.full(values.shape[1], _NAN)
    if days >= FEWEST_DAYS:
        sharpes[varies] = values.mean(axis=0)[varies] / spread[varies] * math.sqrt(days - 1.0)
    if not np.isfinite(sharpes).any():
        unknown = ("sharpe", "sharpe_se", "expected_best", "deflated_sharpe", "effective_trials", "effective_deflated")
        return {"best": None} | dict.fromkeys(unknown, _NAN)
    best = int(np.nanargmax(sharpes))
    variance = trial_variance(sharpes)
    column = centred[:, best]
    second = float((column**2).mean())
    skewness, kurtosis = float((column**3).mean()) / second**1.5, float((column**4).mean()) / second**2
    sharpe = float(sharpes[best])
    error = float(sharpe_standard_error(sharpe, days, skewness, kurtosis))
    effective = _effective(centred[:, varies] / spread[varies], trials)
    return {
        "best": best,
        "sharpe": sharpe * _ANNUAL,
        "sharpe_se": error * _ANNUAL,
        "expected_best": expected_best_sharpe(trials, variance) * _ANNUAL,
        "deflated_sharpe": deflated_sharpe(sharpe, error, trials=trials, trial_variance=variance),
        "effective_trials": effective,
        "effective_deflated": deflated_sharpe(
            sharpe, error, trials=max(1, round(effective)), trial_variance=variance
        ),
    }  # fmt: skip


def _effective(standardised: FloatArray, trials: int) -> float:
    """Trials as if independent, ``r + (1 - r) N`` with the average correlation r (Bailey and Lopez de Prado 2014, A.3).

    The squared length of the columns' sum is N + N (N - 1) r, so no pair need be looked at.
    """
    columns = standardised.shape[1]
    if columns < 2:
        return float(trials)
    together = standardised.sum(axis=1)
    average = (float(together @ together) - columns) / (columns * (columns - 1.0))
    average = min(1.0, max(0.0, average))
    return float(average + (1.0 - average) * trials)


# --- cross-validation ------------------------------------------------------------------------------------------


class _Cross(NamedTuple):
    chosen: IntArray
    share: FloatArray
    ratios: FloatArray


_NO_CROSS: Final = _Cross(np.empty(0, np.int64), np.empty(0), np.empty((0, 2)))


def _cross_validated(values: FloatArray, blocks: int) -> _Cross:
    days, columns = values.shape
    edges = np.linspace(0, days, blocks + 1).astype(np.int64)
    parts = np.empty((blocks, columns)), np.empty((blocks, columns))
    block_sums(values, edges, *parts)
    half = blocks // 2
    tables = []
    for start in (0, half):
        for part in parts:
            tables.append(np.empty((1 << half, columns)))
            half_sums(part[start : start + half].copy(), tables[-1])
    subsets = np.arange(1 << half)
    member = (subsets[:, np.newaxis] >> np.arange(half)) & 1
    sizes = np.diff(edges).astype(np.float64)
    lengths = member @ sizes[:half], member @ sizes[half:]
    each = np.array([2 * math.comb(half, half - int(member[own].sum())) for own in subsets[1::2]], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(each)])
    choices = int(starts[-1])
    chosen, ranks, ratios = np.empty(choices, np.int64), np.empty(choices), np.empty((choices, 2))
    cross_validate((tables[0], tables[1]), (tables[2], tables[3]), lengths, starts[:-1].copy(), chosen, ranks, ratios)
    return _Cross(chosen, ranks / (columns + 1.0), ratios)


# --- data snooping ---------------------------------------------------------------------------------------------


class _Snooping(NamedTuple):
    reality_check_p: float
    spa_p: float
    spa_lower_p: float
    spa_upper_p: float


def _snooped(values: FloatArray, resamples: int, block_length: float, seed: int) -> _Snooping:
    days, columns = values.shape
    mean = values.mean(axis=0)
    spread = values.std(axis=0)
    # A column that never varies cannot be studentised: it takes no part in SPA.
    inverse = np.divide(1.0, spread, out=np.zeros(columns), where=np.ptp(values, axis=0) > 0.0)
    bound = -np.sqrt(long_run_variance(values - mean, block_length) * (2.0 * math.log(math.log(days)) / days))
    shifts = np.stack([mean, np.where(mean >= bound, mean, 0.0), np.maximum(mean, 0.0), mean])
    scales = np.stack([np.ones(columns), inverse, inverse, inverse])
    running = np.concatenate([np.zeros((1, columns)), np.cumsum(values, axis=0)])
    places = stationary_indices(days, resamples=resamples, block_length=block_length, seed=seed)
    maxima = np.empty((tiles_of(columns), resamples, len(shifts)))
    resampled_maxima(running, places, shifts, scales, maxima)
    found = maxima.max(axis=0)
    found[:, 1:] = np.maximum(found[:, 1:], 0.0)
    studentised = max(0.0, float((mean * inverse).max()))
    observed = np.array([mean.max(), studentised, studentised, studentised])
    extreme = (found >= observed).sum(axis=0)
    check, consistent, lower, upper = ((1.0 + extreme) / (1.0 + resamples)).tolist()
    return _Snooping(check, consistent, lower, upper)
