"""Fitting a surface and asking it: what is used, what is said, what is refused."""

import dataclasses
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing import implied_vol, price
from algomaster.pricing.surface import Surface
from naive.smiles import essvi_variance, sabr_vol, svi_variance
from smile_chains import KINDS, chain_of, random_chain

YEARS = np.array([0.1, 0.5, 1.0])
ROWS = {
    "svi": [[0.002, 0.04, -0.4, 0.01, 0.06], [0.006, 0.09, -0.35, 0.02, 0.12], [0.012, 0.12, -0.3, 0.03, 0.2]],
    "essvi": [[0.004, -0.4, 0.1], [0.02, -0.38, 0.2], [0.04, -0.35, 0.3]],
    "sabr": [[0.2, 1.0, -0.4, 1.0], [0.2, 1.0, -0.4, 0.6], [0.2, 1.0, -0.4, 0.5]],
}


def known(method, **terms):
    return Surface.from_parameters(method, YEARS, ROWS[method], **terms)


def noiseless(method, strikes=41, **terms):
    surface = known(method)
    k = np.linspace(-0.4, 0.3, strikes) * np.sqrt(YEARS)[:, None]
    vol = surface.vol(k, YEARS[:, None])
    return chain_of(k.ravel(), vol.ravel(), np.repeat(np.arange(3), strikes), YEARS, **terms), surface


@pytest.mark.parametrize("method", KINDS)
def test_a_fit_finds_the_surface_that_made_the_quotes(method):
    chain, truth = noiseless(method)
    fit = Surface.fit(chain, method)
    np.testing.assert_allclose(fit.vol(np.log(chain.strike / 100.0), chain.t), chain.vol, rtol=1e-4)
    np.testing.assert_allclose(fit.vol(0.0, YEARS), truth.vol(0.0, YEARS), rtol=2e-5)
    assert (fit.quotes.weight > 0).all()
    again = Surface.fit(chain, method, previous=fit)
    np.testing.assert_allclose(again.vol(0.1, YEARS), fit.vol(0.1, YEARS), rtol=2e-5)


def test_beta_is_fitted_on_request():
    k = np.linspace(-0.5, 0.4, 60)
    forward, beta = 100.0, 0.4
    vol = sabr_vol(k, 1.0, 0.25 * forward ** (1 - beta), beta, -0.2, 0.5, forward)
    fit = Surface.fit(chain_of(k, vol, np.zeros(60), [1.0]), "sabr", beta=None, weights="equal")
    np.testing.assert_allclose(fit.vol(k, 1.0), vol, rtol=1e-4)
    held = Surface.fit(chain_of(k, vol, np.zeros(60), [1.0]), "sabr", beta=beta, weights="equal")
    np.testing.assert_allclose(held.parameters[0, :4], [0.25, 0.4, -0.2, 0.5], rtol=1e-3)


@pytest.mark.parametrize("method", KINDS)
def test_vol_variance_and_kinds(method):
    surface = known(method)
    assert surface.vol(0.0, 0.5) == pytest.approx(math.sqrt(surface.variance(0.0, 0.5) / 0.5))
    assert isinstance(surface.vol(0.0, 0.5), float)
    assert surface.vol(np.zeros((4, 1)), YEARS).shape == (4, 3)
    ks = pd.Series([-0.1, 0.0, np.nan], index=[7, 8, 9], name="k")
    got = surface.vol(ks, 0.5)
    assert list(got.index) == [7, 8, 9]
    assert np.isnan(got.iloc[2])
    assert isinstance(surface.variance(pl.Series("k", [0.0, 0.1]), 0.5), pl.Series)
    assert np.isnan(surface.vol(0.0, [0.0, -1.0, np.nan, np.inf])).all()
    with pytest.raises(TypeError, match="k: expected numbers"):
        surface.vol("high", 0.5)


@pytest.mark.parametrize("method", KINDS)
def test_between_before_and_after_the_expiries(method):
    surface, k = known(method), np.linspace(-0.3, 0.3, 7)
    w = [surface.variance(k, t) for t in YEARS]
    np.testing.assert_allclose(surface.variance(k, 0.2), 0.75 * w[0] + 0.25 * w[1], rtol=1e-13)
    np.testing.assert_allclose(surface.vol(k, 0.03), surface.vol(k, 0.1), rtol=1e-13)
    grown = 2.0 * (surface.variance(0.0, 1.0) - surface.variance(0.0, 0.5))
    np.testing.assert_allclose(surface.variance(k, 2.0), w[2] + 2.0 * grown / 2.0 * 1.0, rtol=1e-12)
    one = Surface.from_parameters(method, [0.5], ROWS[method][:1])
    assert one.vol(0.0, 3.0) == pytest.approx(one.vol(0.0, 0.5), rel=1e-12)


