"""Risk of ruin against the theory of games of chance.

Feller, "An Introduction to Probability Theory and Its Applications", vol. 1, chapter XIV (the gambler's ruin, its
duration); Ethier, "The Doctrine of Chances", chapter 8 (martingales with a cap). Rounds are Bernoulli: so many wins and
losses of one unit, drawn one by one. Beside the closed forms stands the exact recursion over (capital, step).
"""

from collections import defaultdict

import pytest

from algomaster.performance import risk_of_ruin

UNIT = 100.0
RUNS = 20_000


def rounds(wins, losses):
    return [UNIT] * wins + [-UNIT] * losses


def recursion(p, capital, horizon, *, most=0, restart=False, multiplier=1):
    """Probability of ruin and mean result within so many rounds, all paths followed; amounts in units."""
    alive, ruined, mean = {(capital, 0): 1.0}, 0.0, 0.0
    for _ in range(horizon):
        after = defaultdict(float)
        for (money, step), weight in alive.items():
            bet = multiplier**step
            after[money + bet, 0] += weight * p
            later = (0 if restart else step) if step == most else step + 1
            if money - bet <= 0:
                ruined += weight * (1 - p)
                mean += weight * (1 - p) * (money - bet - capital)
            else:
                after[money - bet, later] += weight * (1 - p)
        alive = after
    return ruined, mean + sum(weight * (money - capital) for (money, _), weight in alive.items())


def agrees(found, probability, mean=None):
    assert abs(found.probability - probability) < 4 * max(found.standard_error, 1 / found.runs)
    if mean is not None:
        assert abs(found.expected / UNIT - mean) < 4 * found.expected_error / UNIT


@pytest.mark.parametrize(("wins", "losses", "z"), [(11, 9, 5), (11, 9, 2), (3, 2, 4)])
def test_the_gamblers_ruin_in_a_favourable_game(wins, losses, z):
    """Feller XIV.2: against an infinitely rich adversary ruin has probability (q/p)**z; 1,500 rounds are nearly all."""
    closed = (losses / wins) ** z
    exact, mean = recursion(wins / (wins + losses), z, 1500)
    assert exact == pytest.approx(closed, abs=2e-4)
    found = risk_of_ruin(rounds(wins, losses), capital=z * UNIT, horizon=1500, block=1, runs=RUNS)
    agrees(found, closed, mean)
    assert found.largest == 1


def test_the_gamblers_ruin_within_a_time():
    """A fair game is lost at last with certainty; within 40 rounds it is what the recursion says."""
    exact, mean = recursion(0.5, 6, 40)
    agrees(risk_of_ruin(rounds(1, 1), capital=6 * UNIT, horizon=40, block=1, runs=RUNS, seed=3), exact, mean)
    assert mean == pytest.approx(0.0, abs=1e-12)


def test_a_martingale_with_all_of_one_cycle_at_stake():
    """Ethier 8.1: doubling up to four times, 31 units are lost when the first five rounds are: probability q**5."""
    policy = {"sizing": "martingale", "multiplier": 2.0, "max_steps": 4, "after_max": "restart"}
    found = risk_of_ruin(rounds(9, 10), policy, capital=31 * UNIT, horizon=5, block=1, runs=200_000)
    agrees(found, (10 / 19) ** 5, recursion(9 / 19, 31, 5, most=4, restart=True, multiplier=2)[1])
    assert found.largest == 16


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize(("wins", "losses", "most", "capital"), [(1, 1, 3, 60), (11, 9, 4, 100), (9, 10, 2, 25)])
def test_a_capped_martingale(wins, losses, most, capital, restart):
    policy = {"sizing": "martingale", "max_steps": most, "after_max": "restart" if restart else "stay"}
    exact, mean = recursion(wins / (wins + losses), capital, 120, most=most, restart=restart, multiplier=2)
    found = risk_of_ruin(rounds(wins, losses), policy, capital=capital * UNIT, horizon=120, block=1, runs=RUNS, seed=9)
    agrees(found, exact, mean)


def test_a_martingale_makes_ruin_likelier_than_the_fixed_size():
    numbers = rounds(11, 9)
    fixed = risk_of_ruin(numbers, capital=3000, horizon=250, block=1)
    doubled = risk_of_ruin(numbers, {"sizing": "martingale", "max_steps": 6}, capital=3000, horizon=250, block=1)
    assert fixed.probability < 0.01 < 0.1 < doubled.probability
    assert doubled.median_drawdown > 2 * fixed.median_drawdown
