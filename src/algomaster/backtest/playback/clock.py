"""Times of a session and the number of its bars that have closed by then."""

from __future__ import annotations

from algomaster.core.errors import ConfigError
from algomaster.market.calendar import format_time, parse_time
from algomaster.market.chain_day import ChainDay

__all__ = ["position_of", "time_of"]


def time_of(chain: ChainDay, at: int) -> str:
    """Say when ``at`` bars have closed: the session's opening for 0."""
    return format_time(int(chain.first_minute) + at)


def position_of(chain: ChainDay, to: int | str) -> int:
    """Give how many bars have closed at a time such as "10:15" (a number is taken as it is).

    Raises
    ------
    ConfigError
        The time is not one, or not of the session.
    """
    span = f"from {time_of(chain, 0)} to {time_of(chain, int(chain.ts.size))}"
    try:
        position = parse_time(to) - int(chain.first_minute) if isinstance(to, str) else int(to)
    except ValueError:
        raise ConfigError(f"Expected a time {span}, got {to!r}.") from None
    if not 0 <= position <= chain.ts.size:
        raise ConfigError(f"Expected a time {span} (0 to {chain.ts.size} bars), got {to}.")
    return position
