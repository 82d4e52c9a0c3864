"""Simulated sessions with holes, for tests of features that read a chain."""

import dataclasses
from typing import Any

import numpy as np

from algomaster import market
from algomaster.core.types import MISSING
from algomaster.market import ChainDay


def simulated(
    sessions: int = 3, *, strikes: int = 21, expiries: int = 5, start: str = "2024-01-03", seed: int = 5
) -> Any:
    """From the Wednesday before a Thursday on which the nearest expiry ends."""
    return market.simulate("NIFTY", sessions=sessions, start=start, strikes=strikes, expiries=expiries, seed=seed)


def with_holes(day: ChainDay, seed: int, share: float = 0.08) -> ChainDay:
    """Take out quotes, closes, open interest, volume and index bars at random; cross some quotes."""
    rng = np.random.default_rng(seed)
    changed: dict[str, Any] = {}
    for name in ("bid", "ask", "close", "oi", "volume"):
        values = getattr(day, name).copy()
        values[rng.random(values.shape) < share] = MISSING
        changed[name] = values
    crossed = rng.random(day.bid.shape) < 0.02
    changed["ask"][crossed] = 1
    changed["oi"][:, :3, :, :40] = MISSING
    changed["volume"][..., 0] = MISSING
    for name in ("spot", "spot_open", "spot_high", "spot_low"):
        changed[name] = getattr(day, name).copy()
    gone = rng.random(day.ts.size) < 0.01
    gone[:3] = True
    for name in ("spot", "spot_open", "spot_high", "spot_low"):
        changed[name][gone] = MISSING
    return dataclasses.replace(day, **changed)
