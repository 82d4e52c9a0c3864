"""``algo price``, ``iv`` and ``chain`` as a user has them."""

import json

import pytest

from algomaster.pricing import greeks, implied_vol
from cli_process import algo, one_error_line, stored_home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("home"))


def test_price_prints_what_the_library_computes():
    shown = json.loads(algo("price", "CE", 24500, 24600, "7d", 0.14, "--rate", 0.065, "--json").stdout)
    true = greeks("CE", 24500.0, 24600.0, 7 / 365, 0.14, rate=0.065, units="trader")
    assert {name: shown[name] for name in ("price", "delta", "vega", "theta")} == {
        name: getattr(true, name) for name in ("price", "delta", "vega", "theta")
    }
    text = algo("price", "pe", 24500, 24600, 0.02, 0.14, "--units", "raw").stdout
    assert "PE 24600, 7.3 days" in text
    assert "gamma" in text


def test_iv_finds_the_volatility_and_says_why_there_is_none():
    shown = json.loads(algo("iv", 151.2, "CE", 24500, 24600, "7d", "--json").stdout)
    assert shown["vol"] == implied_vol(151.2, "CE", 24500.0, 24600.0, 7 / 365).vol
    assert float(algo("iv", 151.2, "CE", 24500, 24600, "168h").stdout) == pytest.approx(shown["vol"], rel=1e-9)
    assert "BELOW_INTRINSIC" in one_error_line(algo("iv", 10, "CE", 24500, 24000, "7d", code=6))


@pytest.mark.parametrize(
    "arguments",
    [
        ("price", "XX", 1, 1, 1, 1), ("price", "CE", 1, 1, "soon", 1), ("price", "CE", 1, 1, 1, 1, "--model", "heston"),
        ("iv", 1, "CE", 1, 1, "7d", "--model", "heston"), ("chain", "NIFTY"), ("chain", "NIFTY", "--at", "late"),
    ],
)  # fmt: skip
def test_wrong_usage(arguments):
    assert algo(*arguments, code=2).stdout == ""


def test_a_chain_of_the_store(home):
    done = algo("chain", "NIFTY", "--at", "2024-01-02 10:15", "--strikes", 3, home=home)
    assert "2024-01-04: forward" in done.stdout
    table = done.stdout.split("2024-01-04: forward")[1].splitlines()
    assert len([line for line in table[2:] if line.strip()]) == 7
    shown = json.loads(algo("chain", "NIFTY", "--at", "2024-01-02 10:15", "--json", home=home).stdout)
    assert shown["forwards"][0]["forward_from"] == "parity"
    known = [row for row in shown["quotes"] if row["status"] == 0]
    assert len(known) > 50
    assert all(0.02 < row["vol"] < 1 for row in known)
    assert {"strike", "right", "expiry", "price", "delta", "vega", "oi"} <= set(known[0])


def test_a_moment_the_store_lacks(home):
    assert "2023-05-02" in one_error_line(algo("chain", "NIFTY", "--at", "2023-05-02 10:15", code=4, home=home))
    assert "nowhere.csv" in one_error_line(algo("chain", "nowhere.csv", code=4, home=home))
