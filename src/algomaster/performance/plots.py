"""Pictures of runs: equity, calendar, trades on prices, breakdowns, shuffled days, runs compared, a sweep's heatmap.

Each function takes a polars frame and gives a plotly figure without a background of its own, so that it sits on a
light and a dark page alike. Long curves are thinned for drawing only, so that no high or low is lost (:func:`thin`).
"""

from __future__ import annotations

import html
import itertools
import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from algomaster.core.figures import DIVERGING, GAIN, GREY, LINE, LOSS, NEUTRAL, dress
from algomaster.core.render import rupees

if TYPE_CHECKING:
    from algomaster.performance.comparison import Comparison
    from algomaster.performance.drawdowns import ShuffledDrawdowns

__all__ = [
    "breakdowns_figure", "calendar_figure", "comparison_figure", "equity_figure", "plotly_script", "shuffled_figure",
    "sweep_figure", "thin", "trades_figure",
]  # fmt: skip

_RUNS: Final = (LINE, "#b5762a", GAIN, LOSS, "#8a63c9", GREY)
_FILL: Final = "rgba(217,83,79,.25)"
_MONEY: Final = "₹%{y:,.0f}"
_MOST_POINTS: Final = 4000
_FEW_TRADES: Final = 100
_INTRADAY_SESSIONS: Final = 20
"""Up to so many sessions the time axis leaves out nights and holidays; beyond, they do not show."""


def equity_figure(equity: pl.DataFrame) -> go.Figure:
    """Draw cumulated net P&L and, below, how far it stands under its earlier high.

    Parameters
    ----------
    equity : frame
        ts, equity (rupees); may be empty.
    """
    values = equity["equity"].to_numpy()
    fall = values - np.maximum.accumulate(np.maximum(values, 0.0))
    keep = np.union1d(thin(values), thin(fall))
    times = _clock(equity["ts"]).gather(keep)
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    figure.add_scatter(
        x=times.to_list(), y=values[keep], name="Equity", mode=_mode(keep), line={"color": LINE, "width": 1.6},
        hovertemplate=_MONEY, row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=times.to_list(), y=fall[keep], name="Drawdown", mode=_mode(keep), line={"color": LOSS, "width": 1},
        fill="tozeroy", fillcolor=_FILL, hovertemplate=_MONEY, row=2, col=1,
    )  # fmt: skip
    dress(figure, height=430, hovermode="x unified", showlegend=False, margin={"t": 20})
    figure.update_yaxes(title_text="Equity, ₹", row=1, col=1)
    figure.update_yaxes(title_text="Drawdown, ₹", row=2, col=1)
    figure.update_xaxes(rangebreaks=_breaks(equity["ts"]))
    return figure


def calendar_figure(daily: pl.DataFrame) -> go.Figure:
    """Draw the net P&L of every session: a row a month, a column a day of the month, the month's sum at its end.

    Parameters
    ----------
    daily : frame
        date, pnl (rupees); may be empty.
    """
    months = sorted({session.replace(day=1) for session in daily["date"]})
    row = {month: number for number, month in enumerate(months)}
    grid = np.full((len(months), 31), np.nan)
    words = np.full(grid.shape, "", dtype=object)
    for session, pnl in daily.select("date", "pnl").iter_rows():
        at = row[session.replace(day=1)], session.day - 1
        grid[at] = pnl
        words[at] = f"{session:%a %d %b %Y}: {rupees(pnl)}"
    reach = _reach(grid, share=0.95)
    names = [f"{month:%b %Y}" for month in months]
    figure = go.Figure(
        go.Heatmap(
            z=grid, x=list(range(1, 32)), y=names, text=words, hovertemplate="%{text}<extra></extra>",
            colorscale=DIVERGING, zmin=-reach, zmax=reach, xgap=2, ygap=2, hoverongaps=False,
            colorbar={"title": {"text": "₹"}, "thickness": 10, "x": 1.09, "len": min(1.0, 12 / max(len(months), 1))},
            showscale=len(months) >= 4,
        )
    )  # fmt: skip
    for name, total in zip(names, np.nansum(grid, axis=1)):
        figure.add_annotation(
            x=1.0, xref="paper", xanchor="left", y=name, text=f" {total:+,.0f}", showarrow=False,
            font={"size": 11, "color": GAIN if total >= 0 else LOSS},
        )  # fmt: skip
    dress(figure, height=90 + 22 * max(len(months), 1))
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(side="top", dtick=1, showgrid=False, range=[0.5, 31.5], zeroline=False)
    figure.update_layout(margin={"r": 130, "t": 30})
    return figure


