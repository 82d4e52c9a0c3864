"""vollib as a second opinion: prices, Greeks in its units, and implied volatility by Let's Be Rational."""

import warnings

import numpy as np
import pytest

from algomaster.pricing import greeks, implied_vol

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from vollib.black_scholes_merton import black_scholes_merton
    from vollib.black_scholes_merton.greeks import analytical
    from vollib.black_scholes_merton.implied_volatility import implied_volatility


def options(count: int = 300):
    rng = np.random.default_rng(41)
    for _ in range(count):
        t, vol, spot = 10.0 ** rng.uniform(-2.5, 0.5), rng.uniform(0.05, 0.9), rng.uniform(50, 30_000)
        strike = spot * np.exp(rng.uniform(-2.5, 2.5) * vol * np.sqrt(t))
        yield rng.choice(["c", "p"]), spot, strike, t, vol, rng.uniform(-0.01, 0.1), rng.uniform(0.0, 0.05)


def test_prices_and_greeks():
    for flag, spot, strike, t, vol, rate, dividend in options():
        ours = greeks(flag, spot, strike, t, vol, rate=rate, dividend=dividend, units="trader")
        theirs = (flag, spot, strike, t, rate, vol, dividend)
        assert ours.price == pytest.approx(black_scholes_merton(flag, spot, strike, t, rate, vol, dividend), rel=1e-9)
        for name in ("delta", "gamma", "vega", "theta", "rho"):
            true = getattr(analytical, name)(*theirs)
            assert getattr(ours, name) == pytest.approx(true, rel=1e-8, abs=1e-10 * spot), name


def test_implied_volatility():
    tried = 0
    for flag, spot, strike, t, vol, rate, dividend in options():
        in_money = (spot > strike) == (flag == "c")
        if in_money:  # their digits, too, are those of the quote
            continue
        quote = black_scholes_merton(flag, spot, strike, t, rate, vol, dividend)
        true = implied_volatility(quote, spot, strike, t, rate, dividend, flag)
        assert implied_vol(quote, flag, spot, strike, t, rate=rate, dividend=dividend).vol == pytest.approx(
            true, rel=1e-11
        )
        tried += 1
    assert tried > 100
