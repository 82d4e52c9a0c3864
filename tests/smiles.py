"""Smiles known in closed form, in the shape of a fitted surface, and chains priced from them."""

import dataclasses
from typing import Any

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.pricing.chain import Chain
from algomaster.pricing.european import price


@dataclasses.dataclass
class SviSurface:
    """Raw SVI slices, one an expiry; between expiries total variance is linear in time, outside proportional to it."""

    slices: Any  # (E, 5): a, b, rho, m, sigma
    years: FloatArray
    spot: float = 100.0
    rate: float = 0.0
    reach: float = np.inf  # abs(k) beyond which there is no smile

    def __post_init__(self) -> None:
        self.slices = np.atleast_2d(np.asarray(self.slices, np.float64))
        self.years = np.atleast_1d(np.asarray(self.years, np.float64))
        self.labels = tuple(f"{years:.4f} y" for years in self.years)

    def derivatives(self, k: Any, t: Any) -> tuple[Any, Any, Any]:
        k, t = np.broadcast_arrays(np.asarray(k, np.float64), np.asarray(t, np.float64))
        total = np.zeros((3, *k.shape))
        for (a, b, rho, m, sigma), weight in zip(self.slices, self._weights(t)):
            x, r = k - m, np.hypot(k - m, sigma)
            rows = a + b * (rho * x + r), b * (rho + x / r), b * sigma * sigma / r**3
            total += weight * np.stack(rows)
        total[:, np.abs(k) > self.reach] = np.nan
        return total[0], total[1], total[2]

    def _weights(self, t: Any) -> Any:
        first, last = self.years[0], self.years[-1]
        inside = np.clip(t, first, last)
        hats = [np.interp(inside, self.years, row) for row in np.eye(self.years.size)]
        return [hat * np.asarray(t) / inside for hat in hats]

    def forward_at(self, t: Any) -> Any:
        return self.spot * np.exp(self.rate * np.asarray(t, np.float64))

    def discount_at(self, t: Any) -> Any:
        return np.exp(-self.rate * np.asarray(t, np.float64))


def flat(vol: float, years: Any, **terms: Any) -> SviSurface:
    """The same volatility for all strikes and times."""
    years = np.atleast_1d(np.asarray(years, np.float64))
    return SviSurface([(vol * vol * t, 0.0, 0.0, 0.0, 1.0) for t in years], years, **terms)


VOGT = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
"""Axel Vogt's parameters: butterfly arbitrage above k = 0.6 (Gatheral and Jacquier 2014, example 3.1)."""

SKEWED = (0.002, 0.012, -0.55, 0.01, 0.06)
"""An index's month."""


def chain_of(surface: SviSurface, strikes: Any, *, spread: float = 0.0, **columns: Any) -> Chain:
    """A chain priced exactly from a surface, bid and ask a relative ``spread`` apart; extra columns are constants."""
    rows = [(t, right, k) for t in surface.years for k in np.asarray(strikes, np.float64) for right in (1, -1)]
    t, right, strike = (np.array(column) for column in zip(*rows))
    forward, discount = surface.forward_at(t), surface.discount_at(t)
    vol = np.sqrt(surface.derivatives(np.log(strike / forward), t)[0] / t)
    mid = price(right.astype(np.int64), None, strike, t, vol, forward=forward, rate=surface.rate)
    quotes = {"bid": mid * (1 - spread / 2), "ask": mid * (1 + spread / 2)}
    extra = {name: np.full(t.size, value) for name, value in columns.items()}
    frame = {"right": right.astype(np.int64), "strike": strike, "t": t, "discount": discount, **quotes, **extra}
    return Chain.from_frame(frame, spot=surface.spot)
