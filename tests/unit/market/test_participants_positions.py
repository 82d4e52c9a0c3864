"""Positions of participants from their long and short contracts."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster import market
from algomaster.core.errors import DataError
from algomaster.market.interest.positions import trailing_z
from algomaster.market.schemas import DATASETS, INSTRUMENTS, validate

SIDES = [f"{name}_{side}" for name in INSTRUMENTS for side in ("long", "short")]
DAYS = (date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 6))


def day(session: date, **numbers: float) -> list[dict[str, object]]:
    """Give four participants with 10 contracts on every side, FII with other numbers."""
    rows: list[dict[str, object]] = []
    for participant in ("Client", "DII", "FII", "Pro"):
        row: dict[str, object] = {"session": session, "participant": participant, **dict.fromkeys(SIDES, 10.0)}
        rows.append(row | (numbers if participant == "FII" else {}))
    return rows


def three_days() -> pl.DataFrame:
    return pl.DataFrame(
        day(DAYS[0], index_future_long=30, index_future_short=90, index_call_long=50, index_put_long=80)
        + day(DAYS[1], index_future_long=40, index_future_short=60, index_call_short=25)
        + day(DAYS[2], index_future_long=0, index_future_short=0)
    )


def of_fii(frame: pl.DataFrame, **where: object) -> pl.DataFrame:
    return frame.filter(pl.col("participant").cast(pl.String) == "FII", **where)


def test_net_and_changes_by_hand() -> None:
    futures = of_fii(market.positioning(three_days()).frame).filter(
        pl.col("instrument").cast(pl.String) == "index_future"
    )
    assert futures["net"].to_list() == [-60, -20, 0]
    assert futures["net_change"].to_list() == [None, 40, 20]
    assert futures["long_change"].to_list() == [None, 10, -40]
    assert futures["short_change"].to_list() == [None, -30, -60]
    assert futures["since"].to_list() == [None, *DAYS[:2]]
    assert futures["avail_ts"][0] == datetime(2025, 1, 2, 18, 30, tzinfo=UTC)


def test_ratios_by_hand() -> None:
    ratios = of_fii(market.positioning(three_days()).ratios)
    assert ratios["index_future_long_share"].to_list() == [0.25, 0.4, None]
    assert ratios["index_future_long_short"].to_list() == [30 / 90, 40 / 60, None]
    assert ratios["index_future_long_share_change"].to_list() == [None, 0.4 - 0.25, None]
    assert ratios["index_call_net"].to_list() == [40, -15, 0]
    assert ratios["index_put_net"].to_list() == [70, 0, 0]
    assert ratios["index_option_net"].to_list() == [-30, -15, 0]
    assert ratios["index_put_call"].to_list() == [90 / 60, 20 / 35, 1.0]


def test_a_missing_participant_is_missing() -> None:
    rows = three_days().filter(~((pl.col("participant") == "FII") & (pl.col("session") == DAYS[1])))
    frame = of_fii(market.positioning(rows).frame, instrument="index_future")
    assert frame["session"].to_list() == [DAYS[0], DAYS[2]]
    assert frame["net_change"].to_list() == [None, None]


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.integers(2, 8))
@settings(deadline=None)
def test_z_is_that_of_the_books(values: list[int], window: int) -> None:
    found = trailing_z(np.array(values, float), window)
    for place, z in enumerate(found):
        past = values[max(place - window + 1, 0) : place + 1]
        if len(past) < window or len(set(past)) == 1:
            assert np.isnan(z)
            continue
        mean = sum(past) / window
        spread = (sum((value - mean) ** 2 for value in past) / (window - 1)) ** 0.5
        assert z == pytest.approx((values[place] - mean) / spread, rel=1e-9, abs=1e-12)


def test_later_sessions_change_nothing_earlier() -> None:
    rows = market.simulate_participants(40, seed=3)
    whole = market.positioning(rows, window=5)
    sessions = rows["session"].unique().sort()
    for count in (1, 7, 25):
        until = sessions[count - 1]
        spoiled = rows.with_columns(
            pl.when(pl.col("session") > until).then(pl.col(side) * 7 + 1).otherwise(side).alias(side) for side in SIDES
        )
        for part in (market.positioning(spoiled, window=5), market.positioning(rows, window=5, end=until)):
            for kind in ("frame", "ratios"):
                earlier = [each.to_frame(kind).filter(pl.col("session") <= until) for each in (whole, part)]
                assert earlier[0].equals(earlier[1], null_equal=True)


def test_pandas_in_and_out() -> None:
    import pandas as pd

    given_frame = pd.DataFrame(three_days().to_dicts())
    given_frame["session"] = pd.to_datetime(given_frame["session"])
    found = market.positioning(given_frame)
    assert found.frame.equals(market.positioning(three_days()).frame)
    assert isinstance(found.to_frame(pandas=True), pd.DataFrame)
    text = three_days().with_columns(pl.col("session").cast(pl.String), pl.col("participant").str.to_uppercase())
    assert market.positioning(text).frame.equals(found.frame)


def test_from_the_store_real_and_simulated_apart(tmp_path: Path) -> None:
    store = market.Store(tmp_path)
    made_up = market.simulate_participants(3, seed=1, start="2025-01-01")
    store.write("participant_oi", made_up, replace=False, simulated=True)
    found = market.positioning(home=tmp_path)
    assert found.simulated
    assert "simulated" in repr(found)
    assert found.frame.equals(market.positioning(store).frame)
    assert market.positioning(store, start="2025-01-02").frame["session"].n_unique() == 2
    real = pl.DataFrame(day(date(2025, 1, 9))).with_columns(underlying=pl.lit("ALL"))
    store.write("participant_oi", real)
    with pytest.raises(DataError, match="3 simulated sessions"):
        market.positioning(store)
    assert not market.positioning(store, start="2025-01-09").simulated
    with pytest.raises(DataError, match="no rows of participant_volume"):
        market.positioning(store, measure="volume")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (three_days().drop("stock_put_long"), "lack stock_put_long"),
        (three_days().with_columns(participant=pl.lit("TOTAL")), "unknown participants total"),
        (pl.concat([three_days(), three_days().head(1)]), "two rows"),
        (three_days().head(0), "no rows"),
        (three_days().with_columns(index_put_short=-1.0), "12 rows have a negative"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(rows: pl.DataFrame, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        market.positioning(rows)


def test_arguments_are_checked() -> None:
    for wrong in ({"window": 1}, {"measure": "value"}, {"start": "yesterday"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            market.positioning(three_days(), **wrong)
    with pytest.raises(TypeError, match="DataFrame"):
        market.positioning([1, 2])
    found = market.positioning(three_days())
    for call in (lambda: found.plot("pie"), lambda: found.plot(instrument="bond"), lambda: found.to_frame("x")):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_pictures_hold_the_numbers() -> None:
    found = market.positioning(three_days())
    net = found.plot("net")
    assert {trace.name: list(trace.y) for trace in net.data}["FII"] == [-60, -20, 0]
    both = found.plot("long_short", instrument="index_call")
    assert [list(trace.y) for trace in both.data if trace.name == "short"][2] == [-10, -25, -10]
    options = found.plot("options")
    assert [list(trace.y) for trace in options.data if trace.name == "calls - puts"][2] == [-30, -15, 0]
    assert len(options.data) == 12


def test_repr_is_a_short_table() -> None:
    text = repr(market.positioning(three_days()))
    assert "3 sessions 2025-01-02 to 2025-01-06" in text
    assert "FII     index futures +0 (+20); index options +0" in text
    assert "<table>" in market.positioning(three_days())._repr_html_()


# --- simulated ---------------------------------------------------------------------------------------------------


def test_simulated_contracts_have_two_sides() -> None:
    rows = market.simulate_participants(50, seed=5)
    assert dict(rows.schema) == DATASETS["participant_oi"].schema
    assert validate(rows, "participant_oi").equals(rows)
    sums = rows.group_by("session").agg(pl.col(SIDES).sum())
    for each in INSTRUMENTS:
        assert (sums[f"{each}_long"] == sums[f"{each}_short"]).all()
    values = rows.select(SIDES)
    assert (values.to_numpy() >= 0).all()
    assert (values.to_numpy() == np.rint(values.to_numpy())).all()


def test_simulated_sessions_are_the_calendars_and_do_not_depend_on_how_many() -> None:
    rows = market.simulate_participants(5, seed=5, start="2024-01-01")
    assert rows.equals(market.simulate_participants(9, seed=5, start="2024-01-01").head(20))
    assert rows.equals(market.simulate_participants(rows["session"].unique().sort().to_list(), seed=5))
    assert not rows.equals(market.simulate_participants(5, seed=6, start="2024-01-01"))
    for wrong in (0, [], [DAYS[1], DAYS[0]]):
        with pytest.raises(ValueError, match="sessions"):
            market.simulate_participants(wrong)
    with pytest.raises(ValueError, match="seed"):
        market.simulate_participants(1, seed=-1)
