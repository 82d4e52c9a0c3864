"""Settings of ranking and of the momentum strategy in a trader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from algomaster.core.errors import ConfigError
from algomaster.core.types import PAISE, Record
from algomaster.strategy.contract import Params
from algomaster.strategy.legs import MomentOfDay, Percent
from algomaster.strategy.sizing import Amount, Sized
from algomaster.strategy.steps.contract import PPM
from algomaster.strategy.steps.momentum import BOTH, MOST_REACH, PARAMS
from algomaster.strategy.steps.ranking import CRITERIA, IN_PERCENT, IN_VOLATILITY, IV, WEIGHT_UNIT

__all__ = ["Momentum", "Ranked", "weights_of"]

_FIRST_DECISION: Final = 9 * 60 + 16


def _nothing(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        return None if text.lower() in {"", "none", "null", "off"} else text
    return value


Weight = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Ticks = Annotated[Annotated[int, Field(ge=1, le=1_000_000)] | None, BeforeValidator(_nothing)]
Minutes = Annotated[Annotated[int, Field(ge=1, le=1440)] | None, BeforeValidator(_nothing)]


class Ranked(Params):
    """What contracts are ranked by, over which time, and which are left out.

    Attributes
    ----------
    minutes : int
        Bars over which everything is measured.
    terms : "volatility" or "percent"
        Whether momentum is the premium's move in units of its own volatility, or in percent.
    momentum_weight : float
        Of the premium's move. A negative weight of anything prefers those that have little of it.
    volume_weight : float
        Of the burst of volume: the last fifth of the time against the time before.
    interest_weight : float
        Of open interest that is built up, with the sign of the premium's move.
    iv_weight : float
        Of the change of implied volatility.
    strength_weight : float
        Of the premium's move beyond the index's, both in units of their own volatility (for puts: against the index's).
    liquidity_weight : float
        Of the value traded.
    min_premium : rupees or None
        Cheaper contracts are out.
    min_value : rupees or None
        Contracts of which less was traded in that time are out.
    max_spread_pct : percent or None
        Contracts quoted more widely than so much of their mid are out; those without quotes are not.
    """

    minutes: Annotated[int, Field(ge=2, le=375)] = 15
    terms: Literal["volatility", "percent"] = "volatility"
    momentum_weight: Weight = 1.0
    volume_weight: Weight = 0.5
    interest_weight: Weight = 0.5
    iv_weight: Weight = 0.0
    strength_weight: Weight = 0.5
    liquidity_weight: Weight = 0.5
    min_premium: Amount = 5.0
    min_value: Amount = 50_000.0
    max_spread_pct: Percent = 10.0

    @model_validator(mode="after")
    def _ranks_by_something(self) -> Self:
        if not any(self.weights()):
            raise ValueError("expected a weight other than 0 for at least one of " + ", ".join(CRITERIA))
        return self

    def weights(self) -> list[int]:
        """Give the weights in the order of the criteria, in thousandths."""
        return [round(getattr(self, f"{name}_weight") * WEIGHT_UNIT) for name in CRITERIA]

    def pack_ranking(self, row: Any) -> None:
        """Write these settings into the fields ``RANK_PARAMS`` of a parameters' row."""
        row["rank_minutes"] = self.minutes
        row["rank_terms"] = IN_PERCENT if self.terms == "percent" else IN_VOLATILITY
        row["rank_least_price"] = round((self.min_premium or 0) * PAISE)
        row["rank_least_value"] = round((self.min_value or 0) * PAISE)
        row["rank_most_spread_ppm"] = _ppm(self.max_spread_pct)
        row["rank_weights"] = self.weights()
        row["rank_iv"] = self.weights()[IV] != 0


class Momentum(Ranked, Sized):
    """Every so many minutes buy (or sell) the contracts around the money that rank highest.

    Attributes
    ----------
    start, end : time
        First moment of ranking, and the time after which nothing is opened.
    exit : time
        When everything is left.
    every : int
        Minutes from one ranking to the next.
    side : "buy" or "sell"
    rights : "both", "CE" or "PE"
    reach : int
        Strikes to each side of the money that are ranked.
    expiry : int
        0 for the nearest expiry of the session's data, 1 for the next, and so on.
    picks : int
        Contracts that are opened at a moment, at most.
    max_positions : int
        Contracts that are held at once, at most.
    min_score : float or None
        Lowest score, of 100, that is traded.
    lots : int
        Lots a contract, before sizing changes them.
    stop_pct, target_pct : float or None
        Percent of the entry price against the position, or in its favour.
    stop_ticks, target_ticks : int or None
        The same in ticks; added to the percentage where both are given.
    trail_pct, trail_ticks : float, int or None
        How far behind the close a trailing stop follows; it never moves away.
    hold : int or None
        Bars after which a position is left.
    """

    round_is: ClassVar[Literal["session", "entry"]] = "entry"

    start: MomentOfDay = 570
    end: MomentOfDay = 870
    exit: MomentOfDay = 915
    every: Annotated[int, Field(ge=1, le=1440)] = 15
    side: Literal["buy", "sell"] = "buy"
    rights: Literal["both", "CE", "PE"] = "both"
    reach: Annotated[int, Field(ge=0, le=MOST_REACH)] = 5
    expiry: Annotated[int, Field(ge=0, le=20)] = 0
    picks: Annotated[int, Field(ge=1, le=20)] = 1
    max_positions: Annotated[int, Field(ge=1, le=20)] = 2
    min_score: Annotated[Annotated[float, Field(ge=0, le=100)] | None, BeforeValidator(_nothing)] = None
    lots: Annotated[int, Field(ge=1, le=10_000)] = 1
    stop_pct: Percent = 20.0
    target_pct: Percent = None
    stop_ticks: Ticks = None
    target_ticks: Ticks = None
    trail_pct: Percent = None
    trail_ticks: Ticks = None
    hold: Minutes = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start < _FIRST_DECISION:
            raise ValueError("start: the first decision of a session is at 09:16, when its first bar has closed")
        if not self.start <= self.end < self.exit:
            raise ValueError("expected start, end and exit in this order, the exit after the end")
        return self

    def pack(self) -> Record:
        """Give the settings as the record that the step reads."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        for name in ("start", "end", "exit", "every", "reach", "expiry", "picks", "lots"):
            row[name] = getattr(self, name)
        row["positions"] = self.max_positions
        row["side"] = 1 if self.side == "buy" else -1
        row["rights"] = {"both": BOTH, "CE": 0, "PE": 1}[self.rights]
        row["least_score_ppm"] = _ppm(self.min_score)
        for name in ("stop", "target", "trail"):
            row[f"{name}_ppm"] = _ppm(getattr(self, f"{name}_pct"))
            row[f"{name}_ticks"] = getattr(self, f"{name}_ticks") or 0
        row["hold"] = self.hold or 0
        self.pack_ranking(row)
        self.pack_sizing(row)
        return record


def weights_of(weights: Mapping[str, float] | None) -> dict[str, float]:
    """Turn weights by criterion into settings of :class:`Ranked`; a criterion that is not named counts nothing."""
    if weights is None:
        return {}
    if unknown := [name for name in weights if name not in CRITERIA]:
        raise ConfigError(f"There is no criterion {', '.join(unknown)}; there are: {', '.join(CRITERIA)}.")
    return {f"{name}_weight": weights.get(name, 0.0) for name in CRITERIA}


def _ppm(percent: float | None) -> int:
    return 0 if percent is None else round(percent * PPM / 100)
