"""Participants' positions: net, changes, ratios and how unusual they are, from the exchange's daily counts.

1. :func:`positioning` takes rows of ``participant_oi`` (or ``participant_volume``) from a frame or the store.
2. They become arrays (D sessions, 4 participants, 6 instruments), NaN where a participant is missing.
3. Net, changes and ratios are read off those; z-scores compare a session with the ones before it (:func:`trailing_z`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.market.interest.frames import as_polars, pandas_of
from algomaster.market.loading import as_date
from algomaster.market.schemas import INSTRUMENTS, PARTICIPANT, dataset
from algomaster.market.store import Store

__all__ = ["Positioning", "positioning", "trailing_z"]

PARTICIPANTS: Final = tuple(PARTICIPANT.categories)
_DATASETS: Final = {"oi": "participant_oi", "volume": "participant_volume"}
_SIDES: Final = tuple(f"{name}_{side}" for name in INSTRUMENTS for side in ("long", "short"))
_INSTRUMENT: Final = pl.Enum(INSTRUMENTS)
_FUTURE, _STOCK_FUTURE, _CALL, _PUT, _STOCK_CALL, _STOCK_PUT = range(6)
_PICTURES: Final = ("net", "long_short", "options")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Positioning:
    """What each kind of participant holds, session by session, in contracts (lots) over all underlyings.

    Attributes
    ----------
    measure : {"oi", "volume"}
        Open interest at the end of the session, or contracts traded in it (long is bought, short is sold).
    window : int
        Sessions a z-score looks back over, its own included.
    simulated : bool
        Whether the rows are made up.
    frame : polars.DataFrame
        One row a session, participant and instrument: session, avail_ts, participant, instrument, long, short, net
        (long - short), long_change, short_change, net_change, since (the session that changes are measured from: the
        one before it at hand), net_z.
    ratios : polars.DataFrame
        One row a session and participant: session, avail_ts, participant;

        - ``index_future_long_share``, ``stock_future_long_share``: long / (long + short), and
          ``index_future_long_short``, ``stock_future_long_short``: long / short;
        - ``index_call_net``, ``index_put_net``, ``index_option_net`` (call net - put net: above 0 gains from a rise),
          ``stock_option_net``;
        - ``index_put_call``, ``stock_put_call``: puts / calls, long and short together;
        - ``index_future_long_share_change``, ``index_future_long_share_z``, ``index_option_net_z``.

    Missing is null throughout, and so is a ratio of nothing to nothing.
    """

    measure: str
    window: int
    simulated: bool
    frame: pl.DataFrame
    ratios: pl.DataFrame

    def to_frame(self, kind: Literal["frame", "ratios"] = "frame", *, pandas: bool = False) -> Any:
        """Give one of the frames as polars, or as pandas where that is installed."""
        if kind not in ("frame", "ratios"):
            raise ValueError(f"kind: expected 'frame' or 'ratios', got {kind!r}")
        frame: pl.DataFrame = getattr(self, kind)
        return pandas_of(frame) if pandas else frame

    def plot(self, kind: Literal["net", "long_short", "options"] = "net", *, instrument: str = "index_future") -> Any:
        """Draw the positions as a plotly figure.

        Parameters
        ----------
        kind : {"net", "long_short", "options"}
            Net contracts of every participant in an instrument; long and short of it stacked, a panel a participant;
            or net calls and net puts of index options, a panel a participant.
        instrument : str
            Which of ``index_future``, ``stock_future``, ``index_call``, ``index_put``, ``stock_call``, ``stock_put``.
        """
        if kind not in _PICTURES:
            raise ValueError(f"kind: expected one of {', '.join(_PICTURES)}, got {kind!r}")
        if instrument not in INSTRUMENTS:
            raise ValueError(f"instrument: expected one of {', '.join(INSTRUMENTS)}, got {instrument!r}")
        from algomaster.market.interest import plots

        if kind == "options":
            return plots.options_figure(self.ratios)
        chosen = self.frame.filter(pl.col("instrument") == instrument)
        return plots.net_figure(chosen) if kind == "net" else plots.long_short_figure(chosen)

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())

    def _title(self) -> str:
        sessions: list[date] = self.frame["session"].unique().sort().to_list()
        made_up = ", simulated" if self.simulated else ""
        what = "open interest" if self.measure == "oi" else "trading volume"
        return f"Participants' {what}, {len(sessions)} sessions {sessions[0]} to {sessions[-1]}{made_up}"

    def _rows(self) -> list[tuple[str, str]]:
        last = self.frame["session"].max()
        futures = self.frame.filter(pl.col("session") == last, pl.col("instrument") == "index_future")
        ratios = self.ratios.filter(pl.col("session") == last)
        both = futures.join(ratios, on="participant", maintain_order="left")
        return [(row["participant"], _line(row)) for row in both.iter_rows(named=True)]


def positioning(
    data: Any = None,
    *,
    measure: Literal["oi", "volume"] = "oi",
    start: str | date | None = None,
    end: str | date | None = None,
    home: str | Path | None = None,
    window: int = 20,
) -> Positioning:
    """Work out what clients, institutions and brokers hold, from the exchange's participant-wise counts.

    Parameters
    ----------
    data : polars or pandas DataFrame, or Store, optional
        Rows with ``session``, ``participant`` (Client, DII, FII, Pro) and the twelve columns
        ``<instrument>_long``/``_short`` of the dataset; by default what the store at ``home`` holds.
    measure : {"oi", "volume"}
        Open interest (dataset ``participant_oi``) or trading volume (``participant_volume``).
    start, end : date or ISO text, optional
        First and last session, both included.
    home : str, Path, optional
        Where the store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    window : int
        Sessions of a z-score, its own included: (value - mean) / standard deviation (n - 1) of the last so many. Null
        until there are as many, and where they are all equal.

    Returns
    -------
    Positioning
        Of a session nothing depends on later ones. ``avail_ts`` is midnight in India after it.

    Raises
    ------
    DataError
        There are no rows, columns are lacking, a session has two rows of one participant, a participant is unknown, or
        real and simulated sessions are mixed.
    ValueError
        Measure, dates or window are not as described.

    Examples
    --------
    >>> from algomaster import market
    >>> market.positioning(market.simulate_participants(30, seed=7)).ratios.height
    120
    """
    if measure not in _DATASETS:
        raise ValueError(f"measure: expected 'oi' or 'volume', got {measure!r}")
    if window < 2:
        raise ValueError(f"window: expected at least 2 sessions, got {window}")
    name = _DATASETS[measure]
    first, last = (None if day is None else as_date(day, what) for day, what in ((start, "start"), (end, "end")))
    if data is None or isinstance(data, Store):
        rows, simulated = _stored(data or Store(home), name, first, last)
    else:
        rows, simulated = _given(data, first, last)
    sessions, sides = _arrays(rows)
    long, short = sides[..., 0], sides[..., 1]
    return Positioning(
        measure=measure,
        window=window,
        simulated=simulated,
        frame=_frame(sessions, name, long, short, window),
        ratios=_ratios(sessions, name, long, short, window),
    )


def trailing_z(values: FloatArray, window: int) -> FloatArray:
    """Give how many standard deviations (n - 1) each value lies off the mean of the last ``window``, its own included.

    Parameters
    ----------
    values : (D, ...) float64
        NaN anywhere in a window gives NaN; so does a window of equal values, and the first ``window - 1``.
    """
    out = np.full(values.shape, np.nan)
    if values.shape[0] < window:
        return out
    windows = sliding_window_view(values, window, axis=0)
    spread = np.where(np.ptp(windows, axis=-1) > 0.0, windows.std(axis=-1, ddof=1), np.nan)
    out[window - 1 :] = (values[window - 1 :] - windows.mean(axis=-1)) / spread
    return out


# --- rows in -----------------------------------------------------------------------------------------------------


def _stored(store: Store, name: str, first: date | None, last: date | None) -> tuple[pl.DataFrame, bool]:
    rows = store.read(name, start=first, end=last, marked=True)
    if not rows.height:
        raise DataError(
            f"The store {store.home.where} has no rows of {name} in that range; it holds: {store.told(name)}.",
            hint="Import the exchange's files with: algo data import PATH.",
        )
    made_up = rows.filter(pl.col("simulated"))["session"].n_unique()
    if made_up and made_up < rows["session"].n_unique():
        raise DataError(
            f"The store {store.home.where} holds {made_up} simulated sessions of {name} among real ones.",
            hint="Give a range without them, or keep the two in homes of their own.",
        )
    return rows, made_up > 0


def _given(data: Any, first: date | None, last: date | None) -> tuple[pl.DataFrame, bool]:
    rows = as_polars(data, "data")
    lacking = [column for column in ("session", "participant", *_SIDES) if column not in rows.columns]
    if lacking:
        raise DataError(f"The rows lack {', '.join(lacking)}.", hint="Expected the columns of participant_oi.")
    kind = rows.schema["session"]
    session = pl.col("session").str.to_date() if kind == pl.String else pl.col("session").cast(pl.Date)
    names = {name.lower(): name for name in PARTICIPANTS}
    label = pl.col("participant").cast(pl.String).str.strip_chars().str.to_lowercase().replace(names)
    made_up = pl.col("simulated") if "simulated" in rows.columns else pl.lit(False).alias("simulated")
    rows = rows.select(session, label, made_up, *(pl.col(side).cast(pl.Float64).fill_nan(None) for side in _SIDES))
    unknown = rows.filter(~pl.col("participant").is_in(PARTICIPANTS))["participant"].unique().to_list()
    if unknown or rows["participant"].null_count() or rows["session"].null_count():
        said = f"unknown participants {', '.join(map(str, unknown))}" if unknown else "rows without participant or day"
        raise DataError(
            f"There are {said}.", hint=f"Expected {', '.join(PARTICIPANTS)}; leave out the exchange's TOTAL."
        )
    negative = rows.filter(pl.any_horizontal(pl.col(_SIDES) < 0)).height
    if negative:
        raise DataError(
            f"{negative} rows have a negative number of contracts.", hint="Long and short are both counted from 0 up."
        )
    rows = rows.filter(pl.col("session").is_between(first or date.min, last or date.max))
    if not rows.height:
        raise DataError("There are no rows in that range.", hint="Give others, or another range.")
    return rows.drop("simulated"), bool(rows["simulated"].any())


def _arrays(rows: pl.DataFrame) -> tuple[list[date], FloatArray]:
    """Give the sessions in order, and contracts (D, 4, 6, 2) with NaN where a participant is missing."""
    sessions: list[date] = rows["session"].unique().sort().to_list()
    day = rows["session"].rank("dense").to_numpy().astype(np.int64) - 1
    who = rows["participant"].cast(PARTICIPANT).to_physical().to_numpy().astype(np.int64)
    if np.unique(day * len(PARTICIPANTS) + who).size < rows.height:
        raise DataError(
            "A session has two rows of one participant.", hint="Give each once; the store keeps the last import."
        )
    out = np.full((len(sessions), len(PARTICIPANTS), len(_SIDES)), np.nan)
    out[day, who] = rows.select(pl.col(_SIDES).fill_null(float("nan"))).to_numpy()
    return sessions, out.reshape(*out.shape[:2], len(INSTRUMENTS), 2)


# --- positions out -----------------------------------------------------------------------------------------------


def _frame(sessions: list[date], name: str, long: FloatArray, short: FloatArray, window: int) -> pl.DataFrame:
    net = long - short
    columns: dict[str, FloatArray] = {"long": long, "short": short, "net": net}
    columns |= {f"{side}_change": _change(values) for side, values in columns.items()}
    columns["net_z"] = trailing_z(net, window)
    each = len(PARTICIPANTS) * len(INSTRUMENTS)
    D = len(sessions)
    labels = {
        "session": pl.Series(sessions).gather(np.arange(D).repeat(each)),
        "participant": pl.Series(list(PARTICIPANTS) * D, dtype=PARTICIPANT).gather(
            np.arange(D * len(PARTICIPANTS)).repeat(len(INSTRUMENTS))
        ),
        "instrument": pl.Series(list(INSTRUMENTS) * D * len(PARTICIPANTS), dtype=_INSTRUMENT),
        "since": pl.Series([None, *sessions[:-1]], dtype=pl.Date).gather(np.arange(D).repeat(each)),
    }
    order = ["session", "avail_ts", "participant", "instrument", "long", "short", "net"]
    order += ["long_change", "short_change", "net_change", "since", "net_z"]
    return _tidy(labels, columns, name).select(order)


def _ratios(sessions: list[date], name: str, long: FloatArray, short: FloatArray, window: int) -> pl.DataFrame:
    net, gross = long - short, long + short
    share, per_short = _quotient(long, gross), _quotient(long, short)
    direction = net[..., _CALL] - net[..., _PUT]
    columns = {
        "index_future_long_share": share[..., _FUTURE],
        "index_future_long_short": per_short[..., _FUTURE],
        "stock_future_long_share": share[..., _STOCK_FUTURE],
        "stock_future_long_short": per_short[..., _STOCK_FUTURE],
        "index_call_net": net[..., _CALL],
        "index_put_net": net[..., _PUT],
        "index_option_net": direction,
        "stock_option_net": net[..., _STOCK_CALL] - net[..., _STOCK_PUT],
        "index_put_call": _quotient(gross[..., _PUT], gross[..., _CALL]),
        "stock_put_call": _quotient(gross[..., _STOCK_PUT], gross[..., _STOCK_CALL]),
        "index_future_long_share_change": _change(share[..., _FUTURE]),
        "index_future_long_share_z": trailing_z(share[..., _FUTURE], window),
        "index_option_net_z": trailing_z(direction, window),
    }
    D = len(sessions)
    labels = {
        "session": pl.Series(sessions).gather(np.arange(D).repeat(len(PARTICIPANTS))),
        "participant": pl.Series(list(PARTICIPANTS) * D, dtype=PARTICIPANT),
    }
    return _tidy(labels, columns, name).select("session", "avail_ts", "participant", *columns)


def _tidy(labels: Mapping[str, pl.Series], columns: Mapping[str, FloatArray], name: str) -> pl.DataFrame:
    """Give one row a cell; participants that a session does not have are left out."""
    values = {column: pl.Series(array.reshape(-1)) for column, array in columns.items()}
    frame = pl.DataFrame({**labels, **values}).with_columns(pl.col(list(values)).fill_nan(None))
    frame = frame.filter(pl.any_horizontal(pl.col(list(values)).is_not_null()))
    return frame.with_columns(avail_ts=dataset(name).avail_ts)


def _change(values: FloatArray) -> FloatArray:
    out = np.full(values.shape, np.nan)
    out[1:] = np.diff(values, axis=0)
    return out


def _quotient(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray(np.divide(one, other, out=np.full(one.shape, np.nan), where=other != 0.0))


def _line(row: dict[str, Any]) -> str:
    change = "" if row["net_change"] is None else f" ({row['net_change']:+,.0f})"
    share = "" if row["index_future_long_share"] is None else f", {row['index_future_long_share']:.1%} long"
    options = "" if row["index_option_net"] is None else f"; index options {row['index_option_net']:+,.0f}"
    return f"index futures {row['net']:+,.0f}{change}{share}{options}" if row["net"] is not None else "nothing known"
