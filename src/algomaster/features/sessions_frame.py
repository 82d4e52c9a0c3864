"""From sessions of a chain to the frame of bars that features are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from algomaster.features import library
from algomaster.features.chain_rows import chain_inputs
from algomaster.features.kernels.snapshot_arrays import COLUMNS
from algomaster.market.chain_day import ChainDay

if TYPE_CHECKING:
    import polars as pl

__all__ = ["frame_of_days"]

_CHAIN: Final = frozenset(COLUMNS)
_VOLATILITY: Final = frozenset(COLUMNS[COLUMNS.index("iv_near") :])


def frame_of_days(days: Any, names: Iterable[str]) -> pl.DataFrame:
    """Give sessions as one frame of bars, with the chain's columns if a feature reads any.

    Parameters
    ----------
    days : ChainDay, Days or sequence of ChainDay
        In the order of their dates within each underlying.
    names : iterable of str
        Features that will be computed: what none of them reads is not computed either.

    Returns
    -------
    polars DataFrame
        Rows of :func:`~algomaster.features.chain_inputs`, with a column ``underlying`` where there are several.

    Raises
    ------
    TypeError
        ``days`` are no sessions.
    ValueError
        There are none.
    """
    import polars as pl

    sessions = _sessions(days)
    read = {column for name in names for column in library.get(name).inputs}
    several = len({day.underlying for day in sessions}) > 1
    frames = []
    for day in sessions:
        frame = chain_inputs(day, chain=bool(read & _CHAIN), volatility=bool(read & _VOLATILITY))
        frames.append(frame.with_columns(underlying=pl.lit(day.underlying)) if several else frame)
    return pl.concat(frames)


def _sessions(days: Any) -> Sequence[ChainDay]:
    if isinstance(days, ChainDay):
        return [days]
    wrong = None if isinstance(days, Sequence) and not isinstance(days, str) else type(days).__name__
    if wrong is None:
        wrong = next((type(day).__name__ for day in days if not isinstance(day, ChainDay)), None)
    if wrong is not None:
        raise TypeError(
            f"data: expected a polars or pandas DataFrame of bars, a ChainDay, Days or a list of ChainDay, got {wrong}"
        )
    if not days:
        raise ValueError("data: expected at least one session, got none")
    return list(days)
