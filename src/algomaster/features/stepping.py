"""Features bar by bar: one call advances the same kernels that run over history."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from algomaster.core.errors import DataError
from algomaster.core.types import FloatArray
from algomaster.features import library
from algomaster.features.batch import programs
from algomaster.features.inputs import moment_of, seconds
from algomaster.features.program import Program

__all__ = ["Online", "online"]


class Online:
    """Features of one underlying as they become known.

    Attributes
    ----------
    names : tuple of str
        In the order of the values.
    inputs : tuple of str
        Series a bar should bring, in the order of a row that is handed over without names.
    """

    def __init__(self, names: str | Iterable[str]) -> None:
        self.names = library.choose(names)
        self._parts = programs(self.names)
        wanted = dict.fromkeys(name for program, _ in self._parts for name in program.inputs if name != "ts")
        self.inputs = ("ts", *wanted)
        self._row = np.full((len(self.inputs), 1), np.nan)
        self._out = np.empty((len(self.names), 1))
        self._last: float | None = None
        self._runs = [_Run(program, self.inputs, places, len(self.names)) for program, places in self._parts]

    def update(self, bar: Mapping[str, Any] | Sequence[float] | FloatArray) -> FloatArray:
        """Advance by one closed bar.

        Parameters
        ----------
        bar : mapping, or numbers in the order of ``inputs``
            ``ts`` is the start of the bar: a time with a zone or nanoseconds UTC in a mapping, seconds UTC in a row.
            What a mapping lacks is missing.

        Returns
        -------
        (F,) float64
            The values, NaN where there is none; equal to the bit to those of :func:`~algomaster.features.compute`.

        Raises
        ------
        DataError
            The bar is not after the last one; nothing has changed.
        """
        row = self._row
        if isinstance(bar, Mapping):
            known = [bar.get(name) for name in self.inputs]
            ts = seconds(moment_of(known[0])) if known[0] is not None else None
            if ts is None:
                raise DataError("Expected a bar with its start, got none under 'ts'.")
            values = [np.nan if value is None else value for value in known[1:]]
            row[1:, 0] = values
        else:
            if len(bar) != len(self.inputs):
                raise ValueError(f"bar: expected {len(self.inputs)} numbers ({', '.join(self.inputs)}), got {len(bar)}")
            ts = float(bar[0])
            row[:, 0] = bar
        if self._last is not None and not ts > self._last:
            raise DataError(
                f"Expected a bar after {self._last} s, got one of {ts} s.", hint="Hand over each bar once, in order."
            )
        self._last = row[0, 0] = ts
        out = self._out
        for run in self._runs:
            run.step(row, out)
        result: FloatArray = out[:, 0].copy()
        return result

    def state(self) -> bytes:
        """Give everything the next bar depends on, for :func:`online` in another process."""
        arrays: dict[str, Any] = {f"memory{n}": run.tape.memory() for n, run in enumerate(self._runs)}
        arrays["last"] = np.array([np.nan if self._last is None else self._last])
        arrays["of"] = np.array(_version(self.names))
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on where :meth:`state` was taken.

        Raises
        ------
        DataError
            It was taken of other features, or of an older formula of one.
        """
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            if str(saved["of"]) != _version(self.names):
                raise DataError(
                    "The saved state is of other features or of other formulas of them.",
                    hint="Rebuild it: hand over the earlier bars again.",
                )
            for n, run in enumerate(self._runs):
                run.tape.recall(saved[f"memory{n}"])
            last = float(saved["last"][0])
        self._last = None if np.isnan(last) else last

    def __repr__(self) -> str:
        return f"Online({len(self.names)} features of {', '.join(self.inputs)})"


class _Run:
    """One program and its tape."""

    def __init__(self, program: Program, inputs: tuple[str, ...], places: tuple[int, ...], width: int) -> None:
        self.tape = program.tape()
        order = [inputs.index(name) for name in program.inputs]
        self.pick = None if order == list(range(len(inputs))) else np.array(order)
        self.places = None if places == tuple(range(width)) else np.array(places)
        self.out = np.empty((len(places), 1))

    def step(self, row: FloatArray, out: FloatArray) -> None:
        series = row if self.pick is None else row[self.pick]
        if self.places is None:
            self.tape.advance(series, out, 0, 1)
        else:
            self.tape.advance(series, self.out, 0, 1)
            out[self.places] = self.out


def _version(names: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(f"{name} {library.get(name).identity}" for name in names).encode()).hexdigest()


def online(names: str | Iterable[str], *, state: bytes | None = None) -> Online:
    """Begin features bar by bar, or go on from a saved state.

    Parameters
    ----------
    names : str or sequence of str
        Features, or a preset.
    state : bytes, optional
        What :meth:`Online.state` gave.

    Raises
    ------
    CatalogueError
        There is no such feature.
    DataError
        The state is of other features.
    """
    begun = Online(names)
    if state is not None:
        begun.restore(state)
    return begun
