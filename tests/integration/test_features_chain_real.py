"""Features of real chains: a day of BANKNIFTY minutes, a day of NSE's site, a vendor's volatilities."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from algomaster import features, market
from algomaster.core.types import MINUTE_NS, MISSING
from algomaster.features.catalogue import chain, surface
from algomaster.market import ChainDay, calendar
from algomaster.market.importer import import_path
from algomaster.market.store import Store
from shared_data import shared_path

NAMES = [feature.name for feature in (*chain.FEATURES, *surface.FEATURES)]
DAILY = {"gex", "dex", "iv_rank_252", "iv_pctile_252"}
OF_THE_NEXT = {"term_slope", "fwd_vol"}


def finite(frame: pl.DataFrame, name: str) -> float:
    return float(np.isfinite(frame[name].to_numpy()).mean())


def day_of_snapshots(rows: pl.DataFrame, session: date, *, lot: int, tick: int = 5) -> ChainDay:
    """A session whose bars hold the snapshots taken in them; open interest in lots becomes units."""
    ts = calendar.session(session).bar_starts()
    minute = (rows["ts"].to_physical().to_numpy() - ts[0]) // MINUTE_NS
    dates = sorted(rows["expiry"].unique().to_list())
    strikes = np.sort(rows["strike"].unique().to_numpy())
    day = ChainDay.empty(
        underlying="NIFTY", session=session, ts=ts, first_minute=555, tick=tick,
        expiries=np.array([(each - date(1970, 1, 1)).days for each in dates], np.int32),
        strikes=np.rint(strikes * 100).astype(np.int64), strike_step=np.full(len(dates), 5_000, np.int64),
        lot=np.full(len(dates), lot, np.int64),
    )  # fmt: skip
    place = (
        np.searchsorted(day.expiries, rows["expiry"].to_physical().to_numpy()),
        np.searchsorted(strikes, rows["strike"].to_numpy()),
        (rows["right"].cast(pl.String) == "PE").to_numpy().astype(int),
        minute,
    )
    for field, column, unit in (("close", "ltp", 20), ("bid", "bid", 20), ("ask", "ask", 20), ("oi", "oi", lot)):
        if column in rows.columns:
            values = rows[column].cast(pl.Float64).to_numpy()
            getattr(day, field)[place] = np.where(np.isnan(values), MISSING, np.rint(np.nan_to_num(values) * unit))
    if "spot" in rows.columns:
        known = rows["spot"].is_not_null().to_numpy()
        day.spot[minute[known]] = np.rint(rows["spot"].to_numpy()[known] * 100)
    return day


@pytest.fixture(scope="module")
def banknifty(tmp_path_factory: pytest.TempPathFactory) -> tuple[ChainDay, pl.DataFrame]:
    home: Path = tmp_path_factory.mktemp("home")
    import_path(shared_path("data", "nse_option_minute", "banknifty_20221230"), home=home)
    (day,) = market.load("BANKNIFTY", "2022-12-30", "2022-12-30", home=home)
    return day, Store(home).read("future_minute", underlying="BANKNIFTY")


def test_a_real_day_of_minutes(banknifty: tuple[ChainDay, pl.DataFrame]) -> None:
    day, future = banknifty
    rows = features.chain_inputs(day, future=future)
    found = features.compute(rows, NAMES)
    lacking = DAILY | OF_THE_NEXT | {"vix_basis"}  # one session, one expiry, no volatility index
    for name in NAMES:
        share = finite(found, name)
        assert (share == 0.0) if name in lacking else (share > 0.75), (name, share)
    basis = rows["forward"] - rows["close"]
    assert basis.is_between(-5, 70).all()
    assert basis.median() == pytest.approx(43_000 * 0.065 * 4 / 252, abs=15)  # four sessions' interest
    assert found["iv_atm"].is_between(0.10, 0.25).all()
    assert found["parity_gap_bps"].abs().median() < 2.0
    assert set(found["buildup_state"].to_list()[1:]) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert found["corr_s_iv_60"].drop_nans().mean() < 0.0  # the index and its volatility move against each other


def test_open_interest_of_a_real_day(banknifty: tuple[ChainDay, pl.DataFrame]) -> None:
    day, _ = banknifty
    rows = features.chain_inputs(day, volatility=False)
    told = market.open_interest(day).series.filter(expiry=day.expiry_dates[0])
    assert rows["pcr_oi"].to_list() == told["pcr_oi"].to_list()
    assert rows["max_pain"].to_list() == told["max_pain"].to_list()
    volumes = told["pcr_volume"].to_numpy()
    np.testing.assert_array_equal(rows["pcr_vol"].to_numpy(), volumes)


def test_a_day_of_the_exchanges_site(tmp_path: Path) -> None:
    file = shared_path("data", "nse_chain_snapshots", "nse_website_20250829", "NIFTY_20250829_all.parquet")
    import_path(file, home=tmp_path)
    rows = Store(tmp_path).read("chain_snapshot", underlying="NIFTY").filter(pl.col("oi") > 0)
    dates = sorted(rows["expiry"].unique().to_list())[:6]
    rows = (
        rows.filter(pl.col("expiry").is_in(dates))
        .sort("ts", "collected")
        .unique(["ts", "expiry", "strike", "right"], keep="first", maintain_order=True)
    )
    day = day_of_snapshots(rows, date(2025, 8, 29), lot=75)
    found = features.chain_inputs(day)
    seen = found.filter(pl.col("forward").is_not_nan())
    assert seen.height > 250
    for name in ("iv_near", "iv_next", "iv_month", "rr_25d", "skew_slope", "gex_net", "vanna_net", "atm_theta"):
        assert finite(seen, name) > 0.95, name
    assert seen["iv_near"].is_between(0.05, 0.3).all()
    assert (seen["rr_25d"] < 0.02).all()
    assert seen["chain_level"].equals(seen["forward"])  # the site's rows carry no index
    last = rows.filter(pl.col("ts") == rows["ts"].max(), expiry=dates[0])
    sums = {right: last.filter(pl.col("right").cast(pl.String) == right)["oi"].sum() for right in ("CE", "PE")}
    assert seen["pcr_oi"][-1] == pytest.approx(sums["PE"] / sums["CE"], rel=5e-3)


def test_a_vendors_volatilities(tmp_path: Path) -> None:
    """The vendor counts calendar days; total variance at the money is compared, in which the clock cancels."""
    raw = pl.read_parquet(
        shared_path("data", "nse_chain_snapshots", "minute_greeks_20260819", "option_chain_20260819.parquet")
    )
    rows = raw.select(
        "strike",
        "ltp",
        "oi",
        "spot",
        "iv",
        ts=pl.col("timestamp").str.to_datetime("%Y%m%d%H%M", time_unit="ns").dt.replace_time_zone("Asia/Kolkata"),
        expiry=pl.col("expiry").str.to_date("%d-%b-%Y"),
        right=pl.when(pl.col("option_type").str.starts_with("C")).then(pl.lit("CE")).otherwise(pl.lit("PE")),
    ).with_columns(pl.col("ts").dt.convert_time_zone("UTC"))
    session = date(2026, 8, 19)
    found = features.chain_inputs(day_of_snapshots(rows, session, lot=1))
    near = rows.filter(expiry=date(2026, 8, 25))
    end = calendar.session(date(2026, 8, 25)).close_ns
    checked = 0
    for moment, part in near.partition_by("ts", as_dict=True).items():
        row = found.filter(pl.col("ts") == moment[0])
        if not row.height or np.isnan(row["iv_near"][0]):
            continue
        forward = row["forward"][0]
        money = part.filter((pl.col("strike") - forward).abs() <= 50, pl.col("iv") > 0)
        years = (end - int(row["ts"].to_physical()[0])) / (365 * 86_400e9)
        theirs = float(money["iv"].mean()) / 100 * np.sqrt(years)
        ours = row["iv_near"][0] * np.sqrt(row["t_near"][0])
        assert ours == pytest.approx(theirs, rel=0.02)
        checked += 1
    assert checked > 60


def test_a_year_of_sessions_fills_every_memory() -> None:
    days = market.simulate("NIFTY", sessions=254, start="2023-01-02", strikes=9, expiries=2, seed=11)
    found = features.compute(days, sorted(DAILY))
    last = found[-375:]
    for name in sorted(DAILY):
        assert finite(last, name) > 0.99, name
    begins = np.cumsum([0, *(day.ts.size for day in days)])  # an evening of Muhurat trading is among them
    for name, sessions in (("iv_rank_252", 252), ("iv_pctile_252", 252), ("gex", 20), ("dex", 20)):
        assert np.isnan(found[name][: begins[sessions]].to_numpy()).all(), name
        assert finite(found[begins[sessions] : begins[sessions + 1]], name) > 0.99, name
    assert last["iv_rank_252"].is_between(0, 1).all()
    assert last["iv_pctile_252"].is_between(0, 1).all()
