"""Real vendor files: every defect their descriptions name shows in the report, and the numbers agree with them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.core.types import MISSING
from algomaster.market import calendar
from algomaster.market.importer import ImportReport, import_path
from algomaster.market.loading import load
from algomaster.market.store import Store
from shared_data import shared_path

Importer = Callable[[str], tuple[ImportReport, Store]]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import a folder of real data once, each into a home of its own."""
    done: dict[str, tuple[ImportReport, Store]] = {}

    def importer(name: str) -> tuple[ImportReport, Store]:
        if name not in done:
            home = tmp_path_factory.mktemp(name)
            done[name] = import_path(shared_path("data", name), home=home), Store(home)
        return done[name]

    return importer


def counts(report: ImportReport) -> dict[str, int]:
    return {Path(file.path).name: file.rows_read for file in report.files if file.status == "imported"}


def local_minute() -> pl.Expr:
    local = pl.col("ts").dt.convert_time_zone("Asia/Kolkata")
    return local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute()


FOLDERS = (
    "nse_option_minute", "nse_index_minute", "nse_chain_snapshots", "nse_option_chain_json", "nse_fo_bhavcopy_udiff",
    "nse_fo_bhavcopy_old", "nse_index_eod", "india_vix_nifty_daily",
)  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_row_has_one_place_and_importing_again_changes_nothing(folder: str, imported: Importer) -> None:
    report, store = imported(folder)
    assert report.rows_read > 0
    for file in (*report.files, report):
        parts = (file.rows_stored, file.rows_unchanged, file.rows_replaced, file.rows_rejected)
        assert sum(parts) == file.rows_read
    assert report.rows_replaced == 0
    root = Path(store.home.where)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and path.name != ".lock"}
    again = import_path(shared_path("data", folder), home=root)
    assert (again.rows_stored, again.rows_replaced) == (0, 0)
    assert again.rows_rejected == report.rows_rejected
    assert {
        path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and path.name != ".lock"
    } == before


@pytest.mark.parametrize("folder", FOLDERS)
def test_rejected_rows_are_kept_with_their_reason(folder: str, imported: Importer) -> None:
    report, _ = imported(folder)
    if report.rejects_path is None:
        assert report.rows_rejected == 0
        return
    kept = pl.read_parquet(report.rejects_path)
    assert kept.height == report.rows_rejected
    assert kept.null_count().sum_horizontal().item() == 0
    assert kept["kind"].value_counts().sort("kind").rows() == (
        report.quality.to_frame().filter("rejected").group_by("kind").agg(pl.col("count").sum()).sort("kind").rows()
    )


def test_descriptions_beside_the_data_are_skipped(imported: Importer) -> None:
    report, _ = imported("nse_option_minute")
    (skipped,) = [file for file in report.files if file.status != "imported"]
    assert Path(skipped.path).name == "README.md"
    assert skipped.reason


# --- option minutes --------------------------------------------------------------------------------------------


def test_option_minutes_hold_every_contract(imported: Importer) -> None:
    report, store = imported("nse_option_minute")
    assert counts(report)["bnf_20221230.parquet"] == 38_758
    raw = pl.read_parquet(shared_path("data", "nse_option_minute", "banknifty_20221230", "bnf_20221230.parquet"))
    late = raw.filter(pl.col("time") >= "15:30:00").height
    assert late > 0
    assert report.rows_rejected == late == report.quality.count("after_close")
    options = store.read("option_minute", underlying="BANKNIFTY")
    assert options.select("strike", "right").unique().height == 129
    assert options["expiry"].unique().to_list() == [date(2023, 1, 5)]
    assert options.select(local_minute().min().alias("a"), local_minute().max().alias("b")).row(0) == (555, 929)
    contracts = raw.filter(pl.col("symbol").str.ends_with("E"), pl.col("time") < "15:30:00")
    assert options.height == contracts.height
    assert options["volume"].sum() == contracts["volume"].cast(pl.Int64).sum()
    assert report.quality.count("gap", underlying="BANKNIFTY") == 129 * 375 - contracts.height


def test_single_precision_of_the_future_is_brought_to_the_tick(imported: Importer) -> None:
    report, store = imported("nse_option_minute")
    future = store.read("future_minute", underlying="BANKNIFTY")
    assert future["expiry"].null_count() == future.height
    assert future.row(0, named=True)["high"] == 43606.15  # 43606.1484 in the file
    paise = future.select((pl.col("open", "high", "low", "close") * 100).round().cast(pl.Int64) % 5)
    assert paise.sum().row(0) == (0, 0, 0, 0)
    assert report.quality.count("normalised") > 0


