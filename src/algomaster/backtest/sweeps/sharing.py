"""Sessions in one file that many processes map into memory, so that each is there once and travels never.

``ChainDay.save`` writes a file an array and keeps each open while it is mapped: 250 sessions would need 7,000 open
files, where a process may have 1,024.
"""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from algomaster.market.chain_day import ChainDay, Days

__all__ = ["arrays_of", "day_from", "open_days", "save_days"]

_ARRAYS: Final = "days.bin"
_INDEX: Final = "days.json"
_ALIGNED: Final = 64


def save_days(days: Days, folder: Path) -> None:
    """Write sessions for :func:`open_days`; nothing is written again where the same ones are there."""
    if (folder / _INDEX).exists() and json.loads((folder / _INDEX).read_text())["fingerprint"] == days.fingerprint:
        return
    index = []
    beside = folder / f"{_ARRAYS}.{os.getpid()}"
    with beside.open("wb") as file:
        for day in days:
            plain, arrays = arrays_of(day)
            places = {}
            for name, array in arrays.items():
                file.write(b"\0" * (-file.tell() % _ALIGNED))
                places[name] = (file.tell(), array.dtype.str, array.shape)
                file.write(np.ascontiguousarray(array).data)
            index.append({"plain": plain, "arrays": places})
    beside.replace(folder / _ARRAYS)
    text = json.dumps({"fingerprint": days.fingerprint, "days": index})
    beside.write_text(text)
    beside.replace(folder / _INDEX)


def open_days(folder: Path) -> Days:
    """Map the sessions of a folder into memory; what a host changes stays its own."""
    index = json.loads((folder / _INDEX).read_text())["days"]
    mapped = np.memmap(folder / _ARRAYS, np.uint8, mode="c").view(np.ndarray)
    return Days(
        [
            day_from(
                one["plain"],
                {
                    name: np.ndarray(tuple(shape), np.dtype(dtype), buffer=mapped, offset=at)
                    for name, (at, dtype, shape) in one["arrays"].items()
                },
            )
            for one in index
        ]
    )


def arrays_of(day: ChainDay) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take a session apart: what JSON can hold, and its arrays."""
    plain: dict[str, Any] = {}
    arrays = {}
    for field in dataclasses.fields(day):
        value = getattr(day, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        else:
            plain[field.name] = value.isoformat() if isinstance(value, date) else value
    return plain | {"tick": int(day.tick), "first_minute": int(day.first_minute)}, arrays


def day_from(plain: dict[str, Any], arrays: dict[str, Any]) -> ChainDay:
    """Put a session together again."""
    return ChainDay(**plain | {"session": date.fromisoformat(plain["session"])}, **arrays)
