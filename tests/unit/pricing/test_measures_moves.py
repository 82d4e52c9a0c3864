"""Expected move: its readings by closed form, from surface and from quotes."""

import math

import numpy as np
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing.measures import expected_move
from smiles import SKEWED, SviSurface, chain_of, flat

T = 30 / 365


def test_a_flat_smile() -> None:
    surface = flat(0.15, T, spot=25_000.0, rate=0.06)
    found = expected_move(surface, T)
    forward, s = 25_000 * math.exp(0.06 * T), 0.15 * math.sqrt(T)
    straddle = 2 * forward * math.erf(s / math.sqrt(8))
    assert found.straddle == pytest.approx(straddle, rel=1e-13)
    assert found.straddle_price == pytest.approx(math.exp(-0.06 * T) * straddle, rel=1e-13)
    assert found.rule == pytest.approx(0.85 * found.straddle_price, rel=1e-15)
    assert found.one_sigma == pytest.approx(forward * s, rel=1e-13)
    assert found.low == pytest.approx(forward * math.exp(-s - s * s / 2), rel=1e-13)
    assert found.high == pytest.approx(forward * math.exp(s - s * s / 2), rel=1e-13)
    assert found.density == pytest.approx((found.high - found.low) / 2, rel=1e-15)
    assert found.straddle / found.one_sigma == pytest.approx(math.sqrt(2 / math.pi), rel=1e-3)


def test_a_chain_gives_the_surface_it_came_from() -> None:
    """Quotes 100 points apart; the straddle at the forward lies between two strikes."""
    surface = SviSurface([SKEWED], T, spot=25_030.0, rate=0.06)
    chain = chain_of(surface, np.arange(20_000, 30_001, 100), spread=0.02)
    from_chain = expected_move(chain, chain.labels[0], surface=surface)
    from_surface = expected_move(surface, T)
    assert from_chain.straddle == pytest.approx(from_surface.straddle, rel=1e-4)
    assert from_chain.low == from_surface.low
    assert np.isnan(expected_move(chain, T).density)


def test_straddle_is_the_mean_absolute_move() -> None:
    """E|S - F| by the density itself, whatever its shape."""
    from algomaster.pricing.measures import density

    surface = SviSurface([SKEWED], T, spot=25_000.0)
    strikes = np.linspace(1_000, 60_000, 200_001)
    found = density(surface, T, strikes=strikes)
    mean = np.trapezoid(np.abs(strikes - found.forward) * found.density, strikes)
    assert expected_move(surface, T).straddle == pytest.approx(mean, rel=1e-5)


def test_frame_and_words() -> None:
    found = expected_move(flat(0.15, T, spot=25_000.0), T)
    frame = found.to_frame()
    assert frame["method"].to_list() == ["straddle", "rule", "one_sigma", "density"]
    assert frame["percent"][2] == pytest.approx(100 * 0.15 * math.sqrt(T), rel=1e-12)
    assert frame["high"][0] - frame["low"][0] == pytest.approx(2 * found.straddle)
    assert "mean absolute move" in repr(found)
    assert "0.85" in found._repr_html_()


def test_missing_quotes_and_wrong_input() -> None:
    surface = SviSurface([SKEWED], T, spot=25_030.0)
    above = chain_of(surface, np.arange(25_100, 27_000, 100))
    found = expected_move(above, T)
    assert np.isnan([found.straddle, found.one_sigma, found.rule]).all()
    with pytest.raises(ValueError, match="expected an expiry of the chain"):
        expected_move(above, 0.5)
    with pytest.raises(ValueError, match="t: expected a positive number"):
        expected_move(surface, 0.0)
    with pytest.raises(PricingError, match="no smile"):
        expected_move(flat(float("nan"), T), T)
