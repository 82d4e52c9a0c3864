"""The risk-neutral density as a user meets it."""

import statistics

import numpy as np
import polars as pl
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing.measures import density
from smiles import SKEWED, VOGT, SviSurface, flat

NORMAL = statistics.NormalDist()


def test_a_flat_smile_is_lognormal() -> None:
    surface = flat(0.2, 0.5, spot=100.0, rate=0.06)
    forward, s = 100 * np.exp(0.03), 0.2 * np.sqrt(0.5)
    found = density(surface, 0.5)
    z = (np.log(found.strikes / forward) + s * s / 2) / s
    exact = np.array([NORMAL.pdf(x) for x in z]) / (found.strikes * s)
    assert found.density == pytest.approx(exact, rel=1e-12)
    assert found.cumulative == pytest.approx(np.array([NORMAL.cdf(x) for x in z]), rel=1e-12)
    assert found.mass == pytest.approx(1.0, abs=1e-13)
    assert found.mean == pytest.approx(forward, rel=1e-13)
    assert found.std == pytest.approx(forward * np.sqrt(np.expm1(s * s)), rel=1e-12)
    assert (found.skewness, found.kurtosis) == pytest.approx((0.0, 0.0), abs=1e-10)
    assert found.negative == ()
    for q in (1e-6, 0.16, 0.5, 0.84, 1 - 1e-6):
        assert found.quantile(q) == pytest.approx(forward * np.exp(s * NORMAL.inv_cdf(q) - s * s / 2), rel=1e-11)


def test_probabilities() -> None:
    found = density(flat(0.2, 0.5), 0.5)
    s = 0.2 * np.sqrt(0.5)
    below = NORMAL.cdf((np.log(0.9) + s * s / 2) / s)
    assert found.prob_below(90.0) == pytest.approx(below, rel=1e-13)
    assert found.prob_between(90, 110) == found.prob_below(110.0) - found.prob_below(90.0)
    assert found.prob_between(np.array([90, 95]), 110).shape == (2,)
    assert found.quantile(found.prob_below(93.0)) == pytest.approx(93.0, rel=1e-13)


def test_arbitrage_is_reported_and_not_clipped() -> None:
    found = density(SviSurface([VOGT], 1.0), 1.0, strikes=np.linspace(20, 400, 1001))
    assert len(found.negative) == 1
    low, high = found.negative[0]
    assert 185 < low < 195
    assert 345 < high < 355
    assert found.density.min() < 0
    assert found.mass == pytest.approx(1.0, abs=1e-12)  # negative density balances what is too much elsewhere
    assert "negative            190" in repr(found)
    assert "negative" in found._repr_html_()


def test_default_strikes_span_the_distribution() -> None:
    found = density(SviSurface([SKEWED], 30 / 365, spot=25_000.0), 30 / 365)
    assert found.cumulative[0] == pytest.approx(1e-4, rel=1e-9)
    assert found.cumulative[-1] == pytest.approx(1 - 1e-4, rel=1e-9)
    assert found.skewness < 0 < found.kurtosis


def test_a_label_names_an_expiry() -> None:
    surface = flat(0.2, [0.1, 0.5])
    assert density(surface, "0.5000 y").t == 0.5
    assert density(surface, 0.5).label == "0.5000 y"
    with pytest.raises(ValueError, match=r"expected one of 0\.1000 y, 0\.5000 y, got 'March'"):
        density(surface, "March")


def test_a_steep_right_wing_has_no_deviation() -> None:
    """With a slope of total variance above 0.343 the second moment is infinite (Lee 2004)."""
    steep = density(SviSurface([(0.01, 0.5, 0.0, 0.0, 0.1)], 0.5), 0.5)
    gentle = density(SviSurface([(0.01, 0.1, 0.0, 0.0, 0.1)], 0.5), 0.5)
    assert steep.std == np.inf
    assert steep.mean == pytest.approx(100.0, rel=1e-10)
    assert np.isfinite(gentle.std)


def test_a_surface_that_ends() -> None:
    """Beyond its end all is NaN; mass and mean still come out right, of the moments nothing is said."""
    surface = SviSurface([SKEWED], 30 / 365, reach=0.1)
    found = density(surface, 30 / 365, strikes=[50.0, 95.0, 100.0, 150.0])
    assert np.isnan(found.density).tolist() == [True, False, False, True]
    assert found.mass == pytest.approx(1.0, abs=1e-4)
    assert np.isnan(found.std)
    assert np.isnan(found.quantile(1e-9))


def test_wrong_input() -> None:
    surface = flat(0.2, 0.5)
    with pytest.raises(ValueError, match="positive number of years"):
        density(surface, -1.0)
    with pytest.raises(ValueError, match="strikes: expected positive"):
        density(surface, 0.5, strikes=[0.0, 1.0])
    with pytest.raises(TypeError, match="expected a Surface or a Chain, got str"):
        density("surface", 0.5)  # type: ignore[arg-type]
    with pytest.raises(PricingError, match="no smile at t"):
        density(flat(float("nan"), 0.5), 0.5)
    found = density(surface, 0.5)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        found.quantile(1.0)
    with pytest.raises(ValueError, match="low <= high"):
        found.prob_between(110, 90)
    with pytest.raises(ValueError, match="positive prices"):
        found.prob_below(-1.0)


def test_frame() -> None:
    frame = density(flat(0.2, 0.5), 0.5, strikes=pl.Series([90.0, 100.0])).to_frame()
    assert frame.columns == ["strike", "density", "cumulative"]
    assert frame.height == 2
