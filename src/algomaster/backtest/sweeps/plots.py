"""Pictures of sweeps, searches and walk-forwards: how settings act together, and what came after the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, dress

__all__ = ["interaction_figure", "parallel_figure", "walk_forward_figure"]

_MOST_LINES: Final = 3000
"""Sets that a parallel-coordinates plot draws: the best ones and, evenly by rank, some of the others."""
_COLOURS: Final = (LINE, "#b5762a", GAIN, LOSS, "#8e6fc7", "#4aa3a2", "#c76f9b", GREY)


def interaction_figure(frame: pl.DataFrame, *, x: str, y: str, metric: str) -> go.Figure:
    """Draw a metric over one setting, a line for each value of another.

    Lines are parallel where the two settings do not act on each other.

    Parameters
    ----------
    frame : frame
        One row a parameter set. Where more settings vary, a point is the median over them.
    """
    cells = _known(frame, metric).group_by(x, y).agg(pl.col(metric).median())
    across = frame[x].unique().sort()
    figure = go.Figure()
    for number, value in enumerate(frame[y].unique().sort().to_list()):
        line = cells.filter(pl.col(y).eq_missing(pl.lit(value)))
        points = pl.DataFrame({x: across}).join(line, on=x, how="left", nulls_equal=True, maintain_order="left")
        figure.add_scatter(
            x=[str(one) for one in across], y=points[metric].to_list(), name=f"{y} {value}", mode="lines+markers",
            line={"color": _COLOURS[number % len(_COLOURS)], "width": 1.6}, marker={"size": 5},
        )  # fmt: skip
    dress(figure, height=420, margin={"t": 40}, hovermode="x unified")
    figure.update_xaxes(title_text=x, type="category")
    figure.update_yaxes(title_text=metric)
    return figure


def parallel_figure(frame: pl.DataFrame, *, settings: Sequence[str], metric: str) -> go.Figure:
    """Draw one line a parameter set through all settings to the metric, coloured by it; axes can be brushed.

    Parameters
    ----------
    frame : frame
        One row a parameter set; of more than 3,000 the best hundred and every k-th by rank are drawn.
    settings : sequence of str
        Axes from left to right.
    """
    known = _known(frame, metric).sort(metric, descending=True, maintain_order=True)
    if known.height > _MOST_LINES:
        rest = np.linspace(100, known.height - 1, _MOST_LINES - 100).astype(np.int64)
        known = known[np.concatenate([np.arange(100), rest])]
    values = known[metric].to_numpy().astype(np.float64)
    axes = [_axis(known[name], frame[name]) for name in settings]
    figure = go.Figure(
        go.Parcoords(
            dimensions=[*axes, {"label": metric, "values": values}],
            line={"color": values, "colorscale": DIVERGING, "cmid": 0.0, "showscale": True},
        )
    )
    dress(figure, height=460, margin={"l": 60, "t": 60, "r": 30})
    return figure


def walk_forward_figure(folds: pl.DataFrame, daily: pl.DataFrame, *, metric: str) -> go.Figure:
    """Draw the out-of-sample curve with its folds, and below what each fold's choice made before and after.

    Parameters
    ----------
    folds : frame
        Of a walk-forward: test_first, test_last, train_mean_day, test_mean_day.
    daily : frame
        date, pnl (rupees) of the sessions tested.
    metric : str
        What the choice went by, for the title.
    """
    figure = make_subplots(rows=2, row_heights=[0.65, 0.35], vertical_spacing=0.12)
    curve = daily["pnl"].cum_sum()
    figure.add_scatter(
        x=daily["date"].to_list(), y=curve.to_list(), name="out of sample", mode="lines",
        line={"color": LINE, "width": 1.8}, hovertemplate="₹%{y:,.0f}", row=1, col=1,
    )  # fmt: skip
    for first in folds["test_first"].to_list():
        figure.add_vline(x=first, line={"color": GREY, "width": 1, "dash": "dot"}, row=1, col=1)
    numbers = [str(number) for number in folds["fold"].to_list()]
    for column, name, colour in (
        ("train_mean_day", "average day in sample", GREY),
        ("test_mean_day", "average day out of sample", LINE),
    ):
        figure.add_bar(
            x=numbers, y=folds[column].to_list(), name=name, marker={"color": colour}, hovertemplate="₹%{y:,.0f}",
            row=2, col=1,
        )  # fmt: skip
    dress(figure, height=560, title=f"Chosen by {metric} before each dotted line", margin={"t": 85})
    figure.update_yaxes(title_text="Out of sample, ₹", row=1, col=1)
    figure.update_yaxes(title_text="₹ a session", row=2, col=1)
    figure.update_xaxes(title_text="fold", type="category", row=2, col=1)
    return figure


def _known(frame: pl.DataFrame, metric: str) -> pl.DataFrame:
    return frame.filter(pl.col(metric).is_not_null() & pl.col(metric).cast(pl.Float64).is_not_nan())


def _axis(drawn: pl.Series, all_of_them: pl.Series) -> dict[str, Any]:
    """Give an axis: numbers as they are, everything else evenly in its order, with its words."""
    if drawn.dtype.is_numeric() and not all_of_them.null_count():
        return {"label": drawn.name, "values": drawn.cast(pl.Float64).to_numpy()}
    levels = all_of_them.unique().sort(nulls_last=True).to_list()
    place = {level: number for number, level in enumerate(levels)}
    return {
        "label": drawn.name,
        "values": [place[value] for value in drawn.to_list()],
        "tickvals": list(range(len(levels))),
        "ticktext": [str(level) for level in levels],
    }
