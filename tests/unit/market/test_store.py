import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.market.home import Home
from algomaster.market.store import Store

OPEN = datetime(2021, 6, 11, 3, 45, tzinfo=UTC)


def bars(first: int = 0, count: int = 5, *, add: float = 0.0, day: int = 0, underlying: str = "NIFTY") -> pl.DataFrame:
    moments = [OPEN + timedelta(days=day, minutes=first + i) for i in range(count)]
    values = [100.0 + first + i + add for i in range(count)]
    frame = pl.DataFrame({"ts": moments, "open": values, "high": values, "low": values, "close": values})
    return frame.with_columns(underlying=pl.lit(underlying), session=pl.lit(date(2021, 6, 11) + timedelta(days=day)))


def option_bars(count: int = 3) -> pl.DataFrame:
    return bars(count=count).with_columns(expiry=pl.lit(date(2021, 6, 17)), strike=pl.lit(15800.0), right=pl.lit("CE"))


def state(home: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(home.rglob("*.parquet"))}


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path if request.param == "local" else f"memory://store-{tmp_path.name}")


def test_what_is_written_is_read(store: Store) -> None:
    written = store.write("index_minute", bars())
    assert (written.stored, written.unchanged, written.replaced) == (5, 0, 0)
    frame = store.read("index_minute", underlying="NIFTY")
    assert frame["ts"].to_list() == bars()["ts"].to_list()
    assert frame["close"].to_list() == [100.0, 101.0, 102.0, 103.0, 104.0]


def test_the_same_again_is_unchanged_and_touches_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    before = state(tmp_path)
    written = store.write("index_minute", bars())
    assert (written.stored, written.unchanged, written.replaced) == (0, 5, 0)
    assert state(tmp_path) == before


def test_overlapping_rows_merge_on_the_key(store: Store) -> None:
    store.write("index_minute", bars(0, 5))
    written = store.write("index_minute", bars(3, 5))
    assert (written.stored, written.unchanged, written.replaced) == (3, 2, 0)
    assert store.read("index_minute")["close"].to_list() == [100.0 + i for i in range(8)]


def test_another_value_of_a_key_replaces_and_is_counted(store: Store) -> None:
    store.write("index_minute", bars(0, 5))
    written = store.write("index_minute", bars(4, 3, add=0.5))
    assert (written.stored, written.unchanged, written.replaced) == (2, 0, 1)
    assert written.outcome.tolist() == [2, 1, 1]
    assert store.read("index_minute")["close"].to_list()[4:] == [104.5, 105.5, 106.5]


def test_replacing_can_be_forbidden(store: Store) -> None:
    store.write("index_minute", bars(0, 5))
    with pytest.raises(DataError, match="other values for 1"):
        store.write("index_minute", bars(4, 3, add=0.5), replace=False)
    assert store.read("index_minute")["close"].to_list() == [100.0, 101.0, 102.0, 103.0, 104.0]


def test_of_rows_of_one_key_in_a_frame_the_last_stands(store: Store) -> None:
    written = store.write("index_minute", pl.concat([bars(0, 2), bars(0, 1), bars(1, 1, add=1.0)]))
    assert (written.stored, written.unchanged, written.replaced) == (2, 1, 1)
    assert store.read("index_minute")["close"].to_list() == [100.0, 102.0]


def test_a_null_in_the_key_is_a_value_like_any_other(store: Store) -> None:
    future = bars().with_columns(expiry=pl.lit(None, pl.Date), volume=pl.lit(1))
    store.write("future_minute", future)
    assert store.write("future_minute", future).unchanged == 5
    dated = future.with_columns(expiry=pl.lit(date(2021, 6, 24)))
    assert store.write("future_minute", dated).stored == 5
    assert store.read("future_minute").height == 10


def test_a_missing_value_equals_itself_and_no_number(store: Store) -> None:
    store.write("option_minute", option_bars())
    assert store.write("option_minute", option_bars()).unchanged == 3
    assert store.write("option_minute", option_bars().with_columns(oi=pl.lit(5))).replaced == 3


def test_reads_a_range_of_one_underlying(store: Store) -> None:
    for day in range(0, 60, 20):
        store.write("index_minute", bars(day=day))
        store.write("index_minute", bars(day=day, underlying="BANKNIFTY"))
    frame = store.read("index_minute", underlying="NIFTY", start=date(2021, 7, 1), end=date(2021, 7, 1))
    assert frame["session"].unique().to_list() == [date(2021, 7, 1)]
    assert frame["underlying"].unique().to_list() == ["NIFTY"]
    assert store.sessions("index_minute", underlying="NIFTY", end=date(2021, 7, 1)) == [
        date(2021, 6, 11),
        date(2021, 7, 1),
    ]
    assert store.scan("index_minute", underlying="NONE").collect().height == 0


def test_names_with_signs_are_safe_in_paths(store: Store) -> None:
    for name in ("M&M", "NIFTY 50/TRI"):
        store.write("index_minute", bars(underlying=name))
    assert store.underlyings("index_minute") == ["M&M", "NIFTY 50/TRI"]
    assert store.read("index_minute", underlying="NIFTY 50/TRI").height == 5


def test_inventory_says_what_is_held(store: Store) -> None:
    assert store.inventory().height == 0
    store.write("index_minute", pl.concat([bars(), bars(day=3)]))
    store.write("option_minute", option_bars())
    lines = {row["dataset"]: row for row in store.inventory().iter_rows(named=True)}
    index = lines["index_minute"]
    assert (index["underlying"], index["first"], index["last"]) == ("NIFTY", date(2021, 6, 11), date(2021, 6, 14))
    assert (index["sessions"], index["rows"]) == (2, 10)
    assert index["bytes"] > 0
    assert lines["option_minute"]["rows"] == 3


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    before = state(tmp_path)

    def crash(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="no space"):
        store.write("index_minute", bars(5, 5))
    monkeypatch.undo()
    assert state(tmp_path) == before
    assert [p.name for p in tmp_path.rglob("*.tmp")] == []
    assert store.write("index_minute", bars(5, 5)).stored == 5


