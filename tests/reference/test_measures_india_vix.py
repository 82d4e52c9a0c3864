"""India VIX reproduced from option prices, against what NSE published: the measured differences with their reasons.

There is no date on which both the order book and the index are at hand. What there is:

- Bhavcopies of 22 sessions (closes of options: averages of the last half hour, no bid or ask) whose published index is
  known: five from NSE's own index file, the others from the daily notes of Capital Market (Business Standard, "Nifty
  January futures trade at premium" and its like). The near month is right to 0.02 points in the median.
- Order books of 29 August 2025 and 23 August 2019 without a published index: only what must hold is tested.

Known reasons for what is left: a close is an average over half an hour while the index is of its last seconds; our rate
is a constant instead of MIBOR (0.007 points a percent); NSE prints two digits. And two that can be seen in the data:

- With 30 March 2026 as an expiry (moved from the 31st by a holiday) we are 0.1 high; with time counted to the last
  Tuesday, the 31st, only 0.03: the published index seems to count to the regular day.
- On 20 February 2026, four days before an expiry, NSE had passed over it: with it we would be 0.67 low.
"""

import csv
import datetime
import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from algomaster.pricing.chain import Chain
from algomaster.pricing.measures import VarianceIndex, variance_index
from shared_data import shared_path

PRESS = {
    "2025-01-09": 14.66, "2025-01-10": 14.92, "2026-01-01": 9.19, "2026-01-02": 9.45, "2026-01-09": 10.93,
    "2026-01-12": 11.37, "2026-01-20": 12.73, "2026-01-21": 13.78, "2026-01-23": 14.19, "2026-01-28": 13.53,
    "2026-01-29": 13.37, "2026-02-09": 12.19, "2026-02-16": 13.33, "2026-02-20": 14.36, "2026-02-24": 14.15,
    "2026-02-25": 13.49, "2026-02-26": 13.06,
}  # fmt: skip
MOVED, REGULAR = datetime.date(2026, 3, 30), datetime.date(2026, 3, 31)
CLOSE = " 15:30"


@pytest.fixture(scope="module")
def published() -> dict[str, float]:
    found = dict(PRESS)
    for day in ("01", "02", "03", "06", "07"):
        with shared_path("data", "nse_index_eod", f"ind_close_all_{day}012025.csv").open() as file:
            rows = {row["Index Name"]: row for row in csv.DictReader(file)}
        found[f"2025-01-{day}"] = float(rows["India VIX"]["Closing Index Value"])
    return found


@pytest.fixture(scope="module")
def bhavcopies() -> pl.DataFrame:
    name = "fo_udiff_NIFTY_BANKNIFTY_2025-01-01_2026-02-27.parquet"
    table = pl.scan_parquet(shared_path("data", "nse_fo_bhavcopy_udiff", name))
    options = table.filter((pl.col("TckrSymb") == "NIFTY") & (pl.col("FinInstrmTp") == "IDO"))
    traded = options.filter(pl.col("TtlTradgVol") > 0)
    return traded.select(
        pl.col("TradDt").alias("session"), pl.col("OptnTp").alias("right"), pl.col("StrkPric").alias("strike"),
        pl.col("XpryDt").str.to_date().alias("expiry"), pl.col("ClsPric").alias("price"),
    ).collect()  # fmt: skip


def closing_index(bhavcopies: pl.DataFrame, day: str, **terms: Any) -> VarianceIndex:
    rows = bhavcopies.filter(pl.col("session") == day).drop("session")
    live = rows.filter(pl.col("expiry") > datetime.date.fromisoformat(day))
    rate = 0.065 if day < "2026" else 0.055
    return variance_index(Chain.from_frame(live, at=day + CLOSE, rate=rate), method="nse", **terms)


def uses(found: VarianceIndex, day: datetime.date) -> bool:
    return any(strip.label == str(day) for strip in found.strips)


def test_published_closes(bhavcopies: pl.DataFrame, published: dict[str, float]) -> None:
    assert len(published) == 22
    found = {day: closing_index(bhavcopies, day) for day in published}
    off = {day: index.value - published[day] for day, index in found.items()}
    regular = np.array([off[day] for day, index in found.items() if not uses(index, MOVED)])
    assert regular.size == 13
    assert np.median(np.abs(regular)) < 0.021
    assert np.abs(regular).max() < 0.06
    assert abs(regular.mean()) < 0.01
    moved = np.array([off[day] for day, index in found.items() if uses(index, MOVED)])
    assert np.median(np.abs(moved)) < 0.11
    assert np.abs(moved).max() < 0.26  # 20 February: both expiries beyond the horizon, 38 and 67 days


