"""What the store holds: the columns, key and availability rule of every dataset.

Prices are rupees (``Float64``), volatility a fraction, missing is null, never 0. ``ts`` of a bar is its start.
``session`` is the trading day in Asia/Kolkata. A frame that feeds a model or a strategy needs to say when each row
could be used: :func:`with_avail_ts` adds that by the dataset's rule.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from algomaster.core.errors import DataError

__all__ = [
    "DATASETS", "EVERY_UNDERLYING", "INSTRUMENTS", "PARTICIPANT", "RIGHT", "TIMESTAMP", "Dataset", "dataset", "empty",
    "validate", "with_avail_ts",
]  # fmt: skip

TIMESTAMP = pl.Datetime("ns", "UTC")
RIGHT = pl.Enum(["CE", "PE"])
PARTICIPANT = pl.Enum(["Client", "DII", "FII", "Pro"])
"""Who holds: retail and other clients, domestic and foreign institutions, brokers on their own account."""
INSTRUMENTS = ("index_future", "stock_future", "index_call", "index_put", "stock_call", "stock_put")
"""What the exchange counts participants' contracts by; each has columns ``<name>_long`` and ``<name>_short``."""
EVERY_UNDERLYING = "ALL"
"""What stands for the underlying where the exchange adds up all of them."""

_BAR = {"open": pl.Float64(), "high": pl.Float64(), "low": pl.Float64(), "close": pl.Float64()}
_ACTIVITY = {"volume": pl.Int64(), "oi": pl.Int64()}
_BAR_END = pl.col("ts") + pl.duration(minutes=1, time_unit="ns")
_NEXT_MIDNIGHT = (
    (pl.col("session").cast(pl.Datetime("ns")) + pl.duration(days=1, time_unit="ns"))
    .dt.replace_time_zone("Asia/Kolkata")
    .dt.convert_time_zone("UTC")
)
_COLLECTED = pl.max_horizontal("ts", "collected")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """One kind of table in the store.

    Attributes
    ----------
    name : str
    about : str
        What one row is and its units, for people.
    schema : dict
        Column name to polars type, in the order of storage.
    key : tuple of str
        Columns that name a row; two rows of one key are the same observation.
    required : tuple of str
        Columns that may not be null.
    period : {"session", "month", "year"}
        What one Parquet file covers.
    by_underlying : bool
        Whether underlyings have files of their own.
    avail_ts : Expr
        When a row could first be used, from its own columns.
    avail_rule : str
        The same in words.
    """

    name: str
    about: str
    schema: dict[str, pl.DataType]
    key: tuple[str, ...]
    required: tuple[str, ...]
    period: str
    by_underlying: bool = True
    avail_ts: pl.Expr
    avail_rule: str


def _minute(name: str, about: str, extra: dict[str, pl.DataType], *, key: tuple[str, ...], period: str) -> Dataset:
    names = {"underlying": pl.String(), "session": pl.Date(), "ts": TIMESTAMP}
    return Dataset(
        name=name,
        about=about,
        schema={**names, **extra},
        key=("underlying", "ts", *key),
        required=("underlying", "session", "ts", *(column for column in key if name == "option_minute")),
        period=period,
        avail_ts=_BAR_END,
        avail_rule="the end of the bar: ts + 1 minute",
    )


def _participants(name: str, about: str) -> Dataset:
    sides = {f"{each}_{side}": pl.Float64() for each in INSTRUMENTS for side in ("long", "short")}
    names = {"underlying": pl.String(), "session": pl.Date(), "participant": PARTICIPANT}
    return Dataset(
        name=name,
        about=about,
        schema={**names, **sides},
        key=("underlying", "session", "participant"),
        required=("underlying", "session", "participant", *sides),
        period="year",
        avail_ts=_NEXT_MIDNIGHT,
        avail_rule="midnight (Asia/Kolkata) after the session: the exchange publishes in the evening",
    )


