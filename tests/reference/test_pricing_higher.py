"""Greeks of second and third order against 80-digit differentiation, the 50-digit grid and QuantLib."""

import csv
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from algomaster.pricing import greeks
from algomaster.pricing.kernels.loops import ROWS
from algomaster.pricing.sticky import sticky_delta
from naive import black as naive
from shared_data import shared_path

MP = naive.MP
ULP = 2.0**-53


def market(
    count: int, seed: int, model: str = "black"
) -> Iterator[tuple[int, float, float, float, float, float, float]]:
    """From minutes to ten years, 3 % to 300 %, within five standard deviations."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        spot = 10.0 ** rng.uniform(-1, 5)
        t = 10.0 ** rng.uniform(-5, 1)
        vol = 10.0 ** rng.uniform(-1.5, 0.5)
        depth = rng.uniform(-5, 5) * vol * math.sqrt(t)
        if model == "bachelier":
            vol, strike = vol * spot, spot * (1.0 + depth)
        else:
            strike = spot * math.exp(max(-7.0, min(7.0, depth)))
        rate, dividend = rng.choice([0.0, 0.06, -0.01]), rng.choice([0.0, 0.0125, 0.1])
        yield int(rng.choice([-1, 1])), spot, strike, t, vol, float(rate), float(dividend)


@pytest.mark.parametrize("model", ["black", "bachelier"])
def test_every_greek_of_every_order(model: str) -> None:
    """Errors against the largest term of each sum: what is left of terms that cancel has fewer digits."""
    for right, spot, strike, t, vol, rate, dividend in market(50, 21, model):
        true = naive.all_greeks(model, right, spot, strike, t, vol, rate, dividend)
        found = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model, order=3)
        root = math.sqrt(t)
        deviation = vol * root
        forward = spot * math.exp((rate - dividend) * t)
        wide = (math.log(forward / strike) if model == "black" else forward - strike) / deviation
        shift = deviation if model == "black" else 0.0
        d = abs(wide) + shift + 1.0
        vega, gamma = abs(float(true["vega"])), abs(float(true["gamma"]))
        drift = abs(rate - dividend) * (1.0 if model == "black" else forward) * d / deviation
        speed_of_time = abs(rate) + 2 * abs(dividend) + drift + d * d / t
        size = {
            "price": spot + abs(strike) + abs(true["price"]),
            "delta": 1.0,
            "gamma": gamma,
            "vega": vega,
            "theta": abs(true["theta"]) + (abs(rate) + abs(dividend)) * (forward + abs(strike)) + vega * vol / t,
            "vanna": vega / spot * d / deviation * (1.0 if model == "black" else spot),
            "volga": vega * d * d / vol,
            "charm": abs(dividend) + vega * speed_of_time / (root * (spot if model == "black" else 1.0)),
            "veta": vega * speed_of_time,
            "dual_delta": 1.0,
            "dual_gamma": abs(true["dual_gamma"]),
            "speed": gamma * (1.0 + d / deviation * (1.0 if model == "black" else spot)) / spot,
            "zomma": gamma * d * d / vol,
            "color": gamma * speed_of_time,
            "ultima": vega * d**4 / vol**2,
            "elasticity": abs(true["elasticity"]),
        }
        # d is off by some roundings of ln(F/K), of which the density feels d times as many
        unit = 1.0 if model == "black" else forward
        tolerance = (20 + 8 * d * d + 4 * d * unit / deviation) * ULP
        for name in ROWS[3]:
            if name in true:
                allowed = tolerance * float(size[name]) + (1e-13 * spot if name == "elasticity" else 0.0)
                error = abs(MP.mpf(getattr(found, name)) - true[name])
                assert error <= allowed, (name, model, right, spot, strike, t, vol, rate, dividend, float(error))


def test_greeks_on_a_forward_of_every_order() -> None:
    """Black-76 is the spot with a yield equal to the rate, but for rho; Bachelier too."""
    for model in ("black", "bachelier"):
        for right, forward, strike, t, vol, rate, _ in market(40, 22, model):
            one = greeks(right, None, strike, t, vol, rate=rate, forward=forward, model=model, order=3)
            other = greeks(right, forward, strike, t, vol, rate=rate, dividend=rate, model=model, order=3)
            for name in ROWS[3]:
                if name != "rho":
                    assert getattr(one, name) == getattr(other, name), name
            assert one.rho == -t * one.price


def test_grid_of_50_digits() -> None:
    with shared_path("data", "reference", "bsm_mpmath_grid.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    for row in rows:
        spot, strike, t, rate, dividend, vol = (float(row[name]) for name in ("S", "K", "T", "r", "q", "sigma"))
        found = greeks(row["type"], spot, strike, t, vol, rate=rate, dividend=dividend, order=2)
        deviation = vol * math.sqrt(t)
        d = abs(math.log(spot / strike) + (rate - dividend) * t) / deviation + deviation + 1.0
        lost = 4e-16 * (1 + d * d + d / deviation)
        vega = float(row["vega"])
        size = {
            "vanna": vega / spot * d / deviation,
            "volga": vega * d * d / vol,
            "charm": abs(dividend) + vega / (spot * math.sqrt(t)) * (abs(rate - dividend) / deviation + d / t),
        }
        for name, column in {"vanna": "vanna", "volga": "volga", "charm": "charm_dDelta_dt"}.items():
            true = float(row[column])
            assert getattr(found, name) == pytest.approx(true, rel=0, abs=lost * size[name] + 1e-300), (row, name)


def test_quantlib() -> None:
    """Second opinion where QuantLib has one; its volga leaves out a factor at the money, so that is not asked."""
    import QuantLib as ql  # noqa: N813 (its own documentation calls it so)

    for right, spot, strike, t, vol, rate, dividend in market(60, 23):
        deviation = vol * math.sqrt(t)
        forward, discount = spot * math.exp((rate - dividend) * t), math.exp(-rate * t)
        kind = ql.Option.Call if right > 0 else ql.Option.Put
        theirs = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, strike), forward, deviation, discount)
        ours = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, order=2)
        pairs = {
            "price": theirs.value(),
            "delta": theirs.delta(spot),
            "gamma": theirs.gamma(spot),
            "vega": theirs.vega(t),
            "theta": theirs.theta(spot, t),
            "rho": theirs.rho(t),
            "dual_delta": theirs.strikeSensitivity(),
        }
        for name, value in pairs.items():
            near = spot + strike if name in {"price", "theta", "rho"} else 1.0
            assert getattr(ours, name) == pytest.approx(value, rel=1e-9, abs=1e-11 * near * max(1.0, t)), name
        if theirs.value() > 1e-3 * spot:
            assert ours.elasticity == pytest.approx(theirs.elasticity(spot), rel=1e-9)


@pytest.mark.parametrize("right", [1, -1])
def test_sticky_delta_is_the_slope_along_a_moving_smile(right: int) -> None:
    """Central difference of the price when the smile is a function of strike / spot."""
    strike, t, spot = 95.0, 0.25, 100.0

    def smile(k: float) -> float:
        return 0.2 - 0.15 * k + 0.3 * k * k

    def value(s: float) -> Any:
        return naive.black(right, s, strike, t, smile(math.log(strike / s)))

    h = 1e-4
    k = math.log(strike / spot)
    ours = greeks(right, spot, strike, t, smile(k))
    moved = sticky_delta(ours.delta, ours.vega, -0.15 + 0.6 * k, spot)
    assert moved == pytest.approx(float((value(spot + h) - value(spot - h)) / (2 * h)), rel=1e-7)