def test_broker_files_give_one_chain(imported: Importer) -> None:
    _, store = imported("nse_option_minute")
    options = store.read("option_minute", underlying="NIFTY")
    assert options.height == 12 * 375
    assert options["strike"].unique().sort().to_list() == [15600.0 + 50 * i for i in range(6)]
    assert options["expiry"].unique().to_list() == [date(2021, 6, 17)]
    assert options["oi"].null_count() == options.height


@pytest.mark.parametrize(
    ("underlying", "day", "lot", "forward", "spread"),
    [("BANKNIFTY", "2022-12-30", 25, (43_150, 43_650), 12.0), ("NIFTY", "2021-06-11", 75, (15_700, 15_900), 3.0)],
)
def test_put_call_parity_gives_one_forward_over_all_strikes(
    underlying: str, day: str, lot: int, forward: tuple[int, int], spread: float, imported: Importer
) -> None:
    _, store = imported("nse_option_minute")
    (loaded,) = load(underlying, day, day, home=store.home.where)
    assert loaded.lot.tolist() == [lot]
    assert loaded.ts.size == 375
    minute = 10
    call, put = loaded.close[0, :, 0, minute], loaded.close[0, :, 1, minute]
    near = np.abs(loaded.strikes - loaded.spot[minute]) < 60_000
    both = (call != MISSING) & (put != MISSING) & near
    forwards = loaded.strikes[both] / 100 + (call[both].astype(float) - put[both]) * loaded.tick / 100
    assert forwards.size >= 6
    assert forward[0] < np.median(forwards) < forward[1]
    assert np.ptp(forwards) < spread


# --- index minutes ---------------------------------------------------------------------------------------------


def test_index_minutes_have_the_stated_rows(imported: Importer) -> None:
    report, _ = imported("nse_index_minute")
    found = counts(report)
    assert found["NIFTY_1min_2013_2017_barEnd.parquet"] == 446_618
    assert found["BANKNIFTY_1min_2013_2017_barEnd.parquet"] == 453_375
    assert found["NIFTY_2024_1min_barStart.csv.gz"] == 58_127


def test_both_ways_of_stamping_end_up_as_starts(imported: Importer) -> None:
    _, store = imported("nse_index_minute")
    for day in (date(2016, 1, 4), date(2024, 1, 4)):
        minutes = store.read("index_minute", underlying="NIFTY", start=day, end=day).select(local_minute())
        assert minutes["ts"].to_list() == list(range(555, 930))


def test_the_vendors_text_is_the_same_as_its_parquet(imported: Importer) -> None:
    report, _ = imported("nse_index_minute")
    texts = [file for file in report.files if file.format == "index_text"]
    assert len(texts) == 4
    for file in texts:
        assert (file.rows_stored, file.rows_replaced) == (0, 0)


@pytest.mark.parametrize("name", ["NIFTY", "BANKNIFTY"])
def test_july_2016_stands_twice(name: str, imported: Importer) -> None:
    report, _ = imported("nse_index_minute")
    file = f"{name}_1min_2013_2017_barEnd.parquet"
    repeats = [f for f in report.quality if f.kind == "duplicate" and f.file == file]
    (finding,) = repeats
    assert finding.count == 7_125
    assert finding.first is not None
    assert finding.last is not None
    assert (finding.first.strftime("%Y-%m"), finding.last.strftime("%Y-%m")) == ("2016-07", "2016-07")


def test_the_wrong_scale_is_found_and_nothing_else(imported: Importer) -> None:
    report, store = imported("nse_index_minute")
    found = [f for f in report.quality if f.kind == "bad_scale"]
    assert {(f.underlying, f.first, f.last) for f in found} == {("BANKNIFTY", date(2015, 3, 30), date(2015, 3, 30))}
    raw = pl.read_parquet(shared_path("data", "nse_index_minute", "BANKNIFTY_1min_2013_2017_barEnd.parquet"))
    assert found[0].count == raw.filter(pl.col("close") < 5000).height > 0
    day = store.read("index_minute", underlying="BANKNIFTY", start=date(2015, 3, 30), end=date(2015, 3, 30))
    assert day.select(local_minute().max()).item() == 594  # the last good bar is the one stamped 09:55 at its end
    assert day["close"].min() > 18_000


