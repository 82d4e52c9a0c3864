"""``algo features`` as a user has it."""

import json

import polars as pl
import pytest

from algomaster import features
from algomaster.features.store import LiveDay, Table, open_view
from cli_process import algo, one_error_line
from feature_home import FEATURES, days, fill, minutes

DAYS = [str(day) for day in days(8)]
CHOSEN = ",".join(FEATURES)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = fill(tmp_path_factory.mktemp("home"), 8)
    span = ("--start", DAYS[0], "--end", DAYS[6])
    done = algo(
        "features", "build", "--view", "probe", "-u", "NIFTY", "--features", CHOSEN, *span, "--json", home=folder
    )
    told = json.loads(done.stdout)
    assert (told["written"], told["skipped"], told["rows"]) == (7, 0, 7 * 375)
    return folder


def test_the_catalogue_is_listed():
    listed = json.loads(algo("features", "list", "--json").stdout)["features"]
    assert [one["name"] for one in listed] == features.names()
    family = listed[0]["family"]
    only = json.loads(algo("features", "list", "--family", family, "--json").stdout)["features"]
    assert only == [one for one in listed if one["family"] == family]
    assert FEATURES[0] in algo("features", "list").stdout
    assert "There is no family 'x'" in one_error_line(algo("features", "list", "--family", "x", code=3))


def test_a_feature_is_shown():
    shown = json.loads(algo("features", "show", "MA60", "--json").stdout)
    assert shown["warm_up"] == 59
    assert shown["inputs"] == ["close"]
    assert "Mean" in algo("features", "show", "MA60").stdout
    assert "There is no feature named 'MA61'" in one_error_line(algo("features", "show", "MA61", code=3))


def test_building_goes_on_with_the_saved_view(home):
    told = json.loads(
        algo("features", "build", "--view", "probe", "--start", DAYS[0], "--end", DAYS[6], "--json", home=home).stdout
    )
    assert (told["written"], told["skipped"], told["underlying"]) == (0, 7, ["NIFTY"])
    assert told["version"] == open_view("probe", home=home).version
    shown = algo("features", "build", "--view", "probe", "--start", DAYS[0], "--end", DAYS[6], home=home)
    assert "sessions skipped  7" in shown.stdout


def test_what_building_refuses(home):
    span = ("--start", DAYS[0], "--end", DAYS[6])
    new = ("features", "build", "--view", "new")
    assert "no view 'new'" in one_error_line(algo(*new, *span, home=home, code=4))
    algo(*new, "--features", "MA5", *span, home=home, code=2)
    algo(*new, "--features", "MA5", "--preset", "alpha158", "-u", "NIFTY", *span, home=home, code=2)
    algo(*new, "--features", "MA5", "-u", "NIFTY", "--start", "soon", "--end", DAYS[6], home=home, code=2)
    nothing = algo(*new, "--features", "MA5", "-u", "FINNIFTY", *span, home=home, code=4)
    assert "no index minutes of FINNIFTY" in one_error_line(nothing)


def test_a_day_is_checked_and_differences_end_with_8(home):
    view = open_view("probe", home=home)
    with LiveDay(view, "NIFTY", DAYS[7], home=home) as day:
        for bar in minutes("NIFTY", days(8)[7]).iter_rows(named=True):
            day.update({**bar, "close": bar["close"] + (bar["ts"].minute == 30)})
    told = json.loads(algo("features", "check", "--view", "probe", "--day", DAYS[6], "--json", home=home).stdout)
    assert told["ok"]
    assert (told["recorded"], told["rows"], told["differences"]) == ("offline", 375, [])
    assert "none" in algo("features", "check", "--view", "probe", "--day", DAYS[6], home=home).stdout
    other = algo("features", "check", "--view", "probe", "--day", DAYS[7], "--json", home=home, code=8)
    told = json.loads(other.stdout)
    assert told["recorded"] == "live"
    assert {"event_ts", "feature", "recorded", "computed"} < told["differences"][0].keys()
    shown = algo("features", "check", "--view", "probe", "--day", DAYS[7], home=home, code=8).stdout
    assert "Recorded otherwise (the first 40 of" in shown
    nothing = algo("features", "check", "--view", "probe", "--day", "2024-03-01", home=home, code=4)
    assert "was recorded on 2024-03-01" in one_error_line(nothing)


def test_drift_is_shown_and_drawn(home, tmp_path):
    ask = ("features", "drift", "--view", "probe", "--start", DAYS[4], "--end", DAYS[6])
    training = ("--training", f"{DAYS[0]}:{DAYS[3]}")
    told = json.loads(algo(*ask, *training, "--plot", tmp_path / "a/d.html", "--json", home=home).stdout)
    assert len(told["rows"]) == 3 * len(FEATURES)
    assert (tmp_path / "a/d.html").stat().st_size > 1_000_000
    assert "Most moved" in algo(*ask, *training, "--window", 2, "--bins", 5, home=home).stdout
    algo(*ask, "--training", "2024", home=home, code=2)


def test_sql_reads_and_only_reads(home):
    query = "SELECT session, count(*) AS n, avg(KMID) AS kmid FROM probe GROUP BY session ORDER BY session LIMIT 2"
    rows = json.loads(algo("features", "sql", query, "--json", home=home).stdout)["rows"]
    held = Table(open_view("probe", home=home), home).read()
    first = held.filter(pl.col("session") == days(1)[0])
    assert rows[0]["session"] == DAYS[0]
    assert rows[0]["n"] == 375
    assert rows[0]["kmid"] == pytest.approx(first["KMID"].mean())
    assert DAYS[1] in algo("features", "sql", query, home=home).stdout
    assert "rows" in algo("features", "sql", "SHOW TABLES", home=home).stdout
    refused = algo("features", "sql", "DROP TABLE probe", home=home, code=4)
    assert "never changed" in one_error_line(refused)
    unknown = algo("features", "sql", "SELECT nope FROM probe", home=home, code=4)
    assert "Cannot answer the query" in one_error_line(unknown)


def test_sql_without_views(tmp_path):
    assert "has no views" in one_error_line(algo("features", "sql", "SELECT 1", home=tmp_path, code=4))
