"""From a table of quotes (polars, pandas or a dict of arrays) to the arrays of a chain, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from algomaster.core.arrays import as_vector, kind_of
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.inputs import as_right

__all__ = ["Quotes", "add_columns", "read_quotes"]

_YEAR_NS: Final = 365 * 86_400 * 10**9
_MICRO: Final = 1000
_NEEDED: Final = "columns strike, right, t (years) or expiry, and price or bid and ask"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Quotes:
    """Columns of a chain, (n,) in the caller's order, and its expiries, (E,) ascending in time."""

    right: IntArray
    strike: FloatArray
    t: FloatArray
    price: FloatArray
    bid: FloatArray
    ask: FloatArray
    oi: FloatArray
    volume: FloatArray
    forward: FloatArray
    discount: FloatArray
    spot: float
    expiry: IntArray
    years: FloatArray
    labels: tuple[str, ...]
    order: IntArray


def read_quotes(frame: Any, *, spot: float | None, at: Any, expiry_time: str, zone: str) -> Quotes:
    """Check and read a table; see :meth:`algomaster.pricing.Chain.from_frame`."""
    columns = _columns(frame)
    _check_names(columns)
    rows = len(frame["strike"])
    if rows == 0:
        raise ValueError("expected quotes, got a table without rows")
    strike, right = as_vector(frame["strike"], "strike"), as_right(frame["right"])
    t, expiry, years, labels = _times(frame, columns, at=at, expiry_time=expiry_time, zone=zone)
    _no_gaps(strike=np.isnan(strike), right=right == 0)
    numbers = {
        name: as_vector(frame[name], name) if name in columns else np.full(rows, np.nan)
        for name in ("bid", "ask", "oi", "volume", "forward", "discount")
    }
    numbers["bid"], numbers["ask"] = (np.where(numbers[side] > 0.0, numbers[side], np.nan) for side in ("bid", "ask"))
    two_sided = numbers["ask"] >= numbers["bid"]
    middle = np.where(two_sided, 0.5 * (numbers["bid"] + numbers["ask"]), np.nan)
    price = as_vector(frame["price"], "price") if "price" in columns else middle
    order = np.lexsort((right, strike, expiry))
    _no_repeats(expiry[order], strike[order], right[order], labels)
    return Quotes(
        right=right, strike=strike, t=t, price=price, spot=_spot(frame, columns, spot), expiry=expiry, years=years,
        labels=labels, order=order, **numbers,
    )  # fmt: skip


def add_columns(frame: Any, new: Mapping[str, Any]) -> Any:
    """Give the caller's table with further columns, in its kind; columns of the same name are replaced."""
    kind = kind_of(frame)
    if kind == "polars":
        import polars as pl

        return frame.with_columns([pl.Series(name, values) for name, values in new.items()])
    if kind == "pandas":
        return frame.assign(**new)
    return {**{name: frame[name] for name in _columns(frame)}, **new}


def _columns(frame: Any) -> list[str]:
    if kind_of(frame) in {"polars", "pandas"} and hasattr(frame, "columns"):
        return [str(name) for name in frame.columns]
    if isinstance(frame, Mapping):
        return list(frame)
    raise TypeError(f"frame: expected a polars or pandas DataFrame or a dict of arrays, got {type(frame).__name__}")


def _check_names(columns: list[str]) -> None:
    lacking = [name for name in ("strike", "right") if name not in columns]
    lacking += ["t or expiry"] * ("t" not in columns and "expiry" not in columns)
    lacking += ["price or bid and ask"] * ("price" not in columns and not {"bid", "ask"} <= set(columns))
    if lacking:
        hint = " Rename ltp to price if last prices will do." if "ltp" in columns else ""
        raise ValueError(f"frame: expected {_NEEDED}; lacking {', '.join(lacking)} (got {', '.join(columns)}).{hint}")


def _no_gaps(**missing: Any) -> None:
    for name, where in missing.items():
        if where.any():
            raise ValueError(f"{name}: expected one in every row, missing in {int(where.sum())}; drop such rows first")


