"""Pictures: what they show, and that they say so where there is nothing to show."""

from typing import Any

import numpy as np
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing import greeks
from algomaster.pricing.chain import Chain
from algomaster.pricing.heatmaps import chain_heatmap, greek_profile
from algomaster.pricing.measures import density, expected_move, measures_figure, smile_measures, variance_index
from smiles import SKEWED, VOGT, SviSurface, chain_of, flat

YEARS = np.array([9, 30, 60]) / 365
SURFACE = SviSurface([(0.0005, 0.006, -0.5, 0.005, 0.03), SKEWED, (0.008, 0.03, -0.5, 0.02, 0.12)], YEARS)
STRIKES = np.arange(80.0, 121.0, 2.0)


@pytest.fixture(scope="module")
def chain() -> Chain:
    return chain_of(SURFACE, STRIKES, spread=0.02, oi=7.0, volume=3.0).implied_vols().greeks()


def traces(figure: Any) -> list[str]:
    return [trace.name for trace in figure.data]


def test_density_figure() -> None:
    figure = density(SURFACE, YEARS[1]).plot()
    assert traces(figure) == ["Density", "Probability below"]
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    wrong = density(SviSurface([VOGT], 1.0), 1.0, strikes=np.linspace(20, 400, 101)).plot()
    assert [note.text for note in wrong.layout.annotations if note.text == "negative"] == ["negative"]


def test_move_and_strips_figures(chain: Chain) -> None:
    figure = expected_move(SURFACE, YEARS[1]).plot()
    assert figure.data[0].y == ("Straddle", "0.85 × straddle", "One sigma", "16–84 %")
    bare = expected_move(chain, chain.labels[1]).plot()  # no surface: no band for the density
    assert bare.data[0].text[-1] == ""
    assert traces(variance_index(chain, expiries=chain.labels[:2]).plot()) == list(chain.labels[:2])
    assert traces(variance_index(SURFACE, method="smooth").plot()) == []


def test_measures_figure() -> None:
    names = traces(measures_figure(smile_measures(SURFACE)))
    assert names[:2] == ["At the money", "Variance swap"]
    assert "Variance swap" not in traces(measures_figure(smile_measures(SURFACE, swap=False)))


@pytest.mark.parametrize(
    "what", ["vol", "price", "bid", "ask", "oi", "volume", "delta", "gamma", "vega", "theta", "rho"]
)
def test_heatmap_of_everything(chain: Chain, what: str) -> None:
    figure = chain_heatmap(chain, what, window=(80, 120))
    grid = np.array(figure.data[0].z)
    assert grid.shape == (3, STRIKES.size)
    assert list(figure.data[0].y) == list(chain.labels)
    assert np.isfinite(grid).all()
    assert figure.layout.xaxis.title.text == "Strike"
    signed = what in ("delta", "theta", "rho")
    assert (figure.data[0].zmin == -figure.data[0].zmax) == signed
    assert what in figure.data[0].hovertemplate


def test_heatmap_sides(chain: Chain) -> None:
    def grid(what: str, right: str | None) -> Any:
        return np.array(chain_heatmap(chain, what, right=right, window=(80, 120)).data[0].z)

    call, put = grid("delta", "call"), grid("delta", "put")
    assert (call > 0).all()
    assert (put < 0).all()
    assert grid("delta", "net") == pytest.approx(call - put)
    otm = grid("delta", None)
    above = STRIKES >= 100.0
    assert (otm[:, above] == call[:, above]).all()
    assert (otm[:, ~above] == put[:, ~above]).all()
    assert (grid("oi", None) == 14.0).all()
    assert (grid("oi", "net") == 0.0).all()
    assert chain.sensitivities is not None
    here = np.flatnonzero((chain.expiry == 1) & (chain.strike == 90.0) & (chain.right == -1))
    assert put[1, 5] == chain.sensitivities.delta[here[0]]


def test_heatmap_window_and_expiries(chain: Chain) -> None:
    figure = chain_heatmap(chain, "gamma", expiries=chain.labels[:2])
    assert len(figure.data[0].y) == 2
    assert 3 < len(figure.data[0].x) < STRIKES.size  # 2.5 deviations of a month
    assert len(chain_heatmap(chain, "vega", expiries=1).data[0].y) == 1
    bare = chain_of(SURFACE, STRIKES, oi=1.0)
    assert len(chain_heatmap(bare, "oi").data[0].x) == 10  # 10 % where there are no volatilities


def test_heatmap_wrong_input(chain: Chain) -> None:
    bare = chain_of(SURFACE, STRIKES)
    with pytest.raises(PricingError, match=r"Call \.greeks"):
        chain_heatmap(bare, "gamma")
    with pytest.raises(PricingError, match=r"Call \.implied_vols"):
        chain_heatmap(bare, "vol")
    with pytest.raises(ValueError, match="what: expected one of 'vol'"):
        chain_heatmap(chain, "gama")
    with pytest.raises(ValueError, match="right: expected one of"):
        chain_heatmap(chain, "gamma", right="CE")
    with pytest.raises(ValueError, match="expiries: expected some of"):
        chain_heatmap(chain, "gamma", expiries=["May"])
    with pytest.raises(ValueError, match="no strike of the chain lies between 1 and 2"):
        chain_heatmap(chain, "gamma", window=(1, 2))


def test_greek_profile() -> None:
    figure = greek_profile("gamma", 100.0, [30 / 365, 7 / 365], 0.2, units="trader")
    assert traces(figure) == ["7 days", "30 days"]
    near = figure.data[0]
    assert np.array(near.y) == pytest.approx(greeks("call", np.array(near.x), 100.0, 7 / 365, 0.2).gamma, rel=1e-14)
    put = greek_profile("delta", 100.0, 0.1, 20.0, right="PE", model="bachelier", spots=(50, 150))
    assert "put, volatility 20 points" in put.layout.title.text
    with pytest.raises(ValueError, match="spots: expected a range"):
        greek_profile("gamma", 100.0, 0.1, 0.2, spots=(120, 80))
    with pytest.raises(ValueError):  # noqa: PT011 - the message is that of greeks()
        greek_profile("gama", 100.0, 0.1, 0.2)


def test_flat_smile_is_drawn_too() -> None:
    assert measures_figure(smile_measures(flat(0.2, YEARS))).data
