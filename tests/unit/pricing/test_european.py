"""The public face of pricing: what goes in, what comes out, what is refused."""

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.pricing import Greeks, greeks, price

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")


@pytest.mark.parametrize("call", ["CE", "ce", "c", "C", "call", "Call", 1, 1.0, np.int8(1), np.str_("CE")])
def test_ways_to_say_call(call: Any) -> None:
    assert price(call, 100.0, 90.0, 0.5, 0.2) == price(1, 100, 90, 0.5, 0.2)


@pytest.mark.parametrize("put", ["PE", "pe", "p", "P", "put", "PUT", -1, -1.0])
def test_ways_to_say_put(put: Any) -> None:
    assert price(put, 100, 90, 0.5, 0.2) == price(-1, 100, 90, 0.5, 0.2) < price(1, 100, 90, 0.5, 0.2)


@pytest.mark.parametrize("wrong", ["X", "calls", "", 0, 2, -1.5, ["CE", "FUT"], np.array([1, 3]), True])
def test_other_rights_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="right: expected"):
        price(wrong, 100, 100, 1, 0.2)


@pytest.mark.parametrize(
    "rights",
    [
        ["CE", None],
        np.array([1.0, np.nan]),
        pl.Series(["CE", None]),
        pl.Series(["CE", None], dtype=pl.Categorical),
        pd.Series(["CE", None]),
        pd.Series(["CE", None], dtype="category"),
    ],
)
def test_a_missing_right_gives_nan(rights: Any) -> None:
    found = np.asarray(price(rights, 100, 100, 1, 0.2))
    assert found[0] == price("CE", 100, 100, 1, 0.2)
    assert math.isnan(found[1])


def test_a_price_by_hand() -> None:
    """S = K, no carry: S (2 N(vol sqrt(t) / 2) - 1), N by the error function of the standard library."""
    assert price("CE", 100, 100, 0.25, 0.4) == pytest.approx(100 * math.erf(0.1 / math.sqrt(2)), rel=1e-15)


def test_scalars_give_floats() -> None:
    found = greeks("CE", 100, 100, 1, 0.2)
    assert all(type(getattr(found, name)) is float for name in NAMES)
    assert type(price("CE", np.float32(100), np.int64(100), 1, 0.2)) is float


def test_arrays_broadcast() -> None:
    strikes = np.array([90.0, 100.0, 110.0])
    found = price([["CE"], ["PE"]], 100, strikes, 0.5, 0.2)
    assert found.shape == (2, 3)
    assert found[1, 2] == price("PE", 100, 110, 0.5, 0.2)
    assert price("CE", 100, np.array([[90.0]]), 1, 0.2).shape == (1, 1)
    assert price("CE", 100, [], 1, 0.2).shape == (0,)
    assert price("CE", 100, strikes[::-1], 0.5, 0.2).tolist() == price("CE", 100, strikes, 0.5, 0.2)[::-1].tolist()


def test_polars_in_polars_out() -> None:
    frame = pl.DataFrame({"right": ["CE", "PE"], "strike": [90, None], "vol": [0.2, 0.3]})
    found = greeks(frame["right"], 100, frame["strike"], 0.5, frame["vol"])
    assert isinstance(found.delta, pl.Series)
    assert found.delta.name == "delta"
    assert found.price[0] == price("CE", 100, 90, 0.5, 0.2)
    assert math.isnan(found.price[1])


def test_pandas_in_pandas_out() -> None:
    index = pd.Index(["a", "b"], name="contract")
    found = price("PE", 100, pd.Series([90.0, 110.0], index=index), 0.5, pd.Series([0.2, 0.3], index=index))
    assert isinstance(found, pd.Series)
    assert (found.name, found.index.name) == ("price", "contract")
    assert found["b"] == price("PE", 100, 110, 0.5, 0.3)


def test_pandas_indexes_must_agree() -> None:
    with pytest.raises(ValueError, match="one index"):
        price("CE", pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0], index=[1, 0]), 1, 0.2)


def test_shapes_must_broadcast() -> None:
    with pytest.raises(ValueError, match=r"expected shapes that broadcast, got spot \(2,\), strike \(3,\)"):
        price("CE", [1, 2], [1, 2, 3], 1, 0.2)


def test_numbers_are_expected() -> None:
    with pytest.raises(TypeError, match="vol: expected numbers"):
        price("CE", 100, 100, 1, "high")


def test_arguments_are_not_changed() -> None:
    strikes = np.array([90.0, 110.0])
    strikes.flags.writeable = False
    assert price("CE", 100, strikes, 1, 0.2).flags.writeable


