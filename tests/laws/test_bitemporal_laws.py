"""The point-in-time join is what a person would look up row by row, whatever was written late or corrected."""

import math
import tempfile
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.features.store import Table, View, get_historical
from naive.bitemporal import answer

VIEW = View("law", underlying=["A", "B"], features=["KMID", "KLEN"])
OPEN = datetime(2024, 1, 1, 3, 45, tzinfo=UTC)
KNOWN = datetime(2024, 2, 1, tzinfo=UTC)

bars = st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 12))
values = st.one_of(st.just(math.nan), st.floats(-2, 2, allow_nan=False))
commits = st.lists(st.dictionaries(bars, st.tuples(values, values), min_size=1, max_size=12), min_size=1, max_size=4)
moments = st.one_of(st.none(), st.integers(-90, 14 * 60))  # seconds after the open
moments_known = st.one_of(st.none(), st.integers(0, 5))
tolerances = st.one_of(st.none(), st.integers(0, 300))
questions = st.lists(st.tuples(st.sampled_from(["A", "B", "C", None]), moments), min_size=1, max_size=15)


def micros(moment):
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def commit(table, rows, number):
    ordered = sorted(rows.items())
    frame = pl.DataFrame(
        {
            "underlying": [bar[0] for bar, _ in ordered],
            "session": [date(2024, 1, 1)] * len(ordered),
            "event_ts": [OPEN + timedelta(minutes=bar[1]) for bar, _ in ordered],
            "inputs": [1] * len(ordered),
            "KMID": [pair[0] for _, pair in ordered],
            "KLEN": [pair[1] for _, pair in ordered],
        },
        schema_overrides={"KMID": pl.Float64, "KLEN": pl.Float64},
    )
    table.append(frame, ingest_seq=number, known=KNOWN + timedelta(hours=number))


@settings(max_examples=60)
@given(
    commits,
    questions,
    st.one_of(st.none(), st.integers(0, 5)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 300)),
)
def test_the_join_is_the_naive_one(written, asked, known, by_version, tolerance):
    with tempfile.TemporaryDirectory() as home:
        table, flat = Table(VIEW, home), []
        for number, rows in enumerate(written):
            commit(table, rows, number)
            flat += [
                (name, micros(OPEN + timedelta(minutes=minute)), micros(KNOWN + timedelta(hours=number)), number, pair)
                for (name, minute), pair in rows.items()
            ]
        moment = None if known is None else KNOWN + timedelta(hours=min(known, len(written) - 1))
        version = None if known is None else min(known, len(written) - 1) + 1  # version 0 made the table
        frame = pl.DataFrame(
            {
                "row": range(len(asked)),
                "underlying": [name for name, _ in asked],
                "event_time": [None if s is None else OPEN + timedelta(seconds=s) for _, s in asked],
            },
            schema={"row": pl.Int64, "underlying": pl.String, "event_time": pl.Datetime("us", "UTC")},
        )
        found = get_historical(
            frame, VIEW, home=home, as_of=version if by_version else moment, staleness=True,
            tolerance=None if tolerance is None else timedelta(seconds=tolerance),
        )  # fmt: skip
    assert found.select("row", "underlying", "event_time").equals(frame)
    for row in found.iter_rows(named=True):
        question = row["underlying"], None if row["event_time"] is None else micros(row["event_time"])
        avail, pair = answer(
            question, flat, as_of=None if moment is None else micros(moment), width=2,
            tolerance=None if tolerance is None else tolerance * 1_000_000,
        )  # fmt: skip
        assert (None if row["avail_ts"] is None else micros(row["avail_ts"])) == avail
        assert [value.hex() if value == value else "nan" for value in (row["KMID"], row["KLEN"])] == [
            value.hex() if value == value else "nan" for value in pair
        ]
        assert row["staleness"] == (None if avail is None else row["event_time"] - row["avail_ts"])
        assert row["avail_ts"] is None or row["avail_ts"] <= row["event_time"]


@settings(max_examples=20)
@given(commits, questions)
def test_what_is_written_later_does_not_change_what_was_known(written, asked):
    frame = pl.DataFrame(
        {
            "underlying": [name for name, _ in asked],
            "event_time": [None if s is None else OPEN + timedelta(seconds=s) for _, s in asked],
        },
        schema={"underlying": pl.String, "event_time": pl.Datetime("us", "UTC")},
    )
    with tempfile.TemporaryDirectory() as home:
        table, then = Table(VIEW, home), []
        for number, rows in enumerate(written):
            commit(table, rows, number)
            then.append(get_historical(frame, VIEW, home=home))
        for number, before in enumerate(then):
            known = KNOWN + timedelta(hours=number)
            assert get_historical(frame, VIEW, home=home, as_of=known).equals(before)
            assert get_historical(frame, VIEW, home=home, as_of=number + 1).equals(before)
