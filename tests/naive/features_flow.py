"""Volume, microstructure, calendar and cross features as their formulas read, one bar after the other."""

import math
from collections import defaultdict
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np

from algomaster.market import calendar, facts

NAN = float("nan")


def rolling(function, bars, *series):
    """Apply a function to each full window without missing values."""
    out = np.full(len(series[0]), NAN)
    for i in range(bars - 1, len(out)):
        window = [each[i - bars + 1 : i + 1] for each in series]
        if not any(np.isnan(each).any() for each in window):
            out[i] = function(*window)
    return out


def over(a, b):
    """Divide, giving NaN where the base is 0."""
    b = np.asarray(b, dtype=float)
    with np.errstate(all="ignore"):
        return np.where(b == 0, NAN, np.asarray(a, dtype=float) / np.where(b == 0, 1, b))


def before(x, bars=1):
    return np.concatenate([np.full(bars, NAN), x[:-bars]])


def logs(x):
    with np.errstate(all="ignore"):
        return np.where(x > 0, np.log(np.where(x > 0, x, 1)), NAN)


def mean(x, n):
    return rolling(np.mean, n, x)


def score(x):
    return NAN if x.std(ddof=1) == 0 else (x[-1] - x.mean()) / x.std(ddof=1)


def correlation(x, y):
    both = math.sqrt(((x - x.mean()) ** 2).sum() * ((y - y.mean()) ** 2).sum())
    return NAN if both == 0 else ((x - x.mean()) * (y - y.mean())).sum() / both


def slope_on(y, x):
    spread = ((x - x.mean()) ** 2).sum()
    return NAN if spread == 0 else ((y - y.mean()) * (x - x.mean())).sum() / spread


def slope(y):
    return np.polyfit(np.arange(len(y)), y, 1)[0]


def climb(steps, n):
    """Slope of a running total over n bars, counted from the window's first bar."""
    return np.concatenate([[NAN], rolling(lambda d: slope(np.cumsum([0, *d])), n - 1, steps[1:])])


def exponential(x, n, weight):
    out, value, first = np.full(len(x), NAN), None, []
    for i, now in enumerate(x):
        if np.isnan(now):
            continue
        if value is None:
            first.append(now)
            if len(first) == n:
                value = out[i] = sum(first) / n
        else:
            value = out[i] = weight * now + (1 - weight) * value
    return out


def sessions_of(ts):
    """Give (day, indices) of each session, in order."""
    days = (ts + 19_800 * 10**9) // (86_400 * 10**9)
    return [(int(day), np.flatnonzero(days == day)) for day in np.unique(days)]


def minutes_of(ts):
    return (ts + 19_800 * 10**9) // (60 * 10**9) % 1440


def volume(f):
    hi, lo, c, v = (f[name] for name in ("high", "low", "close", "volume"))
    dc, r = c - before(c), logs(c) - logs(before(c))
    usual = mean(v, 20)
    money = money_flow(f)
    turmoil = abs(r) * v
    dv = v - before(v)
    true_range = np.maximum(hi, before(c)) - np.minimum(lo, before(c))
    return {
        "vol_z_20": rolling(score, 20, logs(1 + v)),
        "vol_tod_ratio": usual_ratio(f["ts"], v),
        "vma_ratio_20": over(v, usual),
        "obv_slope_20": over(climb(np.sign(dc) * v, 20), usual),
        "cmf_20": rolling(lambda m, x: over(m.sum(), x.sum()), 20, money, v),
        "ad_slope_20": over(climb(money, 20), usual),
        "vwap_slope_15": vwap_slope(f),
        "corr_c_v_20": rolling(correlation, 20, c, logs(v)),
        "corr_r_dv_20": rolling(correlation, 20, r, logs(v) - logs(before(v))),
        "wvma_20": rolling(lambda x: over(x.std(ddof=1), x.mean()), 20, turmoil),
        "force_13": over(exponential(v * dc, 13, 2 / 14), exponential(true_range, 14, 1 / 14) * usual),
        "vsumd_20": rolling(lambda x: over(x[x > 0].sum() + x[x < 0].sum(), abs(x).sum()), 20, dv),
        "value_area_pos": value_area(f),
    }


