"""Features of the chain and of the surface as their formulas are written, in plain numpy: (M, K) tables of a session.

Nothing of the kernels is used: volatilities by halving, Greeks by their textbook formulas, the flip on a fine grid.
"""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from algomaster.core.types import MISSING
from algomaster.market import calendar

YEAR = 252 * 375.0


def known(values: Any, unit: float = 1.0) -> np.ndarray:
    return np.where(values == MISSING, np.nan, values * unit)


def black(right: Any, forward: Any, strike: Any, t: Any, vol: Any, discount: Any) -> np.ndarray:
    deviation = vol * np.sqrt(t)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    return discount * right * (forward * ndtr(right * d1) - strike * ndtr(right * (d1 - deviation)))


def implied(right: Any, price: Any, forward: Any, strike: Any, t: Any, discount: Any) -> np.ndarray:
    """Halve the interval of volatilities from 1e-4 to 20 until nothing changes."""
    right, price, forward, strike, t, discount = np.broadcast_arrays(right, price, forward, strike, t, discount)
    low, high = np.full(price.shape, 1e-4), np.full(price.shape, 20.0)
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = black(right, forward, strike, t, middle, discount) > price
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    found = 0.5 * (low + high)
    good = (price > 0.0) & (t > 0.0) & (found > 2e-4) & (found < 19.0)
    return np.where(good, found, np.nan)


class Expiry:
    """Prices, forward and volatilities of one expiry at all minutes."""

    def __init__(self, day: Any, e: int, rate: float) -> None:
        tick = day.tick / 100.0
        bid, ask, close = (known(np.moveaxis(getattr(day, name)[e], -1, 0), tick) for name in ("bid", "ask", "close"))
        middle = np.where((bid > 0) & (ask >= bid), (bid + ask) / 2, np.nan)
        price = np.where(np.isnan(middle), np.where(close > 0, close, np.nan), middle)
        self.call, self.put = price[..., 0], price[..., 1]
        self.strikes, self.step = day.strikes / 100.0, day.strike_step[e] / 100.0
        self.days = int(day.expiries[e])
        end = date(1970, 1, 1) + timedelta(days=self.days)
        later = sum(s.minutes for s in calendar.sessions(day.session, end) if s.date > day.session)
        M = day.ts.size
        self.t = (later + M - 1 - np.arange(M)) / YEAR
        self.discount = np.exp(-rate * self.t)
        self.centre, self.forward, self.gap = (np.full(M, np.nan) for _ in range(3))
        for i in range(M):
            self._parity(i)

    def _parity(self, i: int) -> None:
        pairs = self.call[i] - self.put[i]
        if np.isnan(pairs).all():
            return
        centre = int(np.nanargmin(np.abs(pairs)))
        forwards = self.strikes + pairs / self.discount[i]
        below = [x for x in forwards[max(centre - 5, 0) : centre][::-1] if not np.isnan(x)][:2]
        above = [x for x in forwards[centre + 1 : centre + 6] if not np.isnan(x)][:2]
        self.centre[i] = centre
        self.forward[i] = np.median([forwards[centre], *below, *above])
        if below or above:
            self.gap[i] = (forwards[centre] - np.median([*below, *above])) * self.discount[i]

    def volatilities(self) -> np.ndarray:
        """Give those out of the money, (M, K)."""
        F, K = self.forward[:, None], self.strikes[None, :]
        call = K >= F
        price = np.where(call, self.call, self.put)
        with np.errstate(all="ignore"):
            return implied(np.where(call, 1.0, -1.0), price, F, K, self.t[:, None], self.discount[:, None])

    def at_forward(self, vol: np.ndarray) -> np.ndarray:
        out = np.full(self.t.size, np.nan)
        for i in range(self.t.size):
            F = self.forward[i]
            if np.isnan(F):
                continue
            near = np.abs(self.strikes - F) <= 3 * self.step
            below = np.flatnonzero(near & (self.strikes < F) & ~np.isnan(self.put[i]))
            above = np.flatnonzero(near & (self.strikes >= F) & ~np.isnan(self.call[i]))
            if above.size and self.strikes[above[0]] == F:
                out[i] = vol[i, above[0]]
            elif below.size and above.size:
                pair = [below[-1], above[0]]
                out[i] = np.interp(0.0, np.log(self.strikes[pair] / F), vol[i, pair])
        return out


