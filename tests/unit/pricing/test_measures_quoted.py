"""Densities from quotes alone: known distributions, real chains, and what cannot be answered."""

import numpy as np
import pytest
from scipy.stats import norm

from algomaster.core.errors import PricingError
from algomaster.pricing import Chain, density
from algomaster.pricing.measures.quoted import QuotedSmile, smile_of_quotes
from algomaster.pricing.surface import Surface
from smile_chains import nse_json, nse_minute, nse_website, spx, spy
from smiles import SKEWED, SviSurface, chain_of, flat

FORWARD, YEARS, TICK = 24_500.0, 10 / 365, 0.05
STRIKES = np.arange(22_500.0, 26_501.0, 50.0)


def quoted(strikes, value):
    """A chain of calls and puts whose undiscounted calls are ``value(strikes)``, rounded to the tick, a tick apart."""
    rows = {
        "right": np.repeat([1, -1], strikes.size),
        "strike": np.tile(strikes, 2),
        "t": np.full(2 * strikes.size, YEARS),
    }
    calls = value(strikes)
    mid = np.round(np.concatenate([calls, calls - FORWARD + strikes]) / TICK) * TICK
    rows |= {
        "t": np.full(mid.size, YEARS),
        "bid": np.maximum(mid - TICK, 0.0),
        "ask": mid + TICK,
        "discount": np.ones(mid.size),
    }
    return Chain.from_frame(rows, spot=FORWARD)


class Event:
    """Two lognormals: up or down by the result of an event, about as likely."""

    share = np.array([0.45, 0.55])
    centre = FORWARD * np.array([0.965, 1.0 + 0.45 * 0.035 / 0.55])
    deviation = np.array([0.012, 0.011])

    @classmethod
    def calls(cls, strikes):
        d1 = np.log(cls.centre / strikes[:, None]) / cls.deviation + 0.5 * cls.deviation
        return (cls.centre * norm.cdf(d1) - strikes[:, None] * norm.cdf(d1 - cls.deviation)) @ cls.share

    @classmethod
    def below(cls, level):
        d2 = np.log(cls.centre / level[:, None]) / cls.deviation - 0.5 * cls.deviation
        return norm.cdf(-d2) @ cls.share

    @classmethod
    def density(cls, level):
        d2 = np.log(cls.centre / level[:, None]) / cls.deviation - 0.5 * cls.deviation
        return (norm.pdf(d2) / (level[:, None] * cls.deviation)) @ cls.share


def peaks(values):
    middle = values[1:-1]
    return np.count_nonzero((middle > values[:-2]) & (middle > values[2:]) & (middle > 0.02 * values.max()))


def test_two_peaks_around_an_event_are_found_where_a_family_of_smiles_has_one():
    chain = quoted(STRIKES, Event.calls)
    level = np.arange(23_000.0, 25_501.0, 10.0)
    found = density(chain, chain.labels[0], strikes=level)
    true = Event.density(level)
    assert peaks(true) == peaks(found.density) == 2
    assert np.abs(found.density - true).max() < 0.04 * true.max()
    assert np.abs(found.cumulative - Event.below(level)).max() < 0.003
    assert found.negative == ()
    family = density(chain.surface("svi"), chain.labels[0], strikes=level)
    assert np.abs(family.cumulative - Event.below(level)).max() > 0.01


@pytest.mark.parametrize("vol", [0.12, 0.6])
def test_flat_quotes_are_lognormal(vol):
    wide = FORWARD * np.exp(np.linspace(-4, 4, 81) * vol * np.sqrt(YEARS))
    chain = chain_of(flat(vol, YEARS, spot=FORWARD), wide)
    found = density(chain, chain.labels[0])
    deviation = vol * np.sqrt(YEARS)
    d2 = np.log(FORWARD / found.strikes) / deviation - 0.5 * deviation
    np.testing.assert_allclose(found.cumulative, norm.cdf(-d2), rtol=0, atol=1e-7)
    assert found.mass == pytest.approx(1, abs=1e-7)
    assert found.mean == pytest.approx(FORWARD, rel=1e-7)
    assert (found.skewness, found.kurtosis) == (pytest.approx(0, abs=1e-5), pytest.approx(0, abs=1e-5))


