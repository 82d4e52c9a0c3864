"""The Sharpe ratio deflated by luck: what the best of many worthless trials would show, and how far it is beaten."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.types import FloatArray

__all__ = ["deflated_sharpe", "deflated_sharpes", "expected_best_sharpe", "trial_variance"]

_NORMAL: Final = NormalDist()


def trial_variance(sharpes: ArrayLike) -> float:
    """Variance (divisor n - 1) of the trials' Sharpe ratios, undefined ones left out; NaN for fewer than two."""
    found = np.asarray(sharpes, dtype=np.float64)
    known = found[np.isfinite(found)]
    return float(known.var(ddof=1)) if known.size > 1 else math.nan


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Sharpe ratio to expect from the best of so many worthless, independent trials.

    Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014, eq. 1:
    ``sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)))``, with g the Euler-Mascheroni constant, Z the normal quantile.

    Parameters
    ----------
    trials : int
        N; for one trial the result is 0.
    variance : float
        V, the variance of the trials' Sharpe ratios, in the square of the unit wanted (a day's or annualised).
    """
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    quantiles = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - gamma) * quantiles[0] + gamma * quantiles[1])


def deflated_sharpe(
    sharpe: float, standard_error: float, *, trials: int = 1, trial_variance: float = math.nan
) -> float:
    """Probability that the true Sharpe ratio is above what the best of so many worthless trials would show.

    Bailey and Lopez de Prado 2014, eq. 2. With one trial it is the probabilistic Sharpe ratio against 0 (their
    paper of 2012).

    Parameters
    ----------
    sharpe, standard_error : float
        As measured; with ``trial_variance`` all three of one unit (a day's or annualised).
    trials : int
    trial_variance : float
        Variance of the trials' Sharpe ratios; not used for one trial.

    Returns
    -------
    float
        0 to 1. NaN if the ratio or its standard error is undefined or 0, or the variance is missing.
    """
    one = np.array([sharpe]), np.array([standard_error])
    return float(deflated_sharpes(*one, trials=trials, trial_variance=trial_variance)[0])


def deflated_sharpes(
    sharpes: FloatArray, standard_errors: FloatArray, *, trials: int, trial_variance: float
) -> FloatArray:
    """Give :func:`deflated_sharpe` of many ratios (P,) at once, each as if it were alone."""
    known = (standard_errors > 0.0) & ~np.isnan(sharpes)
    best = expected_best_sharpe(trials, trial_variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(known, (sharpes - best) / standard_errors, np.nan)
    return np.array([0.5 * math.erfc(-one / math.sqrt(2.0)) for one in excess.tolist()], dtype=np.float64)
