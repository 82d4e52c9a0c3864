"""Pictures of the feature store: coverage, how values lie, and drift through the days."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl

from algomaster.core.figures import GAIN, GREY, LINE, LOSS, dress
from algomaster.core.types import FloatArray

__all__ = ["coverage_figure", "drift_figure", "spread_figure"]

_AMBER: Final = "#e0a63a"
_PALE: Final = "rgba(128,128,128,.12)"
_ROW: Final = 13  # pixels a feature
_BANDS: Final = (("q05", "q95", 0.18), ("q25", "q75", 0.35))


def coverage_figure(rows: pl.DataFrame, *, label: str) -> go.Figure:
    """Draw which share of each session's rows has a value.

    Parameters
    ----------
    rows : DataFrame
        session, feature, coverage of one underlying.
    label : str
    """
    features, sessions, grid = _grid(rows, "coverage")
    figure = go.Figure(
        go.Heatmap(
            x=sessions, y=features, z=grid, zmin=0.0, zmax=1.0, colorscale=[[0.0, LOSS], [0.5, _AMBER], [1.0, GAIN]],
            hoverongaps=False, colorbar={"thickness": 12, "tickformat": ".0%"},
            hovertemplate="%{y} %{x}: %{z:.1%}<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, title=f"{label}: coverage", height=_height(features))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(type="category", nticks=12, showgrid=False)
    return figure


def spread_figure(rows: pl.DataFrame, *, label: str) -> go.Figure:
    """Draw how the values of one feature lie through the sessions: middle, halves, nine tenths, extremes.

    Parameters
    ----------
    rows : DataFrame
        session, min, q05, q25, q50, q75, q95, max of one feature.
    label : str
    """
    days = rows["session"].to_list()
    figure = go.Figure()
    for low, high, depth in _BANDS:
        figure.add_scatter(x=days, y=rows[low].to_list(), mode="lines", line={"width": 0}, showlegend=False,
                           hoverinfo="skip")  # fmt: skip
        figure.add_scatter(
            x=days, y=rows[high].to_list(), mode="lines", line={"width": 0}, fill="tonexty", name=f"{low} to {high}",
            fillcolor=f"rgba(59,130,214,{depth})", hoverinfo="skip",
        )  # fmt: skip
    for column, colour, dash in (("q50", LINE, "solid"), ("min", GREY, "dot"), ("max", GREY, "dot")):
        figure.add_scatter(
            x=days, y=rows[column].to_list(), mode="lines", name="median" if column == "q50" else column,
            line={"color": colour, "width": 1.6, "dash": dash}, hovertemplate="%{y:.5g}",
        )  # fmt: skip
    dress(figure, title=label, height=420)
    figure.update_layout(hovermode="x unified", showlegend=True)
    return figure


def drift_figure(rows: pl.DataFrame, *, moderate: float, major: float, label: str) -> go.Figure:
    """Draw the population stability index of each feature and session, the restless ones on top.

    Parameters
    ----------
    rows : DataFrame
        session, feature, psi of one underlying.
    moderate, major : float
        Where a shift counts as one.
    label : str
    """
    order = rows.group_by("feature").agg(pl.col("psi").median()).sort("psi", "feature", descending=[True, False])
    features, sessions, grid = _grid(rows, "psi", order["feature"].to_list())
    top = 2.0 * major
    scale = [[0.0, _PALE], [moderate / top, GAIN], [major / top, _AMBER], [1.0, LOSS]]
    figure = go.Figure(
        go.Heatmap(
            x=sessions, y=features, z=grid, zmin=0.0, zmax=top, colorscale=scale, hoverongaps=False,
            colorbar={"thickness": 12, "tickvals": [0.0, moderate, major, top], "title": {"text": "PSI"}},
            hovertemplate="%{y} %{x}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, title=f"{label}: drift", height=_height(features))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(type="category", nticks=12, showgrid=False)
    return figure


def _grid(
    rows: pl.DataFrame, column: str, features: list[str] | None = None
) -> tuple[list[str], list[str], FloatArray]:
    """Give features, sessions and the values over them (features, sessions)."""
    names = features if features is not None else rows["feature"].unique(maintain_order=True).to_list()
    sessions = rows["session"].unique().sort()
    grid = np.full((len(names), sessions.len()), np.nan)
    place = {name: n for n, name in enumerate(names)}
    down = np.array([place[name] for name in rows["feature"]], dtype=np.int64)
    grid[down, sessions.search_sorted(rows["session"]).to_numpy()] = rows[column].to_numpy()
    return names, [str(day) for day in sessions], grid


def _height(features: list[Any]) -> int:
    return 160 + _ROW * max(len(features), 8)
