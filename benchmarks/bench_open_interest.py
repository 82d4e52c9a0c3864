"""Open interest by strike: a real day of NIFTY snapshots, a simulated session's minutes, a year of positions."""

import os
import shutil
import tempfile
from pathlib import Path

from algomaster import market
from algomaster.market.importer import import_path
from algomaster.market.store import Store
from measure import median_seconds, row


def run():
    (day,) = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=101, expiries=4, seed=3)
    year = market.simulate_participants(250, seed=3)
    rows = [
        row("open interest of a day of minutes (4 expiries x 101 strikes)", timed(day), "s", 1.0),
        row("positions of 250 sessions", median_seconds(lambda: market.positioning(year)), "s", 0.1),
    ]
    shared = Path(os.environ.get("ALGO_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
    file = shared / "nse_chain_snapshots" / "nse_website_20250829" / "NIFTY_20250829_all.parquet"
    if not file.exists():
        print("no real files here (set ALGO_SHARED): snapshots not measured")
        return rows
    home = tempfile.mkdtemp()
    try:
        read = import_path(file, home=home).rows_read
        chain = Store(home).read("chain_snapshot")
    finally:
        shutil.rmtree(home)
    name = f"open interest of a real day of snapshots ({read:,} rows of the vendor, {chain.height:,} contracts' rows)"
    return [*rows, row(name, timed(chain), "s", 1.0)]


def timed(data):
    """Median time of an analysis whose totals are checked against sums of the data first."""
    found = market.open_interest(data)
    last = found.series.row(-1, named=True)  # all expiries together at the last moment
    if isinstance(data, market.ChainDay):
        expected = data.oi[:, :, :, -1].sum()
    else:
        expected = data.filter(data["ts"] == data["ts"].max())["oi"].sum()
    assert abs(last["call_oi"] + last["put_oi"] - expected) <= 1e-9 * expected
    return median_seconds(lambda: market.open_interest(data), repeats=9)
