"""Times of a session and the number of its bars that have closed by then."""

from __future__ import annotations

import re

from algomaster.core.errors import ConfigError
from algomaster.market.chain_day import ChainDay

__all__ = ["position_of", "time_of"]


def time_of(chain: ChainDay, at: int) -> str:
    """Say when ``at`` bars have closed: the session's opening for 0."""
    minute = int(chain.first_minute) + at
    return f"{minute // 60:02d}:{minute % 60:02d}"


def position_of(chain: ChainDay, to: int | str) -> int:
    """Give how many bars have closed at a time such as "10:15" (a number is taken as it is).

    Raises
    ------
    ConfigError
        The time is not one, or not of the session.
    """
    first, last = time_of(chain, 0), time_of(chain, int(chain.ts.size))
    if isinstance(to, str):
        match = re.fullmatch(r"(\d{1,2}):([0-5]\d)(?::00)?", to.strip())
        if not match:
            raise ConfigError(f"Expected a time from {first} to {last}, got {to!r}.")
        position = int(match[1]) * 60 + int(match[2]) - int(chain.first_minute)
    else:
        position = int(to)
    if not 0 <= position <= chain.ts.size:
        raise ConfigError(f"Expected a time from {first} to {last} (0 to {chain.ts.size} bars), got {to}.")
    return position