def money_flow(f):
    hi, lo, c = f["high"], f["low"], f["close"]
    place = np.where(hi > lo, over((c - lo) - (hi - c), hi - lo), np.where(np.isnan(hi - lo + c), NAN, 0.0))
    return place * f["volume"]


def usual_ratio(ts, v):
    out = np.full(len(v), NAN)
    minutes = minutes_of(ts)
    known = [{int(minutes[i]): v[i] for i in rows if not np.isnan(v[i])} for _, rows in sessions_of(ts)]
    for n, (_, rows) in enumerate(sessions_of(ts)):
        for i in rows:
            past = [day[int(minutes[i])] for day in known[max(n - 20, 0) : n] if int(minutes[i]) in day]
            if n >= 20 and len(past) >= 10 and 555 <= minutes[i] < 940:
                out[i] = over(v[i], np.mean(past))
    return out


def vwap_slope(f):
    c, v, out = f["close"], f["volume"], np.full(len(f["close"]), NAN)
    typical = (f["high"] + f["low"] + c) / 3
    for _, rows in sessions_of(f["ts"]):
        line = []
        for n, i in enumerate(rows):
            past = [j for j in rows[: n + 1] if not np.isnan(typical[j] * v[j])]
            line.append(over(typical[past] @ v[past], v[past].sum()) if past else NAN)
            if n >= 14 and not np.isnan(line[-15:]).any():
                out[i] = slope(line[-15:]) / c[i]
    return out


def value_area(f):
    c, v, out = f["close"], f["volume"], np.full(len(f["close"]), NAN)
    typical = (f["high"] + f["low"] + c) / 3
    for _, rows in sessions_of(f["ts"]):
        traded, order = defaultdict(float), []
        unit = None
        for i in rows:
            if np.isnan(typical[i]) or np.isnan(v[i]):
                continue
            if v[i] > 0:
                unit = unit or typical[i]
                place = round(math.floor((typical[i] - unit) / (unit * 0.001) + 0.5))
                place = min(max(place, -100), 100)
                traded[place] += v[i]
                order.append(max(traded, key=lambda k: (traded[k], k == (order[-1] if order else k))))
            if not traded:
                continue
            poc = order[-1]
            low = high = poc
            inside = traded[poc]
            while inside < 0.7 * sum(traded.values()):
                up = sum(traded.get(high + k, 0) for k in (1, 2)) if high < max(traded) else -1
                down = sum(traded.get(low - k, 0) for k in (1, 2)) if low > min(traded) else -1
                if up >= down:
                    inside, high = inside + up, high + 2
                else:
                    inside, low = inside + down, low - 2
            low, high = max(low, min(traded)), min(high, max(traded))
            step = unit * 0.001
            out[i] = (c[i] - (unit + poc * step)) / ((high - low + 1) * step)
    return out


def microstructure(f):
    hi, lo, c, v = (f[name] for name in ("high", "low", "close", "volume"))
    dc, r = c - before(c), logs(c) - logs(before(c))
    bought = bought_share(c)
    signed = np.sign(r) * logs(1 + v)
    bid, ask, bidq, askq = (f[name] for name in ("bid", "ask", "bid_qty", "ask_qty"))
    micro = over(bid * askq + ask * bidq, bidq + askq)
    return {
        "amihud_20": mean(over(abs(r), c * v), 20),
        "roll_spread_60": rolling(lambda x, y: 2 * math.sqrt(max(0, -np.cov(x, y)[0, 1])), 60, r, before(r)),
        "corwin_schultz_20": mean(np.maximum(corwin_schultz(hi, lo, c), 0), 20),
        "kyle_lambda_60": rolling(slope_on, 60, r, signed),
        "bvc_buy_share_20": rolling(lambda x, y: over(x @ y, y.sum()), 20, bought, v),
        "vpin_50": vpin(f["ts"], v, bought),
        "tick_imb_20": mean(np.sign(dc), 20),
        "hurst_rs_120": rolling(rescaled_range, 120, r),
        "var_ratio_5_60": over(
            rolling(lambda x: x.var(ddof=1), 60, logs(c) - logs(before(c, 5))),
            5 * rolling(lambda x: x.var(ddof=1), 60, r),
        ),
        "fut_basis_bps": basis(f),
        "spread_bps": over(ask - bid, (ask + bid) / 2) * 1e4,
        "book_imb_5": over(f["bid_qty_5"] - f["ask_qty_5"], f["bid_qty_5"] + f["ask_qty_5"]),
        "microprice_dev": over(micro - (bid + ask) / 2, ask - bid),
    }


