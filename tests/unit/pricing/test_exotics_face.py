"""The public face of American and digital options: what goes in, what comes out, what is refused."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.pricing import Greeks, price
from algomaster.pricing.americans import american, american_greeks, exercise_boundary
from algomaster.pricing.digitals import digital

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")


def test_scalars_give_floats() -> None:
    assert type(american("PE", 100, 100, 1, 0.2, rate=0.05)) is float
    assert type(exercise_boundary("PE", 100, 1, 0.2, rate=0.05)) is float
    for found in (american_greeks("PE", 100, 100, 1, 0.2, rate=0.05), digital("CE", 100, 100, 1, 0.2)):
        assert isinstance(found, Greeks)
        assert all(type(getattr(found, name)) is float for name in NAMES)


def test_arrays_broadcast() -> None:
    strikes = np.array([90.0, 100.0, 110.0])
    for call in (american, lambda *args, **terms: digital(*args, **terms).price):
        found = call([["CE"], ["PE"]], 100, strikes, 0.5, 0.2, rate=0.05)
        assert found.shape == (2, 3)
        assert found[1, 2] == call("PE", 100, 110, 0.5, 0.2, rate=0.05)
        assert call("CE", 100, [], 1, 0.2).shape == (0,)


def test_series_in_series_out() -> None:
    index = pd.Index(["a", "b"], name="contract")
    strikes = pd.Series([90.0, 110.0], index=index)
    found = american("PE", 100, strikes, 0.5, 0.2, rate=0.05)
    assert isinstance(found, pd.Series)
    assert (found.name, found.index.name) == ("price", "contract")
    edge = exercise_boundary("PE", pl.Series([90, None]), 0.5, 0.2, rate=0.05)
    assert isinstance(edge, pl.Series)
    assert edge.name == "boundary"
    assert math.isnan(edge[1])
    assert isinstance(digital("PE", 100, strikes, 0.5, 0.2).delta, pd.Series)
    assert isinstance(american_greeks("PE", 100, pl.Series([90.0]), 0.5, 0.2).vega, pl.Series)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: american("PE", 100, 100, 1, 0.2, accuracy="best"), "'fast', 'accurate', 'high', got 'best'"),
        (lambda: american_greeks("PE", 100, 100, 1, 0.2, units="percent"), "'raw', 'trader', got 'percent'"),
        (lambda: exercise_boundary("X", 100, 1, 0.2), "right: expected"),
        (lambda: american("PE", [1, 2], [1, 2, 3], 1, 0.2), "shapes that broadcast"),
        (lambda: digital("PE", 100, 100, 1, 0.2, pays="gold"), "'cash', 'asset', got 'gold'"),
        (lambda: digital("PE", 100, 100, 1, 0.2, pays="asset", cash=10), 'none with pays="asset", got 10'),
        (lambda: digital("PE", 100, 100, 1, 0.2, forward=101, dividend=0.01), "dividend"),
    ],
)
def test_what_is_refused(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("name", ["spot", "strike", "t", "vol", "rate", "dividend"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_bad_input_spoils_its_own_element_only(name: str, bad: float) -> None:
    good = {"spot": 100.0, "strike": 95.0, "t": 0.5, "vol": 0.2, "rate": 0.05, "dividend": 0.01}
    inputs: dict[str, Any] = {key: np.array([value, value, value]) for key, value in good.items()}
    inputs[name][1] = bad
    for found in (american_greeks("PE", **inputs), digital("PE", **inputs), digital("CE", **inputs, pays="asset")):
        for greek in NAMES:
            assert np.isnan(getattr(found, greek)).tolist() == [False, True, False]


def test_nothing_left_is_the_intrinsic_value() -> None:
    assert american(["CE", "PE", "PE"], [110, 110, 90], 100, 0.0, 0.2, rate=0.05).tolist() == [10, 0, 10]
    assert exercise_boundary("PE", 100, 0.0, 0.2, rate=0.05) == 100
    found = digital(["CE", "PE", "PE", "CE"], [110, 110, 90, 100], 100, 0.0, 0.2, cash=5)
    assert found.price.tolist() == pytest.approx([5, 0, 5, 2.5], rel=1e-15)
    assert np.isnan(found.gamma).tolist() == [False, False, False, True]


def test_without_volatility_the_best_moment_is_known() -> None:
    """A put in the money at once; out of it never; if the spot falls of itself, when carry turns, at q S = r K."""
    assert american("PE", 90, 100, 1.0, 0.0, rate=0.05) == 10.0
    assert american("PE", 101, 100, 1.0, 0.0, rate=0.05) == 0.0
    moment = math.log(0.08 * 70 / (0.04 * 100)) / 0.04
    best = 100 * math.exp(-0.04 * moment) - 70 * math.exp(-0.08 * moment)
    assert american("PE", 70, 100, 30.0, 0.0, rate=0.04, dividend=0.08) == pytest.approx(best, abs=2e-4)


def test_an_option_that_should_be_exercised() -> None:
    found = american_greeks("PE", 60, 100, 1.0, 0.2, rate=0.05)
    assert [getattr(found, name) for name in NAMES] == [40, -1, 0, 0, 0, 0]


def test_calls_without_dividend_are_european() -> None:
    """Merton (1973)."""
    strikes = np.linspace(50, 150, 21)
    assert np.array_equal(american("CE", 100, strikes, 1, 0.2, rate=0.05), price("CE", 100, strikes, 1, 0.2, rate=0.05))
    assert exercise_boundary("CE", 100, 1, 0.2, rate=0.05) == math.inf


def test_two_boundaries_are_not_priced() -> None:
    assert math.isnan(american("PE", 100, 100, 1, 0.1, rate=-0.01, dividend=-0.05))
    assert math.isnan(american("CE", 100, 100, 1, 0.1, rate=-0.05, dividend=-0.01))
    assert math.isnan(exercise_boundary("PE", 100, 1, 0.1, rate=-0.01, dividend=-0.05))
    assert all(
        math.isnan(getattr(american_greeks("CE", 100, 90, 1, 0.1, rate=-0.05, dividend=-0.01), n)) for n in NAMES
    )


def test_the_boundary_falls_with_the_time_left() -> None:
    """From the strike, or where dividends outrun interest, to the perpetual option's (Merton 1973)."""
    t = np.array([1e-8, 0.01, 0.1, 1.0, 10.0, 100.0])
    edge = exercise_boundary("PE", 100, t, 0.2, rate=0.05, accuracy="accurate")
    assert (np.diff(edge) < 0).all()
    assert edge[0] == pytest.approx(100, abs=0.05)
    assert edge[-1] == pytest.approx(100 * 2.5 / 3.5, rel=1e-3)  # 2 r / vol**2 = 2.5
    assert exercise_boundary("PE", 100, 1e-8, 0.2, rate=0.03, dividend=0.06) == pytest.approx(50, abs=0.05)


