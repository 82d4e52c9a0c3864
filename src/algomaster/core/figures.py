"""The look that all pictures share. A figure is whatever has plotly's methods: nothing is imported for it."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["DIVERGING", "GAIN", "GREY", "GRID", "LINE", "LOSS", "NEUTRAL", "dress"]

LINE: Final = "#3b82d6"
GAIN: Final = "#1a9a78"
LOSS: Final = "#d9534f"
GREY: Final = "#8a8f98"
NEUTRAL: Final = "rgba(128,128,128,.12)"
DIVERGING: Final = [[0.0, LOSS], [0.5, NEUTRAL], [1.0, GAIN]]
GRID: Final = "rgba(128,128,128,.2)"
_ZERO: Final = "rgba(128,128,128,.5)"


def dress(figure: Any, *, height: int, title: str = "", **layout: Any) -> None:
    """Give a figure the house's look: no background of its own, readable on a light and on a dark page.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    height : int
        Pixels.
    title : str, optional
        Stands at the top left; room is made for it.
    layout
        Of plotly; goes before the look, also in part (``margin={"t": 85}``).
    """
    figure.update_layout(
        height=height, template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#808790"},
        margin={"l": 80, "r": 20, "t": 64 if title else 50, "b": 48},
        legend={"orientation": "h", "y": 1.03, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )  # fmt: skip
    if title:
        figure.update_layout(title={"text": title, "x": 0.01, "y": 0.98, "yanchor": "top", "font": {"size": 14}})
    figure.update_layout(**layout)
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=_ZERO, automargin=True, title_standoff=8)