def test_business_time():
    chain, _ = noiseless("svi")
    business = np.array([0.08, 0.5, 1.05])
    given = Surface.fit(chain, "svi", clock=business)
    called = Surface.fit(chain, "svi", clock=lambda t: np.interp(t, [0.0, *YEARS], [0.0, *business]))
    for surface in (given, called):
        np.testing.assert_array_equal(surface.clock, business)
        share = (0.29 - 0.08) / (0.5 - 0.08)  # t = 0.3 lies half-way, at 0.29 of business time
        w0, w1 = surface.variance(0.05, 0.1), surface.variance(0.05, 0.5)
        assert surface.variance(0.05, 0.3) == pytest.approx(w0 + share * (w1 - w0), rel=1e-12)
    np.testing.assert_array_equal(given.variance(0.1, YEARS), Surface.fit(chain, "svi").variance(0.1, YEARS))
    for bad in ([0.1, 0.5], [0.5, 0.1, 1.0], [0.0, 0.5, 1.0], [0.1, np.nan, 1.0]):
        with pytest.raises(ValueError, match="clock: expected"):
            Surface.fit(chain, clock=bad)


def test_forwards_and_discounts_between():
    surface = known("svi", forward=[101.0, 103.0, 106.0], discount=[0.995, 0.98, 0.95], spot=100.0)
    np.testing.assert_array_equal(surface.forward_at(YEARS), surface.forward)
    np.testing.assert_array_equal(surface.discount_at(YEARS), surface.discount)
    assert surface.forward_at(0.0) == pytest.approx(100.0)
    assert surface.forward_at(0.05) == pytest.approx(math.sqrt(100.0 * 101.0))
    assert surface.forward_at(0.3) == pytest.approx(math.sqrt(101.0 * 103.0))
    assert surface.forward_at(1.5) == pytest.approx(106.0 * 106.0 / 103.0)
    assert surface.discount_at(0.0) == 1.0
    assert surface.discount_at(2.0) == pytest.approx(0.95**2)
    without = known("svi", forward=[101.0, 103.0, 106.0])
    assert without.forward_at(0.01) == pytest.approx(101.0)
    assert np.isnan(without.forward_at(-0.1))


def test_prices_are_those_of_the_volatility():
    surface = known("essvi", forward=[101.0, 103.0, 106.0], discount=[0.995, 0.98, 0.95])
    strike = np.array([80.0, 103.0, 120.0])
    vol = surface.vol(np.log(strike / 103.0), 0.5)
    expected = price("PE", None, strike, 0.5, vol, rate=-math.log(0.98) / 0.5, forward=103.0)
    np.testing.assert_allclose(surface.price("PE", strike, 0.5), expected, rtol=1e-13)
    found = implied_vol(expected, "PE", None, strike, 0.5, rate=-math.log(0.98) / 0.5, forward=103.0)
    np.testing.assert_allclose(found.vol, vol, rtol=1e-11)


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize("t", [0.05, 0.3, 1.0, 1.7])
def test_the_density_integrates_to_one_and_gives_the_forward(method, t):
    surface = known(method, forward=100.0)
    strike = 100.0 * np.exp(np.linspace(-40, 20, 120001) * surface.vol(0.0, t) * math.sqrt(t))
    density = surface.density(strike, t)
    assert np.trapezoid(density, strike) == pytest.approx(1.0, abs=2e-3)
    assert np.trapezoid(density * strike, strike) == pytest.approx(100.0, rel=2e-3)


def test_the_density_is_the_second_difference_of_prices():
    surface = known("svi", forward=100.0)
    strike, h = np.linspace(85.0, 115.0, 13), 0.01
    calls = [surface.price("CE", strike + shift, 0.5) for shift in (-h, 0.0, h)]
    expected = (calls[0] - 2 * calls[1] + calls[2]) / h**2
    np.testing.assert_allclose(surface.density(strike, 0.5), expected, rtol=1e-4)


