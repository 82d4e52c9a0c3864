"""Search: which parameter sets to try, where there are too many for a grid.

Random and Sobol points and the grid are drawn at once and swept; Optuna draws a batch, sees what it made and draws the
next. Whatever the method, the result is that of a sweep over all sets tried, and their number goes into the deflated
Sharpe ratio: a search that stops at a good set has still tried the others.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from algomaster.backtest.replayer import Progress
from algomaster.backtest.sweep_result import SweepResult, joined_results
from algomaster.backtest.sweeper import sweep
from algomaster.core.errors import ConfigError
from algomaster.core.types import FloatArray
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import LESS_IS_BETTER
from algomaster.strategy.contract import Strategy

__all__ = ["METHODS", "search"]

METHODS: Final = ("grid", "random", "sobol", "optuna")
_BATCH: Final = 32
_TIME: Final = re.compile(r"(\d{1,2}):([0-5]\d)")
_TRIES: Final = 20
"""Draws of one more point than is needed, at most, for every set that was not drawn before."""


class Axis(NamedTuple):
    """What a setting may be: one of ``choices``; or, without, a number from ``low`` to ``high``."""

    name: str
    choices: list[Any] | None
    low: float = 0.0
    high: float = 1.0

    def at(self, share: float) -> Any:
        """Give the value that lies at a share, 0 to 1, of the axis."""
        if self.choices is None:
            return self.low + share * (self.high - self.low)
        return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]


def search(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    space: Mapping[str, Any],
    method: str = "sobol",
    trials: int | None = None,
    metric: str = "sharpe",
    seed: int = 0,
    batch: int = _BATCH,
    params: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> SweepResult:
    """Try parameter sets out of a space of settings.

    Parameters
    ----------
    strategy : Strategy or str
    days : Days
    space : mapping
        By setting: a list of values; ``(low, high)`` for any number between (whole ones if both are); ``(low, high,
        step)`` for a number every so much, ``high`` included, and for times: ``("09:20", "10:30", 5)`` in minutes.
    method : "grid", "random", "sobol" or "optuna"
        All combinations; uniform random points; a scrambled Sobol sequence, which fills the space more evenly (Joe and
        Kuo 2008, needs scipy); Optuna's tree-structured Parzen estimator, which learns from what it has seen (needs
        optuna).
    trials : int, optional
        Sets to try, 256 by default; no set is tried twice, so fewer where the space has fewer. Not for a grid.
    metric : str
        What Optuna looks for: most of it, or least where less is better.
    seed : int
        Equal seeds try equal sets, on any number of workers.
    batch : int
        Sets that Optuna draws at once.
    params : mapping, optional
        Settings that all sets share.
    progress : callable, optional
        Called with (sets done, sets in all).
    how
        Everything else that :func:`sweep` takes: rules, engine, workers, memory, digest. ``trades`` and ``resume`` not
        with Optuna, which sweeps batch by batch.

    Returns
    -------
    SweepResult
        One row a set in the order they were tried; ``trials`` is their number, ``assumptions["search"]`` how they were
        found.

    Raises
    ------
    ConfigError
        The space is wrong, there is no such method or metric, or a package for it is missing.
    """
    axes = [_axis(name, values) for name, values in space.items()]
    if not axes:
        raise ConfigError("Expected a space of at least one setting, got none.")
    if method not in METHODS:
        raise ConfigError(f"Expected method to be one of {', '.join(METHODS)}, got {method!r}.")
    for name, value in (("trials", trials), ("batch", batch)):
        if value is not None and value < 1:
            raise ConfigError(f"Expected {name} to be at least 1, got {value}.")
    said = {"method": method, "seed": seed, "space": {name: _plain(values) for name, values in space.items()}}
    if method == "grid":
        if trials is not None:
            raise ConfigError("Expected no number of trials for a grid, which is tried whole.")
        return _told(sweep(strategy, days, grid=_grid(axes), params=params, progress=progress, **how), said)
    wanted = 256 if trials is None else trials
    if method == "optuna":
        if how.get("trades") or how.get("resume"):
            raise ConfigError("Expected neither trades nor resume with optuna, which sweeps batch by batch.")

        def evaluate(sets: list[dict[str, Any]]) -> SweepResult:
            return sweep(strategy, days, grid=sets, params=params, **how)

        return _told(_by_optuna(axes, wanted, metric, seed, batch, evaluate, progress), said | {"metric": metric})
    points = _random(len(axes), seed) if method == "random" else _sobol(len(axes), seed, wanted)
    sets = _distinct(axes, points, wanted)
    return _told(sweep(strategy, days, grid=sets, params=params, progress=progress, **how), said)


def _told(found: SweepResult, said: dict[str, Any]) -> SweepResult:
    return found.with_assumptions(search=said | {"trials": found.frame.height})


def _axis(name: str, values: Any) -> Axis:
    if isinstance(values, tuple) and len(values) in (2, 3):
        return _range(name, *values)
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | pl.Series) or not len(values):
        raise ConfigError(
            f"Space {name!r}: expected a list of values, (low, high) or (low, high, step), got {values!r}."
        )
    return Axis(name, list(values))


def _range(name: str, low: Any, high: Any, step: Any = None) -> Axis:
    times = [_TIME.fullmatch(end) if isinstance(end, str) else None for end in (low, high)]
    if times[0] and times[1]:
        first, last = (int(time[1]) * 60 + int(time[2]) for time in times if time)
        minutes = 1 if step is None else int(step)
        if last < first or minutes < 1:
            raise ConfigError(f"Space {name!r}: expected times upwards and minutes between, got {low}, {high}, {step}.")
        return Axis(name, [f"{at // 60:02d}:{at % 60:02d}" for at in range(first, last + 1, minutes)])
    numbers = [low, high] if step is None else [low, high, step]
    if any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in numbers) or not low < high:
        raise ConfigError(
            f"Space {name!r}: expected numbers low < high, got {low!r}, {high!r}.", hint="Or give a list."
        )
    if step is None and not (isinstance(low, int) and isinstance(high, int)):
        return Axis(name, None, float(low), float(high))
    every = Decimal(str(1 if step is None else step))
    if every <= 0:
        raise ConfigError(f"Space {name!r}: expected a step above 0, got {step!r}.")
    begin = Decimal(str(low))
    count = int((Decimal(str(high)) - begin) / every)
    whole = all(isinstance(one, int) for one in numbers)
    values = [begin + every * number for number in range(count + 1)]
    return Axis(name, [int(value) if whole else float(value) for value in values])


def _grid(axes: list[Axis]) -> dict[str, list[Any]]:
    grid = {}
    for axis in axes:
        if axis.choices is None:
            raise ConfigError(f"Space {axis.name!r}: a grid needs a step.", hint="Give (low, high, step) or a list.")
        grid[axis.name] = axis.choices
    return grid


def _random(dimensions: int, seed: int) -> Iterator[FloatArray]:
    generator = np.random.default_rng(seed)
    while True:
        yield generator.random(dimensions)


def _sobol(dimensions: int, seed: int, wanted: int) -> Iterator[FloatArray]:
    qmc = _needed("scipy.stats.qmc", "scipy", "sobol")
    sequence = qmc.Sobol(dimensions, scramble=True, rng=seed)
    while True:
        yield from sequence.random(2 ** max(1, math.ceil(math.log2(wanted))))


def _distinct(axes: list[Axis], points: Iterator[FloatArray], wanted: int) -> list[dict[str, Any]]:
    """Take points until so many different sets are found, or no new one turns up any more."""
    found: dict[Any, dict[str, Any]] = {}
    idle = 0
    for point in points:
        one = {axis.name: axis.at(share) for axis, share in zip(axes, point.tolist())}
        before = len(found)
        found.setdefault(tuple(map(repr, one.values())), one)
        idle = 0 if len(found) > before else idle + 1
        if len(found) >= wanted or idle > _TRIES * max(len(found), 10):
            break
    return list(found.values())


def _by_optuna(
    axes: list[Axis],
    wanted: int,
    metric: str,
    seed: int,
    batch: int,
    evaluate: Callable[[list[dict[str, Any]]], SweepResult],
    progress: Progress | None,
) -> SweepResult:
    optuna = _needed("optuna", "optuna", "optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10 + 2 * len(axes), wanted))
    study = optuna.create_study(sampler=sampler, direction="minimize" if metric in LESS_IS_BETTER else "maximize")
    spread = {
        # By place, so that values of any kind keep their order.
        axis.name: optuna.distributions.FloatDistribution(axis.low, axis.high)
        if axis.choices is None
        else optuna.distributions.IntDistribution(0, len(axis.choices) - 1)
        for axis in axes
    }
    seen: dict[Any, float] = {}
    parts: list[SweepResult] = []
    idle = 0
    while len(seen) < wanted and idle <= _TRIES:
        asked = [study.ask(spread) for _ in range(min(batch, wanted - len(seen)))]
        drawn = [{axis.name: _chosen(axis, one.params[axis.name]) for axis in axes} for one in asked]
        fresh = {_key(one): one for one in drawn if _key(one) not in seen}
        idle = 0 if fresh else idle + 1
        if fresh:
            parts.append(evaluate(list(fresh.values())))
            if metric not in parts[-1].frame.columns:
                raise ConfigError(f"There is no metric {metric!r}; there are: {', '.join(parts[-1].frame.columns)}.")
            seen |= dict(zip(fresh, parts[-1].frame[metric].cast(pl.Float64).to_list()))
        for one, given in zip(asked, drawn):
            value = seen[_key(given)]
            if value is None or math.isnan(value):
                study.tell(one, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(one, value)
        if progress:
            progress(len(seen), wanted)
    return joined_results(parts)


def _chosen(axis: Axis, drawn: Any) -> Any:
    return drawn if axis.choices is None else axis.choices[drawn]


def _key(one: dict[str, Any]) -> Any:
    return tuple(map(repr, one.values()))


def _plain(values: Any) -> Any:
    """Give what was asked for as JSON knows it."""
    if isinstance(values, (np.ndarray, pl.Series)):
        return values.to_list() if isinstance(values, pl.Series) else values.tolist()
    return [one if isinstance(one, (int, float, str, bool, type(None))) else str(one) for one in values]


def _needed(module: str, package: str, method: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            f"The method {method!r} needs the package {package}, which is not installed.",
            hint=f"Install it (pip install {package}), or use the method 'random'.",
        ) from None
