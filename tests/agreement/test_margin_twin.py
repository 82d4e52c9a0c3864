"""The margin kernel against its twin on paper, and the same bits with the JIT off."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import algomaster
from algomaster import pricing
from algomaster.market import facts
from naive import span as naive

DAYS = [date(2014, 6, 2), date(2019, 6, 3), date(2021, 6, 1), date(2024, 12, 2), date(2025, 6, 2)]
CODE = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from algomaster.pricing import margin
rng = np.random.default_rng(5)
found = []
for _ in range(25):
    legs = []
    for _ in range(int(rng.integers(1, 6))):
        right = rng.choice(["CE", "PE", "FUT"], p=[0.45, 0.45, 0.1])
        strike = None if right == "FUT" else float(rng.integers(40, 61) * 500)
        legs.append((str(right), strike, float(rng.integers(-3, 4) * 75), float(rng.integers(1, 900)),
                     float(rng.choice([0.001, 0.02, 0.1])), float(rng.uniform(0.08, 0.4))))
    one = margin(legs, spot=25_000.0)
    found.append([x.hex() for x in (one.total, one.span, one.calendar, one.exposure, *one.scenarios.tolist())])
print(json.dumps(found))
"""


def legs_at_random(rng):
    legs = []
    for _ in range(int(rng.integers(1, 7))):
        right = int(rng.choice([1, -1, 0], p=[0.45, 0.45, 0.1]))
        quantity = float(rng.integers(-4, 5) * 75)
        t = float(rng.choice([0.0, 0.0015, 0.02, 0.03, 0.1]))
        strike = float(rng.integers(38, 63) * 500)
        legs.append((right, strike, quantity, float(rng.uniform(1.0, 900.0)), t, float(rng.uniform(0.05, 0.5))))
    return legs


@pytest.mark.parametrize("daily_vol", [None, 0.02])
def test_kernel_and_paper_agree(daily_vol):
    rng = np.random.default_rng(11)
    spot, rate = 25_000.0, 0.06
    for turn in range(120):
        legs = legs_at_random(rng)
        rates = facts.margin_rates(DAYS[turn % len(DAYS)])
        given = [
            ("FUT" if r == 0 else "CE" if r > 0 else "PE", None if r == 0 else k, q, p, t, None if r == 0 else v)
            for r, k, q, p, t, v in legs
        ]
        ours = pricing.margin(given, spot=spot, rate=rate, rates=rates, daily_vol=daily_vol)
        paper = naive.margin(legs, spot, rate, rates, *rates.ranges(daily_vol))
        scale = sum(abs(leg[2]) for leg in legs) * spot
        for name, value in paper.items():
            assert getattr(ours, name) == pytest.approx(value, rel=1e-9, abs=1e-12 * scale), name
        losses = [
            sum(naive.loss(leg, s, spot, rate, ours.scan, ours.vol_scan) for leg in legs) for s in naive.SCENARIOS
        ]
        np.testing.assert_allclose(ours.scenarios, losses, rtol=1e-9, atol=1e-12 * scale)


def test_same_bits_without_compiling():
    found = []
    source = str(Path(algomaster.__file__).parents[1])
    for off in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": off, "PYTHONPATH": source}
        command = [sys.executable, "-W", "error", "-c", CODE, source]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