def test_expiries_that_cannot_be_fitted_are_told():
    chain, _ = noiseless("svi")
    chain.forward[2] = np.nan
    chain.vol[(chain.expiry == 0) & (np.arange(chain.vol.size) % 14 > 0)] = np.nan
    fit = Surface.fit(chain, "svi")
    assert fit.labels == ("0.5000 y",)
    assert list(fit.skipped) == ["0.1000 y", "1.0000 y"]
    assert "fewer than 5 strikes" in fit.skipped["0.1000 y"]
    assert "no forward" in fit.skipped["1.0000 y"]
    assert "skipped" in repr(fit)
    assert "no forward" in fit._repr_html_()
    assert fit.residuals().height == 41
    chain.vol[:] = np.nan
    with pytest.raises(PricingError, match=r"No expiry of the chain can be fitted \(0.1000 y: fewer than"):
        Surface.fit(chain, "svi")


def test_outliers_are_left_out_and_shown():
    chain, truth = noiseless("svi", 61)
    rng = np.random.default_rng(3)
    chain.vol *= 1 + 0.002 * rng.standard_normal(chain.vol.size)
    inner = np.flatnonzero(np.abs(np.arange(chain.vol.size) % 61 - 30) < 25)  # two at an edge would be a wing
    wrong = np.sort(rng.choice(inner, 9, replace=False))
    chain.vol[wrong] *= 1.4
    for method in ("svi", "essvi", "sabr"):
        fit = Surface.fit(chain, method, weights="equal")
        out = fit.residuals().filter(~pl.col("kept"))
        assert set(wrong) <= set(out["row"].to_list()), method
        assert "left out" in repr(fit)
    fit = Surface.fit(chain, "svi", weights="equal")
    assert fit.residuals().filter(~pl.col("kept"))["row"].sort().to_list() == wrong.tolist()
    k = np.linspace(-0.1, 0.1, 21)
    np.testing.assert_allclose(fit.vol(k, 0.5), truth.vol(k, 0.5), rtol=5e-3)
    held = Surface.fit(chain, "svi", weights="equal", trim=None)
    assert held.residuals()["kept"].all()
    assert np.abs(held.vol(k, 0.5) / truth.vol(k, 0.5) - 1).max() > 0.01


def test_a_quote_whose_spread_holds_the_fit_stays():
    chain, _ = noiseless("svi", 61)
    at = 30
    chain.vol[at] *= 1.2
    mid = price(chain.right, None, chain.strike, chain.t, chain.vol, forward=100.0)
    width = np.full(chain.vol.size, 1e-4)
    width[at] = mid[at] * 0.5
    chain.bid, chain.ask = mid - width, mid + width
    fit = Surface.fit(chain, "svi", weights="equal")
    assert fit.residuals().filter(pl.col("row") == at)["kept"].all()


def test_out_of_the_money_options_are_used_and_both_near_the_forward():
    k = np.tile(np.linspace(-0.3, 0.3, 61), 2)
    right = np.repeat([1, -1], 61)
    vol = np.sqrt(svi_variance(k, 0.01, 0.1, -0.3, 0.0, 0.1))
    vol[(right == 1) & (k < -0.1)] = 0.9  # nonsense in the money, not looked at
    fit = Surface.fit(chain_of(k, vol, np.zeros(122), [1.0], right=right), "svi", weights="equal")
    used = fit.residuals()
    both = used.filter(pl.col("right") * pl.col("k") < -1e-9)
    assert 4 < both.height < 20
    assert both["k"].abs().max() < 0.25 * fit.vol(0.0, 1.0) + 1e-9
    weight = both.sort(pl.col("k").abs())["weight"]
    assert weight[0] > 4 * weight[-1] > 0
    np.testing.assert_allclose(used["residual"], 0.0, atol=1e-6)


def test_weights():
    chain, _ = noiseless("svi")
    mid = price(chain.right, None, chain.strike, chain.t, chain.vol, forward=100.0)
    chain.vol = chain.vol * (1 + 0.01 * np.random.default_rng(0).standard_normal(chain.vol.size))
    chain.bid, chain.ask = mid * 0.98, mid * 1.02

    def weights(kind):
        frame = Surface.fit(chain, "svi", weights=kind, trim=None).residuals().filter(pl.col("t") == 0.5)
        assert frame["weight"].mean() == pytest.approx(1.0)
        return frame

    assert weights("equal")["weight"].std() < 1e-9
    vega = weights("vega")
    assert vega["k"][vega["weight"].arg_max()] == pytest.approx(0.0, abs=0.03)
    spread = weights("spread")
    np.testing.assert_array_equal(spread["weight"], weights("auto")["weight"])
    middle = spread.filter(pl.col("k").abs() < 0.02)
    exact = implied_vol(chain.ask, chain.right, None, chain.strike, chain.t, forward=100.0).vol
    half = exact[middle["row"].to_numpy()] - middle["vol"].to_numpy()
    assert np.median(middle["half_spread"].to_numpy() / half) == pytest.approx(1.0, rel=0.25)
    given = np.zeros(chain.vol.size)
    given[::2] = 1.0
    assert weights(given).height == 20
    chain.bid = np.full(chain.vol.size, np.nan)
    np.testing.assert_array_equal(weights("auto")["weight"], vega["weight"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "heston"}, "method: expected one of 'svi', 'essvi', 'sabr', got 'heston'"),
        ({"weights": "best"}, "weights: expected one of"),
        ({"weights": [1.0]}, "weights: expected one a quote"),
        ({"trim": 0.0}, "trim: expected a positive number or None"),
        ({"beta": 2.0}, "beta: expected a number from 0 to 1 or None"),
    ],
)
def test_settings_are_checked(settings, message):
    chain, _ = noiseless("svi")
    with pytest.raises(ValueError, match=message):
        Surface.fit(chain, **settings)


