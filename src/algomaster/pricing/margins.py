"""Margin of a position of options and futures: SPAN-like scan risk, exposure margin, additions on the last day."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, as_vector
from algomaster.core.errors import PricingError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.pricing.implied import implied_vol
from algomaster.pricing.kernels.span import (
    COLUMNS,
    COVERED,
    LOOK_AHEAD,
    MOVES,
    SCENARIOS,
    VOLS,
    margin_rows,
    rates_row,
)
from algomaster.pricing.margin_rates import MarginRates
from algomaster.pricing.positions.legs import Leg, as_legs, check_range

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RATE", "Margin", "margin", "scan_volatility"]

RATE: Final = 0.06
"""Interest rate the clearing house is taken to value options with: about the middle of India's overnight rates."""

_LAMBDA: Final = 0.995
"""Weight of yesterday in the regulator's exponentially weighted variance (SEBI, 24 February 2020; 0.94 before)."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Margin:
    """What a position ties up, in money.

    Attributes
    ----------
    total : float
        SPAN margin, exposure margin and the addition of the last day. Premiums are apart, see ``premium``.
    span : float
        Scan risk and calendar charge (or the minimum for sold options), less the net value of the options; at least 0.
    exposure, expiry_exposure : float
        Exposure margin, and what is added for options sold on their last day.
    scan_risk, calendar, short_minimum, option_value : float
        What ``span`` is made of; the value of the options is negative for a seller.
    premium : float
        Net premium: positive is paid (and is all a bought option needs), negative received.
    alone : tuple of float
        Margin of each leg by itself.
    benefit : float
        Sum of these less ``total``: what the legs save each other.
    scenarios : (16,) float64
        Loss in each scenario, positive; see :meth:`to_frame`.
    scan, vol_scan : float
        The ranges that were scanned.
    legs : tuple of Leg
        Quantities in units.
    spot : float
    rates : MarginRates
    """

    total: float
    span: float
    exposure: float
    expiry_exposure: float
    scan_risk: float
    calendar: float
    short_minimum: float
    option_value: float
    premium: float
    alone: tuple[float, ...]
    benefit: float
    scenarios: FloatArray
    scan: float
    vol_scan: float
    legs: tuple[Leg, ...]
    spot: float
    rates: MarginRates

    def to_frame(self) -> pl.DataFrame:
        """Give polars columns scenario, move (share of the spot), vol (shift), covered, loss."""
        import polars as pl

        return pl.DataFrame(
            {
                "scenario": range(1, SCENARIOS + 1),
                "move": np.array(MOVES) * self.scan,
                "vol": np.array(VOLS) * self.vol_scan,
                "covered": COVERED,
                "loss": self.scenarios,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON."""
        numbers = {name: getattr(self, name) for name in (*COLUMNS, "premium", "benefit", "scan", "vol_scan", "spot")}
        legs = [{**dataclasses.asdict(leg), "margin": own} for leg, own in zip(self.legs, self.alone)]
        return {**numbers, "legs": legs, "scenarios": self.to_frame().to_dicts(), "sources": list(self.rates.sources)}

    def _rows(self) -> list[tuple[str, str]]:
        worst = int(self.scenarios.argmax())
        move = f"spot {MOVES[worst] * self.scan:+.1%}, vol {VOLS[worst] * self.vol_scan:+.1%}"
        rows = [(f"leg {i}", f"{leg}  (alone {own:,.0f})") for i, (leg, own) in enumerate(zip(self.legs, self.alone))]
        rows += [
            ("margin", f"{self.total:,.0f}"),
            ("of it SPAN", f"{self.span:,.0f}  (worst: {move})"),
            ("exposure", f"{self.exposure:,.0f}"),
        ]
        rows += [("last day", f"{self.expiry_exposure:,.0f}")] if self.expiry_exposure else []
        rows += [("calendar charge", f"{self.calendar:,.0f}")] if self.calendar else []
        paid = "paid, on top" if self.premium > 0.0 else "received"
        rows += [
            ("net premium", f"{abs(self.premium):,.0f} {paid}"),
            ("hedges save", f"{self.benefit:,.0f}"),
            ("accuracy", "an approximation: see docs/margin.md"),
        ]
        return rows

    def __repr__(self) -> str:
        return text_table("Margin", self._rows())

    def _repr_html_(self) -> str:
        return html_table("Margin", self._rows())


