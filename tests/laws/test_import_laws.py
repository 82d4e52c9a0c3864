"""Whatever is in a file, every row of it ends up in exactly one place, and importing it again changes nothing."""

import itertools
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.market.importer import import_path
from algomaster.market.store import Store

_places = itertools.count()

junk = st.sampled_from(["", "-", "nan", "abc", "-5", "0", "inf", "1e9", "15800", "NIFTY", "20210611", "09:16"])
good = st.builds(
    lambda name, day, hour, minute, price: (
        f"{name},{day},{hour:02d}:{minute:02d},{price},{price + 1},{price - 1},{price}"
    ),
    st.sampled_from(["NIFTY", "BANKNIFTY", "NIFTY-II"]),
    st.sampled_from(["20210610", "20210611", "20210612", "20151111", "19991231"]),
    st.integers(8, 19),
    st.integers(0, 59),
    st.sampled_from([15800, 15800.05, 15800.005, 1580, 158000]),
)
bad = st.lists(junk, min_size=1, max_size=11).map(",".join)
lines = st.lists(st.one_of(good, good, good, bad), min_size=1, max_size=40)


@settings(deadline=None, max_examples=80)
@given(lines)
def test_every_row_is_accounted_for(rows: list[str]) -> None:
    first = "NIFTY,20210611,09:16,15800,15801,15799,15800"  # makes the file one of index minutes
    rows = [first] * (len(rows) + 1) + rows
    home = f"memory://import-laws-{next(_places)}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "any.txt"
        file.write_text("\n".join(rows) + "\n")
        report = import_path(file, home=home)
        again = import_path(file, home=home)
    assert report.rows_read == sum(bool(row.strip()) for row in rows)
    for each in (report, again):
        kinds = (each.rows_stored, each.rows_unchanged, each.rows_replaced, each.rows_rejected)
        assert sum(kinds) == each.rows_read
    assert report.rows_stored == Store(home).read("index_minute").height
    assert report.rows_replaced == again.rows_replaced == again.rows_stored == 0
    assert again.rows_rejected == report.rows_rejected
    if report.rejects_path is not None:
        kept = pl.read_parquet(Store(home).home.read(report.rejects_path.removeprefix(f"{home}/")))
        assert kept["raw"].to_list() == [rows[row - 1] for row in kept["row"]]
        assert kept.height == report.rows_rejected