def columns(day: Any, rate: float = 0.065, sign: tuple[float, float] = (1.0, -1.0)) -> dict[str, np.ndarray]:
    """Give the chain's columns of every minute of a session, (M,) each."""
    M, E = day.ts.size, day.expiries.size
    each = [Expiry(day, e, rate) for e in range(E)]
    vols = [one.volatilities() for one in each]
    at_money = [one.at_forward(vol) for one, vol in zip(each, vols)]
    spot = known(day.spot, 0.01)
    out = {name: np.full(M, np.nan) for name in NAMES}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i in range(M):
            near = next((e for e in range(min(E, 2)) if each[e].t[i] > 0), None)
            if near is not None:
                row = _minute(day, i, each, vols, at_money, near, spot, sign)
                for name, value in row.items():
                    out[name][i] = value
    return out


def _minute(day, i, each, vols, at_money, near, spot, sign):  # type: ignore[no-untyped-def]
    one, K = each[near], each[near].strikes
    F, t, D = one.forward[i], one.t[i], one.discount[i]
    S = spot[i] if not np.isnan(spot[i]) else (np.nan if not np.isnan(spot[: i + 1]).all() else F)
    history = known(day.oi[near, :, :, : i + 1])
    frame = pd.DataFrame(history.reshape(-1, i + 1).T)
    held = frame.ffill().iloc[-1].to_numpy().reshape(-1, 2)
    first = frame.bfill().iloc[0].to_numpy().reshape(-1, 2)
    traded = known(day.volume[near, :, :, : i + 1])
    c, p = held.T
    dc, dp = (held - first).T
    row = {"chain_level": S, "near_expiry": one.days, "t_near": t, "forward": F, "parity_gap": one.gap[i] / S}
    row |= _interest(K, one.step, S, c, p, dc, dp)
    total = np.nansum(traded, axis=(0, 2))
    row["pcr_vol"] = total[1] / total[0] if total[0] > 0 and not np.isnan(traded[:, 1]).all() else np.nan
    if near + 1 < len(each):
        row |= {
            "next_expiry": each[near + 1].days, "t_next": each[near + 1].t[i],
            "forward_next": each[near + 1].forward[i], "iv_next": at_money[near + 1][i],
        }  # fmt: skip
    row["iv_near"] = at_money[near][i]
    row["iv_month"] = _month([(each[e].t[i], at_money[e][i]) for e in range(near, len(each))])
    if np.isnan(one.centre[i]):
        return row
    k = int(one.centre[i])
    row["straddle_atm"] = one.call[i, k] + one.put[i, k]
    vol = vols[near][i]
    row |= _shape(K, vol, F, t, at_money[near][i], K[k], one.step)
    if not np.isnan(S):
        row |= _flow(K, vol, c, p, S, F, t, D, sign)
        row |= _straddle(K[k], vol[k], S, F, t, D, row["straddle_atm"])
    return row


def _interest(K, step, S, c, p, dc, dp):  # type: ignore[no-untyped-def]
    def total(x, where=True):  # type: ignore[no-untyped-def]
        x = np.where(where, x, np.nan)
        return np.nansum(x)

    some_c, some_p = not np.isnan(c).all(), not np.isnan(p).all()
    C = total(c) if some_c else np.nan
    P = total(p) if some_p else np.nan
    row = {"oi_c": C, "oi_p": P, "pcr_oi": P / C if C > 0 else np.nan}
    row |= {"doi_c": total(dc) if some_c else np.nan, "doi_p": total(dp) if some_p else np.nan}
    share_c, share_p = c / C, p / P
    row["oi_hhi_c"] = np.nansum(share_c**2) if C > 0 else np.nan
    held = share_p[share_p > 0]
    row["oi_entropy_p"] = (
        -(held * np.log(held)).sum() / np.log(held.size) if held.size > 1 else (0.0 if P > 0 else np.nan)
    )
    if C + P > 0 or (np.isnan(C) and P > 0) or (np.isnan(P) and C > 0):
        listed = ~(np.isnan(c) & np.isnan(p))
        paid = [np.nansum(c * np.maximum(x - K, 0)) + np.nansum(p * np.maximum(K - x, 0)) for x in K[listed]]
        row["max_pain"] = K[listed][int(np.argmin(np.round(np.array(paid), 3)))]
    row["oi_com_c"] = (np.nansum(K * c) / C - S) / S if C > 0 else np.nan
    row["oi_com_p"] = (np.nansum(K * p) / P - S) / S if P > 0 else np.nan
    if np.isnan(S):
        return row
    away = (K - K[np.argmin(np.abs(K - S))]) / step
    inner, outer = np.abs(away) <= 2, (np.abs(away) >= 3) & (np.abs(away) <= 10)
    around = np.abs(away) <= 5
    row["pcr_oi_atm5"] = total(p, around) / total(c, around) if total(c, around) > 0 else np.nan
    if C > 0:
        row |= {"doi_c_atm": total(dc, inner) / C, "doi_c_otm": total(dc, outer & (away > 0)) / C}
    if P > 0:
        row |= {"doi_p_atm": total(dp, inner) / P, "doi_p_otm": total(dp, outer & (away < 0)) / P}
    above, below = np.where((K > S) & (c > 0), c, 0), np.where((K < S) & (p > 0), p, 0)
    if above.max() > 0:
        row["oi_wall_up"] = (K[above.argmax()] - S) / S
        row["oi_wall_str"] = above.max() / np.nanmean(c)
    if below.max() > 0:
        row["oi_wall_dn"] = (S - K[below.argmax()]) / S
    return row


