"""What a session would have made had one thing been changed at one bar: both ways run to the end, side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from algomaster.core.render import html_table, rupees, text_table
from algomaster.performance.metrics import METRICS
from algomaster.performance.result import Result, write_metric

if TYPE_CHECKING:
    from algomaster.backtest.playback.stepping import Stepper

__all__ = ["WhatIf", "compared"]

_SHOWN: Final = ("pnl", "gross", "costs", "trades", "wins", "losses", "max_drawdown_intraday")
_SAME: Final = ("exit_time", "exit_price", "exit_reason", "net_pnl", "quantity")
_KEY: Final = ("leg", "expiry", "right", "strike", "entry_time", "entry_price")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class WhatIf:
    """A session as it was, and as it would have been.

    Attributes
    ----------
    at : str
        Time of the change, such as "10:45".
    bar : int
        How many bars had closed.
    change : dict
        Settings and their new values; ``close`` the legs that were left by hand.
    base, other : Result
        Without and with the change.
    notes : tuple of str
        What could not follow the change.
    """

    at: str
    bar: int
    change: dict[str, Any]
    base: Result
    other: Result
    notes: tuple[str, ...]

    @property
    def difference(self) -> float:
        """Rupees that the change would have made more, after costs."""
        return float(_last(self.other) - _last(self.base))

    @property
    def same(self) -> bool:
        """Whether the change would have changed nothing."""
        return self.base.digest == self.other.digest

    @property
    def frame(self) -> pl.DataFrame:
        """One row a metric: metric, base, other."""
        rows = [(name, float(self.base.metrics[name]), float(self.other.metrics[name])) for name in _SHOWN]
        return pl.DataFrame(rows, schema={"metric": pl.String, "base": pl.Float64, "other": pl.Float64}, orient="row")

    @property
    def trades(self) -> pl.DataFrame:
        """Trades that differ: the trade, then exit time, price, reason and net P&L without and with the change.

        ``only`` is "base" or "other" for a trade that the other way does not have, else null.
        """
        left, right = (result.trades.select(*_KEY, *_SAME) for result in (self.base, self.other))
        both = left.join(right, on=_KEY, how="full", suffix="_other", coalesce=True, nulls_equal=True)
        alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_other")) for name in _SAME)
        only = (
            pl.when(pl.col("exit_time_other").is_null())
            .then(pl.lit("base"))
            .when(pl.col("exit_time").is_null())
            .then(pl.lit("other"))
        )
        return both.filter(~alike).with_columns(only=only).sort("entry_time", "leg")

    def plot(self) -> Any:
        """Give the plotly figure of both curves of equity through the session and what lies between them."""
        from algomaster.backtest.playback.plots import what_if_figure

        return what_if_figure(self)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON."""
        times = pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%:z")
        plain = self.trades.with_columns(times, pl.selectors.date().dt.to_string("%Y-%m-%d"))
        return {
            "at": self.at,
            "change": self.change,
            "same": self.same,
            "difference": self.difference,
            "metrics": self.frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts(),
            "trades": plain.with_columns(pl.selectors.float().fill_nan(None)).to_dicts(),
            "notes": list(self.notes),
            "digests": {"base": self.base.digest, "other": self.other.digest},
        }

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        what = ", ".join(f"{name}={value}" for name, value in self.change.items())
        if self.same:
            return f"What if {what} from {self.at} on", [("Changes", "nothing"), *_notes(self.notes)]
        label = {metric.name: (metric.label, metric.unit) for metric in METRICS}
        rows = [
            (label[name][0], f"{write_metric(base, label[name][1])} -> {write_metric(other, label[name][1])}")
            for name, base, other in self.frame.rows()
        ]
        rows += [("Difference", rupees(self.difference)), ("Trades that differ", str(self.trades.height))]
        return f"What if {what} from {self.at} on", [*rows, *_notes(self.notes)]


def compared(base: Stepper, branch: Stepper, change: dict[str, Any], close: str | Sequence[int]) -> WhatIf:
    """Run both to the end of the session and compare them."""
    at, bar, notes = branch.time, branch.at, tuple(branch.notes)
    said = change | ({"close": close if isinstance(close, str) else list(close)} if close else {})
    return WhatIf(at=at, bar=bar, change=said, base=base.finish(), other=branch.finish(), notes=notes)


def _last(result: Result) -> float:
    return float(result.equity["equity"][-1])


def _notes(notes: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("Note", note) for note in notes]
