"""The feature store: 10 million rows of 20 features, a million questions, history, concurrent writers, last rows.

Feast, if FEAST_PYTHON names an interpreter that has it (``pip install "feast[duckdb]"`` in an environment of its own),
joins 2,000 questions with a million rows: with 20,000 it needs more than the 16 GB of this kind of machine.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from algomaster import features
from algomaster.features.store import History, LatestRow, LatestRows, Table, View, get_historical, get_online
from measure import fastest_seconds, median_seconds, row

ROWS, SYMBOLS, QUESTIONS, COLUMNS = 10_000_000, 50, 1_000_000, 20
A_DAY = 375
EPOCH = datetime(2015, 1, 1, 3, 45, tzinfo=UTC)


def run():
    home = Path(tempfile.mkdtemp(prefix="bench-store-"))
    try:
        return [*offline(home), *appends(home), *online(home), *beside_feast(home)]
    finally:
        shutil.rmtree(home)


def offline(home):
    names = [f"S{n:02d}" for n in range(SYMBOLS)]
    view = View("bench", underlying=names, features=features.preset("alpha158")[:COLUMNS])
    frame, values = made_up(view, names)
    taken = [write(view, frame, home / f"w{n}") for n in range(3)]
    for n in range(1, 3):
        shutil.rmtree(home / f"w{n}")
    table = Table(view, home / "w0")
    day = frame["session"].unique().sort()[-2]
    later = frame.filter((pl.col("underlying") == "S07") & (pl.col("session") == day))
    later = later.with_columns(pl.col(view.features) + 1.0)
    known = datetime.now(UTC)
    time.sleep(0.01)
    table.append(later)
    asked, expected = questions(view, names, values)
    found = get_historical(asked, view, home=home / "w0", as_of=1)
    assert found.select("underlying", "event_time").equals(asked)
    assert (bits(found, view) == expected.view(np.int64)).all()

    def from_table(asked):
        return get_historical(asked, view, home=home / "w0")

    def travel(as_of):
        return table.read(underlyings=["S07"], start=day, end=day, as_of=as_of)

    for as_of in (known, 1):
        assert travel(as_of).height == A_DAY
        assert (travel(as_of)[view.features[0]] + 1.0).equals(travel(None)[view.features[0]])
    history = History(view, home=home / "w0", as_of=1)
    assert get_historical(asked, history).equals(found)
    size = f"{ROWS // 1_000_000}M rows x {COLUMNS} features of {SYMBOLS} symbols"
    return [
        row(f"offline write, {size}", sorted(taken)[1], "s", 2.0),
        row(
            f"point-in-time join, 1M questions on {size}, rows in memory",
            median_seconds(lambda: get_historical(asked, history)), "s", 0.5,
        ),
        row("the same, read from the table", median_seconds(lambda: from_table(asked)), "s", 0.5),
        row("1,000 questions, read from the table", median_seconds(lambda: from_table(asked.head(1000))), "s"),
        row("time travel to a moment, a day of one symbol", median_seconds(lambda: travel(known)), "s", 0.15),
        row("time travel to a version, a day of one symbol", median_seconds(lambda: travel(1)), "s", 0.15),
        row("the same join by polars asof, rows in memory", asof(frame, asked, view, expected), "s"),
    ]  # fmt: skip


def beside_feast(home):
    """Feast's join of a tenth of the rows, its answer checked against ours first."""
    python = os.environ.get("FEAST_PYTHON")
    if not python:
        print("no Feast here (set FEAST_PYTHON): not measured")
        return []
    names = [f"S{n:02d}" for n in range(SYMBOLS)]
    view = View("feast", underlying=names, features=features.preset("alpha158")[:COLUMNS])
    frame, values = made_up(view, names, ROWS // 10)
    Table(view, home).append(frame)
    asked, _ = questions(view, names, values)
    asked = asked.head(2000)
    found = get_historical(asked, view, home=home)
    (home / "feast").mkdir()
    shifted = (pl.col("event_ts") + timedelta(minutes=1)).alias("event_timestamp")
    frame.select("underlying", shifted, *view.features).write_parquet(home / "feast" / "rows.parquet")
    asked.rename({"event_time": "event_timestamp"}).write_parquet(home / "feast" / "questions.parquet")
    here = Path(__file__).with_name("feast_peer.py")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, "-W", "ignore", here, home / "feast"], env=env, capture_output=True, text=True)
    if done.returncode:
        print(f"Feast failed ({done.returncode}): {done.stderr[-300:]}")
        return []
    theirs = json.loads(done.stdout.splitlines()[-1])
    assert theirs["rows"] == found.height
    assert abs(theirs["sum"] - found[view.features[0]].sum()) < 1e-9
    ours = median_seconds(lambda: get_historical(asked, view, home=home))
    return [
        row("Feast (duckdb): 2,000 questions on 1M rows x 20", theirs["seconds"], "s"),
        row("the same, ours", ours, "s"),
        row("the same, ours against Feast", theirs["seconds"] / ours, "x", 100.0),
    ]


