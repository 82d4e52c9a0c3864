"""Positions and dealer flow give the same bits with the JIT off, and the profile those of its plain twin in numpy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import algomaster
from algomaster.pricing.kernels.dealer_flow import gamma_profile, gamma_terms

CODE = """
import hashlib, json
import numpy as np
from algomaster.pricing import price
from algomaster.pricing.chain import Chain
from algomaster.pricing.dealer_flow import exposure
from algomaster.pricing.positions import payoff

rng = np.random.default_rng(3)
right, t, strike = (a.ravel() for a in np.meshgrid([1, -1], [0.01, 0.1], np.arange(23.0, 26.1, 0.5), indexing="ij"))
table = {"right": right, "strike": strike, "t": t, "oi": rng.integers(0, 900, t.size) * 1.0}
table["price"] = price(right, 24.5, strike, t, 0.12 + 0.02 * rng.random(t.size), rate=0.06)
flow = exposure(Chain.from_frame(table, spot=24.5, rate=0.06), lot=75, spots=np.linspace(20.0, 29.0, 25))
legs = [("CE", 25, -75, 0.2, 0.01, 0.13), ("PE", 24, -75, 0.2, 0.01, 0.14),
        ("CE", 25.5, 75, 0.1, 0.01, 0.12), ("FUT", None, 30, 24.6, 0.1)]
position = payoff(legs, spot=24.5, rate=0.06, at=[0.004], vol_shifts=[-0.01, 0.02],
                  spots=np.linspace(0.0, 50.0, 60))
arrays = [flow.profile.by_expiry, flow.flips, flow.frame.to_numpy(), position.at_expiry, position.now, position.between,
          position.breakevens]
numbers = [flow.gex, flow.dex, flow.vex, flow.chex, flow.flip, flow.max_pain, position.max_profit, position.max_loss]
print(json.dumps([hashlib.sha256(a.tobytes()).hexdigest() for a in arrays] + [x.hex() for x in numbers]))
"""


def test_same_bits_without_compiling() -> None:
    found = []
    source = str(Path(algomaster.__file__).parents[1])  # of this very tree, wherever another may be installed
    for off in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": off, "PYTHONPATH": source}
        command = [sys.executable, "-W", "error", "-c", CODE]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]


def test_profile_and_its_twin() -> None:
    """The benchmark's numpy formula; 2,000 options at 201 spots."""
    rng = np.random.default_rng(0)
    n, spot = 2000, 24_500.0
    strike, vol = spot * rng.uniform(0.8, 1.2, n), rng.uniform(0.1, 0.25, n)
    t = rng.choice([2.0, 9.0, 30.0, 90.0], n) / 365.0
    forward, discount = spot * np.exp(0.06 * t), np.exp(-0.06 * t)
    weight = rng.integers(-50_000, 50_000, n) * 1.0
    slope, offset, height = (np.empty(n) for _ in range(3))
    gamma_terms(spot, strike, t, vol, forward, discount, weight, slope, offset, height)
    spots = np.linspace(0.8 * spot, 1.2 * spot, 201)
    out = np.empty((1, 201))
    gamma_profile(spot, slope, offset, height, np.zeros(n, np.int64), spots, np.empty(201), out)
    deviation, ratio = vol * np.sqrt(t), forward / spot
    d1 = np.log(np.multiply.outer(spots, ratio / strike)) / deviation + 0.5 * deviation
    gamma = discount * ratio * np.exp(-0.5 * d1 * d1) / (np.sqrt(2 * np.pi) * spots[:, None] * deviation)
    expected = (gamma * weight).sum(axis=1) * spots**2
    np.testing.assert_allclose(
        out[0], expected, rtol=0, atol=1e-13 * np.abs(gamma * weight).sum(axis=1).max() * spot**2
    )