def trades_figure(trades: pl.DataFrame, prices: pl.DataFrame) -> go.Figure:
    """Draw every trade on prices: above on the spot, where that is known, below from premium to premium.

    Parameters
    ----------
    trades : frame
        Of a result; may be empty.
    prices : frame
        ts, spot; may be empty: then the premiums alone are drawn.
    """
    rows = 2 if prices.height else 1
    figure = make_subplots(
        rows=rows, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.45, 0.55] if rows == 2 else None
    )
    if prices.height:
        _spot(figure, trades, prices)
    for right, colour in (("CE", LINE), ("PE", "#b5762a")):
        _premiums(figure, trades.filter(pl.col("right") == right), right=right, colour=colour, row=rows)
    dress(figure, height=320 + 170 * (rows - 1), hovermode="closest")
    figure.update_yaxes(title_text="Premium, ₹", row=rows, col=1)
    figure.update_xaxes(rangebreaks=_breaks(prices["ts"] if prices.height else trades["exit_time"]))
    if trades["session"].n_unique() > _INTRADAY_SESSIONS:
        figure.update_xaxes(rangeselector=_zooms(), row=1, col=1)
    return figure


def _spot(figure: go.Figure, trades: pl.DataFrame, prices: pl.DataFrame) -> None:
    values = prices["spot"].to_numpy()
    keep = thin(values)
    figure.add_scatter(
        x=_clock(prices["ts"]).gather(keep).to_list(), y=values[keep], name="Spot", mode=_mode(keep),
        line={"color": GREY, "width": 1.3}, hovertemplate="%{y:,.2f}", row=1, col=1,
    )  # fmt: skip
    spots = prices.select("ts", "spot").sort("ts")
    for column, name, symbol, colour in (
        ("entry_time", "Entry", "triangle-right", LINE),
        ("exit_time", "Exit", "x", LOSS),
    ):
        moments = trades.select(column, "right", "strike", "exit_reason").sort(column)
        on = moments.join_asof(spots, left_on=column, right_on="ts", strategy="backward")
        figure.add_scatter(
            x=_clock(on[column]).to_list(), y=on["spot"].to_list(), mode="markers", name=name,
            text=[
                f"{right} {strike:g}" + (f" {html.escape(reason)}" if name == "Exit" else "")
                for right, strike, reason in on.select("right", "strike", "exit_reason").iter_rows()
            ],
            marker={"symbol": symbol, "size": _marker(trades), "color": colour},
            hovertemplate=name + " %{text}<br>%{x}<extra></extra>", row=1, col=1,
        )  # fmt: skip
    figure.update_yaxes(title_text="Spot", row=1, col=1)


def _premiums(figure: go.Figure, trades: pl.DataFrame, *, right: str, colour: str, row: int) -> None:
    """Add one broken line for all trades of a right: entry, exit, gap, entry, exit, gap ..."""
    moments: list[Any] = []
    levels: list[float | None] = []
    words: list[str] = []
    symbols: list[str] = []
    columns = "strike", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason", "net_pnl"
    naive = trades.with_columns(_clock(trades["entry_time"]), _clock(trades["exit_time"]))
    for strike, quantity, start, enter, end, leave, reason, net in naive.select(columns).iter_rows():
        moments += [start, end, None]
        levels += [enter, leave, None]
        words += [
            f"{right} {strike:g}: {quantity:+d} at {enter:g}",
            f"{right} {strike:g}: {html.escape(reason)} at {leave:g}, net {rupees(net)}",
            "",
        ]
        symbols += ["triangle-up" if quantity > 0 else "triangle-down", "x", "circle"]
    figure.add_scatter(
        x=moments, y=levels, text=words, name=right, mode="lines+markers", line={"color": colour, "width": 1.2},
        marker={"symbol": symbols, "size": _marker(trades)},
        hovertemplate="%{text}<br>%{x}<extra></extra>", row=row, col=1,
    )  # fmt: skip


