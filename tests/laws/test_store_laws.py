"""Importing is a merge: twice is once, and where values agree the order does not matter."""

import itertools
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.market.store import Store

_places = itertools.count()
OPEN = datetime(2021, 6, 28, 3, 45, tzinfo=UTC)

# A price is a function of its key, so values always agree; a null price stands for one never observed.
keys = st.tuples(st.sampled_from(["NIFTY", "BANKNIFTY"]), st.integers(0, 4), st.integers(0, 12))
parts = st.lists(st.lists(keys, max_size=25), min_size=1, max_size=4)


def frame(rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    values = [
        {
            "underlying": name,
            "session": date(2021, 6, 28) + timedelta(days=day),
            "ts": OPEN + timedelta(days=day, minutes=minute),
            "close": None if minute == 7 else 100.0 * day + minute + 0.05,
        }
        for name, day, minute in rows
    ]
    schema = {"underlying": pl.String, "session": pl.Date, "ts": pl.Datetime("ns", "UTC"), "close": pl.Float64}
    return pl.DataFrame(values, schema=schema)


def new_store() -> Store:
    return Store(f"memory://laws-{next(_places)}")


def files(store: Store) -> dict[str, bytes]:
    return {name: store.home.read(name) for name in store.home.list("store")}


@settings(deadline=None, max_examples=60)
@given(parts)
def test_twice_is_once(written: list[list[tuple[str, int, int]]]) -> None:
    store = new_store()
    for rows in written:
        store.write("index_minute", frame(rows))
    before = files(store)
    for rows in written:
        again = store.write("index_minute", frame(rows))
        assert (again.stored, again.replaced, again.unchanged) == (0, 0, len(rows))
    assert files(store) == before


@settings(deadline=None, max_examples=60)
@given(parts)
def test_order_and_grouping_do_not_matter(written: list[list[tuple[str, int, int]]]) -> None:
    one, other, whole = new_store(), new_store(), new_store()
    for rows in written:
        one.write("index_minute", frame(rows))
    for rows in reversed(written):
        other.write("index_minute", frame(rows[::-1]))
    whole.write("index_minute", frame(list(itertools.chain.from_iterable(written))))
    assert files(one) == files(other) == files(whole)


@settings(deadline=None, max_examples=60)
@given(parts)
def test_every_row_is_counted_once_and_every_key_is_held(written: list[list[tuple[str, int, int]]]) -> None:
    store = new_store()
    seen: set[tuple[str, int, int]] = set()
    for rows in written:
        counts = store.write("index_minute", frame(rows))
        assert counts.stored == len(set(rows) - seen)
        assert counts.stored + counts.unchanged + counts.replaced == len(rows)
        seen |= set(rows)
    assert store.read("index_minute").height == len(seen)
