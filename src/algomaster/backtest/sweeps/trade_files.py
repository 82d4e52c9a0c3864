"""All trades of a sweep: kept in memory as records, or streamed into a Parquet file as chunks are done."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from algomaster.backtest.session import KINDS
from algomaster.backtest.sweeps.gathering import TRADE
from algomaster.core.arrays import to_rupees
from algomaster.core.errors import DataError
from algomaster.core.types import MINUTE_NS, PAISE, Record
from algomaster.strategy.steps.contract import REASONS

__all__ = ["KeptTrades", "TradeWriter", "trades_table"]

_TIME: Final = pa.timestamp("ns", "Asia/Kolkata")
_REPEATED: Final = ["set", "session", "leg", "expiry", "right", "exit_reason", "lots"]
"""Columns of few values, which Parquet writes as a dictionary."""
_TEXT: Final = pl.col("right", "exit_reason").cast(pl.String)


class KeptTrades:
    """Trades of all sets, in memory or in a file; turned into a frame only when somebody looks."""

    def __init__(self, parts: Sequence[Record] = (), *, path: Path | None = None) -> None:
        self._parts = parts
        self.path = path

    def frame(self) -> pl.DataFrame:
        """Give all of them: ``set`` (row number) and what a result's trades have."""
        if self.path is not None:
            return self.scan().collect()
        return pl.DataFrame(trades_table(self._parts)).with_columns(_TEXT)

    def scan(self) -> pl.LazyFrame:
        """Give them lazily: of a file only what is asked for is read."""
        if self.path is None:
            return self.frame().lazy()
        if not self.path.exists():
            raise DataError(f"The sweep's trades were written to {self.path}, which is gone.", hint="Run it again.")
        return pl.scan_parquet(self.path).with_columns(_TEXT)


class TradeWriter:
    """Writes trades as they come, a row group a chunk; the file has its name only once it is whole."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._beside = path.with_name(path.name + ".part")
        schema = trades_table([]).schema
        self._writer = pq.ParquetWriter(self._beside, schema, compression="zstd", use_dictionary=_REPEATED)

    def write(self, trades: Record) -> None:
        """Append one chunk's trades."""
        if trades.size:
            self._writer.write_table(trades_table([trades]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._writer.close()
        if kind is None:
            self._beside.replace(self.path)
        else:
            with contextlib.suppress(OSError):
                self._beside.unlink()


def trades_table(parts: Sequence[Record]) -> pa.Table:
    """Give records as an Arrow table in rupees and Indian time, with right and reason as dictionaries."""
    orders = [np.argsort(part["set"], kind="stable") for part in parts]  # they come session by session
    trades = {
        name: np.concatenate([part[name][order] for part, order in zip(parts, orders)] or [np.empty(0, TRADE[name])])
        for name in TRADE.names or ()
    }
    quantity = trades["quantity"].astype(np.int64)
    sign, size = np.sign(quantity), np.abs(quantity)
    pnl = sign * (trades["exit_worth"] - trades["entry_worth"])
    columns: dict[str, Any] = {
        "set": trades["set"].astype(np.int64),
        "session": pa.array(trades["session"]).cast(pa.date32()),
        "leg": trades["leg"].astype(np.int32),
        "expiry": pa.array(trades["expiry"]).cast(pa.date32()),
        "right": pa.DictionaryArray.from_arrays(trades["right"], list(KINDS)),
        "strike": to_rupees(trades["strike"]),
        "quantity": quantity,
        "entry_time": pa.array(trades["entry_minute"] * np.int64(MINUTE_NS)).cast(_TIME),
        "entry_price": trades["entry_worth"] / (size * PAISE),
        "exit_time": pa.array(trades["exit_minute"] * np.int64(MINUTE_NS)).cast(_TIME),
        "exit_price": trades["exit_worth"] / (size * PAISE),
        "exit_reason": pa.DictionaryArray.from_arrays(trades["reason"], list(REASONS)),
        "pnl": to_rupees(pnl),
        "costs": to_rupees(trades["costs"]),
        "net_pnl": to_rupees(pnl - trades["costs"]),
        "lots": (size // trades["lot"]).astype(np.int64),
    }
    return pa.table(columns)
