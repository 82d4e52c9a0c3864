"""What holds for every surface, whatever the quotes."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.core.errors import PricingError
from algomaster.pricing.surface import Surface, jump_wings
from naive.smiles import durrleman
from smile_chains import KINDS, chain_of, random_chain

seeds = st.integers(0, 10**6)


@settings(deadline=None, max_examples=60)
@given(seed=seeds, method=st.sampled_from(KINDS))
def test_derivatives_are_those_of_the_variance(seed, method):
    chain, _, _ = random_chain(seed, method)
    surface = Surface.fit(chain, method)
    deviation = surface.vol(0.0, surface.years[-1]) * np.sqrt(surface.years[-1])
    k = np.linspace(-2.0, 2.0, 21) * deviation + 1e-3 * deviation
    if method == "sabr":  # the second derivative jumps at the cutoffs
        edges = surface.parameters[:, 4:].ravel()
        k = k[(np.abs(k[:, None] - edges[None, :]) > 1e-3 * deviation).all(axis=1)]
    t, h = surface.years[-1], 1e-4 * deviation
    w, w1, w2 = surface.derivatives(k, t)
    up, down = surface.variance(k + h, t), surface.variance(k - h, t)
    np.testing.assert_array_equal(w, surface.variance(k, t))
    scale = w.max() / deviation
    np.testing.assert_allclose(w1, (up - down) / (2 * h), atol=1e-5 * scale, rtol=1e-5)
    np.testing.assert_allclose(w2, (up - 2 * w + down) / h**2, atol=1e-3 * scale / deviation, rtol=2e-3)
    np.testing.assert_allclose(surface.durrleman(k, t), durrleman(k, w, w1, w2), rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=150)
@given(seed=seeds, mess=st.floats(0.0, 0.6), few=st.booleans())
def test_extended_ssvi_is_free_of_arbitrage_whatever_the_quotes(seed, mess, few):
    """Also between, before and after the expiries, and for quotes that are nonsense."""
    chain, _, _ = random_chain(seed)
    rng = np.random.default_rng(seed)
    chain.vol *= np.exp(mess * rng.standard_normal(chain.vol.size))
    chain.vol *= np.exp(mess * rng.standard_normal(chain.years.size))[chain.expiry]
    if few:
        chain.vol[rng.random(chain.vol.size) < 0.7] = np.nan
    try:
        surface = Surface.fit(chain, "essvi")
    except PricingError:
        return
    assert not surface.arbitrage(points=201)
    theta, rho, psi = surface.parameters.T
    assert (np.diff(theta) > 0).all()
    assert (psi * (1 + np.abs(rho)) <= 4).all()
    assert (psi**2 * (1 + np.abs(rho)) <= 4 * theta * (1 + 1e-12)).all()
    first, last = surface.years[[0, -1]]
    times = np.array([0.01 * first, 0.5 * first, 1.5 * last, 3.0 * last])[:, None]
    k = np.linspace(-6, 6, 201) * np.sqrt(surface.variance(0.0, times))
    assert (surface.durrleman(k, times) >= -1e-12).all()
    grid = np.linspace(0.0, 3.0 * last, 60)[1:, None]
    w = surface.variance(np.linspace(-1.5, 1.5, 41)[None, :], grid)
    assert (np.diff(w, axis=0) >= -1e-12 * w[1:]).all()


@settings(deadline=None, max_examples=100)
@given(seed=seeds, mess=st.floats(0.0, 0.5), method=st.sampled_from(KINDS))
def test_wings_obey_lees_bound_and_variance_is_positive(seed, mess, method):
    chain, _, _ = random_chain(seed)
    rng = np.random.default_rng(seed)
    chain.vol *= np.exp(mess * rng.standard_normal(chain.vol.size))
    surface = Surface.fit(chain, method)
    far = np.array([-50.0, 50.0])
    _, slope, _ = surface.derivatives(far[None, :], surface.years[:, None])
    if method == "sabr":
        slope = slope[~np.isnan(slope)]
    assert (np.abs(slope) <= 2.0 + 1e-9).all()
    quotes = surface.quotes
    assert (surface.variance(quotes.k, surface.years[surface.quote_expiries]) > 0).all()


@settings(deadline=None, max_examples=30)
@given(seed=seeds, method=st.sampled_from(KINDS), scale=st.floats(0.01, 1e4))
def test_neither_the_order_of_rows_nor_the_unit_of_prices_matters(seed, method, scale):
    chain, _, _ = random_chain(seed)
    surface = Surface.fit(chain, method)
    other = copy.copy(chain)
    order = np.random.default_rng(seed).permutation(chain.vol.size)
    for name in ("right", "strike", "t", "price", "bid", "ask", "oi", "volume", "expiry", "vol", "status"):
        setattr(other, name, getattr(chain, name)[order])
    np.testing.assert_array_equal(Surface.fit(other, method).parameters, surface.parameters)
    other = copy.copy(chain)
    other.strike, other.forward = chain.strike * scale, chain.forward * scale
    scaled = Surface.fit(other, method)
    np.testing.assert_allclose(scaled.vol(0.01, scaled.years), surface.vol(0.01, surface.years), rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=100)
@given(
    a=st.floats(0.0, 0.1), b=st.floats(0.01, 1.0), rho=st.floats(-0.95, 0.95), m=st.floats(-0.3, 0.3),
    sigma=st.floats(0.02, 1.0), t=st.floats(0.05, 3.0),
)  # fmt: skip
def test_jump_wings_say_what_the_smile_does(a, b, rho, m, sigma, t):
    surface = Surface.from_parameters("svi", [t], [[a, b, rho, m, sigma]])
    wings = jump_wings([a, b, rho, m, sigma], t)
    w, w1, _ = surface.derivatives(0.0, t)
    assert wings.variance * t == pytest.approx(w)
    assert wings.skew == pytest.approx(0.5 * w1 / np.sqrt(w), abs=1e-9)
    _, left, _ = surface.derivatives(-1e6, t)
    _, right, _ = surface.derivatives(1e6, t)
    assert wings.put_slope * np.sqrt(w) == pytest.approx(-left, abs=1e-6)
    assert wings.call_slope * np.sqrt(w) == pytest.approx(right, abs=1e-6)
    k = m + np.linspace(-8, 8, 4001) * sigma
    assert surface.variance(k, t).min() == pytest.approx(wings.least * t, rel=1e-4)


@settings(deadline=None, max_examples=50)
@given(data=st.data(), method=st.sampled_from(KINDS))
def test_no_quotes_bring_a_kernel_down(data, method):
    """Anything a float can be, in any field: a fit or a PricingError, and then only numbers or NaN."""
    size = data.draw(st.integers(1, 24))
    anything = st.floats(allow_nan=True, allow_infinity=True)
    likely = st.floats(0.01, 3.0)
    mixed = st.one_of(likely, likely, likely, anything)
    draw = lambda one, n: np.array(data.draw(st.lists(one, min_size=n, max_size=n)))  # noqa: E731
    k, vol = draw(st.floats(-3, 3), size), draw(mixed, size)
    with np.errstate(all="ignore"):
        chain = chain_of(k, vol, draw(st.integers(0, 1), size), [0.2, 1.0], forward=draw(mixed, 2))
    chain.strike, chain.bid, chain.ask = draw(mixed, size), draw(mixed, size), draw(mixed, size)
    with np.errstate(all="ignore"):
        try:
            surface = Surface.fit(chain, method)
        except PricingError:
            return
        assert np.isfinite(surface.parameters).all()
        vol = surface.vol(np.linspace(-1, 1, 11)[None, :], np.array([0.1, 0.2, 0.6, 1.0, 2.0])[:, None])
    assert (np.isnan(vol) | (vol > 0)).all()
