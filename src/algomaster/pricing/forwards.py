"""Forward and discount of every expiry of a chain: as given, from put-call parity, or from spot and rate.

Wrong forwards are the recurring source of wrong Greeks, so each number carries where it came from:

1. What the caller gives stands.
2. A discount that is not given is the slope of the parity line (the box) where the quotes pin it down: where the
   standard error of its rate is at most :data:`RATE_ERROR`. Otherwise the boxes of all expiries together give one rate,
   if that is pinned down; otherwise the rate is 0.
3. With the discount known, the forward is what parity says at the strikes around the money
   (:mod:`algomaster.pricing.kernels.parity`); without a pair of call and put, it is the spot grown by the rate.
"""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np

from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.parity import parity_loop

__all__ = ["Forwards", "find_forwards"]

RATE_ERROR: Final = 0.005
"""Largest standard error of a rate read from a box: half a percent a year moves a one-month price by 0.04 %."""
_SANE_RATE: Final = 0.5
_NONE: Final = "none"


@dataclasses.dataclass(frozen=True, eq=False)
class Forwards:
    """Forward and discount by expiry, all (E,).

    Attributes
    ----------
    forward, discount : NaN where there is none
    rate : continuously compounded, per year; discount = exp(-rate t)
    forward_error, rate_error : standard errors from the parity line; NaN where the value is not from it
    pairs : strikes with call and put that the line was fitted to
    forward_from : "given", "parity", "spot" or "none"
    rate_from : "given", "box", "boxes together" or "none" (then the rate is 0)
    """

    forward: FloatArray
    discount: FloatArray
    rate: FloatArray
    forward_error: FloatArray
    rate_error: FloatArray
    pairs: IntArray
    forward_from: tuple[str, ...]
    rate_from: tuple[str, ...]


def find_forwards(
    right: IntArray,
    strike: FloatArray,
    price: FloatArray,
    width: FloatArray,
    starts: IntArray,
    years: FloatArray,
    *,
    spot: float,
    dividend: float,
    forward: FloatArray,
    rate: FloatArray,
) -> Forwards:
    """Find what is not given; quotes sorted as for :func:`~algomaster.pricing.kernels.parity.parity_loop`.

    Parameters
    ----------
    right, strike, price, width, starts
        As for the kernel.
    years : (E,)
    spot : float
        NaN if unknown.
    dividend : float
        Yield, used only where the forward comes from the spot.
    forward, rate : (E,)
        NaN where they are to be found.
    """
    scratch = np.empty((6, strike.size + 1))
    fitted = np.empty((5, years.size))
    rate, rate_error, rate_from = rate.copy(), np.full(years.size, np.nan), np.full(years.size, "given", dtype=object)
    unknown = np.isnan(rate)
    if unknown.any():
        parity_loop(right, strike, price, width, starts, np.full(years.size, np.nan), scratch, fitted)
        box, error = _box_rates(fitted[2], fitted[3], years)
        together, together_error = _pooled(box, error)
        own = error <= RATE_ERROR
        shared = together if together_error <= RATE_ERROR else 0.0
        rate[unknown] = np.where(own, box, shared)[unknown]
        rate_error[unknown] = np.where(own, error, together_error if together_error <= RATE_ERROR else np.nan)[unknown]
        rate_from[unknown] = np.where(own, "box", "boxes together" if together_error <= RATE_ERROR else _NONE)[unknown]
    discount = np.exp(-rate * years)
    parity_loop(right, strike, price, width, starts, discount, scratch, fitted)
    carried = spot * np.exp((rate - dividend) * years) if spot > 0.0 else np.full(years.size, np.nan)
    found = np.where(fitted[0] > 0.0, fitted[0], np.nan)  # an absurd chain may put it below zero
    chosen = np.where(np.isnan(forward), np.where(np.isnan(found), carried, found), forward)
    origin = np.where(
        ~np.isnan(forward), "given", np.where(~np.isnan(found), "parity", np.where(np.isnan(carried), _NONE, "spot"))
    )
    return Forwards(
        forward=chosen,
        discount=discount,
        rate=rate,
        forward_error=np.where(origin == "parity", fitted[1], np.nan),
        rate_error=rate_error,
        pairs=fitted[4].astype(np.int64),
        forward_from=tuple(origin.tolist()),
        rate_from=tuple(rate_from.tolist()),
    )


def _box_rates(discount: FloatArray, error: FloatArray, years: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give rates and their standard errors; infinite errors where a box says nothing."""
    usable = (discount > 0.0) & (years > 0.0) & (error >= 0.0)
    safe, span = np.where(usable, discount, 1.0), np.where(usable, years, 1.0)
    rates = -np.log(safe) / span
    usable &= np.abs(rates) <= _SANE_RATE
    return np.where(usable, rates, 0.0), np.where(usable, error / (safe * span), np.inf)


def _pooled(rates: FloatArray, errors: FloatArray) -> tuple[float, float]:
    """Give the mean weighted by precision, and its standard error (infinite without any)."""
    known = np.isfinite(errors)
    if not known.any():
        return 0.0, np.inf
    precision = 1.0 / np.maximum(errors[known], 1e-9) ** 2
    return float(np.sum(precision * rates[known]) / precision.sum()), float(precision.sum() ** -0.5)
