"""Compile every kernel there is into the cache, so that no first use has to wait.

Each step calls the public functions on a small simulated session with the types users come with; what is compiled
already is only read. Kernels are compiled for the machine they run on: warm up on the machine that will serve.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from algomaster import features, market, performance, pricing, strategy
from algomaster.backtest.playback.stepping import Stepper
from algomaster.backtest.replayer import replay
from algomaster.backtest.sweeper import sweep
from algomaster.core.errors import ConfigError
from algomaster.market.loading import store_days

__all__ = ["WARM_STEPS", "warm"]

_MANY = 40_000  # options: above the numbers from which kernels use several threads


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
    pricing.implied_vol(2.5, "CE", 100.0, 100.0, 0.1, start=0.2)
    pricing.digital("CE", 100.0, 101.0, 0.1, 0.2)
    yield
    pricing.american("PE", 100.0, 101.0, 0.1, 0.2, rate=0.05)
    pricing.american_greeks("PE", 100.0, 101.0, 0.1, 0.2, rate=0.05)
    pricing.exercise_boundary("PE", 101.0, 0.1, 0.2, rate=0.05)
    yield


def _chains(days: market.Days) -> Iterator[None]:
    chain = market.chain_at(days[0], "10:15").greeks(order=2)
    yield
    for method in ("svi", "essvi", "sabr"):
        surface = chain.surface(method)
        pricing.SurfaceStream(surface).update(chain)
        surface.arbitrage()
        surface.vol_error(0.0, surface.years[0])
        pricing.smile_measures(surface)
        pricing.term_measures(surface)
        pricing.density(surface, surface.years[0])
        pricing.swap_vol(surface, surface.years[0])
        yield
    pricing.expected_move(chain, chain.years[0])
    pricing.exposure(chain)
    legs = [pricing.Leg("CE", chain.spot, -50, 100.0, t=0.02, vol=0.14), pricing.Leg("PE", chain.spot, 50, 90.0, t=0.1)]
    pricing.payoff(legs, spot=chain.spot, vol=0.14)
    pricing.margin(legs, spot=chain.spot, vol=0.14)
    yield
    market.open_interest(days[0])


def _backtests(days: market.Days) -> Iterator[None]:
    for name in strategy.names():
        replay(strategy.get(name), days)
        yield
        Stepper(name, days[0]).snapshot()
        yield
        sweep(name, days, grid=[{}], digest=True, trades=True)
        yield


def _statistics(days: market.Days) -> Iterator[None]:
    del days  # of the same shape as the other steps
    performance.overfitting(np.zeros((40, 2)))
    yield


def _features(days: market.Days) -> Iterator[None]:
    features.compute(days, features.names())
    yield
    live = features.online(features.names())
    live.update(np.full(len(live.inputs), 1.7e9))
    yield
    features.Snapshots(days[0]).row(0)
    with tempfile.TemporaryDirectory() as home:
        store_days(market.Store(home), days)
        view = features.View("warm", underlying=days.underlying, features=["ret_1"])
        features.materialize(view, days[0].session, days[0].session, home=home)
        asked = {"underlying": [days.underlying], "event_time": [datetime(2024, 1, 1, 12, tzinfo=UTC)]}
        features.get_historical(pl.DataFrame(asked), view, home=home)


WARM_STEPS = {
    "pricing": _prices,
    "chains": _chains,
    "features": _features,
    "backtests": _backtests,
    "statistics": _statistics,
}
"""What is compiled, by name; each a function of simulated sessions that yields as it goes on."""


def warm(tell: Callable[[int, int, str], None] | None = None, *, only: str | None = None) -> None:
    """Compile all kernels.

    Parameters
    ----------
    tell : callable, optional
        Called with the steps done, their number and the name of the next.
    only : str, optional
        One of ``WARM_STEPS``.

    Raises
    ------
    ConfigError
        There is no such step.
    """
    if only is not None and only not in WARM_STEPS:
        raise ConfigError(f"Nothing to warm up is called {only!r}.", hint=f"There are: {', '.join(WARM_STEPS)}.")
    days = market.simulate("NIFTY", sessions=1, start="2024-01-01", seed=1)
    steps = {name: step for name, step in WARM_STEPS.items() if only in (None, name)}
    for done, (name, step) in enumerate(steps.items()):
        if tell is not None:
            tell(done, len(steps), name)
        for _ in step(days):
            pass
    if tell is not None:
        tell(len(steps), len(steps), "")