def _month(points: list[tuple[float, float]]) -> float:
    points = [(t, vol * vol * t) for t, vol in points if not np.isnan(vol)]
    if not points:
        return np.nan
    t, w = np.array(points).T
    month = 21 / 252
    if month <= t[0]:
        return float(np.sqrt(w[0] / t[0]))
    if month > t[-1]:
        return float(np.sqrt(w[-1] / t[-1]))
    return float(np.sqrt(np.interp(month, t, w) / month))


def _shape(K, vol, F, t, at_money, money, step):  # type: ignore[no-untyped-def]
    seen = ~np.isnan(vol)
    strikes, vol = K[seen], vol[seen]
    d1 = np.log(F / strikes) / (vol * np.sqrt(t)) + 0.5 * vol * np.sqrt(t)
    chance = ndtr(d1)
    ends = {}
    for target, upwards in ((0.25, True), (0.75, False)):
        order = range(strikes.size) if upwards else range(strikes.size - 1, -1, -1)
        ends[target] = np.nan
        before = None
        for k in order:
            ahead = strikes[k] >= F if upwards else strikes[k] < F
            if ahead and (chance[k] <= target if upwards else chance[k] >= target):
                if before is not None:
                    x = [chance[before], chance[k]]
                    ends[target] = vol[before] + (vol[k] - vol[before]) * (target - x[0]) / (x[1] - x[0])
                break
            before = k
    row = {"rr_25d": ends[0.25] - ends[0.75], "bf_25d": (ends[0.25] + ends[0.75]) / 2 - at_money}
    near = np.abs(strikes - money) <= 5 * step
    if near.sum() >= 5:
        x = np.log(strikes[near] / F)
        scale = np.abs(x).max()
        bend, slope, _ = np.polyfit(x / scale, vol[near], 2)
        row |= {"skew_slope": slope / scale / at_money, "smile_curv": 2 * bend / scale**2}
    return row


def greeks(right, S, K, t, vol, rate, carry):  # type: ignore[no-untyped-def]
    """Give Haug's (2007) generalised formulas: delta, gamma, vega, theta, vanna, charm by spot."""
    root = np.sqrt(t)
    d1 = (np.log(S / K) + (carry + 0.5 * vol * vol) * t) / (vol * root)
    d2 = d1 - vol * root
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
    grown = np.exp((carry - rate) * t)
    delta = right * grown * ndtr(right * d1)
    theta = (
        -S * grown * density * vol / (2 * root)
        - right * (carry - rate) * S * grown * ndtr(right * d1)
        - right * rate * K * np.exp(-rate * t) * ndtr(right * d2)
    )
    charm = -grown * (density * (carry / (vol * root) - d2 / (2 * t)) + right * (carry - rate) * ndtr(right * d1))
    return {
        "delta": delta, "gamma": grown * density / (S * vol * root), "vega": S * grown * density * root, "theta": theta,
        "vanna": -grown * density * d2 / vol, "charm": charm,
    }  # fmt: skip