_CONTRACT: dict[str, pl.DataType] = {"expiry": pl.Date(), "strike": pl.Float64(), "right": RIGHT}
_GREEKS: dict[str, pl.DataType] = {name: pl.Float64() for name in ("delta", "gamma", "theta", "vega", "rho")}

DATASETS: dict[str, Dataset] = {
    entry.name: entry
    for entry in (
        _minute("index_minute", "One minute of an index (INDIAVIX in points).", {**_BAR}, key=(), period="month"),
        _minute(
            "future_minute",
            "One minute of an index future; expiry is null for a vendor's continuous near-month series. "
            "Volume and open interest in units.",
            {"expiry": pl.Date(), **_BAR, **_ACTIVITY},
            key=("expiry",),
            period="month",
        ),
        _minute(
            "option_minute",
            "One minute of an option contract; bid and ask stand at the end of the bar. "
            "Volume and open interest in units.",
            {**_CONTRACT, **_BAR, "bid": pl.Float64(), "ask": pl.Float64(), **_ACTIVITY},
            key=("expiry", "strike", "right"),
            period="session",
        ),
        Dataset(
            name="contract_eod",
            about="One derivative contract on one day (F&O bhavcopy). Open interest in units, contracts traded in "
            "lots; an untraded contract has null open, high and low. Turnover in rupees.",
            schema={
                "underlying": pl.String(),
                "session": pl.Date(),
                "kind": pl.Enum(["index_future", "index_option", "stock_future", "stock_option"]),
                "expiry": pl.Date(),
                "actual_expiry": pl.Date(),
                "strike": pl.Float64(),
                "right": RIGHT,
                **_BAR,
                "last": pl.Float64(),
                "previous_close": pl.Float64(),
                "settle": pl.Float64(),
                "spot": pl.Float64(),
                "oi": pl.Int64(),
                "oi_change": pl.Int64(),
                "contracts": pl.Int64(),
                "turnover": pl.Float64(),
                "trades": pl.Int64(),
                "lot": pl.Int64(),
            },
            key=("underlying", "session", "kind", "expiry", "strike", "right"),
            required=("underlying", "session", "kind", "expiry"),
            period="session",
            by_underlying=False,
            avail_ts=_NEXT_MIDNIGHT,
            avail_rule="midnight (Asia/Kolkata) after the session: the exchange publishes in the evening",
        ),
        Dataset(
            name="index_eod",
            about="One index on one day. Dividend yield as a fraction; turnover in rupees.",
            schema={
                "underlying": pl.String(),
                "session": pl.Date(),
                **_BAR,
                "volume": pl.Int64(),
                "turnover": pl.Float64(),
                "pe": pl.Float64(),
                "pb": pl.Float64(),
                "dividend_yield": pl.Float64(),
            },
            key=("underlying", "session"),
            required=("underlying", "session", "close"),
            period="year",
            by_underlying=False,
            avail_ts=_NEXT_MIDNIGHT,
            avail_rule="midnight (Asia/Kolkata) after the session: the exchange publishes in the evening",
        ),
        Dataset(
            name="chain_snapshot",
            about="One contract in one snapshot of an option chain: ts is the exchange's time, collected the "
            "collector's. Volume and open interest in contracts (lots), as the exchange's site shows them; "
            "quantities of quotes in units; iv as a fraction; theta per day, vega per volatility point.",
            schema={
                "underlying": pl.String(),
                "session": pl.Date(),
                "ts": TIMESTAMP,
                "collected": TIMESTAMP,
                **_CONTRACT,
                **{name: pl.Float64() for name in ("ltp", "bid", "ask", "bid_qty", "ask_qty")},
                **{name: pl.Float64() for name in ("volume", "oi", "oi_change", "iv", "spot")},
                **_GREEKS,
            },
            key=("underlying", "ts", "expiry", "strike", "right"),
            required=("underlying", "session", "ts", "expiry", "strike", "right"),
            period="session",
            avail_ts=_COLLECTED,
            avail_rule="when it was collected, and not before the exchange's own time",
        ),
        _participants(
            "participant_oi",
            "Open interest of one kind of participant at the end of a session over all underlyings of the exchange's "
            f"equity derivatives (underlying is {EVERY_UNDERLYING!r}). Contracts (lots), long and short apart; some "
            "years' files give fractions.",
        ),
        _participants(
            "participant_volume",
            "Contracts (lots) bought (long) and sold (short) by one kind of participant in a session over all "
            f"underlyings of the exchange's equity derivatives (underlying is {EVERY_UNDERLYING!r}).",
        ),
        Dataset(
            name="tick",
            about="One trade or quote update of an instrument. Quantities in units.",
            schema={
                "underlying": pl.String(),
                "session": pl.Date(),
                "ts": TIMESTAMP,
                "sequence": pl.Int64(),
                **_CONTRACT,
                **{name: pl.Float64() for name in ("ltp", "bid", "ask")},
                **{name: pl.Int64() for name in ("ltq", "bid_qty", "ask_qty", "volume", "oi")},
            },
            key=("underlying", "ts", "sequence", "expiry", "strike", "right"),
            required=("underlying", "session", "ts", "sequence"),
            period="session",
            avail_ts=pl.col("ts"),
            avail_rule="its own moment",
        ),
    )
}


