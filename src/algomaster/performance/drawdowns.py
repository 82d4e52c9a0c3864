"""Falls of cumulated P&L below an earlier high: each of a history, and those that its days give in another order."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from algomaster.core.arrays import as_vector, to_rupees
from algomaster.core.render import html_table, rupees, text_table
from algomaster.core.types import PAISE, FloatArray

__all__ = ["QUANTILES", "ShuffledDrawdowns", "drawdown_table", "shuffled_drawdowns"]

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_CHUNK: Final = 1_000_000  # amounts shuffled at once


def drawdown_table(daily: pl.DataFrame) -> pl.DataFrame:
    """Give every drawdown of a run, the deepest first (of equals the earlier).

    Parameters
    ----------
    daily : frame
        date, pnl (rupees), in order.

    Returns
    -------
    frame
        depth (rupees, positive), peak (date of the high; null where that is the 0 before the first session), trough,
        recovered (date of the session that is back at the high; null while it lasts), to_trough (sessions from the high
        to the trough) and sessions (all of those below the high).
    """
    schema = {
        "depth": pl.Float64, "peak": pl.Date, "trough": pl.Date, "recovered": pl.Date, "to_trough": pl.Int64,
        "sessions": pl.Int64,
    }  # fmt: skip
    days: list[date] = daily["date"].to_list()
    paise = np.rint(daily["pnl"].to_numpy() * PAISE).astype(np.int64)
    levels = np.concatenate([[0], np.cumsum(paise)])
    falls = np.maximum.accumulate(levels) - levels
    rows: list[tuple[Any, ...]] = []
    under = np.flatnonzero(falls > 0)
    for stretch in np.split(under, np.flatnonzero(np.diff(under) > 1) + 1) if under.size else []:
        peak, end = int(stretch[0]) - 1, int(stretch[-1])
        trough = int(stretch[np.argmax(falls[stretch])])
        recovered = days[end] if end < len(days) else None  # level n + 1 is the end of session n
        high = days[peak - 1] if peak else None
        depth = float(to_rupees(falls[trough]))
        rows.append((depth, high, days[trough - 1], recovered, trough - peak, end - peak))
    return pl.DataFrame(rows, schema=schema, orient="row").sort("depth", descending=True, maintain_order=True)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ShuffledDrawdowns:
    """Deepest drawdowns of the same days in random orders: what the order, not the days, has done.

    Attributes
    ----------
    observed : float
        The deepest drawdown in the order that was, positive, in the unit of the P&L.
    simulated : (B,) float64
        Those of the shuffled orders, ascending.
    quantiles : dict
        Of ``simulated``, by level (:data:`QUANTILES`).
    as_deep : float
        Share of the orders with a drawdown at least as deep as the observed one.
    simulations, seed : int
    """

    observed: float
    simulated: FloatArray
    quantiles: dict[float, float]
    as_deep: float
    simulations: int
    seed: int

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        rows = [("As it was", _money(self.observed)), ("As deep or deeper", f"{100 * self.as_deep:.1f} % of orders")]
        rows += [(f"{100 * level:g} % of orders up to", _money(value)) for level, value in self.quantiles.items()]
        return f"Deepest drawdown of {self.simulations:,} random orders of the days, seed {self.seed}", rows

    def to_dict(self) -> dict[str, Any]:
        """Give everything but the single orders, ready for JSON; NaN is None."""
        shown = {f"{100 * level:g}": _finite(value) for level, value in self.quantiles.items()}
        single = {"observed": _finite(self.observed), "as_deep": _finite(self.as_deep)}
        return single | {"quantiles": shown, "simulations": self.simulations, "seed": self.seed}

    def plot(self) -> Any:
        """Give the plotly figure: the distribution, with what was."""
        from algomaster.performance.plots import shuffled_figure

        return shuffled_figure(self)


def shuffled_drawdowns(pnl: ArrayLike | Any, *, simulations: int = 1000, seed: int = 0) -> ShuffledDrawdowns:
    """Shuffle the days many times and measure the deepest drawdown of each order.

    Every order has the same total, mean and distribution of days. It takes the days as exchangeable: where bad days
    come in clusters, the orders are kinder than the market.

    Parameters
    ----------
    pnl : (D,) numbers
        P&L of each session, in any unit; cumulated from 0.
    simulations : int
    seed : int

    Returns
    -------
    ShuffledDrawdowns
        NaN without a day.

    Raises
    ------
    ValueError
        A day is not a finite number, or fewer than one simulation is asked for.
    """
    values = as_vector(pnl, "pnl")
    if not np.isfinite(values).all():
        raise ValueError(f"pnl: expected finite numbers, got {int((~np.isfinite(values)).sum())} that are not")
    if simulations < 1:
        raise ValueError(f"simulations: expected at least 1, got {simulations}")
    if not values.size:
        nothing = dict.fromkeys(QUANTILES, math.nan)
        return ShuffledDrawdowns(
            observed=math.nan, simulated=np.empty(0), quantiles=nothing, as_deep=math.nan, simulations=simulations,
            seed=seed,
        )  # fmt: skip
    draw = np.random.default_rng(seed)
    rows = max(1, _CHUNK // values.size)
    found = [
        _deepest(draw.permuted(np.tile(values, (min(rows, simulations - start), 1)), axis=1))
        for start in range(0, simulations, rows)
    ]
    simulated = np.sort(np.concatenate(found))
    observed = float(_deepest(values[np.newaxis])[0])
    # Sums of floats in another order may differ in the last digits; that is no shallower drawdown.
    close = observed * (1.0 - 1e-12) - 1e-12 * float(np.abs(values).sum())
    return ShuffledDrawdowns(
        observed=observed,
        simulated=simulated,
        quantiles=dict(zip(QUANTILES, np.quantile(simulated, QUANTILES).tolist())),
        as_deep=float((simulated >= close).mean()),
        simulations=simulations,
        seed=seed,
    )


def _deepest(days: FloatArray) -> FloatArray:
    levels = np.cumsum(days, axis=1)
    peaks = np.maximum.accumulate(np.maximum(levels, 0.0), axis=1)
    return np.asarray((peaks - levels).max(axis=1))


def _money(amount: float) -> str:
    return rupees(amount) if math.isfinite(amount) else "–"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
