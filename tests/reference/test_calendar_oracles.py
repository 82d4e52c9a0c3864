"""Our sessions and expiries against calendar libraries, index minutes, bhavcopies and a published log."""

import csv
import gzip
import warnings
from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

from algomaster.market import calendar, facts
from shared_data import shared_path

FIRST, LAST = date(2013, 1, 1), date(2026, 12, 31)


def _days(text):
    return {date.fromisoformat(day) for day in text.split()}


# Saturdays and Sundays on which the exchange traded; neither library knows a weekend session.
WEEKEND = _days(
    "2013-05-11 2013-11-03 2014-03-22 2015-02-28 2016-10-30 2019-10-27 2020-02-01 2020-11-14 2023-11-12 2024-01-20"
    " 2024-03-02 2024-05-18 2025-02-01 2026-02-01"
)
# Weekdays with nothing but an hour of Muhurat trading; XBOM counts them as closed.
MUHURAT = _days("2014-10-23 2015-11-11 2017-10-19 2018-11-07 2021-11-04 2022-10-24 2024-11-01 2025-10-21")
# The Muharram holiday of 2013 was moved by a day; index minutes exist on the 14th and none on the 15th.
MUHARRAM_TRADED, MUHARRAM_CLOSED = date(2013, 11, 14), date(2013, 11, 15)


def _ours():
    return {session.date for session in calendar.sessions(FIRST, LAST)}


def test_every_difference_from_exchange_calendars_is_explained():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        theirs = {
            day.date() for day in exchange_calendars.get_calendar("XBOM", start=str(FIRST), end=str(LAST)).sessions
        }
    assert _ours() - theirs == WEEKEND | MUHURAT | {MUHARRAM_TRADED}
    assert theirs - _ours() == {MUHARRAM_CLOSED}


def test_every_difference_from_pandas_market_calendars_is_explained():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars

        theirs = {day.date() for day in pandas_market_calendars.get_calendar("NSE").valid_days(str(FIRST), str(LAST))}
    assert _ours() - theirs == WEEKEND
    assert theirs - _ours() == set()


def _minutes_of(name):
    frame = pl.read_parquet(shared_path("data", "nse_index_minute", f"{name}_1min_2013_2017_barEnd.parquet"))
    starts = frame.unique()["ts"].sort() - timedelta(minutes=1)
    return starts.to_list()


def test_days_of_index_minutes_2013_to_2017_are_our_sessions():
    found = {stamp.date() for name in ("NIFTY", "BANKNIFTY") for stamp in _minutes_of(name)}
    gone = {  # taken out of the files or never in them, see the data's description
        day for day in _ours() if day.year <= 2017 and (day.year, day.month) in {(2015, 6), (2016, 9)}
    } | _days("2013-11-03 2014-10-23 2015-11-11")  # no evening bars in the files
    ours = {day for day in _ours() if day.year <= 2017}
    assert found - ours == set()
    assert ours - found == gone


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2013, 5, 11), "NIFTY"),
        (date(2014, 3, 22), "NIFTY"),
        (date(2015, 2, 28), "NIFTY"),
        (date(2016, 10, 30), "BANKNIFTY"),
        (date(2017, 7, 10), "NIFTY"),
        (date(2017, 10, 19), "BANKNIFTY"),
    ],
)
def test_hours_of_special_sessions_agree_with_index_minutes(day, name):
    session = calendar.session(day)
    found = {stamp.hour * 60 + stamp.minute for stamp in _minutes_of(name) if stamp.date() == day}
    halted = {minute for start, end in session.halts for minute in range(start, end)}
    open_minutes = set(range(session.first_minute, session.first_minute + session.minutes)) - halted
    assert len(open_minutes - found) <= 3, "an open session has a bar in nearly every minute"
    assert len({minute for minute in found if minute in halted}) < 0.12 * max(len(halted), 1)
    outside = {
        minute for minute in found if not session.first_minute <= minute < session.first_minute + session.minutes
    }
    assert len(outside) <= 5, "only the pre-open value and the closing prints stand outside"


