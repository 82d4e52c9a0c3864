"""Which quotes of a chain count, in one fixed order, and their amounts by right, expiry and strike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.types import CALL, FloatArray, IntArray
from algomaster.pricing.kernels.dealer_flow import hedge_greeks_loop

if TYPE_CHECKING:
    from algomaster.pricing.chain import Chain

__all__ = ["Quotes", "cells", "total"]

LOWEST: Final = 1e-9
HIGHEST: Final = 1e15
"""Range of strikes, spots, forwards, volatilities and, from 0, of counts: no product of them leaves the numbers."""
_SHORTEST: Final = 1e-12
_LONGEST: Final = 100.0


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Quotes:
    """Quotes of the chosen expiries, sorted by expiry, strike, right: results do not depend on the chain's row order.

    Attributes
    ----------
    right, expiry, at : (n,) int64
        +1 call, -1 put; place among the chosen expiries; place among the strikes.
    strike, t, vol, forward, discount, oi, volume : (n,) float64
    lot : (n,) float64
        Units that one of ``oi`` stands for.
    has_oi, counted : (n,) bool
        Open interest is known; and volatility, forward and time are as well.
    strikes : (K,) float64
        All listed strikes, ascending.
    labels, years, forwards
        Of the chosen expiries (E,).
    spot : float
        The chain's, or where that is unknown the nearest forward.
    spot_from : "chain" or "forward"
    listed : int
        Quotes of the chosen expiries in the chain; one without a right or strike is listed and has no open interest.
    """

    right: IntArray
    expiry: IntArray
    at: IntArray
    strike: FloatArray
    t: FloatArray
    vol: FloatArray
    forward: FloatArray
    discount: FloatArray
    oi: FloatArray
    volume: FloatArray
    lot: FloatArray
    has_oi: np.ndarray[Any, np.dtype[np.bool_]]
    counted: np.ndarray[Any, np.dtype[np.bool_]]
    strikes: FloatArray
    labels: tuple[str, ...]
    years: FloatArray
    forwards: FloatArray
    spot: float
    spot_from: str
    listed: int

    @classmethod
    def of(cls, chain: Chain, *, expiries: Any, lot: FloatArray) -> Quotes:
        """Take the quotes of some expiries from a chain whose volatilities are known."""
        assert chain.vol is not None
        assert chain.status is not None
        chosen = _chosen(chain.labels, expiries)
        place = np.full(len(chain.labels), -1)
        place[chosen] = np.arange(chosen.size)
        inside = place[chain.expiry] >= 0
        named = inside & (np.abs(chain.right) == 1) & (chain.strike >= LOWEST) & (chain.strike <= HIGHEST)
        order = np.lexsort((chain.volume, chain.oi, chain.vol, -chain.right, chain.strike, place[chain.expiry]))
        rows = order[named[order]]
        strikes, at = np.unique(chain.strike[rows], return_inverse=True)
        expiry = place[chain.expiry[rows]]
        forwards, discounts = chain.forward[chosen], chain.discount[chosen]
        forward, discount = forwards[expiry], discounts[expiry]
        t, vol, oi = chain.t[rows], chain.vol[rows], chain.oi[rows]
        spot, spot_from = _spot(chain.spot, forwards)
        volume = np.where((chain.volume[rows] >= 0.0) & (chain.volume[rows] <= HIGHEST), chain.volume[rows], np.nan)
        has_oi = (oi >= 0.0) & (oi <= HIGHEST)
        priced = (chain.status[rows] == 0) & (np.minimum(vol, HIGHEST) * np.sqrt(np.maximum(t, 0.0)) >= LOWEST)
        for values in (vol, forward, discount):
            priced &= (values >= LOWEST) & (values <= HIGHEST)
        priced &= (t >= _SHORTEST) & (t <= _LONGEST)
        return cls(
            right=chain.right[rows], expiry=expiry, at=at, strike=chain.strike[rows], t=t, vol=vol, forward=forward,
            discount=discount, oi=oi, volume=volume, lot=np.broadcast_to(lot, chain.strike.shape)[rows],
            has_oi=has_oi, counted=has_oi & priced, strikes=strikes, labels=tuple(chain.labels[e] for e in chosen),
            years=chain.years[chosen], forwards=forwards, spot=spot, spot_from=spot_from, listed=int(inside.sum()),
        )  # fmt: skip

    def hedges(self) -> FloatArray:
        """Give delta, gamma, vanna, charm by spot (4, n); NaN where the quote does not count."""
        out = np.full((4, self.right.size), np.nan)
        if self.counted.any():
            kept = self.counted
            found = np.empty((4, int(kept.sum())))
            hedge_greeks_loop(
                self.right[kept], self.spot, self.strike[kept], self.t[kept], self.vol[kept], self.forward[kept],
                self.discount[kept], found,
            )  # fmt: skip
            out[:, kept] = found
        return out


def _chosen(labels: tuple[str, ...], expiries: Any) -> IntArray:
    """Give places of the expiries that were named by label or by place."""
    if expiries is None:
        return np.arange(len(labels))
    wanted = [expiries] if isinstance(expiries, str) or not isinstance(expiries, Iterable) else list(expiries)
    places = []
    for one in wanted:
        if isinstance(one, str) and one in labels:
            places.append(labels.index(one))
        elif isinstance(one, (int, np.integer)) and not isinstance(one, bool) and -len(labels) <= one < len(labels):
            places.append(int(one) % len(labels))
        else:
            listed = ", ".join(labels)
            raise ValueError(f"expiries: expected labels or places of the chain's expiries ({listed}), got {one!r}")
    if not places:
        raise ValueError("expiries: expected at least one, got none; leave it out for all")
    return np.unique(places)


def _spot(spot: float, forwards: FloatArray) -> tuple[float, str]:
    if LOWEST <= spot <= HIGHEST:
        return float(spot), "chain"
    known = forwards[(forwards >= LOWEST) & (forwards <= HIGHEST)]
    return (float(known[0]) if known.size else float("nan")), "forward"


def cells(quotes: Quotes, amounts: FloatArray) -> FloatArray:
    """Sum amounts (n,) by right, expiry and strike: (2, E, K), calls first; NaN where none is known."""
    shape = (2, len(quotes.labels), quotes.strikes.size)
    known = ~np.isnan(amounts)
    side = np.where(quotes.right == CALL, 0, 1)
    index = ((side * shape[1] + quotes.expiry) * shape[2] + quotes.at)[known]
    size = int(np.prod(shape))
    sums = np.asarray(np.bincount(index, amounts[known], size), np.float64)
    sums[np.bincount(index, minlength=size) == 0] = np.nan
    return sums.reshape(shape)


def total(values: FloatArray, axis: int | tuple[int, ...] | None = None) -> Any:
    """Sum what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known.any(axis=axis), np.where(known, values, 0.0).sum(axis=axis), np.nan)[()]
