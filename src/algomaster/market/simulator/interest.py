"""Where volume and open interest gather: round strikes, the hours of the day, the last days of an expiry."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from algomaster.core.types import FloatArray, IntArray
from algomaster.market.simulator.model import MarketModel

__all__ = ["activity", "life", "oi_targets", "popularity", "strike_weights"]

_POINT: Final = 100
_POPULARITY: Final = ((1000, 4.0), (500, 2.5), (100, 1.0))
_ODD_STRIKE: Final = 0.4
_WEEK_YEARS: Final = 0.02
_HALF_LIFE_YEARS: Final = 0.01
_NEAREST: Final = 0.2
_NOISE: Final = 0.4


def strike_weights(strikes: IntArray) -> FloatArray:
    """Give the popularity of strikes (K,) in paise; multiples of 1000, 500 and 100 points stand out."""
    weights = np.full(strikes.size, _ODD_STRIKE)
    for points, weight in reversed(_POPULARITY):
        weights[strikes % (points * _POINT) == 0] = weight
    return weights


def activity(speed: FloatArray) -> FloatArray:
    """Give the volume of minutes (M,) relative to the mean: busy with the index, but less than in proportion."""
    busy = speed**0.7
    return np.asarray(busy / busy.mean())


def life(years: FloatArray) -> FloatArray:
    """Give how far an expiry's open interest has built up: 1 at expiry, a half about four days before."""
    return np.asarray(1.0 / (1.0 + years / _HALF_LIFE_YEARS))


def popularity(years: FloatArray) -> FloatArray:
    """Give the volume of expiries (E,) relative to one about to end; the nearest has at least a fifth."""
    share = life(years) ** 1.5
    share[0] = max(share[0], _NEAREST)
    return share


def oi_targets(
    strikes: IntArray,
    expiries: NDArray[np.int32],
    lots: IntArray,
    *,
    anchors: tuple[float, float],
    years: tuple[FloatArray, FloatArray],
    seed: int,
    model: MarketModel,
) -> FloatArray:
    """Give open interest in units at both ends of a session, (E, K, 2, 2).

    It is a function of the contract and of slowly moving things alone, so that it goes on the next day where it was.

    Parameters
    ----------
    strikes : (K,) paise
    expiries : (E,) days since 1970-01-01
    lots : (E,) units in a lot
    anchors : slow mean of log spot (paise) at either end
    years : (E,) business time to expiry at either end
    seed : int
        Each contract has its own constant factor.
    model : MarketModel
    """
    out = np.empty((expiries.size, strikes.size, 2, 2))
    week = math.sqrt(model.variance * _WEEK_YEARS)
    size = model.oi_lots * strike_weights(strikes) * np.exp(_NOISE * _contract_noise(strikes, expiries, seed))
    for end in range(2):
        depth = (np.log(strikes.astype(np.float64)) - anchors[end]) / week
        for right, out_by in enumerate((depth, -depth)):
            shape = np.exp(np.where(out_by > 0, -model.oi_otm_decay, model.oi_itm_decay) * out_by)
            out[:, :, right, end] = (lots * life(years[end]))[:, None] * shape * size[right]
    return out


def _contract_noise(strikes: IntArray, expiries: NDArray[np.int32], seed: int) -> FloatArray:
    """Give a number of mean 0 and variance 1 for each contract, (2, E, K), by hashing its key (splitmix64)."""
    total = np.zeros((2, expiries.size, strikes.size))
    contracts = _mix(strikes.astype(np.uint64)[None, :] + _mix(expiries.astype(np.uint64))[:, None])
    for right in range(2):
        for part in range(3):  # the sum of three uniforms is near enough to normal
            key = np.uint64(((seed * 2 + right) * 3 + part) % 2**63)
            bits = _mix(contracts + _mix(key))
            total[right] += (bits >> np.uint64(11)).astype(np.float64) / 2.0**53
    return (total - 1.5) * 2.0


def _mix(x: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    z = np.atleast_1d(x) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
