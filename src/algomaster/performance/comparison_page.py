"""The HTML page of runs side by side."""

from __future__ import annotations

import html
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from algomaster.performance.page import figure_html, page, section, table, write_page
from algomaster.performance.result import write_metric

if TYPE_CHECKING:
    from algomaster.performance.comparison import Comparison

__all__ = ["write_comparison"]


def write_comparison(found: Comparison, path: str | Path) -> Path:
    """Write the page of a comparison and give its path."""
    title = " and ".join(found.names)
    body = [
        f"<h1>{html.escape(title)}</h1><p class='lead'>{found.daily.height:,} sessions in all</p>",
        section("Net P&L", figure_html(found.plot())),
        section("Session by session", _pairs(found)),
        section("Correlation of the sessions", _correlation(found)),
        section("All figures", _metrics(found)),
    ]
    return write_page(path, page(title, body))


def _pairs(found: Comparison) -> str:
    heads = ["", "Sessions in both", "Average difference", "s.e.", "t", "Correlation"]
    rows = [
        [
            f"{pair.name} less {pair.base}", f"{pair.sessions:,}", write_metric(pair.difference, "rupees"),
            write_metric(pair.difference_se, "rupees"), write_metric(pair.t, "ratio"),
            write_metric(pair.correlation, "ratio"),
        ]
        for pair in found.pairs
    ]  # fmt: skip
    said = "Both runs traded the same days, so what their days have in common drops out of the difference."
    return f"<p>{said}</p>" + table(heads, rows, numbers=range(1, 6))


def _correlation(found: Comparison) -> str:
    rows = [
        [name, *("–" if math.isnan(value) else f"{value:.2f}" for value in line)]
        for name, line in zip(found.names, found.correlation.tolist())
    ]
    return table(["", *found.names], rows, numbers=range(1, len(found.names) + 1))


def _metrics(found: Comparison) -> str:
    shown = [*found.names, *(f"{name} - {found.names[0]}" for name in found.names[1:])]
    known = found.metrics.filter(pl.any_horizontal(pl.col(*found.names).is_not_nan()))
    rows: list[list[Any]] = [
        [row["label"], *(write_metric(row[name], row["unit"]) for name in shown)] for row in known.iter_rows(named=True)
    ]
    return table(["", *shown], rows, numbers=range(1, len(shown) + 1))
