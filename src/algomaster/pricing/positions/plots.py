"""Picture of a position: profit at expiry, now and between over the spot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from algomaster.core.figures import GREY, LINE, dress

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from algomaster.pricing.positions.result import Payoff

__all__ = ["payoff_figure"]

_GAIN_FILL: Final = "rgba(26,154,120,.20)"
_LOSS_FILL: Final = "rgba(217,83,79,.20)"
_BAND: Final = "rgba(128,128,128,.10)"
_BETWEEN: Final = ("#c98a1b", "#8e6bbf", "#5aa7a7", "#b5762a", "#7f8c3a")
_MONEY: Final = "%{y:,.0f}"
_DAYS: Final = 365.0


def payoff_figure(found: Payoff) -> go.Figure:
    """Draw profit at expiry (filled green above and red below 0), now and between, with breakevens and spot.

    The grey band is one standard deviation of the lognormal distribution either side of the forward.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    _expiry(figure, found)
    if not np.isnan(found.now).all():
        figure.add_scatter(
            x=found.spots, y=found.now, name="Now", mode="lines", line={"color": LINE, "width": 2, "dash": "dash"},
            hovertemplate=_MONEY,
        )  # fmt: skip
    _between(figure, found)
    _marks(figure, found)
    dress(figure, height=460, hovermode="x unified", legend={"y": 1.07})
    figure.update_xaxes(title_text="Spot", tickformat=",", range=[float(found.spots.min()), float(found.spots.max())])
    figure.update_yaxes(title_text="Profit and loss", tickformat=",", zeroline=True, zerolinewidth=1.2)
    return figure


def _expiry(figure: go.Figure, found: Payoff) -> None:
    """Add the curve at expiry over its two fills, which meet at the breakevens because these are among the spots."""
    for values, colour in (
        (np.maximum(found.at_expiry, 0.0), _GAIN_FILL),
        (np.minimum(found.at_expiry, 0.0), _LOSS_FILL),
    ):
        figure.add_scatter(
            x=found.spots, y=values, mode="lines", line={"width": 0}, fill="tozeroy", fillcolor=colour,
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=found.spots, y=found.at_expiry, name="At expiry", mode="lines", line={"color": GREY, "width": 2.2},
        hovertemplate=_MONEY,
    )  # fmt: skip


def _between(figure: go.Figure, found: Payoff) -> None:
    curves = [(a, v) for a in range(found.at.size) for v in range(found.vol_shifts.size)]
    for n, (a, v) in enumerate(curves):
        shift = found.vol_shifts[v]
        name = f"In {found.at[a] * _DAYS:.3g} days" + (f", vol {shift * 100.0:+.3g} points" if shift else "")
        figure.add_scatter(
            x=found.spots, y=found.between[a, v], name=name, mode="lines", hovertemplate=_MONEY,
            line={"color": _BETWEEN[n % len(_BETWEEN)], "width": 1.3},
        )  # fmt: skip


def _marks(figure: go.Figure, found: Payoff) -> None:
    wide = found.vol * math.sqrt(found.horizon) if found.horizon > 0.0 else math.nan
    if 0.0 < wide < 10.0 and not math.isnan(found.forward):
        low, high = found.forward * math.exp(-wide), found.forward * math.exp(wide)
        figure.add_vrect(
            x0=low, x1=high, fillcolor=_BAND, line_width=0, layer="below", annotation_text="±1σ",
            annotation_position="bottom right", annotation_font={"size": 11, "color": GREY},
        )  # fmt: skip
    if not math.isnan(found.spot):
        figure.add_vline(
            x=found.spot, line={"color": LINE, "width": 1, "dash": "dot"}, annotation_text=f"spot {found.spot:,.2f}",
            annotation_position="top", annotation_font={"size": 11, "color": LINE},
        )  # fmt: skip
    inside = [x for x in found.breakevens.tolist() if found.spots.min() <= x <= found.spots.max()]
    starts = {low for low, _ in found.profitable}
    figure.add_scatter(
        x=inside, y=[0.0] * len(inside), mode="markers+text", text=[f"{x:,.1f}" for x in inside], name="Breakeven",
        textposition=["top left" if x in starts else "top right" for x in inside], textfont={"size": 11},
        hoverinfo="skip", marker={"color": "rgba(0,0,0,0)", "size": 9, "line": {"color": GREY, "width": 2}},
    )  # fmt: skip
