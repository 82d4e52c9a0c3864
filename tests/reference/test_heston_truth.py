"""The truth of random smiles is itself checked: Heston prices of papers and of QuantLib."""

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from naive.heston import call

LEWIS = {
    (1.0, 0.04): {
        80: 26.774758743998854221382195, 90: 20.933349000596710388139446, 100: 16.070154917028834278213467,
        110: 12.132211516709844867860535, 120: 9.024913483457835636553375,
    },
    (0.01, 0.01): {
        90: 9.989001595065276544935948, 95: 4.989963479738160122154265, 100: 0.467782671512844263098248,
        105: 2.527447823194706060519991e-6, 110: 1.299327600526249207048813e-13,
    },
}  # fmt: skip
"""Calls by (years, first variance) and strike; spot 100, rate 1 %, dividend 2 %, kappa 4, theta 0.25, eta 1, rho -0.5:
A. Lewis, "Heston model reference prices" (financepress.com, 15 February 2019)."""


@pytest.mark.parametrize(("t", "v0"), LEWIS)
def test_published_prices(t, v0):
    strike, price = (np.array(list(column), np.float64) for column in (LEWIS[t, v0], LEWIS[t, v0].values()))
    forward = 100 * np.exp(-0.01 * t)
    found = forward * np.exp(-0.01 * t) * call(np.log(strike / forward), t, v0, 4.0, 0.25, 1.0, -0.5, panels=60)
    np.testing.assert_allclose(found, price, rtol=0, atol=2e-13)


@pytest.mark.parametrize(("t", "price"), [(1.0, 5.785155435), (10.0, 22.318945791)])
def test_prices_of_the_cosine_paper(t, price):
    """Fang and Oosterlee (2008), section 5.2: at the money, without rates."""
    found = 100 * call(0.0, t, 0.0175, 1.5768, 0.0398, 0.5751, -0.5711, panels=60)
    assert found == pytest.approx(price, abs=1e-9)


def test_quantlib_agrees_and_few_panels_do():
    rng = np.random.default_rng(3)
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    for _ in range(40):
        days, level = int(rng.integers(3, 730)), rng.uniform(0.08, 0.8)
        kappa, theta, eta, rho = (
            rng.uniform(1, 6),
            level**2 * rng.uniform(0.5, 1.7),
            level * rng.uniform(0.7, 4.5),
            -0.6,
        )
        k = np.linspace(-3.0, 2.5, 9) * level * np.sqrt(days / 365)
        process = ql.HestonProcess(none, none, ql.QuoteHandle(ql.SimpleQuote(1.0)), level**2, kappa, theta, eta, rho)
        engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-13, 100_000)
        theirs = []
        for strike in np.exp(k):
            option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(today + days))
            option.setPricingEngine(engine)
            theirs.append(option.NPV())
        for panels, off in ((16, 1e-9), (60, 1e-11)):
            mine = call(k, days / 365, level**2, kappa, theta, eta, rho, panels=panels)
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=off)
