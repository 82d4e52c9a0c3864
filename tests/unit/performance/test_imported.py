"""Trade logs of others: what is computed, and what is refused."""

from datetime import date, datetime

import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.performance.imported import TRADES
from algomaster.performance.result import Result


def log(**changes: object) -> pl.DataFrame:
    """Two legs of one day and one of the next."""
    columns: dict[str, object] = {
        "right": ["CE", "PE", "CE"],
        "strike": [15800, 15800, 15750],
        "quantity": [-75, -75, 75],
        "entry_time": ["2021-06-11T09:20:00+05:30", "2021-06-11T09:20:00+05:30", "2021-06-14T09:30:00+05:30"],
        "entry_price": [104.35, 99.335, 100.0],
        "exit_time": ["2021-06-11T15:20:00+05:30", "2021-06-11T12:12:00+05:30", "2021-06-14T10:00:00+05:30"],
        "exit_price": [91.15, 119.2, 101.25],
        "costs": [20.0, 20.5, 0.0],
    }
    return pl.DataFrame(columns | changes)


def test_by_hand() -> None:
    result = Result.from_trades(log(), underlying="NIFTY")
    assert result.trades.schema == TRADES
    # In order of the exits: the put was stopped at 12:12.
    assert result.trades["right"].to_list() == ["PE", "CE", "CE"]
    assert result.trades["pnl"].to_list() == [-1489.88, 990.0, 93.75]  # (119.2 - 99.335) * -75 = -1489.875
    assert result.trades["net_pnl"].to_list() == [-1510.38, 970.0, 93.75]
    assert result.equity["equity"].to_list() == [-1510.38, -540.38, -446.63]
    assert result.equity["ts"][0] == result.trades["exit_time"][0]
    assert result.daily.rows() == [
        (date(2021, 6, 11), -499.88, 40.5, -540.38, 2, None),
        (date(2021, 6, 14), 93.75, 0.0, 93.75, 1, None),
    ]
    assert result.metrics["pnl"] == -446.63
    assert result.metrics["max_drawdown_intraday"] == 1510.38
    assert result.metrics["max_drawdown"] == 540.38
    assert (result.metrics["wins"], result.metrics["losses"]) == (2, 1)
    assert result.fills["quantity"].to_list() == [-75, -75, 75, 75, 75, -75]
    assert result.fills["costs"].sum() == 40.5
    assert (result.underlying, result.strategy) == ("NIFTY", "imported")
    assert len(result.digest) == 64
    assert 0 < result.fingerprint < 2**64


def test_exits_of_one_moment_are_one_step_of_equity() -> None:
    same = ["2021-06-11T15:20:00+05:30"] * 3
    frame = log(exit_time=same, entry_time=["2021-06-11T09:20:00+05:30"] * 3)
    result = Result.from_trades(frame, underlying="NIFTY")
    assert result.equity["equity"].to_list() == [-446.63]
    assert result.metrics["max_drawdown_intraday"] == 446.63


@pytest.mark.parametrize(("price", "expected"), [(100.005, 0.01), (99.995, -0.01), (100.00499, 0.0), (100.004, 0.0)])
def test_rounded_once_half_away_from_zero(price: float, expected: float) -> None:
    frame = log(quantity=[1, 1, 1], entry_price=[100.0] * 3, exit_price=[price] * 3, costs=[0.0] * 3)
    assert Result.from_trades(frame, underlying="NIFTY").trades["pnl"].to_list() == [expected] * 3


def test_decimal_not_binary() -> None:
    """In float64, 1.115 - 1.0 is a hair below 0.115, and would be rounded to 11 paise."""
    frame = log(quantity=[1, 1, 1], entry_price=[1.0] * 3, exit_price=[1.115] * 3)
    assert Result.from_trades(frame, underlying="NIFTY").trades["pnl"].to_list() == [0.12] * 3


