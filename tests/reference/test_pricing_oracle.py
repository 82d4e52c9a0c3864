"""Kernels against 80-digit arithmetic: polynomials, prices, Greeks (implied volatilities: test_implied_oracle)."""

import functools
import math
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest

from algomaster.pricing import greeks, price
from algomaster.pricing.kernels import elementary
from naive import black as naive

MP = naive.MP
ULP = 2.0**-53


def relative(found: float, true: mpmath.mpf) -> float:
    return float(abs(MP.mpf(found) / true - 1))


def erfcx(u: mpmath.mpf) -> mpmath.mpf:
    return MP.exp(u * u) * MP.erfc(u)


def polynomial(coefficients: tuple[float, ...], x: mpmath.mpf) -> mpmath.mpf:
    return functools.reduce(lambda value, c: value * x + MP.mpf(c), coefficients, MP.mpf(0))


def test_errors_of_the_polynomials_are_as_stated() -> None:
    grid = [MP.mpf(i) / 400 for i in range(-400, 401)]
    for r in (x * MP.log(2) / 2 for x in grid):
        assert abs((1 + r + r**2 * polynomial(elementary.EXP_COEFFICIENTS, r)) / MP.exp(r) - 1) < 2e-17
    for z in (x / 5 for x in grid if x):
        fit = z + z**3 * polynomial(elementary.ATANH_COEFFICIENTS, z * z) / 2
        assert abs(fit / MP.atanh(z) - 1) < 1e-18
    for q in grid[:-4]:  # the last is u = infinity
        scale = MP.mpf(elementary.ERFCX_SCALE)
        u = scale * (1 + q) / (1 - q) - MP.mpf(elementary.ERFCX_MARGIN)
        assert abs((1 - q) * polynomial(elementary.ERFCX_COEFFICIENTS, q) / erfcx(u) - 1) < 1.2e-16


def test_exp() -> None:
    for x in np.random.default_rng(1).uniform(-708, 709, 500):
        assert relative(elementary.exp(x), MP.exp(x)) < 1.5 * ULP
    assert (elementary.exp(-708.8), elementary.exp(709.5)) == (0.0, math.inf)
    assert (elementary.exp(-math.inf), elementary.exp(math.inf), elementary.exp(0.0)) == (0.0, math.inf, 1.0)
    assert math.isnan(elementary.exp(math.nan))


def test_log_ratio_keeps_its_digits_near_one() -> None:
    rng = np.random.default_rng(2)
    for far in (*10.0 ** rng.uniform(-15, 0, 300), *rng.uniform(0, 600, 300)):
        q = math.exp(rng.uniform(-50, 50))
        p = q * math.exp(min(far, 600.0))
        if p != q:
            assert relative(elementary.log_ratio(p, q), MP.log(MP.mpf(p) / MP.mpf(q))) < 4 * ULP


def test_erfcx_differences_keep_their_digits() -> None:
    rng = np.random.default_rng(3)
    for u, gap in zip(
        (*rng.uniform(-0.25, 3, 200), *10.0 ** rng.uniform(0, 1.5, 200)), 10.0 ** rng.uniform(-12, 1, 400)
    ):
        z = u + gap
        exact = MP.mpf(z) - MP.mpf(u)
        with MP.workdps(800):  # exp(u**2) of a large u
            at_u, at_z = erfcx(MP.mpf(u)), erfcx(MP.mpf(z))
            true = (at_u, at_z, at_u - at_z)
        if exact:
            for found, value in zip(elementary.erfcx_pair(u, z, float(exact)), true):
                assert relative(found, value) < 16 * ULP


def market(count: int, seed: int) -> Iterator[tuple[float, float, float, float, int]]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        spot = 10.0 ** rng.uniform(-3, 6)
        t = 10.0 ** rng.uniform(-5, 1)
        vol = 10.0 ** rng.uniform(-1.5, 0.5)
        strike = spot * math.exp(rng.normal() * 2.5 * vol * math.sqrt(t))
        yield spot, strike, t, vol, int(rng.choice([-1, 1]))


@pytest.mark.parametrize(("depth", "tolerance"), [(4, 6e-15), (12, 1e-13), (37, 1e-12)])
def test_prices_out_of_the_money(depth: float, tolerance: float) -> None:
    """Relative error by depth in standard deviations: what the rounding of ln(F/K) and vol sqrt(t) leaves."""
    rng = np.random.default_rng(4)
    for _ in range(400):
        t, vol = 10.0 ** rng.uniform(-7.5, 1), 10.0 ** rng.uniform(-2, 0.7)
        strike = math.exp(rng.uniform(-depth, depth) * vol * math.sqrt(t))
        if not 1e-120 < strike < 1e120:
            continue
        right = naive.otm_right(1.0, strike)
        true = naive.black(right, 1.0, strike, t, vol)
        if true > 1e-300:
            assert relative(price(right, 1.0, strike, t, vol), true) < tolerance


@pytest.mark.parametrize("model", ["black", "bachelier"])
@pytest.mark.parametrize(("rate", "dividend"), [(0.0, 0.0), (0.07, 0.0125), (-0.01, 0.03)])
def test_greeks_are_the_derivatives_of_the_price(model: str, rate: float, dividend: float) -> None:
    for spot, strike, t, vol, right in market(40, seed=5):
        unit = spot if model == "bachelier" else 1.0
        true = naive.greeks(model, right, spot, strike, t, vol * unit, rate, dividend)
        found = greeks(right, spot, strike, t, vol * unit, rate=rate, dividend=dividend, model=model)
        tolerance = 2e-14 + 2e-15 / (vol * math.sqrt(t))  # a rounded forward is off by so many standard deviations
        size = {  # what the terms of each sum to before they cancel
            "price": spot + strike,
            "delta": 1.0,
            "gamma": true["gamma"],
            "vega": true["vega"],
            "theta": abs(true["theta"]) + (abs(rate) + abs(dividend)) * (spot + strike),
            "rho": t * (spot + strike),
        }
        for name, scale in size.items():
            assert abs(MP.mpf(getattr(found, name)) - true[name]) <= tolerance * abs(MP.mpf(scale)), name


def test_greeks_on_a_forward() -> None:
    """Black-76: derivatives by the forward, the discount alone feels the rate and time."""
    for forward, strike, t, vol, right in market(30, seed=6):
        true = naive.greeks("black", right, forward, strike, t, vol, 0.06, 0.06)
        found = greeks(right, None, strike, t, vol, rate=0.06, forward=forward)
        scale = {"price": forward + strike, "delta": 1.0, "gamma": true["gamma"], "vega": true["vega"]}
        scale["theta"] = abs(true["theta"]) + 0.06 * (forward + strike)
        for name, size in scale.items():
            assert abs(MP.mpf(getattr(found, name)) - true[name]) <= 3e-14 * abs(MP.mpf(size)), name
        assert found.rho == -t * found.price


def test_bachelier_prices() -> None:
    rng = np.random.default_rng(9)
    for _ in range(200):
        t, vol = 10.0 ** rng.uniform(-7, 1), 10.0 ** rng.uniform(-3, 4)
        forward = rng.uniform(-200, 200)
        strike = forward + rng.uniform(-12, 12) * vol * math.sqrt(t)
        right = naive.otm_right(forward, strike)
        true = naive.bachelier(right, forward, strike, t, vol)
        assert relative(price(right, forward, strike, t, vol, model="bachelier"), true) < 1e-13
