"""Files with columns, types and values no vendor should send: read as far as they can be, told by row where not."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from algomaster.market.loaders import choose
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Source

OPTION = "NIFTY17JUN2115800CE"
NAMES = ("date", "time", "symbol", "open", "high", "low", "close", "volume", "oi")


def table(*changes: dict[str, object]) -> pl.DataFrame:
    row = ("2021-06-11", "09:{:02d}:00", OPTION, "100", "101", "99", "100", "250", "2500")
    rows = [
        dict(zip(NAMES, row, strict=True)) | {"time": f"09:{15 + place}:00"} | each
        for place, each in enumerate(changes)
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(NAMES, pl.String), infer_schema_length=None)


def read(tmp_path: Path, frame: pl.DataFrame) -> Parsed:
    frame.write_parquet(tmp_path / "any.parquet")
    source = Source(tmp_path / "any.parquet")
    result = choose(source).read(source)
    rows = {row for _, part in result.frames for row in part["_row"]} | set(result.rejects["_row"])
    assert rows == set(range(1, frame.height + 1))
    if result.rejects.height:
        assert source.originals(result.rejects["_row"])["raw"].null_count() == 0
    return result


def kinds(result: Parsed) -> list[tuple[int, str]]:
    return result.rejects.select("_row", "kind").rows()


def test_a_row_without_a_symbol_is_rejected(tmp_path: Path) -> None:
    assert kinds(read(tmp_path, table({}, {"symbol": None}, {}))) == [(2, "unknown_symbol")]


def test_a_snapshot_without_a_symbol_is_rejected(tmp_path: Path) -> None:
    row = {"timestamp": "202608191127", "symbol": None, "expiry": "25-Aug-2026", "strike": 21200.0}
    row |= {"option_type": "PE", "spot": 24052.4, "ltp": 0.7, "volume": 31720.0, "oi": 45830.0, "oi_chg": 5.0}
    row |= {"iv": 35.43, "delta": -0.0024, "gamma": 7e-06, "theta": -0.6602, "vega": 0.2271, "rho": -0.0095}
    frame = pl.DataFrame([row, row | {"symbol": "NIFTY50"}], schema_overrides={"symbol": pl.String})
    assert kinds(read(tmp_path, frame)) == [(1, "unknown_symbol")]
    untyped = pl.DataFrame([row])
    assert untyped["symbol"].dtype == pl.Null
    assert kinds(read(tmp_path, untyped)) == [(1, "unknown_symbol")]


def test_columns_that_no_loader_asked_for_change_nothing(tmp_path: Path) -> None:
    plain = read(tmp_path, table({}, {"symbol": "NIFTY"}, {"symbol": "NIFTY-I"}))
    extra = {
        "underlying": "BANKNIFTY", "expiry": date(2030, 1, 1), "strike": 1.0, "right": "PE", "_dataset": "index_minute",
        "_trouble": "none", "ts": 5, "local": "noon", "_row": 7, "session": "today", "bid": "x", "_kind": "k",
    }  # fmt: skip
    more = read(tmp_path, table(extra, extra | {"symbol": "NIFTY"}, extra | {"symbol": "NIFTY-I"}))
    assert [name for name, _ in more.frames] == [name for name, _ in plain.frames]
    for (_, one), (_, other) in zip(plain.frames, more.frames, strict=True):
        assert one.equals(other)


def test_a_text_with_odd_headings_is_read(tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_text(
        "Instrument,Date,Time,Open,High,Low,Close,symbol,open,_row,Open\nNIFTY,20240101,09:15,2,3,1,2,A,9,9,9\n"
    )
    source = Source(path)
    ((_, frame),) = choose(source).read(source).frames
    assert frame.select("_row", "underlying", "open").rows() == [(2, "NIFTY", 2.0)]


@pytest.mark.parametrize(
    "change",
    [{"volume": "1e30"}, {"oi": "99999999999999999999"}, {"oi": "-1e300"}, {"volume": str(2**53)}, {"volume": "1.5"}],
)
def test_a_quantity_that_cannot_be_kept_costs_its_row_only(tmp_path: Path, change: dict[str, object]) -> None:
    result = read(tmp_path, table({}, change, {}))
    assert kinds(result) == [(2, "bad_quantity")]
    assert str(next(iter(change))) in result.rejects["reason"][0]


def test_an_infinite_quantity_costs_its_row_only(tmp_path: Path) -> None:
    frame = table({}, {}).with_columns(volume=pl.Series([float("inf"), 5.0]))
    assert kinds(read(tmp_path, frame)) == [(1, "unparseable")]


def test_a_day_with_an_absurd_volume_is_rejected(tmp_path: Path) -> None:
    row = '"2021-06-{day} 00:00:00","15","16","14","15","{volume}","NIFTY%2050",2021-06-{day},"00:00:00"\n'
    path = tmp_path / "any.csv"
    head = '"TIME","Open","High","Low","Close","VOLUME","SYMBOL","Date","TIME1"\n'
    path.write_text(head + row.format(day=10, volume="1e30") + row.format(day=11, volume=7))
    source = Source(path)
    result = choose(source).read(source)
    assert kinds(result) == [(2, "bad_quantity")]
    assert result.frames[0][1]["volume"].to_list() == [7]


def test_quotes_around_text_are_dropped(tmp_path: Path) -> None:
    quoted = table({}).select(pl.format('"{}"', pl.col(name)).alias(name) for name in NAMES)
    assert read(tmp_path, quoted).frames[0][1].equals(read(tmp_path, table({})).frames[0][1])


@pytest.mark.parametrize("kind", [pl.Categorical(), pl.Binary(), pl.Enum([OPTION])])
def test_symbols_may_be_coded(tmp_path: Path, kind: pl.DataType) -> None:
    coded = read(tmp_path, table({}, {"open": "x"}).cast({"symbol": kind}))
    assert coded.frames[0][1].equals(read(tmp_path, table({}, {"open": "x"})).frames[0][1])
    assert kinds(coded) == [(2, "unparseable")]
