"""The namespace ``algo`` of polars is the functions themselves."""

import numpy as np
import polars as pl
import pytest

import algomaster.pricing.expressions  # noqa: F401 (adds the namespace)
from algomaster.pricing import greeks, implied_vol, price

FRAME = pl.DataFrame(
    {
        "right": ["CE", "PE", "CE", None],
        "spot": [100.0, 101.0, 99.0, 100.0],
        "strike": [100.0, 95.0, 120.0, 100.0],
        "t": [0.1, 0.2, 0.3, 0.1],
        "sigma": [0.2, 0.3, 0.25, 0.2],
    }
)
COLUMNS = ("spot", "strike", "t", "sigma")
ARRAYS = [FRAME[name].to_numpy() for name in ("right", *COLUMNS)]


@pytest.mark.parametrize("lazy", [False, True])
def test_prices_greeks_and_vols_are_those_of_the_functions_to_the_bit(lazy):
    right = pl.col("right").algo
    frame = FRAME.lazy() if lazy else FRAME
    frame = frame.with_columns(quote=right.price(*COLUMNS, rate=0.06), g=right.greeks(*COLUMNS, rate=0.06))
    frame = frame.with_columns(iv=pl.col("quote").algo.implied_vol("right", "spot", "strike", "t", rate=0.06))
    found = frame.collect() if lazy else frame
    quote = price(*ARRAYS, rate=0.06)
    np.testing.assert_array_equal(found["quote"].to_numpy(), quote)
    expected = greeks(*ARRAYS, rate=0.06)
    for name in ("price", "delta", "gamma", "vega", "theta", "rho"):
        np.testing.assert_array_equal(found["g"].struct.field(name).to_numpy(), getattr(expected, name))
    vols = implied_vol(quote, *ARRAYS[:4], rate=0.06)
    np.testing.assert_array_equal(found["iv"].struct.field("vol").to_numpy(), vols.vol)
    assert found["iv"].struct.field("status").to_list() == vols.status.tolist() == [0, 0, 0, 4]
    assert found.schema["iv"] == pl.Struct({"vol": pl.Float64, "status": pl.Int64})


def test_constants_forwards_expressions_and_groups():
    out = FRAME.select(
        by_forward=pl.col("right").algo.price(None, pl.col("strike") * 1.0, "t", 0.2, forward="spot", model="bachelier")
    )
    expected = price(ARRAYS[0], None, ARRAYS[2], ARRAYS[3], 0.2, forward=ARRAYS[1], model="bachelier")
    np.testing.assert_array_equal(out["by_forward"].to_numpy(), expected)
    grouped = FRAME.select(pl.col("right").algo.price(*COLUMNS).over("right"))
    np.testing.assert_array_equal(grouped["right"].to_numpy(), price(*ARRAYS))


def test_a_bad_right_is_refused_as_by_the_function():
    with pytest.raises((ValueError, pl.exceptions.ComputeError), match="right: expected"):
        FRAME.with_columns(right=pl.lit("X")).select(pl.col("right").algo.price(*COLUMNS))
