"""Somebody else's trades as a result: what :func:`algomaster.backtest.replay` gives, from a log."""

from __future__ import annotations

from typing import Any

import polars as pl

from algomaster.performance.result import Result

__all__ = ["from_trades"]


def from_trades(
    trades: Any,
    *,
    underlying: str = "",
    strategy: str = "imported",
    skipped: pl.DataFrame | None = None,
    capital: float | None = None,
) -> Result:
    """Take a log of trades with its own unrounded prices.

    Parameters
    ----------
    trades : polars or pandas DataFrame, or path of a CSV file
        One row a closed leg. Needed: right ("CE"/"PE"), strike, quantity (units, negative = sold), entry_time,
        entry_price, exit_time, exit_price. Used if there: costs (rupees; else 0), session, leg, expiry, exit_reason,
        lots. See :meth:`algomaster.performance.Result.from_trades`.
    underlying, strategy : str
        Names for the report.
    skipped : polars DataFrame, optional
        session, reason: sessions without a trade; they are listed and do not count as sessions.
    capital : float, optional
        Rupees, for CAGR, Calmar and return on capital.

    Returns
    -------
    Result

    Raises
    ------
    DataError
        Columns are missing, or rows cannot be used; all of them are named.

    Examples
    --------
    >>> import polars as pl
    >>> log = pl.DataFrame(
    ...     {
    ...         "right": ["CE"], "strike": [15800], "quantity": [-75], "costs": [40.0],
    ...         "entry_time": ["2021-06-11T09:20"], "entry_price": [104.35],
    ...         "exit_time": ["2021-06-11T15:20"], "exit_price": [91.15],
    ...     }
    ... )
    >>> from_trades(log).metrics["pnl"]
    950.0
    """
    result = Result.from_trades(trades, underlying=underlying, strategy=strategy, skipped=skipped)
    return result if capital is None else result.with_capital(capital)
