"""The smile of one expiry from its quotes alone, without a family of smiles: for densities of any shape.

1. Of each strike the option out of the money, its variance weighted by its spread
   (:func:`~algomaster.pricing.surface.smiles.read_smiles`).
2. Total variance is the natural cubic spline in k = ln(strike/forward) that minimises the weighted squares plus lambda
   times the integral of its squared second derivative (Reinsch 1967; Green and Silverman 1994, section 2.3): a smile
   smoothed in variance, then differentiated, as since Shimko (1993).
3. Lambda is that of generalised cross-validation (Craven and Wahba 1978), raised until no butterfly is left
   (:func:`smile_of_quotes`): cross-validation looks at prices, and what hardly shows in prices shows in a density.
4. Beyond the quotes variance goes on along the last slope; where it falls outwards the slope dies out instead.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.errors import PricingError
from algomaster.core.types import FloatArray
from algomaster.pricing.measures.integrals import smile_rows
from algomaster.pricing.measures.sources import years_of
from algomaster.pricing.surface.smiles import read_smiles

if TYPE_CHECKING:
    from algomaster.pricing.chain import Chain

__all__ = ["QuotedSmile", "smile_of_quotes"]

_LEAST: Final = 5
_LAMBDAS: Final = np.geomspace(1e-8, 1e8, 65)
_STEEPEST: Final = 1.9
"""Bound of the slope of variance beyond the quotes; Lee (2004) allows 2."""
_NOTICEABLE: Final = 1e-9
_LOOK: Final = np.linspace(-12.0, 12.0, 4801)
"""Deviations from the forward at which butterflies are looked for."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class QuotedSmile:
    """A smoothed smile, in the shape of a surface of one expiry.

    Attributes
    ----------
    years, labels, spot
        As of :class:`~algomaster.pricing.Surface`; (1,).
    forward, discount : float
    k, w, bend : (n,)
        Knots: log-moneyness of the quotes, total variance and its second derivative there.
    smoothing : float
        Lambda, in the unit of its own smile.
    rmse : float
        Root of the weighted mean square of the residuals, in volatility.
    """

    years: FloatArray
    labels: tuple[str, ...]
    spot: float
    forward: float
    discount: float
    k: FloatArray
    w: FloatArray
    bend: FloatArray
    smoothing: float
    rmse: float

    def forward_at(self, t: Any) -> Any:
        """Give the forward."""
        return np.full(np.shape(t), self.forward) if np.ndim(t) else self.forward

    def discount_at(self, t: Any) -> Any:
        """Give the discount factor."""
        return np.full(np.shape(t), self.discount) if np.ndim(t) else self.discount

    def derivatives(self, k: Any, t: Any) -> tuple[Any, Any, Any]:
        """Give w, dw/dk and d2w/dk2 at the smile's own time."""
        at = np.asarray(k, np.float64)
        inside = np.clip(at, self.k[0], self.k[-1])
        i = np.clip(np.searchsorted(self.k, inside, side="right") - 1, 0, self.k.size - 2)
        h = self.k[i + 1] - self.k[i]
        a, b = (self.k[i + 1] - inside) / h, (inside - self.k[i]) / h
        m0, m1 = self.bend[i], self.bend[i + 1]
        w = a * self.w[i] + b * self.w[i + 1] + ((a**3 - a) * m0 + (b**3 - b) * m1) * h * h / 6.0
        slope = (self.w[i + 1] - self.w[i]) / h + ((1 - 3 * a * a) * m0 + (3 * b * b - 1) * m1) * h / 6.0
        beyond = at - inside
        more, slope, bend = _wing(w, slope, beyond)
        return w + more, slope, np.where(beyond == 0.0, a * m0 + b * m1, bend)


