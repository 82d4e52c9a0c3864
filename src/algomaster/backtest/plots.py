"""Pictures of margins and portfolios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, dress
from algomaster.performance.plots import thin

if TYPE_CHECKING:
    from algomaster.backtest.portfolio_result import Portfolio

__all__ = ["margin_figure", "portfolio_figure"]

_MONEY: Final = "₹%{y:,.0f}"
_COLOURS: Final = ("#b5762a", "#7b61c9", GAIN, "#c2527f", "#4f8a9c", GREY)


def margin_figure(at: pl.DataFrame, daily: pl.DataFrame) -> go.Figure:
    """Draw the peak margin and the P&L of each session, and the return on that margin.

    Parameters
    ----------
    at, daily : frames
        Of a :class:`~algomaster.backtest.MarginUse`; may be empty.
    """
    figure = make_subplots(rows=3, vertical_spacing=0.07, row_heights=[0.4, 0.3, 0.3])
    times = at["ts"].dt.replace_time_zone(None).dt.cast_time_unit("us").to_list()
    figure.add_scatter(
        x=times, y=at["margin"].to_list(), name="Margin", mode="lines",
        line={"color": LINE, "width": 1.4, "shape": "hv"}, hovertemplate=_MONEY, row=1, col=1,
    )  # fmt: skip
    sessions = daily["date"].to_list()
    figure.add_bar(
        x=sessions, y=daily["margin"].to_list(), name="Peak", marker={"color": LINE}, hovertemplate=_MONEY, row=2, col=1
    )
    made = daily["return_on_margin"].fill_nan(None).to_list()
    colours = [GAIN if (value or 0.0) >= 0.0 else LOSS for value in made]
    figure.add_bar(x=sessions, y=made, name="Return", marker={"color": colours}, hovertemplate="%{y:.2%}", row=3, col=1)
    dress(figure, height=620, showlegend=False, hovermode="x")
    for row, title in enumerate(("Margin, ₹", "Peak of the session, ₹", "Return on it"), 1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_yaxes(tickformat=".1%", row=3, col=1)
    return figure


def portfolio_figure(found: Portfolio) -> go.Figure:
    """Draw equity together and apart, the margin of each session against the capital, and correlations."""
    figure = make_subplots(
        rows=3, cols=2, vertical_spacing=0.1, horizontal_spacing=0.14, row_heights=[0.44, 0.28, 0.28],
        specs=[[{"colspan": 2}, None], [{"colspan": 2}, None], [{}, {}]],
    )  # fmt: skip
    _curves(figure, found)
    sessions = found.sessions
    margins = found.daily["margin"].to_numpy()
    capital = found.capital + np.concatenate([[0.0], np.cumsum(found.daily["pnl"].to_numpy())[:-1]])
    figure.add_bar(
        x=sessions, y=margins.tolist(), name="Peak margin", marker={"color": LINE}, hovertemplate=_MONEY, row=2, col=1,
        showlegend=False,
    )  # fmt: skip
    figure.add_scatter(
        x=sessions, y=capital[: len(sessions)].tolist(), name="Capital", mode="lines",
        line={"color": LOSS, "width": 1.2, "dash": "dot"}, hovertemplate=_MONEY, row=2, col=1,
    )  # fmt: skip
    names, grid = _matrix(found)
    figure.add_trace(
        go.Heatmap(
            z=grid, x=names, y=names, zmin=-1, zmax=1, colorscale=DIVERGING, text=np.round(grid, 2),
            texttemplate="%{text}", showscale=False, hovertemplate="%{y} ~ %{x}: %{z:.2f}<extra></extra>",
            xgap=2, ygap=2,
        ),
        row=3, col=1,
    )  # fmt: skip
    shares = found.parts["risk_share"].fill_nan(None).to_list()
    figure.add_bar(
        x=list(found.names), y=shares, marker={"color": _colours(len(found.names))}, showlegend=False,
        hovertemplate="%{y:.0%}", row=3, col=2,
    )  # fmt: skip
    dress(figure, height=820, hovermode="x unified")
    figure.update_yaxes(title_text="P&L, ₹", row=1, col=1)
    figure.update_yaxes(title_text="Margin, ₹", row=2, col=1)
    figure.update_yaxes(title_text="Share of the risk", tickformat=".0%", row=3, col=2)
    figure.update_yaxes(autorange="reversed", row=3, col=1)
    return figure


def _curves(figure: Any, found: Portfolio) -> None:
    """Draw the equity curves, thinned so that no high or low is lost."""
    together = found.equity["equity"].to_numpy()
    keep = thin(together)
    for name in found.names:
        keep = np.union1d(keep, thin(found.equity[name].to_numpy()))
    times = found.equity["ts"].dt.replace_time_zone(None).dt.cast_time_unit("us").gather(keep).to_list()
    for name, colour in zip(found.names, _colours(len(found.names))):
        figure.add_scatter(
            x=times, y=found.equity[name].gather(keep).to_list(), name=name, mode="lines",
            line={"color": colour, "width": 1}, hovertemplate=_MONEY, row=1, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=times, y=together[keep].tolist(), name="Together", mode="lines", line={"color": LINE, "width": 2},
        hovertemplate=_MONEY, row=1, col=1,
    )  # fmt: skip


def _colours(count: int) -> list[str]:
    return [_COLOURS[k % len(_COLOURS)] for k in range(count)]


def _matrix(found: Portfolio) -> tuple[list[str], Any]:
    names = list(found.names)
    grid = np.eye(len(names))
    for row in found.correlation.iter_rows(named=True):
        i, k = names.index(row["a"]), names.index(row["b"])
        grid[i, k] = grid[k, i] = row["correlation"]
    return names, grid
