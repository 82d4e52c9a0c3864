"""Risk of ruin of a sizing policy: what it does with the strategy's own rounds, drawn anew many times.

1. The rounds' results a lot are cut into sessions, and blocks of sessions in a row are drawn with replacement (circular
   block bootstrap: Politis and Romano, "A circular block-resampling procedure for stationary data", 1992), so that bad
   sessions that follow one another stay together.
2. Every path goes through the policy's own kernel (:func:`algomaster.strategy.steps.sizing.lots_for`), round by round.
3. A path is ruined once what it has netted reaches minus the capital.

What it cannot know: losses larger than any in the rounds, margin calls inside a round, a market that has changed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import as_vector
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.render import html_table, rupees, text_table
from algomaster.core.types import PAISE, IntArray, Record
from algomaster.performance.metrics import wilson_interval
from algomaster.performance.ruin_paths import paths
from algomaster.strategy.sizing import SIZING_PARAMS, SIZING_STATE, Sized
from algomaster.strategy.steps.contract import new_state
from algomaster.strategy.steps.sizing import MOST_LOTS

__all__ = ["Ruin", "risk_of_ruin"]

_AT_ONCE: Final = 2_000_000
"""Drawn sessions that are held in memory together."""


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Ruin:
    """What became of many paths of one policy.

    Attributes
    ----------
    probability, standard_error : float
        Share of paths that lost the capital, and its standard error (of the simulation alone).
    low, high : float
        95 % Wilson interval of the share; informative where no path, or every path, was ruined.
    capital : float
        Rupees.
    expected, expected_error : float
        Mean result of a path in rupees, and its standard error.
    median_drawdown : float
        Median over the paths of the deepest fall below an earlier high, in rupees, positive.
    largest : int
        Most lots that any path asked for.
    rounds, sessions, runs, block : int
        Rounds drawn from, sessions of a path, number of paths, sessions in a block.
    policy : str
    """

    probability: float
    standard_error: float
    low: float
    high: float
    capital: float
    expected: float
    expected_error: float
    median_drawdown: float
    largest: int
    rounds: int
    sessions: int
    runs: int
    block: int
    policy: str

    def told(self) -> str:
        """Say the result in one line."""
        percent = f"{100 * self.probability:.2f} % (s.e. {100 * self.standard_error:.2f}"
        if self.probability in {0.0, 1.0}:
            percent += f"; 95 %: {100 * self.low:.2f} to {100 * self.high:.2f}"
        return (
            f"risk of ruin {percent}) over {self.sessions} sessions on {rupees(self.capital)}, sizing {self.policy}; "
            f"expected {rupees(self.expected)}, median worst drawdown {rupees(self.median_drawdown)}, up to "
            f"{self.largest} lots"
        )

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("Probability", f"{100 * self.probability:.2f} % ± {100 * self.standard_error:.2f}"),
            ("95 %", f"{100 * self.low:.2f} % to {100 * self.high:.2f} %"),
            ("Expected result", f"{rupees(self.expected)} ± {rupees(self.expected_error)}"),
            ("Median worst drawdown", rupees(self.median_drawdown)),
            ("Most lots", str(self.largest)),
            ("Paths", f"{self.runs:,} of {self.sessions} sessions, from {self.rounds} rounds, blocks of {self.block}"),
        ]

    def _title(self) -> str:
        return f"Risk of ruin on {rupees(self.capital)}, sizing {self.policy}"

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())


def risk_of_ruin(
    pnl_per_lot: Any,
    sizing: Sized | Mapping[str, Any] | None = None,
    *,
    base: int = 1,
    capital: float | None = None,
    sessions: Any = None,
    horizon: int | None = None,
    margin_per_lot: float | None = None,
    runs: int = 10_000,
    block: int | None = None,
    seed: int = 0,
) -> Ruin:
    """Estimate the probability that a sizing policy loses the capital.

    Parameters
    ----------
    pnl_per_lot : (R,) numbers
        Net result of each round of one lot in rupees, in order.
    sizing : Sized or mapping, optional
        The policy: settings of :class:`algomaster.strategy.sizing.Sized` by name; others are left aside.
    base : int
        Lots of a round before the policy changes them.
    capital : float, optional
        Rupees; by default the policy's own.
    sessions : (R,) integers or dates, optional
        Session of each round, ascending; by default each round is a session.
    horizon : int, optional
        Sessions of a path; by default as many as the rounds have.
    margin_per_lot : float, optional
        Rupees; with it the policy's ``max_margin`` is kept to.
    runs : int
        Paths.
    block : int, optional
        Sessions in a row that are drawn together; by default the cube root of their number.
    seed : int

    Returns
    -------
    Ruin

    Raises
    ------
    DataError
        No round, a result that is no number, or as many sessions as rounds were not given, ascending.
    ConfigError
        A setting is impossible.

    Examples
    --------
    >>> from algomaster.performance import risk_of_ruin
    >>> found = risk_of_ruin([100.0] * 11 + [-100.0] * 9, {"sizing": "martingale"}, capital=2000, horizon=250)
    >>> found.probability > 0.1
    True
    """
    policy = _policy(sizing, capital)
    for name, value in (("base", base), ("runs", runs), ("horizon", horizon), ("block", block)):
        if value is not None and value < 1:
            raise ConfigError(f"Expected {name} to be at least 1, got {value}.")
    pnl = as_vector(pnl_per_lot, "pnl_per_lot")
    if not pnl.size or not np.isfinite(pnl).all():
        raise DataError("Expected the result of at least one round, each a finite number of rupees.")
    first = _firsts(sessions, pnl.size)
    days = first.size - 1
    length = block or max(1, round(days ** (1 / 3)))
    path = horizon or days
    params, room = _params(policy, margin_per_lot)
    paise, money = np.rint(pnl * PAISE).astype(np.int64), round(policy.capital * PAISE)
    drawn = np.random.default_rng(seed)
    blocks = -(-path // length)
    final, fall, most, ruined = (np.zeros(runs, np.int64) for _ in range(4))
    at_once = max(1, _AT_ONCE // blocks)
    for begin in range(0, runs, at_once):
        some = slice(begin, min(begin + at_once, runs))
        starts = drawn.integers(0, days, (some.stop - begin, blocks))
        paths(
            paise, first, starts, length, path, params, new_state(np.dtype(SIZING_STATE)), base, room, money,
            final[some], fall[some], most[some], ruined[some],
        )  # fmt: skip
    share = float(ruined.mean())
    low, high = (float(end) for end in wilson_interval(ruined.sum(), runs))
    return Ruin(
        probability=share,
        standard_error=math.sqrt(share * (1.0 - share) / runs),
        low=low,
        high=high,
        capital=policy.capital,
        expected=float(final.mean()) / PAISE,
        expected_error=float(final.std()) / math.sqrt(runs) / PAISE,
        median_drawdown=float(np.median(fall)) / PAISE,
        largest=int(most.max()),
        rounds=pnl.size,
        sessions=path,
        runs=runs,
        block=length,
        policy=_named(policy),
    )


def _policy(sizing: Sized | Mapping[str, Any] | None, capital: float | None) -> Sized:
    given = sizing.model_dump() if isinstance(sizing, Sized) else dict(sizing or {})
    known = {name: value for name, value in given.items() if name in Sized.model_fields}
    if not isinstance(sizing, Sized):
        known = given
    return Sized.of(known | ({} if capital is None else {"capital": capital}), what="setting of sizing")


def _named(policy: Sized) -> str:
    if policy.sizing not in {"martingale", "antimartingale"}:
        return policy.sizing
    cap = "" if policy.max_lots is None else f", at most {policy.max_lots} lots"
    steps = "without end" if policy.max_steps is None else f"{policy.max_steps} steps"
    return f"{policy.sizing} x {policy.multiplier:g}, {steps}{cap}"


def _firsts(sessions: Any, rounds: int) -> IntArray:
    """Give where each session's rounds begin, and the number of rounds at the end."""
    if sessions is None:
        return np.arange(rounds + 1)
    numbers = np.asarray(sessions)
    if numbers.shape != (rounds,) or bool((numbers[1:] < numbers[:-1]).any()):
        raise DataError(f"Expected the session of each of the {rounds} rounds, ascending, got {numbers.size}.")
    return np.concatenate([[0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1, [rounds]]).astype(np.int64)


def _params(policy: Sized, margin_per_lot: float | None) -> tuple[Record, int]:
    params = np.zeros(1, np.dtype(SIZING_PARAMS))
    policy.pack_sizing(params[0])
    if margin_per_lot is None or policy.max_margin is None:
        return params, MOST_LOTS
    return params, int(policy.max_margin // margin_per_lot)
