"""Numbers in, numbers out: option prices, Greeks, chains, surfaces, positions; knows no market and no calendar."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.americans import american, american_greeks, exercise_boundary
    from algomaster.pricing.chain import Chain
    from algomaster.pricing.dealer_flow.result import Exposure, exposure
    from algomaster.pricing.digitals import digital
    from algomaster.pricing.european import Greeks, greeks, price
    from algomaster.pricing.implied import ImpliedStatus, ImpliedVol, implied_vol
    from algomaster.pricing.margin_rates import MarginRates
    from algomaster.pricing.margins import Margin, margin, scan_volatility
    from algomaster.pricing.measures.distribution import Density, density
    from algomaster.pricing.measures.moves import ExpectedMove, expected_move
    from algomaster.pricing.measures.smile_shape import constant_vol, event_move, smile_measures, term_measures
    from algomaster.pricing.measures.volatility_index import VarianceIndex, swap_vol, variance_index
    from algomaster.pricing.positions.legs import Leg
    from algomaster.pricing.positions.result import Payoff, payoff
    from algomaster.pricing.sticky import sticky_delta
    from algomaster.pricing.surface.streaming import SurfaceStream
    from algomaster.pricing.surface.surface import Surface

_HOMES = {
    "Chain": "chain",
    "Density": "measures.distribution",
    "ExpectedMove": "measures.moves",
    "Exposure": "dealer_flow.result",
    "Greeks": "european",
    "ImpliedStatus": "implied",
    "ImpliedVol": "implied",
    "Leg": "positions.legs",
    "Margin": "margins",
    "MarginRates": "margin_rates",
    "Payoff": "positions.result",
    "Surface": "surface.surface",
    "SurfaceStream": "surface.streaming",
    "VarianceIndex": "measures.volatility_index",
    "american": "americans",
    "american_greeks": "americans",
    "constant_vol": "measures.smile_shape",
    "density": "measures.distribution",
    "digital": "digitals",
    "event_move": "measures.smile_shape",
    "exercise_boundary": "americans",
    "expected_move": "measures.moves",
    "exposure": "dealer_flow.result",
    "greeks": "european",
    "implied_vol": "implied",
    "margin": "margins",
    "payoff": "positions.result",
    "price": "european",
    "scan_volatility": "margins",
    "smile_measures": "measures.smile_shape",
    "sticky_delta": "sticky",
    "swap_vol": "measures.volatility_index",
    "term_measures": "measures.smile_shape",
    "variance_index": "measures.volatility_index",
}

__all__ = [
    "Chain",
    "Density",
    "ExpectedMove",
    "Exposure",
    "Greeks",
    "ImpliedStatus",
    "ImpliedVol",
    "Leg",
    "Margin",
    "MarginRates",
    "Payoff",
    "Surface",
    "SurfaceStream",
    "VarianceIndex",
    "american",
    "american_greeks",
    "constant_vol",
    "density",
    "digital",
    "event_move",
    "exercise_boundary",
    "expected_move",
    "exposure",
    "greeks",
    "implied_vol",
    "margin",
    "payoff",
    "price",
    "scan_volatility",
    "smile_measures",
    "sticky_delta",
    "swap_vol",
    "term_measures",
    "variance_index",
]

__getattr__, __dir__ = attach(__name__, {name: f"{__name__}.{module}" for name, module in _HOMES.items()})
