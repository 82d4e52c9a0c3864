"""Legs with the market they are valued in, as arrays."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.european import greeks
from algomaster.pricing.implied import implied_vol
from algomaster.pricing.kernels.payoff import position_profit
from algomaster.pricing.positions.legs import FUTURE, Leg

__all__ = ["Market", "Position"]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Market:
    """What a caller said of the market; None or NaN is unknown. See :func:`~algomaster.pricing.payoff`."""

    spot: float
    t: float
    vol: float | str | None
    rate: float
    dividend: float
    forward: float | None
    surface: Any


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Position:
    """Legs (n,) with time, volatility, rate and yield each.

    Attributes
    ----------
    right : (n,) int64
        +1 call, -1 put, 0 future.
    strike, quantity, price, t, vol, rate, dividend : (n,) float64
        Times are NaN if unknown (then of all options), volatilities each for itself.
    spot : float
    horizon : float
        Years to the first option's expiry (without options the first future's); NaN if unknown.
    forward : float
        Of the underlying to the horizon; NaN if spot or horizon are unknown.
    """

    right: IntArray
    strike: FloatArray
    quantity: FloatArray
    price: FloatArray
    t: FloatArray
    vol: FloatArray
    rate: FloatArray
    dividend: FloatArray
    spot: float
    horizon: float
    forward: float

    @classmethod
    def of(cls, legs: tuple[Leg, ...], market: Market) -> Position:
        """Bring legs and market together.

        Raises
        ------
        ValueError
            Some options have a time to expiry and others have none; a forward without spot or time.
        """
        right = np.array([leg.code for leg in legs], np.int64)
        strike, quantity, price, t, vol = (
            np.array([math.nan if value is None else value for value in column])
            for column in zip(*((leg.strike, leg.quantity, leg.price, leg.t, leg.vol) for leg in legs))
        )
        options = right != FUTURE
        t = np.where(np.isnan(t) & options, market.t, t)
        if np.isnan(t[options]).any() and not np.isnan(t[options]).all():
            raise ValueError("t: some options have a time to expiry and others none; give payoff(..., t=) for these")
        known = t[options] if options.any() else t[~np.isnan(t)]
        horizon = float(known.min()) if known.size else market.t
        t = np.where(np.isnan(t), horizon, t)
        rate, dividend = _carry(t, horizon, market)
        under = dict(strike=strike, t=t, rate=rate, dividend=dividend)
        vol = np.where(options & np.isnan(vol), _vols(right, price, options, market, **under), vol)
        forward = _forward(market, horizon)
        return cls(
            right=right, quantity=quantity, price=price, vol=vol, spot=market.spot, horizon=horizon, forward=forward,
            **under,
        )  # fmt: skip

    @property
    def options(self) -> Any:
        """Which legs are options, (n,) bool."""
        return self.right != FUTURE

    @property
    def single(self) -> bool:
        """Whether all options expire together."""
        t = self.t[self.options]
        return bool(np.isnan(t).all() or (t == self.horizon).all())

    def left(self, elapsed: float | None) -> FloatArray:
        """Years each leg has to go after ``elapsed``; None is the horizon."""
        if elapsed is None:
            return np.where(np.isnan(self.t), 0.0, np.maximum(self.t - self.horizon, 0.0))
        return np.maximum(self.t - elapsed, 0.0)

    def profit(self, spots: FloatArray, elapsed: float | None = None, shift: float = 0.0) -> FloatArray:
        """Give profit and loss before costs at ``spots`` (M,) after ``elapsed`` years (None: at the horizon)."""
        flat = np.ascontiguousarray(spots, np.float64).reshape(-1)
        out = np.empty(flat.size)
        position_profit(
            self.right, self.strike, self.quantity, self.price, self.left(elapsed), self.vol + shift, self.rate,
            self.dividend, flat, out,
        )  # fmt: skip
        return out.reshape(np.shape(spots))

    def limit(self) -> tuple[float, float]:
        """Give (slope, level) of the straight line that profit at the horizon approaches as the spot rises."""
        left = self.left(None)
        held, owed = np.exp(-self.dividend * left), np.exp(-self.rate * left)
        future, call = self.right == FUTURE, self.right > 0
        strike = np.where(call, self.strike, 0.0)
        slopes = self.quantity * np.where(future, held / owed, np.where(call, held, 0.0))
        levels = -self.quantity * (strike * owed + self.price)
        slope = math.fsum(slopes)
        scale = math.fsum(np.abs(slopes))
        return (slope if abs(slope) > 1e-12 * scale else 0.0), math.fsum(levels)

    def greeks(self) -> dict[str, float]:
        """Give net delta, gamma, vega and theta now in raw units; NaN where something needed is unknown."""
        names = ("delta", "gamma", "vega", "theta")
        rows = np.zeros((4, self.right.size))
        options = self.options
        if options.any():
            found = greeks(
                self.right[options], self.spot, self.strike[options], self.t[options], self.vol[options],
                rate=self.rate[options], dividend=self.dividend[options],
            )  # fmt: skip
            rows[:, options] = [getattr(found, name) for name in names]
        carry = (self.rate - self.dividend)[~options]
        grown = np.exp(carry * self.t[~options])
        rows[0, ~options] = grown
        rows[3, ~options] = -carry * self.spot * grown
        return {name: math.fsum(row * self.quantity) for name, row in zip(names, rows)}


def _carry(t: FloatArray, horizon: float, market: Market) -> tuple[FloatArray, FloatArray]:
    """Give rate and yield (n,) of each leg."""
    rate, dividend = np.full(t.size, market.rate), np.full(t.size, market.dividend)
    if market.forward is not None:
        if math.isnan(market.spot):
            raise ValueError("spot: expected a number beside a forward, got None")
        if not horizon > 0.0:
            raise ValueError("t: expected a time to expiry beside a forward, got none or 0")
        dividend = rate - math.log(market.forward / market.spot) / horizon
    elif market.surface is not None:
        ahead = t > 0.0
        rate[ahead] = -np.log(np.asarray(market.surface.discount_at(t[ahead]))) / t[ahead]
        grown = np.log(np.asarray(market.surface.forward_at(t[ahead])) / market.spot)
        dividend[ahead] = rate[ahead] - grown / t[ahead]
    return rate, dividend


def _forward(market: Market, horizon: float) -> float:
    if market.forward is not None:
        return market.forward
    if market.surface is not None and horizon > 0.0:
        return float(market.surface.forward_at(horizon))
    return market.spot * math.exp((market.rate - market.dividend) * horizon)


def _vols(
    right: IntArray, price: FloatArray, options: Any, market: Market, *, strike: FloatArray, t: FloatArray,
    rate: FloatArray, dividend: FloatArray,
) -> FloatArray:  # fmt: skip
    """Give the volatility (n,) of legs that have none of their own; NaN where there is none to be had."""
    out = np.full(t.size, math.nan)
    if market.vol == "implied":
        terms = {"strike": strike, "t": t, "rate": rate, "dividend": dividend, "price": price, "right": right}
        out[options] = implied_vol(spot=market.spot, **{name: row[options] for name, row in terms.items()}).vol
    elif market.vol is not None:
        out[:] = market.vol
    elif market.surface is not None:
        ahead = options & (t > 0.0)
        k = np.log(strike[ahead] / np.asarray(market.surface.forward_at(t[ahead])))
        out[ahead] = np.asarray(market.surface.vol(k, t[ahead]))
    return out
