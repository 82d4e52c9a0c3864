"""Series that only features of the chain need: changes within a session and an expiry, memories of whole sessions."""

from __future__ import annotations

from algomaster.features.kernels import changes, daily
from algomaster.features.series import (
    NAN,
    Series,
    choose,
    earlier,
    equal,
    first_of_session,
    fresh,
    given,
    node,
    number_like,
    session_day,
)

__all__ = [
    "change", "change_in_session", "change_since_open", "mean_of_sessions", "rank_among_sessions", "vol_before",
]  # fmt: skip

_NEAR, _NEXT = given("near_expiry"), given("next_expiry")
_EXPIRY_IN_SESSION = session_day() * 100_000.0 + _NEAR
"""One number for session and expiry: days since 1970 have five digits."""


def change_in_session(a: Series, bars: int) -> Series:
    """Give a less a ``bars`` before; NaN where that was in another session."""
    return node(changes.change_of_same, a, session_day(), numbers=(bars,), back=bars)


def change(a: Series, bars: int) -> Series:
    """Give a less a ``bars`` before; NaN where that was in another session or of another expiry."""
    return node(changes.change_of_same, a, _EXPIRY_IN_SESSION, numbers=(bars,), back=bars)


def change_since_open(a: Series) -> Series:
    """Give a less the session's first known a; NaN where that was of another expiry."""
    return (a - first_of_session(a)) / equal(_NEAR, first_of_session(_NEAR))  # by 1, or by 0 which gives NaN


def vol_before(near: Series, later: Series, bars: int = 1) -> Series:
    """Give the nearest expiry's volatility ``bars`` before: where that expiry was the next one then, the next one's."""
    was_next = choose(equal(_NEAR, earlier(_NEXT, bars)), earlier(later, bars), number_like(_NEAR, NAN))
    return choose(equal(_NEAR, earlier(_NEAR, bars)), earlier(near, bars), was_next)


def mean_of_sessions(a: Series, sessions: int) -> Series:
    """Mean over the last finished sessions of each one's sum; NaN until there are so many."""
    begin = (*([0.0] * sessions), 0.0, NAN, NAN)
    return node(daily.mean_of_sessions, a, fresh(), numbers=(sessions,), begin=begin)


def rank_among_sessions(a: Series, sessions: int) -> tuple[Series, Series]:
    """Place of a in the span of the last values of so many finished sessions and its own, and the share below it."""
    begin = (*([0.0] * (2 * sessions)), 0.0, NAN)
    first = node(daily.rank_among_sessions, a, fresh(), numbers=(sessions,), outputs=2, begin=begin)
    return Series(first.node, 0), Series(first.node, 1)
