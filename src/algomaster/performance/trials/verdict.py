"""What :func:`algomaster.performance.overfitting` finds."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray, IntArray
from algomaster.performance.drawdowns import ShuffledDrawdowns

__all__ = ["Overfitting"]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Overfitting:
    """How much of the best of many trials is luck. Sharpe ratios are annualised (252 days).

    Attributes
    ----------
    trials : int
        How many were tried.
    columns, sessions : int
        How many of them were looked at, on how many days.
    best : int or None
        Column of the highest Sharpe ratio; None where no ratio is defined.
    name
        Its name in the data frame, or its number.
    sharpe, sharpe_se, expected_best : float
        Its Sharpe ratio with standard error, and what the best of so many worthless trials would show.
    deflated_sharpe : float
        Probability that its true ratio is above that.
    effective_trials, effective_deflated : float
        Trials as if they were independent, by their average correlation, and the deflated ratio with that number:
        kinder than ``deflated_sharpe`` where sets are near copies of one another.
    pbo : float
        Probability of backtest overfitting.
    logits : (C,) float64
        Of the relative rank, in the other half of the days, of the best column of each choice.
    chosen : (C,) int64
        Those columns.
    in_sample, out_of_sample : (C,) float64
        Their Sharpe ratios in the half they were chosen in and in the other.
    blocks : int
    reality_check_p, spa_p, spa_lower_p, spa_upper_p : float
    resamples : int
    block_length : float
        Average days of a block of the bootstrap.
    seed : int
    drawdown : ShuffledDrawdowns
        Of the best column (of the first, where none is best).
    remark : str
        Why there is less than usual; empty otherwise.
    """

    trials: int
    columns: int
    sessions: int
    best: int | None
    name: Any
    sharpe: float
    sharpe_se: float
    expected_best: float
    deflated_sharpe: float
    effective_trials: float
    effective_deflated: float
    pbo: float
    logits: FloatArray
    chosen: IntArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    blocks: int
    reality_check_p: float
    spa_p: float
    spa_lower_p: float
    spa_upper_p: float
    resamples: int
    block_length: float
    seed: int
    drawdown: ShuffledDrawdowns
    remark: str = ""

    @property
    def loss_probability(self) -> float:
        """Share of the choices whose best column loses money in the other days."""
        known = self.out_of_sample[np.isfinite(self.out_of_sample)]
        return float((known < 0.0).mean()) if known.size else math.nan

    @property
    def degradation(self) -> tuple[float, float]:
        """Slope and intercept of the Sharpe ratio in the other days on that in the sample, by least squares.

        A slope below 0: the better it looked, the worse it went. NaN where all ratios in the sample are alike.
        """
        known = np.isfinite(self.in_sample) & np.isfinite(self.out_of_sample)
        x, y = self.in_sample[known], self.out_of_sample[known]
        if x.size < 2 or not np.ptp(x) > 0.0:
            return math.nan, math.nan
        slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
        return slope, float(y.mean() - slope * x.mean())

    def to_dict(self) -> dict[str, Any]:
        """Give every number but the single choices, ready for JSON; NaN is None."""
        names = (
            "trials", "columns", "sessions", "best", "sharpe", "sharpe_se", "expected_best", "deflated_sharpe",
            "effective_trials", "effective_deflated", "pbo", "loss_probability", "blocks", "reality_check_p", "spa_p",
            "spa_lower_p", "spa_upper_p", "resamples", "block_length", "seed", "remark",
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names}
        values["degradation_slope"], values["degradation_intercept"] = self.degradation
        plain = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
        return plain | {"name": str(self.name), "drawdown": self.drawdown.to_dict()}

    def plot(self) -> Any:
        """Give the plotly figure: the ranks of the best elsewhere, and its Sharpe ratios in and out of the sample."""
        from algomaster.performance.trials.plots import overfitting_figure

        return overfitting_figure(self)

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def rows(self) -> list[tuple[str, str]]:
        """Give what a person reads, label and text."""
        of = "" if self.columns == self.trials else f" ({self.columns:,} of them looked at)"
        found = [
            ("Trials", f"{self.trials:,}{of}, as {_number(self.effective_trials, 0)} independent ones"),
            ("Best of as many worthless", f"Sharpe {_number(self.expected_best)}"),
            ("Deflated Sharpe", f"{_share(self.deflated_sharpe)}, as independent {_share(self.effective_deflated)}"),
            ("PBO", f"{_share(self.pbo)} of {self.logits.size:,} splits"),
            ("Loss out of sample", f"{_share(self.loss_probability)}, slope {_number(self.degradation[0])}"),
            ("Reality Check p", _number(self.reality_check_p, 3)),
            ("SPA p", f"{_number(self.spa_p, 3)} ({_number(self.spa_lower_p, 3)} to {_number(self.spa_upper_p, 3)})"),
            ("Drawdown of shuffled days", self._drawdown()),
        ]
        return [*found, *([("Note", self.remark)] if self.remark else [])]

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        best = f"{self.name}: Sharpe {_number(self.sharpe)} ± {_number(self.sharpe_se)}"
        return f"The best of {self.trials:,} trials over {self.sessions:,} sessions", [("Best", best), *self.rows()]

    def _drawdown(self) -> str:
        found = self.drawdown
        return f"{found.observed:,.2f}; 95 % of orders up to {found.quantiles[0.95]:,.2f}"


def _number(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else "–"


def _share(value: float) -> str:
    return f"{100.0 * value:.1f} %" if math.isfinite(value) else "–"
