r"""The implied-variance surface: Gatheral and Jacquier's SSVI with the square-root curvature function.

Total variance of log-moneyness ``k = log(K / F)`` at an expiry whose at-the-money total variance is ``theta``
(Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", 2014, equation 4.1):

    w = theta / 2 * (1 + rho * phi * k + sqrt((phi * k + rho)^2 + 1 - rho^2)),
    phi = eta / sqrt(theta * (1 + theta)).

With ``eta * (1 + |rho|) <= 2`` there is neither butterfly nor calendar arbitrage (their remark 4.4, gamma = 1/2),
provided theta grows with the expiry: it is the premium times the variance that the path model expects until then
(:func:`expected_variance`), which grows on the business-time clock, overnight as well.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.market.simulator.model import MarketModel
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.vanilla import black_price

__all__ = [
    "SurfaceParams",
    "compound",
    "expected_variance",
    "expected_variances",
    "otm_price",
    "smile_variance",
    "surface_params",
    "volatility_index",
]

_VIX_YEARS: Final = 30.0 / 365.0
_NIGHT_SHARE: Final = 0.28
_STRIP_HALF: Final = 40
_STRIP_SDS: Final = 7.0


class SurfaceParams(NamedTuple):
    """Numbers of the surface: long-run variance, pulls of the two factors, premium (jumps included), eta."""

    variance: float
    slow_pull: float
    fast_pull: float
    scale: float
    curvature: float


def surface_params(model: MarketModel) -> SurfaceParams:
    """Take the surface's parameters out of a model; jumps enter as the variance they add on average."""
    square = (1.0 - _NIGHT_SHARE) * model.jump_sd**2 + _NIGHT_SHARE * model.gap_jump_sd**2
    jumps = model.jump_rate * square * (1.0 + model.jump_mean**2) / model.variance
    scale = model.variance_premium * (1.0 + jumps)
    return SurfaceParams(model.variance, model.slow_pull, model.fast_pull, scale, model.curvature)


@kernel
def expected_variance(years: float, now: float, level: float, p: SurfaceParams) -> float:
    """Give at-the-money total variance over a horizon.

    Parameters
    ----------
    years : business time of the horizon
    now, level : variance a year now, and the one that its fast factor reverts to
    p : SurfaceParams
    """
    slow = (1.0 - exp(-p.slow_pull * years)) / p.slow_pull
    fast = (1.0 - exp(-p.fast_pull * years)) / p.fast_pull
    return p.scale * (p.variance * years + (level - p.variance) * slow + (now - level) * fast)


@kernel
def expected_variances(
    years: FloatArray, now: FloatArray, level: FloatArray, p: SurfaceParams, out: FloatArray
) -> None:
    """Fill ``out`` (E, N) with :func:`expected_variance` of ``years`` (E, N) at ``now`` and ``level`` (N,)."""
    for e in range(years.shape[0]):
        for j in range(years.shape[1]):
            out[e, j] = expected_variance(years[e, j], now[j], level[j], p)


@kernel
def compound(rate: float, years: FloatArray, out: FloatArray) -> None:
    """Fill ``out`` with ``exp(rate * years)``, (E, N), to the same bits on every machine."""
    for e in range(years.shape[0]):
        for j in range(years.shape[1]):
            out[e, j] = exp(rate * years[e, j])


@kernel
def smile_variance(k: float, theta: float, rho: float, eta: float) -> float:
    """Give the total variance of a log-moneyness; 0 where ``theta`` is."""
    if theta <= 0.0:
        return 0.0
    phi = eta / math.sqrt(theta * (1.0 + theta))
    x = phi * k + rho
    return 0.5 * theta * (1.0 + rho * phi * k + math.sqrt(x * x + 1.0 - rho * rho))


@kernel
def otm_price(forward: float, strike: float, k: float, total: float, discount: float) -> float:
    """Price the out-of-the-money option of a strike (the put below the forward) from its total variance."""
    return black_price(1 if k >= 0.0 else -1, forward, strike, 1.0, math.sqrt(total), discount)


@kernel
def volatility_index(now: FloatArray, level: FloatArray, rho: FloatArray, p: SurfaceParams, out: FloatArray) -> None:
    """Give the 30-day volatility index in points from a strip of out-of-the-money options.

    The strip is the exchange's formula (2 / T * sum of dK / K^2 * price) on a fine grid of the model's own surface at
    30 / 365 years of business time, so holidays do not move it.

    Parameters
    ----------
    now, level, rho : (N,) variance now, variance it reverts to, smile correlation
    p : SurfaceParams
    out : (N,) points
    """
    for j in range(out.size):
        theta = expected_variance(_VIX_YEARS, now[j], level[j], p)
        step = _STRIP_SDS * math.sqrt(theta) / _STRIP_HALF
        total = 0.0
        for i in range(-_STRIP_HALF, _STRIP_HALF + 1):
            k = i * step
            strike = exp(k)
            simpson = 4.0 if i % 2 else 2.0  # on either side of the money, where prices have a kink
            total += simpson * otm_price(1.0, strike, k, smile_variance(k, theta, rho[j], p.curvature), 1.0) / strike
        out[j] = 100.0 * math.sqrt(2.0 * step / 3.0 * total / _VIX_YEARS)