def test_a_leftover_of_a_killed_writer_is_no_data(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    file = next(tmp_path.rglob("*.parquet"))
    (file.parent / f".{file.name}.99.tmp").write_bytes(b"half a fi")
    assert store.read("index_minute").height == 5


def test_an_unreadable_file_is_told_by_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    next(tmp_path.rglob("*.parquet")).write_bytes(b"PAR1 broken")
    with pytest.raises(DataError, match=r"2021-06\.parquet"):
        store.write("index_minute", bars())


_WRITER = """
import sys
from datetime import date, datetime, timedelta, UTC
import polars as pl
from algomaster.market.store import Store
store, first = Store(sys.argv[1]), int(sys.argv[2])
for place in range(first, first + 20, 2):
    moments = [datetime(2021, 6, 11, 3, 45, tzinfo=UTC) + timedelta(minutes=place + i) for i in range(2)]
    frame = pl.DataFrame({"ts": moments, "close": [1.0, 2.0]})
    store.write("index_minute", frame.with_columns(underlying=pl.lit("NIFTY"), session=pl.lit(date(2021, 6, 11))))
"""


def test_two_processes_at_once_lose_no_row(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), first]) for first in ("0", "20")]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert Store(tmp_path).read("index_minute").height == 40


def test_the_home_is_the_argument_then_the_environment_then_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGO_HOME", str(tmp_path / "environment"))
    assert Home(tmp_path / "argument").where == str(tmp_path / "argument")
    assert Home().where == str(tmp_path / "environment")
    monkeypatch.delenv("ALGO_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    assert Path(Home().where).name == "algomaster"


def test_an_unknown_kind_of_url_is_told() -> None:
    with pytest.raises(DataError, match="fsspec"):
        Home("nosuchprotocol://bucket")


@pytest.mark.parametrize("left", [0, 7, 300, -1])
def test_a_truncated_file_is_named_and_what_to_do(tmp_path: Path, left: int) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    store.write("index_minute", bars(day=31))
    store.write("option_minute", option_bars())
    whole = tmp_path / "store/index_minute/NIFTY/2021-06.parquet"
    whole.write_bytes(whole.read_bytes()[:left])
    said = "2021-06.parquet: .*import its sources again"
    for reading in (
        lambda: store.read("index_minute"),
        lambda: store.sessions("index_minute", underlying="NIFTY"),
        store.inventory,
        lambda: store.write("index_minute", bars(9)),
    ):
        with pytest.raises(DataError, match=said):
            reading()
    assert store.read("index_minute", start=date(2021, 7, 1)).height == 5


def test_a_parquet_file_of_something_else_is_named(tmp_path: Path) -> None:
    Store(tmp_path).write("index_minute", bars())
    pl.DataFrame({"colour": ["red"]}).write_parquet(tmp_path / "store/index_minute/NIFTY/2021-06.parquet")
    with pytest.raises(DataError, match=r"2021-06\.parquet: .*(colour|ts)"):
        Store(tmp_path).inventory()
    with pytest.raises(DataError, match=r"2021-06\.parquet: .*(colour|ts)"):
        Store(tmp_path).read("index_minute", start=date(2021, 6, 1), marked=True)


def test_simulated_rows_are_marked_until_real_ones_take_their_place(store: Store) -> None:
    store.write("index_minute", bars(0, 4), simulated=True)
    store.write("index_minute", bars(0, 2, add=1.0))
    store.write("index_minute", bars(9, 1))
    assert store.read("index_minute", marked=True)["simulated"].to_list() == [False, False, True, True, False]
    assert store.read("index_minute").columns == store.scan("index_minute").collect().columns
    assert "simulated" not in store.read("index_minute").columns
    store.write("index_minute", bars(2, 2, add=1.0))
    assert not store.read("index_minute", marked=True)["simulated"].any()


def test_files_without_simulated_rows_do_not_have_the_mark(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars(0, 2), simulated=True)
    store.write("index_minute", bars(day=31))
    assert store.read("index_minute", marked=True)["simulated"].to_list()[:2] == [True, True]
    store.write("index_minute", bars(0, 2, add=1.0))
    for file in (tmp_path / "store").rglob("*.parquet"):
        assert "simulated" not in pl.read_parquet_schema(file)


def test_an_underlying_nearly_held_is_suggested(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars())
    assert store.meant("nifty", "index_minute") == "Did you mean NIFTY? "
    assert store.meant("NIFTTY", "index_minute") == "Did you mean NIFTY? "
    assert store.meant("GOLD", "index_minute") == store.meant("NIFTY", "index_minute") == ""
    assert store.told("index_minute") == "NIFTY 2021-06-11 to 2021-06-11"
    assert store.told("option_minute") == "none at all"


def test_a_real_row_clears_the_mark_even_where_it_agrees_by_chance(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("index_minute", bars(0, 3), simulated=True)
    written = store.write("index_minute", bars(0, 2))
    assert (written.stored, written.unchanged, written.replaced) == (0, 2, 0)
    assert store.read("index_minute", marked=True)["simulated"].to_list() == [False, False, True]
    before = state(tmp_path)
    store.write("index_minute", bars(0, 2))
    store.write("index_minute", bars(0, 3), simulated=True)
    assert state(tmp_path) == before
