"""Rules for rows of one file: absurd prices, dead contracts, contradictions, names that are no index on record."""

import itertools
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from algomaster.market.importer import import_path
from algomaster.market.rules import judge
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store

START = datetime(2021, 6, 11, 3, 45, tzinfo=UTC)
CONTRACT = {"expiry": date(2021, 6, 17), "strike": 15800.0, "right": "CE"}


def bars(*changes: dict[str, object]) -> pl.DataFrame:
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    base = {"underlying": "NIFTY", "session": date(2021, 6, 11), "ts": START, **CONTRACT, **prices}
    rows = [{"_row": row} | base | {"ts": START.replace(minute=44 + row)} | each for row, each in enumerate(changes, 1)]
    return pl.DataFrame(rows, infer_schema_length=None).cast({"ts": TIMESTAMP})


def kinds(frame: pl.DataFrame, name: str = "option_minute") -> list[tuple[int, str]]:
    return judge(name, frame).rejects.select("_row", "kind").sort("_row").rows()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"high": 1e17}, "bad_scale"),
        ({"high": 99_999_999.95}, "bad_scale"),
        ({"high": 99_999.95}, "bad_scale"),
        ({"high": float("inf")}, "bad_scale"),
        ({"right": "PE", "high": 15_800.05}, "bad_scale"),
        ({"right": "PE", "ask": 16_000.0}, "bad_scale"),
        ({"strike": 1e9}, "bad_scale"),
        ({"expiry": date(2021, 6, 10)}, "expired"),
    ],
)
def test_what_no_option_can_be_is_rejected(change: dict[str, object], kind: str) -> None:
    assert kinds(bars({}, change, {})) == [(2, kind)]


@pytest.mark.parametrize(
    "change",
    [
        {"right": "PE", "high": 15_800.0},
        {"strike": 4600.0, "high": 11_000.0},  # the index far above one strike: the others tell its scale
        {"expiry": date(2021, 6, 11)},
    ],
)
def test_what_an_option_can_be_is_kept(change: dict[str, object]) -> None:
    assert kinds(bars({}, change, {})) == []


def test_a_settlement_at_the_level_of_the_index_is_kept() -> None:
    row = {"kind": "index_option", "settle": 24_000.0, "strike": 10_000.0, "right": "PE"}
    assert kinds(bars(row), "contract_eod") == []


def test_an_index_without_neighbours_must_still_fit() -> None:
    prices = dict.fromkeys(("open", "high", "low", "close"), 1e17)
    assert kinds(bars({}, prices).drop(*CONTRACT), "index_minute") == [(2, "bad_scale")]


def test_the_order_of_rows_does_not_decide_a_contradiction() -> None:
    same, other = {"ts": START}, {"ts": START, "high": 101.0}
    rows = bars(same, same, other, {}, {"ts": START.replace(hour=5)}, {"ts": START.replace(hour=5)})
    for order in itertools.permutations(range(6)):
        shuffled = rows[list(order)].with_columns(_row=pl.int_range(1, 7, dtype=pl.Int64), old="_row").drop("old")
        judged = judge("option_minute", shuffled)
        assert judged.frame.drop("_row").sort("ts").equals(rows.drop("_row")[[3, 4]].sort("ts"))
        assert judged.rejects["kind"].to_list() == ["conflict"] * 3
        assert all("another high" in reason for reason in judged.rejects["reason"])
        places = [*judged.frame["_row"], *judged.rejects["_row"], *judged.repeats["_row"]]
        assert sorted(places) == [1, 2, 3, 4, 5, 6]


def snapshots(*rows: tuple[int, float]) -> pl.DataFrame:
    """Give one contract's rows: minute of collection and price."""
    base = {"underlying": "NIFTY", "session": date(2021, 6, 11), "ts": START, **CONTRACT}
    frame = pl.DataFrame(
        [
            {"_row": row} | base | {"collected": START.replace(minute=minute), "ltp": ltp}
            for row, (minute, ltp) in enumerate(rows, 1)
        ]
    )
    return frame.cast({"ts": TIMESTAMP, "collected": TIMESTAMP})


def test_of_snapshots_the_one_collected_first_stands_wherever_it_is() -> None:
    for order in itertools.permutations([(50, 100.0), (51, 100.0), (52, 101.0)]):
        judged = judge("chain_snapshot", snapshots(*order))
        assert judged.frame.select(pl.col("collected").dt.minute(), "ltp").rows() == [(50, 100.0)]
        assert (judged.rejects.height, judged.repeats.height) == (1, 1)
    for order in itertools.permutations([(50, 100.0), (50, 101.0), (52, 100.0)]):
        judged = judge("chain_snapshot", snapshots(*order))
        first = {row for row, (minute, _) in enumerate(order, 1) if minute == 50}
        assert first <= set(judged.rejects["_row"])
        assert judged.frame.height + judged.rejects.height + judged.repeats.height == 3
        assert judged.frame.height == 0


def test_letters_that_are_no_index_on_record_are_told(tmp_path: Path) -> None:
    line = "{},20210611,09:16,15800,15801,15799,15800\n"
    (tmp_path / "any.txt").write_text("".join(map(line.format, ("NIFTY", "NIFTYCE", "BANKNIFTY"))))
    home = f"memory://{tmp_path.name}"
    report = import_path(tmp_path / "any.txt", home=home)
    (told,) = [finding for finding in report.quality if finding.kind == "unknown_index"]
    assert (told.underlying, told.count, told.rejected) == ("NIFTYCE", 1, False)
    assert Store(home).read("index_minute", underlying="NIFTYCE").height == report.rows_stored - 2 == 1
