"""Smiles against the papers and QuantLib: formulas, jump wings, the butterfly of Vogt's example, fits."""

import json
import math

import mpmath
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from algomaster.pricing.surface import Surface, jump_wings
from naive import smiles
from shared_data import shared_path
from smile_chains import chain_of


@pytest.fixture(scope="module")
def vogt():
    return json.loads(shared_path("data", "reference", "svi_vogt.json").read_text())


def raw(vogt):
    return [vogt["raw"][name] for name in ("a", "b", "rho", "m", "sigma")]


def test_jump_wings_of_vogt(vogt):
    found = jump_wings(raw(vogt), vogt["raw"]["T"])
    published = vogt["published_jump_wings"]
    np.testing.assert_allclose(
        found, [published[name] for name in ("v", "psi", "p", "c", "vtilde")], rtol=5e-7, atol=5e-8
    )


def test_variance_of_vogt(vogt):
    surface = Surface.from_parameters("svi", [1.0], [raw(vogt)])
    rows = vogt["computed_total_variance"]
    got = surface.variance([row["k"] for row in rows], 1.0)
    np.testing.assert_allclose(got, [row["w"] for row in rows], rtol=1e-13)
    np.testing.assert_allclose(surface.vol([row["k"] for row in rows], 1.0), [row["iv"] for row in rows], rtol=1e-13)


def test_the_butterfly_of_vogt_lies_where_the_paper_shows_it(vogt):
    """Figure 1 of the paper: g is negative between about k = 0.6 and k = 1.1, and only there in its picture."""
    surface = Surface.from_parameters("svi", [1.0], [raw(vogt)])
    (place,) = surface.arbitrage(k=np.linspace(-1.5, 1.5, 3001)).of("butterfly")
    a, b, rho, m, sigma = (mpmath.mpf(value) for value in raw(vogt))

    def g(k):
        w, w1, w2 = (mpmath.diff(lambda x: a + b * (rho * (x - m) + mpmath.sqrt((x - m) ** 2 + sigma**2)), k, n)
                     for n in (0, 1, 2))  # fmt: skip
        return (1 - k * w1 / (2 * w)) ** 2 - w1**2 / 4 * (1 / w + mpmath.mpf(1) / 4) + w2 / 2

    low, high = (float(mpmath.findroot(g, guess)) for guess in (0.65, 1.1))
    assert (place.k_low, place.k_high) == pytest.approx((low, high), abs=1.1e-3)
    assert 0.5 < low < high < 1.3
    assert place.size == pytest.approx(float(min(g(mpmath.mpf(k)) for k in np.linspace(low, high, 401))), rel=1e-3)
    assert surface.density(math.exp(0.5 * (low + high)), 1.0) < 0 < surface.density(1.0, 1.0)


def test_sabr_is_quantlibs():
    rng = np.random.default_rng(1)
    for _ in range(300):
        t, alpha, beta = rng.uniform(0.02, 5), rng.uniform(0.05, 0.6), rng.choice([0.0, 0.3, 0.5, 1.0])
        rho, nu = rng.uniform(-0.95, 0.95), rng.uniform(0.05, 1.0)
        forward, k = rng.uniform(0.5, 200.0), rng.uniform(-0.5, 0.5)
        surface = Surface.from_parameters("sabr", [t], [[alpha, beta, rho, nu]])
        theirs = ql.sabrVolatility(forward * math.exp(k), forward, t, alpha * forward ** (1 - beta), beta, nu, rho)
        if theirs > 0.01:  # both formulas break down in some corners
            assert surface.vol(k, t) == pytest.approx(theirs, rel=2e-6)
            own = smiles.sabr_vol(k, t, alpha * forward ** (1 - beta), beta, rho, nu, forward)
            assert surface.vol(k, t) == pytest.approx(float(own), rel=1e-9)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5])
