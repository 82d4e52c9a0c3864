"""Import of real vendor files: a year of index minutes, a day of 129 option contracts."""

import os
import shutil
import tempfile
from pathlib import Path

import polars as pl

from algomaster.market.importer import import_path
from measure import median_seconds, row


def run():
    shared = Path(os.environ.get("ALGO_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
    if not shared.exists():
        print("no real files here (set ALGO_SHARED): imports not measured")
        return []
    folder = Path(tempfile.mkdtemp())
    try:
        minutes = pl.read_parquet(shared / "nse_index_minute" / "NIFTY_1min_2013_2017_barEnd.parquet")
        year = minutes.filter(pl.col("ts").dt.year() == 2014)
        year.write_parquet(folder / "nifty_2014.parquet")
        options = shared / "nse_option_minute" / "banknifty_20221230"
        fresh(folder / "nifty_2014.parquet")
        return [
            row(f"a year of minute bars ({year.height:,} rows)", fresh(folder / "nifty_2014.parquet"), "s", 1),
            row("a day of 129 option contracts (38,758 rows)", fresh(options), "s", 1),
        ]
    finally:
        shutil.rmtree(folder)


def fresh(path):
    """Median time of an import into an empty store."""
    homes = []

    def once():
        homes.append(tempfile.mkdtemp())
        import_path(path, home=homes[-1])

    try:
        return median_seconds(once, repeats=5)
    finally:
        for home in homes:
            shutil.rmtree(home)