def test_every_way_to_write_times_and_rights() -> None:
    expected = Result.from_trades(log(), underlying="NIFTY")
    naive = log().with_columns(pl.col("entry_time", "exit_time").str.slice(0, 19).str.to_datetime())
    utc = log().with_columns(
        pl.col("entry_time", "exit_time").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="ms", time_zone="UTC")
    )
    ways = [
        naive,
        utc,
        log().to_pandas(),
        naive.to_pandas(),
        log().with_columns(pl.col("entry_time", "exit_time").str.slice(0, 19).str.replace("T", " ")),
        log(exit_time=["2021-06-11T09:50:00Z", "2021-06-11T06:42:00Z", "2021-06-14T04:30:00Z"]),
        log().with_columns(pl.col("entry_time").str.replace(":00+05:30", "+05:30", literal=True)),
        log().with_columns(pl.col("entry_time", "exit_time").str.slice(0, 16)),
        log(right=["c", "pe", "C"], quantity=[-75.0, -75.0, 75.0]),
        log().with_columns(session=pl.col("exit_time").str.slice(0, 10)),
    ]
    for way in ways:
        assert Result.from_trades(way, underlying="NIFTY").digest == expected.digest
    assert isinstance(ways[2], pd.DataFrame)


def test_money_is_booked_at_the_exit_unless_the_log_says_otherwise() -> None:
    overnight = log(entry_time=["2021-06-10T15:00:00"] * 3)
    assert Result.from_trades(overnight, underlying="NIFTY").daily["date"][0] == date(2021, 6, 11)
    said = overnight.with_columns(session=pl.lit(date(2021, 6, 10)))
    assert Result.from_trades(said, underlying="NIFTY").daily["date"].to_list() == [date(2021, 6, 10)]


def test_costs_are_not_needed() -> None:
    result = Result.from_trades(log().drop("costs"), underlying="NIFTY")
    assert result.metrics["costs"] == 0.0
    assert result.metrics["gross"] == result.metrics["pnl"]


def test_skipped_sessions_are_listed_and_count_for_nothing() -> None:
    skipped = pl.DataFrame({"session": ["2021-06-15"], "reason": ["no candle"]})
    result = Result.from_trades(log(), underlying="NIFTY", skipped=skipped)
    assert result.skipped.rows() == [(date(2021, 6, 15), "no candle")]
    assert result.metrics["sessions"] == 2
    with pytest.raises(DataError, match="session and reason"):
        Result.from_trades(log(), underlying="NIFTY", skipped=skipped.drop("reason"))


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match=r"lack strike, exit_price; they have right, ") as caught:
        Result.from_trades(log().drop("strike", "exit_price"), underlying="NIFTY")
    assert caught.value.facts["missing"] == ["strike", "exit_price"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"right": ["CE", "XX", "CE"]}, "row 1: right is neither CE nor PE"),
        ({"quantity": [-75, 0, 75]}, "row 1: quantity is 0"),
        ({"quantity": [-75.0, 1.5, 75.0]}, "row 1: quantity 1.5 is not a number of that kind"),
        ({"quantity": [-75, None, 75]}, "row 1: a needed value is missing"),
        ({"entry_price": [1.0, -2.0, 3.0]}, "row 1: a price is negative"),
        ({"entry_price": [1.0, float("nan"), 3.0]}, "row 1: a price is negative or not a number"),
        ({"exit_price": ["1", "two", "3"]}, "row 1: exit_price 'two' is not a number"),
        ({"strike": [1.0, 0.0, 1.0]}, "row 1: the strike is not positive"),
        ({"costs": [1.0, float("inf"), 1.0]}, "row 1: costs are not a number"),
        ({"exit_time": ["2021-06-12", "2021-06-12", "x"]}, "row 0: exit_time '2021-06-12' is not a time"),
        ({"entry_time": [datetime(2022, 1, 1)] * 3}, "3 of the .*row 2: the exit comes before the entry"),
        ({"expiry": ["2021-06-17", "17 Jun", None]}, "row 1: expiry '17 Jun' is not a date"),
    ],
)
def test_bad_rows_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Result.from_trades(log(**changes), underlying="NIFTY")


def test_many_bad_rows_are_counted() -> None:
    frame = pl.concat([log(quantity=[0, 0, 0])] * 5)
    with pytest.raises(DataError, match=r"15 of the .* and 5 more") as caught:
        Result.from_trades(frame, underlying="NIFTY")
    assert len(caught.value.facts["problems"]) == 15


def test_something_else_than_a_frame() -> None:
    with pytest.raises(TypeError, match="polars or pandas"):
        Result.from_trades([1, 2], underlying="NIFTY")


def test_no_trades() -> None:
    result = Result.from_trades(log().clear(), underlying="NIFTY")
    assert (result.trades.height, result.daily.height, result.equity.height, result.metrics["trades"]) == (0, 0, 0, 0)
    assert result.trades.schema == TRADES
