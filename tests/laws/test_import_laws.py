"""Whatever is in a file, every row of it ends up in exactly one place, and importing it again changes nothing."""

import dataclasses
import itertools
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.core.errors import DataError
from algomaster.market import importer
from algomaster.market.importer import import_path
from algomaster.market.loaders import Loader
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Source
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


def _files(folder: Path, *names: str) -> None:
    for day, name in enumerate(names, 10):
        (folder / name).write_text(f"NIFTY,202106{day},09:16,15800,15801,15799,15800\n" * 2)


def _spoil(monkeypatch: pytest.MonkeyPatch, spoiled: str, what: str) -> None:
    """Make the reader of one file raise, or lose its last row."""

    def choose(source: Source, format: str) -> Loader:
        loader = importer_choose(source, format)

        def read(source: Source) -> Parsed:
            parsed = loader.read(source)
            if source.path.name != spoiled:
                return parsed
            if what == "raises":
                raise ZeroDivisionError("of a reader")
            parsed.frames = [(name, frame[:-1]) for name, frame in parsed.frames]
            return parsed

        return dataclasses.replace(loader, read=read)

    importer_choose = importer.choose
    monkeypatch.setattr(importer, "choose", choose)


@pytest.mark.parametrize(("what", "said"), [("raises", "ZeroDivisionError: of a reader"), ("loses", "lost some")])
def test_a_reader_that_breaks_costs_its_own_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, said: str
) -> None:
    _files(tmp_path, "a.txt", "b.txt", "c.txt")
    _spoil(monkeypatch, "b.txt", what)
    home = f"memory://import-laws-{next(_places)}"
    report = import_path(tmp_path, home=home)
    assert [file.status for file in report.files] == ["imported", "failed", "imported"]
    assert said in report.files[1].reason
    assert not report.clean
    assert [day.day for day in Store(home).sessions("index_minute", underlying="NIFTY")] == [10]  # 12 June is closed
    with pytest.raises(DataError, match=said) as raised:
        import_path(tmp_path / "b.txt", home=home)
    assert raised.value.__cause__ is not None
    assert 11 not in [day.day for day in Store(home).sessions("index_minute", underlying="NIFTY")]


def test_an_import_broken_off_leaves_word_of_what_it_did(tmp_path: Path) -> None:
    _files(tmp_path, "a.txt", "b.txt")

    def stop(done: int, total: int, name: str) -> None:
        if name == "b.txt":
            raise KeyboardInterrupt

    home = tmp_path / "home"
    with pytest.raises(KeyboardInterrupt):
        import_path(tmp_path, home=home, progress=stop)
    assert Store(home).read("index_minute").height == 1
    (manifest,) = (home / "imports").iterdir()
    assert "a.txt" in manifest.read_text()
