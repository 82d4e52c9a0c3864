"""One session of one underlying as dense arrays: what strategies, matching and sweeps read.

Prices of options are integer ticks, those of the index and the future integer paise; what was not traded or not
delivered is :data:`~algomaster.core.types.MISSING`. Bar ``i`` is stamped with its start ``ts[i]`` and knowable at
``ts[i] + 60 s``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from algomaster.core.errors import DataError
from algomaster.core.types import MISSING

__all__ = ["ChainDay", "Days"]

_EPOCH = date(1970, 1, 1)
CHAIN_FIELDS = ("open", "high", "low", "close", "bid", "ask", "volume", "oi")
SERIES_FIELDS = (
    "spot_open", "spot_high", "spot_low", "spot", "future_open", "future_high", "future_low", "future", "vix",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ChainDay:
    """One session as C-ordered arrays; read-only from its first run on (``dataclasses.replace`` gives a changed copy).

    Attributes
    ----------
    underlying : str
    session : date
    ts : (M,) int64
        Bar starts, nanoseconds UTC, one a minute over the whole session (a halt is missing bars, not missing minutes).
    first_minute : int
        Minute of the day (Asia/Kolkata) at which bar 0 starts; 555 is 09:15.
    tick : int
        Paise in one option tick.
    expiries : (E,) int32
        Days since 1970-01-01, ascending.
    strikes : (K,) int64
        Paise, ascending, shared by all expiries (a contract that is not listed is MISSING throughout).
    strike_step : (E,) int64
        Paise between neighbouring strikes around the money.
    lot : (E,) int64
        Units in a lot of each expiry's contracts.
    open, high, low, close : (E, K, 2, M) int32
        Option bars in ticks; right axis 0 is the call, 1 the put.
    bid, ask : (E, K, 2, M) int32
        Best quotes at the bar's end in ticks.
    volume, oi : (E, K, 2, M) int64
        Units traded in the bar; open interest in units at the bar's end.
    spot_open, spot_high, spot_low, spot : (M,) int64
        Index in paise; ``spot`` is the close.
    future_open, future_high, future_low, future : (M,) int64
        Nearest future in paise; ``future`` is the close.
    vix : (M,) int64
        Volatility index at the bar's end in hundredths of a point.
    score : (M,) float64
        A model's 0-100 score knowable at the bar's end, NaN without one.
    features : (M, F) float64
        Feature columns knowable at the bar's end.
    source : str
        Where the bars came from ("simulator seed=7", "store ...").
    """

    underlying: str
    session: date
    ts: NDArray[np.int64]
    first_minute: int
    tick: int
    expiries: NDArray[np.int32]
    strikes: NDArray[np.int64]
    strike_step: NDArray[np.int64]
    lot: NDArray[np.int64]
    open: NDArray[np.int32]
    high: NDArray[np.int32]
    low: NDArray[np.int32]
    close: NDArray[np.int32]
    bid: NDArray[np.int32]
    ask: NDArray[np.int32]
    volume: NDArray[np.int64]
    oi: NDArray[np.int64]
    spot_open: NDArray[np.int64]
    spot_high: NDArray[np.int64]
    spot_low: NDArray[np.int64]
    spot: NDArray[np.int64]
    future_open: NDArray[np.int64]
    future_high: NDArray[np.int64]
    future_low: NDArray[np.int64]
    future: NDArray[np.int64]
    vix: NDArray[np.int64]
    score: NDArray[np.float64]
    features: NDArray[np.float64]
    source: str = ""

    def __post_init__(self) -> None:
        E, K, M = self.expiries.size, self.strikes.size, self.ts.size
        for name in CHAIN_FIELDS:
            _check(self, name, (E, K, 2, M))
        for name in (*SERIES_FIELDS, "score"):
            _check(self, name, (M,))
        for name in ("lot", "strike_step"):
            _check(self, name, (E,))
        _check(self, "features", (M, self.features.shape[-1]))

    @classmethod
    def empty(
        cls,
        *,
        underlying: str,
        session: date,
        ts: NDArray[np.int64],
        first_minute: int,
        tick: int,
        expiries: NDArray[np.int32],
        strikes: NDArray[np.int64],
        strike_step: NDArray[np.int64],
        lot: NDArray[np.int64],
        source: str = "",
    ) -> Self:
        """Give a session in which nothing has been observed; builders fill its arrays in place."""
        E, K, M = expiries.size, strikes.size, ts.size
        chain: dict[str, Any] = {name: np.full((E, K, 2, M), MISSING, _dtype(name)) for name in CHAIN_FIELDS}
        series: dict[str, Any] = {name: np.full(M, MISSING, np.int64) for name in SERIES_FIELDS}
        return cls(
            underlying=underlying, session=session, ts=ts, first_minute=first_minute, tick=tick, expiries=expiries,
            strikes=strikes, strike_step=strike_step, lot=lot, source=source,
            score=np.full(M, np.nan), features=np.empty((M, 0)), **chain, **series,
        )  # fmt: skip

    def freeze(self) -> Self:
        """Make the arrays read-only, as hosts do before a run: no step can change what it reads or is named by."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return self

    @property
    def expiry_dates(self) -> list[date]:
        """Expiries as dates."""
        return [_EPOCH + timedelta(days=int(days)) for days in self.expiries]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything a strategy can see; taking it freezes the arrays."""
        self.freeze()
        digest = hashlib.sha256(json.dumps(self._header(), sort_keys=True).encode())
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                digest.update(f"{field.name}{value.dtype.str}{value.shape}".encode())
                digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write one ``.npy`` a field into ``folder``, so that :meth:`open_folder` can map them into memory."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                np.save(folder / f"{field.name}.npy", value)
        (folder / "day.json").write_text(json.dumps({**self._header(), "source": self.source}))

    @classmethod
    def open_folder(cls, folder: str | Path, *, mmap: bool = True) -> Self:
        """Read what :meth:`save` wrote, by default mapped into memory (changes stay private)."""
        folder = Path(folder)
        header = json.loads((folder / "day.json").read_text())
        header["session"] = date.fromisoformat(header["session"])
        arrays = {path.stem: np.load(path, mmap_mode="c" if mmap else None) for path in folder.glob("*.npy")}
        return cls(**header, **arrays)

    def _header(self) -> dict[str, Any]:
        return {
            "underlying": self.underlying,
            "session": self.session.isoformat(),
            "first_minute": int(self.first_minute),
            "tick": int(self.tick),
        }

    def __repr__(self) -> str:
        E, K, _, M = self.close.shape
        return f"ChainDay({self.underlying} {self.session}: {E} expiries x {K} strikes x {M} minutes)"


def _check(day: ChainDay, name: str, shape: tuple[int, ...]) -> None:
    array = getattr(day, name)
    dtype = _dtype(name)
    if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
        raise ValueError(
            f"ChainDay.{name}: expected a C-contiguous array of shape {shape} and {dtype}, "
            f"got shape {array.shape} and {array.dtype}"
        )


def _dtype(name: str) -> np.dtype[Any]:
    if name in {"score", "features"}:
        return np.dtype(np.float64)
    return np.dtype(np.int32 if name in CHAIN_FIELDS and name not in {"volume", "oi"} else np.int64)


class Days(Sequence[ChainDay]):
    """Sessions of one underlying in order of their date.

    Raises
    ------
    DataError
        The sessions are of several underlyings or not in ascending order.
    """

    def __init__(self, days: Sequence[ChainDay]) -> None:
        self._days = tuple(days)
        for day in self._days:
            if not isinstance(day, ChainDay):
                raise DataError(
                    f"Expected sessions, got {type(day).__name__}.", hint="Load or simulate some days first."
                )
        names = sorted({day.underlying for day in self._days})
        if len(names) > 1:
            raise DataError(f"Expected sessions of one underlying, got {', '.join(names)}.", hint="Load one at a time.")
        for before, after in zip(self._days, self._days[1:]):
            if after.session <= before.session:
                raise DataError(f"Sessions out of order: {after.session} comes after {before.session}.")

    @overload
    def __getitem__(self, index: int) -> ChainDay: ...
    @overload
    def __getitem__(self, index: slice) -> Days: ...
    def __getitem__(self, index: int | slice) -> ChainDay | Days:
        return Days(self._days[index]) if isinstance(index, slice) else self._days[index]

    def __len__(self) -> int:
        return len(self._days)

    def __iter__(self) -> Iterator[ChainDay]:
        return iter(self._days)

    @property
    def underlying(self) -> str:
        """Name of the underlying; empty without sessions."""
        return self._days[0].underlying if self._days else ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the fingerprints of the sessions."""
        return hashlib.sha256("".join(day.fingerprint for day in self._days).encode()).hexdigest()

    def __repr__(self) -> str:
        if not self._days:
            return "Days(none)"
        return f"Days({self.underlying}: {len(self)} sessions {self._days[0].session} to {self._days[-1].session})"