def dataset(name: str) -> Dataset:
    """Give a dataset by name.

    Raises
    ------
    DataError
        There is none of that name.
    """
    if name not in DATASETS:
        raise DataError(f"There is no dataset {name!r}.", hint=f"There are: {', '.join(DATASETS)}.", dataset=name)
    return DATASETS[name]


def empty(name: str) -> pl.DataFrame:
    """Give the dataset's columns without a row."""
    return pl.DataFrame(schema=dataset(name).schema)


def validate(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give ``frame`` as the dataset holds it: its columns in order and type, missing as null, not NaN.

    Parameters
    ----------
    frame : DataFrame
        Columns that may be null may be left out; integers do for floats where nothing is lost.
    name : str
        The dataset.

    Raises
    ------
    DataError
        A column is unknown or lacking, a type does not fit, or a value is missing where it may not.
    """
    kind = dataset(name)
    unknown = [column for column in frame.columns if column not in kind.schema]
    lacking = [column for column in kind.required if column not in frame.columns]
    if unknown or lacking:
        said = [f"unknown {', '.join(unknown)}"] * bool(unknown) + [f"lacking {', '.join(lacking)}"] * bool(lacking)
        raise DataError(
            f"Rows for {name} do not have its columns: {'; '.join(said)}.",
            hint=f"Expected: {', '.join(kind.schema)}; may not be null: {', '.join(kind.required)}.",
        )
    columns = [_column(frame, column, dtype, name) for column, dtype in kind.schema.items()]
    clean = pl.DataFrame(columns)
    nulls = {column: clean[column].null_count() for column in kind.required if clean[column].null_count()}
    if nulls:
        told = ", ".join(f"{column} in {count} rows" for column, count in nulls.items())
        raise DataError(f"Rows for {name} miss values that may not be null: {told}.", hint="Reject such rows first.")
    return clean


def _column(frame: pl.DataFrame, column: str, dtype: pl.DataType, name: str) -> pl.Series:
    if column not in frame.columns:
        return pl.Series(column, [None] * frame.height, dtype=dtype)
    values = frame[column]
    if values.dtype != dtype:
        if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is None and dtype == TIMESTAMP:
            raise DataError(f"{name}.{column}: expected UTC moments, got times without a zone.", hint="Say the zone.")
        try:
            values = values.cast(dtype)
        except pl.exceptions.PolarsError as problem:
            reason = str(problem).splitlines()[0]
            raise DataError(f"{name}.{column}: expected {dtype}, got {values.dtype} ({reason}).") from None
    return values.fill_nan(None) if values.dtype.is_float() else values


def with_avail_ts(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add ``avail_ts``, the UTC moment from which each row could be used, by the dataset's rule."""
    return frame.with_columns(avail_ts=dataset(name).avail_ts)