def test_time_is_counted_to_the_regular_expiry(bhavcopies: pl.DataFrame, published: dict[str, float]) -> None:
    counted = bhavcopies.with_columns(expiry=pl.col("expiry").replace(MOVED, REGULAR))
    off = []
    for day in published:
        index = closing_index(counted, day)
        if uses(index, REGULAR):
            off.append(index.value - published[day])
    assert len(off) == 9
    assert np.median(np.abs(off)) < 0.035
    assert np.abs(off).max() < 0.13


def test_the_near_expiry_is_passed_over_before_its_end(bhavcopies: pl.DataFrame, published: dict[str, float]) -> None:
    day = "2026-02-20"
    kept = closing_index(bhavcopies, day, least_days=3)
    assert kept.strips[0].label == "2026-02-24"
    assert kept.value - published[day] == pytest.approx(-0.67, abs=0.02)
    assert closing_index(bhavcopies, day).strips[0].label == "2026-03-30"


def book_of(snapshot: pl.DataFrame) -> pl.DataFrame:
    """Call and put columns of NSE's website as rows."""
    sides = []
    for right, prefix in (("CE", "CALLS_"), ("PE", "PUTS_")):
        sides.append(
            snapshot.select(
                pl.lit(right).alias("right"), pl.col("Strike_Price").cast(pl.Float64).alias("strike"),
                pl.col("Expiry_Date").str.to_date("%d-%b-%Y").alias("expiry"),
                pl.col(prefix + "Bid_Price").alias("bid"), pl.col(prefix + "Ask_Price").alias("ask"),
            )
        )  # fmt: skip
    return pl.concat(sides)


def test_order_books_of_a_day() -> None:
    """Every minute of 29 August 2025: a value, steady from minute to minute, and nearly the same by Cboe's rules."""
    path = shared_path("data", "nse_chain_snapshots", "nse_website_20250829", "NIFTY_20250829_all.parquet")
    table = pl.read_parquet(path).unique(["Fetch_Time", "Expiry_Date", "Strike_Price"], keep="first")
    minutes = table.with_columns(at=pl.col("Fetch_Time").str.to_datetime("%d-%b-%Y %H:%M:%S")).sort("at", "Expiry_Date")
    nse, cboe = [], []
    for (at,), snapshot in minutes.partition_by("at", as_dict=True, maintain_order=True).items():
        chain = Chain.from_frame(book_of(snapshot), at=at, rate=0.055)
        nse.append(variance_index(chain, method="nse"))
        cboe.append(variance_index(chain, expiries=[strip.label for strip in nse[-1].strips]))
    values = np.array([index.value for index in nse])
    assert values.size == 292
    assert [strip.label for strip in nse[0].strips] == ["2025-09-30", "2025-10-28"]
    assert np.isfinite(values).all()
    assert 11.7 < values.min() < values.max() < 12.6
    assert np.abs(np.diff(values)).max() < 0.25
    assert np.median(np.abs(np.diff(values))) < 0.02
    apart = np.abs(values - [index.value for index in cboe])
    assert np.median(apart) < 0.05
    assert apart.max() < 0.2  # in the first quarter of an hour the next month is quoted too widely for NSE's rules


def test_a_thin_order_book() -> None:
    """23 August 2019: 39 of 79 quotes of the next month are too wide and come from the spline."""
    path = shared_path("data", "nse_option_chain_json", "option-chain-indices_NIFTY_20190823.json")
    rows = [
        (right, float(entry["strikePrice"]), entry["expiryDate"], *map(float, (side["bidprice"], side["askPrice"])))
        for entry in json.loads(path.read_text())["records"]["data"]
        for right in ("CE", "PE")
        if (side := entry.get(right))
    ]
    table = pl.DataFrame(rows, schema=["right", "strike", "expiry", "bid", "ask"], orient="row")
    book = table.with_columns(pl.col("expiry").str.to_date("%d-%b-%Y"))
    found = variance_index(Chain.from_frame(book, at="2019-08-23" + CLOSE, rate=0.055), method="nse")
    near, next_ = found.strips
    assert (near.label, next_.label) == ("2019-08-29", "2019-09-26")
    assert next_.filled == 39
    assert found.value == pytest.approx(17.3, abs=0.1)
