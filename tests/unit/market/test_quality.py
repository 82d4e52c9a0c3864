from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.market import calendar, quality
from algomaster.market.importer import import_path
from algomaster.market.quality import Finding, Quality
from algomaster.market.rules import judge
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store

DAY = date(2021, 6, 11)


def session_bars(day: date = DAY, *, level: float = 15800.0, name: str = "NIFTY", start: int = 0) -> pl.DataFrame:
    """Quiet minutes of a session: up a paisa, down a paisa."""
    ts = calendar.session(day).bar_starts()
    close = [level + 0.01 * (i % 2) for i in range(ts.size)]
    frame = pl.DataFrame(
        {"ts": pl.Series(ts).cast(TIMESTAMP), "open": close, "high": close, "low": close, "close": close}
    )
    labels = {"underlying": pl.lit(name), "session": pl.lit(day)}
    return frame.with_columns(**labels).with_row_index("_row", offset=1 + start).cast({"_row": pl.Int64})


def month(level: float = 15800.0, first: date = date(2021, 6, 7), last: date = date(2021, 6, 18)) -> pl.DataFrame:
    parts = []
    for place, session in enumerate(calendar.sessions(first, last)):
        parts.append(session_bars(session.date, level=level, start=1000 * place))
    return pl.concat(parts)


def kinds(name: str, frame: pl.DataFrame) -> list[str]:
    return judge(name, frame).rejects["kind"].to_list()


def moved(frame: pl.DataFrame, minutes: int) -> pl.DataFrame:
    return frame.with_columns(pl.col("ts") + pl.duration(minutes=minutes, time_unit="ns"))


def test_a_clean_session_passes_whole() -> None:
    judged = judge("index_minute", session_bars())
    assert judged.frame.equals(session_bars())
    assert judged.rejects.height == judged.repeats.height == judged.shifted.height == 0
    assert quality.survey("index_minute", judged.frame.drop("_row")) == []


def test_rows_outside_the_session_are_rejected() -> None:
    early, late = moved(session_bars()[:1], -8), moved(session_bars()[-1:], 1)
    rows = pl.concat([session_bars(), early, late]).with_columns(_row=pl.int_range(1, 378, dtype=pl.Int64))
    judged = judge("index_minute", rows)
    assert judged.rejects.select("_row", "kind").rows() == [(376, "before_open"), (377, "after_close")]
    assert "09:07" in judged.rejects["reason"][0]
    assert judged.frame.height == 375


def test_an_evening_session_is_a_session_and_its_afternoon_is_not() -> None:
    diwali = session_bars(date(2021, 11, 4))
    assert diwali.height == 60  # 18:15 to 19:15
    assert judge("index_minute", diwali).rejects.height == 0
    assert kinds("index_minute", moved(diwali[:1], -120)) == ["before_open"]


def test_a_closed_day_is_rejected_with_its_reason() -> None:
    saturday = session_bars().with_columns(session=pl.lit(date(2021, 6, 12)), ts=pl.col("ts") + pl.duration(days=1))
    judged = judge("index_minute", saturday.cast({"ts": TIMESTAMP}))
    assert judged.rejects["kind"].unique().to_list() == ["no_session"]
    assert "closed on 2021-06-12" in judged.rejects["reason"][0]


def test_days_the_calendar_does_not_know_are_kept() -> None:
    rows = session_bars().with_columns(session=pl.lit(date(1999, 6, 11)))
    assert judge("index_minute", rows).rejects.height == 0


@pytest.mark.parametrize("factor", [0.087, 0.01, 0.1, 10.0, 100.0])
def test_a_wrong_scale_inside_a_session_is_rejected(factor: float) -> None:
    off = (pl.col("session") == DAY) & (pl.col("ts") >= datetime(2021, 6, 11, 4, 25, tzinfo=UTC))  # 09:55
    rows = month().with_columns(
        pl.when(off).then(pl.col(c) * factor).otherwise(c).alias(c) for c in ("open", "high", "low", "close")
    )
    judged = judge("index_minute", rows)
    assert judged.rejects["kind"].unique().to_list() == ["bad_scale"]
    assert judged.rejects.height == 375 - 40
    assert judged.rejects["session"].unique().to_list() == [DAY]