def _wing(w: FloatArray, slope: FloatArray, beyond: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give by how much variance grows over ``beyond``, its slope and second derivative there.

    Straight on where variance grows outwards; where it falls, the slope dies out so that half of it stays.
    """
    slope = np.where(beyond == 0.0, slope, np.clip(slope, -_STEEPEST, _STEEPEST))
    rate = np.where(slope * beyond < 0.0, 2.0 * np.abs(slope) / w, 0.0)
    left = np.exp(-rate * np.abs(beyond))
    with np.errstate(invalid="ignore", divide="ignore"):
        length = np.where(rate > 0.0, (1.0 - left) / rate, np.abs(beyond))
    return slope * np.sign(beyond) * length, slope * left, -np.sign(beyond) * slope * rate * left


def smile_of_quotes(chain: Chain, when: float | str) -> QuotedSmile:
    """Smooth the quotes of an expiry (its label or years).

    Raises
    ------
    PricingError
        Fewer than five strikes of it have a volatility.
    ValueError
        The chain has no such expiry.
    """
    years, label = years_of(chain, when)
    if label not in chain.labels:
        raise ValueError(f"t: expected an expiry of the chain ({', '.join(chain.labels)}), got {when!r}")
    chain = chain.implied_vols() if chain.vol is None else chain
    e = chain.labels.index(label)
    quotes = read_smiles(chain, "auto")
    mine = slice(quotes.first[e], quotes.first[e + 1])
    known = quotes.weight[mine] > 0.0
    k, w, weight = (values[mine][known] for values in (quotes.k, quotes.variance, quotes.weight))
    k, place = np.unique(k, return_inverse=True)  # near the forward both options of a strike count
    total = np.bincount(place, weight)
    w = np.bincount(place, weight * w) / total if k.size else w
    if k.size < _LEAST:
        raise PricingError(
            f"{label}: expected at least {_LEAST} strikes with a volatility, got {k.size}.",
            hint="See chain.status for what became of the quotes.",
        )
    terms = {
        "years": np.array([years]), "labels": (label,), "spot": float(chain.spot), "forward": float(chain.forward[e]),
        "discount": float(chain.discount[e]) if chain.discount[e] > 0.0 else 1.0,
    }  # fmt: skip
    return _smooth(k, w, total / total.mean(), terms)


def _smooth(k: FloatArray, w: FloatArray, weight: FloatArray, terms: dict[str, Any]) -> QuotedSmile:
    """Fit the spline of least generalised cross-validation, or the next smoother one that has no butterfly.

    Where all have one, it is that with the smallest.
    """
    gaps = np.diff(k)
    second, inner = _second_differences(gaps)
    bends = np.linalg.solve(inner, second.T)  # of the knots' values, the second derivatives between the ends
    root = np.sqrt(weight)
    rough, turn = np.linalg.eigh((second @ bends) / np.outer(root, root) * np.ptp(k) ** 3 / k.size)
    rough, seen = np.maximum(rough, 0.0), turn.T @ (root * w)
    found: list[QuotedSmile] = []
    scores = []
    for smoothing in _LAMBDAS:
        kept = 1.0 / (1.0 + smoothing * rough)
        level = turn @ (kept * seen) / root
        off = weight * (w - level) ** 2
        scores.append(off.sum() / (k.size - kept.sum()) ** 2)
        vol_off = off / (4.0 * np.maximum(w, 1e-300) * terms["years"][0])
        found.append(
            QuotedSmile(
                **terms, k=k, w=level, bend=np.pad(bends @ level, 1), smoothing=float(smoothing),
                rmse=float(np.sqrt(vol_off.sum() / weight.sum())),
            )
        )  # fmt: skip
    least, chosen = np.inf, found[-1]
    for smile in found[int(np.argmin(scores)) :]:
        negative = _negative(smile)
        if negative < least:
            least, chosen = negative, smile
        if negative <= _NOTICEABLE:
            break
    return chosen


def _second_differences(gaps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give Green and Silverman's Q (n, n - 2) and R (n - 2, n - 2)."""
    n = gaps.size + 1
    q, r = np.zeros((n, n - 2)), np.zeros((n - 2, n - 2))
    j = np.arange(n - 2)
    q[j, j], q[j + 2, j] = 1.0 / gaps[:-1], 1.0 / gaps[1:]
    q[j + 1, j] = -(q[j, j] + q[j + 2, j])
    r[j, j] = (gaps[:-1] + gaps[1:]) / 3.0
    r[j[:-1], j[1:]] = r[j[1:], j[:-1]] = gaps[1:-1] / 6.0
    return q, r


def _negative(smile: QuotedSmile) -> float:
    """Give the largest negative density as a share of the peak; infinite where variance is not positive."""
    w = float(smile.derivatives(0.0, smile.years[0])[0])
    deviation = np.sqrt(w) if w > 0.0 else np.nan
    density = smile_rows(smile, deviation * _LOOK, float(smile.years[0]))[1]
    return float(-density.min() / density.max()) if np.isfinite(density).all() else np.inf
