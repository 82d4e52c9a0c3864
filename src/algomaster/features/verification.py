"""The laws every feature keeps, tried on bars of yours.

1. *bar by bar*: what :func:`~algomaster.features.online` gives is what :func:`~algomaster.features.compute` gave, to
   the bit; also after its state was saved and restored, and when underlyings take turns in one call.
2. *no look-ahead*: with every later bar spoiled or cut off, the values up to then are the same, to the bit.
3. *apart*: two underlyings in one frame are what each is alone.
4. *warm-up*: no value before it is over, and a value right then where the inputs allow one at all.
5. *range*: no value below ``low`` or above ``high``, none infinite.
6. *scale*: multiplying all prices (or volumes) by a power of two changes nothing where the feature says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import polars as pl

from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.features import library
from algomaster.features.batch import compute
from algomaster.features.chain_rows import ABOUT_CHAIN
from algomaster.features.inputs import moments_of, series_of
from algomaster.features.stepping import online

__all__ = ["Broken", "Verdict", "verify"]

_OF_CHAIN: Final = tuple(name for name, about in ABOUT_CHAIN.items() if about.startswith("price"))
_PRICES: Final = ("open", "high", "low", "close", "vwap", "future", "bid", "ask", "peer", *_OF_CHAIN)
_VOLUMES: Final = ("volume",)
_SPOIL: Final = (np.nan, 1e9, 0.0)


@dataclasses.dataclass(frozen=True)
class Broken:
    """One law that a feature broke: where first, and how."""

    feature: str
    law: str
    bar: int
    told: str


@dataclasses.dataclass(frozen=True, repr=False)
class Verdict:
    """What :func:`verify` found.

    Attributes
    ----------
    features : tuple of str
    bars : int
    broken : tuple of Broken
        Empty if every feature kept every law.
    empty : tuple of str
        Features without a single value on these bars, of which little has been shown.
    """

    features: tuple[str, ...]
    bars: int
    broken: tuple[Broken, ...]
    empty: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.broken

    def to_frame(self) -> pl.DataFrame:
        """Give the broken laws as a frame."""
        schema = {"feature": pl.String, "law": pl.String, "bar": pl.Int64, "told": pl.String}
        return pl.DataFrame([dataclasses.asdict(each) for each in self.broken], schema=schema)

    def _table(self) -> list[tuple[str, str]]:
        rows = [(each.feature, f"{each.law}, bar {each.bar}: {each.told}") for each in self.broken]
        rows += [(name, "no value on these bars") for name in self.empty]
        return rows or [("all", "kept every law")]

    def _title(self) -> str:
        return f"Verdict on {len(self.features)} features over {self.bars} bars"

    def __repr__(self) -> str:
        return text_table(self._title(), self._table())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._table())


def verify(names: str | Iterable[str], bars: pl.DataFrame, *, seed: int = 0) -> Verdict:
    """Try the laws of this module on some features.

    Parameters
    ----------
    names : str or sequence of str
        Features, or a preset.
    bars : polars DataFrame
        As for :func:`~algomaster.features.compute`, of one underlying; at least 3 bars, better a few sessions.
    seed : int
        Of the moments at which histories are cut.

    Returns
    -------
    Verdict
        True if no law was broken.
    """
    chosen = library.choose(names)
    if bars.height < 3:
        raise ValueError(f"bars: expected at least 3, got {bars.height}")
    values = _values(bars, chosen)
    rng = np.random.default_rng(seed)
    cuts = sorted({1, bars.height - 1, *(int(cut) for cut in rng.integers(1, bars.height, 4))})
    broken = [
        *_bar_by_bar(bars, chosen, values, cuts),
        *_no_look_ahead(bars, chosen, values, cuts),
        *_apart(bars, chosen, values),
        *_bounds(chosen, values),
        *_warm_up(bars, chosen, values),
        *_scale(bars, chosen, values),
    ]
    empty = tuple(name for n, name in enumerate(chosen) if not np.isfinite(values[n]).any())
    return Verdict(chosen, bars.height, tuple(broken), empty)


def _values(bars: pl.DataFrame, chosen: tuple[str, ...]) -> FloatArray:
    """Give values (F, T)."""
    return np.ascontiguousarray(compute(bars, chosen).select(chosen).to_numpy().T)


def _differences(
    chosen: tuple[str, ...], law: str, told: str, one: FloatArray, two: FloatArray, *, first: int = 0
) -> Iterator[Broken]:
    """Tell for each feature the first bar at which two values differ in a bit (all NaN are one)."""
    same = (one.view(np.int64) == two.view(np.int64)) | (np.isnan(one) & np.isnan(two))
    for n in np.flatnonzero(~same.all(axis=1)):
        at = int(np.argmin(same[n]))
        yield Broken(chosen[n], law, first + at, f"{told}: {one[n, at]!r} and {two[n, at]!r}")


def _rows(bars: pl.DataFrame, inputs: tuple[str, ...]) -> FloatArray:
    """Give bars as rows of numbers (T, C)."""
    return np.ascontiguousarray(series_of(bars, moments_of(bars["ts"]), inputs).T)


def _bar_by_bar(bars: pl.DataFrame, chosen: tuple[str, ...], values: FloatArray, cuts: list[int]) -> Iterator[Broken]:
    live = online(chosen)
    rows = _rows(bars, live.inputs)
    found = np.empty_like(values)
    saved = {}
    for n, row in enumerate(rows):
        if n in cuts:
            saved[n] = live.state()
        found[:, n] = live.update(row)
    yield from _differences(chosen, "bar by bar", "history and live", values, found)
    for cut, state in saved.items():
        again = online(chosen, state=state)
        end = min(cut + 40, len(rows))
        rest = np.array([again.update(row) for row in rows[cut:end]]).T
        yield from _differences(
            chosen, "bar by bar", "before and after a restart", found[:, cut:end].copy(), rest.copy(), first=cut
        )
    yield from _in_turns(chosen, rows, found)


def _in_turns(chosen: tuple[str, ...], rows: FloatArray, found: FloatArray) -> Iterator[Broken]:
    """Let the bars and the same bars with other prices advance together: the first must not see the second."""
    both = online(chosen, underlyings=("one", "other"))
    end = min(len(rows), 400)
    together = np.empty((found.shape[0], end))
    for n, row in enumerate(rows[:end]):
        other = row * 1.25
        other[0] = row[0]
        together[:, n] = both.update(np.stack([row, other]))[0]
    yield from _differences(chosen, "apart", "alone and in turns with another", found[:, :end].copy(), together)


def _no_look_ahead(
    bars: pl.DataFrame, chosen: tuple[str, ...], values: FloatArray, cuts: list[int]
) -> Iterator[Broken]:
    columns = [name for name in bars.columns if name not in {"ts", "underlying"}]
    for n, cut in enumerate(cuts):
        later = pl.int_range(pl.len()) >= cut
        spoiled = bars.with_columns(
            pl.when(later).then(_SPOIL[n % len(_SPOIL)]).otherwise(pl.col(name)).alias(name) for name in columns
        )
        yield from _differences(
            chosen, "no look-ahead", f"with and without what comes after bar {cut - 1}", values[:, :cut].copy(),
            _values(spoiled, chosen)[:, :cut].copy(),
        )  # fmt: skip
        yield from _differences(
            chosen, "no look-ahead", f"with and without bars after {cut - 1}", values[:, :cut].copy(),
            _values(bars[:cut], chosen),
        )  # fmt: skip


def _apart(bars: pl.DataFrame, chosen: tuple[str, ...], values: FloatArray) -> Iterator[Broken]:
    numbers = [name for name in bars.columns if name not in {"ts", "underlying"}]
    one = bars.with_columns(underlying=pl.lit("one"))
    other = bars.with_columns(*((pl.col(name) * 1.25).alias(name) for name in numbers), underlying=pl.lit("other"))
    both = pl.concat([one, other]).sort("ts", maintain_order=True)
    found = compute(both, chosen).filter(pl.col("underlying") == "one").select(chosen).to_numpy().T
    yield from _differences(chosen, "apart", "alone and beside another", values, np.ascontiguousarray(found))


def _bounds(chosen: tuple[str, ...], values: FloatArray) -> Iterator[Broken]:
    for n, name in enumerate(chosen):
        feature = library.get(name)
        wrong = np.isinf(values[n]) | (values[n] < feature.low) | (values[n] > feature.high)
        if wrong.any():
            at = int(np.argmax(wrong))
            yield Broken(name, "range", at, f"{values[n, at]!r} is not within {feature.low} and {feature.high}")


def _warm_up(bars: pl.DataFrame, chosen: tuple[str, ...], values: FloatArray) -> Iterator[Broken]:
    for n, name in enumerate(chosen):
        known = np.isfinite(values[n])
        if known.any() and int(np.argmax(known)) < library.get(name).warm_up:
            at = int(np.argmax(known))
            yield Broken(name, "warm-up", at, f"a value before {library.get(name).warm_up} bars have passed")


def _scale(bars: pl.DataFrame, chosen: tuple[str, ...], values: FloatArray) -> Iterator[Broken]:
    for what, columns, factor in (("price", _PRICES, 4.0), ("volume", _VOLUMES, 8.0)):
        there = [name for name in columns if name in bars.columns]
        if not there:
            continue
        scaled = _values(bars.with_columns(pl.col(name) * factor for name in there), chosen)
        for n, name in enumerate(chosen):
            if what not in library.get(name).same_under:
                continue
            close = np.isclose(scaled[n], values[n], rtol=1e-9, atol=1e-12, equal_nan=True)
            if not close.all():
                at = int(np.argmin(close))
                yield Broken(name, "scale", at, f"{what} times {factor:g}: {values[n, at]!r} became {scaled[n, at]!r}")
