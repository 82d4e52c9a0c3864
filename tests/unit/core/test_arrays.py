"""One door for numpy, pandas and polars: the same numbers in, the same kind out."""

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given

from algomaster.core.arrays import as_array, as_vector, kind_of, like, to_rupees

VALUES = [1.5, None, -3.0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1.5, np.nan, -3.0]), "numpy"),
        (pd.Series(VALUES, index=[7, 8, 9], name="p"), "pandas"),
        (pd.Series(VALUES, dtype="Float64"), "pandas"),
        (pl.Series("p", VALUES), "polars"),
        ([1.5, np.nan, -3.0], "numpy"),
    ],
)
def test_the_same_numbers_come_in(values, kind):
    assert kind_of(values) == kind
    vector = as_vector(values, "price")
    assert vector.dtype == np.float64
    assert vector.flags.c_contiguous
    np.testing.assert_array_equal(vector, [1.5, np.nan, -3.0])


def test_the_same_kind_goes_out():
    result = np.array([1.0, 2.0, 3.0])
    given_frame = pd.Series(VALUES, index=[7, 8, 9], name="p")
    back = like(result, given_frame)
    assert isinstance(back, pd.Series)
    assert (back.index.tolist(), back.name) == ([7, 8, 9], "p")
    back = like(result, pl.Series("p", VALUES))
    assert isinstance(back, pl.Series)
    assert back.name == "p"
    assert like(result, [1, 2, 3]) is result
    assert like(np.array(4.0), 4) == 4.0


@pytest.mark.parametrize("bad", [["a", "b"], pl.Series(["a", "b"]), pd.Series(["a", "b"]), [object()], "text"])
def test_what_is_no_number_is_refused_by_name(bad):
    with pytest.raises(TypeError, match="price: expected numbers"):
        as_array(bad, "price")


def test_a_matrix_is_no_vector():
    with pytest.raises(ValueError, match=r"price: expected one dimension, got shape \(2, 2\)"):
        as_vector(np.ones((2, 2)), "price")


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=50))
def test_rupees_are_the_nearest_float(paise):
    assert to_rupees(np.array(paise)).tolist() == [amount / 100 for amount in paise]
