"""Prices, Greeks and implied volatility against books, other libraries' tables and a 50-digit grid."""

import csv
import json
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from algomaster.pricing import greeks, implied_vol, price
from shared_data import shared_path


def table(name: str) -> list[dict[str, str]]:
    with shared_path("data", "reference", name).open() as file:
        return list(csv.DictReader(file))


def numbers(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


def test_haug_prices() -> None:
    rows = table("haug_bsm_prices.csv")
    assert len(rows) == 22
    for row in rows:
        spot, strike, t, vol, rate, dividend = numbers(row, "spot", "strike", "T", "vol", "r", "q")
        found = price(row["type"], spot, strike, t, vol, rate=rate, dividend=dividend)
        assert found == pytest.approx(float(row["price"]), abs=float(row["tol"])), row


def test_haug_greeks() -> None:
    rows = table("haug_greeks.csv")
    assert len(rows) == 6
    for row in rows:
        spot, strike, t, vol, rate, dividend = numbers(row, "spot", "strike", "T", "vol", "r", "q")
        g = greeks(row["type"], spot, strike, t, vol, rate=rate, dividend=dividend, order=2)
        found = {
            "delta": g.delta,
            "gamma": g.gamma,
            "vega": g.vega,
            "theta_per_day_365": g.theta / 365,
            "elasticity": g.elasticity,
            "dividend_rho": -t * spot * g.delta,
        }[row["greek"]]
        assert found == pytest.approx(float(row["value"]), abs=float(row["tol"])), row


def test_hull() -> None:
    rows = json.loads(shared_path("data", "reference", "hull_examples.json").read_text())
    assert len(rows) == 7
    for row in rows:
        spot = row["S"] - row.get("pv_dividends", 0.0)
        found = greeks(row["type"], spot, row["K"], row["T"], row["vol"], rate=row["r"], dividend=row["q"])
        what = {"price": found.price, "gamma": found.gamma, "vega_per_1.00_vol": found.vega}
        assert what[row["what"]] == pytest.approx(row["value"], abs=row["tol"]), row


def last_digit(text: str) -> float:
    """One unit of the last digit of a printed number (some are cut off); .0 stands for ten digits."""
    return 1e-10 if text.endswith(".0") else 1.01 * 10.0 ** float(Decimal(text).as_tuple().exponent)


def test_py_vollib_benchmark() -> None:
    """To the last digit printed."""
    rows = table("py_vollib_bsm_benchmark.csv")
    assert len(rows) == 51
    columns = {"price": "bs_{0}", "delta": "{1}D", "gamma": "{1}G", "vega": "{1}V", "theta": "{1}T", "rho": "{1}R"}
    for row in rows:
        spot, strike, rate, t, vol = numbers(row, "S", "K", "R", "t", "v")
        for right, word in (("c", "call"), ("p", "put")):
            found = greeks(right, spot, strike, t, vol, rate=rate)
            for name, column in columns.items():
                printed = row[column.format(word, right.upper())]
                assert getattr(found, name) == pytest.approx(float(printed), rel=1e-9, abs=last_digit(printed)), (
                    row, name)  # fmt: skip


def test_vollib_doc_examples() -> None:
    """Every example that states its inputs and a value: Greeks of the Black and Black-Scholes(-Merton) modules.

    They scale theta by 1/365 and vega and rho by 0.01; where an example multiplies by 365 it means a year.
    """
    checked = 0
    for example in json.loads(shared_path("data", "reference", "vollib_doc_examples.json").read_text()):
        lines = [line.strip() for line in example["inputs"]]
        given = dict(re.findall(r"^(S|F|K|t|r|q|sigma|flag) = ['\"]?([\w./]+)['\"]?$", "\n".join(lines), re.M))
        asked = re.search(r"^\w+ = (delta|gamma|theta|vega|rho)\(flag, [SF], K, t, r, sigma(?:, q)?\)( \* 365)?$",
                          "\n".join(lines), re.M)  # fmt: skip
        stated = re.findall(r"^(?:v2|\w+_text_book|\w+_reference) = ([-.\d]+)$", "\n".join(lines), re.M)
        if not asked or len(given) < 6 or not stated:
            continue
        allowed = re.search(r"< ([.\d]+)$", lines[-1])
        assert allowed
        underlying: dict[str, Any] = {"forward": float(given["F"])} if "F" in given else {}
        inputs = [float(given[name]) for name in ("K", "t", "sigma")]
        found = greeks(given["flag"], float(given.get("S", "nan")) if "S" in given else None, *inputs,
                       rate=float(given["r"]), units="trader", **underlying)  # fmt: skip
        value = getattr(found, asked[1]) * (365 if asked[2] else 1)
        assert value == pytest.approx(float(stated[0]), abs=float(allowed[1])), example
        checked += 1
    assert checked >= 18


@pytest.mark.parametrize(
    ("right", "spot", "strike", "t", "rate", "vol", "expected"),
    [
        ("c", 100, 90, 0.5, 0.01, 0.2, 12.111581435),
        ("c", 60, 65, 0.25, 0.08, 0.3, 2.13336844492),
    ],
)
def test_vollib_prices(
    right: str, spot: float, strike: float, t: float, rate: float, vol: float, expected: float
) -> None:
    """From the documentation of vollib.black_scholes."""
    assert price(right, spot, strike, t, vol, rate=rate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("right", "forward", "strike", "t", "rate", "vol", "expected"),
    [("c", 100, 100, 0.5, 0.02, 0.2, 5.5811067246048118), ("p", 20, 20, 4 / 12, 0.09, 0.25, 1.11664145656)],
)
def test_vollib_black_prices(
    right: str, forward: float, strike: float, t: float, rate: float, vol: float, expected: float
) -> None:
    """From the documentation of vollib.black; the second is Hull's example of a futures put (1.12)."""
    found = price(right, None, strike, t, vol, rate=rate, forward=forward)
    assert found == pytest.approx(expected, abs=1e-11)
    assert implied_vol(found, right, None, strike, t, rate=rate, forward=forward).vol == pytest.approx(vol, rel=1e-14)


def test_grid_of_50_digits() -> None:
    """From a minute to five years, 1 % to 300 %: the rounding of the forward is all that may be lost."""
    rows = table("bsm_mpmath_grid.csv")
    assert len(rows) == 200
    named = {"price": "price", "delta": "delta", "gamma": "gamma", "vega": "vega", "theta": "theta_per_year",
             "rho": "rho"}  # fmt: skip
    for row in rows:
        spot, strike, t, rate, dividend, vol = numbers(row, "S", "K", "T", "r", "q", "sigma")
        found = greeks(row["type"], spot, strike, t, vol, rate=rate, dividend=dividend)
        deviation = vol * math.sqrt(t)
        depth = abs(math.log(spot / strike) + (rate - dividend) * t) / deviation + deviation
        lost = 4e-16 * (1 + depth) * (1 / deviation + depth)
        decay = float(row["vega"]) * vol / (2 * t)
        size = {  # what the terms of a sum come to before they cancel
            "price": spot + strike,
            "delta": 1.0,
            "theta": decay * lost / 4e-16 + abs(rate) * strike + abs(dividend) * spot,
            "rho": t * (spot + strike),
        }
        for name, column in named.items():
            true = float(row[column])
            allowed = max(lost * abs(true), 4e-16 * size.get(name, 0.0))
            assert getattr(found, name) == pytest.approx(true, rel=0, abs=allowed + 1e-300), (row, name)


def test_volatilities_of_the_grid() -> None:
    """The rounding of the price over vega is the most that may be lost; quotes that hide the time value are counted."""
    hidden = 0
    for row in table("bsm_mpmath_grid.csv"):
        spot, strike, t, rate, dividend, vol = numbers(row, "S", "K", "T", "r", "q", "sigma")
        quote, vega = numbers(row, "price", "vega")
        attainable = 2.0**-53 * (spot + strike) / vega / vol
        if attainable > 1e-3:
            hidden += 1
            continue
        found = implied_vol(quote, row["type"], spot, strike, t, rate=rate, dividend=dividend)
        assert found.status == 0
        assert found.vol == pytest.approx(vol, rel=4 * attainable + 4e-15), row
    assert hidden < 60


def test_rows_in_one_call() -> None:
    """The grid as arrays gives what it gives row by row, to the bit."""
    rows = table("bsm_mpmath_grid.csv")
    columns = {name: np.array([float(row[name]) for row in rows]) for name in ("S", "K", "T", "sigma", "r", "q")}
    spot, strike, t, vol, rate, dividend = columns.values()
    rights = [row["type"] for row in rows]
    together = price(rights, spot, strike, t, vol, rate=rate, dividend=dividend)
    alone = [
        price(rights[i], spot[i], strike[i], t[i], vol[i], rate=rate[i], dividend=dividend[i]) for i in range(len(rows))
    ]
    assert together.tobytes() == np.array(alone).tobytes()