def sweep_figure(frame: pl.DataFrame, *, x: str, y: str, metric: str) -> go.Figure:
    """Draw a metric over two parameters of a sweep; where more were varied, each cell shows the median of the rest.

    Parameters
    ----------
    frame : frame
        One row a parameter set, with columns ``x``, ``y`` and ``metric``.
    """
    missing = [name for name in (x, y, metric) if name not in frame.columns]
    if missing:
        raise ValueError(f"the sweep has no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    known = frame.filter(pl.col(metric).is_not_nan() & pl.col(metric).is_not_null())
    cells = known.group_by(x, y).agg(pl.col(metric).median().alias("value"), pl.len().alias("sets"))
    across, down = (frame[name].unique().sort(nulls_last=True).to_list() for name in (x, y))  # none: a rule is off
    values = np.full((len(down), len(across)), np.nan)
    sets = np.zeros(values.shape, dtype=np.int64)
    for at_x, at_y, value, count in cells.iter_rows():
        values[down.index(at_y), across.index(at_x)] = value
        sets[down.index(at_y), across.index(at_x)] = count
    reach = _reach(values)
    figure = go.Figure(
        go.Heatmap(
            z=values, x=_words(across), y=_words(down), customdata=sets,
            colorscale=DIVERGING, zmin=-reach, zmax=reach, xgap=1, ygap=1, hoverongaps=False,
            colorbar={"title": {"text": metric}, "thickness": 12},
            hovertemplate=f"{x} %{{x}}, {y} %{{y}}<br>{metric} %{{z:,.2f}} (%{{customdata}} sets)<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, height=420, margin={"t": 20})
    figure.update_xaxes(title_text=x, type="category")
    figure.update_yaxes(title_text=y, type="category")
    return figure


def _words(values: list[Any]) -> list[str]:
    return ["none" if value is None else str(value) for value in values]


def breakdowns_figure(parts: Mapping[str, pl.DataFrame]) -> go.Figure:
    """Draw the average session of each group, with the 95 % interval of the mean.

    Parameters
    ----------
    parts : mapping of titles to frames
        Of :meth:`algomaster.performance.Result.by`.
    """
    rows = max(1, -(-len(parts) // 2))
    figure = make_subplots(
        rows=rows, cols=2, subplot_titles=list(parts), vertical_spacing=0.36 / rows, horizontal_spacing=0.12
    )
    for at, part in enumerate(parts.values()):
        half = (1.96 * part["mean_se"]).fill_nan(None)
        figure.add_bar(
            x=part["group"].to_list(), y=part["mean"].to_list(), showlegend=False,
            marker_color=[GAIN if mean >= 0.0 else LOSS for mean in part["mean"]], marker_opacity=0.75,
            error_y={"type": "data", "array": half.to_list(), "color": GREY, "thickness": 1.2},
            customdata=part.select("sessions", "pnl", "hit_rate").to_numpy(),
            hovertemplate="%{x}: " + _MONEY + " a session<br>%{customdata[0]} sessions, ₹%{customdata[1]:,.0f} in all, "
            "%{customdata[2]:.0%} won<extra></extra>", row=at // 2 + 1, col=at % 2 + 1,
        )  # fmt: skip
    dress(figure, height=70 + 270 * rows)
    figure.update_xaxes(type="category", showgrid=False)
    return figure


def shuffled_figure(found: ShuffledDrawdowns) -> go.Figure:
    """Draw the deepest drawdowns of shuffled days, with the one that was.

    Parameters
    ----------
    found : ShuffledDrawdowns
    """
    figure = go.Figure(
        go.Histogram(
            x=found.simulated, nbinsx=60, marker_color=LINE, opacity=0.75,
            hovertemplate="%{x}: %{y} orders<extra></extra>",
        )
    )  # fmt: skip
    if math.isfinite(found.observed):
        figure.add_vline(x=found.observed, line={"color": LOSS}, annotation_text="as it was", annotation_position="top")
        figure.add_vline(
            x=found.quantiles[0.95], line={"color": GREY, "dash": "dash"}, annotation_text="95 %",
            annotation_position="top right",
        )  # fmt: skip
    dress(figure, height=280, showlegend=False)
    figure.update_xaxes(title_text="Deepest drawdown, ₹")
    figure.update_yaxes(title_text="Orders of the days")
    return figure


def comparison_figure(found: Comparison) -> go.Figure:
    """Draw the cumulated P&L of each run and, below, the cumulated difference of each to the first.

    Parameters
    ----------
    found : Comparison
    """
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.08)
    dates = found.daily["date"].to_list()
    base = found.daily[found.names[0]]
    for at, name in enumerate(found.names):
        colour = _RUNS[at % len(_RUNS)]
        own = found.daily[name]
        for row, days in ((1, own), (2, own - base)):
            if row == 2 and at == 0:
                continue
            figure.add_scatter(
                x=dates, y=days.fill_null(0.0).cum_sum().to_list(), name=html.escape(name), mode=_mode(np.array(dates)),
                line={"color": colour, "width": 1.6}, legendgroup=name, showlegend=row == 1,
                hovertemplate=_MONEY, row=row, col=1,
            )  # fmt: skip
    dress(figure, height=480, hovermode="x unified")
    figure.update_yaxes(title_text="Net P&L, ₹", row=1, col=1)
    figure.update_yaxes(title_text=f"Less {html.escape(found.names[0])}, ₹", row=2, col=1)
    return figure


def thin(values: np.ndarray[Any, Any], *, most: int = _MOST_POINTS) -> np.ndarray[Any, Any]:
    """Give the places, at most about ``most``, that draw a curve: the lowest and highest of each stretch, and the ends.

    Parameters
    ----------
    values : (T,) float64
        NaN is passed over within a stretch.
    """
    size = values.size
    if size <= most:
        return np.arange(size)
    edges = np.linspace(0, size, most // 2 + 1).astype(np.int64)
    lowest = np.where(np.isnan(values), np.inf, values)
    highest = np.where(np.isnan(values), -np.inf, values)
    places = [0, size - 1]
    for start, end in itertools.pairwise(edges):
        places += [start + int(lowest[start:end].argmin()), start + int(highest[start:end].argmax())]
    return np.unique(places)


def _clock(times: pl.Series) -> pl.Series:
    """Give wall-clock times of India without a zone: plotly's axis would otherwise show those of UTC."""
    return times.dt.convert_time_zone("Asia/Kolkata").dt.replace_time_zone(None).dt.cast_time_unit("us")


def _marker(trades: pl.DataFrame) -> int:
    return 9 if trades.height <= _FEW_TRADES else 4


def _mode(places: np.ndarray[Any, Any]) -> str:
    return "lines" if places.size > 1 else "markers"


def _reach(values: np.ndarray[Any, Any], *, share: float = 1.0) -> float:
    """Give the size below which that share of the values lies: the ends of the colours, with 0 in their middle."""
    known = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(known, share)) if known.size else 0.0
    return reach if reach > 0.0 else 1.0


def _breaks(times: pl.Series) -> list[dict[str, Any]]:
    """Say what a short time axis leaves out: hours before the first and after the last bar, days without any."""
    clock = _clock(times.drop_nulls())
    sessions: list[date] = clock.dt.date().unique().sort().to_list()
    if not 1 < len(sessions) <= _INTRADAY_SESSIONS:
        return []
    of_day = clock.dt.hour().cast(pl.Float64) + clock.dt.minute() / 60.0
    first, last = float(of_day.to_numpy().min()), float(of_day.to_numpy().max())
    days = [sessions[0] + timedelta(days=n) for n in range((sessions[-1] - sessions[0]).days)]
    closed = [str(day) for day in days if day not in set(sessions)]
    return [{"bounds": [last + 0.05, first], "pattern": "hour"}, {"values": closed}]


def _zooms() -> dict[str, Any]:
    steps = [(7, "day", "1 week"), (1, "month", "1 month"), (3, "month", "3 months"), (1, "year", "1 year")]
    buttons = [{"count": count, "step": step, "label": label} for count, step, label in steps]
    return {"buttons": [*buttons, {"step": "all", "label": "all"}], "bgcolor": NEUTRAL, "activecolor": "#8fb7e6"}


def plotly_script() -> str:
    """Give plotly.js itself, for a page that must not load anything."""
    return str(get_plotlyjs())
