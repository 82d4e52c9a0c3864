"""Every error algomaster raises on purpose.

The tree (children by what the caller can do about it)::

    AlgoError
    ├── ConfigError      a setting or parameter is wrong: change it           (exit code 3)
    ├── DataError        market data is missing, broken or unreadable         (exit code 4)
    │   └── FactError    no contract fact or charge is on record for a date   (exit code 5)
    ├── PricingError     a price or volatility cannot be computed             (exit code 6)
    ├── StrategyError    a strategy broke the step contract                   (exit code 7)
    └── CatalogueError   no such entry, or an entry of that name exists       (exit code 3)

Each message says what was expected, what came and what to do. Expected market outcomes (no fill, no contract)
are values in results, never exceptions. Bad arguments of Python functions raise ``ValueError`` or ``TypeError``.
Exit code 1 is a bug of ours (with its traceback), 2 wrong usage of the command line, 10 an import that kept
some rows out (see the rejects file).
"""

from __future__ import annotations

from typing import ClassVar


class AlgoError(Exception):
    """Root of every error raised on purpose.

    Parameters
    ----------
    problem : str
        What was expected and what came, in one sentence.
    hint : str
        What to do next; shown after the problem.
    facts
        The values the message speaks of, kept in ``facts`` for programs.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, hint: str = "", **facts: object) -> None:
        self.problem = problem
        self.hint = hint
        self.facts = facts
        super().__init__(f"{problem} {hint}".strip())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the facts, so that an error survives the way back from a worker process."""
        return _rebuild, (type(self), self.problem, self.hint, self.facts)


def _rebuild(kind: type[AlgoError], problem: str, hint: str, facts: dict[str, object]) -> AlgoError:
    return kind(problem, hint=hint, **facts)


class ConfigError(AlgoError):
    """A setting or parameter is wrong; nothing was changed."""

    exit_code = 3


class CatalogueError(AlgoError):
    """No such entry, or an entry of that name exists already."""

    exit_code = 3


class DataError(AlgoError):
    """Market data is missing, broken or unreadable."""

    exit_code = 4


class FactError(DataError):
    """No contract fact, session or charge is on record for a date: we do not guess."""

    exit_code = 5


class PricingError(AlgoError):
    """A price or a volatility cannot be computed from the input."""

    exit_code = 6


class StrategyError(AlgoError):
    """A strategy broke the step contract (too many orders, an unknown instrument, ...)."""

    exit_code = 7


class AlgoWarning(UserWarning):
    """Root of our warnings, so that a caller can filter them."""


class KernelCacheWarning(AlgoWarning):
    """A kernel is compiled anew: its source is not to be found, its content not stable, or the cache broken."""


class DataWarning(AlgoWarning):
    """Market data is usable but not clean; the quality report has the details."""