def bought_share(c):
    dc = c - before(c)
    z = over(dc, rolling(lambda x: x.std(ddof=1), 20, dc))
    return np.array([NAN if np.isnan(x) else NormalDist().cdf(x) for x in z])


def corwin_schultz(hi, lo, c):
    out = np.full(len(c), NAN)
    k = 3 - 2 * math.sqrt(2)
    for i in range(1, len(c)):
        shift = max(lo[i] - c[i - 1], 0) + min(hi[i] - c[i - 1], 0)
        now, low = hi[i] - shift, lo[i] - shift
        beta = math.log(now / low) ** 2 + math.log(hi[i - 1] / lo[i - 1]) ** 2
        gamma = math.log(max(now, hi[i - 1]) / min(low, lo[i - 1])) ** 2
        alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
        if not np.isnan([now, low, c[i - 1], hi[i - 1], lo[i - 1]]).any():
            out[i] = 2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha))
    return out


def vpin(ts, v, bought):
    out = np.full(len(v), NAN)
    totals, buckets, known = [], [], None
    for _, rows in sessions_of(ts):
        size = np.mean(totals[-5:]) / 50 if len(totals) >= 5 else NAN
        inside, inside_bought = 0.0, 0.0
        for i in rows:
            if np.isnan(v[i]) or np.isnan(bought[i]):
                continue
            left = v[i] if size > 0 else 0.0
            while left > 0:
                part = min(left, size - inside)
                inside, inside_bought, left = inside + part, inside_bought + part * bought[i], left - part
                if left > 0 or inside >= size:
                    buckets.append(abs(2 * inside_bought / size - 1))
                    inside, inside_bought = 0.0, 0.0
            known = np.mean(buckets[-50:]) if len(buckets) >= 50 else NAN
            out[i] = known
        totals.append(np.nansum(v[rows]))
    return out


def rescaled_range(r):
    path = np.cumsum(r - r.mean())
    return NAN if r.std() == 0 else math.log((path.max() - path.min()) / r.std()) / math.log(len(r))


def basis(f):
    out = over(f["future"], f["close"]) * 1e4 - 1e4
    for i, row in enumerate(clock_rows(f["ts"], "NIFTY")):
        out[i] -= 1e4 * 0.065 * row["nights"] / 365 if row else NAN
    return out


