"""The last row of an underlying: in the ring, behind it, and while somebody writes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from algomaster.core.errors import ConfigError
from algomaster.features.store import LatestRow, LatestRows, get_online
from algomaster.features.store.latest import Ring
from feature_home import FEATURES, probe

F = len(FEATURES)


def row(n):
    return LatestRow(n, n + 60, np.full(F, float(n)))


def same(found, n):
    return found is not None and found[:2] == (n, n + 60) and bool((found.values == n).all())


def test_the_last_row_is_given(tmp_path):
    rows = LatestRows(probe(), tmp_path)
    assert rows.get("NIFTY") is None
    for n in range(1, 20):
        rows.put("NIFTY", row(n))
        rows.put("BANKNIFTY", row(1000 + n))
        assert same(rows.get("NIFTY"), n)
        assert same(rows.get("BANKNIFTY"), 1000 + n)
    rows.close()
    again = LatestRows(probe(), tmp_path)
    assert same(again.get("NIFTY"), 19)
    again.close()


def test_bits_survive(tmp_path):
    values = np.array([np.nan, -0.0, np.inf, 5e-324, 1 / 3, -1e308])
    rows = LatestRows(probe(), tmp_path)
    rows.put("NIFTY", LatestRow(1, 2, values))
    assert rows.get("NIFTY").values.tobytes() == rows._stored("NIFTY").values.tobytes() == values.tobytes()
    rows.close()


def test_get_online_opens_once_and_makes_no_files(tmp_path):
    view = probe("asked")
    assert get_online(view, "NIFTY", home=tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    writer = LatestRows(view, tmp_path)
    writer.put("NIFTY", row(3))
    assert same(get_online(view, "NIFTY", home=tmp_path), 3)
    writer.put("NIFTY", row(4))
    assert same(get_online(view, "NIFTY", home=tmp_path), 4)
    assert get_online(view, "FINNIFTY", home=tmp_path) is None
    writer.close()


def test_a_torn_cell_is_seen_and_sqlite_answers(tmp_path):
    rows = LatestRows(probe(), tmp_path)
    for n in range(1, 7):
        rows.put("NIFTY", row(n))
    ring = rows._ring
    at = ring._places.get("NIFTY") or (ring.get("NIFTY"), ring._places["NIFTY"])[1]
    start = at + 8 + (6 % 4) * ring._cell
    ring._map[start + 40] ^= 1
    assert ring.get("NIFTY") is None
    assert same(rows.get("NIFTY"), 6)
    rows.put("NIFTY", row(7))
    assert same(ring.get("NIFTY"), 7)
    rows.close()


def test_a_full_or_lost_ring_costs_time_but_no_row(tmp_path):
    rows = LatestRows(probe(), tmp_path)
    for n in range(100):
        rows.put(f"S{n}", row(n + 1))
    assert rows._ring.get("S99") is None
    assert all(same(rows.get(f"S{n}"), n + 1) for n in range(100))
    rows.close()
    (tmp_path / f"{probe().folder}.ring").unlink()
    again = LatestRows(probe(), tmp_path)
    assert all(same(again.get(f"S{n}"), n + 1) for n in range(100))
    again.put("S3", row(777))
    assert same(again._ring.get("S3"), 777)
    again.close()


def test_a_ring_whose_base_is_gone_begins_anew(tmp_path):
    rows = LatestRows(probe(), tmp_path)
    rows.put("A", row(1))
    rows.put("B", row(2))
    rows.close()
    for path in tmp_path.rglob("*.sqlite*"):
        path.unlink()
    again = LatestRows(probe(), tmp_path)
    again.put("B", row(3))
    assert again.get("A") is None
    assert same(again.get("B"), 3)
    again.close()


def test_threads_with_new_keys_get_slots_of_their_own(tmp_path):
    rows = LatestRows(probe(), tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: rows.put(f"S{n % 20}", row(n + 1)), range(400)))
    assert len({rows._ring.get(f"S{n}").event_ts % 20 for n in range(20)}) == 20
    rows.close()


WRITER = """
import sys, numpy as np
from pathlib import Path
from algomaster.features.store.latest import LatestRow, Ring
ring = Ring(Path(sys.argv[1]), 200)
for n in range(1, 60_001):
    ring.put("NIFTY", LatestRow(n, n + 60, np.full(200, float(n))), 0)
"""


def test_a_reader_never_sees_half_a_row(tmp_path):
    path = tmp_path / "x.ring"
    ring = Ring(path, 200)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    last, seen = 0, 0
    while writer.poll() is None or last < 60_000:
        found = ring.get("NIFTY")
        if found is None:
            continue
        assert found.event_ts >= last
        assert found.avail_ts == found.event_ts + 60
        assert (found.values == found.event_ts).all()
        seen += found.event_ts > last
        last = found.event_ts
    assert writer.returncode == 0
    assert last == 60_000
    assert seen > 1
    ring.close()


def test_what_is_no_ring_is_refused(tmp_path):
    path = tmp_path / "x.ring"
    path.write_bytes(b"something else, and long enough to be mapped")
    with pytest.raises(ConfigError, match="is not a ring"):
        Ring(path, 3)
    path.unlink()
    Ring(path, 3).close()
    with pytest.raises(ConfigError, match="rows of 3 features, not 4"):
        Ring(path, 4)
    with pytest.raises(ConfigError, match="kept in a local folder"):
        LatestRows(probe(), "memory://nowhere")