def test_absent_months_are_told(imported: Importer) -> None:
    report, _ = imported("nse_index_minute")
    october = [day.date for day in calendar.sessions(date(2016, 10, 1), date(2016, 10, 31))]
    june = [day.date for day in calendar.sessions(date(2015, 6, 1), date(2015, 6, 30))]

    def absent(name: str, days: list[date]) -> bool:
        file = f"{name}_1min_2013_2017_barEnd.parquet"
        runs = [f for f in report.quality if f.kind == "missing_sessions" and f.file == file]
        return all(any(f.first <= day <= f.last for f in runs if f.first and f.last) for day in days)

    assert absent("NIFTY", october)
    assert not absent("BANKNIFTY", october)
    assert absent("NIFTY", june)
    assert absent("BANKNIFTY", june)


def test_the_halt_of_2017_is_told(imported: Importer) -> None:
    report, store = imported("nse_index_minute")
    halt = date(2017, 7, 10)
    for name in ("NIFTY", "BANKNIFTY"):
        assert report.quality.count("halt", underlying=name, on=halt) > 120
        assert store.read("index_minute", underlying=name, start=halt, end=halt).height < 375 - 120


def test_rows_before_the_open_and_after_the_close_are_rejected(imported: Importer) -> None:
    report, store = imported("nse_index_minute")
    raw = pl.read_parquet(shared_path("data", "nse_index_minute", "NIFTY_1min_2013_2017_barEnd.parquet"))
    early = raw.filter(pl.col("ts").dt.time() < pl.time(9, 15)).height
    file = "NIFTY_1min_2013_2017_barEnd.parquet"
    told = sum(f.count for f in report.quality if f.kind == "before_open" and f.file == file)
    assert told >= early > 0
    regular = store.read("index_minute", underlying="NIFTY").filter(pl.col("session").dt.weekday() <= 5)
    inside = regular.filter(pl.col("session") != date(2017, 10, 19)).select(local_minute())
    assert (inside["ts"].min(), inside["ts"].max()) == (555, 929)


def test_special_sessions_are_sessions(imported: Importer) -> None:
    _, store = imported("nse_index_minute")
    held = store.sessions("index_minute", underlying="BANKNIFTY")
    for day, rows in ((date(2015, 2, 28), 375), (date(2017, 10, 19), 60), (date(2016, 10, 30), 60)):
        assert day in held
        assert store.read("index_minute", underlying="BANKNIFTY", start=day, end=day).height == rows


def test_highs_and_lows_agree_with_an_independent_daily_file(imported: Importer) -> None:
    _, minutes = imported("nse_index_minute")
    _, days = imported("india_vix_nifty_daily")
    own = minutes.read("index_minute", underlying="NIFTY").group_by("session").agg(
        own_high=pl.col("high").max(), own_low=pl.col("low").min()
    )  # fmt: skip
    both = days.read("index_eod", underlying="NIFTY").join(own, on="session")
    assert both.height > 650
    for side in ("high", "low"):
        agree = both.select(((pl.col(side) - pl.col(f"own_{side}")).abs() <= 0.5).mean()).item()
        assert agree > 0.91


def test_bars_of_another_length_are_refused(imported: Importer) -> None:
    report, _ = imported("nse_index_minute")
    (failed,) = [file for file in report.files if file.status == "failed"]
    assert "bars of 15 minutes" in failed.reason
    with pytest.raises(DataError, match="15 minutes"):
        import_path(failed.path, home="memory://refused")


# --- chain snapshots -------------------------------------------------------------------------------------------


def test_repeats_of_the_exchanges_time_are_one_observation(imported: Importer) -> None:
    report, store = imported("nse_chain_snapshots")
    assert counts(report)["NIFTY_20250829_all.parquet"] == 233_762
    raw = pl.read_parquet(
        shared_path("data", "nse_chain_snapshots", "nse_website_20250829", "NIFTY_20250829_all.parquet")
    )
    chain = store.read("chain_snapshot", underlying="NIFTY", start=date(2025, 8, 29), end=date(2025, 8, 29))
    assert chain["ts"].n_unique() == raw["Fetch_Time"].n_unique() < raw["collection_timestamp"].n_unique() == 306
    assert chain.select("ts", "expiry", "strike", "right").is_duplicated().sum() == 0
    key = ["Fetch_Time", "Expiry_Date", "Strike_Price"]
    repeats = raw.height - raw.select(key).unique().height
    assert report.quality.count("stale") + report.quality.count("conflict") == repeats
    assert report.quality.count("zero_is_none") > 0


def test_one_sided_quotes_keep_their_one_side(imported: Importer) -> None:
    _, store = imported("nse_chain_snapshots")
    chain = store.read("chain_snapshot", underlying="NIFTY")
    assert chain.filter(pl.col("bid").is_not_null(), pl.col("ask").is_null()).height > 0
    assert chain.filter((pl.col("iv") <= 0) | (pl.col("bid") <= 0) | (pl.col("ltp") <= 0)).height == 0


