"""Published and independently computed 9:20 straddles on real option minutes come out of import, load and replay.

Bars there are labelled by their start, ours too; a fill at a close is reported at the bar's end, so their 11:16 close
is our 11:17. Stop prices here lie on the tick grid, up to one tick above theirs.
"""

import csv
import json

import pytest

from algomaster import backtest, market
from algomaster.market.importer import import_path
from algomaster.strategy.day import day_of
from algomaster.strategy.steps.contract import at_the_money
from hand_made import blank
from shared_data import shared_path

TICK = 0.05


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    import_path(shared_path("data", "nse_option_minute"), home=home)
    return {
        "NIFTY 2021-06-11": market.load("NIFTY", "2021-06-11", "2021-06-11", home=home),
        "BANKNIFTY 2022-12-30": market.load("BANKNIFTY", "2022-12-30", "2022-12-30", home=home),
    }


def computed_cases():
    path = shared_path("data", "published_backtests", "scout_computed_0920_straddle.json")
    sessions = json.loads(path.read_text())["sessions"]
    return [(session["session"], case) for session in sessions for case in session["cases"]]


def clock(moment):
    return moment.strftime("%H:%M")


def later(minute):
    hours, minutes = map(int, minute.split(":"))
    return f"{(hours * 60 + minutes + 1) // 60:02d}:{(minutes + 1) % 60:02d}"


def test_every_computed_answer(days):
    cases = computed_cases()
    assert len(cases) == 24
    for name, case in cases:
        check_computed(days[name], case)


def check_computed(days, case):
    at_open = case["entry_price"] == "open"
    exit_time = case["exit_time"]
    params = {
        "entry": "09:20" if at_open else "09:21",
        "exit": exit_time if at_open else later(exit_time),
        "stop_pct": None if case["leg_stop"] is None else case["leg_stop"] * 100,
        "strike_at": "fill",
    }
    fills = "next_open" if at_open else "decision_close"
    run = backtest.replay("straddle", days, params=params, fills=fills, costs=False)
    lot = int(days[0].lot[0])
    assert run.trades.height == len(case["legs"])
    for leg in case["legs"]:
        row = run.trades.filter(right=leg["right"]).row(0, named=True)
        assert row["strike"] == leg["strike"] == case["atm"]
        assert row["entry_price"] == pytest.approx(leg["entry"], abs=1e-9)
        assert clock(row["entry_time"]) == ("09:20" if at_open else "09:21")
        assert row["exit_reason"] == leg["reason"]
        by_time = leg["reason"] == "time"
        assert clock(row["exit_time"]) == (later(leg["exit_time"]) if by_time and not at_open else leg["exit_time"])
        if by_time:
            assert row["exit_price"] == pytest.approx(leg["exit"], abs=1e-9)
        else:
            assert leg["exit"] - 1e-9 <= row["exit_price"] < leg["exit"] + TICK
    slack = sum(leg["reason"] == "stop" for leg in case["legs"]) * TICK
    assert case["points"] - slack <= run.trades["pnl"].sum() / lot <= case["points"] + 1e-9


def published(file, **wanted):
    with shared_path("data", "published_backtests", file).open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if all(row[name] == value for name, value in wanted.items())]


def test_the_published_straddle_of_11_june_2021(days):
    (row,) = published("nifty_0920_straddle_20pctSL_2019_2023.csv", entry_date="2021-06-11")
    params = {"entry": "09:20", "exit": "15:20", "stop_pct": 20, "strike_at": "fill", "lots": int(row["lots"])}
    run = backtest.replay("straddle", days["NIFTY 2021-06-11"], params=params, costs=False)
    vendor = 0.35  # rupees by which the two vendors' bars differ at most, as the log's README states
    for trade in run.trades.to_dicts():
        side = trade["right"].lower()
        assert trade["strike"] == float(row["atm_strike"])
        assert trade["quantity"] == -int(row["quantity"])
        assert trade["entry_time"].isoformat() == row["spot_entry_timestamp"]
        assert trade["exit_time"].isoformat() == row[f"{side}_exit_timestamp"]
        assert trade["entry_price"] == pytest.approx(float(row[f"{side}_entry_open"]), abs=vendor + 1e-9)
        assert trade["exit_price"] == pytest.approx(float(row[f"{side}_exit_price"]), abs=1.2 * vendor + TICK)
        assert {"sl": "stop", "day_close": "time"}[row[f"{side}_exit_reason"]] == trade["exit_reason"]
    put = run.trades.filter(right="PE").row(0, named=True)
    assert (put["exit_reason"], clock(put["exit_time"])) == ("stop", "12:12")


def test_the_published_strangle_of_30_december_2022_exactly(days):
    (row,) = published("banknifty_delta30_strangle_2022H2.csv", Entry_Date="2022-12-30")
    strikes = {right: int(row[f"{right}_Symbol"][-7:-2]) for right in ("CE", "PE")}
    assert strikes == {"CE": 44_000, "PE": 43_000}
    params = {"entry": "09:16", "exit": "15:16", "stop_pct": 30, "stop_on": "close", "strikes": strikes}
    run = backtest.replay("straddle", days["BANKNIFTY 2022-12-30"], params=params, fills="decision_close", costs=False)
    for right in ("CE", "PE"):
        trade = run.trades.filter(right=right).row(0, named=True)
        assert trade["entry_price"] == float(row[f"{right}_Entry_Price"])
        assert trade["exit_price"] == float(row[f"{right}_Exit_price"])
        assert clock(trade["exit_time"]) == later(row[f"{right}_Exit_Time"][:5])
    assert run.trades["pnl"].sum() == pytest.approx(float(row["PnL"]), abs=1e-9)


def test_the_money_of_every_published_day():
    """1,116 index opens with their strike; two lie halfway and went up (the other two rows have no open)."""
    rows = [
        row
        for row in published("nifty_0920_straddle_20pctSL_2019_2023.csv")
        if row["skip_reason"] != "missing_spot_entry"
    ]
    assert len(rows) == 1116
    day = day_of(blank(step=50))
    opens = [round(float(row["spot_entry_open"]) * 100) for row in rows]
    assert sum(paise % 5000 == 2500 for paise in opens) == 2
    assert [at_the_money(day, 0, paise) for paise in opens] == [int(row["atm_strike"]) * 100 for row in rows]
