"""Windows put together from quarters and halves: numpy's values for every length, the bits of joining two by two."""

import numpy as np
import pytest

from algomaster.features import series as s
from algomaster.features.kernels import windows
from algomaster.features.series import Series
from talib_forms import evaluate

A, B = s.given("close"), s.given("volume")
LENGTHS = [*range(2, 34), 45, 60, 61, 64, 97, 120]


def columns(seed: int, *, holes: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {"close": 100.0 + np.cumsum(rng.normal(size=400)), "volume": rng.integers(1, 9, 400).astype(float)}
    if holes:
        found["close"][[3, 150, 280]] = np.nan
    return found


def windows_of(values: np.ndarray, n: int) -> np.ndarray:
    """The last n values at each bar that has as many, (T - n + 1, n)."""
    return np.lib.stride_tricks.sliding_window_view(values, n)


@pytest.mark.parametrize("holes", [False, True])
def test_every_length_is_numpys(holes: bool) -> None:
    given = columns(1, holes=holes)
    for n in LENGTHS:
        mean, spread = s.moments(A, n)
        ours = evaluate(
            [s.total(A, n), s.highest(A, n), s.lowest(A, n), mean, spread, s.comoment(A, B, n), s.trend(A, n).slope],
            given,
        )
        assert np.isnan(ours[:, : n - 1]).all()
        x, y = windows_of(given["close"], n), windows_of(given["volume"], n)
        time = np.arange(n) - (n - 1) / 2
        gap = x - x.mean(axis=1, keepdims=True)
        expected = [
            x.sum(axis=1), x.max(axis=1), x.min(axis=1), x.mean(axis=1), (gap**2).sum(axis=1),
            (gap * (y - y.mean(axis=1, keepdims=True))).sum(axis=1), gap @ time / (time**2).sum(),
        ]  # fmt: skip
        for row, values in zip(ours, expected):
            np.testing.assert_allclose(row[n - 1 :], values, rtol=1e-9, atol=1e-9, err_msg=str(n))


def joined_total(a: Series, n: int) -> Series:
    if n == 1:
        return a
    late, early = (n // 2, n // 2) if n % 2 == 0 else (n - 1, 1)
    return s.node(windows.join_sums, joined_total(a, late), joined_total(a, early), numbers=(late,), back=(0, late))


def joined_moments(a: Series, n: int) -> tuple[Series, Series]:
    if n == 1:
        return s.moments(a, 1)
    late, early = (n // 2, n // 2) if n % 2 == 0 else (n - 1, 1)
    first = s.node(
        windows.join_moments, *joined_moments(a, late), *joined_moments(a, early), numbers=(late, early), outputs=2,
        back=(0, 0, late, late),
    )  # fmt: skip
    return first, Series(first.node, 1)


def test_bits_of_joining_two_by_two() -> None:
    given = columns(2, holes=True)
    for n in LENGTHS:
        ours = evaluate([s.total(A, n), *s.moments(A, n)], given)
        theirs = evaluate([joined_total(A, n), *joined_moments(A, n)], given)
        np.testing.assert_array_equal(ours, theirs, err_msg=str(n))


def test_two_averages_at_once_are_two_averages() -> None:
    given = columns(3, holes=True)
    for n, m in ((9, 21), (21, 9), (5, 5), (1, 60)):
        ours = evaluate(list(s.ema_pair(A, n, B, m)), given)
        np.testing.assert_array_equal(ours, evaluate([s.ema(A, n), s.ema(B, m)], given))


def test_a_window_of_no_bars() -> None:
    with pytest.raises(ValueError, match="at least one bar, got 0"):
        s.total(A, 0)
    with pytest.raises(ValueError, match="at least one bar, got -1"):
        s.highest(A, -1)