def test_a_forward_replaces_spot_and_dividend() -> None:
    forward = 100 * math.exp(0.05 * 0.5)
    on_forward = price("CE", None, 95, 0.5, 0.2, rate=0.05, forward=forward)
    assert on_forward == pytest.approx(price("CE", 100, 95, 0.5, 0.2, rate=0.05), rel=1e-14)
    assert on_forward == price("CE", 1.0, 95, 0.5, 0.2, rate=0.05, forward=forward)
    assert math.isnan(price("CE", math.nan, 95, 0.5, 0.2, rate=0.05, forward=forward))
    with pytest.raises(ValueError, match="dividend"):
        price("CE", 100, 95, 0.5, 0.2, dividend=0.01, forward=forward)
    with pytest.raises(ValueError, match="spot"):
        price("CE", None, 95, 0.5, 0.2)


@pytest.mark.parametrize("model", ["black", "bachelier"])
@pytest.mark.parametrize(("t", "vol"), [(0.0, 0.2), (1.0, 0.0), (0.0, 0.0), (-0.0, 0.2)])
def test_nothing_left_is_the_intrinsic_value(model: str, t: float, vol: float) -> None:
    for right, spot, worth, delta in (("CE", 110, 10.0, 1.0), ("PE", 110, 0.0, 0.0), ("PE", 90, 10.0, -1.0)):
        found = greeks(right, spot, 100, t, vol, model=model)
        assert (found.price, found.delta, found.gamma, found.vega, found.theta) == (worth, delta, 0.0, 0.0, 0.0)
    assert price("CE", 100, 100, t, vol, model=model) == 0.0


def test_at_expiry_on_the_strike_some_greeks_do_not_exist() -> None:
    found = greeks("CE", 100, 100, 0.0, 0.2)
    assert (found.price, found.vega) == (0.0, 0.0)
    assert found.delta == pytest.approx(0.5, rel=1e-15)
    assert math.isnan(found.gamma)
    assert math.isnan(found.theta)


@pytest.mark.parametrize("name", ["spot", "strike", "t", "vol", "rate", "dividend"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("model", ["black", "bachelier"])
def test_bad_input_spoils_its_own_element_only(name: str, bad: float, model: str) -> None:
    good = {"spot": 100.0, "strike": 95.0, "t": 0.5, "vol": 0.2, "rate": 0.05, "dividend": 0.01}
    inputs: dict[str, Any] = {key: np.array([value, value, value]) for key, value in good.items()}
    inputs[name][1] = bad
    found = greeks("PE", **inputs, model=model)
    for greek in NAMES:
        assert np.isnan(getattr(found, greek)).tolist() == [False, True, False]


@pytest.mark.parametrize(("name", "bad"), [("spot", 0.0), ("spot", -1.0), ("strike", 0.0), ("t", -0.1), ("vol", -0.2)])
def test_out_of_range_is_nan(name: str, bad: float) -> None:
    inputs: dict[str, Any] = {"spot": 100.0, "strike": 95.0, "t": 0.5, "vol": 0.2} | {name: bad}
    assert math.isnan(price("CE", **inputs))


def test_bachelier_takes_negative_prices() -> None:
    """At the money of either sign: vol sqrt(t / 2 pi)."""
    for forward in (-37.0, 0.0, 12.0):
        found = price("CE", forward, forward, 0.5, 20.0, model="bachelier")
        assert found == pytest.approx(20 * math.sqrt(0.5 / (2 * math.pi)), rel=1e-15)


def test_trader_units() -> None:
    raw, trader = (greeks("PE", 100, 95, 0.5, 0.2, rate=0.05, units=units) for units in ("raw", "trader"))
    assert (trader.vega, trader.rho) == pytest.approx((raw.vega / 100, raw.rho / 100), rel=1e-15)
    assert trader.theta == pytest.approx(raw.theta / 365, rel=1e-15)
    assert (trader.price, trader.delta, trader.gamma) == (raw.price, raw.delta, raw.gamma)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"order": 4}, "order: expected one of 1, 2, 3, got 4"),
        ({"order": True}, "order"),
        ({"year_days": 360}, "year_days: expected one of 365, 252, got 360"),
        ({"units": "percent"}, "'raw', 'trader', got 'percent'"),
        ({"model": "heston"}, "'black', 'bachelier', got 'heston'"),
    ],
)
def test_unknown_choices_say_what_there_is(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        greeks("CE", 100, 100, 1, 0.2, **wrong)


def test_greeks_show_themselves() -> None:
    found = greeks("CE", 100, 100, 1, 0.2)
    assert "delta  0.539828" in repr(found)
    assert "Greeks (black, raw)" in found._repr_html_()
    many = greeks("CE", [100, np.nan], 100, 1, 0.2)
    assert "(1 of 2 known)" in repr(many)
    assert "none" in repr(greeks("CE", [np.nan], 100, 1, 0.2))
    with pytest.raises(AttributeError):
        many.price = 1.0  # type: ignore[misc]
    assert isinstance(many, Greeks)