@pytest.mark.parametrize("k", [0.0, 1e-12, -1e-7, 1e-4, -2e-3, 0.0099, 0.0101, -0.05])
def test_sabr_near_the_money_with_120_digits(rho, k):
    mp = mpmath.mp.clone()
    mp.dps = 120
    t, alpha, beta, nu = 0.7, 0.25, 0.6, 0.8

    def variance(x):
        g = 1 - mp.mpf(beta)
        e = mp.exp(-g * x / 2)
        z = -mp.mpf(nu) / alpha * x / e
        chi = mp.log((mp.sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - mp.mpf(rho)))
        ratio = z / chi if z else mp.mpf(1)
        below = 1 + g**2 * x**2 / 24 + g**4 * x**4 / 1920
        time = g**2 * mp.mpf(alpha) ** 2 * e**2 / 24 + mp.mpf(rho) * beta * nu * alpha * e / 4
        vol = alpha * e / below * ratio * (1 + t * (time + (2 - 3 * mp.mpf(rho) ** 2) / 24 * mp.mpf(nu) ** 2))
        return vol * vol * t

    h = mp.mpf(10) ** -12
    x = mp.mpf(k) + (mp.mpf(10) ** -30 if k == 0.0 else 0)
    up, here, down = variance(x + h), variance(x), variance(x - h)
    surface = Surface.from_parameters("sabr", [t], [[alpha, beta, rho, nu]])
    w, w1, w2 = surface.derivatives(k, t)
    assert w == pytest.approx(float(here), rel=1e-14)
    assert w1 == pytest.approx(float((up - down) / (2 * h)), rel=1e-11, abs=1e-13)
    assert w2 == pytest.approx(float((up - 2 * here + down) / h**2), rel=1e-9)


def test_fits_are_as_near_as_quantlibs():
    rng = np.random.default_rng(2)
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    for _ in range(6):
        days = int(rng.integers(20, 700))
        t = days / 365
        k = np.linspace(-2.2, 1.8, 45) * 0.2 * math.sqrt(t)
        vol = smiles.sabr_vol(k, t, 0.2, 1.0, rng.uniform(-0.7, 0.1), rng.uniform(0.3, 0.9) / math.sqrt(max(t, 0.3)))
        vol = vol * (1 + 0.003 * rng.standard_normal(k.size))
        strikes, vols = [float(x) for x in 100 * np.exp(k)], [float(v) for v in vol]
        chain = chain_of(k, vol, np.zeros(k.size), [t])
        section = ql.SviInterpolatedSmileSection(
            today + days, 100.0, strikes, False, float(np.interp(0, k, vol)), vols, 0.02 * t, 0.1, 0.1, -0.3, 0.0,
            False, False, False, False, False, False,
        )  # fmt: skip
        svi = np.array([section.volatility(x) for x in strikes])
        found = ql.SABRInterpolation(strikes, vols, t, 100.0, 0.2, 1.0, 0.5, -0.3, False, True, False, False, False)
        row = (found.alpha(), found.beta(), found.nu(), found.rho())
        sabr = np.array([ql.sabrVolatility(x, 100.0, t, *row) for x in strikes])
        for method, theirs in (("svi", svi), ("sabr", sabr)):
            ours = Surface.fit(chain, method, weights="equal", trim=None).vol(k, t)
            assert np.sqrt(np.mean((ours - vol) ** 2)) <= 1.001 * np.sqrt(np.mean((theirs - vol) ** 2)), method


@pytest.mark.parametrize(("method", "seed"), [("svi", 0), ("essvi", 1), ("sabr", 2)])
def test_the_standard_error_is_the_scatter_over_many_noises(method, seed):
    """What :meth:`vol_error` says of one noisy chain, on average, is how the fits of 400 noisy chains scatter."""
    rng = np.random.default_rng(seed)
    rows = {"svi": [[0.006, 0.09, -0.35, 0.02, 0.12], [0.012, 0.12, -0.3, 0.03, 0.2]],
            "essvi": [[0.02, -0.38, 0.2], [0.04, -0.35, 0.3]],
            "sabr": [[0.2, 1.0, -0.4, 0.7], [0.2, 1.0, -0.4, 0.5]]}  # fmt: skip
    years, n = np.array([0.5, 1.0]), 50
    truth = Surface.from_parameters(method, years, rows[method])
    k = np.linspace(-0.45, 0.35, n) * np.sqrt(years)[:, None]
    vol = truth.vol(k, years[:, None]).ravel()
    at_k, at_t = np.linspace(-0.3, 0.25, 9)[None, :], np.array([0.25, 0.5, 0.75, 1.0])[:, None]
    seen, said = [], []
    for _ in range(400):
        noisy = vol + 0.001 * rng.standard_normal(vol.size)
        fit = Surface.fit(chain_of(k.ravel(), noisy, np.repeat([0, 1], n), years), method, weights="equal")
        seen.append(fit.vol(at_k, at_t))
        said.append(fit.vol_error(at_k, at_t))
    scatter, claimed = np.std(seen, axis=0), np.sqrt(np.mean(np.square(said), axis=0))
    ratio = claimed / scatter
    assert ratio.min() > 0.8
    assert ratio.max() < 1.25
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.07)
    inside = np.abs(np.array(seen) - truth.vol(at_k, at_t)) < 2 * np.array(said)
    assert 0.92 < inside.mean() < 0.975  # 95.4 % of a normal variable, a little less as the error is estimated
