"""What every run with a martingale says about itself: its risk of ruin."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl

from algomaster.core.types import MISSING, PAISE, RIGHTS
from algomaster.market.chain_day import Days
from algomaster.performance.result import Result
from algomaster.performance.ruin import Ruin, risk_of_ruin
from algomaster.strategy.contract import Params
from algomaster.strategy.sizing import Sized

__all__ = ["ruin_of", "with_risk"]


def with_risk(result: Result, settings: Params, days: Days) -> Result:
    """Add the risk of ruin to the metrics and notes of a run that was sized by a martingale."""
    if not isinstance(settings, Sized) or settings.sizing != "martingale" or result.trades.is_empty():
        return result
    ruin = ruin_of(result, settings, days)
    said = pl.DataFrame({"session": [days[-1].session], "note": [ruin.told()]}, schema=result.notes.schema)
    metrics = result.metrics | {"risk_of_ruin": ruin.probability, "risk_of_ruin_se": ruin.standard_error}
    return dataclasses.replace(result, metrics=metrics, notes=result.notes.vstack(said))


def ruin_of(result: Result, settings: Sized, days: Days, **given: Any) -> Ruin:
    """Estimate the risk of ruin from a run's own rounds.

    ``given`` goes to :func:`algomaster.performance.risk_of_ruin`. A round's result a lot is what its trades netted over
    the lots of its largest leg of options. Which trades are one round the settings say (``round_is``): where rounds
    overlap in time, they are taken one after the other.
    """
    keys = ["session"] if settings.round_is == "session" else ["session", "entry_time"]
    options = pl.col("lots").filter(pl.col("right").is_in(RIGHTS))  # a hedge by the future is no lot of the round
    a_lot = pl.col("net_pnl").sum() / pl.max_horizontal(options.max(), 1)
    rounds = result.trades.group_by(keys, maintain_order=True).agg(a_lot=a_lot).sort(keys)
    return risk_of_ruin(
        rounds["a_lot"], settings, base=getattr(settings, "lots", 1), sessions=rounds["session"].to_numpy(),
        margin_per_lot=_margin(settings, days) if settings.max_margin else None, **given,
    )  # fmt: skip


def _margin(settings: Sized, days: Days) -> float:
    """Rupees of margin of a lot short, on average over the sessions."""
    levels = [day.spot[day.spot != MISSING].mean() * day.lot[0] for day in days if (day.spot != MISSING).any()]
    return float(np.mean(levels)) / PAISE * settings.margin_pct / 100 if levels else 1.0
