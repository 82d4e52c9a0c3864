"""The stream: warm fits equal cold ones, quotes find their place, jumps cause fits from scratch."""

import copy

import numpy as np
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing.surface import Surface, SurfaceStream
from smile_chains import KINDS, chain_of, random_chain

SEEDS = {"svi": 4, "essvi": 11, "sabr": 2}


def started(method):
    chain, noise, _ = random_chain(SEEDS[method], method)
    return SurfaceStream(Surface.fit(chain, method, weights="equal")), chain, noise


def moved(chain, factor, seed):
    other = copy.copy(chain)
    other.vol = chain.vol * factor * (1 + 0.001 * np.random.default_rng(seed).standard_normal(chain.vol.size))
    return other


@pytest.mark.parametrize("method", KINDS)
def test_minute_after_minute_the_stream_is_as_good_as_a_cold_fit(method):
    stream, chain, _ = started(method)
    for minute in range(20):
        now = moved(chain, 1 + 0.002 * minute, minute)
        surface = stream.update(now)
        cold = Surface.fit(now, method, weights="equal")
        assert surface is stream.surface
        assert (surface.rmse <= 1.02 * cold.rmse + 1e-7).all()
    assert stream.restarts == 0


@pytest.mark.parametrize("method", KINDS)
def test_single_quotes_bring_the_surface_to_where_the_chain_would(method):
    stream, chain, noise = started(method)
    now = moved(chain, 1.03, 5)
    k = np.log(chain.strike / chain.forward[chain.expiry])
    order = np.random.default_rng(1).permutation(k.size)
    for part in np.array_split(order, 7):
        stream.update(k[part], chain.t[part], now.vol[part])
    cold = Surface.fit(now, method, weights="equal")
    years = chain.years[:, None]
    np.testing.assert_allclose(
        stream.surface.vol(np.zeros((1, 1)), years), cold.vol(np.zeros((1, 1)), years), rtol=0.3 * noise + 1e-4
    )
    assert stream.surface.quotes.k.size == cold.quotes.k.size


def test_a_new_strike_is_added_and_a_missing_volatility_takes_one_away():
    stream, chain, _ = started("svi")
    before = stream.surface.quotes.k.size
    t = float(chain.years[0])
    vol = stream.surface.vol(0.0123, t)
    stream.update(0.0123, t, vol)
    assert stream.surface.quotes.k.size == before + 1
    assert (np.diff(stream.surface.quotes.k[: stream.surface.quotes.first[1]]) > 0).all()
    stream.update([0.0123, 0.0123], t, [vol, 1.001 * vol])  # the later of two counts
    assert stream.surface.quotes.k.size == before + 1
    assert np.isclose(stream.surface.quotes.variance, (1.001 * vol) ** 2 * t, rtol=1e-12).any()
    stream.update(0.0123, t, np.nan)
    assert stream.surface.quotes.k.size == before
    assert "SurfaceStream" in repr(stream)
    assert "restarts" in stream._repr_html_()


def test_other_expiries_are_left_alone():
    stream, chain, _ = started("svi")
    before = stream.surface.parameters.copy()
    stream.update(0.01, chain.years[1], 1.02 * stream.surface.vol(0.01, chain.years[1]))
    changed = (stream.surface.parameters != before).any(axis=1)
    assert changed.tolist() == [e == 1 for e in range(before.shape[0])]


def test_a_stream_of_extended_ssvi_stays_free_of_arbitrage():
    stream, chain, _ = started("essvi")
    rng = np.random.default_rng(8)
    k = np.log(chain.strike / chain.forward[chain.expiry])
    for _ in range(30):
        i = rng.integers(k.size)
        surface = stream.update(k[i], chain.t[i], chain.vol[i] * rng.uniform(0.8, 1.25))
        assert not surface.arbitrage(points=101)


def test_a_jump_causes_a_fit_from_scratch():
    k = np.linspace(-0.4, 0.4, 41)
    smile, frown = 0.2 + 0.3 * (k - 0.1) ** 2, 0.35 - 0.2 * np.tanh(8 * k)
    stream = SurfaceStream(Surface.fit(chain_of(k, smile, np.zeros(41), [0.5]), "svi", weights="equal"), jump=1.5)
    after = chain_of(k, frown, np.zeros(41), [0.5])
    surface = stream.update(after)
    assert stream.restarts == 1
    cold = Surface.fit(after, "svi", weights="equal")
    assert surface.rmse[0] <= cold.rmse[0] * 1.0001
    other = SurfaceStream(Surface.fit(chain_of(k, smile, np.zeros(41), [0.5]), "svi", weights="equal"), jump=1.5)
    other.update(k, 0.5, frown)
    assert other.restarts == 1
    assert other.surface.rmse[0] <= cold.rmse[0] * 1.0001


@pytest.mark.parametrize("method", KINDS)
def test_time_passes_at_constant_volatility(method):
    stream, chain, _ = started(method)
    before = stream.surface
    passed = 0.3 * float(chain.years[0])
    k, t = 0.0, float(chain.years[0])
    surface = stream.update(k, t - passed, before.vol(k, t), now=passed)
    np.testing.assert_allclose(surface.years, chain.years - passed)
    np.testing.assert_allclose(surface.vol(0.01, surface.years), before.vol(0.01, before.years), rtol=5e-3)


def test_what_a_stream_refuses():
    stream, chain, _ = started("svi")
    before = stream.surface
    with pytest.raises(ValueError, match="t: expected an expiry of the surface"):
        stream.update(0.0, 77.0, 0.2)
    with pytest.raises(ValueError, match="expected a chain, or k, t and vol together"):
        stream.update(0.0, 0.5)
    with pytest.raises(ValueError, match="weights that are not negative"):
        stream.update(0.0, float(chain.years[0]), 0.2, -1.0)
    with pytest.raises(ValueError, match="now: expected from 0"):
        stream.update(0.0, float(chain.years[0]), 0.2, now=5.0)
    empty = moved(chain, 1.0, 0)
    empty.vol[:] = np.nan
    with pytest.raises(PricingError, match="No expiry"):
        stream.update(empty)
    assert stream.surface is before
    with pytest.raises(ValueError, match="jump: expected"):
        SurfaceStream(before, jump=0.5)
    with pytest.raises(PricingError, match="begins with a surface fitted to quotes"):
        SurfaceStream(Surface.from_parameters("essvi", [1.0], [[0.04, 0.0, 0.2]]))
