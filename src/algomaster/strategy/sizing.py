"""Sizing in a trader's words: settings that any strategy can have beside its own.

A strategy takes part in four places::

    class Settings(Sized):                                    # its settings
        lots: int = 1

        def pack(self):
            record = np.zeros(1, np.dtype([("lots", np.int64), *SIZING_PARAMS]))
            record[0]["lots"] = self.lots
            self.pack_sizing(record[0])
            return record

    STATE = np.dtype([("phase", np.int64), *SIZING_STATE])    # its memory

    lots = lots_now(state, params, day, i, book, params[0]["lots"])    # its step, when it opens a round
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from algomaster.core.types import PAISE
from algomaster.strategy.contract import Params
from algomaster.strategy.steps.contract import PPM
from algomaster.strategy.steps.sizing import (
    ANTIMARTINGALE,
    FIXED,
    FRACTION,
    KELLY,
    MARTINGALE,
    MOST_LOTS,
    NEVER,
    ON_DAY,
    ON_RECOVERY,
    ON_WEEK,
    ON_WIN,
    SIZING_PARAMS,
    SIZING_STATE,
    VOLATILITY,
)

__all__ = ["SIZING_PARAMS", "SIZING_STATE", "Amount", "Sized"]

_KINDS: Final = {
    "fixed": FIXED, "martingale": MARTINGALE, "antimartingale": ANTIMARTINGALE, "fraction": FRACTION,
    "volatility": VOLATILITY, "kelly": KELLY,
}  # fmt: skip
_RESETS: Final = {"win": ON_WIN, "recovery": ON_RECOVERY, "day": ON_DAY, "week": ON_WEEK, "never": NEVER}
_NONE: Final = {"", "none", "null", "off"}


def _nothing(value: Any) -> Any:
    """Read "none" as None, and "12%" as 12."""
    if isinstance(value, str):
        text = value.strip().removesuffix("%")
        return None if text.lower() in _NONE else text
    return value


def _whole_paise(rupees: float) -> float:
    if round(rupees * PAISE) / PAISE != rupees:
        raise ValueError("expected whole paise, such as 15800 or 15800.05")
    return rupees


_MOST_RUPEES: Final = 10_000_000_000
_Rupees = Annotated[float, Field(gt=0, le=_MOST_RUPEES, allow_inf_nan=False), AfterValidator(_whole_paise)]
Amount = Annotated[_Rupees | None, BeforeValidator(_nothing)]
"""Rupees, or None for "not used"."""


class Sized(Params):
    """Settings of position sizing; with their defaults every round has the strategy's own lots.

    Attributes
    ----------
    sizing : "fixed", "martingale", "antimartingale", "fraction", "volatility" or "kelly"
        Who decides the lots of a round: the strategy's setting; its setting multiplied after every loss (martingale) or
        win (antimartingale); a share of the capital over the risk of a lot; a target for the session's volatility; a
        share of the Kelly criterion.
    multiplier : float
        Of the progressions: the lots are multiplied by it at every step.
    max_steps : int or None
        Steps of a progression; None for no end but the caps.
    after_max : "stay" or "restart"
        Whether one more loss at the last step keeps its lots or goes back to the base.
    reset : "win", "recovery", "day", "week" or "never"
        When a martingale goes back to the base: after a win; once the losses since the base are recovered; after a win
        or with a new session; after a win or with a new week; never. An anti-martingale reads losses for wins.
    max_lots : int or None
        Lots a round never exceeds.
    max_margin : rupees or None
        Margin that short lots may take, open ones included.
    margin_pct : percent
        Margin of a lot short, of its notional (index times units).
    daily_loss_limit : rupees or None
        No further round in a session that has lost so much.
    max_loss : rupees or None
        No further round once the run has lost so much.
    capital : rupees
        Capital at the start, of which policies take shares; what rounds net is added.
    fraction : percent
        Of the capital, risked in a round (sizing "fraction").
    risk_per_lot : rupees or None
        What a lot loses in a bad round; sizing "fraction" needs it, and the loss limits then allow no more lots than
        they can still bear.
    target_volatility : rupees or None
        Standard deviation of a session's result to aim at (sizing "volatility").
    target_volatility_pct : percent
        The same in percent of the capital, where no amount is given.
    lookback : int
        Sessions over which the results of a lot are weighted, exponentially, as pandas' ``ewm(span=lookback)`` does;
        until half of the final weight is there, the strategy's own lots are used.
    kelly_fraction : float
        Share of the Kelly criterion.
    """

    round_is: ClassVar[Literal["session", "entry"]] = "session"
    """What the risk of ruin takes for one round of a run's trades: those of a session, or of one entry time in it."""

    sizing: Literal["fixed", "martingale", "antimartingale", "fraction", "volatility", "kelly"] = "fixed"
    multiplier: Annotated[float, Field(ge=1, le=100)] = 2.0
    max_steps: Annotated[Annotated[int, Field(ge=0, le=1000)] | None, BeforeValidator(_nothing)] = 4
    after_max: Literal["stay", "restart"] = "stay"
    reset: Literal["win", "recovery", "day", "week", "never"] = "win"
    max_lots: Annotated[Annotated[int, Field(ge=1, le=MOST_LOTS)] | None, BeforeValidator(_nothing)] = None
    max_margin: Amount = None
    margin_pct: Annotated[float, BeforeValidator(_nothing), Field(ge=0.0001, le=100)] = 15.0
    daily_loss_limit: Amount = None
    max_loss: Amount = None
    capital: _Rupees = 1_000_000.0
    fraction: Annotated[float, BeforeValidator(_nothing), Field(ge=0.0001, le=100)] = 1.0
    risk_per_lot: Amount = None
    target_volatility: Amount = None
    target_volatility_pct: Annotated[float, BeforeValidator(_nothing), Field(ge=0.0001, le=100)] = 1.0
    lookback: Annotated[int, Field(ge=3, le=1000)] = 20
    kelly_fraction: Annotated[float, Field(ge=0.0001, le=10)] = 0.5

    @model_validator(mode="after")
    def _sizable(self) -> Self:
        if self.sizing == "fraction" and self.risk_per_lot is None:
            raise ValueError('sizing "fraction" needs risk_per_lot: the rupees that a lot loses in a bad round')
        return self

    def pack_sizing(self, row: Any) -> None:
        """Write these settings into the fields :data:`SIZING_PARAMS` of a parameters' row."""
        row["size_kind"] = _KINDS[self.sizing]
        row["size_multiplier_ppm"] = round(self.multiplier * PPM)
        row["size_steps"] = -1 if self.max_steps is None else self.max_steps
        row["size_restart"] = self.after_max == "restart"
        row["size_reset"] = _RESETS[self.reset]
        row["size_most_lots"] = self.max_lots or 0
        row["size_margin"] = _paise(self.max_margin)
        row["size_margin_ppm"] = _ppm(self.margin_pct)
        row["size_day_loss"] = _paise(self.daily_loss_limit)
        row["size_loss"] = _paise(self.max_loss)
        row["size_capital"] = _paise(self.capital)
        row["size_fraction_ppm"] = _ppm(self.fraction)
        row["size_risk"] = _paise(self.risk_per_lot)
        row["size_target"] = _paise(self.target_volatility)
        row["size_target_ppm"] = _ppm(self.target_volatility_pct)
        row["size_lookback"] = self.lookback
        row["size_kelly_ppm"] = round(self.kelly_fraction * PPM)
        caps = (self.max_lots, self.max_margin, self.daily_loss_limit, self.max_loss)
        row["size_plain"] = self.sizing == "fixed" and all(cap is None for cap in caps)


def _paise(rupees: float | None) -> int:
    return 0 if rupees is None else round(rupees * PAISE)


def _ppm(percent: float) -> int:
    return round(percent * PPM / 100)
