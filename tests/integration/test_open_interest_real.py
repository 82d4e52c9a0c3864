"""A real day of NIFTY snapshots, worked out again from the vendor's wide file with numpy alone."""

import itertools
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from algomaster import market
from algomaster.market.importer import import_path
from algomaster.market.interest.result import OpenInterest
from algomaster.market.store import Store
from shared_data import shared_path

INDIA = ZoneInfo("Asia/Kolkata")
FILE = ("data", "nse_chain_snapshots", "nse_website_20250829", "NIFTY_20250829_all.parquet")
Wide = dict[tuple[datetime, date], dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def wide() -> Wide:
    """Give columns by exchange time and expiry, strikes ascending, of the first collection of each time."""
    raw = pl.read_parquet(shared_path(*FILE)).sort("collection_timestamp", "Strike_Price")
    first = raw.filter(pl.col("collection_timestamp") == pl.col("collection_timestamp").min().over("Fetch_Time"))
    found = {}
    for (moment, expiry), part in first.partition_by("Fetch_Time", "Expiry_Date", as_dict=True).items():
        when = datetime.strptime(moment, "%d-%b-%Y %H:%M:%S").replace(tzinfo=INDIA)
        numbers = {
            name: part[name].cast(pl.Float64).to_numpy() for name, kind in part.schema.items() if kind.is_numeric()
        }
        found[when, datetime.strptime(expiry, "%d-%b-%Y").date()] = numbers
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> OpenInterest:
    home: Path = tmp_path_factory.mktemp("home")
    import_path(shared_path(*FILE), home=home)
    return market.open_interest(Store(home).read("chain_snapshot", underlying="NIFTY"))


def test_every_snapshot_once_and_in_contracts(found: OpenInterest, wide: Wide) -> None:
    assert found.series["ts"].n_unique() == len({moment for moment, _ in wide}) == 292
    assert found.expiries == sorted({expiry for _, expiry in wide})
    assert (found.unit, found.reference, found.step) == ("contracts", "parity", 50.0)


def test_sums_ratios_pain_and_walls_agree_with_numpy(found: OpenInterest, wide: Wide) -> None:
    rows = {(row["ts"], row["expiry"]): row for row in found.series.filter(pl.col("expiry").is_not_null()).to_dicts()}
    checked = 0
    for (moment, expiry), columns in wide.items():
        calls, puts, strikes = columns["CALLS_OI"], columns["PUTS_OI"], columns["Strike_Price"]
        if not calls.any() or not puts.any():
            continue
        row = rows[moment, expiry]
        assert row["call_oi"] == pytest.approx(calls.sum(), rel=1e-12)
        assert row["pcr_oi"] == pytest.approx(puts.sum() / calls.sum(), rel=1e-12)
        assert row["call_volume"] == pytest.approx(columns["CALLS_Volume"].sum(), rel=1e-12)
        gaps = strikes[:, None] - strikes[None, :]
        paid = np.maximum(gaps, 0) @ calls + np.maximum(-gaps, 0) @ puts
        place = int(np.searchsorted(strikes, row["max_pain"]))
        assert paid[place] <= paid.min() * (1 + 1e-12)
        assert calls[int(np.searchsorted(strikes, row["resistance"]))] == calls.max()
        assert puts[int(np.searchsorted(strikes, row["support"]))] == puts.max()
        checked += 1
    assert checked > 2500


def test_totals_over_all_expiries(found: OpenInterest, wide: Wide) -> None:
    every = {row["ts"]: row for row in found.series.filter(pl.col("expiry").is_null()).to_dicts()}
    for moment in every:
        of_time = [columns for (when, _), columns in wide.items() if when == moment]
        assert every[moment]["put_oi"] == pytest.approx(sum(each["PUTS_OI"].sum() for each in of_time), rel=1e-12)


def test_the_longest_queues_are_the_files(found: OpenInterest, wide: Wide) -> None:
    rows = found.walls.filter(pl.col("wall").is_in(["call_ask", "put_bid"]), expiry=found.expiries[0])
    for row in rows.iter_rows(named=True):
        columns = wide[row["ts"].astimezone(INDIA), row["expiry"]]
        sizes = columns["CALLS_Ask_Qty" if row["wall"] == "call_ask" else "PUTS_Bid_Qty"]
        assert row["size"] == sizes.max() == sizes[np.searchsorted(columns["Strike_Price"], row["strike"])]


def test_build_up_of_the_nearest_expiry(found: OpenInterest, wide: Wide) -> None:
    expiry = found.expiries[0]
    moments = sorted(moment for moment, of in wide if of == expiry)
    ends = sorted(set(found.buildup["ts"]))
    counted = 0
    for before, end in itertools.pairwise(ends):
        length = (end - before).total_seconds()
        assert length == 900
        pair = [max((m for m in moments if m <= limit), default=None) for limit in (before, end)]
        assert pair[0] is not None
        assert pair[1] is not None
        old, new = (wide[moment, expiry] for moment in pair if moment)
        for right, side in (("CE", "CALLS"), ("PE", "PUTS")):
            told = {
                row["strike"]: row
                for row in found.buildup.filter(ts=end, expiry=expiry, right=right).iter_rows(named=True)
            }
            was = dict(zip(old["Strike_Price"], zip(old[f"{side}_LTP"], old[f"{side}_OI"])))
            for strike, price, oi in zip(new["Strike_Price"], new[f"{side}_LTP"], new[f"{side}_OI"]):
                if strike not in told or not price or not was[strike][0]:
                    continue
                row, (price_before, oi_before) = told[strike], was[strike]
                assert row["oi_change"] == pytest.approx(oi - oi_before, abs=1e-9)
                moves = np.sign(price - price_before) * (abs(price - price_before) > 0.005 * price_before)
                opens = np.sign(oi - oi_before) * (abs(oi - oi_before) > 0.01 * oi_before)
                names = {(1, 1): "long_buildup", (-1, 1): "short_buildup", (1, -1): "short_covering",
                         (-1, -1): "long_unwinding"}  # fmt: skip
                assert row["kind"] == names.get((int(moves), int(opens)), "none")
                counted += row["kind"] != "none"
    assert counted > 500


def test_the_parity_forward_stands_where_the_options_say(found: OpenInterest) -> None:
    spot = found.series.filter(expiry=found.expiries[0])["spot"]
    assert spot.null_count() == 0
    assert spot.is_between(24_300, 24_700).all()
    assert spot.diff().drop_nulls().abs().median() < 10


def test_a_real_day_of_minutes_carries_what_was_last_known(tmp_path: Path) -> None:
    import_path(shared_path("data", "nse_option_minute", "banknifty_20221230"), home=tmp_path)
    (day,) = market.load("BANKNIFTY", "2022-12-30", "2022-12-30", home=tmp_path)
    whole, bare = market.open_interest(day), market.open_interest(day, max_age=0)
    assert (whole.unit, whole.reference) == ("units", "spot")
    rows = Store(tmp_path).read("option_minute", underlying="BANKNIFTY")
    for minute in (0, 30, 180, 374):
        end = pl.from_epoch(pl.Series([int(day.ts[minute])]), "ns").dt.replace_time_zone("UTC")[0]
        known = rows.filter(pl.col("ts") <= end, pl.col("oi").is_not_null()).group_by("strike", "right").last()
        told, fresh = (
            each.series.filter(expiry=day.expiry_dates[0], ts=end + timedelta(minutes=1)).row(0, named=True)
            for each in (whole, bare)
        )
        assert told["contracts"] == known.height >= fresh["contracts"]
        for right, column in (("CE", "call_oi"), ("PE", "put_oi")):
            assert told[column] == known.filter(right=right)["oi"].sum()
        oldest = (end - known["ts"].min()).total_seconds() / 60
        assert (told["oldest"], fresh["oldest"]) == (oldest, 0.0)
    assert bare.series["contracts"].min() < 129
