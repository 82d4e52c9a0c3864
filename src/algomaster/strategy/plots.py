"""Pictures of a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from algomaster.core.figures import dress

if TYPE_CHECKING:
    from algomaster.strategy.scanner import Scan

__all__ = ["scan_figure"]

_COLOURS: Final = ("#3b82d6", "#1a9a78", "#e0a030", "#9467bd", "#d9534f", "#8a8f98")
_BAR: Final = 26
"""Pixels of a contract's bar."""


def scan_figure(scan: Scan) -> go.Figure:
    """Draw the contracts of a scan, the best on top: what each criterion adds to the score of 100."""
    frame = scan.frame.reverse()
    names = [
        f"{row['underlying']} {row['expiry']:%d %b} {row['strike']:g} {row['right']}"
        for row in frame.iter_rows(named=True)
    ]
    full = sum(abs(weight) for weight in scan.weights.values())
    figure = go.Figure()
    for colour, (name, weight) in zip(_COLOURS, scan.weights.items()):
        if weight == 0:
            continue
        place = frame[f"{name}_place"].to_numpy()
        share = (place if weight > 0 else 100.0 - place) * abs(weight) / full
        figure.add_bar(
            y=names, x=share, name=name, orientation="h", marker_color=colour, customdata=frame[name].to_list(),
            hovertemplate="%{y}<br>" + name + " %{customdata:.4g}: %{x:.1f} of the score<extra></extra>",
        )  # fmt: skip
    dress(
        figure, height=120 + _BAR * max(len(names), 1), barmode="stack", margin={"l": 190},
        title=f"{', '.join(scan.underlyings)} at {scan.at:%Y-%m-%d %H:%M}",
    )  # fmt: skip
    figure.update_xaxes(title_text="Score", range=[0, 100])
    return figure