def test_a_snapshot_collected_on_a_holiday_belongs_to_the_session_before(imported: Importer) -> None:
    report, store = imported("nse_chain_snapshots")
    assert store.sessions("chain_snapshot", underlying="BANKNIFTY") == [date(2025, 8, 26)]
    assert report.quality.count("off_session", underlying="BANKNIFTY", on=date(2025, 8, 26)) > 0


def test_vendor_greeks(imported: Importer) -> None:
    report, store = imported("nse_chain_snapshots")
    assert counts(report)["option_chain_20260819.parquet"] == 46_502
    chain = store.read("chain_snapshot", underlying="NIFTY", start=date(2026, 8, 19), end=date(2026, 8, 19))
    assert chain.height == 46_502
    calls = chain.filter(pl.col("right") == "CE")
    assert calls["delta"].is_between(0, 1).all()
    assert 0.05 < calls["iv"].median() < 0.5


def test_the_websites_json(imported: Importer) -> None:
    report, store = imported("nse_option_chain_json")
    assert report.rows_read == report.rows_stored == 1_298
    chain = store.read("chain_snapshot", underlying="NIFTY")
    assert chain["session"].unique().to_list() == [date(2019, 8, 23)]
    assert chain["spot"].unique().to_list() == [10829.35]


# --- end of day ------------------------------------------------------------------------------------------------


def test_udiff_bhavcopies(imported: Importer) -> None:
    report, store = imported("nse_fo_bhavcopy_udiff")
    assert sorted(counts(report).values()) == [1_568, 32_804, 116_120]
    eod = store.read("contract_eod")
    assert eod.filter(pl.col("expiry") != pl.col("actual_expiry")).height > 0
    idle = eod.filter(pl.col("contracts") == 0)
    assert idle.height > 0
    assert idle["open"].null_count() == idle.height
    assert idle["close"].null_count() < idle.height
    nifty = store.read("contract_eod", underlying="NIFTY", start=date(2025, 1, 1), end=date(2025, 1, 1))
    assert nifty["lot"].n_unique() > 1


def test_contracts_traded_are_lots(imported: Importer) -> None:
    """Turnover is units times (strike + premium); contracts times the lot gives those units."""
    _, store = imported("nse_fo_bhavcopy_udiff")
    traded = store.read("contract_eod", underlying="NIFTY").filter(
        pl.col("kind") == "index_option", pl.col("contracts") > 100
    )
    units = pl.col("turnover") / (pl.col("strike") + (pl.col("high") + pl.col("low")) / 2)
    ratio = traded.select(units / (pl.col("contracts") * pl.col("lot"))).to_series()
    assert ratio.median() == pytest.approx(1.0, abs=0.001)


def test_old_bhavcopies(imported: Importer) -> None:
    report, store = imported("nse_fo_bhavcopy_old")
    assert report.rows_read == report.rows_stored == 6
    eod = store.read("contract_eod")
    assert eod["session"].unique().sort().to_list() == [date(2021, 6, 15), date(2024, 1, 1), date(2024, 1, 2)]
    deep = eod.filter(pl.col("kind") == "index_option").row(0, named=True)
    assert (deep["strike"], deep["right"], deep["close"], deep["contracts"]) == (28100.0, "CE", 7120.85, 2)


def test_index_closes(imported: Importer) -> None:
    report, store = imported("nse_index_eod")
    assert set(counts(report).values()) == {129}
    assert len(counts(report)) == 5
    closes = store.read("index_eod", underlying="NIFTY")
    assert closes["session"].to_list() == [date(2025, 1, day) for day in (1, 2, 3, 6, 7)]
    assert closes["close"][0] == 23742.9
    assert {"BANKNIFTY", "INDIAVIX"} <= set(store.underlyings("index_eod"))


def test_daily_files(imported: Importer) -> None:
    report, store = imported("india_vix_nifty_daily")
    assert sorted(counts(report).values()) == [766, 766]
    (failed,) = [file for file in report.files if file.status == "failed"]
    assert "expiry days" in failed.reason
    vix = store.read("index_eod", underlying="INDIAVIX")
    assert vix["session"].is_sorted()
    assert vix["close"].is_between(9, 40).all()


def test_the_cash_market_is_refused_clearly() -> None:
    report = import_path(shared_path("data", "nse_cash_bhavcopy"), home="memory://cash")
    assert [file.status for file in report.files] == ["skipped", "failed"]
    assert "cash market" in report.files[1].reason
