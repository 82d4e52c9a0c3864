"""Settings of the straddle family in a trader's words, packed into the leg table of the compiled step."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from algomaster.core.types import PAISE, RIGHTS, Record
from algomaster.strategy.sizing import Sized
from algomaster.strategy.steps.legs import AT_DECISION, AT_FILL, ON_CLOSE, ON_RANGE, PARAMS
from algomaster.strategy.words import FIRST_DECISION, MomentOfDay, Percent, Strike, Strikes, clock, to_ppm

__all__ = ["MomentOfDay", "Percent", "Straddle", "Strangle"]


class Straddle(Sized):
    """Sell (or buy) a call and a put at one time, leave at another, each leg with its own stop.

    Attributes
    ----------
    entry, exit : time
        Moments: "09:20" decides on the bar that ends at 09:20.
    strike : "ATM", "ATM+k", "ATM-k"
        Strike both legs are centred on, in strike steps from the money.
    width : int
        Steps the call lies above and the put below the centre; 0 for a straddle.
    strikes : (call, put) or None
        Given strikes in rupees instead.
    strike_at : "decision" or "fill"
        Whether the money is where the index stood at the decision or stands at the fill.
    stop_pct, target_pct : float or None
        Percent of the leg's own entry price against it, or in its favour.
    stop_on : "range" or "close"
        Whether stop and target rest in the market or are watched on one-minute closes.
    lots : int
        Lots a leg; what sizing policies grow from.
    patience : int
        Minutes the entry may wait for the index, and for a trade of every leg; an entry that is not whole by then is
        undone (reason "incomplete").
    side : "sell" or "buy"
        Whether both legs are opened by selling or by buying.
    expiry : int
        0 for the nearest expiry of the session's data, 1 for the next, and so on.
    """

    entry: MomentOfDay = 560
    exit: MomentOfDay = 915
    strike: Strike = 0
    width: Annotated[int, Field(ge=0, le=200)] = 0
    strikes: Strikes = None
    strike_at: Literal["decision", "fill"] = "decision"
    stop_pct: Percent = 25.0
    target_pct: Percent = None
    stop_on: Literal["range", "close"] = "range"
    lots: Annotated[int, Field(ge=1, le=10_000)] = 1
    patience: Annotated[int, Field(ge=0, le=1440)] = 5
    side: Literal["sell", "buy"] = "sell"
    expiry: Annotated[int, Field(ge=0, le=20)] = 0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.entry < FIRST_DECISION:
            raise ValueError(
                f"entry {clock(self.entry)}: the first decision of a session is at {clock(FIRST_DECISION)}, "
                "when its first bar has closed"
            )
        if self.entry >= self.exit:
            raise ValueError(f"entry {clock(self.entry)} must come before exit {clock(self.exit)}")
        return self

    def pack(self) -> Record:
        """Give the leg table: row 0 the call, row 1 the put."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        row["entry"], row["exit"] = self.entry, self.exit
        row["patience"] = self.patience
        row["strike_at"] = AT_FILL if self.strike_at == "fill" else AT_DECISION
        row["stop_on"] = ON_CLOSE if self.stop_on == "close" else ON_RANGE
        row["n_legs"], row["lots"] = len(RIGHTS), self.lots
        self.pack_sizing(row)
        for j in range(len(RIGHTS)):
            row["expiry"][j] = self.expiry
            row["right"][j] = j
            row["side"][j] = -1 if self.side == "sell" else 1
            row["steps"][j] = self.strike + (self.width if j == 0 else -self.width)
            row["strike"][j] = round(self.strikes[j] * PAISE) if self.strikes else 0
            row["stop_ppm"][j] = to_ppm(self.stop_pct)
            row["target_ppm"][j] = to_ppm(self.target_pct)
        return record


class Strangle(Straddle):
    """A straddle whose strikes lie ``width`` steps on either side of the money."""

    width: Annotated[int, Field(ge=0, le=200)] = 4