def test_a_crash_at_the_market_wide_limit_is_real() -> None:
    fall = (pl.col("session") >= DAY).cast(pl.Float64) * 0.2
    rows = month().with_columns((pl.col(c) * (1 - fall)).alias(c) for c in ("open", "high", "low", "close"))
    judged = judge("index_minute", rows)
    assert judged.rejects.height == 0
    leaps = [f for f in quality.survey("index_minute", judged.frame.drop("_row")) if f.kind == "outlier"]
    assert leaps == []  # it fell between two sessions: no minute leaps inside one


def test_sessions_of_the_store_tell_the_scale_of_a_single_day() -> None:
    levels = pl.DataFrame({"underlying": ["NIFTY"], "session": [date(2021, 6, 10)], "level": [15800.0]})
    wrong = session_bars(level=1580.0)
    assert judge("index_minute", wrong).rejects.height == 0  # nothing to compare with
    assert judge("index_minute", wrong, levels).rejects.height == 375


def test_a_single_day_is_measured_by_its_first_minute() -> None:
    rows = pl.concat([session_bars()[:40], session_bars(level=1374.0)[40:]])
    assert judge("index_minute", rows).rejects.height == 335


def test_the_volatility_index_may_double() -> None:
    rows = pl.concat([session_bars(name="INDIAVIX", level=15.0)[:40], session_bars(name="INDIAVIX", level=40.0)[40:]])
    assert judge("index_minute", rows).rejects.height == 0


def test_repeats_and_contradictions_are_told_apart() -> None:
    bars = session_bars()
    again = bars[:2].with_columns(_row=pl.col("_row") + 1000)
    other = bars[5:6].with_columns(_row=pl.col("_row") + 1000, close=pl.lit(15801.0), high=pl.lit(15801.0))
    judged = judge("index_minute", pl.concat([bars, again, other]))
    assert judged.repeats["_row"].sort().to_list() == [1001, 1002]
    assert judged.rejects.select("_row", "kind").sort("_row").rows() == [(6, "conflict"), (1006, "conflict")]
    assert all("another high, close" in reason for reason in judged.rejects["reason"])
    assert judged.frame.sort("_row").equals(bars.filter(pl.col("_row") != 6))


def option_bars(*prices: float) -> pl.DataFrame:
    rows = session_bars()[: len(prices)].with_columns(pl.Series(c, prices) for c in ("open", "high", "low", "close"))
    return rows.with_columns(expiry=pl.lit(date(2021, 6, 17)), strike=pl.lit(15800.0), right=pl.lit("CE"))


def test_option_prices_must_be_on_the_tick() -> None:
    judged = judge("option_minute", option_bars(100.05, 100.07, 0.05, 99.999))
    assert judged.rejects.select("_row", "kind").rows() == [(2, "off_tick"), (4, "off_tick")]


def test_an_options_spike_is_told_and_kept() -> None:
    (finding,) = [f for f in quality.survey("option_minute", option_bars(100, 450, 100)) if f.kind == "outlier"]
    assert (finding.count, finding.rejected, finding.first) == (1, False, DAY)
    assert not [f for f in quality.survey("option_minute", option_bars(2, 9, 2)) if f.kind == "outlier"]


def test_an_index_leap_is_told_and_kept() -> None:
    rows = session_bars().with_columns(
        close=pl.when(pl.col("_row") > 200).then(pl.col("close") * 1.03).otherwise("close")
    )
    (finding,) = quality.survey("index_minute", rows.drop("_row"))
    assert (finding.kind, finding.count) == ("outlier", 1)
    assert "12:35" in finding.detail


def test_gaps_name_their_minutes() -> None:
    rows = session_bars().filter(~pl.col("_row").is_in([11, 12, 13, 375]))
    (finding,) = quality.survey("index_minute", rows.drop("_row"))
    assert (finding.kind, finding.count, finding.first) == ("gap", 4, DAY)
    assert finding.detail == "no bar at 09:25-09:27, 15:29"


