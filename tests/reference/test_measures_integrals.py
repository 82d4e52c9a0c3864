"""Densities and variance swaps against quadrature by mpmath and scipy, and against literature."""

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from algomaster.pricing.european import price
from algomaster.pricing.measures import density, swap_vol
from smiles import SKEWED, VOGT, SviSurface

T = 30 / 365
SHAPES = [SKEWED, (0.02, 0.1, -0.4, 0.01, 0.1), (0.0001, 0.05, -0.9, 0.0, 0.02), (0.01, 0.2, 0.3, -0.1, 0.05)]


def otm(surface: Any, t: float, k: float) -> float:
    """Undiscounted price out of the money of a forward of 1."""
    w = float(surface.derivatives(k, t)[0])
    found: float = price(1 if k > 0 else -1, None, math.exp(k), 1.0, math.sqrt(w), forward=1.0)
    return found


def sabr_vol(k: float, t: float, alpha: float, rho: float, nu: float) -> float:
    """Hagan et al. (2002), equation 2.17a with beta = 1 and a forward of 1; k = ln(K/F)."""
    z = -nu / alpha * k
    x = math.log((math.sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - rho)) if abs(z) > 1e-9 else z + rho * z * z / 2
    level = 1 + (rho * nu * alpha / 4 + (2 - 3 * rho * rho) * nu * nu / 24) * t
    return alpha * (z / x if abs(z) > 1e-9 else 1 - rho * z / 2) * level


class Sabr:
    """A SABR smile with its slope by differences (what is tested needs no more)."""

    def __init__(self, alpha: float, rho: float, nu: float, t: float) -> None:
        self.terms, self.years = (alpha, rho, nu), np.array([t])
        self.labels, self.spot = ("expiry",), 100.0

    def derivatives(self, k: Any, t: Any) -> Any:
        k, t = np.broadcast_arrays(np.asarray(k, float), np.asarray(t, float))
        h = 1e-5

        def w(x: float, years: float) -> float:
            return sabr_vol(x, years, *self.terms) ** 2 * years

        rows = [(w(x, y), (w(x + h, y) - w(x - h, y)) / (2 * h), 0.0) for x, y in zip(k.ravel(), t.ravel())]
        return tuple(np.array(row).reshape(k.shape) for row in zip(*rows))

    def forward_at(self, t: Any) -> Any:
        return 100.0 * np.ones_like(np.asarray(t, float))

    discount_at = forward_at


def replicated(surface: Any, t: float, furthest: float) -> float:
    """2 / K**2 puts and calls of every strike, in ln(K)."""
    ends = [0.0, *(furthest * np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0]))]
    total = 0.0
    for low, high in itertools.pairwise(ends):
        for start, end in ((low, high), (-high, -low)):
            total += 2 * quad(lambda k: otm(surface, t, k) * math.exp(-k), start, end, epsabs=1e-14, limit=200)[0]
    return math.sqrt(total / t)


@pytest.mark.parametrize("shape", SHAPES)
def test_swap_is_the_replication_integral_under_svi(shape: tuple[float, ...]) -> None:
    surface = SviSurface([shape], T)
    assert swap_vol(surface, T) == pytest.approx(replicated(surface, T, 40.0), rel=1e-10)


def test_swap_with_flat_wings_is_the_replication_integral() -> None:
    surface = SviSurface([SKEWED], T)
    low, high = math.log(0.85), math.log(1.1)

    def priced(k: float) -> float:
        w = float(surface.derivatives(min(max(k, low), high), T)[0])
        value: float = price(1 if k > 0 else -1, None, math.exp(k), 1.0, math.sqrt(w), forward=1.0)
        return value * math.exp(-k)

    pieces = itertools.pairwise([-5.0, -0.5, low, -0.05, 0.0, 0.03, high, 0.3, 5.0])
    total = sum(2 * quad(priced, *ends, epsabs=1e-15, limit=200)[0] for ends in pieces)
    assert swap_vol(surface, T, strikes=(85.0, 110.0)) == pytest.approx(math.sqrt(total / T), rel=1e-10)


def test_swap_is_the_replication_integral_under_sabr() -> None:
    surface = Sabr(0.2, -0.4, 0.8, 0.25)
    assert swap_vol(surface, 0.25) == pytest.approx(replicated(surface, 0.25, 20.0), rel=1e-8)


def test_swap_by_fifty_digits() -> None:
    """The integral of -2 k p(k) with mpmath's own derivatives of the variance; nothing of ours in it."""
    a, b, rho, m, sigma = (mpmath.mpf(str(x)) for x in SKEWED)

    def w(k: Any) -> Any:
        return a + b * (rho * (k - m) + mpmath.sqrt((k - m) ** 2 + sigma**2))

    def below(k: Any) -> Any:
        s = mpmath.sqrt(w(k))
        d2 = -k / s - s / 2
        return mpmath.ncdf(-d2) + mpmath.npdf(d2) * mpmath.diff(w, k) / (2 * s)

    with mpmath.workdps(30):
        # by parts: E[ln] = -(integral of P(S < K) below the forward) + (integral of P(S > K) above it)
        down = mpmath.quad(below, [-30, -3, -1, -0.5, -0.3, -0.2, -0.1, -0.05, 0])
        up = mpmath.quad(lambda k: 1 - below(k), [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 3, 30])
        exact = mpmath.sqrt(2 * (down - up) / mpmath.mpf(T))
    assert swap_vol(SviSurface([SKEWED], T), T) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_density_is_the_second_difference_of_prices(shape: tuple[float, ...]) -> None:
    surface = SviSurface([shape], T, spot=100.0)
    strikes = np.array([80.0, 90.0, 97.0, 100.0, 103.0, 112.0])
    found = density(surface, T, strikes=strikes)

    def put(strike: Any) -> Any:
        """By mpmath: differences of a function in double precision would not do."""
        k = mpmath.log(mpmath.mpf(strike) / 100)
        a, b, rho, m, sigma = (mpmath.mpf(str(x)) for x in shape)
        s = mpmath.sqrt(a + b * (rho * (k - m) + mpmath.sqrt((k - m) ** 2 + sigma**2)))
        d2 = -k / s - s / 2
        return strike * mpmath.ncdf(-d2) - 100 * mpmath.ncdf(-d2 - s)

    with mpmath.workdps(40):
        for strike, p, below in zip(strikes, found.density, found.cumulative):
            first, second = (float(mpmath.diff(put, mpmath.mpf(float(strike)), n)) for n in (1, 2))
            assert below == pytest.approx(first, rel=1e-12)
            assert p == pytest.approx(second, rel=1e-10)


def test_vogt_density_is_negative_where_durrleman_is() -> None:
    """Gatheral and Jacquier (2014), figure 3.1: g falls below 0 between k of about 0.6 and 1.3."""
    ((low, high),) = density(SviSurface([VOGT], 1.0), 1.0).negative
    assert 0.6 < math.log(low / 100) < 0.7
    assert 1.2 < math.log(high / 100) < 1.3
