"""What is read off a chain and a surface: distribution, expected move, volatility indices, shape of smiles and term."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.measures.distribution import Density, density
    from algomaster.pricing.measures.moves import ExpectedMove, expected_move
    from algomaster.pricing.measures.plots import measures_figure
    from algomaster.pricing.measures.smile_shape import (
        constant_vol,
        delta_moneyness,
        event_move,
        smile_measures,
        term_measures,
    )
    from algomaster.pricing.measures.volatility_index import VarianceIndex, swap_vol, variance_index

__all__ = [
    "Density",
    "ExpectedMove",
    "VarianceIndex",
    "constant_vol",
    "delta_moneyness",
    "density",
    "event_move",
    "expected_move",
    "measures_figure",
    "smile_measures",
    "swap_vol",
    "term_measures",
    "variance_index",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Density": "algomaster.pricing.measures.distribution",
        "ExpectedMove": "algomaster.pricing.measures.moves",
        "VarianceIndex": "algomaster.pricing.measures.volatility_index",
        "constant_vol": "algomaster.pricing.measures.smile_shape",
        "delta_moneyness": "algomaster.pricing.measures.smile_shape",
        "density": "algomaster.pricing.measures.distribution",
        "event_move": "algomaster.pricing.measures.smile_shape",
        "expected_move": "algomaster.pricing.measures.moves",
        "measures_figure": "algomaster.pricing.measures.plots",
        "smile_measures": "algomaster.pricing.measures.smile_shape",
        "swap_vol": "algomaster.pricing.measures.volatility_index",
        "term_measures": "algomaster.pricing.measures.smile_shape",
        "variance_index": "algomaster.pricing.measures.volatility_index",
    },
)
