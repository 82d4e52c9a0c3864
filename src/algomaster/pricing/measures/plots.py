"""Pictures of the measures: density, expected move, strips of a volatility index, shape of smiles over the expiries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from algomaster.core.figures import GAIN, GREY, LINE, LOSS, dress

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from algomaster.pricing.measures.distribution import Density
    from algomaster.pricing.measures.moves import ExpectedMove
    from algomaster.pricing.measures.volatility_index import VarianceIndex

__all__ = ["density_figure", "measures_figure", "move_figure", "strips_figure"]

SECOND: Final = "#c98a1b"
THIRD: Final = "#8a63d2"
FOURTH: Final = "#5b8a99"
_FILL: Final = "rgba(59,130,214,.18)"
_WRONG: Final = "rgba(217,83,79,.25)"
_NAMES: Final = {"straddle": "Straddle", "rule": "0.85 × straddle", "one_sigma": "One sigma", "density": "16–84 %"}


def density_figure(found: Density) -> go.Figure:
    """Draw a risk-neutral density over the strike and the probability of ending below it; negative density in red."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=found.strikes, y=found.density, name="Density", mode="lines", line={"color": LINE, "width": 2},
        fill="tozeroy", fillcolor=_FILL, hovertemplate="%{y:.4g} per point<extra>density</extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=found.strikes, y=found.cumulative, name="Probability below", mode="lines", yaxis="y2",
        line={"color": SECOND, "width": 1.5}, hovertemplate="%{y:.2%}<extra>below</extra>",
    )  # fmt: skip
    low, high = found.quantile(np.array([0.16, 0.84]))
    if np.isfinite([low, high]).all():
        figure.add_vrect(x0=low, x1=high, fillcolor="rgba(128,128,128,.10)", line_width=0, layer="below")
    for start, end in found.negative:
        if start <= found.strikes.max() and end >= found.strikes.min():
            figure.add_vrect(x0=start, x1=end, fillcolor=_WRONG, line_width=0, annotation_text="negative")
    _mark(figure, {"Forward": found.forward, "Spot": found.spot})
    dress(figure, height=420, hovermode="x unified", title=f"Risk-neutral density, {found.label}")
    top, bottom = float(np.nanmax(found.density)), min(float(np.nanmin(found.density)), 0.0)
    figure.update_layout(
        yaxis={"range": [1.05 * bottom, 1.05 * top], "tickformat": "~g"},
        yaxis2={
            "overlaying": "y", "side": "right", "range": [1.05 * bottom / top, 1.05], "tickformat": ".0%",
            "tickvals": [0.0, 0.25, 0.5, 0.75, 1.0], "showgrid": False,
        },
        margin={"r": 60},
    )  # fmt: skip
    figure.update_xaxes(title_text="Strike", range=[float(found.strikes.min()), float(found.strikes.max())])
    figure.update_yaxes(title_text="Density per point", selector={"overlaying": None})
    return figure


def move_figure(found: ExpectedMove) -> go.Figure:
    """Draw the band of each method as a bar around the forward."""
    import plotly.graph_objects as go

    frame = found.to_frame()
    names = [_NAMES[method] for method in frame["method"]]
    low, high, percent = (frame[name].to_numpy() for name in ("low", "high", "percent"))
    figure = go.Figure(
        go.Bar(
            y=names, x=high - low, base=low, orientation="h",
            marker={"color": _FILL, "line": {"color": LINE, "width": 1}},
            text=["" if np.isnan(share) else f"±{share:.2f} %" for share in percent], textposition="inside",
            insidetextanchor="middle", customdata=np.stack([low, high], axis=1),
            hovertemplate="%{customdata[0]:,.1f} to %{customdata[1]:,.1f}<extra>%{y}</extra>", width=0.6,
        )
    )  # fmt: skip
    _mark(figure, {"Forward": found.forward, "Spot": found.spot})
    dress(figure, height=280, title=f"Expected move, {found.label}", showlegend=False)
    span = 0.15 * np.nanmax(high - low) if np.isfinite(high - low).any() else 1.0
    figure.update_xaxes(title_text="Price", range=[float(np.nanmin(low) - span), float(np.nanmax(high) + span)])
    figure.update_yaxes(autorange="reversed")
    return figure


def strips_figure(found: VarianceIndex) -> go.Figure:
    """Draw what each strike contributes to the annual variance of its expiry; NSE's spline quotes are included."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for strip, colour in zip(found.strips, (LINE, SECOND)):
        share = 2.0 * strip.contributions / strip.t
        figure.add_bar(
            x=strip.strikes, y=share, name=strip.label, marker={"color": colour, "opacity": 0.75},
            customdata=np.stack([strip.quotes, strip.widths], axis=1),
            hovertemplate="Strike %{x:,.0f}<br>Quote %{customdata[0]:,.2f}<br>Width %{customdata[1]:g}"
            "<br>Variance %{y:.3e} per year<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    if found.strips:
        _mark(figure, {"Forward": found.strips[0].forward})
    dress(figure, height=380, title=f"Index {found.value:.2f} ({found.method}, {found.days:g} days)", barmode="overlay")
    figure.update_xaxes(title_text="Strike")
    figure.update_yaxes(title_text="Variance per year, by strike", tickformat=".1e")
    return figure


def measures_figure(measures: pl.DataFrame) -> go.Figure:
    """Draw the frame of :func:`~algomaster.pricing.measures.smile_measures`: level, then skew, over the expiries."""
    from plotly.subplots import make_subplots

    days = measures["t"].to_numpy() * 365.0
    upper = {"atm_vol": ("At the money", LINE), "swap_vol": ("Variance swap", SECOND)}
    upper |= {"put_25": ("25Δ put", LOSS), "call_25": ("25Δ call", GAIN)}
    lower = {"risk_reversal_25": ("25Δ risk reversal", THIRD), "butterfly_25": ("25Δ butterfly", FOURTH)}
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.6, 0.4])
    for row, lines in enumerate((upper, lower), 1):
        for name, (words, colour) in lines.items():
            if name in measures.columns:
                figure.add_scatter(
                    x=days, y=100.0 * measures[name].to_numpy(), name=words, mode="lines+markers",
                    text=measures["expiry"],
                    line={"color": colour, "width": 1.8}, marker={"size": 5}, row=row, col=1,
                    hovertemplate="%{y:.2f} %<extra>%{text}, %{fullData.name}</extra>",
                )  # fmt: skip
    dress(figure, height=520, title="Smiles over the expiries")
    figure.update_yaxes(title_text="Volatility, %", row=1, col=1)
    figure.update_yaxes(title_text="Points of volatility", row=2, col=1)
    figure.update_xaxes(type="log", title_text="Days to expiry", row=2, col=1)
    figure.update_xaxes(type="log", row=1, col=1)
    return figure


def _mark(figure: go.Figure, levels: dict[str, float]) -> None:
    """Draw dotted lines at the levels that are known, the lower one with its label on the left."""
    known = sorted((level, name) for name, level in levels.items() if np.isfinite(level) and level > 0.0)
    for place, (level, name) in enumerate(known):
        figure.add_vline(x=level, line={"color": GREY, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=level, y=1.0, yref="paper", yanchor="bottom", text=f"{name} {level:,.1f}", showarrow=False,
            xanchor=("right", "left")[place], font={"size": 11},
        )  # fmt: skip