def test_sessions_and_hours_of_2024_agree_with_index_minutes():
    found = {}
    with gzip.open(shared_path("data", "nse_index_minute", "NIFTY_2024_1min_barStart.csv.gz"), "rt") as lines:
        for row in csv.DictReader(lines):
            day = datetime.strptime(row["Date"], "%Y%m%d").date()
            found.setdefault(day, set()).add(calendar.parse_time(row["Time"]))
    sessions = calendar.sessions(date(2024, 1, 1), max(found))
    missing_from_the_file = _days("2024-02-01 2024-03-04 2024-04-05 2024-05-07 2024-07-10")
    assert {session.date for session in sessions} - set(found) == missing_from_the_file
    assert set(found) <= {session.date for session in sessions}
    for session in sessions:
        if session.date in found and session.date != date(2024, 1, 20):  # its late rows repeat one price
            halted = {minute for start, end in session.halts for minute in range(start, end)}
            assert (
                found[session.date] == set(range(session.first_minute, session.first_minute + session.minutes)) - halted
            )


def test_days_of_bars_2021_to_2022_and_of_the_bhavcopies_are_sessions():
    bars = pl.read_csv(shared_path("data", "nse_index_minute", "BANKNIFTY_15min_epoch_2021-02_2022-06.csv"))
    days = {calendar.session_date(seconds * 1_000_000_000) for seconds in bars["Time"]}
    udiff = "fo_udiff_NIFTY_BANKNIFTY_2025-01-01_2026-02-27.parquet"
    frame = pl.read_parquet(shared_path("data", "nse_fo_bhavcopy_udiff", udiff), columns=["TradDt"])
    days |= {date.fromisoformat(day) for day in frame["TradDt"].unique()}
    assert days <= _ours()


# --- Expiries and lots ------------------------------------------------------------------------------------------------


def _bhavcopy():
    path = shared_path("data", "nse_fo_bhavcopy_udiff", "fo_udiff_NIFTY_BANKNIFTY_2025-01-01_2026-02-27.parquet")
    columns = ["TradDt", "TckrSymb", "XpryDt", "NewBrdLotQty"]
    for traded, name, expiry, lot in pl.read_parquet(path, columns=columns).unique().sort(columns).iter_rows():
        yield date.fromisoformat(traded), name, date.fromisoformat(expiry), lot


def test_lots_equal_every_row_of_the_bhavcopies():
    rows = list(_bhavcopy())
    assert len(rows) > 900
    wrong = [row for row in rows if facts.lot_size(row[1], expiry=row[2], on=row[0]) != row[3]]
    assert wrong == []


def test_expiries_of_the_bhavcopies_are_ours():
    for traded, name, expiry, _ in _bhavcopy():
        ours = {found.date for found in facts.expiries(name, traded, LAST)}
        if traded == date(2025, 1, 1) and name == "BANKNIFTY":
            continue  # Wednesdays still; that night they all moved to Thursdays
        if traded.year == 2025 and expiry > date(2025, 8, 31):
            continue  # Thursdays still; they moved to Tuesdays on 1 September 2025
        assert expiry in ours or expiry > LAST, (traded, name, expiry)


def test_near_expiries_are_complete_in_the_bhavcopies():
    listed = {}
    for traded, name, expiry, _ in _bhavcopy():
        listed.setdefault((traded, name), set()).add(expiry)
    for (traded, name), dates in listed.items():
        if traded == date(2025, 1, 1) and name == "BANKNIFTY":
            continue
        count = 5 if name == "NIFTY" else 3  # four weeklies with the near month; three months
        assert {expiry.date for expiry in facts.next_expiries(name, traded, 2)} <= dates, (traded, name)
        assert len({found.date for found in facts.next_expiries(name, traded, count)} & dates) >= count - 1


def test_thursdays_2015_to_2018_are_the_rule_before_weeklies_existed():
    """The file lists a Thursday (moved for holidays) of each week; contracts of NIFTY were monthly until February 2019.

    BANKNIFTY had weeklies from 2 June 2016 on. The file leaves out the Diwali weeks of 2017 and 2018, whose Thursday
    was closed or had only a Muhurat evening: the expiry went back to the day session before.
    """
    with shared_path("data", "india_vix_nifty_daily", "weekly_expiry_days_2015_2018.csv").open() as lines:
        listed = [datetime.strptime(row["expDays"], "%m/%d/%Y").date() for row in csv.DictReader(lines)]
    start, end = min(listed), max(listed)
    monthly = {expiry.date for expiry in facts.expiries("NIFTY", start, end)}
    assert monthly <= set(listed)
    assert {expiry.kind for expiry in facts.expiries("NIFTY", start, end)} == {"monthly"}
    weekly = [expiry.date for expiry in facts.expiries("BANKNIFTY", date(2016, 6, 2), end)]
    since = {day for day in listed if day >= date(2016, 6, 2)}
    assert since <= set(weekly)
    assert set(weekly) - since == _days("2017-10-18 2018-11-06")
    assert facts.expiries("NIFTY", date(2019, 2, 1), date(2019, 2, 14))[0] == facts.Expiry(date(2019, 2, 14), "weekly")


