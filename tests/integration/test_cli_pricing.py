"""``algo price``, ``iv`` and ``chain`` as a user has them."""

import json

import pytest

from algomaster import market
from algomaster.pricing import exposure, greeks, implied_vol
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
        ("surface", "NIFTY"), ("exposure", "NIFTY"),
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


AT = ("--at", "2024-01-02 10:15")


def same_chain():
    from cli_process import SEED, SESSIONS

    days = market.simulate("NIFTY", sessions=SESSIONS, start="2024-01-01", seed=SEED)
    return market.chain_at(next(day for day in days if str(day.session) == "2024-01-02"), "10:15")


@pytest.mark.parametrize("method", ["essvi", "svi", "sabr"])
def test_a_surface_of_the_store_with_a_picture(home, tmp_path, method):
    picture = tmp_path / "surface.html"
    arguments = ("surface", "NIFTY", *AT, "--method", method, "--plot", picture)
    shown = json.loads(algo(*arguments, "--json", home=home).stdout)
    surface = same_chain().surface(method)
    assert shown["method"] == method
    first = shown["expiries"][0]
    assert (first["expiry"], first["atm"]) == (surface.labels[0], surface.vol(0.0, surface.years[0]))
    assert "risk_reversal_25" in first
    assert method != "essvi" or shown["arbitrage"] == []
    assert "plotly" in picture.read_text("utf-8")
    assert "2024-01-04" in algo(*arguments[:6], home=home).stdout


def test_an_unknown_method_is_wrong_usage(home):
    done = algo("surface", "NIFTY", *AT, "--method", "heston", home=home, code=2)
    assert "essvi" in done.stderr


def test_exposure_of_the_store_with_a_picture(home, tmp_path):
    picture = tmp_path / "flow.html"
    arguments = ("exposure", "NIFTY", *AT, "--strikes", 5)
    shown = json.loads(algo(*arguments, "--json", "--plot", picture, home=home).stdout)
    true = exposure(same_chain())
    assert (shown["gex"], shown["max_pain"], shown["pcr"]) == (true.gex, true.max_pain, true.pcr)
    assert len(shown["strikes"]) == true.to_frame().height
    assert "plotly" in picture.read_text("utf-8")
    text = algo(*arguments, home=home).stdout
    assert "call wall" in text
    assert len([line for line in text.split("By strike")[1].splitlines()[2:] if line.strip()]) == 5


@pytest.mark.parametrize("what", ["vol", "gamma", "oi"])
def test_a_picture_of_a_chain(home, tmp_path, what):
    picture = tmp_path / "chain.html"
    algo("chain", "NIFTY", *AT, "--plot", picture, "--greek", what, home=home)
    assert "plotly" in picture.read_text("utf-8")


def test_warming_up_leaves_nothing_to_compile():
    first = json.loads(algo("warmup", "--json").stdout)
    again = json.loads(algo("warmup", "--json").stdout)
    assert again == {**first, "compiled": 0, "seconds": again["seconds"]}


@pytest.mark.soak
def test_after_a_warm_up_no_command_compiles(home, tmp_path):
    cache = {"ALGO_CACHE": str(tmp_path)}
    assert json.loads(algo("warmup", "--json", **cache).stdout)["compiled"] > 100
    option = ("CE", 100, 100, "30d")
    for arguments in (
        ("price", *option, 0.2, "--order", 3), ("price", *option, 20, "--model", "bachelier"), ("iv", 2.5, *option),
        ("chain", "NIFTY", *AT), ("exposure", "NIFTY", *AT), ("surface", "NIFTY", *AT), ("oi", "NIFTY"),
        ("surface", "NIFTY", *AT, "--method", "svi"), ("surface", "NIFTY", *AT, "--method", "sabr"),
        ("backtest", "straddle", "-u", "NIFTY", "--simulate", 2),
        ("sweep", "straddle", "-u", "NIFTY", "--simulate", 2, "--grid", "stop_pct=20,30"),
    ):  # fmt: skip
        assert "compiling" not in algo(*arguments, home=home, **cache).stderr, arguments
