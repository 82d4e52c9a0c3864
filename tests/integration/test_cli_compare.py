"""``algo compare`` as a process, and ``algo report`` with a capital."""

import json

import pytest

from algomaster.performance import Result, compare
from cli_process import SEED, algo, one_error_line

SIMULATED = ("--underlying", "NIFTY", "--simulate", 12, "--seed", SEED)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, stop in (("tight", 20), ("wide", 40)):
        algo("backtest", "straddle", *SIMULATED, "--set", f"stop_pct={stop}", "--save", folder / name / "run")
    return folder


def test_json_is_the_comparison_of_the_library(runs):
    tight, wide = runs / "tight" / "run", runs / "wide" / "run"
    printed = json.loads(algo("compare", tight, wide, "--json").stdout)
    expected = compare({"tight/run": Result.load(tight), "wide/run": Result.load(wide)}).to_dict()
    assert printed == json.loads(json.dumps(expected)) | {"report": None}
    assert printed["runs"] == ["tight/run", "wide/run"]


def test_a_person_reads_figures_differences_and_where_the_page_is(runs, tmp_path):
    page = tmp_path / "page.html"
    names = (runs / "tight" / "run", runs / "wide" / "run", runs / "tight" / "run")
    shown = algo("compare", *names, "--report", page, "--capital", 500000).stdout
    assert "3 runs, 12 sessions" in shown
    assert "Return on capital" in shown
    assert "run 2 less run 1" in shown
    assert str(page) in shown
    assert "<html" in page.read_text("utf-8")


def test_wrong_usage(runs, tmp_path):
    algo("compare", runs / "tight" / "run", code=2)
    (tmp_path / "empty").mkdir()
    done = algo("compare", runs / "tight" / "run", tmp_path / "empty", code=4)
    assert "not a complete saved result" in one_error_line(done)


def test_report_with_a_capital(runs):
    folder = runs / "wide" / "run"
    printed = json.loads(algo("report", folder, "--capital", 500000, "--json").stdout)
    assert printed["statistics"]["return_on_capital"] == pytest.approx(printed["metrics"]["pnl"] / 500000)
    assert set(printed["breakdowns"]) == {"weekday", "dte", "month", "entry", "vix"}
    assert sum(row["sessions"] for row in printed["breakdowns"]["weekday"]) == 12
    assert printed["breakdowns"]["vix"][0]["group"] != "unknown"
    assert printed["shuffled_drawdowns"]["simulations"] == 1000
    assert json.loads(algo("report", folder, "--json").stdout)["statistics"]["cagr"] is None


def test_backtest_with_a_capital():
    rules = ("--set", "stop_pct=40", "--capital", 500000)
    shown = algo("backtest", "straddle", *SIMULATED, *rules).stdout
    for words in ("CAGR", "Calmar", "Sharpe, s.e.", "Sortino", "Tail ratio", "Exposure", "Turnover", "Costs' share"):
        assert words in shown, words
    assert "needs a capital" not in shown