def _log():
    path = shared_path("data", "published_backtests", "nifty_0920_straddle_20pctSL_2019_2023.csv")
    return pl.read_csv(path).with_columns(pl.col("entry_date", "expiry_date").str.to_date())


def test_published_log_trades_on_sessions_only_and_leaves_out_few():
    log = _log()
    days = set(log["entry_date"])
    ours = {session.date for session in calendar.sessions(min(days), max(days))}
    assert days <= ours
    # Muhurat evenings, the budget Saturday, and the day that was taken out of the log on purpose.
    assert ours - days == _days("2019-10-27 2020-02-01 2020-11-14 2023-11-12 2021-06-14")


def test_expiries_of_the_published_log():
    """Traded rows name the next expiry after the entry day, with one date that never was.

    29 June 2023 became a holiday shortly before and the contracts expired on the 28th. Rows of 2019 that were skipped
    name 2020-01-02 because the author had no contract files of 2019.
    """
    log = _log()
    traded = log.filter(pl.col("status") == "TRADED")
    assert traded.height == 524
    for entry, expiry in traded.select("entry_date", "expiry_date").iter_rows():
        upcoming = [found.date for found in facts.next_expiries("NIFTY", entry, 2)]
        assert expiry in upcoming, (entry, expiry)
    known = {found.date for found in facts.expiries("NIFTY", date(2019, 1, 1), date(2024, 12, 31))}
    assert set(log["expiry_date"].drop_nulls()) - known == {date(2023, 6, 29)}
    no_files = log.filter((pl.col("entry_date") < date(2019, 12, 26)) & (pl.col("expiry_date").is_not_null()))
    assert set(no_files["expiry_date"]) == {date(2020, 1, 2)}


def test_lots_of_the_published_log():
    """The author changes 75 to 50 with October 2021; the exchange did so with the contracts from 29 July 2021 on."""
    rows = _log().filter(pl.col("lot_size") > 0, pl.col("expiry_date") >= pl.col("entry_date"))
    different = set()
    for entry, expiry, lot in rows.select("entry_date", "expiry_date", "lot_size").iter_rows():
        if facts.lot_size("NIFTY", expiry=expiry, on=entry) != lot:
            different.add((entry, expiry, lot))
    assert rows.height > 1000
    assert all(date(2021, 7, 29) <= expiry <= date(2021, 9, 30) and lot == 75 for _, expiry, lot in different)


def test_close_of_the_index_minutes_is_the_session_close():
    ends = [stamp.time() for stamp in _minutes_of("NIFTY") if stamp.hour == 15 and stamp.minute == 29]
    assert len(ends) > 1100
    assert calendar.session(date(2017, 3, 1)).close_ns == calendar.to_ns(date(2017, 3, 1), 15 * 60 + 30)
    assert ends[0] == time(15, 29)


def test_ticks_and_strike_steps_of_the_bhavcopies():
    path = shared_path("data", "nse_fo_bhavcopy_udiff", "fo_udiff_NIFTY_BANKNIFTY_2025-01-01_2026-02-27.parquet")
    prices = ["OpnPric", "HghPric", "LwPric", "LastPric"]
    columns = ["TradDt", "XpryDt", "TckrSymb", "FinInstrmTp", "StrkPric", "UndrlygPric", *prices]
    frame = pl.read_parquet(path, columns=columns).with_columns(pl.col("TradDt", "XpryDt").str.to_date())
    for (name, kind, traded), rows in frame.group_by("TckrSymb", "FinInstrmTp", "TradDt"):
        tick = facts.tick_paise(name, on=traded, segment={"IDO": "option", "IDF": "future"}[kind])
        paise = (rows.select(prices) * 100).to_numpy().round().astype(int)
        assert (paise % tick == 0).all(), (name, kind, traded)
    near = frame.filter(
        pl.col("FinInstrmTp") == "IDO",
        pl.col("XpryDt") - pl.col("TradDt") <= timedelta(days=35),
        (pl.col("StrkPric") - pl.col("UndrlygPric")).abs() <= 0.02 * pl.col("UndrlygPric"),
    )
    chains = 0
    for (name, traded, _), rows in near.group_by("TckrSymb", "TradDt", "XpryDt"):
        steps = set((rows["StrkPric"].unique().sort() * 100).diff().drop_nulls())
        assert steps == {facts.strike_step_paise(name, on=traded)}
        chains += 1
    assert chains > 250
