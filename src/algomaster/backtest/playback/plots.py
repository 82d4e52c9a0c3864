"""Picture of a what-if: both ways through the session and the difference between them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from algomaster.core.figures import GAIN, GREY, LINE, LOSS, dress

if TYPE_CHECKING:
    from algomaster.backtest.playback.what_if import WhatIf

__all__ = ["what_if_figure"]

_MONEY = "₹%{y:,.0f}"


def what_if_figure(what_if: WhatIf) -> go.Figure:
    """Draw the equity of the session without and with the change, and below what the change makes."""
    session = what_if.base.daily["date"][-1]
    curves = []
    for result in (what_if.base, what_if.other):
        clock = result.equity["ts"].dt.convert_time_zone("Asia/Kolkata").dt.replace_time_zone(None)
        of_session = result.equity.with_columns(ts=clock.dt.cast_time_unit("us")).filter(clock.dt.date() == session)
        curves.append(of_session)
    times = curves[0]["ts"].to_list()
    base, other = (curve["equity"].to_numpy() for curve in curves)
    apart = other - base
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.05)
    words = ", ".join(f"{name}={value}" for name, value in what_if.change.items())
    for values, name, colour, dash in ((base, "as it was", GREY, "solid"), (other, f"with {words}", LINE, "solid")):
        figure.add_scatter(
            x=times, y=values, name=name, mode="lines", line={"color": colour, "width": 1.7, "dash": dash},
            hovertemplate=_MONEY, row=1, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=times, y=apart, name="difference", mode="lines", fill="tozeroy", showlegend=False,
        line={"color": GAIN if apart[-1] >= 0 else LOSS, "width": 1.2}, hovertemplate=_MONEY, row=2, col=1,
    )  # fmt: skip
    hour, minute = (int(part) for part in what_if.at.split(":"))
    figure.add_vline(x=datetime(session.year, session.month, session.day, hour, minute), line_dash="dot", line_width=1)
    dress(figure, height=430, title=f"What if {words} from {what_if.at} on", hovermode="x unified")
    figure.update_yaxes(title_text="Equity, ₹", row=1, col=1)
    figure.update_yaxes(title_text="Difference, ₹", row=2, col=1)
    return figure
