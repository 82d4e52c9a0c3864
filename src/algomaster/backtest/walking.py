"""Walk-forward: choose on one stretch of sessions, trade the next, move on; the stretches traded make one curve.

1. The sessions are cut into folds (:func:`folds_of`): a training window, ``embargo`` sessions that belong to nobody, a
   test window. Rolling windows have one length; anchored ones all begin with the first session.
2. In each fold all sets are swept over the training window alone, and the best by the metric is chosen.
3. The chosen set is replayed over the test window, afresh: no position, no memory, no money made before.
4. The test windows, one after the other, are the out-of-sample result.

No test session lies in its own fold's training window or embargo, and all numbers are those of :func:`sweep` and
:func:`replay` over the same sessions. What is held overnight when a window ends is marked at its last close.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl

from algomaster.backtest.replayer import Progress, replay
from algomaster.backtest.session import days_of
from algomaster.backtest.sweeper import sweep
from algomaster.backtest.sweeps.gridding import Grid, Sets
from algomaster.core.arrays import to_rupees
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import PAISE
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.deflation import trial_variance
from algomaster.performance.metrics import METRICS, summarize, trade_totals
from algomaster.performance.result import Result, write_metric
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Strategy

__all__ = ["Fold", "WalkForward", "folds_of", "walk_forward"]

_FRAMES = ("trades", "fills", "orders", "skipped", "notes", "daily", "prices")
_OF_A_FOLD = ("sessions", "trades", "pnl", "mean_day", "sharpe", "sharpe_se", "max_drawdown")
_SWEPT = ("engine", "workers", "chunk", "memory", "share", "address")
_HEADER = "walk_forward.json"


class Fold(NamedTuple):
    """Places of one fold among the sessions: training and test, each from its first to one behind its last."""

    train: tuple[int, int]
    test: tuple[int, int]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class WalkForward:
    """What a walk-forward chose and what came of it.

    Attributes
    ----------
    strategy, underlying, metric : str
        ``metric`` is what the choices went by.
    folds : polars.DataFrame
        One row a fold: fold, train_first, train_last, test_first, test_last, chosen (row of the grid), the settings of
        the chosen set, and ``train_`` and ``test_`` sessions, trades, pnl, mean_day, sharpe, sharpe_se, max_drawdown.
    result : Result
        The test windows one after the other. ``trials`` is the number of sets that every choice was made among, and the
        deflated Sharpe ratio takes the variance of their Sharpe ratios in the training windows; the choice did not see
        the test sessions, so it errs on the careful side.
    assumptions : dict
    """

    strategy: str
    underlying: str
    metric: str
    folds: pl.DataFrame
    result: Result
    assumptions: dict[str, Any]

    @property
    def efficiency(self) -> float:
        """Average day out of sample over the average day in sample of the chosen sets; NaN without a profit there."""
        weights = self.folds["test_sessions"].to_numpy()
        inside = float(np.average(self.folds["train_mean_day"].to_numpy(), weights=weights))
        outside = float(self.folds["test_pnl"].sum() / weights.sum())
        return outside / inside if inside > 0.0 else float("nan")

    def plot(self) -> Any:
        """Give the plotly figure: the out-of-sample curve with its folds, and each choice before and after."""
        from algomaster.backtest.sweeps.plots import walk_forward_figure

        return walk_forward_figure(self.folds, self.result.daily, metric=self.metric)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON; NaN becomes null."""
        rows = self.folds.with_columns(pl.selectors.float().fill_nan(None), pl.selectors.date().cast(pl.String))
        efficiency = self.efficiency
        return {
            "strategy": self.strategy,
            "underlying": self.underlying,
            "metric": self.metric,
            "folds": rows.to_dicts(),
            "efficiency": None if efficiency != efficiency else efficiency,
            "result": self.result.to_dict(),
            "assumptions": self.assumptions,
        }

    def save(self, folder: str | Path) -> Path:
        """Write the stitched result, as :meth:`Result.save` does, and the folds beside it."""
        path = self.result.save(folder)
        said = {name: getattr(self, name) for name in ("strategy", "underlying", "metric", "assumptions")}
        (Path(path) / _HEADER).write_text(json.dumps(said))
        self.folds.write_parquet(Path(path) / "folds.parquet")
        return Path(path)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        said = Path(folder) / _HEADER
        if not said.exists():
            raise DataError(f"{folder} was not written by a walk-forward.")
        folds = pl.read_parquet(Path(folder) / "folds.parquet")
        return cls(folds=folds, result=Result.load(folder), **json.loads(said.read_text()))

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[str, list[tuple[str, str]]]:
        units = {metric.name: (metric.label, metric.unit) for metric in METRICS}
        shown = ("pnl", "trades", "max_drawdown", "sharpe", "sharpe_se", "trials", "deflated_sharpe")
        values = self.result.metrics
        rows = [
            ("Folds", f"{self.folds.height}, {self.folds['chosen'].n_unique()} different choices by {self.metric}"),
            *((units[name][0], write_metric(values[name], units[name][1])) for name in shown),
            ("Out of sample over in sample, a day", f"{self.efficiency:.2f}"),
        ]
        return f"{self.strategy} on {self.underlying}, walked forward", rows


