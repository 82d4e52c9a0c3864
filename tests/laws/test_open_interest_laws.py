"""The analysis of open interest against its naive twin on random chains, and the law of no look-ahead."""

import dataclasses
import itertools
import random
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster import market
from algomaster.market import calendar
from naive import open_interest as naive

DAY = date(2025, 1, 2)
OPEN = calendar.to_ns(DAY, 555)
MINUTE = 60_000_000_000
EXPIRIES = (date(2025, 1, 2), date(2025, 1, 9))
STRIKES = tuple(float(23_900 + 50 * n) for n in range(5))
FRAMES = ("series", "walls", "buildup", "buckets")
MOST = {"oi": 7, "volume": 10, "bid_qty": 5, "ask_qty": 5}
WALLS = {
    "resistance": ("oi", "CE"),
    "support": ("oi", "PE"),
    "call_ask": ("ask_qty", "CE"),
    "put_bid": ("bid_qty", "PE"),
}


@st.composite
def chains(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Snapshots at odd moments; any contract or value may be missing, new ones come up, numbers tie often."""
    moments = draw(st.lists(st.integers(-120, 4000), min_size=1, max_size=7, unique=True))
    absent, unknown = draw(st.sampled_from([0.0, 0.3, 0.8])), draw(st.sampled_from([0.0, 0.3]))
    chance = random.Random(draw(st.integers(0, 2**32)))

    def maybe(value: float) -> float | None:
        return None if chance.random() < unknown else value

    rows = []
    for second in sorted(moments):
        spot = maybe(chance.uniform(23_850, 24_150))
        for expiry, strike, right in itertools.product(EXPIRIES, STRIKES, ("CE", "PE")):
            values = {name: maybe(chance.randrange(most)) for name, most in MOST.items()}
            if chance.random() >= absent:
                names = {"ts": OPEN + second * 1_000_000_000, "expiry": expiry, "strike": strike, "right": right}
                rows.append({**names, "ltp": maybe(chance.randint(1, 400)), "spot": spot, **values})
    return rows


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    numbers = ("strike", "ltp", "oi", "volume", "bid_qty", "ask_qty", "spot")
    schema = {"ts": pl.Int64, "expiry": pl.Date, "right": pl.String} | dict.fromkeys(numbers, pl.Float64)
    return pl.DataFrame(rows, schema=schema).with_columns(pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC"))


def ns(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.with_columns(pl.selectors.datetime().exclude("avail_ts").cast(pl.Int64)).to_dicts()


@given(chains().filter(bool))
@settings(deadline=None, max_examples=60)
def test_every_moment_is_as_by_hand(rows: list[dict[str, Any]]) -> None:
    found = market.open_interest(frame_of(rows))
    oi, volume = naive.books(rows, "oi"), naive.books(rows, "volume")
    known = 0
    for row in ns(found.series):
        book, traded, expiry = oi[row["ts"]], volume[row["ts"]], row["expiry"]
        calls, puts = (naive.total(book, expiry, right) for right in ("CE", "PE"))
        assert (row["call_oi"], row["put_oi"], row["pcr_oi"]) == (calls, puts, naive.ratio(puts, calls))
        bought, sold = (naive.total(traded, expiry, right) for right in ("CE", "PE"))
        assert (row["call_volume"], row["put_volume"], row["pcr_volume"]) == (bought, sold, naive.ratio(sold, bought))
        assert row["contracts"] == sum(expiry in (None, key[0]) for key in book)
        known += row["contracts"] if expiry is None else 0
        if expiry is not None:
            assert row["max_pain"] == naive.max_pain(book, expiry)
            walls = [naive.wall(book, expiry, right) for right in ("CE", "PE")]
            assert [row["resistance"], row["support"]] == [wall and wall[0] for wall in walls]
        earlier = [naive.max_pain(other, expiry) for ts, other in oi.items() if ts <= row["ts"]]
        first = next((level for level in earlier if level is not None), None)
        drift = None if row["max_pain"] is None or first is None else row["max_pain"] - first
        assert row["max_pain_drift"] == drift
    assert known == sum(map(len, oi.values()))


@given(chains().filter(bool))
@settings(deadline=None, max_examples=40)
def test_walls_are_as_by_hand(rows: list[dict[str, Any]]) -> None:
    found = market.open_interest(frame_of(rows))
    told = {(row["ts"], row["expiry"], row["wall"]): row for row in ns(found.walls)}
    for name, (column, right) in WALLS.items():
        before: dict[date, float | None] = {}
        for ts, book in naive.books(rows, column).items():
            for expiry in EXPIRIES:
                wall = naive.wall(book, expiry, right)
                row = told.get((ts, expiry, name))
                assert (row and (row["strike"], row["size"])) == wall
                strike = wall and wall[0]
                if row is not None:
                    last = before.get(expiry)
                    assert row["moved"] == (None if last is None else strike - last)
                    assert row["unit"] == ("contracts" if column == "oi" else "units")
                before[expiry] = strike


@given(chains().filter(bool), st.sampled_from([5, 15]), st.sampled_from([0.0, 0.1]))
@settings(deadline=None, max_examples=60)
def test_build_up_is_as_by_hand(rows: list[dict[str, Any]], interval: int, move: float) -> None:
    found = market.open_interest(frame_of(rows), interval=interval, price_move=move, oi_move=move)
    prices, oi = naive.books(rows, "ltp"), naive.books(rows, "oi")
    length = interval * MINUTE
    told = 0
    for row in ns(found.buildup):
        end, contract = row["ts"], (row["expiry"], row["strike"], row["right"])
        assert (end - OPEN) % length == 0
        first_end = OPEN + -((OPEN - min(oi)) // length) * length
        now, before = [], []
        for book in (prices, oi):
            now.append(naive.last_of(book, contract, end - length, end))
            if end == first_end:
                before.append(naive.first_of(book, contract, end))
            else:
                before.append(naive.last_of(book, contract, end - 2 * length, end - length))
        assert [row["price"], row["oi"]] == now
        assert row["seen"] == max(ts for ts in oi if end - length < ts <= end)
        changes = [None if a is None or b is None else a - b for a, b in zip(now, before)]
        assert [row["price_change"], row["oi_change"]] == changes
        expected = None if None in changes else naive.kind(now[0], before[0], now[1], before[1], move, move)
        assert row["kind"] == expected
        start = naive.first_of(oi, contract, end)
        assert row["oi_session_change"] == (None if now[1] is None else now[1] - start)
        told += 1
    ends = {OPEN + -((OPEN - ts) // length) * length for ts in oi}
    every = {(row["expiry"], row["strike"], row["right"]) for row in rows}
    shown = [
        any(naive.last_of(book, contract, end - length, end) is not None for book in (prices, oi))
        for end in ends for contract in every
    ]  # fmt: skip
    assert told == sum(shown)


@given(chains().filter(bool))
@settings(deadline=None, max_examples=40)
def test_buckets_add_up_the_build_up(rows: list[dict[str, Any]]) -> None:
    found = market.open_interest(frame_of(rows).with_columns(underlying=pl.lit("NIFTY")), steps=2)
    assert found.step == 50.0  # on record for that day
    build_up = [row for row in ns(found.buildup) if row["spot"] is not None]
    for row in ns(found.buckets):
        assert row["atm"] % 50 == 0
        inside = []
        for each in build_up:
            steps = max(-2, min(2, round((each["strike"] - row["atm"]) / 50)))
            if steps == row["steps"] and all(each[name] == row[name] for name in ("ts", "expiry", "right")):
                assert abs(each["spot"] - row["atm"]) <= 25.0
                inside.append(each)
        assert inside
        for name in ("oi", "oi_change", "volume"):
            known = [each[name] for each in inside if each[name] is not None]
            assert row[name] == (sum(known) if known else None)
        gains = row["steps"] < 0 if row["right"] == "CE" else row["steps"] > 0
        assert row["moneyness"] == ("ATM" if row["steps"] == 0 else "ITM" if gains else "OTM")


@given(chains().filter(bool), st.integers(0, 5000))
@settings(deadline=None, max_examples=60)
def test_what_comes_later_changes_nothing_earlier(rows: list[dict[str, Any]], second: int) -> None:
    until = OPEN + second * 1_000_000_000
    early = [row for row in rows if row["ts"] <= until]
    if not early:
        return
    other = [
        row | {"oi": 99, "ltp": 1000, "strike": row["strike"] + 25 * (place % 9)} for place, row in enumerate(rows)
    ]
    later = {(row["ts"], row["expiry"], row["strike"], row["right"]): row for row in other if row["ts"] > until}
    whole = market.open_interest(frame_of(rows))
    limit = pl.lit(until).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    for part in (early, early + [row | {"spot": 23_000.0} for row in later.values()]):
        for name in FRAMES:
            full, cut = (
                each.to_frame(name).filter(pl.col("ts") <= limit)
                for each in (whole, market.open_interest(frame_of(part)))
            )
            assert full.equals(cut, null_equal=True), name


@pytest.mark.parametrize("cut", [40, 201])
def test_minutes_that_come_later_change_nothing_earlier(cut: int) -> None:
    (day,) = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=9, expiries=2, seed=11)
    whole = market.open_interest(day)
    spoiled = {}
    for name in ("close", "oi", "volume", "spot"):
        values = getattr(day, name).copy()
        values[..., cut:] = np.where(np.arange(values.shape[-1] - cut) % 3 == 0, -2147483648, 77)
        spoiled[name] = values
    other = market.open_interest(dataclasses.replace(day, **spoiled))
    limit = pl.lit(int(day.ts[cut])).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    for name in FRAMES:
        full, part = (each.to_frame(name).filter(pl.col("ts") <= limit) for each in (whole, other))
        assert full.height
        assert full.equals(part, null_equal=True), name


def test_an_expiry_that_comes_up_later_does_not_change_the_step_between_strikes() -> None:
    """Found by the law above: the nearest expiry was that of the whole session."""
    later = date(2025, 1, 2)
    near = [row_of(0, date(2025, 1, 9), strike) for strike in (23_900.0, 24_050.0, 24_100.0)]
    for name in FRAMES:
        alone, both = (
            market.open_interest(frame_of(rows)).to_frame(name).filter(pl.col("ts").cast(pl.Int64) <= OPEN)
            for rows in (near, [*near, *(row_of(1, later, strike) for strike in (24_050.0, 24_100.0))])
        )  # fmt: skip
        assert alone.equals(both, null_equal=True), name


def row_of(second: int, expiry: date, strike: float) -> dict[str, Any]:
    moment = {"ts": OPEN + second * 1_000_000_000, "expiry": expiry, "strike": strike, "right": "PE"}
    return moment | {"ltp": 8.0, "spot": 23_990.0, "oi": 5.0, "volume": 7.0, "bid_qty": 3.0, "ask_qty": 2.0}
