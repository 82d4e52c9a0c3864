"""Settings of the threshold strategy: which column, which levels, what is traded on each side."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from algomaster.core.types import Record
from algomaster.strategy.fields import Count, Minutes, OptionalLevel, first_decision
from algomaster.strategy.sizing import Sized
from algomaster.strategy.steps.threshold import HIGH, LOW, MIDDLE, PARAMS, SCORE
from algomaster.strategy.words import MomentOfDay, Percent, clock, to_ppm

__all__ = ["Threshold"]

_POSITIONS: Final = {
    "none": (0, 0),
    "long_call": (1, 0),
    "long_put": (0, 1),
    "short_call": (-1, 0),
    "short_put": (0, -1),
    "long_straddle": (1, 1),
    "short_straddle": (-1, -1),
    "long_synthetic": (1, -1),
    "short_synthetic": (-1, 1),
}
"""Side of the call and of the put."""

Position = Literal[
    "none", "long_call", "long_put", "short_call", "short_put", "long_straddle", "short_straddle", "long_synthetic",
    "short_synthetic",
]  # fmt: skip


class Threshold(Sized):
    """Trade options by a score: one position above a level, another below one, a third in between.

    Attributes
    ----------
    column : "score" or int
        The day's score, or the number of a feature column. NaN, and a column the day lacks, is no opinion.
    above, below : float or None
        Levels at or beyond which a side is opened; None for "no such side".
    exit_above, exit_below : float or None
        The high side is left when the score falls below ``exit_above``, the low side when it rises above
        ``exit_below``; None for the level of entry, so without hysteresis.
    on_above, on_below : position
        What is opened: "long_call", "short_put", "long_straddle", "short_straddle", "long_synthetic", ... or "none".
    on_neutral : position
        What is opened between the exit levels; it is left when the score reaches ``above`` or ``below``.
    width : int
        Steps out of the money of each leg; 0 for at the money.
    stop_pct, target_pct : float or None
        Percent of each leg's own entry price, resting in the market.
    first_entry, last_entry, exit : time
        When positions may be opened, and when the last is left.
    cool_down : int
        Minutes after a position is gone in which none is opened.
    max_trades : int
        Positions opened a session at most.
    lots, expiry, patience
        As for the straddle.
    sizing, ...
        See :class:`~algomaster.strategy.sizing.Sized`; every position is a round.
    """

    round_is: ClassVar[Literal["session", "entry"]] = "entry"

    column: Literal["score"] | Annotated[int, Field(ge=0, le=100_000)] = "score"
    above: OptionalLevel = 60.0
    below: OptionalLevel = 40.0
    exit_above: OptionalLevel = 55.0
    exit_below: OptionalLevel = 45.0
    on_above: Position = "long_call"
    on_below: Position = "long_put"
    on_neutral: Position = "none"
    width: Annotated[int, Field(ge=0, le=200)] = 0
    stop_pct: Percent = 25.0
    target_pct: Percent = 50.0
    first_entry: MomentOfDay = 560
    last_entry: MomentOfDay = 885
    exit: MomentOfDay = 915
    cool_down: Minutes = 5
    max_trades: Count = 3
    lots: Count = 1
    expiry: Annotated[int, Field(ge=0, le=20)] = 0
    patience: Minutes = 5

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first_decision("first_entry", self.first_entry)
        if self.first_entry > self.last_entry:
            raise ValueError(
                f"first_entry {clock(self.first_entry)} must not come after last_entry {clock(self.last_entry)}"
            )
        if self.last_entry >= self.exit:
            raise ValueError(f"last_entry {clock(self.last_entry)} must come before exit {clock(self.exit)}")
        levels = {name: value for name, value in self._levels().items() if math.isfinite(value)}
        for (low, less), (high, more) in zip(levels.items(), list(levels.items())[1:]):
            if less > more:
                raise ValueError(
                    f"expected below <= exit_below <= exit_above <= above, got {low} {less:g} and {high} {more:g}"
                )
        if self.below is not None and self.below == self.above:
            raise ValueError(f"below and above are both {self.below:g}: expected below to be less")
        return self

    def _levels(self) -> dict[str, float]:
        """Levels in ascending order; a side that is not used lies infinitely far away, with its exit level."""
        above = math.inf if self.above is None else self.above
        below = -math.inf if self.below is None else self.below
        return {
            "below": below,
            "exit_below": below if self.exit_below is None or self.below is None else self.exit_below,
            "exit_above": above if self.exit_above is None or self.above is None else self.exit_above,
            "above": above,
        }

    def pack(self) -> Record:
        """Give the settings as the step reads them."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        for name in (
            "first_entry", "last_entry", "exit", "cool_down", "max_trades", "patience", "lots", "width", "expiry",
        ):  # fmt: skip
            row[name] = getattr(self, name)
        row["column"] = SCORE if self.column == "score" else self.column
        row["stop_ppm"], row["target_ppm"] = to_ppm(self.stop_pct), to_ppm(self.target_pct)
        for name, value in self._levels().items():
            row[name] = value
        row["side"][HIGH] = _POSITIONS[self.on_above if self.above is not None else "none"]
        row["side"][LOW] = _POSITIONS[self.on_below if self.below is not None else "none"]
        row["side"][MIDDLE] = _POSITIONS[self.on_neutral]
        self.pack_sizing(row)
        return record
