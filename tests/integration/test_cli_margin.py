"""``algo margin`` and ``algo portfolio`` as a user has them."""

import json

import pytest

from cli_process import algo

LEGS = ("CE:23100:-1:154.7", "PE:23100:-1:123.7")
GIVEN = ("--spot", 23114.1, "--time", "4d", "--lot", 75)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, stop in (("one", 20), ("two", 40)):
        algo("backtest", "straddle", "-u", "NIFTY", "--simulate", 4, "--set", f"stop_pct={stop}",
             "--save", folder / name)  # fmt: skip
    return folder


def test_legs(saved):
    told = json.loads(algo("margin", *LEGS, *GIVEN, "--on", "2025-02-03", "--json").stdout)
    assert told["total"] == pytest.approx(230_852, rel=0.01)
    assert len(told["scenarios"]) == 16
    assert told["sources"]
    shown = algo("margin", *LEGS, *GIVEN).stdout
    assert "margin" in shown
    assert "Scenarios" in shown
    valued = json.loads(
        algo("margin", "CE:24000:-1::4d", "FUT:0:1::30d", "--spot", 24010, "--vol", 0.13, "--json").stdout
    )
    assert valued["legs"][0]["price"] > 0
    assert "--spot" in algo("margin", *LEGS, code=2).stderr
    assert "CE:24000:-1:210" in algo("margin", "CE:x:1", *GIVEN, code=2).stderr
    assert "premium" in algo("margin", "CE:24000:-1", *GIVEN, code=2).stderr


def test_a_run_and_a_portfolio(saved, tmp_path):
    told = json.loads(algo("margin", saved / "one", "--json", "--plot", tmp_path / "m.html").stdout)
    assert told["metrics"]["margin_peak"] > 100_000
    assert len(told["daily"]) == 4
    assert (tmp_path / "m.html").stat().st_size > 1_000_000
    assert "Sessions" in algo("margin", saved / "one").stdout

    command = ("portfolio", saved / "one", f"{saved / 'two'}:2")
    told = json.loads(algo(*command, "--capital", 250_000, "--json").stdout)
    assert [part["refused"] for part in told["parts"]] == [0, 4]
    assert len(told["breaches"]) == 4
    shown = algo(*command, "--capital", 1_000_000, "--rule", "allow", "--plot", tmp_path / "p.html",
                 "--save", tmp_path / "kept").stdout  # fmt: skip
    assert "Portfolio of 2" in shown
    assert "Saved:" in shown
    assert (tmp_path / "p.html").is_file()
    assert (tmp_path / "kept" / "portfolio.json").is_file()
    assert "expected rule" in algo(*command, "--capital", 1, "--rule", "hope", code=3).stderr.lower()
    algo("portfolio", tmp_path, "--capital", 1_000, code=4)
