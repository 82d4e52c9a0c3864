"""Snapshots of option chains: the exchange's website as wide Parquet, as original JSON, and a long layout with Greeks.

On the website zero prices, quantities and volatilities mean "none"; volatility is in percent; volume and open
interest count contracts (open interest may be a fraction where a lot size was changed). The exchange's own time is
the key: a snapshot collected on a holiday shows the session before, and repeats are the same observation.
"""

from __future__ import annotations

import polars as pl

from algomaster.core.errors import DataError
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import (
    IST,
    Check,
    Parsed,
    either,
    index_name,
    nameless,
    numbers,
    on_paise,
    sift,
    unreadable,
    utc,
)
from algomaster.market.loaders.source import Head, Source
from algomaster.market.schemas import DATASETS

__all__ = ["CHAIN_GREEKS", "CHAIN_JSON", "CHAIN_WEBSITE"]

_SIDE = {
    "OI": "oi", "Chng_in_OI": "oi_change", "Volume": "volume", "IV": "iv", "LTP": "ltp", "Bid_Qty": "bid_qty",
    "Bid_Price": "bid", "Ask_Price": "ask", "Ask_Qty": "ask_qty",
}  # fmt: skip
_JSON_SIDE = {
    "openInterest": "oi", "changeinOpenInterest": "oi_change", "totalTradedVolume": "volume",
    "impliedVolatility": "iv", "lastPrice": "ltp", "bidQty": "bid_qty", "bidprice": "bid", "askPrice": "ask",
    "askQty": "ask_qty", "underlyingValue": "spot",
}  # fmt: skip
_NONE_IF_ZERO = ("iv", "ltp", "bid", "ask", "bid_qty", "ask_qty", "spot")
_PRICES = ("ltp", "bid", "ask", "spot")
_PERCENT = 0.01
_MOMENT = "%d-%b-%Y %H:%M:%S"


def _finish(rows: int, long: pl.DataFrame, broken: list[pl.DataFrame]) -> Parsed:
    """Bring one row a contract (``local``, ``collected`` naive Indian times) to the dataset."""
    checks: list[Check] = [
        nameless("underlying"),
        ("bad_time", pl.col("local").is_null() | pl.col("expiry").is_null(), "a date or time cannot be read"),
        ("bad_contract", pl.col("strike").is_null() | pl.col("right").is_null(), "no strike or right"),
        ("zero_price", pl.any_horizontal(pl.col(name) < 0 for name in _PRICES).fill_null(False), "a negative price"),
        ("expired", pl.col("expiry") < pl.col("local").dt.date(), "the contract expired before"),
    ]
    good, bad = sift(long, checks)
    rejected = bad.unique("_row", keep="first", maintain_order=True)
    good = good.join(rejected, on="_row", how="anti", maintain_order="left")
    zeros = sum(good.select((pl.col(name) == 0).sum() for name in _NONE_IF_ZERO).row(0))
    good = good.with_columns(
        pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in _NONE_IF_ZERO
    ).with_columns(ts=utc(pl.col("local")), collected=utc(pl.col("collected")), iv=pl.col("iv") * _PERCENT)
    good = good.with_columns(session=pl.col("ts").dt.convert_time_zone(IST).dt.date())
    good, changed = on_paise(good, _PRICES)
    columns = [name for name in DATASETS["chain_snapshot"].schema if name in good.columns]
    changes = {"price rounded in single precision, brought to the paisa": changed} if changed else {}
    notes = {"a zero that means none": int(zeros)} if zeros else {}
    rejects = pl.concat([*broken, rejected])
    return Parsed(rows, [("chain_snapshot", good.select("_row", *columns))], rejects, changed=changes, notes=notes)


def _website_sides(frame: pl.DataFrame) -> pl.DataFrame:
    sides = []
    for prefix, right in (("CALLS", "CE"), ("PUTS", "PE")):
        values = {new: pl.col(f"{prefix}_{old}") for old, new in _SIDE.items()}
        side = frame.select(
            "_row", "local", "collected", "expiry", "underlying", "strike",
            right=pl.lit(right, DATASETS["chain_snapshot"].schema["right"]), spot=pl.lit(None, pl.Float64), **values,
        )  # fmt: skip
        sides.append(side.filter(pl.any_horizontal(pl.col(new).fill_null(0) != 0 for new in _SIDE.values())))
    return pl.concat(sides)


