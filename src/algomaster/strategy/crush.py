"""Settings of the crush recovery: what is sold, what counts as a spike and as its crush, how much may be risked."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from algomaster.core.types import Record
from algomaster.market import calendar
from algomaster.strategy.fields import Count, Minutes, first_decision, optional
from algomaster.strategy.sizing import Amount, Sized
from algomaster.strategy.steps.crush import AT_MONEY, MAX_EVENTS, PARAMS, SAME
from algomaster.strategy.steps.spike import BOTH, EITHER, IV, PREMIUM
from algomaster.strategy.words import NONE_WORDS, MomentOfDay, Percent, clock, to_ppm

__all__ = ["Crush"]

_EPOCH: Final = date(1970, 1, 1)
_WATCH: Final = {"iv": IV, "premium": PREMIUM, "either": EITHER, "both": BOTH}
_RESELL: Final = {"atm": AT_MONEY, "same": SAME}


def _dates(value: Any) -> Any:
    """Read "2024-06-04, 2024-07-23" or one date as a list of dates."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NONE_WORDS):
        return ()
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,;\s]+", value.strip("()[]{} ")) if part)
    return (value,) if isinstance(value, date) else value


_Off = BeforeValidator(optional)
_Part = Annotated[float, Field(gt=0, lt=100, allow_inf_nan=False)]


class Crush(Sized):
    """Sell a straddle; when a volatility spike has stopped it and falls back, sell again to recover the loss.

    Attributes
    ----------
    entry, exit : time
        Moments of the first sale and of the end. On the session before an event the exit does not count.
    lots : int
        Lots of the first straddle.
    stop_pct, target_pct : float or None
        Percent by which call and put together rise above, or fall below, what they were sold for, on closes.
    expiry : int
        0 for the nearest expiry that lives to the end of the trade, 1 for the next, and so on.
    patience : int
        Minutes an entry may wait for the index and for a trade of both legs.
    before : int or None
        Minutes before the stop at which volatility counts as not yet spiked; None for that of the sale.
    watch : "iv", "premium", "either" or "both"
        What tells spike and crush: the volatility at the money, the premium of the stopped straddle, one or both.
    spike_pct : float
        Percent above the level before that makes a spike; less is no volatility spike, and is not traded.
    fall_pct : float
        Percent of the spike that must have gone for the crush to be confirmed.
    again_pct : float or None
        A new high after this percent of the spike had gone is a second spike: give up.
    give_up : time
        From then on nothing is sold again.
    resell : "atm" or "same"
        Whether the strike at the money then or the stopped strike is sold again.
    recover_pct : float or None
        Percent of the loss to be won back: sizes the second sale and is its target. None sizes it for all of the
        loss and holds it to the exit.
    recover_stop_pct : float or None
        Stop of the second sale, as ``stop_pct``.
    max_lots, max_margin, margin_pct
        Caps of :class:`~algomaster.strategy.sizing.Sized`, for either sale.
    daily_loss_limit : rupees or None
        What the day may lose: at that loss everything is left, and the second sale is no larger than its stop allows.
    events : list of dates
        Sessions that first trade on scheduled news; none sells on every session.
    sell : "eve" or "day"
        Whether to sell on the session before an event, holding over the night, or on its day.
    sizing, ...
        The lots of the first sale: see :class:`~algomaster.strategy.sizing.Sized`. Its round is the whole trade, the
        second sale included.
    """

    entry: MomentOfDay = 560
    exit: MomentOfDay = 915
    lots: Count = 1
    stop_pct: Percent = 20.0
    target_pct: Percent = None
    expiry: Annotated[int, Field(ge=0, le=20)] = 0
    patience: Minutes = 5
    before: Annotated[Annotated[int, Field(ge=1, le=1440)] | None, _Off] = 15
    watch: Literal["iv", "premium", "either", "both"] = "either"
    spike_pct: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 10.0
    fall_pct: _Part = 50.0
    again_pct: Annotated[_Part | None, _Off] = 25.0
    give_up: MomentOfDay = 870
    resell: Literal["atm", "same"] = "atm"
    recover_pct: Percent = 100.0
    recover_stop_pct: Percent = 20.0
    max_lots: Annotated[Count | None, _Off] = 10
    max_margin: Amount = 1_500_000.0
    daily_loss_limit: Amount = 25_000.0
    events: Annotated[tuple[date, ...], Field(max_length=MAX_EVENTS), BeforeValidator(_dates)] = ()
    sell: Literal["eve", "day"] = "eve"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        first_decision("entry", self.entry)
        overnight = self.events and self.sell == "eve"
        if self.entry >= self.exit and not overnight:
            raise ValueError(f"entry {clock(self.entry)} must come before exit {clock(self.exit)}")
        if self.give_up > self.exit:
            raise ValueError(f"give_up {clock(self.give_up)} must not come after exit {clock(self.exit)}")
        if self.again_pct is not None and self.again_pct >= self.fall_pct:
            raise ValueError(
                f"again_pct {self.again_pct:g} must be less than fall_pct {self.fall_pct:g}: "
                "a spike that has fallen so far is a crush already"
            )
        for day in self.events:
            if not calendar.is_session(day):
                raise ValueError(f"events: the exchange is closed on {day}; expected the first session after the news")
        return self

    def pack(self) -> Record:
        """Give the settings as the step reads them; events become the sessions on which to sell."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        for name in ("entry", "exit", "give_up", "patience", "expiry", "lots"):
            row[name] = getattr(self, name)
        row["before"] = self.before or 0
        row["watch"], row["resell"] = _WATCH[self.watch], _RESELL[self.resell]
        for name in ("stop", "target", "recover", "recover_stop"):
            row[f"{name}_ppm"] = to_ppm(getattr(self, f"{name}_pct"))
        for name in ("spike", "fall", "again"):
            row[name] = (getattr(self, f"{name}_pct") or 0.0) / 100.0
        self.pack_sizing(row)
        row["n_events"] = len(self.events)
        for k, event in enumerate(sorted(self.events)):
            sale = calendar.previous_session(event).date if self.sell == "eve" else event
            row["sell_on"][k], row["event_on"][k] = (sale - _EPOCH).days, (event - _EPOCH).days
        return record
