"""The offline table: what other readers see, concurrent writers, and questions that do not do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pytest
from deltalake import DeltaTable

from algomaster.core.errors import DataError
from algomaster.features.store import History, Table, View, get_historical
from algomaster.features.store.joining import _standing
from algomaster.features.store.table import AsOf, moment_of

VIEW = View("probe", underlying=["NIFTY", "M&M", "A/B 50%é"], features=["KMID", "KLEN"])
OPEN = datetime(2024, 1, 1, 3, 45, tzinfo=UTC)


def rows(underlying="NIFTY", bars=3, value=1.0, first=0):
    return pl.DataFrame(
        {
            "underlying": [underlying] * bars,
            "session": [date(2024, 1, 1)] * bars,
            "event_ts": [OPEN + timedelta(minutes=first + n) for n in range(bars)],
            "inputs": [7] * bars,
            "KMID": [value + n for n in range(bars)],
            "KLEN": [float("nan")] * bars,
        }
    )


def test_other_readers_find_the_same_rows(tmp_path):
    where = Table(VIEW, tmp_path)
    for name in VIEW.underlying:
        where.append(rows(name))
    delta = DeltaTable(where.uri)
    assert sorted(delta.to_pyarrow_table()["underlying"].unique().to_pylist()) == sorted(VIEW.underlying)
    scanned = pl.scan_delta(where.uri).collect().sort("underlying", "event_ts")
    assert scanned.select(where.read().columns).equals(where.read())
    assert delta.metadata().partition_columns == ["underlying"]
    assert delta.metadata().configuration["delta.appendOnly"] == "true"
    assert where.read()["avail_ts"].to_list()[0] == OPEN + timedelta(minutes=1)
    assert where.history()["operation"].to_list() == ["CREATE TABLE", "WRITE", "WRITE", "WRITE"]


def test_features_have_no_dictionary(tmp_path):
    import pyarrow.parquet as pq

    where = Table(VIEW, tmp_path)
    where.append(rows(bars=300))
    held = pq.ParquetFile(where.files()["path"][0]).metadata.row_group(0)
    chunks = {held.column(n).path_in_schema: held.column(n) for n in range(held.num_columns)}
    assert not any("DICTIONARY" in encoding for name in ("KMID", "KLEN") for encoding in chunks[name].encodings)
    assert {chunk.compression for chunk in chunks.values()} == {"SNAPPY"}


def test_statistics_say_which_files_a_question_touches(tmp_path):
    where = Table(VIEW, tmp_path)
    for n in range(4):
        where.append(rows(first=10 * n))
    where.append(rows("M&M"))
    assert where.files().height == 5
    assert where.files(underlyings=["NIFTY"]).height == 4
    assert where.files(underlyings=["NIFTY"], end=OPEN + timedelta(minutes=12)).height == 2
    assert where.files(underlyings=["NIFTY"], start=OPEN + timedelta(minutes=12)).height == 3
    assert where.files(as_of=2).height == 2


def test_concurrent_appends_lose_nothing(tmp_path):
    def write(n):
        return Table(VIEW, tmp_path).append(rows(value=float(n), bars=5, first=5 * n))

    with ThreadPoolExecutor(12) as pool:
        sequences = list(pool.map(write, range(24)))
    found = Table(VIEW, tmp_path).read()
    assert found.height == 24 * 5
    assert found["KMID"].to_list() == [float(n + k) for n in range(24) for k in range(5)]
    assert len(set(sequences)) == 24


def test_the_last_written_row_of_a_bar_stands(tmp_path):
    where = Table(VIEW, tmp_path)
    first = where.append(rows(value=1.0))
    second = where.append(rows(value=5.0, bars=1))
    assert second > first
    assert where.read()["KMID"].to_list() == [5.0, 2.0, 3.0]
    assert where.read(as_of=1)["KMID"].to_list() == [1.0, 2.0, 3.0]
    assert where.sessions("NIFTY") == {date(2024, 1, 1): 7}
    later = where.append(rows(value=9.0, bars=1), ingest_seq=second + 10**15)
    assert where.append(rows(value=10.0, bars=1)) == later + 1  # above all it holds, whatever the clock says


def test_what_deltalake_writes_for_object_stores_is_the_same_table(tmp_path):
    local, remote = Table(VIEW, tmp_path / "a"), Table(VIEW, tmp_path / "b")
    remote._append_files = remote._append_remote
    for where in (local, remote):
        for name in VIEW.underlying:
            where.append(rows(name), ingest_seq=5)
        where.append(rows(value=9.0, bars=1), ingest_seq=6)
    assert remote.read().equals(local.read())
    assert remote.files().drop("path").equals(local.files().drop("path"))
    asked = pl.DataFrame({"underlying": VIEW.underlying, "event_time": [OPEN + timedelta(minutes=1)] * 3})
    answers = [get_historical(asked, VIEW, home=tmp_path / folder) for folder in "ab"]
    assert answers[0].equals(answers[1])
    assert answers[0]["KMID"].to_list() == [9.0, 1.0, 1.0]


def test_nothing_built_is_told(tmp_path):
    asked = pl.DataFrame({"underlying": ["NIFTY"], "event_time": [OPEN]})
    with pytest.raises(DataError, match="Nothing is built of view 'probe'"):
        get_historical(asked, VIEW, home=tmp_path)
    Table(VIEW, tmp_path).append(rows())
    with pytest.raises(DataError, match="at version 9"):
        get_historical(asked, VIEW, home=tmp_path, as_of=9)


@pytest.mark.parametrize("as_of", ["yesterday", datetime(2024, 1, 1), "2024-01-01"])
def test_a_moment_needs_a_zone(as_of: AsOf):
    with pytest.raises(ValueError, match="as_of: expected a moment"):
        moment_of(as_of)


def test_a_moment_in_india_is_one_in_utc():
    assert moment_of("2024-01-01T09:15:00+05:30") == OPEN
    assert moment_of(4) is None
    assert moment_of(None) is None


# --- the join ----------------------------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path):
    where = Table(VIEW, tmp_path)
    where.append(rows())
    where.append(rows("M&M", value=100.0))
    return tmp_path


def test_pandas_in_pandas_out_with_its_index(built):
    india = timezone(timedelta(hours=5, minutes=30))
    asked = pd.DataFrame(
        {
            "note": ["a", "b", "a"],
            "event_time": pd.to_datetime(["2024-01-01 09:17"] * 2 + ["2024-01-01 09:15"]).tz_localize(india),
            "underlying": ["M&M", "NIFTY", "NIFTY"],
        },
        index=[5, 3, 5],
    )
    found = get_historical(asked, VIEW, home=built)
    assert list(found.index) == [5, 3, 5]
    assert list(found.columns) == ["note", "event_time", "underlying", "avail_ts", "KMID", "KLEN"]
    pd.testing.assert_frame_equal(found[asked.columns], asked)
    np.testing.assert_array_equal(found["KMID"], [101.0, 2.0, np.nan])
    assert found["avail_ts"].isna().tolist() == [False, False, True]


def test_categories_and_other_columns_stay_as_they_came(built):
    asked = pl.DataFrame(
        {"underlying": pl.Series(["NIFTY", "M&M"], dtype=pl.Categorical), "event_time": [OPEN + timedelta(hours=1)] * 2}
    )
    found = get_historical(asked, VIEW, home=built)
    assert found.select(asked.columns).equals(asked)
    assert found.schema["underlying"] == pl.Categorical
    assert found["KMID"].to_list() == [3.0, 102.0]
    assert found.schema["avail_ts"] == pl.Datetime("ns", "UTC")


def test_no_question_no_answer(built):
    asked = pl.DataFrame(schema={"underlying": pl.String, "event_time": pl.Datetime("ns", "UTC")})
    assert get_historical(asked, VIEW, home=built).columns == ["underlying", "event_time", "avail_ts", "KMID", "KLEN"]


@pytest.mark.parametrize(
    ("asked", "problem", "told"),
    [
        ({"underlying": ["NIFTY"]}, ValueError, "event_time is not there"),
        ({"underlying": ["NIFTY"], "event_time": [datetime(2024, 1, 1)]}, ValueError, "with their zone"),
        ({"underlying": [1], "event_time": [OPEN]}, ValueError, "expected names"),
        ({"underlying": ["NIFTY"], "event_time": [OPEN], "KMID": [1.0]}, ValueError, "KMID would be added"),
    ],
)
def test_questions_that_do_not_do(built, asked, problem, told):
    with pytest.raises(problem, match=told):
        get_historical(pl.DataFrame(asked), VIEW, home=built)


def test_arguments_that_do_not_do(built):
    asked = pl.DataFrame({"underlying": ["NIFTY"], "event_time": [OPEN]})
    with pytest.raises(TypeError, match="expected a polars or pandas DataFrame"):
        get_historical([1], VIEW, home=built)
    with pytest.raises(TypeError, match="expected a timedelta"):
        get_historical(asked, VIEW, home=built, tolerance=5)
    with pytest.raises(ValueError, match="no negative time"):
        get_historical(asked, VIEW, home=built, tolerance=timedelta(seconds=-1))


def test_rows_are_looked_up_in_order_of_time_even_where_files_overlap(tmp_path):
    where = Table(VIEW, tmp_path)
    where.append(rows(first=10))
    where.append(rows(first=0))
    where.append(rows(first=11, bars=1, value=50.0))
    standing = _standing(where, where.files(), None)
    assert (np.diff(standing.avail) > 0).all()
    asked = pl.DataFrame({"underlying": ["NIFTY"] * 2, "event_time": [OPEN + timedelta(minutes=m) for m in (12, 5)]})
    assert get_historical(asked, VIEW, home=tmp_path)["KMID"].to_list() == [50.0, 3.0]


def test_compacted_files_answer_the_same(tmp_path):
    where = Table(VIEW, tmp_path)
    known = [datetime(2024, 2, day, tzinfo=UTC) for day in (1, 2, 3)]
    for n, moment in enumerate(known):
        where.append(rows(value=10.0 * n, bars=4 - n), known=moment, ingest_seq=n)
    asked = pl.DataFrame({"underlying": ["NIFTY"] * 5, "event_time": [OPEN + timedelta(minutes=m) for m in range(5)]})
    before = [get_historical(asked, VIEW, home=tmp_path, as_of=moment) for moment in (*known, 2, None)]
    assert DeltaTable(where.uri).optimize.compact()["numFilesRemoved"] == 3
    assert where.files()["commits"].to_list() == [2]
    after = [get_historical(asked, VIEW, home=tmp_path, as_of=moment) for moment in (*known, 2, None)]
    assert all(one.equals(other) for one, other in zip(before, after))
    assert where.read()["KMID"].to_list() == [20.0, 21.0, 12.0, 3.0]


def test_a_history_answers_as_the_table_did_when_it_was_opened(tmp_path):
    where = Table(VIEW, tmp_path)
    where.append(rows(), known=datetime(2024, 2, 1, tzinfo=UTC), ingest_seq=1)
    where.append(rows("M&M", value=50.0), known=datetime(2024, 2, 2, tzinfo=UTC), ingest_seq=2)
    asked = pl.DataFrame(
        {"underlying": ["NIFTY", "M&M", "X"], "event_time": [OPEN + timedelta(minutes=m) for m in (2, 1, 1)]}
    )
    before = get_historical(asked, VIEW, home=tmp_path)
    history = History(VIEW, home=tmp_path)
    assert history.nbytes == 0
    assert get_historical(asked, history).equals(before)
    assert history.nbytes > 0
    where.append(rows(value=7.0), ingest_seq=3)
    assert get_historical(asked, history, staleness=True).drop("staleness").equals(before)
    assert get_historical(asked, History(VIEW, home=tmp_path)).equals(get_historical(asked, VIEW, home=tmp_path))
    then = "2024-02-01T12:00:00+00:00"
    assert get_historical(asked, History(VIEW, home=tmp_path, as_of=then)).equals(
        get_historical(asked, VIEW, home=tmp_path, as_of=then)
    )
    assert get_historical(asked, History(VIEW, home=tmp_path, as_of=1))["KMID"].to_list()[0] == 2.0
    assert "6 rows" in repr(history)
    with pytest.raises(ValueError, match="which has its own"):
        get_historical(asked, history, as_of=1)
    with pytest.raises(DataError, match="Nothing is built"):
        History(VIEW, home=tmp_path / "elsewhere")
