"""Everything that changes as a session is run, and a copy of it at one bar: what going back and saving rest on."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from algomaster.backtest.playback.walking import AT
from algomaster.core.errors import DataError
from algomaster.core.types import IntArray, Record
from algomaster.execution.ledger import Log, new_log
from algomaster.execution.overnight import Held
from algomaster.strategy.contract import Params
from algomaster.strategy.steps.contract import N_LEGS, N_OPEN, N_ORDERS, N_PLACED, Book, new_book

__all__ = ["Moment", "Run", "from_bytes", "put_back", "take", "to_bytes", "with_room"]


class Run(NamedTuple):
    """The arrays a session is run on, beside those that say what the market did."""

    params: Record
    state: Record
    book: Book
    account: Record
    held: Held
    log: Log
    cursor: IntArray


class Moment(NamedTuple):
    """What a run is at one bar, with its records up to there (equity follows from the fills)."""

    at: int
    settings: Params
    params: Record
    state: Record
    account: Record
    counts: IntArray
    orders: Record
    legs: Record
    open_legs: IntArray
    held: Held
    fills: Record
    placed: Record

    @property
    def room(self) -> int:
        """Room that its records need."""
        return max(self.fills.size, self.placed.size)


_ARRAYS = ("params", "state", "account", "counts", "orders", "legs", "open_legs", "fills", "placed")


def take(run: Run, settings: Params) -> Moment:
    """Copy what the run is now."""
    book, counts = run.book, run.book.counts
    return Moment(
        at=int(run.cursor[AT]),
        settings=settings,
        params=run.params.copy(),
        state=run.state.copy(),
        account=run.account.copy(),
        counts=counts.copy(),
        orders=book.orders[: counts[N_ORDERS]].copy(),
        legs=book.legs[: counts[N_LEGS]].copy(),
        open_legs=book.open_legs[: counts[N_OPEN]].copy(),
        held=Held(*(part.copy() for part in run.held)),
        fills=run.log.fills[: run.log.n_fills[0]].copy(),
        placed=book.log[: counts[N_PLACED]].copy(),
    )


def put_back(run: Run, moment: Moment) -> None:
    """Make the run what it was then; its records must have room for the moment's."""
    run.cursor[AT] = moment.at
    run.params[:], run.state[:], run.account[:] = moment.params, moment.state, moment.account
    run.book.counts[:] = moment.counts
    run.log.n_fills[0] = moment.fills.size
    run.log.fills[: moment.fills.size], run.book.log[: moment.placed.size] = moment.fills, moment.placed
    for array, kept in (
        (run.book.orders, moment.orders), (run.book.legs, moment.legs), (run.book.open_legs, moment.open_legs),
    ):  # fmt: skip
        array[: kept.size] = kept
        array[kept.size :] = np.zeros((), array.dtype)  # a leg is taken into use as a new book has it
    for part, then in zip(run.held, moment.held):
        part[:] = then


def with_room(run: Run, room: int) -> Run:
    """Give the run with empty records that have room for so many fills and orders."""
    book, log = new_book(room), new_log(room, run.log.equity.size)
    log.equity[:] = run.log.equity
    return run._replace(book=book, log=log)


def to_bytes(run: Run, moment: Moment, header: dict[str, Any], changes: list[dict[str, Any]]) -> bytes:
    """Write a moment; ``header`` says of what run it is, ``changes`` what was done to it."""
    said = {"of": header, "at": moment.at, "settings": moment.settings.model_dump(mode="json"), "changes": changes}
    file = io.BytesIO()
    np.savez(
        file,
        header=np.array(json.dumps(said)),
        equity=run.log.equity[: moment.at],
        **{name: getattr(moment, name) for name in _ARRAYS},
        **{f"held_{name}": part for name, part in moment.held._asdict().items()},
    )
    return file.getvalue()


def from_bytes(
    run: Run, data: bytes, header: dict[str, Any], configure: Callable[[dict[str, Any]], Params]
) -> tuple[Run, Moment, list[dict[str, Any]]]:
    """Read what :func:`to_bytes` wrote into a run of the same kind; gives the changes too.

    Raises
    ------
    DataError
        It is of another run, or no such data.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as saved:
            said = json.loads(str(saved["header"]))
            if said["of"] != header:
                differ = [name for name, value in header.items() if said["of"].get(name) != value]
                raise DataError(
                    f"The saved state is of a run with other {', '.join(differ)}.",
                    hint="Restore it into a stepper of the same strategy, settings, rules and session.",
                )
            arrays = {name: saved[name] for name in saved.files if name != "header"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
        raise DataError(f"Expected the state of a stepper, got {len(data)} other bytes ({problem}).") from None
    moment = Moment(
        at=said["at"],
        settings=configure(said["settings"]),
        held=Held(*(arrays[f"held_{name}"] for name in Held._fields)),
        **{name: arrays[name] for name in _ARRAYS},
    )
    run = with_room(run, max(moment.room, run.book.log.size))
    run.log.equity[: moment.at] = arrays["equity"]
    put_back(run, moment)
    return run, moment, said["changes"]
