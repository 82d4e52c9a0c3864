"""How a sweep is cut: the engine it runs on, the sets of a chunk, and what of it fits the memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from algomaster.backtest.sweeps.chunks import Job, bytes_a_set
from algomaster.backtest.sweeps.engines import ENGINES, Engine, cores
from algomaster.backtest.sweeps.resuming import missing
from algomaster.core.errors import ConfigError
from algomaster.market.chain_day import Days

__all__ = ["Plan", "bytes_of", "plan_of"]

_LEAN: Final = 1024
_RECORDED: Final = 512
"""Sets of a chunk: enough to hide what a call costs, few enough that their buffers stay in a core's cache."""

_BYTES_A_ROW: Final = 1200
"""What a set takes in the result while its metrics are computed: 17 statistics, 45 metrics and their intermediates."""

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Plan(NamedTuple):
    """Engine, sets in a chunk, sets in all, and how many bytes of trades memory may hold (None for any)."""

    engine: Engine
    size: int
    sets: int
    room_for_trades: int | None

    def chunks(self, done: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Cut what is not done yet."""
        return [
            (at, min(at + self.size, stop))
            for start, stop in missing(list(done), self.sets)
            for at in range(start, stop, self.size)
        ]

    def check_trades(self, size: int) -> None:
        """Refuse to hold more trades than the memory allows."""
        if self.room_for_trades is not None and size > self.room_for_trades:
            raise ConfigError(
                f"All trades take more than the {self.room_for_trades:,} bytes that are left of the memory.",
                hint="Give trades a file (--trades FILE): it is written as the sweep goes on.",
            )


def plan_of(
    job: Job,
    days: Days,
    *,
    engine: str,
    workers: int | None,
    chunk: int | None,
    memory: int | str | None,
    share: str | Path | None,
    address: str | None,
    kept_in_memory: bool,
) -> Plan:
    """Check the settings of a sweep's work and cut it.

    Raises
    ------
    ConfigError
        There is no such engine, a number is below 1, or the memory is too small.
    """
    if engine not in ENGINES:
        raise ConfigError(f"Expected engine to be one of {', '.join(ENGINES)}, got {engine!r}.")
    for name, value in (("chunk", chunk), ("workers", workers)):
        if value is not None and value < 1:
            raise ConfigError(f"Expected {name} to be at least 1, got {value}.")
    for name, given, where in (("address", address, "ray"), ("share", share, "joblib")):
        if given is not None and engine != where:
            raise ConfigError(f"Expected {name} with the engine {where!r} only, got the engine {engine!r}.")
    sets = len(job.settings)
    hands = workers or cores()
    size = _RECORDED if job.keep.trades or job.keep.digest else _LEAN
    size = min(chunk or size, size)
    if chunk is None:
        size = max(1, min(size, -(-sets // hands)))
    room = None
    if memory is not None:
        size, room = _fitting(job, days, hands, size, bytes_of(memory))
    place = Engine(engine, hands, address, None if share is None else Path(share))
    return Plan(place, size, sets, room if kept_in_memory else None)


def _fitting(job: Job, days: Days, hands: int, size: int, limit: int) -> tuple[int, int]:
    """Give the sets of a chunk that fit, and the bytes left then."""
    kept = -(-len(job.settings) // job.keep.stride) * len(days) * 12
    rows = len(job.settings) * _BYTES_A_ROW + kept
    each = hands * bytes_a_set(job, len(days), max(day.ts.size for day in days))
    fits = min(size, (limit - rows) // each)
    if fits < 1:
        raise ConfigError(
            f"Expected memory of at least {(rows + each) / 1e6:,.1f} MB for {len(job.settings):,} sets on {hands} "
            f"workers, got {limit / 1e6:,.1f} MB.",
            hint="Give more memory, fewer sets or fewer workers.",
        )
    return fits, limit - rows - fits * each


def bytes_of(size: int | str) -> int:
    """Read bytes: a number, or text such as "2GB", "500 MB", "1.5G" (powers of ten).

    Raises
    ------
    ConfigError
        It is no size.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", str(size).upper())
    if found is None or isinstance(size, bool):
        raise ConfigError(f"Expected memory as bytes or text such as '2GB', got {size!r}.")
    return int(float(found[1]) * _UNITS[found[2]])
