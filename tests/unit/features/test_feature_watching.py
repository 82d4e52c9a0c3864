"""Statistics and drift against numpy and a loop; their pictures."""

import math

import numpy as np
import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.features.store import Table, drift, materialize, statistics
from algomaster.features.store.drifting import stability_index
from feature_home import FEATURES, days, fill, probe


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = fill(tmp_path_factory.mktemp("home"), 8)
    materialize(probe(), days(8)[0], days(8)[-1], home=folder)
    return folder


def test_statistics_are_numpys(home):
    found = statistics(probe(), days(8)[0], days(8)[1], home=home)
    assert found.frame.height == 2 * len(FEATURES)
    assert found.frame["feature"].to_list()[: len(FEATURES)] == FEATURES
    rows = Table(probe(), home).read(start=days(8)[0], end=days(8)[0])
    line = found.frame.filter((pl.col("session") == days(8)[0]) & (pl.col("feature") == "MA60")).row(0, named=True)
    values = rows["MA60"].to_numpy()
    known = values[~np.isnan(values)]
    assert line["rows"] == 375
    assert line["coverage"] == known.size / 375 < 1.0  # the first session has no sessions before it
    expected = {
        "mean": known.mean(), "std": known.std(ddof=1), "min": known.min(), "max": known.max(),
        **{f"q{p:02d}": np.quantile(known, p / 100) for p in (5, 25, 50, 75, 95)},
    }  # fmt: skip
    assert {name: line[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert "2 to" not in repr(found)
    assert "features" in found._repr_html_()
    assert found.to_frame() is found.frame


def naive_index(before, now, bins):
    """PSI by a loop over bins and values, with half a row added to each bin."""
    known = sorted(v for v in before if not math.isnan(v))
    edges = sorted({float(np.quantile(known, k / bins)) for k in range(1, bins)})
    shares = []
    for values in (before, now):
        counts = [0.5] * (len(edges) + 2)
        for value in values:
            counts[-1 if math.isnan(value) else sum(value >= edge for edge in edges)] += 1
        shares.append([count / sum(counts) for count in counts])
    return sum((a - e) * math.log(a / e) for e, a in zip(*shares))


def test_drift_is_the_naive_index(home):
    last = days(8)
    found = drift(probe(), last[5], last[7], training=(last[0], last[4]), home=home)
    assert found.frame.height == 3 * len(FEATURES)
    table = Table(probe(), home)
    before = table.read(start=last[0], end=last[4])
    for line in found.frame.iter_rows(named=True):
        now = table.read(start=line["session"], end=line["session"])[line["feature"]]
        expected = naive_index(before[line["feature"]].to_list(), now.to_list(), 10)
        assert line["psi"] == pytest.approx(expected, rel=1e-9)
        assert line["level"] == ("none" if expected < 0.1 else "moderate" if expected < 0.25 else "major")
    together = drift(probe(), last[5], last[7], training=(last[0], last[4]), window=3, home=home)
    now = table.read(start=last[5], end=last[7])["ROC5"]
    line = together.frame.filter((pl.col("feature") == "ROC5") & (pl.col("session") == last[7])).row(0, named=True)
    assert line["psi"] == pytest.approx(naive_index(before["ROC5"].to_list(), now.to_list(), 10), rel=1e-9)
    assert "major" in repr(found)
    assert "training" in found._repr_html_()


def test_the_index_of_equal_samples_is_what_chance_gives():
    random = np.random.default_rng(1)
    shares, n, m = np.full(10, 0.1), 5000, 400
    found = [stability_index(random.multinomial(n, shares), random.multinomial(m, shares)) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(9 * (1 / n + 1 / m), rel=0.05)
    assert stability_index(np.array([50.0, 50.0]), np.array([50.0, 50.0])) == 0.0
    e, a = np.array([0.5, 0.5]), np.array([0.8, 0.2])  # large counts: what a half row adds is lost
    by_hand = 0.3 * math.log(1.6) - 0.3 * math.log(0.4)
    assert stability_index(e * 1e9, a * 1e9) == pytest.approx(by_hand, rel=1e-6)


def test_pictures(home):
    last = days(8)
    found = statistics(probe(), last[0], last[7], home=home)
    coverage = found.plot()
    assert coverage.data[0].z.shape == (len(FEATURES), 8)
    assert list(coverage.data[0].y) == FEATURES
    spread = found.plot("ROC5")
    assert [trace.name for trace in spread.data if trace.name in ("median", "min", "max")] == ["median", "min", "max"]
    shift = drift(probe(), last[5], last[7], training=(last[0], last[4]), home=home).plot()
    assert shift.data[0].z.shape == (len(FEATURES), 3)
    assert shift.data[0].zmax == 0.5
    with pytest.raises(ValueError, match="one of the view's"):
        found.plot("nope")


def test_what_is_not_there_is_told(home):
    with pytest.raises(DataError, match=r"no rows from 2023-01-02 to 2023-01-03; it has 2024-01-01 to"):
        statistics(probe(), "2023-01-02", "2023-01-03", home=home)
    with pytest.raises(ValueError, match="at least 2 bins"):
        drift(probe(), days(2)[0], days(2)[1], training=(days(1)[0], days(1)[0]), bins=1, home=home)
    with pytest.raises(ValueError, match="not before the start"):
        statistics(probe(), days(2)[1], days(2)[0], home=home)
