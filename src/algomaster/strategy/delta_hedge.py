"""Settings of the delta hedge: the straddle, when its delta is looked at, what hedges it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from algomaster.core.types import Record
from algomaster.strategy.fields import Count, Minutes, first_decision, optional
from algomaster.strategy.sizing import Sized
from algomaster.strategy.steps.delta_hedge import FUTURE, PARAMS, SYNTHETIC
from algomaster.strategy.words import MomentOfDay, Percent, clock, to_ppm

__all__ = ["DeltaHedge"]

_HEDGES: Final = {"future": FUTURE, "synthetic": SYNTHETIC}
_Off = BeforeValidator(optional)


class DeltaHedge(Sized):
    """Sell (or buy) a straddle at the money and keep its delta near zero.

    Attributes
    ----------
    entry, exit : time
    lots : int
        Lots of the straddle. A hedge is whole lots too, so few lots are hedged coarsely.
    side : "sell" or "buy"
        Whether the straddle is sold, or bought to scalp its gamma.
    band : float or None
        Lots of net delta beyond which it is hedged.
    every : int or None
        Minutes after which it is hedged whatever the band says.
    hedge_with : "future" or "synthetic"
        The nearest future, or a call and a put at the money. Where a session has no future there is no such hedge.
    stop_pct, target_pct : float or None
        Loss or gain of the whole book, hedge included, in percent of the straddle's premium at entry, on closes.
    expiry, patience
        As for the straddle.
    sizing, ...
        The lots of the straddle: see :class:`~algomaster.strategy.sizing.Sized`; a session is a round.
    """

    entry: MomentOfDay = 560
    exit: MomentOfDay = 915
    lots: Count = 5
    side: Literal["sell", "buy"] = "sell"
    band: Annotated[Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None, _Off] = 1.0
    every: Annotated[Annotated[int, Field(ge=1, le=1440)] | None, _Off] = None
    hedge_with: Literal["future", "synthetic"] = "future"
    stop_pct: Percent = 30.0
    target_pct: Percent = None
    expiry: Annotated[int, Field(ge=0, le=20)] = 0
    patience: Minutes = 5

    @model_validator(mode="after")
    def _fits(self) -> Self:
        first_decision("entry", self.entry)
        if self.entry >= self.exit:
            raise ValueError(f"entry {clock(self.entry)} must come before exit {clock(self.exit)}")
        if self.band is None and self.every is None:
            raise ValueError("band and every are both none: expected at least one of them, or use the straddle")
        return self

    def pack(self) -> Record:
        """Give the settings as the step reads them."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        for name in ("entry", "exit", "lots", "expiry", "patience"):
            row[name] = getattr(self, name)
        row["side"] = -1 if self.side == "sell" else 1
        row["band"], row["every"] = self.band or 0.0, self.every or 0
        row["hedge_with"] = _HEDGES[self.hedge_with]
        row["stop_ppm"], row["target_ppm"] = to_ppm(self.stop_pct), to_ppm(self.target_pct)
        self.pack_sizing(row)
        return record
