"""American and digital options against published tables, QuantLib, trees, and 80 digits."""

import math
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest

import naive.american as trees
from algomaster.pricing import price
from algomaster.pricing.americans import american, american_greeks, exercise_boundary
from algomaster.pricing.digitals import digital
from naive.black import MP

# Largest error as a fraction of the strike, of ordinary options; beside it the documentation of american().
ERRORS = {"fast": 1e-5, "accurate": 1e-7, "high": 3e-9}


def ordinary(n: int, seed: int) -> list[tuple[int, float, float, float, float, float, float]]:
    rng = np.random.default_rng(seed)
    return [
        (
            int(rng.choice([-1, 1])),
            100 * math.exp(rng.normal() * 0.2),
            100.0,
            float(rng.uniform(1 / 12, 3)),
            float(rng.uniform(0.1, 0.6)),
            float(rng.choice([0.0, rng.uniform(0.005, 0.1)])),
            float(rng.choice([0.0, rng.uniform(0.005, 0.1)])),
        )
        for _ in range(n)
    ]


def test_premium_of_the_paper() -> None:
    """Andersen, Lake and Offengenden (2016), benchmark of their convergence tables: r = q = 5 %, vol 25 %, a year."""
    option: Any = ("PE", 100, 100, 1.0, 0.25)
    terms = {"rate": 0.05, "dividend": 0.05}
    european = price(*option, **terms)
    for accuracy, error in (("fast", 1e-5), ("accurate", 1e-8), ("high", 2e-11)):
        found = american(*option, **terms, accuracy=accuracy) - european
        assert found == pytest.approx(0.106952702747, abs=error)


# Puts on 40 without dividends at a rate of 4.88 %, "true values" of a tree of 10,000 steps, as tabulated by J. Huang,
# M. Subrahmanyam and G. Yu, "Pricing and hedging American options", Review of Financial Studies 9(1) (1996).
HUANG = {
    0.2: {35: (0.0062, 0.2004, 0.4328), 40: (0.8522, 1.5798, 1.9904), 45: (5.0, 5.0883, 5.2670)},
    0.3: {35: (0.0774, 0.6975, 1.2198), 40: (1.3099, 2.4825, 3.1696), 45: (5.0597, 5.7056, 6.2436)},
    0.4: {35: (0.2466, 1.3460, 2.1549), 40: (1.7681, 3.3874, 4.3526), 45: (5.2868, 6.5099, 7.3830)},
}


@pytest.mark.parametrize("accuracy", ["fast", "accurate"])
def test_table_of_huang(accuracy: str) -> None:
    for vol, rows in HUANG.items():
        for strike, values in rows.items():
            found = american("PE", 40, strike, [0.0833, 0.3333, 0.5833], vol, rate=0.0488, accuracy=accuracy)
            assert found == pytest.approx(values, abs=1.2e-4)


@pytest.mark.parametrize("seed", range(4))
def test_trees(seed: int) -> None:
    for option in ordinary(15, seed):
        right, spot, strike, t, vol, rate, dividend = option
        true = trees.american(*option, steps=400)
        for accuracy in ERRORS:
            found = american(right, spot, strike, t, vol, rate=rate, dividend=dividend, accuracy=accuracy)
            assert found == pytest.approx(true, abs=3e-3), option


@pytest.mark.parametrize(
    ("rate", "dividend"), [(-0.02, -0.01), (-0.03, 0.02), (0.0, -0.04), (0.03, -0.03), (0.0, 0.0), (0.01, 0.2)]
)
def test_trees_where_rates_are_odd(rate: float, dividend: float) -> None:
    for right in (1, -1):
        first, second = (rate, dividend) if right < 0 else (dividend, rate)
        true = trees.american(right, 95, 100, 1.0, 0.25, first, second, steps=400)
        assert american(right, 95, 100, 1.0, 0.25, rate=first, dividend=second) == pytest.approx(true, abs=2e-3)


