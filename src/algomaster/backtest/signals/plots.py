"""Pictures of signal backtests: the account with its drawdown, a symbol's trades, a sweep's heatmap."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from algomaster.core.figures import GAIN, LINE, LOSS, dress
from algomaster.performance.plots import thin

__all__ = ["account_figure"]

_FILL: Final = "rgba(217,83,79,.25)"


def account_figure(equity: pl.DataFrame, trades: pl.DataFrame, *, symbol: str | None) -> go.Figure:
    """Draw the value of all groups together and how far it stands under its high, and the P&L of each trade.

    Parameters
    ----------
    equity : frame
        time or bar, then a column a group.
    trades : frame
        Of a result.
    symbol : str, optional
        Only the trades of this one.
    """
    clock = equity.columns[0]
    values = np.sum([equity[name].to_numpy() for name in equity.columns[1:]], axis=0)
    fall = 100.0 * (values / np.maximum.accumulate(values) - 1.0)
    keep = np.union1d(thin(values), thin(fall))
    moments = equity[clock].gather(keep).to_list()
    figure = make_subplots(rows=3, shared_xaxes=True, row_heights=[0.55, 0.2, 0.25], vertical_spacing=0.04)
    figure.add_scatter(x=moments, y=values[keep], name="Value", line={"color": LINE, "width": 1.6}, row=1, col=1)
    figure.add_scatter(
        x=moments, y=fall[keep], name="Drawdown", line={"color": LOSS, "width": 1}, fill="tozeroy", fillcolor=_FILL,
        hovertemplate="%{y:.2f} %", row=2, col=1,
    )  # fmt: skip
    shown = trades if symbol is None else trades.filter(pl.col("symbol") == symbol)
    x = shown["exit_bar" if clock == "bar" else "exit_time"].to_list()
    figure.add_scatter(
        x=x, y=shown["pnl"].to_list(), mode="markers", name="Trades", text=_words(shown),
        marker={"size": 5, "color": [GAIN if pnl > 0 else LOSS for pnl in shown["pnl"]]},
        hovertemplate="%{text}<extra></extra>", row=3, col=1,
    )  # fmt: skip
    dress(figure, height=520, hovermode="closest", showlegend=False, margin={"t": 20})
    for row, title in enumerate(("Value", "Drawdown, %", "P&L a trade"), start=1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    return figure


def _words(trades: pl.DataFrame) -> list[Any]:
    return [
        f"{row['symbol']} {row['direction']} {row['size']:g}: {row['entry_price']:g} to {row['exit_price']:g}, "
        f"{row['pnl']:,.2f} ({row['exit_reason']})"
        for row in trades.to_dicts()
    ]
