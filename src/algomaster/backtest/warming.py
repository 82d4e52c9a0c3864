"""Compile every kernel there is into the cache, so that no first use has to wait.

Each step calls the public functions on a small simulated session with the types users come with; what is compiled
already is only read. Kernels are compiled for the machine they run on: warm up on the machine that will serve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from algomaster import market, pricing, strategy
from algomaster.backtest.replayer import replay
from algomaster.backtest.sweeper import sweep

__all__ = ["WARM_STEPS", "warm"]

_MANY = 20_000  # options: above the number from which kernels use several threads


def _prices(_days: market.Days) -> Iterator[None]:
    for n in (1, _MANY):
        spot, right = np.full(n, 100.0), np.resize([1, -1], n)
        for model in ("black", "bachelier"):
            given: dict[str, Any] = {"rate": 0.05, "model": model}
            vol = 0.2 if model == "black" else 20.0
            quote = pricing.price(right, spot, 101.0, 0.1, vol, **given)
            for order in (1, 2, 3):
                pricing.greeks(right, spot, 101.0, 0.1, vol, order=order, **given)
            pricing.implied_vol(quote, right, spot, 101.0, 0.1, **given)
            yield
    pricing.digital("CE", 100.0, 101.0, 0.1, 0.2)
    pricing.american("PE", 100.0, 101.0, 0.1, 0.2, rate=0.05)


def _chains(days: market.Days) -> Iterator[None]:
    chain = market.chain_at(days[0], "10:15").greeks(order=2)
    yield
    for method in ("svi", "essvi", "sabr"):
        surface = chain.surface(method)
        surface.arbitrage()
        pricing.smile_measures(surface)
        pricing.density(surface, surface.years[0])
        yield
    pricing.expected_move(chain, chain.years[0])
    pricing.exposure(chain)
    pricing.payoff([("CE", 21700.0, -50, 100.0, 0.02, 0.14)], spot=21700.0)


def _backtests(days: market.Days) -> Iterator[None]:
    for name in strategy.names():
        replay(strategy.get(name), days)
        yield
        sweep(name, days, grid={"stop_pct": [20, 25]}, digest=True)
        yield


WARM_STEPS = {"prices, Greeks, volatilities": _prices, "chains and surfaces": _chains, "backtests": _backtests}
"""What is compiled, by name; each a function of simulated sessions that yields as it goes on."""


def warm(tell: Callable[[int, int, str], None] | None = None) -> None:
    """Compile all kernels.

    Parameters
    ----------
    tell : callable, optional
        Called with the steps done, their number and the name of the next.
    """
    days = market.simulate("NIFTY", sessions=1, start="2024-01-01", seed=1)
    for done, (name, step) in enumerate(WARM_STEPS.items()):
        if tell is not None:
            tell(done, len(WARM_STEPS), name)
        for _ in step(days):
            pass
    if tell is not None:
        tell(len(WARM_STEPS), len(WARM_STEPS), "")
