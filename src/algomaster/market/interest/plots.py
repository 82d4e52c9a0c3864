"""Pictures of positions and of open interest; each takes a polars frame and gives a plotly figure.

Without a background of its own a figure sits on a light and a dark page alike. Times are those of the clock in India.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, dress
from algomaster.market.schemas import PARTICIPANT, RIGHT

__all__ = [
    "build_up_figure", "change_figure", "long_short_figure", "net_figure", "options_figure", "ratios_figure",
    "strikes_figure",
]  # fmt: skip

CALL: Final = LINE
PUT: Final = "#b5762a"
_VIOLET: Final = "#7a5ccf"
_COLOURS: Final = {"Client": CALL, "DII": PUT, "FII": LOSS, "Pro": GAIN}
_KINDS: Final = {
    "long_buildup": ("long build-up", GAIN), "short_covering": ("short covering", "#8fd0bd"),
    "none": ("none", "rgba(128,128,128,.18)"), "long_unwinding": ("long unwinding", "#efb3b1"),
    "short_buildup": ("short build-up", LOSS),
}  # fmt: skip
_AROUND: Final = 12
"""Strikes drawn on either side of the money."""


def net_figure(frame: pl.DataFrame) -> go.Figure:
    """Draw the net contracts of every participant in an instrument.

    Parameters
    ----------
    frame : frame
        session, participant, instrument, net; of one instrument.
    """
    figure = go.Figure()
    for name in PARTICIPANT.categories:
        rows = frame.filter(pl.col("participant") == pl.lit(name, PARTICIPANT))
        figure.add_scatter(
            x=rows["session"].to_list(), y=rows["net"].to_list(), name=name, mode="lines",
            line={"color": _COLOURS[name], "width": 1.8}, hovertemplate="%{y:+,.0f}",
        )  # fmt: skip
    dress(figure, height=380, hovermode="x unified")
    figure.update_yaxes(title_text=f"Net {_instrument(frame)}, contracts", zeroline=True)
    return figure


def long_short_figure(frame: pl.DataFrame) -> go.Figure:
    """Draw long contracts upwards and short ones downwards, with the net as a line; a panel a participant.

    Parameters
    ----------
    frame : frame
        session, participant, instrument, long, short, net; of one instrument.
    """
    figure = _panels()
    for place, name in enumerate(PARTICIPANT.categories):
        rows = frame.filter(pl.col("participant") == pl.lit(name, PARTICIPANT))
        at = {"row": place // 2 + 1, "col": place % 2 + 1}
        days = rows["session"].to_list()
        for side, sign, colour in (("long", 1, GAIN), ("short", -1, LOSS)):
            figure.add_scatter(
                x=days, y=(sign * rows[side]).to_list(), name=side, legendgroup=side, showlegend=place == 0,
                mode="lines", line={"color": colour, "width": 1}, fill="tozeroy", hovertemplate="%{y:,.0f}", **at,
            )  # fmt: skip
        figure.add_scatter(
            x=days, y=rows["net"].to_list(), name="net", legendgroup="net", showlegend=place == 0, mode="lines",
            line={"color": GREY, "width": 2}, hovertemplate="%{y:+,.0f}", **at,
        )  # fmt: skip
    dress(figure, height=520, hovermode="x unified")
    figure.update_yaxes(zeroline=True)
    figure.update_yaxes(title_text=f"{_instrument(frame)}, contracts".capitalize(), col=1)
    return figure


def options_figure(ratios: pl.DataFrame) -> go.Figure:
    """Draw net calls, net puts and both in the direction of the index; a panel a participant.

    Parameters
    ----------
    ratios : frame
        session, participant, index_call_net, index_put_net, index_option_net.
    """
    figure = _panels()
    lines = (
        ("index_call_net", "calls", CALL, 1.2), ("index_put_net", "puts", PUT, 1.2),
        ("index_option_net", "calls - puts", GREY, 2.2),
    )  # fmt: skip
    for place, name in enumerate(PARTICIPANT.categories):
        rows = ratios.filter(pl.col("participant") == pl.lit(name, PARTICIPANT))
        for column, label, colour, width in lines:
            figure.add_scatter(
                x=rows["session"].to_list(), y=rows[column].to_list(), name=label, legendgroup=label, mode="lines",
                showlegend=place == 0, line={"color": colour, "width": width}, hovertemplate="%{y:+,.0f}",
                row=place // 2 + 1, col=place % 2 + 1,
            )  # fmt: skip
    dress(figure, height=520, hovermode="x unified")
    figure.update_yaxes(zeroline=True)
    figure.update_yaxes(title_text="Net index options, contracts", col=1)
    return figure


def strikes_figure(strikes: pl.DataFrame, *, spot: float | None, step: float, unit: str, label: str) -> go.Figure:
    """Draw open interest by strike, calls to the right and puts to the left, and how it changed.

    What was added is the dark end of a bar, what is gone an outline beyond it.

    Parameters
    ----------
    strikes : frame
        strike, call_oi, put_oi, call_change, put_change.
    spot, step : float
        The strikes around the spot are shown; all without either.
    unit, label : str
    """
    rows = _around(strikes, spot, step)
    figure = go.Figure()
    for side, name, sign, colour in (("call", "Calls", 1, CALL), ("put", "Puts", -1, PUT)):
        oi, change = _floats(rows[f"{side}_oi"]), _floats(rows[f"{side}_change"])
        added, gone = np.where(change > 0.0, change, np.nan), np.where(change < 0.0, -change, np.nan)
        wide, thin = (width * step if math.isfinite(step) else None for width in (0.8, 0.35))
        for what, width, base, length, fill in (
            ("", wide, 0.0 * oi, oi, {"color": colour, "opacity": 0.4}),
            (", added", thin, oi - added, added, {"color": colour}),
            (", gone", thin, oi, gone, {"color": "rgba(0,0,0,0)", "line": {"color": colour, "width": 1.2}}),
        ):
            figure.add_bar(
                y=rows["strike"].to_list(), base=sign * base, x=sign * length, customdata=length, name=name + what,
                orientation="h", width=width, marker={"line": {"width": 0}, **fill},
                hovertemplate=f"{name}{what} %{{y:,.0f}}: %{{customdata:,.0f}}<extra></extra>",
            )  # fmt: skip
    dress(figure, height=620, barmode="overlay", hovermode="closest")
    sides = (_floats(rows[f"{side}_oi"]) for side in ("call", "put"))
    reach = max(float(np.nanmax(oi, initial=0.0)) for oi in sides)
    ticks = _round_ticks(reach)
    both = [-tick for tick in reversed(ticks)] + [0.0] + ticks
    figure.update_xaxes(
        title_text=f"{label}: puts | calls, open interest in {unit}", tickvals=both,
        ticktext=[_short(abs(tick)) for tick in both], zeroline=True, zerolinecolor="rgba(128,128,128,.5)",
    )  # fmt: skip
    figure.update_yaxes(title_text="Strike", tickformat=",.0f")
    if spot is not None:
        figure.add_hline(y=spot, line={"color": GREY, "dash": "dot"}, annotation_text=f"{spot:,.0f}")
    return figure


def ratios_figure(series: pl.DataFrame, *, reference: str, label: str) -> go.Figure:
    """Draw maximum pain and walls against the spot, and below the put/call ratios, through the day.

    Parameters
    ----------
    series : frame
        Rows of one expiry: ts, spot, max_pain, resistance, support, pcr_oi, pcr_volume.
    reference, label : str
        What the spot is; whose open interest it is.
    """
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.05)
    clock = _clock(series["ts"]).to_list()
    spot = {"spot": "index", "parity": "forward by parity"}.get(reference, "spot")
    for column, name, colour, shape, dash in (
        ("resistance", "most calls", LOSS, "hv", "dot"), ("spot", spot, GREY, "linear", "solid"),
        ("max_pain", "max pain", CALL, "hv", "solid"), ("support", "most puts", GAIN, "hv", "dot"),
    ):  # fmt: skip
        figure.add_scatter(
            x=clock, y=series[column].to_list(), name=name, mode="lines", hovertemplate="%{y:,.0f}", row=1, col=1,
            line={"color": colour, "width": 1.8, "shape": shape, "dash": dash},
        )  # fmt: skip
    for column, name, colour in (("pcr_oi", "PCR, open interest", _VIOLET), ("pcr_volume", "PCR, volume", PUT)):
        figure.add_scatter(
            x=clock, y=series[column].to_list(), name=name, mode="lines", line={"color": colour, "width": 1.6},
            hovertemplate="%{y:.2f}", row=2, col=1,
        )  # fmt: skip
    dress(figure, height=520, hovermode="x unified")
    figure.update_yaxes(title_text=label, tickformat=",.0f", row=1, col=1)
    figure.update_yaxes(title_text="Puts / calls", row=2, col=1)
    return figure


def change_figure(build_up: pl.DataFrame, *, step: float, unit: str, label: str) -> go.Figure:
    """Draw the change of open interest by strike and interval, calls and puts side by side, with the spot.

    Parameters
    ----------
    build_up : frame
        Rows of one expiry: ts, strike, right, oi_change, spot.
    step : float
    unit, label : str
    """
    figure, rows = _side_by_side(build_up, step)
    known = np.abs(_floats(rows["oi_change"]))
    known = known[np.isfinite(known)]
    reach = float(np.quantile(known, 0.98)) if known.size else 0.0
    for col, (_, part) in enumerate(_rights(rows), 1):
        times, strikes, grid = _grid(part, "oi_change")
        figure.add_heatmap(
            x=times, y=strikes, z=grid, colorscale=DIVERGING, zmin=-(reach or 1.0), zmax=reach or 1.0,
            showscale=col == 2, hoverongaps=False, colorbar={"title": {"text": unit}, "thickness": 12},
            hovertemplate="%{x|%H:%M} %{y:,.0f}: %{z:+,.0f}<extra></extra>", row=1, col=col,
        )  # fmt: skip
        _spot(figure, part, col)
    figure.update_yaxes(title_text=f"{label}: strike", row=1, col=1)
    return figure


def build_up_figure(build_up: pl.DataFrame, *, step: float, unit: str, label: str) -> go.Figure:
    """Draw what each contract did in every interval: a map of build-up and unwinding, calls and puts side by side.

    Parameters
    ----------
    build_up : frame
        Rows of one expiry: ts, strike, right, price_change, oi_change, kind, spot.
    step : float
    unit, label : str
    """
    figure, rows = _side_by_side(build_up, step)
    order = list(_KINDS)
    rows = rows.with_columns(
        code=pl.col("kind").cast(pl.String).replace_strict({k: i for i, k in enumerate(order)}, default=None)
    )
    bands = [[(i + end) / len(order), _KINDS[k][1]] for i, k in enumerate(order) for end in (0, 1)]
    for col, (_, part) in enumerate(_rights(rows), 1):
        times, strikes, grid = _grid(part, "code")
        _, _, changes = _grid(part, "oi_change")
        words = [[_KINDS[order[int(v)]][0] if np.isfinite(v) else "" for v in line] for line in grid]
        figure.add_heatmap(
            x=times, y=strikes, z=grid, text=words, customdata=changes, colorscale=bands, zmin=-0.5,
            zmax=len(order) - 0.5, showscale=False, hoverongaps=False, xgap=1, ygap=1, row=1, col=col,
            hovertemplate=f"%{{x|%H:%M}} %{{y:,.0f}}: %{{text}}, %{{customdata:+,.0f}} {unit}<extra></extra>",
        )  # fmt: skip
        _spot(figure, part, col)
    for name, colour in _KINDS.values():
        figure.add_scatter(
            x=[None], y=[None], name=name, mode="markers", marker={"symbol": "square", "size": 11, "color": colour}
        )
    figure.update_layout(showlegend=True)
    figure.update_yaxes(title_text=f"{label}: strike", row=1, col=1)
    return figure


# --- parts -------------------------------------------------------------------------------------------------------


def _panels() -> go.Figure:
    figure = make_subplots(
        rows=2, cols=2, shared_xaxes=True, subplot_titles=list(PARTICIPANT.categories), vertical_spacing=0.09
    )
    return figure.update_annotations(font={"size": 12}, yshift=2)


def _side_by_side(build_up: pl.DataFrame, step: float) -> tuple[go.Figure, pl.DataFrame]:
    spot = build_up["spot"].drop_nulls()
    rows = _around(build_up, float(spot[-1]) if spot.len() else None, step)
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, subplot_titles=["Calls", "Puts"], horizontal_spacing=0.03)
    figure.update_annotations(font={"size": 12}, yshift=2)
    dress(figure, height=560, hovermode="closest", showlegend=False)
    figure.update_xaxes(showgrid=False, tickformat="%H:%M")
    figure.update_yaxes(showgrid=False, tickformat=",.0f")
    return figure, rows


def _rights(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    return [(right, rows.filter(pl.col("right") == pl.lit(right, RIGHT))) for right in RIGHT.categories]


def _grid(rows: pl.DataFrame, column: str) -> tuple[list[Any], list[float], np.ndarray[Any, Any]]:
    """Give times, strikes and the values over them (strikes, times); NaN where there is none."""
    times, strikes = rows["ts"].unique().sort(), rows["strike"].unique().sort()
    grid = np.full((strikes.len(), times.len()), np.nan)
    across = times.search_sorted(rows["ts"]).to_numpy()
    grid[strikes.search_sorted(rows["strike"]).to_numpy(), across] = _floats(rows[column])
    return _clock(times).to_list(), strikes.to_list(), grid


def _spot(figure: go.Figure, rows: pl.DataFrame, col: int) -> None:
    line = rows.group_by("ts").agg(pl.col("spot").first()).sort("ts")
    figure.add_scatter(
        x=_clock(line["ts"]).to_list(), y=line["spot"].to_list(), mode="lines", showlegend=False,
        line={"color": GREY, "width": 2}, hoverinfo="skip", row=1, col=col,
    )  # fmt: skip


def _around(rows: pl.DataFrame, spot: float | None, step: float) -> pl.DataFrame:
    """Keep the strikes around the money."""
    if spot is None or not math.isfinite(step):
        return rows
    return rows.filter((pl.col("strike") - spot).abs() <= _AROUND * step)


def _round_ticks(reach: float) -> list[float]:
    """Give two to four round numbers up to ``reach``."""
    if reach <= 0.0:
        return []
    size = 10.0 ** math.floor(math.log10(reach))
    gap = next(share * size for share in (0.25, 0.5, 1.0) if reach < 5 * share * size or share == 1.0)
    gap = gap if reach < 5 * gap else 2.5 * gap
    return [gap * n for n in range(1, int(reach / gap) + 1)]


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _instrument(frame: pl.DataFrame) -> str:
    return f"{frame['instrument'][0]}".replace("_", " ") + "s" if frame.height else "contracts"


def _floats(values: pl.Series) -> np.ndarray[Any, Any]:
    return values.cast(pl.Float64).to_numpy()


def _clock(times: pl.Series) -> pl.Series:
    return times.dt.convert_time_zone("Asia/Kolkata").dt.replace_time_zone(None).dt.cast_time_unit("us")