def margin(
    legs: Any,
    *,
    spot: float,
    t: float | None = None,
    vol: float | None = None,
    rate: float = RATE,
    dividend: float = 0.0,
    lot: float = 1.0,
    rates: MarginRates | None = None,
    daily_vol: float | None = None,
) -> Margin:
    """Estimate the margin of a position in one underlying, in the manner of NSE's SPAN and exposure margins.

    An approximation from published rules without the clearing house's risk files. Stated error of the total against 25
    published figures of NSE index positions: 15 since June 2020 in calm markets -11 % to +3 % (median size 0.8 %), 6
    of 2014 to 2018 0 to +6 % (0.7 %), and 4 of the wild May and June 2020 -46 % to -40 %: there the scan range stood at
    twice its floor, and ``daily_vol`` is needed. ``docs/margin.md`` has every figure, and what is left out.

    Parameters
    ----------
    legs : list of Leg, tuples or dicts, or a frame
        (right, strike, quantity, price[, t[, vol]]); see :class:`~algomaster.pricing.Leg`. Bought is positive; the
        price is the premium now. Of a future the price is not read: its gains are settled daily.
    spot : float
        Price of the underlying now.
    t : float, optional
        Years of 365 days to expiry of legs that carry none. A leg with less than a day to go expires today.
    vol : float, optional
        Volatility of legs that carry none; by default the one implied by each leg's price. A price without one takes
        the median of the others.
    rate, dividend : float
        Continuously compounded.
    lot : float
        Units in one of the legs' quantity.
    rates : MarginRates, optional
        Of the day: ``market.facts.margin_rates(date)``; by default the present ones.
    daily_vol : float, optional
        Standard deviation of the underlying's daily returns (:func:`scan_volatility`): widens the scan ranges in wild
        markets. Without it the least ranges are taken.

    Returns
    -------
    Margin

    Raises
    ------
    ValueError, TypeError
        A bad leg (which is named), or a number that is missing or out of range.
    PricingError
        No volatility is known and no price implies one.

    Examples
    --------
    >>> from algomaster import pricing
    >>> sold = [("CE", 23100, -75, 154.7), ("PE", 23100, -75, 123.7)]
    >>> bought = [("CE", 23400, 75, 43.8), ("PE", 22800, 75, 37.95)]
    >>> round(pricing.margin(sold, spot=23114.1, t=4 / 365).total, -3)
    232000.0
    >>> round(pricing.margin(sold + bought, spot=23114.1, t=4 / 365).total, -3)
    92000.0
    """
    rates = MarginRates() if rates is None else rates
    for name, value in (("spot", spot), ("t", t), ("vol", vol)):
        check_range(name, None if value is None else _number(name, value))
    read = as_legs(legs, lot=_number("lot", lot))
    scan, vol_scan = rates.ranges(daily_vol)
    n = len(read)
    right = np.array([leg.code for leg in read], np.int64)
    strike, quantity, price, years, vols = (
        np.array([math.nan if value is None else value for value in column])
        for column in zip(*((leg.strike, leg.quantity, leg.price, leg.t, leg.vol) for leg in read))
    )
    years = _years(right, years, t)
    options = right != 0
    strike = np.where(options, strike, spot)
    vols = np.where(options, _vols(right, strike, price, years, vols, spot, vol, rate, dividend), 0.0)
    last_day = (years < LOOK_AHEAD).astype(np.int64)
    # The whole position first, then each leg for itself.
    order = np.concatenate([np.arange(n), np.arange(n)])
    start = np.concatenate([[0], n + np.arange(n + 1)]).astype(np.int64)
    out, losses = np.empty((n + 1, len(COLUMNS))), np.empty((n + 1, SCENARIOS))
    margin_rows(
        start, right[order], strike[order], quantity[order], price[order], years[order], vols[order], last_day[order],
        np.full(n + 1, float(spot)), float(rate), float(dividend),
        np.tile(rates_row(rates, scan, vol_scan), (n + 1, 1)), out, losses,
    )  # fmt: skip
    alone = tuple(out[1:, 0].tolist())
    return Margin(
        **dict(zip(COLUMNS, out[0].tolist())),
        premium=math.fsum((quantity * price)[options]),
        alone=alone,
        benefit=math.fsum(alone) - float(out[0, 0]),
        scenarios=losses[0],
        scan=scan,
        vol_scan=vol_scan,
        legs=read,
        spot=float(spot),
        rates=rates,
    )


def scan_volatility(closes: Any) -> float:
    """Give the daily volatility by which the regulator widens the scan range: exponentially weighted, 0.995 a day.

    Parameters
    ----------
    closes : (T,) float
        Daily closes of the underlying, oldest first; at least three. The variance starts at that of the first 20
        returns (or of all, if there are fewer), so give some hundred days.

    Raises
    ------
    ValueError
        Too few closes, or some that are not positive numbers.
    """
    prices = as_vector(closes, "closes")
    if prices.size < 3 or not (np.isfinite(prices).all() and (prices > 0.0).all()):
        raise ValueError(f"closes: expected at least 3 positive prices, got {prices.size} with {prices.min(initial=0)}")
    squares = np.diff(np.log(prices)) ** 2
    variance = float(squares[:20].mean())
    for square in squares.tolist():
        variance = _LAMBDA * variance + (1.0 - _LAMBDA) * square
    return math.sqrt(variance)


def _number(name: str, value: Any) -> float:
    number = float(as_array(value, name))
    if not math.isfinite(number) or (name == "lot" and number <= 0.0):
        raise ValueError(f"{name}: expected a {'positive' if name == 'lot' else 'finite'} number, got {value!r}")
    return number


def _years(right: Any, years: FloatArray, t: float | None) -> FloatArray:
    """Fill in times: as given for all, and futures expire with the first option that has one."""
    years = np.where(np.isnan(years), math.nan if t is None else t, years)
    known = years[~np.isnan(years)]
    lacking = np.isnan(years) & (right != 0)
    if lacking.any() or not known.size:
        raise ValueError("t: expected years to expiry for every leg, got none; give margin(..., t=) or a leg's own")
    return np.where(np.isnan(years), known.min(), years)


def _vols(
    right: Any, strike: FloatArray, price: FloatArray, years: FloatArray, vols: FloatArray, spot: float,
    vol: float | None, rate: float, dividend: float,
) -> FloatArray:  # fmt: skip
    """Give each option a volatility: its own, the common one, the one its price implies, or the median of those."""
    options = right != 0
    vols = np.where(np.isnan(vols), math.nan if vol is None else vol, vols)
    asked = options & np.isnan(vols)
    if asked.any():
        found = implied_vol(
            price[asked], right[asked], spot, strike[asked], years[asked], rate=rate, dividend=dividend
        ).vol
        vols[asked] = found
    missing = options & np.isnan(vols)
    if missing.any():
        known = vols[options & ~np.isnan(vols)]
        if not known.size:
            raise PricingError(
                "expected a volatility, or a price that implies one, got none.", hint="Give margin(..., vol=)."
            )
        vols[missing] = np.median(known)
    return vols
