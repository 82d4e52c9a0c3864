"""The no-look-ahead law: what a strategy has done by bar ``i`` must not depend on anything after bar ``i``.

1. Replay the strategy on a session and keep its orders, fills and equity (:func:`_trace`).
2. Replace all data after bar ``i``, by missing values and by random ones, all fields at once and each field alone
   (:func:`_poisoned`), and replay again.
3. Orders, fills and equity up to and including bar ``i`` must be the same bytes. A case counts only if an order had
   been placed by then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from algomaster.backtest.replayer import Kept, run_session
from algomaster.backtest.session import FILL_COLUMNS, days_of, prepare
from algomaster.core.render import text_table
from algomaster.core.types import MISSING
from algomaster.execution.ledger import new_account
from algomaster.execution.overnight import new_held
from algomaster.market.chain_day import ChainDay, Days
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Params, Strategy
from algomaster.strategy.steps.contract import Day

__all__ = ["LookAhead", "check_look_ahead"]

KNOWN_BEFORE: Final = (
    "session",
    "first_minute",
    "tick",
    "ts",
    "expiries",
    "strikes",
    "strike_step",
    "lot",
    "years",
    "monthly",
)
FIELDS: Final = tuple(name for name in Day._fields if name not in KNOWN_BEFORE)
"""Everything of a session that becomes known bar by bar: all that a step sees, but for what the exchange announces."""

Poison = Literal["missing", "random"]


@dataclasses.dataclass(frozen=True)
class Case:
    """One poisoned replay."""

    session: str
    bar: int
    field: str
    poison: Poison
    counted: bool
    held: bool


@dataclasses.dataclass(frozen=True, repr=False)
class LookAhead:
    """Outcome of the law for one strategy.

    Attributes
    ----------
    strategy : str
    cases : tuple of Case
        Each poisoned replay; ``counted`` if orders had been placed by its bar, ``held`` if nothing changed.
    """

    strategy: str
    cases: tuple[Case, ...]

    @property
    def counted(self) -> int:
        """Cases in which an order had been placed."""
        return sum(case.counted for case in self.cases)

    @property
    def violations(self) -> tuple[Case, ...]:
        """Cases in which the future changed the past."""
        return tuple(case for case in self.cases if not case.held)

    @property
    def passed(self) -> bool:
        """Whether nothing changed in any case, and some cases counted."""
        return self.counted > 0 and not self.violations

    def __repr__(self) -> str:
        rows = [
            (
                "Verdict",
                "no look-ahead" if self.passed else "LOOKS AHEAD" if self.violations else "no orders, no proof",
            ),
            ("Cases", f"{len(self.cases)}, {self.counted} with orders"),
        ]
        rows += [
            (case.session, f"bar {case.bar}: {case.field} after it made {case.poison}") for case in self.violations[:5]
        ]
        return text_table(f"No-look-ahead law for {self.strategy}", rows)


def check_look_ahead(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    params: Mapping[str, Any] | Params | None = None,
    fills: str = "next_open",
    bars: int = 8,
    seed: int = 0,
) -> LookAhead:
    """Try to catch a strategy looking into the future.

    Parameters
    ----------
    strategy : Strategy or str
    days : Days
        Sessions to try; choose some on which it trades.
    params : mapping, optional
    fills : "next_open" or "decision_close"
    bars : int
        Bars tried a session, up to half of them around its orders, the others anywhere.
    seed : int
        For the random values and bars.

    Returns
    -------
    LookAhead
        ``passed`` is False also if no case counted: a strategy that never trades has proved nothing.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> days = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=11, seed=7)
    >>> backtest.check_look_ahead("straddle", days, bars=2).passed
    True
    """
    strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
    settings = strategy.configure(params)
    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    for chain in days_of(days):
        true = _trace(strategy, chain, settings, fills)
        for i in _bars_to_try(true, chain.ts.size, bars, rng):
            before = _until(true, i)
            for field, poison, poisoned in _poisoned(chain, i, rng):
                after = _until(_trace(strategy, poisoned, settings, fills), i)
                cases.append(
                    Case(chain.session.isoformat(), i, field, poison, counted=before[0] > 0, held=before == after)
                )
    return LookAhead(strategy.name, tuple(cases))


def _trace(strategy: Strategy, chain: ChainDay, params: Params, fills: str) -> Kept:
    record = params.pack()
    session = prepare(chain, fills=fills, costs=False)
    return run_session(strategy, session, record, strategy.init(record), new_account(), new_held())


def _until(trace: Kept, i: int) -> tuple[int, bytes, bytes, bytes]:
    """Orders placed by bar ``i``: their number and bytes, and those of the fills and the equity by then."""
    placed = trace.placed[trace.placed["bar"] <= i]
    filled = trace.fills[trace.fills[:, FILL_COLUMNS.index("bar")] <= i]
    return placed.size, placed.tobytes(), filled.tobytes(), trace.equity[: i + 1].tobytes()


def _bars_to_try(trace: Kept, minutes: int, count: int, rng: np.random.Generator) -> list[int]:
    """Bars around orders and bars anywhere, half and half: one that peeks may trade honestly for hours before."""
    placed = trace.placed["bar"]
    busy = np.unique(np.concatenate([placed, placed - 1, placed + 1]))
    busy = rng.permutation(busy[(busy >= 0) & (busy < minutes - 1)])[: (count + 1) // 2]
    rest = np.setdiff1d(np.arange(minutes - 1), busy)
    return sorted([*busy.tolist(), *rng.permutation(rest)[: count - busy.size].tolist()])


def _poisoned(chain: ChainDay, i: int, rng: np.random.Generator) -> Iterator[tuple[str, Poison, ChainDay]]:
    poisons: tuple[Poison, ...] = ("missing", "random")
    for poison in poisons:
        spoiled = {field: _spoil(getattr(chain, field), i, poison, rng) for field in FIELDS}
        yield "all fields", poison, dataclasses.replace(chain, **spoiled)
        for field, values in spoiled.items():
            if values.size:
                yield field, poison, dataclasses.replace(chain, **{field: values})


def _spoil(values: Any, i: int, poison: str, rng: np.random.Generator) -> Any:
    """Copy an array with everything after bar ``i`` replaced; the bar axis is the last, for features the first."""
    values = values.copy()
    later = values[i + 1 :] if values.ndim == 2 else values[..., i + 1 :]
    whole = values.dtype.kind == "i"
    if poison == "missing":
        later[...] = MISSING if whole else np.nan
    elif whole:
        top = max(int(values.max(initial=1)), 2)
        later[...] = rng.integers(1, 2 * top, later.shape)
    else:
        later[...] = rng.uniform(-200.0, 200.0, later.shape)
    return values
