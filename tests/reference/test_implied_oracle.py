"""Implied volatility against 80-digit arithmetic: the nasty set, with and without carry, in and out of the money."""

import functools
import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from algomaster.pricing import implied_vol
from algomaster.pricing.kernels import implied, implied_guess, implied_tails
from naive import black as naive

MP = naive.MP
ULP = 2.0**-53
TOLERANCE = 4e-15


def relative(found: float, true: mpmath.mpf) -> float:
    return float(abs(MP.mpf(found) / true - 1))


def polynomial(coefficients: tuple[float, ...], x: mpmath.mpf) -> mpmath.mpf:
    return functools.reduce(lambda value, c: value * x + MP.mpf(c), coefficients, MP.mpf(0))


def test_errors_of_the_polynomials_are_as_stated() -> None:
    grid = [MP.mpf(i) / 400 for i in range(-400, 401)]
    for r in (x * MP.log(2) / 2 for x in grid if x):
        assert abs(r * polynomial(implied_guess.EXPM1_COEFFICIENTS, r) / MP.expm1(r) - 1) < 5e-7
    for z in (x / 5 for x in grid if x):
        assert abs(z * polynomial(implied_guess.LOG_COEFFICIENTS, z * z) / (2 * MP.atanh(z)) - 1) < 3.1e-7
    for scale, margin, coefficients, tolerance in (
        (implied_guess.ROUGH_SCALE, implied_guess.ROUGH_MARGIN, implied_guess.ROUGH_COEFFICIENTS, 5.2e-7),
        (implied_tails.TAIL_SCALE, implied_tails.TAIL_MARGIN, implied_tails.TAIL_COEFFICIENTS, 1.5e-16),
    ):
        for q in grid[:-4]:  # the last is u = infinity
            u = MP.mpf(scale) * (1 + q) / (1 - q) - MP.mpf(margin)
            true = MP.exp(u * u) * MP.erfc(u)
            assert abs((1 - q) * polynomial(coefficients, q) / true - 1) < tolerance
    p0, p1, p2 = implied_guess.SPLIT_COEFFICIENTS
    for x in (MP.mpf(10) ** (5 * y - 4) for y in grid[400:]):
        true = (1 - MP.exp(x * x) * MP.erfc(x)) / 2
        assert abs(x * (1 + p0 * x) / (MP.sqrt(MP.pi) * (1 + p1 * x + p2 * x * x)) / true - 1) < 1.2e-3


def test_what_counts_as_near_ends_in_rounding_errors() -> None:
    """The last step from as far off as it is trusted, over all moneynesses and deviations."""
    rng = np.random.default_rng(31)
    trusted = 0
    for _ in range(400):
        a = 10.0 ** rng.uniform(-6, 2.8)
        s = (
            a / 10.0 ** rng.uniform(-2, 1.57)
            if rng.random() < 0.5
            else math.sqrt(2 * a) * 10.0 ** rng.uniform(-0.3, 0.3)
        )
        h, half = MP.mpf(a) / s, MP.mpf(s) / 2
        price = MP.ncdf(half - h) - MP.exp(a) * MP.ncdf(-half - h)
        if not (MP.mpf(10) ** -300 < price < 1 - MP.mpf(10) ** -15):
            continue
        far = price > 0.5
        target = float((1 - price if far else price) * implied_guess.LIFT)
        meant = 1 - MP.mpf(target) / implied_guess.LIFT if far else MP.mpf(target) / implied_guess.LIFT
        true = s + (meant - price) / MP.npdf(h - half)  # the target was rounded
        off = implied._NEAR * float((1 + abs(h - half) / MP.sqrt(2)) / (1 + (h + half) / MP.sqrt(2)))
        found, near = implied._last_step(s * (1 + 0.97 * off * rng.choice([-1, 1])), a, target, bool(far))
        trusted += near
        assert relative(found, true) < TOLERANCE
        assert not implied._last_step(s * (1 + 1.1 * off), a, target, bool(far))[1]
    assert trusted > 200


