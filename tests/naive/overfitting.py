"""Overfitting told plainly: every split, every resample, every autocovariance by the book."""

import itertools
import math

import numpy as np


def cscv(returns, blocks):
    """Give, for every choice of half the blocks, (best column, its rank from below in the other days)."""
    days = len(returns)
    edges = np.linspace(0, days, blocks + 1).astype(int)
    found = []
    for picked in itertools.combinations(range(blocks), blocks // 2):
        sample = np.concatenate([returns[edges[b] : edges[b + 1]] for b in picked])
        others = np.concatenate([returns[edges[b] : edges[b + 1]] for b in range(blocks) if b not in picked])
        inside, outside = squared_ratio(sample), squared_ratio(others)
        best = int(np.argmax(inside))
        below, equal = (outside < outside[best]).sum(), (outside == outside[best]).sum()
        found.append((best, float(below + (equal + 1) / 2)))
    return found


def squared_ratio(days):
    """Mean over root mean square, squared with its sign: in the order of the Sharpe ratios; 0 for no money at all."""
    total, squares = days.sum(axis=0), (days**2).sum(axis=0)
    return np.where(squares > 0, total * abs(total) / np.where(squares > 0, squares, 1), 0.0)


def sharpes(days):
    return days.mean(axis=0) / days.std(axis=0, ddof=1)


def long_run_variance(column, block_length):
    days, p = len(column), 1 / block_length
    away = column - column.mean()
    total = (away**2).sum() / days
    for i in range(1, days):
        weight = (1 - i / days) * (1 - p) ** i + i / days * (1 - p) ** (days - i)
        total += 2 * weight * (away[: days - i] * away[i:]).sum() / days
    return total


def snooping(returns, places, block_length):
    """Give White's p-value and Hansen's consistent, lower and upper ones over given resamples."""
    days, columns = returns.shape
    mean, spread = returns.mean(axis=0), returns.std(axis=0)
    bound = [
        -math.sqrt(long_run_variance(returns[:, k], block_length) * 2 * math.log(math.log(days)) / days)
        for k in range(columns)
    ]
    kept = [mean, np.where(mean >= bound, mean, 0), np.maximum(mean, 0), mean]
    observed = [mean.max(), *[max(0, (mean / spread).max())] * 3]
    extreme = np.zeros(4)
    for chosen in places:
        again = returns[chosen].mean(axis=0)
        drawn = [(again - kept[0]).max(), *(max(0, ((again - centre) / spread).max()) for centre in kept[1:])]
        extreme += np.array(drawn) >= np.array(observed)
    return ((1 + extreme) / (1 + len(places))).tolist()
