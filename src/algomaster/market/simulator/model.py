"""The parameters of a simulated market and where their defaults come from.

Rates and variances are per year of the business-time clock (:mod:`algomaster.market.clock`), on which a year of trading
counts 1. "Measured" below means our own statistics of NIFTY and BANKNIFTY index minutes 2013-2017, India VIX and
NIFTY days 2015-2017, NIFTY option-chain snapshots of 2025-08-29 and BANKNIFTY option minutes of 2022-12-30;
``docs/simulator.md`` gives the numbers next to what the simulator makes of them.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Self

from pydantic import Field, model_validator

from algomaster.core.config import Config
from algomaster.core.errors import ConfigError, FactError

__all__ = ["MODELS", "MarketModel", "start_level"]


class MarketModel(Config):
    """How an index and its options move, quote and trade.

    Attributes
    ----------
    variance : float
        Mean variance a year of the index without its jumps.
    slow_sd, slow_pull : float
        Stationary standard deviation of the slow factor of log variance, and how fast it reverts (1/year).
    fast_sd, fast_pull : float
        The same for the fast factor.
    slow_leverage, fast_leverage : float
        Correlation of each factor's shocks with the index return; negative, as volatility rises in falling markets.
    jump_rate : float
        Jumps a year while variance is at its mean; in proportion to variance otherwise, so that they cluster.
    jump_sd, gap_jump_sd : float
        Standard deviation of a jump's log return inside a session and overnight.
    jump_mean : float
        Mean of a jump in units of its standard deviation; negative.
    jump_feedback : float
        Rise of the fast factor a unit of downward jump.
    drift : float
        Expected log return a year, jumps included, before the variance's half.
    rate, dividend_yield : float
        Continuous, a calendar year; the forward grows at their difference.
    variance_premium : float
        Implied over expected realised variance.
    skew, skew_width, skew_pull : float
        Centre of the smile's correlation parameter, how far it may wander to either side, and how fast it returns.
    curvature : float
        The smile's eta. With the correlation within ``skew`` plus or minus ``skew_width`` no static arbitrage exists
        if ``curvature * (1 + |correlation|) <= 2``, which is checked.
    basis_sd, basis_pull : float
        The future's deviation from its fair value as a fraction, and how fast it returns.
    spread_share, spread_term : float
        Bid-ask spread as a share of the mid, and its growth a year of time to expiry.
    itm_spread, itm_spread_term : float
        Further spread of in-the-money options, in standard deviations of the expiry's move times the square of the
        depth in such, and its growth a year of time to expiry.
    open_spread, expiry_spread : float
        Further spread at the open (fading over five minutes) and in the last minutes of an expiry (over thirty), as
        multiples.
    lots_a_minute : float
        Mean volume of a contract at the money on a plain strike close to its expiry.
    lots_a_trade : float
        Mean size of a trade where trades are rare.
    otm_decay, itm_decay : float
        Exponential decay of volume a standard deviation out of and into the money.
    oi_lots, oi_otm_decay, oi_itm_decay : float
        The same for open interest, standard deviations being those of a week.
    traded_steps : int
        Contracts within so many strike steps of the forward trade in every minute.
    """

    variance: float = Field(gt=0)
    slow_sd: float = Field(default=0.40, ge=0)
    slow_pull: float = Field(default=2.0, gt=0)
    fast_sd: float = Field(default=0.45, ge=0)
    fast_pull: float = Field(default=34.0, gt=0)
    slow_leverage: float = Field(default=-0.45, gt=-1, le=0)
    fast_leverage: float = Field(default=-0.62, gt=-1, le=0)
    jump_rate: float = Field(default=60.0, ge=0)
    jump_sd: float = Field(ge=0)
    gap_jump_sd: float = Field(ge=0)
    jump_mean: float = Field(default=-0.25, le=0)
    jump_feedback: float = Field(default=8.0, ge=0)
    drift: float = 0.11
    rate: float = 0.065
    dividend_yield: float = 0.013
    variance_premium: float = Field(default=1.15, gt=0)
    skew: float = Field(default=-0.22, gt=-1, lt=1)
    skew_width: float = Field(default=0.15, ge=0)
    skew_pull: float = Field(default=60.0, gt=0)
    curvature: float = Field(default=0.95, gt=0)
    basis_sd: float = Field(default=0.0003, ge=0)
    basis_pull: float = Field(default=500.0, gt=0)
    spread_share: float = Field(default=0.0015, ge=0)
    spread_term: float = Field(default=15.0, ge=0)
    itm_spread: float = Field(default=0.002, ge=0)
    itm_spread_term: float = Field(default=60.0, ge=0)
    open_spread: float = Field(default=2.0, ge=0)
    expiry_spread: float = Field(default=1.0, ge=0)
    lots_a_minute: float = Field(default=6000.0, gt=0)
    lots_a_trade: float = Field(default=6.0, gt=0)
    otm_decay: float = Field(default=1.1, ge=0)
    itm_decay: float = Field(default=4.5, ge=0)
    oi_lots: float = Field(default=40_000.0, gt=0)
    oi_otm_decay: float = Field(default=0.85, ge=0)
    oi_itm_decay: float = Field(default=3.0, ge=0)
    traded_steps: int = Field(default=3, ge=0)

    @model_validator(mode="after")
    def _no_static_arbitrage(self) -> Self:
        steepest = abs(self.skew) + self.skew_width
        if steepest >= 1 or self.curvature * (1 + steepest) > 2:
            raise ValueError(
                f"the smile allows arbitrage: |skew| + skew_width = {steepest:g} must stay below 1 "
                f"and curvature * (1 + that) = {self.curvature * (1 + steepest):g} at most 2"
            )
        return self


MODELS: Final[dict[str, MarketModel]] = {
    "NIFTY": MarketModel(variance=0.0160, jump_sd=0.004, gap_jump_sd=0.009),
    "BANKNIFTY": MarketModel(variance=0.0380, jump_sd=0.006, gap_jump_sd=0.013),
}
"""Default parameters by underlying."""

_LEVELS: Final[dict[str, dict[int, float]]] = {
    "NIFTY": {
        2013: 5900, 2014: 6300, 2015: 8300, 2016: 7900, 2017: 8200, 2018: 10500, 2019: 10900,
        2020: 12200, 2021: 14000, 2022: 17600, 2023: 18200, 2024: 21700, 2025: 23700, 2026: 26100,
    },
    "BANKNIFTY": {
        2013: 12500, 2014: 11400, 2015: 18700, 2016: 16900, 2017: 18000, 2018: 25500, 2019: 27200,
        2020: 32100, 2021: 31300, 2022: 36400, 2023: 43200, 2024: 48200, 2025: 51000, 2026: 59600,
    },
}  # fmt: skip
"""Round index levels near the first session of each year, from NSE's published closes; only a place to start from."""


def model_of(underlying: str) -> MarketModel:
    """Give the default parameters of an underlying.

    Raises
    ------
    ConfigError
        There are none; pass a :class:`MarketModel`.
    """
    if underlying not in MODELS:
        raise ConfigError(
            f"There is no market model of {underlying!r}; there are: {', '.join(MODELS)}.",
            hint="Pass model=MarketModel(...) and level=....",
        )
    return MODELS[underlying]


def start_level(underlying: str, on: date) -> float:
    """Give a round index level of the year of a date, in points.

    Raises
    ------
    FactError
        None is on record.
    """
    levels = _LEVELS.get(underlying, {})
    if on.year not in levels:
        raise FactError(
            f"No start level of {underlying} for {on.year} is on record.", hint="Pass level=... in points.", on=on
        )
    return levels[on.year]