def quantlib_price(engine: str, option: tuple[Any, ...]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import QuantLib as ql  # noqa: N813 (its own documentation calls it so)
    right, spot, strike, t, vol, rate, dividend = option
    day, today = ql.Actual365Fixed(), ql.Date(2, 1, 2025)
    ql.Settings.instance().evaluationDate = today

    def flat(level: float) -> Any:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, level, day))

    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, day))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), flat(dividend), flat(rate), volatility)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if right > 0 else ql.Option.Put, strike)
    contract = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + round(t * 365)))
    contract.setPricingEngine(ql.QdFpAmericanEngine(process, getattr(ql.QdFpAmericanEngine, engine)()))
    return float(contract.NPV())


@pytest.mark.parametrize("accuracy", ERRORS)
def test_quantlib(accuracy: str) -> None:
    """Its scheme of the highest precision is good to some 1e-7 of the strike."""
    for right, spot, strike, t, vol, rate, dividend in ordinary(250, 7):
        years = round(t * 365) / 365
        true = quantlib_price("highPrecisionScheme", (right, spot, strike, years, vol, rate, dividend))
        found = american(right, spot, strike, years, vol, rate=rate, dividend=dividend, accuracy=accuracy)
        assert found == pytest.approx(true, abs=strike * max(ERRORS[accuracy], 2e-7))


def test_accuracies_agree_as_documented() -> None:
    right, spot, strike, t, vol, rate, dividend = (np.array(column) for column in zip(*ordinary(1000, 8)))
    found = {
        accuracy: american(right, spot, strike, t, vol, rate=rate, dividend=dividend, accuracy=accuracy)
        for accuracy in ERRORS
    }
    for accuracy in ("fast", "accurate"):
        assert np.max(np.abs(found[accuracy] - found["high"]) / strike) < ERRORS[accuracy]


def test_greeks_are_differences_of_prices() -> None:
    for right, spot, strike, t, vol, rate, dividend in ordinary(60, 9):
        inputs = {"spot": spot, "strike": strike, "t": t, "vol": vol, "rate": rate, "dividend": dividend}

        def at(name: str, step: float, inputs: dict[str, float] = inputs, right: int = right) -> float:
            return float(american(right, **(inputs | {name: inputs[name] + step}), accuracy="high"))

        found = american_greeks(right, **inputs, accuracy="high")
        boundary = exercise_boundary(right, strike, t, vol, rate=rate, dividend=dividend, accuracy="high")
        if abs(spot - boundary) < 0.03 * spot:
            continue  # there the second derivative jumps
        middle = at("spot", 0.0)
        slope = {name: (at(name, h) - at(name, -h)) / (2 * h) for name, h in (("vol", 1e-3), ("t", 1e-3))}
        assert found.price == middle
        assert found.delta == pytest.approx((at("spot", 0.05) - at("spot", -0.05)) / 0.1, abs=2e-6)
        bend = (at("spot", 0.5) - 2 * middle + at("spot", -0.5)) / 0.25
        assert found.gamma == pytest.approx(bend, rel=2e-3, abs=3e-6)
        assert found.vega == pytest.approx(slope["vol"], rel=1e-3, abs=1e-3)
        assert found.theta == pytest.approx(-slope["t"], rel=1e-3, abs=2e-3)
        if rate > 2e-3:
            assert found.rho == pytest.approx((at("rate", 1e-3) - at("rate", -1e-3)) / 2e-3, rel=2e-3, abs=5e-2)


def test_haug_digitals() -> None:
    """The worked examples of sections 4.19.3 and 4.19.4."""
    cash = digital("PE", 100, 80, 0.75, 0.35, rate=0.06, dividend=0.06, cash=10)
    assert cash.price == pytest.approx(2.6710, abs=5e-5)
    assert digital("PE", 70, 65, 0.5, 0.27, rate=0.07, dividend=0.05, pays="asset").price == pytest.approx(
        20.2069, abs=5e-5
    )


def exact_digital(
    right: int, spot: Any, strike: Any, t: Any, vol: Any, rate: Any, dividend: Any, pays: str
) -> mpmath.mpf:
    s, k, years, v, r, q = (MP.mpf(x) for x in (spot, strike, t, vol, rate, dividend))
    forward, deviation = s * MP.exp((r - q) * years), v * MP.sqrt(years)
    d2 = MP.log(forward / k) / deviation - deviation / 2
    if pays == "cash":
        return MP.exp(-r * years) * MP.ncdf(right * d2)
    return MP.exp(-r * years) * forward * MP.ncdf(right * (d2 + deviation))