# --- the nasty set ---------------------------------------------------------------------------------------------

Case = tuple[int, float, float, float, float]  # right, forward, strike, t, vol from which the quote is made
CASES = 60


def deep_otm(rng: np.random.Generator) -> Case:
    vol, t = rng.uniform(0.05, 0.8), rng.uniform(0.005, 2)
    moneyness = rng.choice([-1, 1]) * rng.uniform(5, 12) * vol * math.sqrt(t)
    return 1 if moneyness > 0 else -1, 100.0, 100.0 * math.exp(moneyness), t, vol


def tiny_price(rng: np.random.Generator) -> Case:
    vol, t = rng.uniform(0.05, 0.8), rng.uniform(0.005, 2)
    moneyness = rng.choice([-1, 1]) * rng.uniform(6, 36.5) * vol * math.sqrt(t)
    return 1 if moneyness > 0 else -1, 1.0, math.exp(moneyness), t, vol


def seconds_left(rng: np.random.Generator) -> Case:
    t = math.exp(rng.uniform(0, math.log(3600))) / (365 * 86400)
    vol = rng.uniform(0.03, 1.5)
    strike = 22_000 * math.exp(rng.uniform(-4, 4) * vol * math.sqrt(t))
    return naive.otm_right(22_000, strike), 22_000.0, strike, t, vol


def at_the_forward(rng: np.random.Generator) -> Case:
    forward = 10.0 ** rng.uniform(-3, 5)
    return int(rng.choice([-1, 1])), forward, forward, 10.0 ** rng.uniform(-7, 1), 10.0 ** rng.uniform(-3, 0.3)


def near_intrinsic(rng: np.random.Generator) -> Case:
    vol, t = rng.uniform(0.05, 0.8), rng.uniform(0.005, 2)
    moneyness = rng.choice([-1, 1]) * rng.uniform(2.5, 7) * vol * math.sqrt(t)
    return -1 if moneyness > 0 else 1, 22_000.0, 22_000 * math.exp(moneyness), t, vol


def huge_vol(rng: np.random.Generator) -> Case:
    t = rng.uniform(0.05, 5)
    return int(rng.choice([-1, 1])), 100.0, 100 * math.exp(rng.normal()), t, rng.uniform(4, 14) / math.sqrt(t)


def neighbours(rng: np.random.Generator) -> Case:
    """Strike and forward a few units in the last place apart."""
    strike = 100 * (1 + int(rng.integers(1, 50)) * 2.0**-52)
    return 1, 100.0, strike, rng.uniform(0.01, 1), 10.0 ** rng.uniform(-15, -2)


def subnormal_price(rng: np.random.Generator) -> Case:
    vol, t = rng.uniform(0.05, 0.8), rng.uniform(0.005, 2)
    return 1, 1.0, math.exp(rng.uniform(37.5, 38.2) * vol * math.sqrt(t)), t, vol


GROUPS = (
    deep_otm, tiny_price, seconds_left, at_the_forward, near_intrinsic, huge_vol, neighbours, subnormal_price,
)  # fmt: skip


SIX = GROUPS[:6]
Draw = Callable[[np.random.Generator], Case]


def check_on_forward(draw: Draw, seed: int, cases: int) -> None:
    rng = np.random.default_rng(seed)
    done = 0
    while done < cases:
        right, forward, strike, t, vol = draw(rng)
        quote = float(naive.black(right, forward, strike, t, vol))
        intrinsic = max(right * (MP.mpf(forward) - MP.mpf(strike)), MP.mpf(0))
        if not intrinsic < MP.mpf(quote) < (forward if right > 0 else strike):
            continue
        found = implied_vol(quote, right, forward, strike, t)
        true = naive.implied("black", right, quote, forward, strike, t, vol)
        assert found.status == 0
        assert relative(found.vol, true) < TOLERANCE, (right, forward, strike, t, vol)
        start = implied_vol(quote, right, forward, strike, t, start=vol * (1 + rng.normal() / 50))
        assert start.status == 0
        assert relative(start.vol, true) < TOLERANCE, (right, forward, strike, t, vol)
        done += 1