def test_trader_units() -> None:
    for call in (american_greeks, digital):
        raw, trader = (call("PE", 100, 95, 0.5, 0.2, rate=0.05, units=units) for units in ("raw", "trader"))
        assert (trader.vega, trader.rho) == pytest.approx((raw.vega / 100, raw.rho / 100), rel=1e-15)
        assert trader.theta == pytest.approx(raw.theta / 365, rel=1e-15)


def test_cash_and_forward_of_a_digital() -> None:
    one = digital("CE", 100, 105, 0.5, 0.2, rate=0.05)
    assert digital("CE", 100, 105, 0.5, 0.2, rate=0.05, cash=[7.0]).vega[0] == one.vega * 7
    on_forward = digital("CE", None, 105, 0.5, 0.2, rate=0.05, forward=100 * math.exp(0.025))
    assert on_forward.price == pytest.approx(one.price, rel=1e-14)
    assert on_forward.rho == -0.5 * on_forward.price
    assert math.isnan(digital("CE", 100, 105, 0.5, 0.2, cash=math.inf).price)
    assert math.isnan(digital("CE", 100, 105, 0.5, 0.2, skew=math.nan).price)


def test_they_show_themselves() -> None:
    assert "Greeks (american, raw)" in repr(american_greeks("PE", 100, 100, 1, 0.2))
    assert "Greeks (digital cash, raw)" in repr(digital("PE", 100, 100, 1, 0.2))


def test_nothing_else_imports_them() -> None:
    code = "import algomaster.pricing.european, algomaster.pricing.implied, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"americans", "digitals", "american", "american_loops", "digital"} & {
        name.rsplit(".", 1)[-1] for name in done.stdout.split() if name.startswith("algomaster")
    }