def test_gaps_of_contracts_add_up() -> None:
    call = option_bars(*[100.0] * 375)
    put = option_bars(*[90.0] * 375).with_columns(right=pl.lit("PE"))
    rows = pl.concat([call[10:], put[:-5]]).drop("_row")
    (finding,) = [f for f in quality.survey("option_minute", rows) if f.kind == "gap"]
    assert finding.count == 15
    assert finding.detail == "over 2 contracts"


def test_a_halt_explains_missing_minutes() -> None:
    stopped = date(2017, 7, 10)  # trading stopped from 09:25 to 12:30
    rows = session_bars(stopped)
    (halts,) = calendar.session(stopped).halts
    length = halts[1] - halts[0]
    minute = pl.col("_row") - 1 + 555
    quiet = rows.filter((minute < halts[0]) | (minute >= halts[1])).drop("_row")
    (finding,) = quality.survey("index_minute", quiet)
    assert (finding.kind, finding.count) == ("halt", length)
    inside = {f.kind: f.count for f in quality.survey("index_minute", rows.drop("_row"))}
    assert inside == {"halt": 0, "in_halt": length}


def test_absent_sessions_are_told_in_runs() -> None:
    absent = [date(2021, 6, 9), date(2021, 6, 10), date(2021, 6, 16)]
    findings = quality.survey("index_minute", month().filter(~pl.col("session").is_in(absent)).drop("_row"))
    assert [(f.kind, f.count, f.first, f.last) for f in findings] == [
        ("missing_sessions", 2, date(2021, 6, 9), date(2021, 6, 10)),
        ("missing_sessions", 1, date(2021, 6, 16), date(2021, 6, 16)),
    ]


@pytest.mark.parametrize("shift", [-1, 1])
def test_stamps_at_the_other_end_of_the_bar_are_noticed(shift: int) -> None:
    judged = judge("index_minute", moved(session_bars(), shift))
    found = {finding.kind: finding.count for finding in quality.of_judged("index_minute", judged)}
    assert found["stamp"] == 1


def test_a_snapshot_of_another_day_is_told() -> None:
    ts = datetime(2025, 8, 26, 10, 0, tzinfo=UTC)
    row = {"underlying": "NIFTY", "session": date(2025, 8, 26), "ts": ts, "collected": ts + timedelta(hours=18)}
    frame = pl.DataFrame([row | {"expiry": date(2025, 9, 2), "strike": 1.0, "right": "CE"}])
    (finding,) = quality.survey("chain_snapshot", frame)
    assert (finding.kind, finding.count) == ("off_session", 1)


def test_the_report_counts_filters_and_prints() -> None:
    one = Finding(kind="gap", count=3, underlying="NIFTY", first=DAY, last=DAY, detail="no bar at 09:25")
    two = Finding(kind="gap", count=4, underlying="BANKNIFTY", dataset="index_minute")
    report = Quality((one,)) + Quality((two,))
    assert report.count("gap") == 7
    assert report.count("gap", underlying="NIFTY", on=DAY) == 3
    assert report.count("gap", on=date(2020, 1, 1)) == 0
    assert report.to_frame().height == len(report) == 2
    assert report.to_dict()[0]["first"] == "2021-06-11"
    assert "no bar at 09:25" in repr(report)
    assert "<li>" in report._repr_html_()
    assert "nothing" in repr(Quality())


