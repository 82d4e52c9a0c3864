"""SQL over the tables of a home's views."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from algomaster.core.errors import DataError
from algomaster.features.store.table import Table, latest
from algomaster.features.store.view import View, saved_views
from algomaster.market.home import Home

__all__ = ["ask"]


def ask(query: str, *, home: str | Path | Home | None = None) -> pl.DataFrame:
    """Answer a SELECT over the views of a home.

    Parameters
    ----------
    query : str
        In the dialect of polars. Each view is a table of its name with the rows that stand (of its version made last),
        ``<name>_history`` holds corrected rows too, and ``<name>_<version>`` is an older version.
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.

    Raises
    ------
    DataError
        The query cannot be answered, is no question, or the home has no views.
    """
    where = home if isinstance(home, Home) else Home(home)
    if not re.match(r"\s*(select|with|show|explain)\b", query, re.IGNORECASE):
        raise DataError(f"Expected a question (SELECT ...), got {query[:60]!r}.", hint="Views are read, never changed.")
    tables = _tables(where)
    if not tables:
        raise DataError(f"The home {where.where} has no views.", hint="Build one: algo features build.")
    try:
        return pl.SQLContext(tables).execute(query, eager=True)
    except (pl.exceptions.PolarsError, OSError) as problem:
        said = str(problem).splitlines()[0]
        raise DataError(f"Cannot answer the query: {said}.", hint=f"Tables: {', '.join(tables)}.") from None


def _tables(home: Home) -> dict[str, pl.LazyFrame]:
    found: dict[str, pl.LazyFrame] = {}
    for row in saved_views(home).iter_rows(named=True):  # the oldest first: the name goes to the newest
        view = View(
            row["name"], underlying=row["underlying"], features=row["features"], latency_ms=row["latency_ms"],
            version=row["version"],
        )  # fmt: skip
        table = Table(view, home)
        if table.open() is None:
            continue
        rows = table.scan()
        found[view.name] = found[f"{view.name}_{view.version}"] = latest(rows)
        found[f"{view.name}_history"] = rows
    return found
