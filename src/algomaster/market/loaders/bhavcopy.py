"""F&O bhavcopy of the exchange: UDiFF (since July 2024) and the old layout with a comma at the end of each line.

Contracts traded are in lots in both (turnover / (strike + premium) is lots times lot size); open interest is in
units. An untraded contract has zero open, high and low and still a close: zeros of prices mean "none".
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import Check, Parsed, either, number, on_paise, sift, uncountable, unreadable
from algomaster.market.loaders.source import Raw, Source
from algomaster.market.schemas import DATASETS

__all__ = ["BHAVCOPY_OLD", "BHAVCOPY_UDIFF"]

_UDIFF = {
    "TckrSymb": "underlying", "TradDt": "session", "FinInstrmTp": "kind", "XpryDt": "expiry",
    "FininstrmActlXpryDt": "actual_expiry", "StrkPric": "strike", "OptnTp": "right", "OpnPric": "open",
    "HghPric": "high", "LwPric": "low", "ClsPric": "close", "LastPric": "last", "PrvsClsgPric": "previous_close",
    "SttlmPric": "settle", "UndrlygPric": "spot", "OpnIntrst": "oi", "ChngInOpnIntrst": "oi_change",
    "TtlTradgVol": "contracts", "TtlTrfVal": "turnover", "TtlNbOfTxsExctd": "trades", "NewBrdLotQty": "lot",
}  # fmt: skip
_OLD = {
    "SYMBOL": "underlying", "TIMESTAMP": "session", "INSTRUMENT": "kind", "EXPIRY_DT": "expiry",
    "STRIKE_PR": "strike", "OPTION_TYP": "right", "OPEN": "open", "HIGH": "high", "LOW": "low", "CLOSE": "close",
    "SETTLE_PR": "settle", "CONTRACTS": "contracts", "VAL_INLAKH": "turnover", "OPEN_INT": "oi",
    "CHG_IN_OI": "oi_change",
}  # fmt: skip
_KINDS = {
    "IDF": "index_future", "IDO": "index_option", "STF": "stock_future", "STO": "stock_option",
    "FUTIDX": "index_future", "OPTIDX": "index_option", "FUTSTK": "stock_future", "OPTSTK": "stock_option",
}  # fmt: skip
_LAKH = 100_000.0
_ABSENT_IF_ZERO = ("open", "high", "low", "close", "last", "previous_close", "settle", "spot", "strike", "lot")
_WHOLE = ("oi", "oi_change", "contracts", "trades", "lot")


def _parsed(raw: Raw, columns: Mapping[str, str], day: str) -> Parsed:
    frame = raw.frame.rename(dict(columns)).select("_row", *columns.values())
    values = [name for name in (*_ABSENT_IF_ZERO, *_WHOLE, "turnover") if name in frame.columns]
    values = list(dict.fromkeys(values))
    dates = [name for name in ("session", "expiry", "actual_expiry") if name in frame.columns]
    good, unread = sift(frame, [unreadable(frame, values)])
    good = good.with_columns(
        *(number(name) for name in values),
        *(pl.col(name).cast(pl.String).str.to_titlecase().str.to_date(day, strict=False) for name in dates),
        either("right"),
        pl.col("kind").replace_strict(_KINDS, default=None).cast(DATASETS["contract_eod"].schema["kind"]),
        pl.col("underlying").str.strip_chars(),
    )
    good, bad = sift(good, [*_checks(), uncountable([name for name in _WHOLE if name in good.columns])])
    zeros = good.select((pl.col(name) == 0).sum() for name in ("open", "close")).sum_horizontal()[0]
    absent = [name for name in _ABSENT_IF_ZERO if name in good.columns]
    good = good.with_columns(pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in absent)
    good, changed = on_paise(good, [name for name in absent if name not in ("lot", "strike")])
    good = good.with_columns(pl.col(name).cast(pl.Int64) for name in _WHOLE if name in good.columns)
    if "actual_expiry" not in good.columns:
        good = good.with_columns(actual_expiry=pl.col("expiry"))
    changes = {"price rounded in single precision, brought to the paisa": changed} if changed else {}
    notes = {"a zero price that means none": int(zeros)} if zeros else {}
    return Parsed(
        raw.rows, [("contract_eod", good)], pl.concat([raw.broken, unread, bad]), changed=changes, notes=notes
    )


def _checks() -> list[Check]:
    option = pl.col("kind").cast(pl.String).str.ends_with("option")
    traded = (pl.col("contracts") > 0) & (pl.col("open") > 0)
    return [
        ("bad_time", pl.col("session").is_null() | pl.col("expiry").is_null(), "a date cannot be read"),
        ("unknown_kind", pl.col("kind").is_null(), "the instrument type is not an index or stock future or option"),
        ("unknown_symbol", pl.col("underlying").is_null() | (pl.col("underlying") == ""), "no symbol"),
        (
            "bad_contract",
            option & (pl.col("right").is_null() | pl.col("strike").is_null() | (pl.col("strike") <= 0)),
            "an option without strike or right",
        ),
        ("bad_quantity", pl.any_horizontal(pl.col("oi", "contracts") < 0), "a quantity is negative"),
        (
            "inconsistent",
            traded & ((pl.col("high") < pl.max_horizontal("open", "low")) | (pl.col("low") > pl.col("open"))),
            pl.format("high {} and low {} do not enclose open {}", "high", "low", "open"),
        ),
        ("expired", pl.col("expiry") < pl.col("session"), pl.format("expiry {} before {}", "expiry", "session")),
    ]


def _read_udiff(source: Source) -> Parsed:
    return _parsed(source.table(*_UDIFF), _UDIFF, "%Y-%m-%d")


def _read_old(source: Source) -> Parsed:
    parsed = _parsed(source.table(*_OLD), _OLD, "%d-%b-%Y")
    rupees = [(name, frame.with_columns(pl.col("turnover") * _LAKH)) for name, frame in parsed.frames]
    return Parsed(parsed.rows, rupees, parsed.rejects, changed=parsed.changed, notes=parsed.notes)


BHAVCOPY_UDIFF = Loader(
    name="bhavcopy_udiff",
    about="F&O bhavcopy, UDiFF layout of 34 columns (csv, csv.zip or Parquet)",
    datasets=("contract_eod",),
    stamp="eod",
    recognises=lambda head: head.has(*_UDIFF, "Sgmt"),
    read=_read_udiff,
)
BHAVCOPY_OLD = Loader(
    name="bhavcopy_old",
    about="F&O bhavcopy, old layout (INSTRUMENT, SYMBOL, EXPIRY_DT, ..., TIMESTAMP and a comma)",
    datasets=("contract_eod",),
    stamp="eod",
    recognises=lambda head: head.kind == "text" and head.has(*_OLD),
    read=_read_old,
)