def walk_forward(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    grid: Grid,
    train: int,
    test: int,
    step: int | None = None,
    anchored: bool = False,
    embargo: int = 0,
    metric: str = "sharpe",
    params: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> WalkForward:
    """Choose settings on past sessions and trade the next ones with them, again and again.

    Parameters
    ----------
    strategy : Strategy or str
    days : Days
    grid : mapping or sequence of mappings
        As for :func:`sweep`.
    train, test : int
        Sessions to choose on (the first window's, where ``anchored``) and to trade after each choice.
    step : int, optional
        Sessions from one fold to the next; by default ``test``, so that every session after the first training is
        tested once. Never less.
    anchored : bool
        Let every training window begin with the first session instead of moving along.
    embargo : int
        Sessions left out between training and test: for strategies that hold overnight, or features that look back.
    metric : str
        The choice goes by it, see :meth:`SweepResult.best`; where it is undefined for all sets (a Sharpe ratio needs
        ten sessions), by profit.
    params : mapping, optional
        Settings that all sets share.
    progress : callable, optional
        Called with (folds done, folds in all).
    how
        Of :func:`sweep` and :func:`replay`: fills, costs, slippage, skip_lists; of the sweeps also engine, workers,
        chunk, memory, share, address.

    Returns
    -------
    WalkForward
        Every test window starts afresh, with no position and nothing remembered.

    Raises
    ------
    ConfigError
        The windows do not fit the sessions, a setting is impossible, or there is no such metric.
    """
    strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
    days = days_of(days)
    sets = Sets.of(grid, params)
    folds = folds_of(len(days), train=train, test=test, step=step, anchored=anchored, embargo=embargo)
    rules = {name: value for name, value in how.items() if name not in _SWEPT}
    rows, results, spreads = [], [], []
    said: dict[str, Any] = {}
    for number, fold in enumerate(folds):
        swept = sweep(strategy, days[slice(*fold.train)], grid=sets, **how)
        if metric not in swept.frame.columns:
            raise ConfigError(f"There is no metric {metric!r}; there are: {', '.join(swept.frame.columns)}.")
        spreads.append(trial_variance(swept.frame["sharpe"].to_numpy()))
        best = swept.frame.with_row_index("set").pipe(_best, swept, metric)
        chosen = int(best["set"])
        results.append(replay(strategy, days[slice(*fold.test)], params=sets.given(chosen), **rules))
        rows.append(_row(number, fold, days, swept.parameters, best, results[-1]))
        said = said or swept.assumptions
        if progress:
            progress(number + 1, len(folds))
    known = [spread for spread in spreads if spread == spread]
    variance = float(np.mean(known)) if known else float("nan")
    walked = {
        "train": train, "test": test, "step": step or test, "anchored": anchored, "embargo": embargo,
        "metric": metric, "folds": len(folds), "start": "every test window starts afresh",
    }  # fmt: skip
    stitched = _stitched(results, len(sets), variance, walked)
    return WalkForward(
        strategy=strategy.name, underlying=days.underlying, metric=metric, folds=pl.DataFrame(rows), result=stitched,
        assumptions=said | {"data": stitched.assumptions["data"], "walk_forward": walked},
    )  # fmt: skip


def folds_of(
    sessions: int, *, train: int, test: int, step: int | None = None, anchored: bool = False, embargo: int = 0
) -> list[Fold]:
    """Cut sessions into folds; the last test window may be shorter than the others.

    Raises
    ------
    ConfigError
        A length is impossible, or there are too few sessions for one fold.
    """
    step = test if step is None else step
    for name, value, least in (("train", train, 1), ("test", test, 1), ("step", step, test), ("embargo", embargo, 0)):
        if value < least:
            why = ", or test windows would overlap" if name == "step" else ""
            raise ConfigError(f"Expected {name} of at least {least} sessions{why}, got {value}.")
    starts = range(train + embargo, sessions, step)
    if not starts:
        raise ConfigError(
            f"Expected more than {train + embargo} sessions for one fold, got {sessions}.", hint="Shorten the training."
        )
    return [
        Fold((0 if anchored else at - embargo - train, at - embargo), (at, min(at + test, sessions))) for at in starts
    ]


def _best(frame: pl.DataFrame, swept: Any, metric: str) -> dict[str, Any]:
    """Give the row of the best set, with its number."""
    numbered = dataclasses.replace(swept, frame=frame)
    found: dict[str, Any] = numbered.best(metric).row(0, named=True)
    return found


def _row(
    number: int, fold: Fold, days: Days, settings: Sequence[str], best: dict[str, Any], out: Result
) -> dict[str, Any]:
    return {
        "fold": number + 1,
        "train_first": days[fold.train[0]].session,
        "train_last": days[fold.train[1] - 1].session,
        "test_first": days[fold.test[0]].session,
        "test_last": days[fold.test[1] - 1].session,
        "chosen": best["set"],
        **{name: best[name] for name in settings},
        **{f"train_{name}": best[name] for name in _OF_A_FOLD},
        **{f"test_{name}": out.metrics[name] for name in _OF_A_FOLD},
    }


def _stitched(results: list[Result], trials: int, variance: float, walked: dict[str, Any]) -> Result:
    """Put the test windows one behind the other: records as they are, equity going on from the window before."""
    frames = {name: pl.concat([getattr(one, name) for one in results]) for name in _FRAMES}
    curves, level = [], 0
    for one in results:
        curve = to_rupees(_paise(one.equity["equity"]) + level)
        curves.append(one.equity.with_columns(pl.Series("equity", curve)))
        level += int(_paise(one.daily["pnl"]).sum())
    equity = pl.concat(curves)
    daily, trades = frames["daily"], frames["trades"]
    metrics = summarize(
        _paise(daily["pnl"]),
        totals=trade_totals(_paise(trades["pnl"]), _paise(trades["costs"])),
        intraday_drawdown_paise=_deepest(_paise(equity["equity"])),
        trials=trials,
        trial_variance=variance,
    )
    last = results[-1].assumptions
    data = last["data"] | {
        "first": results[0].assumptions["data"]["first"],
        "sessions": daily.height,
        "sources": sorted({source for one in results for source in one.assumptions["data"]["sources"]}),
        "fingerprint": _hash([one.assumptions["data"]["fingerprint"] for one in results]),
    }
    hashes = _hash([one.assumptions["params_hash"] for one in results])
    digest = _hash([one.digest for one in results])
    return Result(
        strategy=results[0].strategy, underlying=results[0].underlying, equity=equity,
        metrics=metrics | {"idle_days": int((daily["trades"] == 0).sum())},
        assumptions={k: v for k, v in last.items() if k != "params"}
        | {"trials": trials, "params_hash": hashes, "data": data, "walk_forward": walked},
        digest=digest, fingerprint=int(digest[:16], 16), **frames,
    )  # fmt: skip


def _paise(rupees: pl.Series) -> Any:
    return np.rint(rupees.to_numpy() * PAISE).astype(np.int64)


def _deepest(curve: Any) -> int:
    """Give the deepest fall of a curve, which starts at 0, below an earlier high."""
    high = np.maximum.accumulate(np.maximum(curve, 0))
    return int((high - curve).max()) if curve.size else 0


def _hash(texts: Sequence[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()