def _read_website(source: Source) -> Parsed:
    columns = [f"{prefix}_{name}" for prefix in ("CALLS", "PUTS") for name in _SIDE] + ["Strike_Price"]
    told = [name for name in ("collection_timestamp",) if name in source.head.columns]
    raw = source.table(*columns, "Fetch_Time", "Expiry_Date", "Symbol", *told)
    good, unread = sift(raw.frame, [unreadable(raw.frame, columns)])
    collected = pl.col("collection_timestamp") if told else pl.lit(None, pl.String)
    good = good.with_columns(
        *numbers(good, columns),
        local=pl.col("Fetch_Time").str.to_datetime(_MOMENT, time_unit="ns", strict=False),
        collected=collected.str.to_datetime("%Y%m%d_%H%M%S", time_unit="ns", strict=False),
        expiry=pl.col("Expiry_Date").str.to_date("%d-%b-%Y", strict=False),
        underlying=pl.col("Symbol"),
    ).with_columns(index_name("underlying"), strike=pl.col("Strike_Price"))
    long = _website_sides(good)
    nothing = good.join(long, on="_row", how="anti").select(
        "_row", kind=pl.lit("empty_row"), reason=pl.lit("nothing quoted, traded or open on either side")
    )
    return _finish(raw.rows, long.sort("_row", maintain_order=True), [raw.broken, unread, nothing])


def _read_greeks(source: Source) -> Parsed:
    greeks = ["delta", "gamma", "theta", "vega", "rho"]
    columns = ["strike", "spot", "ltp", "volume", "oi", "oi_chg", "iv", *greeks]
    raw = source.table("timestamp", "symbol", "expiry", "option_type", *columns)
    good, unread = sift(raw.frame, [unreadable(raw.frame, columns)])
    long = good.with_columns(
        *numbers(good, columns),
        either("option_type"),
        local=pl.col("timestamp").cast(pl.String).str.to_datetime("%Y%m%d%H%M", time_unit="ns", strict=False),
        expiry=pl.col("expiry").str.to_date("%d-%b-%Y", strict=False),
        underlying=pl.col("symbol"),
    ).with_columns(index_name("underlying"), collected=pl.col("local"))
    long = long.rename({"option_type": "right", "oi_chg": "oi_change"}).with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("bid", "ask", "bid_qty", "ask_qty")
    )
    return _finish(raw.rows, long, [raw.broken, unread])


def _is_json(head: Head) -> bool:
    return head.kind == "json" and "records" in head.columns


def _read_json(source: Source) -> Parsed:
    try:
        records = source.json["records"]
        moment, entries = records["timestamp"], records["data"]
        rows = [_entry(place, entry, right) for place, entry in enumerate(entries, 1) for right in ("CE", "PE")]
    except (KeyError, TypeError, AttributeError) as problem:
        hint = "Expected the answer of the exchange's option-chain API: records.data[], records.timestamp."
        raise DataError(f"{source.path} is not such an answer: {problem} (lacking or misplaced).", hint=hint) from None
    schema = {"_row": pl.Int64, "right": pl.String, "underlying": pl.String, "expiry": pl.String, "strike": pl.Float64}
    frame = pl.DataFrame(
        [row for row in rows if row is not None], schema=schema | dict.fromkeys(_JSON_SIDE.values(), pl.Float64),
        strict=False, orient="row",
    )  # fmt: skip
    long = frame.with_columns(
        either("right"),
        index_name("underlying"),
        pl.col("expiry").str.to_date("%d-%b-%Y", strict=False),
        local=pl.lit(moment, pl.String).str.to_datetime(_MOMENT, time_unit="ns", strict=False),
    ).with_columns(collected=pl.col("local"))
    every = pl.DataFrame({"_row": range(1, len(entries) + 1)}, schema={"_row": pl.Int64})
    nothing = every.join(long, on="_row", how="anti").select(
        "_row", kind=pl.lit("empty_row"), reason=pl.lit("neither a call nor a put in the entry")
    )
    return _finish(len(entries), long, [nothing])


def _entry(place: int, entry: dict[str, object], right: str) -> tuple[object, ...] | None:
    side = entry.get(right)
    if not isinstance(side, dict):
        return None
    values = (side.get(name) for name in _JSON_SIDE)
    return place, right, side.get("underlying"), entry.get("expiryDate"), entry.get("strikePrice"), *values


CHAIN_WEBSITE = Loader(
    name="chain_website",
    about="option-chain snapshots of the exchange's website, wide Parquet (Fetch_Time, CALLS_*, PUTS_*)",
    datasets=("chain_snapshot",),
    stamp="moment",
    recognises=lambda head: head.has("Fetch_Time", "Expiry_Date", "Strike_Price", "CALLS_LTP", "PUTS_LTP"),
    read=_read_website,
)
CHAIN_GREEKS = Loader(
    name="chain_greeks",
    about="option-chain snapshots in long layout with volatility and Greeks (timestamp, option_type, spot, ltp, ...)",
    datasets=("chain_snapshot",),
    stamp="moment",
    recognises=lambda head: head.has("timestamp", "symbol", "option_type", "spot", "ltp", "iv", "delta"),
    read=_read_greeks,
)
CHAIN_JSON = Loader(
    name="chain_json",
    about="answer of the exchange's option-chain API, original JSON",
    datasets=("chain_snapshot",),
    stamp="moment",
    recognises=_is_json,
    read=_read_json,
)