def test_a_skewed_smile_is_found_again():
    made = SviSurface([SKEWED], [30 / 365], spot=100.0, rate=0.05)
    chain = chain_of(made, np.arange(75.0, 116.0), spread=0.01)
    found, true = density(chain, chain.labels[0]), density(made, 30 / 365)
    level = found.quantile(np.array([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]))
    np.testing.assert_allclose(found.prob_below(level), true.prob_below(level), rtol=0, atol=1e-3)
    assert (found.label, found.forward) == (chain.labels[0], pytest.approx(true.forward, rel=1e-9))
    assert found.plot().layout.title.text == f"Risk-neutral density, {found.label}"


def real():
    yield "SPY", spy()
    yield next(spx())
    for name, chain in nse_website():
        if "_12" in name:
            yield name, chain
    yield "NIFTY minute", nse_minute()
    yield "NIFTY json", nse_json()


def test_real_chains_have_densities_nearer_to_the_quotes_than_svi_and_nowhere_negative():
    seen = 0
    for name, chain in real():
        near = Surface.fit(chain, "svi", trim=None)
        for label, rmse in zip(near.labels, near.rmse):
            smile = smile_of_quotes(chain, label)
            found = density(smile, label)
            assert found.negative == (), (name, label)
            assert smile.rmse < rmse, (name, label)
            assert found.mass == pytest.approx(1, abs=1e-4), (name, label)
            assert found.mean == pytest.approx(found.forward, rel=1e-4), (name, label)
            seen += 1
    assert seen > 60


def bent(slope):
    """A smile whose variance has this slope at both ends."""
    k = np.linspace(-0.2, 0.2, 9)
    return QuotedSmile(
        years=np.array([0.1]), labels=("one",), spot=100.0, forward=100.0, discount=1.0, k=k, w=0.02 + slope * k,
        bend=np.zeros(9), smoothing=1.0, rmse=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("slope", [-0.08, 0.0, 0.05])
def test_derivatives_in_and_beyond_the_quotes(slope):
    smile = bent(slope)
    k, step = np.array([-60.0, -1.0, -0.21, -0.13, 0.02, 0.19, 0.3, 2.0, 60.0]), 1e-5
    w, first, second = smile.derivatives(k, 0.1)
    up, down = (smile.derivatives(k + sign * step, 0.1) for sign in (1, -1))
    np.testing.assert_allclose((up[0] - down[0]) / (2 * step), first, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose((up[1] - down[1]) / (2 * step), second, rtol=1e-6, atol=1e-9)
    assert w.min() > 0
    edge = np.array([0.2 - 1e-12, 0.2 + 1e-12])
    assert np.ptp(smile.derivatives(edge, 0.1)[1]) < 1e-9


def test_what_cannot_be_answered():
    chain = quoted(STRIKES, Event.calls)
    with pytest.raises(ValueError, match="expected one of"):
        density(chain, "never")
    with pytest.raises(ValueError, match="expected an expiry of the chain"):
        density(chain, 0.5)
    few = quoted(STRIKES[36:40], Event.calls)
    with pytest.raises(PricingError, match="at least 5 strikes"):
        density(few, few.labels[0])


def test_the_price_of_any_payoff_follows():
    """A call worked out from the density is the call that was quoted."""
    chain = quoted(STRIKES, Event.calls)
    level = np.linspace(22_000.0, 27_000.0, 20_001)
    found = density(chain, chain.labels[0], strikes=level)
    for strike in (24_000.0, 24_500.0, 25_000.0):
        worth = np.trapezoid(np.maximum(level - strike, 0.0) * found.density, level)
        assert worth == pytest.approx(float(Event.calls(np.array([strike]))[0]), abs=1.0)