def made_up(view, names, rows=ROWS):
    """Give rows for every symbol and minute, and their values (F, rows)."""
    each = rows // SYMBOLS
    place = np.arange(each)
    minutes = (place // A_DAY) * 1440 + place % A_DAY
    base = int(EPOCH.timestamp() * 1e6)
    ts = base + minutes * 60_000_000
    values = np.random.default_rng(7).standard_normal((COLUMNS, rows))
    frame = pl.DataFrame(
        {
            "underlying": pl.Series(names, dtype=pl.String).gather(np.repeat(np.arange(SYMBOLS), each)),
            "event_ts": pl.Series(np.tile(ts, SYMBOLS)).cast(pl.Datetime("us", "UTC")),
        }
    ).with_columns(session=pl.col("event_ts").dt.date(), inputs=pl.lit(1, pl.Int64))
    return frame.hstack([pl.Series(name, values[n]) for n, name in enumerate(view.features)]), values


def write(view, frame, home):
    start = time.perf_counter()
    Table(view, home).append(frame)
    return time.perf_counter() - start


def questions(view, names, values):
    """Give questions at random moments, and the values that were last available then (F, questions)."""
    random = np.random.default_rng(8)
    each = values.shape[1] // SYMBOLS
    symbol, at = random.integers(0, SYMBOLS, QUESTIONS), random.integers(0, each, QUESTIONS)
    minute = (at // A_DAY) * 1440 + at % A_DAY + 1
    moment = int(EPOCH.timestamp() * 1e6) + minute * 60_000_000 + random.integers(0, 60_000_000, QUESTIONS)
    asked = pl.DataFrame(
        {
            "underlying": pl.Series(names).gather(symbol),
            "event_time": pl.Series(moment).cast(pl.Datetime("us", "UTC")),
        }
    )
    return asked, values[:, symbol * each + at]


def bits(found, view):
    return np.stack([found[name].to_numpy() for name in view.features]).view(np.int64)


def asof(frame, asked, view, expected):
    rows = frame.with_columns(event_time=pl.col("event_ts") + timedelta(minutes=1)).select(
        "underlying", "event_time", *view.features
    )

    def join():
        numbered = asked.with_row_index("place").sort("underlying", "event_time")
        return numbered.join_asof(rows, on="event_time", by="underlying", check_sortedness=False).sort("place")

    assert (bits(join(), view) == expected.view(np.int64)).all()
    return median_seconds(join, repeats=3)


def appends(home):
    view = View("concurrent", underlying="NIFTY", features=features.preset("alpha158")[:COLUMNS])
    rows = 18_750

    def append(n):
        frame = pl.DataFrame(
            {
                "underlying": ["NIFTY"] * rows,
                "event_ts": pl.Series(np.arange(rows) + n * rows).cast(pl.Datetime("us", "UTC")),
                "inputs": [1] * rows,
            }
        ).with_columns(session=pl.col("event_ts").dt.date())
        Table(view, home).append(frame.with_columns(**dict.fromkeys(view.features, pl.lit(float(n)))))

    append(40)
    start = time.perf_counter()
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(append, range(40)))
    taken = time.perf_counter() - start
    held = Table(view, home).read()
    assert held.height == 41 * rows
    lost = sum((held[view.features[0]] == n).sum() != rows for n in range(41))
    return [
        row("40 concurrent appends of 18,750 rows: lost", lost, "appends", 0),
        row("40 concurrent appends of 18,750 rows: time", taken, "s"),
    ]


def online(home):
    view = View("latest", underlying="NIFTY", features=features.preset("alpha158"))
    place = LatestRows(view, home)
    values = np.random.default_rng(3).standard_normal(len(view.features))
    place.put("NIFTY", LatestRow(1, 2, values))
    assert get_online(view, "NIFTY", home=home).values.tobytes() == values.tobytes()
    assert place._stored("NIFTY").values.tobytes() == values.tobytes()

    def thousand(call):
        def calls():
            for _ in range(1000):
                call()

        return fastest_seconds(calls) * 1e3

    rows = [
        row("online get, 158 features", thousand(lambda: get_online(view, "NIFTY", home=home)), "us", 10.0),
        row("online get from SQLite alone", thousand(lambda: place._stored("NIFTY")), "us"),
        row("online put (SQLite and ring)", thousand(lambda: place.put("NIFTY", LatestRow(1, 2, values))), "us"),
    ]
    place.close()
    return rows
