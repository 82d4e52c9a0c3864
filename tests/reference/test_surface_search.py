"""Thousands of random surfaces and every real chain: no degenerate fit, no arbitrage, nothing better to be found."""

import numpy as np
import pytest
from scipy.optimize import minimize

from algomaster.pricing.surface import Surface
from algomaster.pricing.surface.smiles import read_smiles
from naive.smiles import essvi_variance
from naive.svi_search import best_svi
from smile_chains import KINDS, TRUTHS, chain_of, random_chain, real_chains

DEGENERATE = 5.0
"""A fit is degenerate if it misses an expiry's quotes by more than so many times their noise, though the truth is in
the family or something better can be found."""
OTHER_FAMILY = 0.03
"""How far, relative to volatility, SVI and extended SSVI may lie off an expiry of Heston's model, which is in neither;
of 10,000 random ones they lie 1.7 % and 2.6 % off at most."""
NEAR_BEST = 1.1
"""How many times the best root mean square residual a fit may have."""


def misses(surface):
    """Root mean square residual of every expiry, relative to volatility; quotes that were left out count too."""
    quotes, expiry = surface.quotes, surface.quote_expiries
    years = surface.years[expiry]
    vol = np.sqrt(quotes.variance / years)
    gap = surface.vol(quotes.k, years) / vol - 1
    return np.sqrt(np.bincount(expiry, gap * gap) / np.bincount(expiry))


def slices(quotes):
    for e in range(quotes.first.size - 1):
        span = slice(quotes.first[e], quotes.first[e + 1])
        yield quotes.k[span], quotes.variance[span], quotes.weight[span]


def check_random(seeds):
    counts = dict.fromkeys(KINDS, 0)
    for seed in seeds:
        chain, noise, kind = random_chain(seed, TRUTHS[seed % len(TRUTHS)])
        for method in ("svi", "essvi", *(("sabr",) if kind == "sabr" else ())):
            surface = Surface.fit(chain, method, weights="equal")
            assert not surface.skipped
            far = misses(surface) > DEGENERATE * noise
            if method == kind:
                assert not far.any(), (seed, method)
            elif method == "svi" and far.any():
                check_near_best(surface, seed)
            if kind == "heston":
                assert misses(surface).max() < OTHER_FAMILY, (seed, method)
            if method == "essvi":
                assert not surface.arbitrage(points=81), seed
            counts[method] += 1
    return counts


def check_near_best(surface, name, *, thorough=False):
    """SVI against brute force, on the quotes that were kept."""
    rows = zip(slices(surface.quotes), surface.parameters)
    for e, ((k, w, weight), (a, b, rho, m, sigma)) in enumerate(rows):
        kept = weight > 0
        k, w, weight = k[kept], w[kept], weight[kept]
        gap = w - (a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2)))
        mine = (weight * gap * gap).sum() / weight.sum()
        best = best_svi(k, w, weight, thorough=thorough)
        exact = (1e-6 * w.mean()) ** 2
        assert mine <= NEAR_BEST**2 * best + exact, (name, surface.labels[e], np.sqrt(mine / best))


def test_random_surfaces():
    counts = check_random(range(SOME))
    assert counts["svi"] == counts["essvi"] == SOME
    assert counts["sabr"] == SOME // len(TRUTHS)


@pytest.mark.soak
def test_many_random_surfaces_of_heston():
    for seed in range(SOME):
        chain, _, _ = random_chain(seed, "heston")
        for method in ("svi", "essvi"):
            surface = Surface.fit(chain, method, weights="equal")
            assert misses(surface).max() < OTHER_FAMILY, (seed, method)
            assert method == "svi" or not surface.arbitrage(points=81), seed


@pytest.mark.parametrize("seed", [1186, 1612, 9013])
def test_a_first_expiry_of_few_quotes_does_not_flatten_the_rest(seed):
    """Its smile alone came out flat once, and after a flat smile calendar arbitrage allows none but flat ones."""
    chain, noise, _ = random_chain(seed, "heston")
    assert (misses(Surface.fit(chain, "essvi", weights="equal")) < 2 * noise).all()


SOME = 10_000


def test_random_smiles_against_brute_force():
    for seed in range(8):
        chain, _, _ = random_chain(seed, TRUTHS[seed % len(TRUTHS)])
        check_near_best(Surface.fit(chain, "svi", weights="equal", trim=None), seed)


@pytest.mark.soak
def test_many_random_smiles_against_brute_force():
    for seed in range(6, 400):
        chain, _, _ = random_chain(seed, TRUTHS[seed % len(TRUTHS)])
        check_near_best(Surface.fit(chain, "svi", weights="equal", trim=None), seed, thorough=True)


