"""What loaders have in common: reading numbers and times out of text, and setting rows aside with a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl

from algomaster.market.schemas import RIGHT

__all__ = [
    "IST", "Check", "Parsed", "either", "index_name", "nameless", "number", "numbers", "on_paise", "sift",
    "uncountable", "unreadable", "utc",
]  # fmt: skip

IST = "Asia/Kolkata"
_NOTHING = ["", "-", "nan", "NaN", "NAN", "null", "NULL", "None", "NA", "N/A"]
_LARGEST = 2.0**53
_HALF_FLOAT32 = 2.0**-24
_PRINTED = 6e-5  # four decimals are printed of a single-precision number

_INDICES = {
    "NIFTY 50": "NIFTY",
    "NIFTY50": "NIFTY",
    "NIFTY": "NIFTY",
    "NIFTY BANK": "BANKNIFTY",
    "BANKNIFTY": "BANKNIFTY",
    "NIFTY FIN SERVICE": "FINNIFTY",
    "NIFTY FINANCIAL SERVICES": "FINNIFTY",
    "NIFTY MIDCAP SELECT": "MIDCPNIFTY",
    "NIFTY MID SELECT": "MIDCPNIFTY",
    "NIFTY NEXT 50": "NIFTYNXT50",
    "INDIA VIX": "INDIAVIX",
    "INDIAVIX": "INDIAVIX",
}
"""Names of an index in files, in capitals and with single blanks, to the exchange's trading symbol."""

Check = tuple[str, pl.Expr, "pl.Expr | str"]
"""A kind of defect, which rows have it, and the reason in words."""


@dataclasses.dataclass
class Parsed:
    """A file's rows ready for the store.

    Attributes
    ----------
    rows : int
        How many rows the file has; each must come out in a frame or in the rejects.
    frames : list of (dataset, DataFrame)
        Each with the dataset's columns and ``_row``, the row it came from.
    rejects : DataFrame
        ``_row``, ``kind``, ``reason``; a row is rejected whole.
    changed : dict
        What was normalised and how many values: the only ways a stored row differs from its source.
    notes : dict
        Other counts worth telling ("a zero that means missing").
    kept : dict
        Kinds of findings about rows that are kept, each with how often it is met and what it is.
    """

    rows: int
    frames: list[tuple[str, pl.DataFrame]]
    rejects: pl.DataFrame
    changed: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: dict[str, int] = dataclasses.field(default_factory=dict)
    kept: dict[str, tuple[int, str]] = dataclasses.field(default_factory=dict)


def number(column: str, dtype: pl.DataType | None = None) -> pl.Expr:
    """Read a column as a number; words for nothing ("-", "nan", blank) and anything unreadable become null."""
    text = pl.col(column).cast(pl.String).str.strip_chars()
    values = pl.when(text.is_in(_NOTHING)).then(None).otherwise(text).cast(pl.Float64, strict=False)
    values = pl.when(values.is_finite()).then(values)
    return values.cast(dtype if dtype is not None else pl.Float64(), strict=False).alias(column)


def numbers(frame: pl.DataFrame, columns: Sequence[str]) -> list[pl.Expr]:
    """Read several columns, leaving those alone that are numbers already (NaN becomes null)."""
    return [
        pl.col(column).cast(pl.Float64).fill_nan(None) if frame[column].dtype.is_numeric() else number(column)
        for column in columns
    ]


def unreadable(frame: pl.DataFrame, columns: Sequence[str]) -> Check:
    """Find rows in which one of the columns holds something that is neither a number nor a word for nothing."""
    spoiled = []
    for column in columns:
        text = pl.col(column).cast(pl.String).str.strip_chars()
        if frame[column].dtype.is_numeric():
            bad = pl.col(column).is_infinite()
        else:
            bad = text.is_not_null() & ~text.is_in(_NOTHING) & number(column).is_null()
        spoiled.append(pl.when(bad).then(pl.format("{} is {}", pl.lit(column), text)))
    reason = pl.coalesce(*spoiled, pl.lit(None, pl.String))
    return "unparseable", reason.is_not_null(), pl.format("not a number: {}", reason)


def uncountable(columns: Sequence[str]) -> Check:
    """Find rows in which a quantity is not whole, or too large to be told from its neighbours as a float."""
    values = [(column, pl.col(column)) for column in columns]
    spoiled = [
        pl.when((value != value.floor()) | (value.abs() >= _LARGEST)).then(pl.format("{} is {}", pl.lit(name), value))
        for name, value in values
    ]
    reason = pl.coalesce(*spoiled, pl.lit(None, pl.String))
    return "bad_quantity", reason.is_not_null(), pl.format("not a whole number that can be kept: {}", reason)


def nameless(column: str) -> Check:
    """Find rows without a symbol."""
    return "unknown_symbol", pl.col(column).fill_null("") == "", "no symbol"


def sift(frame: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into good ones and rejects; the first check that a row fails names its reason."""
    fails = [(kind, bad.fill_null(True), pl.lit(why) if isinstance(why, str) else why) for kind, bad, why in checks]
    judged = frame.with_columns(
        _kind=pl.coalesce(*(pl.when(bad).then(pl.lit(kind)) for kind, bad, _ in fails)),
        _reason=pl.coalesce(*(pl.when(bad).then(why.fill_null(pl.lit(kind))) for kind, bad, why in fails)),
    )
    good = judged.filter(pl.col("_kind").is_null()).drop("_kind", "_reason")
    bad = judged.filter(pl.col("_kind").is_not_null())
    return good, bad.select("_row", kind=pl.col("_kind"), reason=pl.col("_reason"))


def utc(local: pl.Expr) -> pl.Expr:
    """Turn naive Indian times into UTC moments in nanoseconds."""
    return local.cast(pl.Datetime("ns")).dt.replace_time_zone(IST).dt.convert_time_zone("UTC")


def either(column: str) -> pl.Expr:
    """Read "CE"/"PE", "C"/"P" or "call"/"put" in any case; anything else is null."""
    first = pl.col(column).cast(pl.String).str.strip_chars().str.to_uppercase()
    call, put = first.is_in(["CE", "C", "CALL"]), first.is_in(["PE", "P", "PUT"])
    return pl.when(call).then(pl.lit("CE")).when(put).then(pl.lit("PE")).cast(RIGHT).alias(column)


def index_name(column: str) -> pl.Expr:
    """Give the exchange's trading symbol of an index written in any of the ways files do."""
    plain = pl.col(column).str.replace_all("%20", " ").str.strip_chars().str.replace_all(r"\s+", " ").str.to_uppercase()
    return plain.replace(_INDICES).alias(column)


def on_paise(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Bring prices that only miss the paisa by the rounding of single or double precision onto it.

    43606.1484 is 43606.15 kept in four bytes; 43606.147 is not. Returns the frame and how many values changed.
    """
    changed = []
    exact = []
    for column in columns:
        value, near = pl.col(column), pl.col(column).round(2)
        noise = (value != near) & ((value - near).abs() <= value.abs() * _HALF_FLOAT32 + _PRINTED)
        exact.append(pl.when(noise).then(near).otherwise(value).alias(column))
        changed.append(noise.sum().alias(column))
    count = sum(value or 0 for value in frame.select(changed).row(0)) if columns else 0
    return (frame.with_columns(exact) if count else frame), int(count)
