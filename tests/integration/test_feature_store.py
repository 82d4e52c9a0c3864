"""Building, correcting, going live and checking: the same bits whatever the way."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from algomaster import features, market
from algomaster.core.errors import ConfigError, DataError
from algomaster.features.sources import bars
from algomaster.features.store import LiveDay, Table, check, get_historical, get_online, materialize, open_view
from algomaster.market.importer import import_path
from algomaster.market.loading import store_days
from algomaster.market.store import Store
from feature_home import FEATURES, days, fill, minutes, probe, same_bits
from shared_data import shared_path

SESSIONS = days(12)
TESTS = Path(__file__).resolve().parents[1]


def build(home, first=0, last=11, view=None, **more):
    return materialize(view or probe(), SESSIONS[first], SESSIONS[last], home=home, **more)


def correct(home, place, underlying="NIFTY"):
    """Let the vendor correct one minute of a session."""
    day = minutes(underlying, SESSIONS[place])
    changed = day.with_columns(close=pl.when(pl.int_range(pl.len()) == 100).then(pl.col("low")).otherwise("close"))
    Store(home).write("index_minute", changed)


def test_a_session_is_a_pure_function_of_itself_and_the_five_before(tmp_path):
    view = probe()
    built = build(fill(tmp_path, 12), 8, 8)
    assert (built.written, built.skipped, built.rows, built.commits) == (1, 0, 375, 1)
    frame = bars("NIFTY", SESSIONS[3], SESSIONS[8], home=tmp_path)
    expected = features.compute(frame, FEATURES).tail(375)
    found = Table(view, tmp_path).read()
    assert same_bits(found, expected)
    assert found["event_ts"].dt.cast_time_unit("ns").to_list() == expected["ts"].to_list()
    assert not same_bits(found, features.compute(frame.tail(375), FEATURES))


def test_order_batches_and_threads_do_not_change_a_bit(tmp_path):
    one, other = fill(tmp_path / "a", 12, underlyings=("NIFTY", "BANKNIFTY")), tmp_path / "b"
    fill(other, 12, underlyings=("NIFTY", "BANKNIFTY"))
    view = probe(underlying=["NIFTY", "BANKNIFTY"])
    seen = []
    whole = build(one, view=view, workers=1, progress=lambda done, every: seen.append((done, every)))
    assert (whole.written, whole.rows, whole.commits) == (24, 24 * 375, 2)
    assert seen[0] == (0, 24)
    assert seen[-1] == (24, 24)
    build(other, 9, 11, view=view, workers=4, batch=1)
    parts = build(other, view=view, workers=3, batch=4)
    assert (parts.written, parts.skipped) == (18, 6)
    left, right = Table(view, one).read(), Table(view, other).read()
    assert left.select("underlying", "event_ts", "inputs").equals(right.select("underlying", "event_ts", "inputs"))
    assert same_bits(left, right)


def test_building_again_writes_nothing(tmp_path):
    build(fill(tmp_path, 6), 0, 5)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = build(tmp_path, 0, 5)
    assert (again.written, again.skipped, again.rows, again.commits) == (0, 6, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == files
    assert again.to_frame().row(0, named=True)["skipped"] == 6
    assert "sessions skipped" in repr(again)
    assert "6" in again._repr_html_()


def test_corrected_bars_are_computed_again_and_history_stays(tmp_path):
    view = probe()
    build(fill(tmp_path, 12))
    before = Table(view, tmp_path).read()
    then = datetime.now(UTC)
    time.sleep(0.002)
    correct(tmp_path, 4)
    again = build(tmp_path)
    assert (again.written, again.skipped) == (6, 6)  # the session and the five whose values depend on it
    rows = Table(view, tmp_path).scan().filter(pl.col("session") == SESSIONS[4]).collect()
    assert rows.height == 2 * 375
    now = Table(view, tmp_path).read()
    assert same_bits(Table(view, tmp_path).read(as_of=then), before)
    assert same_bits(Table(view, tmp_path).read(as_of=1), before)
    fresh = fill(tmp_path / "fresh", 12)
    correct(fresh, 4)
    build(fresh)
    assert same_bits(now, Table(view, fresh).read())
    changed = now.filter(pl.col("session") == SESSIONS[4])
    assert not same_bits(changed, before.filter(pl.col("session") == SESSIONS[4]))
    asked = pl.DataFrame({"underlying": ["NIFTY"], "event_time": [changed["avail_ts"][100]]})
    old, new = (get_historical(asked, view, home=tmp_path, as_of=known) for known in (then, None))
    assert old["KMID"][0] == before.filter(pl.col("session") == SESSIONS[4])["KMID"][100] != new["KMID"][0]


def test_another_underlying_joins_the_table(tmp_path):
    fill(tmp_path, 6, underlyings=("NIFTY", "BANKNIFTY"))
    build(tmp_path, 0, 5)
    build(tmp_path, 0, 5, view=probe(underlying="BANKNIFTY"))
    both = open_view("probe", home=tmp_path)
    assert both.underlying == ("NIFTY", "BANKNIFTY")
    assert build(tmp_path, 0, 5, view=both).skipped == 12
    assert check(both, SESSIONS[5], home=tmp_path).rows == 750


def test_what_a_view_does_not_read_does_not_matter(tmp_path):
    fill(tmp_path, 6)
    build(tmp_path, 0, 5)
    Store(tmp_path).write("index_minute", minutes("INDIAVIX", SESSIONS[2]))
    assert build(tmp_path, 0, 5).written == 0


CHILD = (
    "import sys, time\n"
    "from feature_home import days, probe\n"
    "from algomaster.features.store import materialize\n"
    "all = days(12)\n"
    "materialize(probe(), all[0], all[-1], home=sys.argv[1], batch=1, progress=lambda *_: time.sleep(0.1))\n"
)


def test_a_kill_in_the_middle_leaves_a_table_that_is_completed(tmp_path):
    home, whole = fill(tmp_path / "killed", 12), fill(tmp_path / "whole", 12)
    build(whole)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
    )
    log = home / probe().folder / "_delta_log"
    while child.poll() is None and len(list(log.glob("*.json"))) < 4:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = Table(probe(), home).read()
    assert 0 < there["session"].n_unique() < 12
    assert set(there.group_by("session").len()["len"]) == {375}
    litter = home / probe().folder / "underlying=NIFTY" / "0.parquet"
    litter.write_bytes(b"half a fi")  # what a crash between file and commit leaves
    done = build(home)
    assert done.skipped == there["session"].n_unique()
    assert done.written + done.skipped == 12
    every = Table(probe(), home).scan().collect()
    assert every.height == 12 * 375
    assert same_bits(Table(probe(), home).read(), Table(probe(), whole).read())


# --- live --------------------------------------------------------------------------------------------------------


def live(home, upto, *, view=None, first=0, every=0, ended=False):
    """Let a live day take bars ``first`` to ``upto`` of the last session."""
    day = LiveDay(view or probe(), "NIFTY", SESSIONS[7], home=home, every=every)
    rows = [day.update(bar) for bar in minutes("NIFTY", SESSIONS[7])[first:upto].iter_rows(named=True)]
    day.close(ended=ended)
    return rows


@pytest.mark.parametrize("every", [0, 60])
def test_a_restart_in_the_session_is_the_uninterrupted_run_and_history(tmp_path, every):
    whole, parts = fill(tmp_path / "whole", 7), fill(tmp_path / "parts", 7)
    straight = live(whole, 375, ended=True)
    broken = live(parts, 100, every=every) + live(parts, 101, first=100, every=every)
    broken += live(parts, 375, first=101, every=every, ended=True)
    assert [row.event_ts for row in straight] == [row.event_ts for row in broken]
    assert all(one.values.tobytes() == two.values.tobytes() for one, two in zip(straight, broken))
    assert get_online(probe(), "NIFTY", home=parts).values.tobytes() == straight[-1].values.tobytes()
    tables = [Table(probe(), home).read() for home in (whole, parts)]
    assert same_bits(*tables)
    assert tables[1]["live"].all()
    for home in (whole, parts):
        fill(home, 8)  # the importer brings the day
        assert build(home, 7, 7).written == 0  # the same bars: there already
        found = check(probe(), SESSIONS[7], home=home)
        assert found.ok
        assert (found.recorded, found.rows, found.values) == ("live", 375, 375 * len(FEATURES))
    history = fill(tmp_path / "history", 8)
    build(history, 7, 7)
    assert same_bits(Table(probe(), history).read(), tables[0])


def test_a_day_that_ended_twice_is_written_once(tmp_path):
    fill(tmp_path, 7)
    live(tmp_path, 375, ended=True)
    LiveDay(probe(), "NIFTY", SESSIONS[7], home=tmp_path).close()
    assert Table(probe(), tmp_path).scan().collect().height == 375


def test_what_was_recorded_otherwise_is_reported(tmp_path):
    fill(tmp_path, 7)
    live(tmp_path, 374, ended=True)  # the feed missed the last bar
    fill(tmp_path, 8)
    correct(tmp_path, 7)
    found = check(probe(), SESSIONS[7], home=tmp_path)
    assert not found.ok
    opened = minutes("NIFTY", SESSIONS[7])["ts"]
    moved = found.to_frame().filter(pl.col("feature") == "KMID")
    assert moved["event_ts"].to_list() == [opened[100], opened[374]]
    assert moved["recorded"].to_list()[1] is None
    assert moved["computed"].to_list()[0] != moved["recorded"].to_list()[0]
    assert set(found.differences["feature"]) == set(FEATURES)
    assert "differences" in repr(found)
    assert "live" in found._repr_html_()
    build(tmp_path, 7, 7)  # the correction is kept beside; the check still looks at what was live
    assert check(probe(), SESSIONS[7], home=tmp_path).differences.equals(found.differences)


def test_a_day_built_offline_is_checked_too(tmp_path):
    build(fill(tmp_path, 6), 0, 5)
    found = check(probe(), SESSIONS[5], home=tmp_path)
    assert found.ok
    assert found.recorded == "offline"
    with pytest.raises(DataError, match=r"Nothing of view 'probe' was recorded on .* 6 sessions, none of them live"):
        check(probe(), SESSIONS[8], home=tmp_path)


def test_what_a_live_day_refuses(tmp_path):
    fill(tmp_path, 7)
    with pytest.raises(ConfigError, match="is of NIFTY, not of 'FINNIFTY'"):
        LiveDay(probe(), "FINNIFTY", SESSIONS[7], home=tmp_path)
    with LiveDay(probe(), "NIFTY", SESSIONS[7], home=tmp_path) as day:
        first, second = minutes("NIFTY", SESSIONS[7])[:2].iter_rows(named=True)
        assert day.last_ts is None
        day.update(second)
        assert day.last_ts == pl.Series([second["ts"]]).dt.cast_time_unit("ns").to_physical()[0]
        with pytest.raises(DataError, match="after"):
            day.update(first)
        with pytest.raises(DataError, match=f"Expected a bar of {SESSIONS[7]}, got one of"):
            day.update({**second, "ts": second["ts"] + timedelta(days=1)})
        with pytest.raises(DataError, match="its start under 'ts'"):
            day.update({"close": 1.0})
        with pytest.raises(DataError, match="with its zone"):
            day.update({**second, "ts": datetime(2024, 1, 10)})
        assert "1 bars" in repr(day)
    with pytest.raises(DataError, match="is closed"):
        day.update(first)


class Elsewhere:
    """Another place for last rows, of the two methods that are asked."""

    def __init__(self):
        self.rows = {}

    def put(self, key, row):
        self.rows[key] = row

    def get(self, key):
        return self.rows.get(key)


def test_last_rows_may_go_elsewhere(tmp_path):
    fill(tmp_path, 7)
    place = Elsewhere()
    day = LiveDay(probe(), "NIFTY", SESSIONS[7], home=tmp_path, place=place)
    row = day.update(next(minutes("NIFTY", SESSIONS[7]).iter_rows(named=True)))
    day.close(ended=False)
    assert place.get("NIFTY") is row
    assert get_online(probe(), "NIFTY", home=tmp_path) is None


# --- real data ---------------------------------------------------------------------------------------------------


def test_real_index_minutes(tmp_path):
    import_path(shared_path("data", "nse_index_minute", "original_txt", "2017 JULY NIFTY.txt"), home=tmp_path)
    view = probe("real")
    built = materialize(view, "2017-07-01", "2017-07-31", home=tmp_path)
    assert built.written == 21
    rows = Table(view, tmp_path).read()
    halted = rows.filter(pl.col("session") == pl.date(2017, 7, 10)).height
    assert halted < 375
    assert rows.filter(pl.col("session") != pl.date(2017, 7, 10))["KMID"].is_finite().all()
    asked = rows.select("underlying", pl.col("avail_ts").alias("event_time")).sample(500, seed=1, with_replacement=True)
    found = get_historical(asked, view, home=tmp_path)
    own = asked.join(rows.rename({"avail_ts": "event_time"}), on=["underlying", "event_time"], maintain_order="left")
    assert same_bits(found, own)
    assert materialize(view, "2017-07-01", "2017-07-31", home=tmp_path).written == 0
    assert check(view, "2017-07-11", home=tmp_path).ok


def test_sessions_with_a_chain_are_what_compute_gives_for_them(tmp_path):
    """All of the list, from option minutes in the store: chains, and options' volume where no future has any."""
    days = market.simulate("NIFTY", sessions=7, start="2024-01-01", strikes=15, expiries=2, seed=4)
    store_days(Store(tmp_path), days)
    names = [name for name in features.preset("algo170") if features.get(name).sessions <= 5]
    view = features.View("chain", underlying="NIFTY", features=names)
    features.materialize(view, days[6].session, days[6].session, home=tmp_path)
    found = Table(view, tmp_path).read()
    minutes_of_day = days[6].ts.size
    expected = features.compute(days[1:], names).tail(minutes_of_day)
    assert expected["vwap_dist"].is_finite().sum() > 300
    for name in names:
        here, there = found[name].to_numpy(), expected[name].to_numpy()
        if set(features.get(name).inputs) & {"vix", "peer", "oi", "future"}:
            continue  # the store may know more of these than a session does
        assert np.array_equal(here, there, equal_nan=True), name
