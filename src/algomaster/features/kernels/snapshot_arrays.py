"""What a minute of a chain is read from, what is remembered of the minutes before, and what is written."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray, TickArray

__all__ = ["COLUMNS", "HELD", "MINUTES_A_YEAR", "Memory", "Session", "Work", "memory_of", "room_for", "work_in"]

MINUTES_A_YEAR: Final = 252.0 * 375.0
"""Minutes of trading in a year."""

HELD: Final = 2
"""Expiries whose open interest is remembered: the nearest, and the one after it for the minute the nearest ends."""

COLUMNS: Final = (
    "chain_level", "near_expiry", "next_expiry", "t_near", "t_next",
    "pcr_oi", "pcr_vol", "pcr_oi_atm5", "max_pain", "oi_c", "oi_p", "doi_c", "doi_p",
    "doi_c_atm", "doi_p_atm", "doi_c_otm", "doi_p_otm", "oi_wall_up", "oi_wall_dn", "oi_wall_str",
    "oi_com_c", "oi_com_p", "oi_hhi_c", "oi_entropy_p",
    "forward", "forward_next", "straddle_atm", "parity_gap",
    "iv_near", "iv_next", "iv_month", "rr_25d", "bf_25d", "skew_slope", "smile_curv",
    "gex_net", "gex_flip", "dex_net", "vanna_net", "charm_net", "atm_gamma", "atm_theta", "atm_vega",
)  # fmt: skip
"""What is written of each minute, in this order; the next lines say which place is whose."""

(
    CHAIN_LEVEL, NEAR_EXPIRY, NEXT_EXPIRY, T_NEAR, T_NEXT,
    PCR_OI, PCR_VOL, PCR_OI_ATM5, MAX_PAIN, OI_C, OI_P, DOI_C, DOI_P,
    DOI_C_ATM, DOI_P_ATM, DOI_C_OTM, DOI_P_OTM, OI_WALL_UP, OI_WALL_DN, OI_WALL_STR,
    OI_COM_C, OI_COM_P, OI_HHI_C, OI_ENTROPY_P,
    FORWARD, FORWARD_NEXT, STRADDLE_ATM, PARITY_GAP,
    IV_NEAR, IV_NEXT, IV_MONTH, RR_25D, BF_25D, SKEW_SLOPE, SMILE_CURV,
    GEX_NET, GEX_FLIP, DEX_NET, VANNA_NET, CHARM_NET, ATM_GAMMA, ATM_THETA, ATM_VEGA,
) = range(len(COLUMNS))  # fmt: skip


class Session(NamedTuple):
    """The arrays of a session, of E expiries that had not expired before it.

    Attributes
    ----------
    bid, ask, close : (E, K, 2, M) int32
        In ticks.
    volume, oi : (E, K, 2, M) int64
    spot : (M,) int64
        Paise.
    strikes : (K,) float64
        Rupees.
    step : (E,) float64
        Rupees between strikes around the money.
    expiries : (E,) float64
        Days since 1970-01-01.
    after : (E,) float64
        Minutes of trading between this session's close and the expiry; NaN where the calendar does not know them.
    tick : float
        Rupees.
    """

    bid: TickArray
    ask: TickArray
    close: TickArray
    volume: IntArray
    oi: IntArray
    spot: IntArray
    strikes: FloatArray
    step: FloatArray
    expiries: FloatArray
    after: FloatArray
    tick: float


class Memory(NamedTuple):
    """What is known of each contract of the first expiries up to a minute, (HELD, K, 2) each.

    Attributes
    ----------
    first, held : float64
        Open interest when it was first known in this session, and as last known.
    traded : float64
        Units since the open.
    upto : (1,) int64
        The last minute that has been taken in.
    """

    first: FloatArray
    held: FloatArray
    traded: FloatArray
    upto: IntArray


class Work(NamedTuple):
    """Room for what lies between, so that nothing is allocated: (K,) each, ``greeks`` (4, K), ``few`` (8,)."""

    calls: FloatArray
    puts: FloatArray
    call_oi: FloatArray
    put_oi: FloatArray
    price: FloatArray
    vol: FloatArray
    t: FloatArray
    forward: FloatArray
    discount: FloatArray
    strike: FloatArray
    weight: FloatArray
    slope: FloatArray
    offset: FloatArray
    height: FloatArray
    part: FloatArray
    greeks: FloatArray
    right: IntArray
    status: IntArray
    ones: IntArray
    few: FloatArray


def memory_of(strikes: int) -> Memory:
    """Give a memory of nothing."""
    first, held, traded = (np.full((HELD, strikes, 2), np.nan) for _ in range(3))
    return Memory(first, held, traded, np.full(1, -1, np.int64))


def room_for(strikes: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """Give what :func:`work_in` divides up: three arrays pass from Python in less time than twenty."""
    return np.empty((19, strikes)), np.ones((3, strikes), np.int64), np.empty(8)


@kernel(inner=True)  # not lean: arrays that are returned must be counted
def work_in(room: FloatArray, whole: IntArray, few: FloatArray) -> Work:
    """Give the parts of a room."""
    return Work(
        room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7], room[8], room[9], room[10], room[11],
        room[12], room[13], room[14], room[15:19], whole[0], whole[1], whole[2], few,
    )  # fmt: skip