def _flow(K, vol, c, p, S, F, t, D, sign):  # type: ignore[no-untyped-def]
    rate, carry = -np.log(D) / t, np.log(F / S) / t
    calls, puts = (greeks(right, S, K, t, vol, rate, carry) for right in (1.0, -1.0))
    seen = ~np.isnan(vol)
    c, p = (np.where(np.isnan(x) | ~seen, 0.0, x) for x in (c, p))
    if not (c + p).any():
        return {}
    gamma = calls["gamma"]
    row = {"gex_net": np.nansum((sign[0] * c + sign[1] * p) * gamma) * S * S * 0.01}
    row["dex_net"] = np.nansum(c * calls["delta"] + p * puts["delta"]) * S
    for name in ("vanna", "charm"):
        parts = np.concatenate([c * calls[name], p * puts[name]])
        row[f"{name}_net"] = np.nansum(parts) / np.nansum(np.abs(parts))

    def net(x):  # type: ignore[no-untyped-def]
        moved = S * np.exp(x)
        gammas = greeks(1.0, moved, K[:, None], t, vol[:, None], rate, carry)["gamma"]
        return np.nansum((sign[0] * c + sign[1] * p)[:, None] * gammas, axis=0)

    grid = np.linspace(-0.05, 0.05, 601)
    signs = np.sign(net(grid))
    turns = np.flatnonzero(signs[1:] * signs[:-1] < 0)
    if turns.size:
        roots = []
        for n in turns:
            low, high = grid[n], grid[n + 1]
            for _ in range(50):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if np.sign(net(np.array([middle])))[0] == signs[n + 1] else (middle, high)
            roots.append(S * np.exp(low))
        row["gex_flip"] = min(roots, key=lambda root: abs(root - S))
    return row


def _straddle(K, vol, S, F, t, D, premium):  # type: ignore[no-untyped-def]
    rate, carry = -np.log(D) / t, np.log(F / S) / t
    call, put = (greeks(right, S, K, t, vol, rate, carry) for right in (1.0, -1.0))
    return {
        "atm_gamma": (call["gamma"] + put["gamma"]) * S * S * 0.01 / premium,
        "atm_theta": (call["theta"] + put["theta"]) / YEAR,
        "atm_vega": (call["vega"] + put["vega"]) / premium,
    }


NAMES = (
    "chain_level", "near_expiry", "next_expiry", "t_near", "t_next", "pcr_oi", "pcr_vol", "pcr_oi_atm5", "max_pain",
    "oi_c", "oi_p", "doi_c", "doi_p", "doi_c_atm", "doi_p_atm", "doi_c_otm", "doi_p_otm", "oi_wall_up",
    "oi_wall_dn", "oi_wall_str", "oi_com_c", "oi_com_p", "oi_hhi_c", "oi_entropy_p", "forward", "forward_next",
    "straddle_atm", "parity_gap", "iv_near", "iv_next", "iv_month", "rr_25d", "bf_25d", "skew_slope", "smile_curv",
    "gex_net", "gex_flip", "dex_net", "vanna_net", "charm_net", "atm_gamma", "atm_theta", "atm_vega",
)  # fmt: skip


