"""Pictures of dealer flow: exposure by strike with its levels, the profile over the spot, strike by expiry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, dress
from algomaster.core.types import FloatArray

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from algomaster.pricing.dealer_flow.result import Exposure

__all__ = ["flow_figure", "heatmap_figure"]

_TITLES: Final = {"gex": "GEX per 1 %", "dex": "DEX", "vex": "VEX per vol point", "chex": "CHEX per day"}
_ORANGE: Final = "#c98a1b"
_SMALL: Final = 1e-2
"""Strikes at the edges that have less than this share of the largest amount are not drawn."""


def flow_figure(found: Exposure, value: str) -> go.Figure:
    """Draw an exposure by strike as bars, for gex calls and puts apart; below it gex at other spots."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.06)
    net = found.grids[value]
    amounts = np.nansum(net, axis=0)
    low, high = _span(found, amounts)
    if value == "gex":
        for side, colour in (("call", GAIN), ("put", LOSS)):
            figure.add_bar(
                x=found.strikes, y=np.asarray(found.frame[f"{side}_gex"]), name=f"{side.capitalize()}s",
                marker={"color": colour, "opacity": 0.45, "line": {"width": 0}}, hovertemplate="%{y:,.4s}",
                row=1, col=1,
            )  # fmt: skip
        figure.add_scatter(
            x=found.strikes, y=amounts, name="Net", mode="markers",
            marker={"size": 5, "symbol": "diamond", "color": GREY}, hovertemplate="%{y:,.4s}", row=1, col=1,
        )  # fmt: skip
    else:
        colours = np.where(amounts >= 0.0, GAIN, LOSS)
        figure.add_bar(
            x=found.strikes, y=amounts, name=_TITLES[value], marker={"color": colours.tolist(), "line": {"width": 0}},
            hovertemplate="%{y:,.4s}", showlegend=False, row=1, col=1,
        )  # fmt: skip
    _profile(figure, found)
    _levels(figure, found, low, high)
    dress(
        figure, height=640, hovermode="x unified", barmode="relative", bargap=0.15, margin={"t": 85}, legend={"y": 1.09}
    )
    figure.update_xaxes(range=[low, high], tickformat=",")
    figure.update_xaxes(title_text="Strike, spot", row=2, col=1)
    figure.update_yaxes(title_text=_TITLES[value], exponentformat="B", row=1, col=1)
    figure.update_yaxes(title_text="Net GEX at spot", exponentformat="B", row=2, col=1)
    return figure


def _profile(figure: go.Figure, found: Exposure) -> None:
    """Add the profile as two filled curves that meet at the flips, which are put among the spots."""
    spots = np.union1d(found.profile.spots, found.flips)
    gex = np.interp(spots, found.profile.spots, found.profile.gex)
    gex[np.isin(spots, found.flips)] = 0.0
    for values, colour in (
        (np.maximum(gex, 0.0), "rgba(26,154,120,.22)"),
        (np.minimum(gex, 0.0), "rgba(217,83,79,.22)"),
    ):
        figure.add_scatter(
            x=spots, y=values, mode="lines", line={"width": 0}, fill="tozeroy", fillcolor=colour, hoverinfo="skip",
            showlegend=False, row=2, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=spots, y=gex, name="Profile", mode="lines", line={"color": LINE, "width": 1.8}, hovertemplate="%{y:,.4s}",
        showlegend=False, row=2, col=1,
    )  # fmt: skip


def _levels(figure: go.Figure, found: Exposure, low: float, high: float) -> None:
    """Add the levels as lines through both panels; names of levels that are close together stand above each other."""
    levels = [
        ("spot", found.spot, LINE),
        ("flip", found.flip, _ORANGE),
        ("call wall", found.call_wall, GAIN),
        ("put wall", found.put_wall, LOSS),
        ("max pain", found.max_pain, GREY),
    ]
    shown = sorted((level for level in levels if low <= level[1] <= high), key=lambda level: level[1])
    ends: list[float] = []  # of the names in each row, from below
    for name, at, colour in shown:
        text = f"{name} {at:,.0f}"
        wide = (high - low) * 0.009 * len(text)
        place = next((n for n, end in enumerate(ends) if at - 0.5 * wide > end), len(ends))
        ends[place : place + 1] = [at + 0.5 * wide]
        for row in (1, 2):
            figure.add_vline(x=at, line={"color": colour, "width": 1.2, "dash": "dot"}, row=row, col=1)
        figure.add_annotation(
            x=at, y=1.0, xref="x", yref="paper", yanchor="bottom", yshift=1 + 14 * place, text=text, showarrow=False,
            font={"size": 11, "color": colour},
        )  # fmt: skip


def heatmap_figure(found: Exposure, value: str) -> go.Figure:
    """Draw an exposure by strike and expiry; colours follow the square root, so that one strike does not drown all."""
    import plotly.graph_objects as go

    low, high = _span(found, np.nansum(np.abs(found.grids[value]), axis=0))
    near = (found.strikes >= low) & (found.strikes <= high)
    values = found.grids[value][:, near]
    kept = ~np.isnan(values).all(axis=1)
    values, labels = values[kept], [found.labels[e] for e in np.flatnonzero(kept)]
    reach = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    ticks = np.array([-1.0, -0.3, -0.05, 0.0, 0.05, 0.3, 1.0]) * reach
    strikes = found.strikes[near]
    figure = go.Figure(
        go.Heatmap(
            z=_root(values), x=[f"{strike:,g}" for strike in strikes], y=labels, customdata=values,
            zmin=-math.sqrt(reach), zmax=math.sqrt(reach), colorscale=DIVERGING, hoverongaps=False, xgap=1, ygap=1,
            colorbar={
                "title": {"text": _TITLES[value]}, "thickness": 12, "tickvals": _root(ticks).tolist(),
                "ticktext": [_short(tick) for tick in ticks],
            },
            hovertemplate="%{y}, %{x}<br>%{customdata:,.4s}<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, height=150 + 26 * max(len(labels), 4))
    if strikes.size > 1:
        figure.add_vline(
            x=float(np.interp(found.spot, strikes, np.arange(strikes.size))), annotation_text=f"spot {found.spot:,.0f}",
            line={"color": LINE, "width": 1.2, "dash": "dot"}, annotation_position="top",
            annotation_font={"size": 11, "color": LINE},
        )  # fmt: skip
    figure.update_xaxes(title_text="Strike", type="category", showgrid=False, nticks=20)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def _root(values: FloatArray) -> FloatArray:
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def _short(amount: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:.3g}{unit}"
    return f"{amount:.3g}"


def _span(found: Exposure, amounts: FloatArray) -> tuple[float, float]:
    """Give the strikes between which something can be seen, with the levels among them."""
    size = np.abs(amounts)
    seen = found.strikes[size > _SMALL * size.max()] if size.size and size.max() > 0.0 else found.strikes
    levels = [level for level in (found.spot, found.call_wall, found.put_wall, found.max_pain) if not math.isnan(level)]
    points = np.append(seen, levels)
    if not points.size:
        return 0.0, 1.0
    low, high = float(points.min()), float(points.max())
    margin = 0.02 * (high - low) or 0.01 * high
    return low - margin, high + margin