@pytest.mark.parametrize("rho", [-0.5, 0.5])
def test_a_fit_that_starts_from_a_flat_surface_finds_the_slope(rho):
    years, k = np.array([0.1, 0.2, 0.5]), np.linspace(-0.2, 0.2, 11)
    every, expiry = np.tile(k, 3), np.repeat(np.arange(3), k.size)
    flat = Surface.fit(chain_of(every, np.full(every.size, 0.2), expiry, years), "essvi", weights="equal")
    assert flat.rmse.max() < 1e-12
    vol = [np.sqrt(essvi_variance(k, 0.04 * t, rho, 0.1 * np.sqrt(t)) / t) for t in years]
    chain = chain_of(every, np.concatenate(vol), expiry, years)
    assert Surface.fit(chain, "essvi", weights="equal", previous=flat).rmse.max() < 1e-6


@pytest.fixture(scope="module")
def chains():
    return list(real_chains())


def test_every_real_chain(chains):
    """Extended SSVI is free of arbitrage; SVI, which contains it, is nearer to the quotes of every expiry."""
    assert len(chains) == 15
    for name, chain in chains:
        free = Surface.fit(chain, "essvi", trim=None)
        assert not free.arbitrage(points=801), name
        assert free.vol(0.0, free.years).min() > 0.02, name
        near = Surface.fit(chain, "svi", trim=None)
        rmse = dict(zip(free.labels, free.rmse))
        for label, mine in zip(near.labels, near.rmse):
            assert mine <= 1.02 * rmse[label] + 1e-6, (name, label)
        for surface in (free, near, Surface.fit(chain, "sabr")):
            assert len(surface.labels) + len(surface.skipped) == chain.years.size
            assert np.isfinite(surface.vol(surface.quotes.k, surface.years[surface.quote_expiries])).all()
            assert Surface.fit(chain, surface.method, previous=surface).rmse.max() < 2 * surface.rmse.max() + 1e-9


def test_real_smiles_against_brute_force(chains):
    """The two largest expiries of every chain."""
    for name, chain in chains:
        check_near_best(largest(chain, 2), name)


@pytest.mark.soak
def test_every_real_smile_against_brute_force(chains):
    for name, chain in chains:
        check_near_best(Surface.fit(chain, "svi", trim=None), name, thorough=True)


def test_extended_ssvi_is_the_best_without_arbitrage(chains):
    """Against scipy's sequential quadratic programming on all parameters at once, under the same inequalities."""
    few = [chain for name, chain in chains if name.startswith(("NIFTY_20250829_092416", "NIFTY 2019", "BANKNIFTY"))]
    bound = 0
    made = [random_chain(seed, kind)[0] for kind in ("svi", "heston") for seed in range(50, 56)]
    for chain in (*few, *made):
        surface = Surface.fit(keeping(chain, 4), "essvi", trim=None)
        quotes = list(slices(surface.quotes))
        size = np.abs(surface.parameters) + 1e-3

        def misfit(x, quotes=quotes, size=size):
            rows = zip(quotes, x.reshape(size.shape) * size)
            return sum((weight * (w - essvi_variance(k, *row)) ** 2).sum() for (k, w, weight), row in rows)

        def room(x, size=size):
            theta, rho, psi = (x.reshape(size.shape) * size).T
            wide, right, left = 1 + np.abs(rho), psi * (1 + rho), psi * (1 - rho)
            falling = psi[:-1] / theta[:-1] * theta[1:] - psi[1:]
            calendar = (np.diff(theta) / theta[1:], np.diff(right), np.diff(left), falling)
            return np.concatenate([4 - psi * wide, 4 - psi**2 * wide / theta, 0.9995 - rho, 0.9995 + rho, *calendar])

        x = (surface.parameters / size).ravel()
        mine = misfit(x)
        assert room(x).min() > -1e-9
        limits = {"type": "ineq", "fun": room}
        found = minimize(lambda x, mine=mine: misfit(x) / mine, x, constraints=[limits], method="SLSQP")
        bound += room(x)[-4 * (len(size) - 1) :].min() < 1e-6 if len(size) > 1 else 0
        assert room(found.x).min() < -1e-6 or found.fun > 0.98**2
    assert bound  # calendar conditions did bind in some


def largest(chain, count):
    return Surface.fit(keeping(chain, count), "svi", trim=None)


def keeping(chain, count):
    """The chain with its ``count`` largest expiries only."""
    sizes = np.diff(read_smiles(chain, "auto").first)
    few = np.argsort(sizes, kind="stable")[: max(chain.years.size - count, 0)]
    forward = chain.forward.copy()
    forward[few] = np.nan
    return type(chain)(**{**vars(chain), "forward": forward})
