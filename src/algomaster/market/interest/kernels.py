"""Loops over a session's open interest: arrays (T moments, C contracts), contracts by expiry, strike, call before put.

``start`` (E + 1,) says where each expiry's contracts begin and, at its end, how many there are. Missing is NaN; what
is missing adds nothing and is counted nowhere.
"""

from __future__ import annotations

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["carry", "edges", "largest", "max_pain", "parity", "totals"]


@kernel
def carry(values: FloatArray, ts: IntArray, most: float, out: FloatArray, age: FloatArray) -> None:
    """Let the last value stand where there is none, for at most ``most`` nanoseconds; write its age in nanoseconds.

    Parameters
    ----------
    values : (T, C)
    ts : (T,) ascending
    most : float
    out, age : (T, C)
        NaN where nothing stands.
    """
    T, C = values.shape
    seen = np.zeros(C, np.int64)
    held = np.full(C, np.nan)
    for t in range(T):
        for c in range(C):
            if not np.isnan(values[t, c]):
                held[c] = values[t, c]
                seen[c] = ts[t]
            old = float(ts[t] - seen[c])
            if np.isnan(held[c]) or old > most:
                out[t, c] = np.nan
                age[t, c] = np.nan
            else:
                out[t, c] = held[c]
                age[t, c] = old


@kernel
def totals(values: FloatArray, right: IntArray, start: IntArray, out: FloatArray, count: IntArray) -> None:
    """Add up calls and puts of each expiry and, in the last place, of all.

    Parameters
    ----------
    values : (T, C)
    right : (C,) +1 call, -1 put
    start : (E + 1,)
    out : (2, T, E + 1)
        Calls, puts; NaN where there is no value at all.
    count : (T, E + 1)
        How many contracts have a value.
    """
    T = values.shape[0]
    E = start.size - 1
    for t in range(T):
        call_all = put_all = np.nan
        count[t, E] = 0
        for e in range(E):
            call = put = np.nan
            found = 0
            for c in range(start[e], start[e + 1]):
                value = values[t, c]
                if np.isnan(value):
                    continue
                found += 1
                if right[c] > 0:
                    call = value if np.isnan(call) else call + value
                else:
                    put = value if np.isnan(put) else put + value
            out[0, t, e] = call
            out[1, t, e] = put
            count[t, e] = found
            count[t, E] += found
            if not np.isnan(call):
                call_all = call if np.isnan(call_all) else call_all + call
            if not np.isnan(put):
                put_all = put if np.isnan(put_all) else put_all + put
        out[0, t, E] = call_all
        out[1, t, E] = put_all


@kernel
def max_pain(oi: FloatArray, strike: FloatArray, right: IntArray, start: IntArray, out: FloatArray) -> None:
    """Find the strike at which an expiry there would pay the least to those who hold options.

    Settled at S, a call of strike K pays S - K on each contract below S, a put K - S above. From one strike to the
    next the calls' payment grows by the gap times the calls passed, the puts' shrinks by the gap times those still
    ahead, so one walk up the strikes finds the minimum. Of equal ones the lowest stands; NaN without open interest.

    Parameters
    ----------
    oi : (T, C)
    strike, right : (C,)
    start : (E + 1,)
    out : (T, E)
    """
    T = oi.shape[0]
    E = start.size - 1
    for t in range(T):
        for e in range(E):
            ahead = total = first = 0.0
            any_seen = False
            for c in range(start[e], start[e + 1]):  # what the puts pay at the lowest strike
                if np.isnan(oi[t, c]):
                    continue
                if not any_seen:
                    any_seen = True
                    first = strike[c]
                total += oi[t, c]
                if right[c] < 0:
                    ahead += oi[t, c]
            best = np.nan
            if total > 0.0:
                passed = pays = 0.0
                least = np.inf
                at = first
                for c in range(start[e], start[e + 1]):
                    if right[c] < 0 and not np.isnan(oi[t, c]):
                        pays += oi[t, c] * (strike[c] - first)
                for c in range(start[e], start[e + 1]):
                    if np.isnan(oi[t, c]):
                        continue
                    pays += (strike[c] - at) * (passed - ahead)
                    at = strike[c]
                    if pays < least:
                        least = pays
                        best = at
                    if right[c] > 0:
                        passed += oi[t, c]
                    else:
                        ahead -= oi[t, c]
            out[t, e] = best


@kernel
def largest(values: FloatArray, right: IntArray, start: IntArray, side: int, out: IntArray) -> None:
    """Find the call (``side`` +1) or put (-1) of each expiry with the largest value above 0; of equals the lowest.

    Parameters
    ----------
    values : (T, C)
    right : (C,)
    start : (E + 1,)
    side : int
    out : (T, E)
        The contract's place, -1 where there is none.
    """
    T = values.shape[0]
    E = start.size - 1
    for t in range(T):
        for e in range(E):
            most = 0.0
            place = -1
            for c in range(start[e], start[e + 1]):
                if right[c] == side and values[t, c] > most:
                    most = values[t, c]
                    place = c
            out[t, e] = place


@kernel
def edges(values: FloatArray, bucket: IntArray, first: FloatArray, last: FloatArray) -> None:
    """Write the first and the last value of each contract in each bucket of time.

    Parameters
    ----------
    values : (T, C)
    bucket : (T,) from 0, ascending
    first, last : (B, C)
        Filled with NaN before; stays so where a bucket has no value.
    """
    T, C = values.shape
    for t in range(T):
        b = bucket[t]
        for c in range(C):
            value = values[t, c]
            if not np.isnan(value):
                if np.isnan(first[b, c]):
                    first[b, c] = value
                last[b, c] = value


@kernel
def parity(price: FloatArray, strike: FloatArray, right: IntArray, start: IntArray, out: FloatArray) -> None:
    """Estimate the forward: strike + call - put where call and put are nearest to each other in price.

    Of the nearest expiry that has such a pair; NaN where none has.

    Parameters
    ----------
    price : (T, C)
    strike, right : (C,)
    start : (E + 1,)
    out : (T,)
    """
    T = price.shape[0]
    E = start.size - 1
    for t in range(T):
        out[t] = np.nan
        for e in range(E):
            nearest = np.inf
            for c in range(start[e], start[e + 1] - 1):
                if right[c] < 0 or strike[c + 1] != strike[c]:
                    continue
                gap = price[t, c] - price[t, c + 1]
                if abs(gap) < nearest:
                    nearest = abs(gap)
                    out[t] = strike[c] + gap
            if nearest < np.inf:
                break
