from datetime import UTC, date, datetime

import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.market.schemas import DATASETS, TIMESTAMP, dataset, empty, validate, with_avail_ts

MOMENT = datetime(2021, 6, 11, 3, 45, tzinfo=UTC)  # 09:15 in India
BAR = {"underlying": "NIFTY", "session": date(2021, 6, 11), "ts": MOMENT, "open": 1, "high": 2, "low": 1, "close": 2}


def test_gives_columns_in_order_and_type_and_missing_as_null() -> None:
    frame = pl.DataFrame([BAR | {"close": float("nan")}]).select(reversed(list(BAR)))
    clean = validate(frame, "index_minute")
    assert dict(clean.schema) == DATASETS["index_minute"].schema
    assert clean.columns == list(DATASETS["index_minute"].schema)
    assert clean["close"].null_count() == 1
    assert clean["open"].to_list() == [1.0]


def test_columns_that_may_be_null_can_be_left_out() -> None:
    option = BAR | {"expiry": date(2021, 6, 17), "strike": 15800, "right": "CE"}
    clean = validate(pl.DataFrame([option]), "option_minute")
    assert clean["oi"].null_count() == 1
    assert clean["right"].to_list() == ["CE"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"speed": 1.0}, "unknown speed"),
        ({"underlying": None}, "underlying in 1 rows"),
        ({"close": "abc"}, "expected Float64"),
        ({"ts": datetime(2021, 6, 11, 9, 15)}, "times without a zone"),
    ],
)
def test_says_what_does_not_fit(change: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        validate(pl.DataFrame([BAR | change]), "index_minute")


def test_says_which_column_is_lacking() -> None:
    with pytest.raises(DataError, match="lacking ts"):
        validate(pl.DataFrame([BAR]).drop("ts"), "index_minute")


def test_a_right_is_a_call_or_a_put() -> None:
    option = BAR | {"expiry": date(2021, 6, 17), "strike": 15800.0, "right": "XX"}
    with pytest.raises(DataError, match="right"):
        validate(pl.DataFrame([option]), "option_minute")


def test_names_the_datasets_when_there_is_none_of_a_name() -> None:
    with pytest.raises(DataError, match="index_minute"):
        dataset("minutes")


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_names_its_key_and_can_be_empty(name: str) -> None:
    kind = DATASETS[name]
    assert set(kind.key) <= set(kind.schema)
    assert set(kind.required) <= set(kind.schema)
    assert with_avail_ts(validate(empty(name), name), name).schema["avail_ts"] == TIMESTAMP
    assert kind.about
    assert kind.avail_rule


def test_a_bar_is_available_at_its_end() -> None:
    frame = with_avail_ts(validate(pl.DataFrame([BAR]), "index_minute"), "index_minute")
    assert frame["avail_ts"].to_list() == [datetime(2021, 6, 11, 3, 46, tzinfo=UTC)]


def test_a_days_file_is_available_at_midnight_in_india() -> None:
    day = {"underlying": "NIFTY", "session": date(2021, 6, 11), "close": 15799.35}
    frame = with_avail_ts(validate(pl.DataFrame([day]), "index_eod"), "index_eod")
    assert frame["avail_ts"].to_list() == [datetime(2021, 6, 11, 18, 30, tzinfo=UTC)]


def test_a_snapshot_is_available_when_it_was_collected() -> None:
    later = datetime(2021, 6, 11, 3, 47, tzinfo=UTC)
    row = {"underlying": "NIFTY", "session": date(2021, 6, 11), "ts": MOMENT, "expiry": date(2021, 6, 17)}
    rows = [row | {"strike": 1.0, "right": "CE", "collected": moment} for moment in (later, None)]
    frame = with_avail_ts(validate(pl.DataFrame(rows), "chain_snapshot"), "chain_snapshot")
    assert frame["avail_ts"].to_list() == [later, MOMENT]
