"""Level, slope and curvature of each smile, and how smiles follow each other in time: a row an expiry.

One definition each (:func:`smile_measures`, :func:`term_measures`); everything is read off a surface, vectorised over
the expiries.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.arrays import as_array, like
from algomaster.core.types import FloatArray
from algomaster.pricing.inputs import choose
from algomaster.pricing.measures.sources import SurfaceLike, years_of
from algomaster.pricing.measures.volatility_index import DAYS_A_YEAR, swap_vol

if TYPE_CHECKING:
    import polars as pl

__all__ = ["constant_vol", "delta_moneyness", "event_move", "smile_measures", "term_measures"]

_DELTAS: Final = (0.25, -0.25, 0.10, -0.10)
_STEPS: Final = 100
_FURTHEST: Final = 40.0
_ROUNDING: Final = 1e-13


def delta_moneyness(surface: SurfaceLike, delta: Any, t: Any) -> FloatArray:
    """Give the log-moneyness ln(K/F) at which an option has a forward delta.

    Parameters
    ----------
    surface : Surface
    delta : float or array
        Undiscounted forward delta: N(d1) of a call (0 < delta < 1), -N(-d1) of a put (-1 < delta < 0). 0.25 and -0.75
        are the same strike.
    t : float or array
        Years; broadcasts with ``delta``.

    Returns
    -------
    numpy array of the broadcast shape
        NaN where the surface has no such strike: it is not defined so far out, or its wing is so steep that delta never
        gets there.

    Raises
    ------
    ValueError
        A delta is not in these ranges.

    Notes
    -----
    delta is a number of deviations, d1 = z, and d1 = -k/sqrt(w) + sqrt(w)/2 is linear in k for a flat smile: Newton's
    steps on -k + w/2 - z sqrt(w), kept within a bracket that halves where they would leave it.
    """
    deltas, times = np.broadcast_arrays(as_array(delta, "delta"), as_array(t, "t"))
    if not np.all((np.abs(deltas) < 1.0) & (deltas != 0.0)):
        raise ValueError(f"delta: expected numbers between -1 and 1 other than 0, got {delta!r}")
    return _solve_delta(surface, deltas, times)


def _solve_delta(surface: SurfaceLike, deltas: FloatArray, t: FloatArray) -> FloatArray:
    z = np.vectorize(statistics.NormalDist().inv_cdf, otypes=[np.float64])(np.where(deltas > 0.0, deltas, 1.0 + deltas))
    w0 = np.broadcast_to(np.asarray(surface.derivatives(np.zeros(t.shape), t)[0]), t.shape)
    with np.errstate(invalid="ignore"):
        s0 = np.sqrt(w0)
        k = 0.5 * w0 - z * s0  # where it would be if the smile were flat
    reach = _FURTHEST * s0
    low, high = np.minimum(-reach, k - reach), np.maximum(reach, k + reach)
    done = np.isnan(k)
    for _ in range(_STEPS):
        w, slope, _bend = surface.derivatives(k, t)
        with np.errstate(invalid="ignore", divide="ignore"):
            s = np.sqrt(w)
            off = -k + 0.5 * w - z * s
            step = k - off / (-1.0 + 0.5 * slope - 0.5 * z * slope / s)
        # beyond its domain a surface is NaN: come back towards the money
        unseen = np.isnan(off)
        right = np.where(unseen, k < 0.0, off > 0.0)
        low, high = np.where(right, k, low), np.where(right, high, k)
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        done |= ~unseen & ((np.abs(step - k) <= 1e-15 * (np.abs(k) + s0)) | (off == 0.0))
        k = np.where(done, k, step)
        if done.all():
            break
    w = np.asarray(surface.derivatives(k, t)[0])
    with np.errstate(invalid="ignore"):
        hit = np.abs(-k + 0.5 * w - z * np.sqrt(w)) <= 1e-9 * (np.abs(k) + s0)
    return np.where(hit, k, np.nan)


def smile_measures(surface: SurfaceLike, *, swap: bool = True) -> pl.DataFrame:
    """Measure each smile of a surface: a row an expiry.

    Parameters
    ----------
    surface : Surface
    swap : bool
        Also the two columns that need an integral over all strikes.

    Returns
    -------
    polars DataFrame
        ``expiry``, ``t``, ``forward``, and with vol(k) the volatility per 1.00 at k = ln(K/F):

        ========================== ======================================================================
        ``atm_vol``                vol(0)
        ``slope``, ``curvature``   vol'(0), vol''(0)
        ``slope_root_t``           slope x sqrt(t): what is alike over expiries where the skew decays as 1/sqrt(t)
        ``curvature_t``            curvature x t, likewise
        ``call_25``, ``put_25``    volatility where the undiscounted forward delta is 0.25, -0.25; the same for 10
        ``risk_reversal_25``       call_25 - put_25 (negative where downside is dear); the same for 10
        ``butterfly_25``           (call_25 + put_25) / 2 - atm_vol; the same for 10
        ``put_skew``               put_25 - atm_vol
        ``call_skew``              call_25 - atm_vol
        ``skew_90_110``            volatility at K = 0.9 F less that at K = 1.1 F
        ``swap_vol``               fair volatility of a variance swap, :func:`swap_vol`
        ``convexity``              swap_vol - atm_vol
        ========================== ======================================================================

        NaN where the surface has no such strike.
    """
    import polars as pl

    t = np.asarray(surface.years, np.float64)
    k = np.concatenate([np.zeros((1, t.size)), np.log([[0.9], [1.1]]) + np.zeros(t.size), _wings(surface, t)])
    w, slope, bend = (np.broadcast_to(np.asarray(row, np.float64), k.shape) for row in surface.derivatives(k, t))
    with np.errstate(invalid="ignore", divide="ignore"):
        vol = np.sqrt(w / t)
        tilt = slope[0] / (2.0 * vol[0] * t)
        curve = (bend[0] / (2.0 * t) - tilt * tilt) / vol[0]
    atm, low, high, call_25, put_25, call_10, put_10 = vol
    columns = {
        "t": t, "forward": np.broadcast_to(np.asarray(surface.forward_at(t), np.float64), t.shape), "atm_vol": atm,
        "slope": tilt, "curvature": curve, "slope_root_t": tilt * np.sqrt(t), "curvature_t": curve * t,
        "call_25": call_25, "put_25": put_25, "call_10": call_10, "put_10": put_10,
        "risk_reversal_25": call_25 - put_25, "risk_reversal_10": call_10 - put_10,
        "butterfly_25": 0.5 * (call_25 + put_25) - atm, "butterfly_10": 0.5 * (call_10 + put_10) - atm,
        "put_skew": put_25 - atm, "call_skew": call_25 - atm, "skew_90_110": low - high,
    }  # fmt: skip
    if swap:
        columns["swap_vol"] = swap_vol(surface, t)
        columns["convexity"] = columns["swap_vol"] - atm
    return pl.DataFrame({"expiry": list(surface.labels), **columns})


def _wings(surface: SurfaceLike, t: FloatArray) -> FloatArray:
    deltas, times = np.broadcast_arrays(np.array(_DELTAS)[:, None], t)
    return _solve_delta(surface, deltas, times)


def term_measures(surface: SurfaceLike) -> pl.DataFrame:
    """Measure how the at-the-money volatility changes from each expiry to the next: a row a pair.

    Returns
    -------
    polars DataFrame
        ``near``, ``next`` (labels), ``t_near``, ``t_next``, ``vol_near``, ``vol_next``, and

        ================= ================================================================================
        ``slope``         (vol_next - vol_near) / (t_next - t_near), per year
        ``slope_root_t``  the same over sqrt(t_next) - sqrt(t_near)
        ``ratio``         vol_near / vol_next: above 1 the front is bid
        ``forward_vol``   sqrt((w_next - w_near) / (t_next - t_near)); NaN where total variance falls
        ``event_move``    one deviation of the jump that lies between the two expiries, as a share of the price, if the
                          days between are otherwise as volatile as those before: :func:`event_move`
        ================= ================================================================================

        Empty for a surface of one expiry.
    """
    import polars as pl

    t = np.asarray(surface.years, np.float64)
    w = np.broadcast_to(np.asarray(surface.derivatives(np.zeros(t.size), t)[0], np.float64), t.shape)
    near, later = slice(None, -1), slice(1, None)
    gap, more = np.diff(t), np.diff(w)
    with np.errstate(invalid="ignore", divide="ignore"):
        vol = np.sqrt(w / t)
        columns = {
            "t_near": t[near], "t_next": t[later], "vol_near": vol[near], "vol_next": vol[later],
            "slope": np.diff(vol) / gap, "slope_root_t": np.diff(vol) / np.diff(np.sqrt(t)),
            "ratio": vol[near] / vol[later], "forward_vol": np.sqrt(more / gap),
            "event_move": _jump(more - w[near] / t[near] * gap, w[later]),
        }  # fmt: skip
    labels = list(surface.labels)
    return pl.DataFrame(
        {"near": labels[near], "next": labels[later], **columns},
        schema_overrides=dict.fromkeys(("near", "next"), pl.String),
    )


def event_move(
    surface: SurfaceLike,
    near: float | str,
    next_: float | str,
    *,
    event: str = "between",
    base_vol: float | None = None,
) -> float:
    """Give the jump that two expiries imply for an event, as one standard deviation of the return.

    Parameters
    ----------
    surface : Surface
    near, next_ : float or str
        Two times or labels.
    event : "between" or "before"
        Whether the event lies between the two expiries, or before both.
    base_vol : float, optional
        Volatility of an ordinary day, per 1.00 a year. Otherwise, for "between", that of the near expiry; for "before"
        the forward volatility between the two.

    Returns
    -------
    float
        Share of the price (0.02 is 2 %); times sqrt(2/pi) it is the mean absolute move. NaN where the variance left for
        the event is negative.

    Raises
    ------
    ValueError
        ``next_`` is not after ``near``, or something is unknown.

    Notes
    -----
    Total variances are those of ordinary days plus one jump J**2 for each expiry behind the event: "between" is
    w_next - w_near - base**2 (t_next - t_near), "before" is w_near - base**2 t_near (Dubinsky and Johannes 2006, the
    term-structure estimator).
    """
    choose("event", event, ("between", "before"))
    (first, _), (second, _) = years_of(surface, near), years_of(surface, next_)
    if not first < second:
        raise ValueError(f"next_: expected a time after near, got {near!r} and {next_!r}")
    w1, w2 = (float(np.asarray(surface.derivatives(0.0, t)[0])) for t in (first, second))
    if base_vol is not None:
        base = base_vol * base_vol
    elif event == "between":
        base = w1 / first
    else:
        base = (w2 - w1) / (second - first)
    left = w2 - w1 - base * (second - first) if event == "between" else w1 - base * first
    with np.errstate(invalid="ignore"):
        return float(_jump(np.asarray(left), np.asarray(w2)))


def _jump(left: FloatArray, size: FloatArray) -> FloatArray:
    """Give the root of the variance left for an event; what is rounding of a variance of ``size`` is 0."""
    root: FloatArray = np.sqrt(np.where(np.abs(left) <= _ROUNDING * size, 0.0, left))
    return root


def constant_vol(surface: SurfaceLike, days: Any) -> Any:
    """Give the at-the-money volatility of a constant number of calendar days: sqrt(w(0, t) / t) at t = days / 365.

    Parameters
    ----------
    surface : Surface
        Between its expiries total variance is interpolated as the surface does, outside as far as it goes.
    days : float, array or Series

    Returns
    -------
    float, numpy array or Series
        Per 1.00; NaN where the surface is not defined or the days are not positive.
    """
    t = as_array(days, "days") / DAYS_A_YEAR
    good = (t > 0.0) & (t < np.inf)
    w = np.broadcast_to(np.asarray(surface.derivatives(np.zeros(t.shape), np.where(good, t, 1.0))[0]), t.shape)
    with np.errstate(invalid="ignore"):
        vol = np.sqrt(np.where(good, w, np.nan) / np.where(good, t, 1.0))
    return like(np.asarray(vol), days)