def test_negative_weights_and_chains_without_volatility_are_refused():
    chain, _ = noiseless("svi")
    with pytest.raises(ValueError, match="weights: expected none below 0"):
        Surface.fit(chain, weights=np.full(chain.vol.size, -1.0))
    chain.vol = None
    with pytest.raises(ValueError, match="expected volatilities"):
        Surface.fit(chain)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match=r"parameters: expected shape \(3, 5\) for svi"):
        Surface.from_parameters("svi", YEARS, ROWS["essvi"])
    with pytest.raises(ValueError, match="years: expected positive and ascending"):
        Surface.from_parameters("essvi", [0.5, 0.1, 1.0], ROWS["essvi"])
    with pytest.raises(ValueError, match="labels: expected 3"):
        known("svi", labels=("a",))
    with pytest.raises(PricingError, match="knows no quotes"):
        known("svi").residuals()


def test_what_it_shows():
    chain, noise, _ = random_chain(7, "essvi")
    surface = Surface.fit(chain)
    text = repr(surface)
    assert text.startswith("Surface (essvi)")
    assert "vol at the money" in text
    frame = surface.to_frame()
    assert frame.columns[:5] == ["expiry", "t", "forward", "discount", "atm"]
    assert frame.height == surface.years.size
    assert "none" in repr(surface.arbitrage())
    assert surface.arbitrage().to_frame().height == 0
    assert (surface.rmse < 3 * noise).all()
    with pytest.raises(dataclasses.FrozenInstanceError):
        surface.method = "svi"
    with pytest.raises(ValueError, match="kind: expected one of 'surface', 'smiles', 'residuals', 'density'"):
        surface.plot("cake")


def test_arbitrage_is_told_with_its_places():
    w = essvi_variance(np.array([0.0]), 0.04, 0.0, 0.3)
    crossing = Surface.from_parameters(
        "essvi", [0.5, 1.0], [[0.04, -0.3, 0.3], [0.041, 0.3, 0.2]], labels=("near", "far")
    )
    assert w[0] == pytest.approx(0.04)
    report = crossing.arbitrage()
    (place,) = report.of("calendar")
    assert (place.expiry, place.kind) == ("far", "calendar")
    k = np.linspace(place.k_low, place.k_high, 11)
    assert (crossing.variance(k, 1.0) < crossing.variance(k, 0.5)).all()
    assert crossing.variance(place.k_high + 0.05, 1.0) > crossing.variance(place.k_high + 0.05, 0.5)
    worst = (crossing.variance(k, 1.0) / crossing.variance(k, 0.5) - 1).min()
    assert place.size <= worst < 0
    assert report
    assert "calendar far" in repr(report)
    assert report.to_frame()["k_high"][0] == place.k_high
    assert len(crossing.arbitrage(k=[place.k_high + 0.05, place.k_high + 0.1])) == 0


def test_sabr_wings_go_on_as_straight_lines():
    chain, _ = noiseless("sabr")
    fit = Surface.fit(chain, "sabr")
    for e, t in enumerate(YEARS):
        low, high = fit.parameters[e, 4:]
        for end, step in ((low, -1e-7), (high, 1e-7)):
            inside, outside = (np.array(fit.derivatives(end + side * step, t)) for side in (-1, 1))
            np.testing.assert_allclose(outside[:2], inside[:2], rtol=1e-5)
            assert outside[2] == 0.0
            slopes = fit.derivatives(end + np.array([1.0, 10.0]) * np.sign(step), t)[1] * np.sign(step)
            assert (slopes > 0).all()
            assert (slopes < 2).all()
