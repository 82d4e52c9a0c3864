"""How sure a fitted surface is: the covariance of its parameters, and what it means for total variance.

With J the derivative of the model's total variance by the parameters at the quotes and W their weights, the covariance
is s**2 (J'WJ)**-1, where s**2 is the weighted mean square of the residuals with the degrees of freedom taken off (the
weights are only known up to a factor). Directions that the quotes do not determine are left out (a pseudo-inverse):
the smile does not move along them where there are quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.pricing.kernels import smile_eval
from algomaster.pricing.surface.smiles import CODES

if TYPE_CHECKING:
    from algomaster.pricing.surface.surface import Surface

__all__ = ["covariances", "variance_errors"]


def covariances(surface: Surface) -> list[FloatArray]:
    """Give the covariance of each expiry's parameters, E times (p, p)."""
    quotes = surface._quotes()
    found = []
    for e in range(surface.years.size):
        span = slice(quotes.first[e], quotes.first[e + 1])
        kept = quotes.weight[span] > 0.0
        k, w, weight = (values[span][kept] for values in (quotes.k, quotes.variance, quotes.weight))
        jacobian, model = _jacobian(surface, e, k), _slice(surface, e, surface.parameters[e], k)
        scaled = jacobian * np.sqrt(weight)[:, None]
        size = np.sqrt((scaled * scaled).sum(axis=0))
        size = np.where(size > 0.0, size, 1.0)
        normal = np.linalg.pinv(scaled.T @ scaled / np.outer(size, size), rcond=1e-11, hermitian=True)
        freedom = max(k.size - int(np.count_nonzero(np.any(jacobian != 0.0, axis=0))), 1)
        noise = float((weight * (w - model) ** 2).sum()) / freedom
        found.append(np.asarray(noise * normal / np.outer(size, size)))
    return found


def variance_errors(surface: Surface, k: FloatArray, now: FloatArray, matrices: list[FloatArray]) -> FloatArray:
    """Give the standard error of total variance at (k, clock time ``now``), both (n,)."""
    clock = surface.clock
    by_expiry = np.stack([_error(surface, e, k, matrix) for e, matrix in enumerate(matrices)])
    after = np.clip(np.searchsorted(clock, now), 0, clock.size - 1)
    before = np.maximum(after - 1, 0)
    span = np.where(after > before, clock[after] - clock[before], clock[after])
    at_start = np.where(after > before, clock[before], 0.0)
    share = np.clip((now - at_start) / span, 0.0, 1.0)
    each = np.arange(k.size)
    late = share * by_expiry[after, each]
    early = np.where(after > before, (1.0 - share) * by_expiry[before, each], 0.0)
    return np.asarray(np.where(now > 0.0, np.hypot(late, early), np.nan))


def _error(surface: Surface, e: int, k: FloatArray, matrix: FloatArray) -> FloatArray:
    jacobian = _jacobian(surface, e, k)
    return np.asarray(np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", jacobian, matrix, jacobian), 0.0)))


def _slice(surface: Surface, e: int, row: FloatArray, k: FloatArray) -> FloatArray:
    out = np.empty((3, k.size))
    smile_eval.slice_loop(CODES[surface.method], row, surface.years[e], np.ascontiguousarray(k), out)
    return np.asarray(out[0])


def _jacobian(surface: Surface, e: int, k: FloatArray) -> FloatArray:
    """Differences of total variance by each parameter, (n, p); 0 for those that are held (SABR's beta and cutoffs)."""
    row = surface.parameters[e]
    out = np.zeros((k.size, row.size))
    free = range(row.size)
    if surface.method == "sabr":
        free = range(4) if surface.settings.get("beta") is None else (0, 2, 3)  # type: ignore[assignment]
    for j in free:
        step = 1e-6 * max(abs(row[j]), 1e-2)
        up, down = row.copy(), row.copy()
        up[j] += step
        down[j] -= step
        if j == 1 and surface.method != "svi":  # rho of extended SSVI, beta of SABR
            up[j], down[j] = min(up[j], 1.0), max(down[j], -1.0)
        out[:, j] = (_slice(surface, e, up, k) - _slice(surface, e, down, k)) / (up[j] - down[j])
    return out
