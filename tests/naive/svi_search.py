"""The best raw SVI for given quotes, by brute force: differential evolution over (m, ln sigma), the rest linear."""

from typing import Any

import numpy as np
from scipy.optimize import differential_evolution


def best_svi(k: Any, w: Any, weight: Any, *, thorough: bool = False) -> float:
    """Weighted mean square of the residuals of w, in the domain the fit declares.

    The slopes of both wings are from 0 to 2, m lies within half a width of the quoted range, sigma between a hundredth
    of the weighted deviation of the strikes and four widths, and the variance is nowhere below a thousandth of the
    least quoted.
    """
    total, low, width = weight.sum(), k.min(), np.ptp(k)
    mean = (weight * w).sum() / total
    spread = np.sqrt((weight * (k - (weight * k).sum() / total) ** 2).sum() / total)
    target = w - mean

    def misfit(x: Any) -> float:
        m, sigma = x[0], np.exp(x[1])
        y = (k - m) / sigma
        s = np.sqrt(1 + y * y)
        columns = np.stack([(s + y) / 2, (s - y) / 2])
        centres = (columns * weight).sum(axis=1) / total
        columns = columns - centres[:, None]
        gram, against = (columns * weight) @ columns.T, (columns * weight) @ target
        top, best = 2 * sigma, np.inf
        for p, q in corners(gram, against, top):
            lift = max(0.0, 1e-3 * w.min() - (mean - centres @ (p, q) + np.sqrt(p * q)))
            gap = target - p * columns[0] - q * columns[1]
            best = min(best, (weight * gap * gap).sum() + total * lift * lift)
        return float(best)

    bounds = [(low - 0.5 * width, low + 1.5 * width), (np.log(0.01 * spread), np.log(4 * width))]
    size, rounds = (20, 150) if thorough else (10, 60)
    found = differential_evolution(misfit, bounds, seed=1, popsize=size, maxiter=rounds, tol=1e-8)
    return float(found.fun / total)


def corners(gram: Any, against: Any, top: float) -> Any:
    """Where the least of the quadratic on the square may lie: inside, or on one of the four sides."""
    if np.linalg.det(gram) > 0:
        p, q = np.linalg.solve(gram, against)
        if 0 <= p <= top and 0 <= q <= top:
            yield p, q
    for held in (0.0, top):
        yield held, float(np.clip((against[1] - gram[0, 1] * held) / gram[1, 1], 0, top))
        yield float(np.clip((against[0] - gram[0, 1] * held) / gram[0, 0], 0, top)), held