@pytest.mark.parametrize("pays", ["cash", "asset"])
def test_digitals_out_of_the_money_have_all_digits(pays: str) -> None:
    rng = np.random.default_rng(10)
    for _ in range(250):
        t, vol, forward = 10.0 ** rng.uniform(-7, 1), 10.0 ** rng.uniform(-2, 0.3), 10.0 ** rng.uniform(-2, 5)
        right = int(rng.choice([-1, 1]))
        depth = rng.uniform(0, 30)
        strike = forward * math.exp(right * depth * vol * math.sqrt(t))
        true = exact_digital(right, forward, strike, t, vol, 0, 0, pays)
        found = digital(right, None, strike, t, vol, forward=forward, pays=pays).price
        # a digital out of the money is as sensitive to its volatility: d**2 roundings of it are in the input
        assert abs(found / true - 1) < 2e-15 * (8 + depth**2)


@pytest.mark.parametrize("pays", ["cash", "asset"])
def test_digital_greeks(pays: str) -> None:
    """Against numerical differentiation with 80 digits."""
    rng = np.random.default_rng(11)
    for _ in range(40):
        right = int(rng.choice([-1, 1]))
        point = {
            "spot": rng.uniform(80, 120), "strike": 100.0, "t": rng.uniform(0.05, 2), "vol": rng.uniform(0.1, 0.6),
            "rate": rng.uniform(-0.03, 0.1), "dividend": rng.uniform(0, 0.1),
        }  # fmt: skip
        h = MP.mpf(10) ** -15

        def at(name: str, step: mpmath.mpf, point: dict[str, float] = point, right: int = right) -> mpmath.mpf:
            return exact_digital(right, **(point | {name: MP.mpf(point[name]) + step}), pays=pays)

        found = digital(right, **point, pays=pays)
        slope = {name: (at(name, h) - at(name, -h)) / (2 * h) for name in ("spot", "vol", "t", "rate")}
        bend = (at("spot", h) - 2 * at("spot", MP.mpf(0)) + at("spot", -h)) / h**2
        true = {
            "price": at("spot", MP.mpf(0)), "delta": slope["spot"], "gamma": bend, "vega": slope["vol"],
            "theta": -slope["t"], "rho": slope["rate"],
        }  # fmt: skip
        size = 100.0 if pays == "asset" else 1.0
        for name, value in true.items():
            assert getattr(found, name) == pytest.approx(float(value), rel=1e-12, abs=1e-13 * size), name


@pytest.mark.parametrize("right", [1, -1])
def test_a_digital_under_a_smile_is_a_difference_of_vanilla_options(right: int) -> None:
    slope, level = -0.004, 0.25
    found = digital(right, 100, 103, 0.7, level, rate=0.05, dividend=0.02, skew=slope)

    def vanilla(spot: float, strike: float, t: float, move: float) -> float:
        vol = level + move + slope * (strike - 103)
        return float(price(right, spot, strike, t, vol, rate=0.05, dividend=0.02))

    def spread(spot: float = 100, t: float = 0.7, move: float = 0.0) -> float:
        return -right * (vanilla(spot, 103.01, t, move) - vanilla(spot, 102.99, t, move)) / 0.02

    assert found.price == pytest.approx(spread(), abs=1e-8)
    assert found.delta == pytest.approx((spread(spot=100.01) - spread(spot=99.99)) / 0.02, abs=1e-7)
    assert found.gamma == pytest.approx((spread(spot=100.5) - 2 * spread() + spread(spot=99.5)) / 0.25, abs=1e-6)
    assert found.vega == pytest.approx((spread(move=1e-4) - spread(move=-1e-4)) / 2e-4, abs=1e-5)
    assert found.theta == pytest.approx(-(spread(t=0.7001) - spread(t=0.6999)) / 2e-4, abs=1e-6)
    asset = digital(right, 100, 103, 0.7, level, rate=0.05, dividend=0.02, skew=slope, pays="asset")
    whole = right * (asset.price - 103 * found.price)
    assert whole == pytest.approx(vanilla(100, 103, 0.7, 0.0), abs=1e-12)
