"""``algo margin`` and ``algo portfolio`` as a user has them."""

import json

import pytest

from cli_process import algo

LEGS = ("CE:23100:-1:154.7", "PE:23100:-1:123.7")
GIVEN = ("--spot", 23114.1, "--time", "4d", "--lot", 75)


def test_legs():
    told = json.loads(algo("margin", *LEGS, *GIVEN, "--on", "2025-02-03", "--json").stdout)
    assert told["total"] == pytest.approx(230_852, rel=0.01)
    assert len(told["scenarios"]) == 16
    assert told["sources"]
    shown = algo("margin", "CE:24000:-1::4d", "FUT:0:1::30d", "--spot", 24010, "--vol", 0.13).stdout
    assert "-1 CE 24000 @" in shown
    assert "Scenarios" in shown
    assert "--spot" in algo("margin", *LEGS, code=2).stderr
    assert "CE:24000:-1:210" in algo("margin", "CE:x:1", *GIVEN, code=2).stderr


def test_a_run_and_a_portfolio(tmp_path):
    run = tmp_path / "one"
    algo("backtest", "straddle", "-u", "NIFTY", "--simulate", 4, "--save", run)
    told = json.loads(algo("margin", run, "--json", "--plot", tmp_path / "m.html").stdout)
    assert told["metrics"]["margin_peak"] > 100_000
    assert len(told["daily"]) == 4
    assert (tmp_path / "m.html").stat().st_size > 1_000_000

    command = ("portfolio", run, f"{run}:2")
    told = json.loads(algo(*command, "--capital", 250_000, "--json").stdout)
    assert [part["refused"] for part in told["parts"]] == [0, 4]
    assert len(told["breaches"]) == 4
    shown = algo(*command, "--capital", 250_000, "--rule", "allow", "--plot", tmp_path / "p.html",
                 "--save", tmp_path / "kept").stdout  # fmt: skip
    assert "Portfolio of 2" in shown
    assert "Beyond the capital" in shown
    assert "Saved:" in shown
    assert (tmp_path / "p.html").is_file()
    assert (tmp_path / "kept" / "portfolio.json").is_file()
