"""What holds for every smile without arbitrage, and for every chain."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from algomaster.pricing.measures import (
    constant_vol,
    delta_moneyness,
    density,
    expected_move,
    smile_measures,
    swap_vol,
    variance_index,
)
from algomaster.pricing.measures.integrals import REACH
from smiles import SviSurface, chain_of, flat

EXAMPLES = settings(deadline=None, max_examples=100)
times = st.floats(1 / 365, 2.0)
spots = st.floats(1.0, 1e6)


@st.composite
def smiles(draw: st.DrawFn, count: int = 1) -> SviSurface:
    """SVI slices without butterflies by Gatheral and Jacquier's (2014) SSVI conditions, with gentle right wings."""
    years = np.sort(np.array([draw(times) for _ in range(count)]))
    assume(count == 1 or np.diff(years).min() > 1e-3)
    slices = []
    rho = draw(st.floats(-0.9, 0.5))
    vol = draw(st.floats(0.05, 1.0))
    for t in years:
        theta = vol * vol * t
        most = min(4 / (1 + abs(rho)) / theta, 2 / np.sqrt(theta * (1 + abs(rho))))
        phi = most * draw(st.floats(0.01, 0.8))
        b, sigma = theta * phi / 2, np.sqrt(1 - rho * rho) / phi
        slices.append((theta / 2 * (1 - rho * rho), b, rho, -rho / phi, sigma))
    return SviSurface(slices, years, spot=draw(spots))


HEAVY = SviSurface([(1.0, 1.06066017, 0.0, 0.0, 0.94280904)], np.array([2.0]), spot=1.0)
"""Wings so heavy that its deviation cannot be told (NaN, as documented)."""

LEANING = [
    SviSurface([(0.75, 0.8660254, rho, -rho / 0.8660254, 1.0)], np.array([2.0]), spot=1.0) for rho in (-0.5, 0.5)
]
"""One wing with density left e**60 times the forward away, so that the sum over the nodes does not end at 0."""


@EXAMPLES
@given(smiles())
@example(LEANING[0])
@example(LEANING[1])
def test_a_density_sums_to_one_and_to_the_forward(surface: SviSurface) -> None:
    found = density(surface, float(surface.years[0]))
    assert found.negative == ()
    assert found.mass == pytest.approx(1.0, abs=1e-9)
    assert found.mean == pytest.approx(found.forward, rel=1e-9)
    assert (found.density >= 0.0).all()
    assert (np.diff(found.cumulative) >= 0.0).all()


@EXAMPLES
@given(smiles(), st.floats(1e-6, 1 - 1e-6))
@example(HEAVY, 1e-6)
def test_a_quantile_has_its_probability(surface: SviSurface, q: float) -> None:
    """Unless it lies more than e**60 times the forward away, which only the heaviest wings bring about."""
    found = density(surface, float(surface.years[0]))
    level = found.quantile(q)
    if np.isnan(level):
        nearest, farthest = (found.prob_below(found.forward * np.exp(k)) for k in (-REACH, REACH))
        assert q <= nearest or q >= farthest
    else:
        assert found.prob_below(level) == pytest.approx(q, rel=1e-9)


@EXAMPLES
@given(smiles())
def test_a_variance_swap_is_the_mean_logarithm(surface: SviSurface) -> None:
    """-2 E[ln(S/F)] over the density, which needs w'', and the integral that does not.

    Both reach e**60 times the forward to either side; of the heaviest wings too much lies beyond.
    """
    t = float(surface.years[0])
    s = np.sqrt(float(surface.derivatives(0.0, t)[0]))
    k = s * np.sinh(np.linspace(-1.0, 1.0, 8001) * np.arcsinh(REACH / s))
    strikes = surface.spot * np.exp(k)
    found = density(surface, t, strikes=strikes)
    total = swap_vol(surface, t) ** 2 * t
    assume(2.0 * REACH * (found.cumulative[0] + 1.0 - found.cumulative[-1]) < 1e-5 * total)
    assert np.trapezoid(-2.0 * k * found.density * strikes, k) == pytest.approx(total, rel=1e-4)


@EXAMPLES
@given(smiles(), st.integers(-20, 20))
@example(HEAVY, 3)
def test_scaling_the_currency(surface: SviSurface, power: int) -> None:
    """What is unknown in one currency is unknown in the other."""
    factor = 2.0**power
    other = dataclasses.replace(surface, spot=surface.spot * factor)
    t = float(surface.years[0])
    one, two = density(surface, t), density(other, t)
    assert two.strikes == pytest.approx(one.strikes * factor, rel=1e-12)
    assert two.std == pytest.approx(one.std * factor, rel=1e-12, nan_ok=True)
    assert swap_vol(other, t) == swap_vol(surface, t)
    assert expected_move(other, t).straddle == pytest.approx(expected_move(surface, t).straddle * factor, rel=1e-12)


@EXAMPLES
@given(smiles(3))
def test_measures_are_volatilities_of_the_surface(surface: SviSurface) -> None:
    found = smile_measures(surface)
    k = delta_moneyness(surface, -0.25, surface.years)
    w = surface.derivatives(k, surface.years)[0]
    assert found["put_25"].to_numpy() == pytest.approx(np.sqrt(w / surface.years), rel=1e-12, nan_ok=True)
    assert found["atm_vol"].to_numpy() == pytest.approx(constant_vol(surface, surface.years * 365), rel=1e-12)
    assert np.isfinite(found.drop("expiry").to_numpy()).all()


@EXAMPLES
@given(st.floats(0.05, 0.6), st.floats(0.01, 0.5), st.sampled_from(["cboe", "nse"]), st.floats(-0.05, 0.15))
def test_an_index_rises_with_volatility(vol: float, more: float, method: str, rate: float) -> None:
    years = np.array([20, 45]) / 365
    strikes = np.arange(20.0, 400.0, 2.0)
    chains = [chain_of(flat(v, years, rate=rate), strikes) for v in (vol, vol * (1 + more))]
    low, high = (variance_index(chain, method=method, expiries=chain.labels).value for chain in chains)
    assert low < high


@EXAMPLES
@given(st.floats(0.1, 0.6), st.integers(-10, 10), st.sampled_from(["cboe", "nse"]))
def test_an_index_knows_no_currency(vol: float, power: int, method: str) -> None:
    years = np.array([20, 45]) / 365
    found = []
    for factor in (1.0, 2.0**power):
        chain = chain_of(flat(vol, years, spot=100.0 * factor), np.arange(40.0, 250.0, 2.5) * factor)
        found.append(variance_index(chain, method=method, expiries=chain.labels).value)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(smiles(2))
def test_an_index_is_the_integral(surface: SviSurface) -> None:
    """With strikes a tenth of a deviation apart, out to where prices vanish, the sum is the log contract's variance."""
    w = surface.derivatives(0.0, surface.years)[0]
    assume(w.min() > 1e-3)
    assume(w.max() < 0.25)
    surface = dataclasses.replace(surface, spot=100.0)
    chain = chain_of(surface, 100.0 * np.exp(np.arange(-12.0, 6.0, 0.1 * np.sqrt(w.min()))))
    for strip in variance_index(chain, expiries=chain.labels).strips:
        assert np.sqrt(strip.variance) == pytest.approx(swap_vol(surface, strip.t), rel=0.01)
