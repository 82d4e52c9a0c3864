"""Pictures of a surface: itself, its smiles on the quotes, what they miss, and the densities they imply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from algomaster.core.figures import GREY, GRID, LINE, LOSS, dress
from algomaster.core.types import FloatArray
from algomaster.pricing.implied import implied_vol

if TYPE_CHECKING:
    from algomaster.pricing.surface.surface import Surface

__all__ = ["FIGURES", "density_figure", "residuals_figure", "smiles_figure", "surface_figure"]

_BAND: Final = "rgba(59,130,214,.18)"
_LEGEND: Final = {"orientation": "v", "y": 1.0, "yanchor": "top", "x": 1.02, "xanchor": "left", "font": {"size": 11}}
_SCALE: Final = "Viridis"
_POINTS: Final = 121
_PANELS: Final = 12
"""So many expiries are drawn on their own at most, evenly chosen."""


def surface_figure(surface: Surface) -> go.Figure:
    """Draw volatility over log-moneyness and time, with the quotes on it."""
    low, high = _reach(surface)
    t = np.unique(np.concatenate([np.geomspace(surface.years[0], surface.years[-1], 40), surface.years]))[:, None]
    edge = np.maximum(5.0 * np.sqrt(surface.variance(0.0, t)), 0.02)  # beyond, a short expiry says nothing
    left, right = np.maximum(-edge, low), np.minimum(edge, high)
    k = left + (right - left) * np.linspace(0.0, 1.0, _POINTS)
    vol = 100.0 * surface.vol(k, t)
    figure = go.Figure(
        go.Surface(
            x=k, y=np.broadcast_to(t, k.shape), z=vol, colorscale=_SCALE, opacity=0.92,
            colorbar={"title": {"text": "vol, %"}, "thickness": 12},
            hovertemplate="k %{x:.3f}<br>t %{y:.3f} y<br>%{z:.2f} %<extra></extra>",
        )
    )  # fmt: skip
    if surface.quotes is not None:
        frame = surface.residuals()
        for kept, name, colour in ((True, "quotes", GREY), (False, "left out", LOSS)):
            part = frame.filter(frame["kept"] == kept)
            inside = part.filter(part["k"].is_between(low, high))
            if inside.height:
                figure.add_scatter3d(
                    x=inside["k"].to_list(), y=inside["t"].to_list(), z=(100.0 * inside["vol"]).to_list(), name=name,
                    mode="markers", marker={"size": 1.8, "color": colour},
                )  # fmt: skip
    axis = {"gridcolor": GRID, "backgroundcolor": "rgba(0,0,0,0)", "zerolinecolor": GRID}
    figure.update_layout(
        scene={
            "xaxis": {"title": {"text": "ln(strike/forward)"}, **axis},
            "yaxis": {"title": {"text": "years"}, "type": "log", "dtick": 1, **axis},
            "zaxis": {"title": {"text": "vol, %"}, **axis},
            "camera": {"eye": {"x": -1.45, "y": 1.5, "z": 0.7}},
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.75},
        }
    )
    dress(figure, height=620, title=f"Implied volatility ({surface.method})", legend=_LEGEND)
    figure.update_layout(legend={"x": 0.0, "y": 1.0, "itemsizing": "constant"}, margin={"l": 0, "r": 10, "b": 10})
    return figure


def smiles_figure(surface: Surface) -> go.Figure:
    """Draw every expiry's smile, its standard error, and the quotes with their bid and ask."""
    chosen, figure, columns = _panels(surface)
    for number, e in enumerate(chosen):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        t = surface.years[e]
        low, high = _reach(surface, e)
        k = np.linspace(low, high, _POINTS)
        vol = 100.0 * surface.vol(k, t)
        if surface.quotes is not None:
            _quotes(figure, surface, e, place, first=number == 0)
            error = 200.0 * surface.vol_error(k, t)
            figure.add_scatter(
                x=np.concatenate([k, k[::-1]]), y=np.concatenate([vol + error, (vol - error)[::-1]]), fill="toself",
                fillcolor=_BAND, line={"width": 0}, hoverinfo="skip", showlegend=number == 0, name="two std. errors",
                **place,
            )  # fmt: skip
            shown = surface.quotes.variance[surface.quotes.first[e] : surface.quotes.first[e + 1]]
            vols = 100.0 * np.sqrt(shown / t)
            spare = 0.15 * (vols.max() - vols.min()) + 0.2
            figure.update_yaxes(range=[vols.min() - spare, vols.max() + spare], **place)
        figure.add_scatter(
            x=k, y=vol, mode="lines", line={"color": LINE, "width": 1.8}, name=surface.method, showlegend=number == 0,
            hovertemplate="k %{x:.3f}: %{y:.2f} %<extra></extra>", **place,
        )  # fmt: skip
    dress(
        figure,
        height=90 + 230 * _rows_of(chosen, columns),
        title="Smiles: volatility in % by ln(strike/forward)",
        legend=_LEGEND,
    )
    return figure