def _no_repeats(expiry: IntArray, strike: FloatArray, right: IntArray, labels: tuple[str, ...]) -> None:
    same = (np.diff(expiry) == 0) & (np.diff(strike) == 0.0) & (np.diff(right) == 0)
    if same.any():
        i = int(np.flatnonzero(same)[0])
        contract = f"{labels[expiry[i]]} {strike[i]:g} {'CE' if right[i] > 0 else 'PE'}"
        raise ValueError(
            f"frame: expected one row a contract, got several of {contract} ({int(same.sum())} rows too many); a chain "
            "is one moment: filter on its time, or keep the last row of each contract"
        )


def _spot(frame: Any, columns: list[str], spot: float | None) -> float:
    if spot is not None:
        if np.ndim(spot) or not 0.0 < spot < np.inf:
            raise ValueError(f"spot: expected one positive number, got {spot!r}")
        return float(spot)
    if "spot" not in columns:
        return np.nan
    values = as_vector(frame["spot"], "spot")
    known = values[values > 0.0]
    return float(np.median(known)) if known.size else np.nan


# --- times -----------------------------------------------------------------------------------------------------


def _times(
    frame: Any, columns: list[str], *, at: Any, expiry_time: str, zone: str
) -> tuple[FloatArray, IntArray, FloatArray, tuple[str, ...]]:
    """Give t (n,), expiry (n,), years (E,), labels (E,)."""
    given = as_vector(frame["t"], "t") if "t" in columns else None
    if given is not None:
        _no_gaps(t=np.isnan(given))
    if "expiry" not in columns:
        assert given is not None
        years, expiry = np.unique(given, return_inverse=True)
        return given, expiry.astype(np.int64), years, tuple(f"{year:.4f} y" for year in years)
    moments, code, words = _expiries(frame["expiry"], expiry_time=expiry_time, zone=zone)
    if given is None:
        if at is None:
            raise ValueError(
                "at: expected the moment of the quotes beside a column expiry, got None; or give t in years"
            )
        given = ((moments - _moment_ns(at, "at", time(0, 0), zone)) / _YEAR_NS)[code]
        years = (moments - _moment_ns(at, "at", time(0, 0), zone)) / _YEAR_NS
    else:  # t may be business time; where each quote has its own moment, an expiry stands for the mean
        years = np.empty(len(words))
        years[code] = given
        if not np.array_equal(years[code], given):
            years = np.bincount(code, weights=given) / np.bincount(code)
    rank = np.argsort(years, kind="stable")
    place = np.empty_like(rank)
    place[rank] = np.arange(rank.size)
    return given, place[code], years[rank], tuple(words[i] for i in rank)


def _expiries(values: Any, *, expiry_time: str, zone: str) -> tuple[FloatArray, IntArray, list[str]]:
    """Give the moments (E,) in nanoseconds UTC, which of them each row has (n,), and what they are called."""
    close = _clock(expiry_time)
    listed = values.to_list() if hasattr(values, "to_list") else np.asarray(values).ravel().tolist()
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        listed = values.astype("datetime64[us]").tolist()
    found: dict[Any, int] = {}
    code = np.array([found.setdefault(value, len(found)) for value in listed], np.int64)
    moments = np.array([_moment_ns(value, "expiry", close, zone) for value in found], np.float64)
    return moments, code, [_label(value, zone) for value in found]


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f'expiry_time: expected a time of day such as "15:30", got {text!r}') from None


def _as_moment(value: Any, name: str) -> date | datetime:
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            value = value.strip() or None
    if isinstance(value, date) and value == value:  # NaT is a datetime that is not equal to itself
        return value
    raise ValueError(
        f'{name}: expected a date or a moment such as "2025-08-28" or "2025-08-28 10:15", got {value!r}'
        + ("; drop such rows first" if name == "expiry" else "")
    )


def _moment_ns(value: Any, name: str, of_a_date: time, zone: str) -> float:
    """Give a moment in nanoseconds UTC, to the microsecond; a date, or midnight without a zone, means ``of_a_date``."""
    moment = _as_moment(value, name)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, of_a_date)
    elif moment.tzinfo is None and moment.time() == time(0, 0):
        moment = datetime.combine(moment.date(), of_a_date)
    aware = moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment
    passed = aware.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return float((passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds) * _MICRO)


def _label(value: Any, zone: str) -> str:
    moment = _as_moment(value, "expiry")
    if isinstance(moment, datetime):
        local = moment.astimezone(ZoneInfo(zone)) if moment.tzinfo is not None else moment
        return local.date().isoformat()
    return moment.isoformat()
