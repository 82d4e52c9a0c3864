"""A folder in which a sweep keeps its finished chunks, so that one that was killed goes on where it was.

``sweep.json`` says which sweep the folder belongs to: strategy with the content of its step, settings of all sets,
sessions, rules, what is kept, version. Each finished chunk is one file named by its sets, written beside and renamed,
so that it is there whole or not at all. The sets that no file covers are run, in chunks of whatever size.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

import algomaster
from algomaster.backtest.sweeps.chunks import Job, Part
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.jit import identity
from algomaster.market.chain_day import Days
from algomaster.strategy.contract import Strategy

__all__ = ["FinishedChunks", "identity_of_sweep"]

_SAID: Final = "sweep.json"
_NAME: Final = re.compile(r"chunk-(\d+)-(\d+)\.npz")


def identity_of_sweep(job: Job, days: Days) -> dict[str, Any]:
    """Give what names a sweep: equal exactly where its numbers must be."""
    return {
        "strategy": job.strategy.name,
        "step": _step(job.strategy),
        "state": str(job.strategy.state),
        "sets": len(job.settings),
        "settings": job.settings.content_hash,
        "days": days.fingerprint,
        "fills": job.rules.fills,
        "costs": job.rules.costs,
        "slippage": job.rules.slippage.model_dump(mode="json") if job.rules.slippage else None,
        "kept": list(job.keep),
        "version": algomaster.__version__,
    }


def _step(strategy: Strategy) -> str:
    """Name a step by its content; by its bytecode alone where the JIT is off."""
    try:
        return identity(strategy.step)
    except ValueError as reason:
        raise ConfigError(
            f"A sweep of strategy {strategy.name!r} cannot be resumed: {reason}.",
            hint="Put its step into a file, or leave resume away.",
        ) from None


class FinishedChunks:
    """The chunks of one sweep that are done.

    Raises
    ------
    ConfigError
        The folder holds the chunks of another sweep, or something else altogether.
    """

    def __init__(self, folder: Path, said: dict[str, Any]) -> None:
        self._folder = folder
        self._key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        there = folder / _SAID
        if there.exists():
            before = json.loads(there.read_text())
            if other := [name for name in said if before.get(name) != json.loads(json.dumps(said[name]))]:
                raise ConfigError(
                    f"{folder} holds chunks of another sweep: {', '.join(other)} differ.",
                    hint="Give another folder, or empty this one.",
                )
        elif any(folder.iterdir()):
            raise ConfigError(f"{folder} holds something else than chunks of a sweep.", hint="Give an empty folder.")
        else:
            beside = folder / f"{_SAID}.{os.getpid()}"
            beside.write_text(json.dumps(said, indent=1, sort_keys=True))
            beside.replace(there)

    def ranges(self) -> list[tuple[int, int]]:
        """Give the (first, one behind the last) sets of the finished chunks in order, none of them twice."""
        found = [_NAME.fullmatch(path.name) for path in self._folder.iterdir()]
        taken: list[tuple[int, int]] = []
        for start, stop in sorted((int(m[1]), int(m[2])) for m in found if m):
            if not taken or start >= taken[-1][1]:
                taken.append((start, stop))
        return taken

    def read(self, start: int, stop: int) -> Part:
        """Read a finished chunk."""
        path = self._path(start, stop)
        try:
            with np.load(path) as stored:
                values = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError) as problem:
            raise DataError(f"{path} cannot be read ({problem}).", hint="Delete it: its sets are run again.") from None
        if values.pop("key").item() != self._key:
            raise ConfigError(f"{path} is a chunk of another sweep.", hint="Delete it: its sets are run again.")
        return Part(start, stop, **values)

    def write(self, part: Part) -> None:
        """Keep a finished chunk."""
        path = self._path(part.start, part.stop)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        arrays = {name: value for name, value in part._asdict().items() if name not in ("start", "stop")}
        with beside.open("wb") as file:
            np.savez(file, key=np.array(self._key), **arrays)
        beside.replace(path)

    def _path(self, start: int, stop: int) -> Path:
        return self._folder / f"chunk-{start:09d}-{stop:09d}.npz"


def missing(done: list[tuple[int, int]], sets: int) -> Iterator[tuple[int, int]]:
    """Give the ranges of sets that none of the finished ones covers."""
    at = 0
    for start, stop in [*done, (sets, sets)]:
        if start > at:
            yield at, start
        at = max(at, stop)