def check_with_carry(draw: Draw, seed: int, cases: int) -> None:
    """Calls and puts in and out of the money on a spot.

    Attainable is what one rounding of the undiscounted quote, of the intrinsic value and of the drift (rate - dividend)
    t leaves: 2**-53 of each, times what the price feels of it, over vega times vol.
    """
    rng = np.random.default_rng(seed)
    done = 0
    while done < cases:
        right, forward, strike, t, vol = draw(rng)
        right = right if rng.random() < 0.5 else -right
        rate, dividend = rng.uniform(-0.02, 0.12), rng.uniform(0, 0.05)
        drift, years = (MP.mpf(rate) - MP.mpf(dividend)) * MP.mpf(t), MP.mpf(t)
        spot = float(MP.mpf(forward) * MP.exp(-drift))
        grown, discount = MP.mpf(spot) * MP.exp(drift), MP.exp(-MP.mpf(rate) * years)
        quote = float(naive.black(right, grown, strike, t, vol, discount))
        intrinsic = max(right * (grown - MP.mpf(strike)), MP.mpf(0))
        undiscounted = MP.mpf(quote) / discount
        if not intrinsic * (1 + 8 * ULP) < undiscounted < (grown if right > 0 else strike) * (1 - 8 * ULP):
            continue
        found = implied_vol(quote, right, spot, strike, t, rate=rate, dividend=dividend)
        true = naive.implied("black", right, undiscounted, grown, strike, t, vol)
        deviation = true * MP.sqrt(years)
        d1 = MP.log(grown / strike) / deviation + deviation / 2
        felt = undiscounted + intrinsic + abs(drift) * grown * MP.ncdf(right * d1)
        attainable = ULP * felt / (grown * MP.npdf(d1) * deviation)
        assert found.status == 0
        bound = max(TOLERANCE, 4 * attainable)
        assert relative(found.vol, true) < bound, (right, spot, strike, t, vol, rate, dividend)
        done += 1


@pytest.mark.parametrize("draw", GROUPS, ids=lambda draw: draw.__name__)
def test_nasty_set(draw: Draw) -> None:
    """Against the volatility that gives exactly the quoted float64, whatever volatility the quote was made from."""
    check_on_forward(draw, 7, CASES)


@pytest.mark.parametrize("draw", SIX, ids=lambda draw: draw.__name__)
def test_nasty_set_with_carry(draw: Draw) -> None:
    check_with_carry(draw, 13, CASES)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("draw", GROUPS, ids=lambda draw: draw.__name__)
def test_nasty_set_from_other_seeds(draw: Draw, seed: int) -> None:
    check_on_forward(draw, 1000 + seed, 200)
    if draw in SIX:
        check_with_carry(draw, 2000 + seed, 200)


def check_bachelier(seed: int, cases: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(cases):
        t, vol = 10.0 ** rng.uniform(-7, 1), 10.0 ** rng.uniform(-3, 4)
        forward = rng.uniform(-200, 200)
        strike = forward + rng.choice([0.0, 1e-9, 1.0]) * rng.uniform(-36, 36) * vol * math.sqrt(t)
        right = int(rng.choice([-1, 1]))
        quote = float(naive.bachelier(right, forward, strike, t, vol))
        if not quote > max(right * (MP.mpf(forward) - MP.mpf(strike)), 0):
            continue
        found = implied_vol(quote, right, forward, strike, t, model="bachelier")
        assert found.status == 0
        true = naive.implied("bachelier", right, quote, forward, strike, t, vol)
        assert relative(found.vol, true) < TOLERANCE, (right, forward, strike, t, vol)


def test_bachelier_implied() -> None:
    check_bachelier(8, 200)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_bachelier_implied_from_other_seeds(seed: int) -> None:
    check_bachelier(3000 + seed, 500)
