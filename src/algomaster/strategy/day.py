"""From a :class:`~algomaster.market.ChainDay` to what steps and matching read."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from algomaster.market.chain_day import ChainDay
from algomaster.strategy.steps.contract import Day

__all__ = ["day_of"]

_EPOCH = date(1970, 1, 1)


def day_of(chain: ChainDay) -> Day:
    """Give the arrays of a session as the NamedTuple that compiled steps take (no copies); the session is frozen."""
    chain.freeze()
    return Day(**{name: _plain(chain, name) for name in Day._fields})


def _plain(chain: ChainDay, name: str) -> Any:
    if name == "session":
        return (chain.session - _EPOCH).days
    value = getattr(chain, name)
    # A memory-mapped array is a subclass of ndarray; kernels are compiled for the plain kind.
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else int(value)