def features(bars: pd.DataFrame) -> pd.DataFrame:
    """Give all features of bars with the chain's columns; ``day`` numbers the session of each row."""
    b = bars
    day, expiry = b["day"], b["near_expiry"]
    together = b.groupby("day", sort=False)

    def before(column, n):  # type: ignore[no-untyped-def]
        found = together[column].shift(n)
        return found.where(together["near_expiry"].shift(n) == expiry)

    S, iv, c = b["chain_level"], b["iv_near"], b["close"]
    direct = (
        "pcr_oi", "pcr_vol", "pcr_oi_atm5", "doi_c_atm", "doi_p_atm", "doi_c_otm", "doi_p_otm", "oi_wall_up",
        "oi_wall_dn", "oi_wall_str", "oi_com_c", "oi_com_p", "oi_hhi_c", "oi_entropy_p", "rr_25d", "bf_25d",
        "skew_slope", "smile_curv", "vanna_net", "charm_net",
    )  # fmt: skip
    out = {name: b[name] for name in direct}
    out["iv_atm"], out["atm_gamma_norm"] = iv, b["atm_gamma"]
    out["d_pcr_15m"] = b["pcr_oi"] - before("pcr_oi", 15)
    out["max_pain_dist"] = (b["max_pain"] - S) / S
    out["d_max_pain_30m"] = (b["max_pain"] - before("max_pain", 30)) / S
    moved = (b["doi_p"] - before("doi_p", 5)) - (b["doi_c"] - before("doi_c", 5))
    out["doi_net_5m"] = moved / (b["oi_c"] + b["oi_p"])
    up, more = np.sign(c - together["close"].shift(1)), np.sign(b["oi"] - together["oi"].shift(1))
    codes = {(1, 1): 1, (-1, 1): 2, (1, -1): 3, (-1, -1): 4}
    pairs = zip(up, more)
    out["buildup_state"] = pd.Series(
        [np.nan if np.isnan(x + y) else float(codes.get((int(x), int(y)), 0)) for x, y in pairs], index=b.index
    )
    out["fut_doi_15m"] = np.log(b["oi"] / together["oi"].shift(15))
    daily = (c * b["volume"]).groupby(day, sort=False).sum(min_count=1).dropna()
    adv = daily.rolling(20).mean().shift(1)
    adv = pd.Series(day.map(_carried(adv, day.unique(), daily)), index=b.index)
    out["gex"], out["dex"] = b["gex_net"] / adv, b["dex_net"] / adv
    out["gex_flip_dist"] = (S - b["gex_flip"]) / S
    out["straddle_atm_pct"] = b["straddle_atm"] / S
    out["d_iv_atm_5m"] = iv - before("iv_near", 5)
    first = together["iv_near"].transform("first")
    out["d_iv_atm_day"] = (iv - first).where(together["near_expiry"].transform("first") == expiry)
    out["iv_rank_252"], out["iv_pctile_252"] = _ranks(b["iv_month"], day)
    out["term_slope"] = (b["iv_next"] - iv) / (np.sqrt(b["t_next"]) - np.sqrt(b["t_near"]))
    forward = (b["iv_next"] ** 2 * b["t_next"] - iv**2 * b["t_near"]) / (b["t_next"] - b["t_near"])
    out["fwd_vol"] = np.sqrt(forward.where(forward >= 0))
    r = np.log(c / c.shift(1))
    rv = np.sqrt((r * r).rolling(60).apply(np.mean, raw=True) * YEAR)
    out["vrp"], out["iv_rv_ratio"] = iv - rv, iv / rv
    out["parity_gap_bps"] = b["parity_gap"] * 1e4
    out["implied_move"] = 0.8 * b["straddle_atm"] / S
    opened = together["open"].transform("first")
    out["used_move"] = np.log(c / opened).abs() / out["implied_move"].groupby(day, sort=False).transform("first")
    span = np.maximum(b["high"], c.shift(1)) - np.minimum(b["low"], c.shift(1))
    out["atm_theta_ratio"] = b["atm_theta"].abs() / _wilder(span.where(~c.shift(1).isna()), 14)
    was = iv.shift(1).where(expiry.shift(1) == expiry, b["iv_next"].shift(1).where(b["next_expiry"].shift(1) == expiry))
    move = iv - was
    out["atm_vega_ratio"] = b["atm_vega"] * move.rolling(60).apply(lambda x: np.std(x, ddof=1), raw=True)
    out["corr_s_iv_60"] = pd.Series(
        [_corr(r.to_numpy()[i - 59 : i + 1], move.to_numpy()[i - 59 : i + 1]) for i in range(len(b))], index=b.index
    )
    out["vix_basis"] = b["vix"] / 100 - iv
    return pd.DataFrame(out)


def _carried(adv: pd.Series, days: np.ndarray, daily: pd.Series) -> dict[Any, float]:
    """Give each day the mean of the 20 last days before it that had a turnover."""
    means = daily.rolling(20).mean()
    out = {}
    for d in days:
        earlier = means[means.index < d]
        out[d] = earlier.iloc[-1] if len(earlier) else np.nan
    return out


def _ranks(iv: pd.Series, day: pd.Series) -> tuple[pd.Series, pd.Series]:
    rank, share = np.full(len(iv), np.nan), np.full(len(iv), np.nan)
    history: list[float] = []
    for d in day.unique():
        rows = np.flatnonzero(day.to_numpy() == d)
        last = history[-252:]
        for i in rows:
            x = iv.iloc[i]
            if len(last) == 252 and not np.isnan(x):
                low, high = min(*last, x), max(*last, x)
                rank[i] = (x - low) / (high - low) if high > low else np.nan
                share[i] = (sum(v < x for v in last) + 0.5 * sum(v == x for v in last)) / 252
        seen = iv.iloc[rows].dropna()
        history += [seen.iloc[-1]] if len(seen) else []
    return pd.Series(rank, index=iv.index), pd.Series(share, index=iv.index)


def _wilder(x: pd.Series, n: int) -> pd.Series:
    out, seen, average = [], [], np.nan
    for value in x:
        if np.isnan(value):
            out.append(np.nan)
            continue
        seen.append(value)
        if len(seen) == n:
            average = float(np.mean(seen))
        elif len(seen) > n:
            average += (value - average) / n
        out.append(average)
    return pd.Series(out, index=x.index)


def _corr(x: np.ndarray, y: np.ndarray) -> float:
    if x.size < 60 or np.isnan(x + y).any() or x.std() == 0 or y.std() == 0:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])
