"""The index path: log spot, two volatility factors, skew and basis, step by step on the business-time clock.

1. The variance of a step is set by the factors before it: ``variance * exp(slow + fast)``, corrected to mean one.
2. The return has a Gaussian part of that variance and, with a chance in proportion to it, a jump.
3. The factors, the skew and the basis revert to their means exactly (Ornstein-Uhlenbeck over the step's business time);
   the volatility factors' shocks share the return's, and a jump down lifts the fast one.

A night is one step with its own jump size. The state is carried from session to session.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.market.simulator.model import MarketModel
from algomaster.pricing.kernels.elementary import exp

__all__ = ["NORMALS", "STATE", "PathParams", "first_state", "path_params", "walk"]

STATE: Final = ("log_spot", "slow", "fast", "skew", "basis", "anchor")
"""Entries of the state vector; the anchor follows log spot slowly and centres open interest."""
NORMALS: Final = 6
"""Standard normal draws a step: return, slow, fast, skew, basis, jump size."""

_ANCHOR_PULL: Final = 120.0  # half-life of about a day and a half


class PathParams(NamedTuple):
    """What :func:`walk` reads of a :class:`~algomaster.market.simulator.model.MarketModel`, which documents it."""

    variance: float
    slow_sd: float
    slow_pull: float
    slow_leverage: float
    fast_sd: float
    fast_pull: float
    fast_leverage: float
    jump_rate: float
    jump_mean: float
    jump_sd: float
    gap_jump_sd: float
    jump_feedback: float
    drift: float
    skew: float
    skew_width: float
    skew_pull: float
    basis_sd: float
    basis_pull: float


def path_params(model: MarketModel) -> PathParams:
    """Take the path's parameters out of a model."""
    return PathParams(*(float(getattr(model, name)) for name in PathParams._fields))


def first_state(level: float, p: PathParams, normals: FloatArray) -> FloatArray:
    """Start at an index level (paise) with volatility and skew drawn from their stationary distributions."""
    log_spot = math.log(level)
    return np.array(
        [log_spot, p.slow_sd * normals[0], p.fast_sd * normals[1], normals[2], p.basis_sd * normals[3], log_spot]
    )


@kernel
def walk(
    state: FloatArray,
    years: FloatArray,
    normals: FloatArray,
    uniforms: FloatArray,
    first_is_gap: bool,
    p: PathParams,
    out: FloatArray,
) -> None:
    """Advance the state over steps and record the market after each.

    Parameters
    ----------
    state : (6,) changed in place, see :data:`STATE`
    years : (N,) business time of each step
    normals : (N, 6) standard normal
    uniforms : (N,) in [0, 1), for the arrival of jumps
    first_is_gap : bool
        The first step is a night.
    p : PathParams
    out : (6, N)
        Spot, variance now, variance that the fast factor reverts to, smile correlation, basis fraction, anchor (log).
    """
    correction = 0.5 * (p.slow_sd * p.slow_sd + p.fast_sd * p.fast_sd)
    slow_correction = 0.5 * p.slow_sd * p.slow_sd
    slow_own = math.sqrt(1.0 - p.slow_leverage * p.slow_leverage)
    fast_own = math.sqrt(1.0 - p.fast_leverage * p.fast_leverage)
    for j in range(years.size):
        dt = years[j]
        jump_sd = p.gap_jump_sd if first_is_gap and j == 0 else p.jump_sd
        variance = p.variance * exp(state[1] + state[2] - correction)
        arrivals = p.jump_rate * variance / p.variance * dt
        jump = 0.0
        if uniforms[j] < arrivals:
            jump = jump_sd * (p.jump_mean + normals[j, 5])
        drift = (p.drift - 0.5 * variance) * dt - arrivals * p.jump_mean * jump_sd
        state[0] += drift + math.sqrt(variance * dt) * normals[j, 0] + jump
        slow_shock = p.slow_leverage * normals[j, 0] + slow_own * normals[j, 1]
        fast_shock = p.fast_leverage * normals[j, 0] + fast_own * normals[j, 2]
        state[1] = _revert(state[1], p.slow_sd, p.slow_pull * dt, slow_shock)
        state[2] = _revert(state[2], p.fast_sd, p.fast_pull * dt, fast_shock) - p.jump_feedback * jump
        state[3] = _revert(state[3], 1.0, p.skew_pull * dt, normals[j, 3])
        state[4] = _revert(state[4], p.basis_sd, p.basis_pull * dt, normals[j, 4])
        state[5] += (state[0] - state[5]) * (1.0 - exp(-_ANCHOR_PULL * dt))
        out[0, j] = exp(state[0])
        out[1, j] = p.variance * exp(state[1] + state[2] - correction)
        out[2, j] = p.variance * exp(state[1] - slow_correction)
        out[3, j] = p.skew + p.skew_width * state[3] / math.sqrt(1.0 + state[3] * state[3])
        out[4, j] = state[4]
        out[5, j] = state[5]


@kernel
def _revert(value: float, sd: float, pulls: float, shock: float) -> float:
    keep = exp(-pulls)
    return keep * value + sd * math.sqrt(max(1.0 - keep * keep, 0.0)) * shock
