"""Made-up participant-wise open interest: the four hold each other's contracts, session after session.

DII, FII and Pro walk around a level each (log of the gross contracts, and the share of them that is long, both
reverting); clients take the other side, so that as many contracts are long as short in every instrument.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from algomaster.core.types import FloatArray
from algomaster.market import calendar
from algomaster.market.schemas import EVERY_UNDERLYING, INSTRUMENTS, PARTICIPANT, validate

__all__ = ["simulate_participants"]

_HOLDERS: Final = ("DII", "FII", "Pro")
_GROSS: Final = np.array(
    [
        [60e3, 2e6, 3e4, 6e4, 2e5, 2e5],
        [300e3, 6e6, 1.5e6, 1.5e6, 7e5, 6e5],
        [100e3, 1.5e6, 2.2e6, 2.0e6, 2.5e6, 1.8e6],
    ]
)
"""Contracts long and short together, (holders, instruments): the size they have had since 2024, in round numbers."""
_LONG: Final = np.array(
    [
        [0.70, 0.10, 0.80, 0.90, 0.10, 0.70],
        [0.30, 0.55, 0.45, 0.55, 0.40, 0.55],
        [0.50, 0.60, 0.50, 0.50, 0.40, 0.50],
    ]
)
"""Usual share that is long: domestic funds sell stock futures and covered calls, and buy index puts."""
_OWN: Final = np.array([120e3, 1.5e6, 2.4e6, 2.4e6, 1.2e6, 0.8e6])
"""What clients hold on both sides at once, (instruments,)."""
_STAYS, _MOVES_GROSS, _MOVES_LONG = 0.97, 0.06, 0.15


def simulate_participants(
    sessions: int | Iterable[date], *, seed: int = 0, start: str | date = "2024-01-01"
) -> pl.DataFrame:
    """Make up participant-wise open interest.

    Parameters
    ----------
    sessions : int or iterable of date
        How many sessions from ``start`` on, or the sessions themselves, ascending (``[day.session for day in days]``).
    seed : int
        Equal arguments give equal rows; more sessions only add rows.
    start : str or date
        The first session is the first one on or after it; of no matter when dates are given.

    Returns
    -------
    DataFrame
        Rows of the dataset ``participant_oi``; whole contracts. To store them, say that they are made up:
        ``store.write("participant_oi", frame, replace=False, simulated=True)``.

    Raises
    ------
    ValueError
        A number of sessions below 1, no dates or dates out of order, a negative seed.
    FactError
        The calendar does not reach that far.

    Examples
    --------
    >>> from algomaster import market
    >>> market.simulate_participants(2, seed=7).height
    8
    """
    days = _days(sessions, start)
    if seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed}")
    shape = len(_HOLDERS) + 1, len(INSTRUMENTS)
    steps = np.random.Generator(np.random.Philox(seed)).standard_normal((len(days), 2, *shape))
    size, lean = np.zeros((2, *shape))
    frames = []
    for day, (shock_size, shock_lean) in zip(days, steps):
        size = _STAYS * size + _MOVES_GROSS * shock_size
        lean = _STAYS * lean + _MOVES_LONG * shock_lean
        own, gross = np.rint(_OWN * np.exp(size[0])), _GROSS * np.exp(size[1:])
        share = 1.0 / (1.0 + (1.0 / _LONG - 1.0) * np.exp(-lean[1:]))
        frames.append(_rows(day, own, np.rint(gross * share), np.rint(gross * (1.0 - share))))
    return validate(pl.concat(frames), "participant_oi")


def _rows(day: date, own: FloatArray, long: FloatArray, short: FloatArray) -> pl.DataFrame:
    """Add the clients, who hold what is left over besides their own, and give the four rows of a session."""
    over = short.sum(axis=0) - long.sum(axis=0)
    long = np.vstack([own + np.maximum(over, 0.0), long])
    short = np.vstack([own + np.maximum(-over, 0.0), short])
    sides = {f"{name}_long": long[:, place] for place, name in enumerate(INSTRUMENTS)}
    sides |= {f"{name}_short": short[:, place] for place, name in enumerate(INSTRUMENTS)}
    names = pl.Series("participant", ["Client", *_HOLDERS], dtype=PARTICIPANT)
    frame = pl.DataFrame({"participant": names, **sides})
    return frame.with_columns(underlying=pl.lit(EVERY_UNDERLYING), session=pl.lit(day))


def _days(sessions: int | Iterable[date], start: str | date) -> list[date]:
    if isinstance(sessions, int):
        if sessions < 1:
            raise ValueError(f"sessions: expected at least 1, got {sessions}")
        first = start if isinstance(start, date) else date.fromisoformat(start)
        return [session.date for session in calendar.sessions_from(first, sessions)]
    days = list(sessions)
    if not days or any(after <= before for before, after in itertools.pairwise(days)):
        raise ValueError("sessions: expected dates in ascending order, at least one")
    return days
