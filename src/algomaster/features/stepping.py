"""Features bar by bar: one call advances the same kernels that run over history."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from algomaster.core.errors import DataError
from algomaster.core.types import FloatArray
from algomaster.features import library
from algomaster.features.batch import programs
from algomaster.features.inputs import moment_of, seconds
from algomaster.features.program import Program
from algomaster.features.tapes import LiveTape

__all__ = ["Online", "online"]


class Online:
    """Features as they become known, of one underlying or of several at once.

    Attributes
    ----------
    names : tuple of str
        In the order of the values.
    inputs : tuple of str
        Series a bar should bring, in the order of a row that is handed over without names.
    underlyings : tuple of str
        Empty for one that needs no name.
    """

    def __init__(self, names: str | Iterable[str], *, underlyings: Iterable[str] = ()) -> None:
        self.names = library.choose(names)
        self.underlyings = tuple(underlyings)
        features = tuple(library.get(name) for name in self.names)
        parts = programs(features)
        wanted = dict.fromkeys(name for program, _ in parts for name in program.inputs if name != "ts")
        self.inputs = ("ts", *wanted)
        self._of = hashlib.sha256("\n".join(f"{each.name} {each.identity}" for each in features).encode()).hexdigest()
        self._count = max(len(self.underlyings), 1)
        self._bars = np.full((len(self.inputs), self._count), np.nan)
        self._one = self._bars[:, 0]
        self._last = -np.inf
        self._runs = [_Run(program, places, self.inputs, self._bars, len(self.names)) for program, places in parts]

    def update(self, bar: Any) -> FloatArray:
        """Advance by one closed bar.

        Parameters
        ----------
        bar : mapping, or numbers in the order of ``inputs``
            ``ts`` is the start of the bar: a time with a zone or nanoseconds UTC in a mapping, seconds UTC in a row.
            What a mapping lacks is missing. For several underlyings a mapping of their names to mappings, or numbers
            (N, C); all bars are of one moment, and an underlying that has none gets a missing one.

        Returns
        -------
        (F,) or (N, F) float64
            The values, NaN where there is none; equal to the bit to those of :func:`~algomaster.features.compute`.

        Raises
        ------
        DataError
            The bar is not after the last one, or bars are of several moments; nothing has changed.
        ValueError
            A row has not as many numbers as there are inputs.
        """
        moment = self._read(bar)
        if not moment > self._last:
            raise DataError(
                f"Expected a bar after the last one, {self._last} s, got one of {moment} s.",
                hint="Hand over each bar once, in order.",
            )
        self._last = moment
        values = np.empty((len(self.names), self._count))
        for run in self._runs:
            run.step(values)
        return values.T if self.underlyings else values[:, 0]

    def _read(self, bar: Any) -> float:
        bars = self._bars
        if type(bar) is np.ndarray and not self.underlyings and bar.shape == self._one.shape:  # the way in a hot loop
            self._one[:] = bar
            return float(bars[0, 0])
        if isinstance(bar, Mapping):
            rows = [bar.get(name, {}) for name in self.underlyings] if self.underlyings else [bar]
            moments = {moment_of(row["ts"]) for row in rows if row.get("ts") is not None}
            if len(moments) != 1:
                raise DataError(f"Expected bars of one moment under 'ts', got {len(moments)}.")
            bars[0] = seconds(moments.pop())
            bars[1:] = [
                [np.nan if (value := row.get(name)) is None else value for row in rows] for name in self.inputs[1:]
            ]
            return float(bars[0, 0])
        shape = (self._count, len(self.inputs)) if self.underlyings else (len(self.inputs),)
        given = np.asarray(bar, dtype=np.float64)
        if given.shape != shape:
            raise ValueError(f"bar: expected numbers {shape} in the order {', '.join(self.inputs)}, got {given.shape}")
        bars[:] = given.T if self.underlyings else given[:, None]
        if self.underlyings and (bars[0] != bars[0, 0]).any():
            raise DataError("Expected bars of one moment, got several.")
        return float(bars[0, 0])

    def state(self) -> bytes:
        """Give everything the next bar depends on, for :func:`online` in another process."""
        arrays: dict[str, Any] = {f"memory{n}": run.tape.memory() for n, run in enumerate(self._runs)}
        file = io.BytesIO()
        np.savez(file, last=np.array([self._last]), of=np.array(self._key), **arrays)
        return file.getvalue()

    @property
    def _key(self) -> str:
        return " ".join((self._of, *self.underlyings))

    def restore(self, state: bytes) -> None:
        """Go on where :meth:`state` was taken.

        Raises
        ------
        DataError
            It was taken of other features or underlyings, or of an older formula of one.
        """
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            if str(saved["of"]) != self._key:
                raise DataError(
                    "The saved state is of other features or underlyings, or of other formulas.",
                    hint="Rebuild it: hand over the earlier bars again.",
                )
            for n, run in enumerate(self._runs):
                run.tape.recall(saved[f"memory{n}"])
            self._last = float(saved["last"][0])

    def __repr__(self) -> str:
        return f"Online({len(self.names)} features of {', '.join(self.underlyings or ('one underlying',))})"


class _Run:
    """One program, its tape, and which of the bars' series it reads."""

    def __init__(
        self, program: Program, places: tuple[int, ...], inputs: tuple[str, ...], bars: FloatArray, width: int
    ) -> None:
        self.tape = LiveTape(program, bars.shape[1])
        first = inputs.index(program.inputs[0]) if program.inputs else 0
        together = inputs[first : first + len(program.inputs)] == program.inputs
        self.series = bars[first : first + len(program.inputs)] if together else bars
        self.pick = None if together else np.array([inputs.index(name) for name in program.inputs])
        self.places = None if places == tuple(range(width)) else np.array(places)
        self.out = np.empty((len(places), bars.shape[1]))

    def step(self, values: FloatArray) -> None:
        series = self.series if self.pick is None else self.series[self.pick]
        if self.places is None:
            self.tape.advance(series, values)
        else:
            self.tape.advance(series, self.out)
            values[self.places] = self.out


def online(names: str | Iterable[str], *, underlyings: Iterable[str] = (), state: bytes | None = None) -> Online:
    """Begin features bar by bar, or go on from a saved state.

    Parameters
    ----------
    names : str or sequence of str
        Features, or a preset.
    underlyings : sequence of str, optional
        Several that advance in one call; otherwise one.
    state : bytes, optional
        What :meth:`Online.state` gave.

    Raises
    ------
    CatalogueError
        There is no such feature.
    DataError
        The state is of other features.
    """
    begun = Online(names, underlyings=underlyings)
    if state is not None:
        begun.restore(state)
    return begun