def _quotes(figure: go.Figure, surface: Surface, e: int, place: dict[str, int], *, first: bool) -> None:
    quotes = surface._quotes()
    span = slice(quotes.first[e], quotes.first[e + 1])
    k, t = quotes.k[span], surface.years[e]
    vol, kept = 100.0 * np.sqrt(quotes.variance[span] / t), quotes.weight[span] > 0.0
    rate = -np.log(surface.discount[e]) / t
    terms: dict[str, Any] = {"forward": surface.forward[e], "rate": rate}
    bid, ask = (
        100.0 * implied_vol(side[span], quotes.right[span], None, quotes.strike[span], t, **terms).vol
        for side in (quotes.bid, quotes.ask)
    )
    up, down = np.nan_to_num(ask - vol), np.nan_to_num(vol - bid)
    for mine, name, colour in ((kept, "quotes, bid to ask", GREY), (~kept, "left out", LOSS)):
        figure.add_scatter(
            x=k[mine], y=vol[mine], mode="markers", marker={"size": 3.5, "color": colour}, name=name,
            showlegend=first and bool(mine.any()),
            error_y={"type": "data", "array": np.maximum(up[mine], 0.0), "arrayminus": np.maximum(down[mine], 0.0),
                     "width": 0, "thickness": 1, "color": colour},
            customdata=quotes.strike[span][mine], hovertemplate="%{customdata:g}: %{y:.2f} %<extra></extra>", **place,
        )  # fmt: skip


def residuals_figure(surface: Surface) -> go.Figure:
    """Draw what the fit misses, in hundredths of a point of volatility, by deviations from the forward."""
    frame = surface.residuals()
    deviation = (frame["k"] / (frame["fit"] * frame["t"].sqrt())).to_numpy()
    figure = go.Figure()
    colours = _colours(surface.years)
    for e, label in enumerate(surface.labels):
        mine = surface.quote_expiries == e
        part = frame.filter(mine)
        symbol = ["circle" if kept else "x" for kept in part["kept"]]
        figure.add_scatter(
            x=deviation[mine], y=(1e4 * part["residual"]).to_list(), mode="markers", name=label,
            marker={"size": 5, "color": colours[e], "symbol": symbol}, customdata=part["strike"].to_list(),
            hovertemplate="%{customdata:g}: %{y:.1f} bp<extra>" + label + "</extra>",
        )  # fmt: skip
    figure.add_hline(y=0.0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="ln(strike/forward), in standard deviations")
    figure.update_yaxes(title_text="quote less fit, bp of volatility")
    dress(figure, height=460, title=f"Residuals ({surface.method}); a cross was left out", legend=_LEGEND)
    return figure


def density_figure(surface: Surface) -> go.Figure:
    """Draw the risk-neutral densities in standard deviations; below zero where there is butterfly arbitrage."""
    figure = go.Figure()
    colours = _colours(surface.years)
    for e in _chosen(surface.years.size):
        t, forward = surface.years[e], surface.forward[e]
        deviation = float(np.sqrt(surface.variance(0.0, t)))
        z = np.linspace(-5.0, 4.0, 2 * _POINTS)
        strike = forward * np.exp(deviation * z)
        figure.add_scatter(
            x=z, y=deviation * strike * surface.density(strike, t), mode="lines", name=surface.labels[e],
            line={"color": colours[e], "width": 1.6}, customdata=strike,
            hovertemplate="%{customdata:.6g}: %{y:.4f}",
        )  # fmt: skip
    figure.add_hline(y=0.0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="ln(strike/forward), in standard deviations at the money")
    figure.update_yaxes(title_text="density, per standard deviation")
    dress(figure, height=460, title=f"Risk-neutral density ({surface.method})", legend=_LEGEND)
    return figure


FIGURES: Final = {
    "surface": surface_figure,
    "smiles": smiles_figure,
    "residuals": residuals_figure,
    "density": density_figure,
}


def _reach(surface: Surface, e: int | None = None) -> tuple[float, float]:
    """Give the log-moneyness from and to which a picture goes."""
    year = surface.years[-1 if e is None else e]
    edge = 3.0 * float(np.sqrt(surface.variance(0.0, year)))
    if surface.quotes is None:
        return -edge, edge
    span = slice(None) if e is None else slice(surface.quotes.first[e], surface.quotes.first[e + 1])
    k = surface.quotes.k[span]
    low, high = float(k.min()), float(k.max())
    if e is None:
        return max(low, -2.0 * edge), min(high, 2.0 * edge)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _chosen(count: int) -> list[int]:
    return sorted({round(number) for number in np.linspace(0, count - 1, min(count, _PANELS))})


def _rows_of(chosen: list[int], columns: int) -> int:
    return -(-len(chosen) // columns)


def _panels(surface: Surface) -> tuple[list[int], go.Figure, int]:
    chosen = _chosen(surface.years.size)
    columns = min(len(chosen), 3)
    titles = [surface.labels[e] for e in chosen]
    rows = _rows_of(chosen, columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=titles, horizontal_spacing=0.06, vertical_spacing=0.3 / max(rows, 2)
    )
    figure.update_annotations(font_size=12)
    return chosen, figure, columns


def _colours(years: FloatArray) -> list[str]:
    places = np.linspace(0.0, 0.92, years.size)
    return list(sample_colorscale(_SCALE, list(places)))