def test_check_looks_at_what_the_store_holds(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", session_bars()[5:].drop("_row"))
    assert quality.check(store).count("gap", underlying="NIFTY", on=DAY) == 5
    with pytest.raises(ValueError, match="start: expected a date"):
        quality.check(store, start="yesterday")
    with pytest.raises(ValueError, match="end: expected a date not before the start"):
        quality.check(store, start="2021-06-12", end="2021-06-11")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"underlying": "NIFTTY"}, r"of NIFTTY; it holds: NIFTY 2021-06-11 to .*Did you mean NIFTY\?"),
        ({"start": "2021-07-01"}, "nothing to check from 2021-07-01; it holds: NIFTY"),
        ({"underlying": "NIFTY", "end": "2021-06-10"}, "of NIFTY to 2021-06-10; it holds: NIFTY"),
    ],
)
def test_what_the_store_does_not_hold_cannot_be_checked(tmp_path: Path, asked: dict[str, str], said: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(DataError, match="it holds: none at all"):
        quality.check(store, **asked)
    store.write("index_minute", session_bars().drop("_row"))
    with pytest.raises(DataError, match=said):
        quality.check(store, **asked)


@pytest.mark.parametrize("name", ["option_minute", "future_minute"])
def test_absent_sessions_of_options_and_futures_are_told(tmp_path: Path, name: str) -> None:
    rows = month().drop("_row").filter(~pl.col("session").is_in([date(2021, 6, 9), date(2021, 6, 10)]))
    if name == "option_minute":
        rows = rows.with_columns(expiry=pl.lit(date(2021, 6, 24)), strike=pl.lit(15800.0), right=pl.lit("CE"))
    Store(tmp_path).write(name, rows)
    (finding,) = [f for f in quality.check(Store(tmp_path)) if f.kind == "missing_sessions"]
    assert (finding.dataset, finding.count, finding.first) == (name, 2, date(2021, 6, 9))
    assert finding.last == date(2021, 6, 10)


TEXT = "NIFTY,20210611,{time},15800,15801,15799,15800\n"


def test_an_import_keeps_rejects_with_their_text(tmp_path: Path) -> None:
    times = ["09:16", "09:17", "16:30", "09:18"]
    file = tmp_path / "any.txt"
    file.write_text("".join(TEXT.format(time=time) for time in times) + "NIFTY,20210611,09:19,15800,x,15799,15800\n")
    report = import_path(file, home=tmp_path / "home")
    assert (report.rows_read, report.rows_stored, report.rows_rejected) == (5, 3, 2)
    assert not report.clean
    assert report.rejects_path is not None
    kept = pl.read_parquet(report.rejects_path)
    assert kept.select("file", "row", "kind").rows() == [("any.txt", 3, "after_close"), ("any.txt", 5, "unparseable")]
    assert kept["raw"][0] == TEXT.format(time="16:30").strip()
    again = import_path(file, home=tmp_path / "home")
    assert (again.rows_stored, again.rows_unchanged, again.rows_rejected) == (0, 3, 2)
    assert again.rejects_path == report.rejects_path
    assert len(list((tmp_path / "home" / "rejects").iterdir())) == 1
    assert len(list((tmp_path / "home" / "imports").iterdir())) == 1


def test_a_folder_is_imported_file_by_file_whatever_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    (folder / "good.txt").write_text(TEXT.format(time="09:16"))
    (folder / "broken.parquet").write_bytes(b"PAR1 nonsense")
    (folder / "odd.csv").write_text("colour,shape\nred,round\n")
    (folder / "README.md").write_text("# about\n")
    seen: list[tuple[int, int, str]] = []
    report = import_path(tmp_path / "in", home=tmp_path / "home", progress=lambda *at: seen.append(at))
    status = {Path(file.path).name: file.status for file in report.files}
    assert status == {"good.txt": "imported", "broken.parquet": "failed", "odd.csv": "failed", "README.md": "skipped"}
    assert report.rows_stored == 1
    assert not report.clean
    assert report.rejects_path is None
    assert seen[-1] == (4, 4, "")
    assert report.to_frame().height == 4
    assert "odd.csv" in repr(report)
    assert "odd.csv" in report._repr_html_()
    told = report.to_dict()
    assert (told["rows_read"], told["rows_stored"], told["rows_rejected"]) == (1, 1, 0)


def test_a_changed_file_replaces_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "any.txt"
    file.write_text(TEXT.format(time="09:16"))
    import_path(file, home=tmp_path / "home")
    file.write_text(TEXT.format(time="09:16").replace("15799,15800", "15799,15799.5"))
    report = import_path(file, home=tmp_path / "home")
    assert (report.rows_replaced, report.rows_unchanged) == (1, 0)
    assert Store(tmp_path / "home").read("index_minute")["close"].to_list() == [15799.5]


def test_a_single_file_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("colour,shape\nred,round\n")
    with pytest.raises(DataError, match="no known format"):
        import_path(tmp_path / "odd.csv", home=tmp_path / "home")
    with pytest.raises(DataError, match="no file or folder"):
        import_path(tmp_path / "absent.csv", home=tmp_path / "home")
