"""The picture of the best of many trials: where it ends up in days it was not chosen in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from algomaster.core.figures import GAIN, GREY, LINE, LOSS, dress

if TYPE_CHECKING:
    from algomaster.performance.trials.verdict import Overfitting

__all__ = ["overfitting_figure"]

_BINS: Final = 40
_MOST_POINTS: Final = 2000


def overfitting_figure(found: Overfitting) -> go.Figure:
    """Draw the logits of the ranks out of sample, and the Sharpe ratios out of sample over those in the sample.

    Parameters
    ----------
    found : Overfitting
    """
    figure = make_subplots(
        rows=1, cols=2, horizontal_spacing=0.12, subplot_titles=("Rank of the best, elsewhere", "Sharpe of the best")
    )
    _ranks(figure, found)
    _ratios(figure, found)
    says = " · ".join(
        f"{name} {value:.2f}"
        for name, value in (
            ("PBO", found.pbo), ("Reality Check p", found.reality_check_p), ("SPA p", found.spa_p),
            ("deflated Sharpe", found.deflated_sharpe),
        ) if math.isfinite(value)
    )  # fmt: skip
    dress(figure, height=380, title=f"{found.trials:,} trials · {says}", showlegend=False, margin={"t": 90})
    figure.update_xaxes(title_text="logit of the rank: below 0 under the median", row=1, col=1)
    figure.update_yaxes(title_text="splits", row=1, col=1)
    figure.update_xaxes(title_text="in the sample", row=1, col=2)
    figure.update_yaxes(title_text="in the other days", row=1, col=2)
    return figure


def _ranks(figure: go.Figure, found: Overfitting) -> None:
    if not found.logits.size:
        return
    reach = max(float(np.abs(found.logits).max()), 1.0)
    counts, edges = np.histogram(found.logits, bins=_BINS, range=(-reach, reach))
    middles = 0.5 * (edges[1:] + edges[:-1])
    figure.add_bar(
        x=middles, y=counts, marker_color=[LOSS if middle <= 0.0 else GAIN for middle in middles],
        width=float(edges[1] - edges[0]), hovertemplate="%{x:.1f}: %{y} splits<extra></extra>", row=1, col=1,
    )  # fmt: skip


def _ratios(figure: go.Figure, found: Overfitting) -> None:
    known = np.flatnonzero(np.isfinite(found.in_sample) & np.isfinite(found.out_of_sample))
    if not known.size:
        return
    shown = known[:: -(-known.size // _MOST_POINTS)]
    figure.add_scatter(
        x=found.in_sample[shown], y=found.out_of_sample[shown], mode="markers", name="splits",
        marker={"size": 4, "color": LINE, "opacity": 0.35}, hovertemplate="%{x:.2f} → %{y:.2f}<extra></extra>",
        row=1, col=2,
    )  # fmt: skip
    slope, intercept = found.degradation
    if math.isfinite(slope):
        ends = np.array([found.in_sample[known].min(), found.in_sample[known].max()])
        figure.add_scatter(
            x=ends, y=intercept + slope * ends, mode="lines", name="line", line={"color": GREY, "dash": "dash"},
            hovertemplate=f"slope {slope:.2f}<extra></extra>", row=1, col=2,
        )  # fmt: skip
