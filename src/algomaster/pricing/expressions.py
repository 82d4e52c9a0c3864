"""Prices, Greeks and implied volatilities as polars expressions; importing this module adds the namespace ``algo``.

``pl.col("right").algo.price("spot", "strike", "t", "vol")`` is :func:`algomaster.pricing.price` of these columns, to
the bit: the namespace gathers its arguments in a struct and calls the function once a batch. The argument that comes
first in the function is the expression itself. Texts name columns, as elsewhere in polars; a constant is ``pl.lit``
or a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import polars as pl

from algomaster.pricing.european import greeks, price
from algomaster.pricing.implied import implied_vol
from algomaster.pricing.kernels.loops import ROWS

__all__ = ["AlgoExpressions"]

_SETTINGS: Final = ("model", "order", "units", "year_days", "on_error")


@pl.api.register_expr_namespace("algo")
class AlgoExpressions:
    """What ``pl.Expr.algo`` is."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def price(self, spot: Any, strike: Any, t: Any, vol: Any, **terms: Any) -> pl.Expr:
        """Price options; the expression is the right. See :func:`algomaster.pricing.price`."""
        columns, settings = _split({"spot": spot, "strike": strike, "t": t, "vol": vol, **terms})

        def work(given: dict[str, Any]) -> pl.Series:
            return pl.Series(price(given.pop("right"), **given, **settings))

        return _apply(self._expr, "right", columns, work, pl.Float64())

    def greeks(self, spot: Any, strike: Any, t: Any, vol: Any, **terms: Any) -> pl.Expr:
        """Give a struct of price and Greeks; the expression is the right. See :func:`algomaster.pricing.greeks`."""
        columns, settings = _split({"spot": spot, "strike": strike, "t": t, "vol": vol, **terms})
        names = ROWS[settings.get("order", 1)]

        def work(given: dict[str, Any]) -> pl.Series:
            found = greeks(given.pop("right"), **given, **settings)
            return pl.DataFrame({name: getattr(found, name) for name in names}).to_struct()

        return _apply(self._expr, "right", columns, work, pl.Struct(dict.fromkeys(names, pl.Float64)))

    def implied_vol(self, right: Any, spot: Any, strike: Any, t: Any, **terms: Any) -> pl.Expr:
        """Give a struct of vol and status; the expression is the price. See :func:`algomaster.pricing.implied_vol`."""
        columns, settings = _split({"right": right, "spot": spot, "strike": strike, "t": t, **terms})

        def work(given: dict[str, Any]) -> pl.Series:
            found = implied_vol(given.pop("price"), **given, **settings)
            return pl.DataFrame({"vol": found.vol, "status": found.status}).to_struct()

        return _apply(self._expr, "price", columns, work, pl.Struct({"vol": pl.Float64, "status": pl.Int64}))


def _split(terms: dict[str, Any]) -> tuple[dict[str, pl.Expr], dict[str, Any]]:
    """Part what may be a column from the settings of the call; ``None`` (a spot that is not needed) is a setting."""
    settings: dict[str, Any] = {name: terms[name] for name in _SETTINGS if name in terms}
    given = {name: value for name, value in terms.items() if name not in settings}
    settings |= {name: value for name, value in given.items() if value is None}
    columns = {
        name: value if isinstance(value, pl.Expr) else pl.col(value) if isinstance(value, str) else pl.lit(value)
        for name, value in given.items()
        if value is not None
    }
    return columns, settings


def _apply(
    expr: pl.Expr,
    own: str,
    columns: dict[str, pl.Expr],
    work: Callable[[dict[str, Any]], pl.Series],
    dtype: pl.DataType,
) -> pl.Expr:
    fields = {own: expr, **columns}
    struct = pl.struct([value.alias(name) for name, value in fields.items()])

    def batch(rows: pl.Series) -> pl.Series:
        return work({name: rows.struct.field(name) for name in fields}).rename(own)

    return struct.map_batches(batch, return_dtype=dtype, is_elementwise=True)