def clock_rows(ts, underlying):
    """Give what the calendar says of each bar's end, None outside a session's hours."""
    rows = []
    known = {}
    for at in ts:
        day = date(1970, 1, 1) + timedelta(days=int((at + 19_800 * 10**9) // (86_400 * 10**9)))
        if day not in known:
            known[day] = day_row(day, underlying)
        row, end = known[day], int(minutes_of(at)) + 1
        if row is None or not row["open"] < end <= row["closed"]:
            rows.append(None)
            continue
        left = max(row["close"] - end, 0)
        rows.append({**row, "since": end - row["open"], "left": left, "minutes": row["later"] + left})
    return rows


def day_row(day, underlying):
    if not date(2013, 1, 1) <= day <= date(2026, 12, 31) or not calendar.is_session(day):
        return None
    today = calendar.session(day)
    expiry = facts.next_expiries(underlying, day, 1)[0].date
    later = calendar.sessions(day + timedelta(days=1), expiry) if expiry > day else []
    year, month = (day.year, day.month)
    monthly = facts.monthly_expiry(underlying, year, month)
    if monthly < day:
        monthly = facts.monthly_expiry(underlying, *((year, month + 1) if month < 12 else (year + 1, 1)))
    closed = today.first_minute + today.minutes
    gap, each = False, day - timedelta(days=1)
    while each >= date(2013, 1, 1) and not (calendar.is_session(each) and calendar.session(each).kind != "muhurat"):
        gap |= each.weekday() < 5
        each -= timedelta(days=1)
    return {
        "day": day, "open": today.first_minute, "closed": closed, "close": scheduled_close(today),
        "sessions": len(later), "later": sum(scheduled_close(each) - each.first_minute for each in later),
        "nights": (monthly - day).days, "holiday": float(gap),
    }  # fmt: skip


def scheduled_close(session):
    if session.kind != "regular":
        return session.first_minute + session.minutes
    return 15 * 60 + (40 if session.date >= date(2026, 8, 3) else 30)


def clock(f, underlying="NIFTY"):
    names = (
        "tod_sin", "tod_cos", "min_since_open", "min_to_close", "is_open_15", "is_close_30", "dow_sin", "dow_cos",
        "dte_days", "is_expiry_day", "min_to_expiry_log", "is_monthly_expiry", "is_post_holiday",
    )  # fmt: skip
    out = {name: np.full(len(f["ts"]), NAN) for name in names}
    for i, row in enumerate(clock_rows(f["ts"], underlying)):
        if row is None:
            continue
        turn, week = 2 * math.pi * row["since"] / 375, 2 * math.pi * row["day"].weekday() / 7
        values = (
            math.sin(turn), math.cos(turn), row["since"] / 375, row["left"] / 375, float(row["since"] <= 15),
            float(row["left"] < 30), math.sin(week), math.cos(week), row["sessions"], float(row["sessions"] == 0),
            math.log(1 + row["minutes"]), float(row["nights"] == 0), row["holiday"],
        )  # fmt: skip
        for name, value in zip(names, values):
            out[name][i] = value
    out["days_to_event"] = f["days_to_event"]
    return out


def cross(f):
    own = logs(f["close"]) - logs(before(f["close"]))
    other = logs(f["peer"]) - logs(before(f["peer"]))
    beta = rolling(slope_on, 60, other, own)
    apart = other - before(beta) * own
    rms = np.sqrt(mean(own**2, 20))
    breadth, vix, usdinr = f["breadth"], f["vix"], f["usdinr"]
    return {
        "beta_bn_60": beta,
        "resid_bn_60": rolling(lambda x: score(np.cumsum(x)), 60, apart),
        "corr_bn_60": rolling(correlation, 60, own, other),
        "lead_lag_5": rolling(correlation, 60, own, before(other)),
        "breadth": breadth,
        "breadth_d15": breadth - before(breadth, 15),
        "vix_ret_15": logs(vix) - logs(before(vix, 15)),
        "usdinr_ret_15": logs(usdinr) - logs(before(usdinr, 15)),
        "regime_vol": regime(rms * math.sqrt(252 * 375)),
        "cusum_state": cusum(over(own, before(np.sqrt(mean(own**2, 60)))), 5.0),
    }


def regime(rv):
    out, turbulent = np.full(len(rv), NAN), 0.5
    calm_law, wild_law = NormalDist(math.log(0.09), 0.4), NormalDist(math.log(0.18), 0.4)
    for i, x in enumerate(rv):
        if np.isnan(x) or x <= 0:
            continue
        prior = 0.99 * turbulent + 0.01 * (1 - turbulent)
        wild, calm = prior * wild_law.pdf(math.log(x)), (1 - prior) * calm_law.pdf(math.log(x))
        out[i] = turbulent = wild / (wild + calm)
    return out


def cusum(x, threshold):
    out, up, down = np.full(len(x), NAN), 0.0, 0.0
    for i, step in enumerate(x):
        if np.isnan(step):
            continue
        up, down = max(0.0, up + step), min(0.0, down + step)
        out[i] = max(-1.0, min(1.0, (up if up >= -down else down) / threshold))
        up, down = (0.0 if up >= threshold else up), (0.0 if down <= -threshold else down)
    return out


def everything(f):
    return {**volume(f), **microstructure(f), **clock(f), **cross(f)}
