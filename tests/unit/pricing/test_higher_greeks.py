"""The public face of Greeks of second and third order: fields, units, limits; sticky delta; the fused multiply-add."""

import ctypes
import ctypes.util
import math
import random
import struct
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.pricing import Greeks, greeks, price
from algomaster.pricing.kernels.fused import fused
from algomaster.pricing.kernels.loops import ROWS
from algomaster.pricing.sticky import sticky_delta

MODELS = ["black", "bachelier"]
TERMS: dict[str, Any] = {"rate": 0.05, "dividend": 0.01}


@pytest.mark.parametrize("order", [1, 2, 3])
def test_fields_beyond_the_order_are_none(order: int) -> None:
    found = greeks("CE", 100, 95, 0.5, 0.2, order=order, **TERMS)
    assert found.order == order
    for name in ROWS[3]:
        assert isinstance(getattr(found, name), float) == (name in ROWS[order])
    assert len(ROWS[3]) - 1 >= 15


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("order", [2, 3])
def test_of_every_order_the_same_bits(model: str, order: int) -> None:
    strikes = np.linspace(60.0, 150.0, 301)
    vol = 0.2 if model == "black" else 20.0
    first = greeks("PE", 100, strikes, 0.5, vol, model=model, **TERMS)
    more = greeks("PE", 100, strikes, 0.5, vol, model=model, order=order, **TERMS)
    assert more.price.tobytes() == price("PE", 100, strikes, 0.5, vol, model=model, **TERMS).tobytes()
    for name in ROWS[1]:
        assert getattr(more, name).tobytes() == getattr(first, name).tobytes()


@pytest.mark.parametrize("year_days", [365, 252])
def test_trader_units_of_every_greek(year_days: int) -> None:
    raw = greeks("PE", 100, 95, 0.5, 0.2, order=3, **TERMS)
    trader = greeks("PE", 100, 95, 0.5, 0.2, order=3, units="trader", year_days=year_days, **TERMS)
    day, point = 1 / year_days, 0.01
    factors = {
        "vega": point, "theta": day, "rho": point, "vanna": point, "volga": point**2, "charm": day,
        "veta": point * day, "zomma": point, "color": day, "ultima": point**3,
    }  # fmt: skip
    for name in ROWS[3]:
        assert getattr(trader, name) == pytest.approx(getattr(raw, name) * factors.get(name, 1.0), rel=1e-15), name
    assert trader.price == raw.price
    assert f"trader, {year_days} days" in repr(trader)


def test_a_step_in_trader_units() -> None:
    """A point of volatility and a day later the Greeks say what the price does, to the third order."""
    here = greeks("CE", 100, 104, 0.3, 0.2, order=3, units="trader", **TERMS)
    up = price("CE", 100, 104, 0.3, 0.21, **TERMS)
    assert up == pytest.approx(here.price + here.vega + here.volga / 2 + here.ultima / 6, abs=2e-6)
    moved = price("CE", 102, 104, 0.3, 0.2, **TERMS)
    assert moved == pytest.approx(here.price + 2 * here.delta + 2 * here.gamma + 8 / 6 * here.speed, abs=2e-4)
    later = greeks("CE", 100, 104, 0.3 - 1 / 365, 0.2, **TERMS)
    assert later.delta == pytest.approx(here.delta + here.charm, abs=2e-5)
    assert later.gamma == pytest.approx(here.gamma + here.color, abs=2e-5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("t", "vol"), [(0.0, 0.2), (1.0, 0.0), (0.0, 0.0), (-0.0, 0.2)])
def test_nothing_left(model: str, t: float, vol: float) -> None:
    """Of the intrinsic value: dual delta and elasticity remain, the rest is 0."""
    for right, spot, dual, elastic in (("CE", 110, -1.0, 11.0), ("PE", 90, 1.0, -9.0)):
        found = greeks(right, spot, 100, t, vol, model=model, order=3)
        assert (found.dual_delta, found.elasticity) == (dual, elastic)
        for name in ROWS[3][6:]:
            if name not in {"dual_delta", "elasticity"}:
                assert getattr(found, name) == 0.0, name
    worthless = greeks("CE", 90, 100, t, vol, model=model, order=3)
    assert worthless.dual_delta == 0.0
    assert math.isnan(worthless.elasticity)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("t", "vol"), [(0.0, 0.2), (1.0, 0.0)])
def test_nothing_left_on_the_strike(model: str, t: float, vol: float) -> None:
    """A kink has no derivatives: NaN, but for the half option that delta and dual delta show."""
    found = greeks("CE", 100, 100, t, vol, model=model, order=3)
    assert (found.delta, found.dual_delta) == pytest.approx((0.5, -0.5), rel=1e-15)
    for name in ("gamma", *ROWS[3][6:]):
        if name != "dual_delta":
            assert math.isnan(getattr(found, name)), name


@pytest.mark.parametrize("model", MODELS)
def test_the_yield_stays_in_charm(model: str) -> None:
    found = greeks("CE", 110, 100, 1.0, 0.0, dividend=0.02, model=model, order=2)
    assert found.charm == pytest.approx(0.02 * found.delta, rel=1e-15)


def test_frames() -> None:
    series = pl.Series("strike", [90.0, 100.0])
    found = greeks("CE", 100, series, 0.5, 0.2, order=3)
    assert found.zomma.name == "zomma"
    frame = found.to_frame()
    assert frame.columns == list(ROWS[3])
    assert frame["ultima"].to_list() == found.ultima.to_list()
    assert greeks("CE", 100, 95, 0.5, 0.2).to_frame().shape == (1, 6)
    assert greeks("CE", 100, [[90.0, 95.0]], 0.5, 0.2).to_frame().height == 2
    indexed = greeks("CE", 100, pd.Series([90.0, 95.0], index=["a", "b"]), 0.5, 0.2, order=2)
    assert indexed.vanna.index.tolist() == ["a", "b"]
    assert isinstance(indexed, Greeks)
    assert "dual_gamma" in repr(indexed)


def test_sticky_delta() -> None:
    assert sticky_delta(0.5, 40.0, -0.1, 100.0) == pytest.approx(0.54)
    found = sticky_delta(pl.Series("delta", [0.5, None]), 40.0, [-0.1, 0.1], 100.0)
    assert found.name == "delta"
    assert found[0] == pytest.approx(0.54)
    assert math.isnan(found[1])
    with pytest.raises(TypeError, match="slope: expected numbers"):
        sticky_delta(0.5, 40.0, "steep", 100.0)


def test_fused_is_what_the_c_library_says() -> None:
    """Plain Python in whole numbers against libm, bit for bit, from subnormals to infinity."""
    library = ctypes.util.find_library("m")
    if library is None:
        pytest.fail("no C library of mathematics")
    fma = ctypes.CDLL(library).fma
    fma.restype, fma.argtypes = ctypes.c_double, [ctypes.c_double] * 3
    draw = random.Random(41)
    odd = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1.7e308, -1.7e308, 2.0**-1022]

    def number() -> float:
        kind = draw.random()
        if kind < 0.2:
            return draw.choice(odd)
        bits = struct.pack("Q", draw.getrandbits(64))
        return draw.uniform(-2, 2) if kind < 0.6 else float(struct.unpack("d", bits)[0])

    for _ in range(20_000):
        a, b = number(), number()
        c = number() if draw.random() < 0.5 else -a * b * (1 + draw.uniform(-1e-15, 1e-15))
        ours, theirs = fused(a, b, c), fma(a, b, c)
        assert struct.pack("d", ours) == struct.pack("d", theirs) or (ours != ours and theirs != theirs), (a, b, c)
