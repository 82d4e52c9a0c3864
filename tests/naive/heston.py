"""Heston's model by numerical integration: a truth that none of the smile families holds."""

from typing import Any

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def characteristic(u: Any, t: float, v0: float, kappa: float, theta: float, eta: float, rho: float) -> Any:
    """E[exp(i u ln(S/F))] for complex u; dv = kappa (theta - v) dt + eta sqrt(v) dW.

    In the form of Albrecher, Mayer, Schoutens, Tistaert (2007, "The little Heston trap"), which has no branch cut in
    the way: Heston (1993), equation 17, with the other sign of d.
    """
    beta = kappa - 1j * rho * eta * u
    d = np.sqrt(beta * beta + eta * eta * (1j * u + u * u))
    g = (beta - d) / (beta + d)
    fall = np.exp(-d * t)
    slope = (beta - d) / eta**2 * (1 - fall) / (1 - g * fall)
    level = kappa * theta / eta**2 * ((beta - d) * t - 2 * np.log((1 - g * fall) / (1 - g)))
    return np.exp(level + slope * v0)


def call(k: Any, t: float, v0: float, kappa: float, theta: float, eta: float, rho: float, *, panels: int = 16) -> Any:
    """Undiscounted call over the forward by k = ln(strike/forward).

    Lewis (2001, "A simple option formula for general jump-diffusion and other exponential Levy processes", equation
    3.11): 1 - exp(k/2)/pi times the integral over u > 0 of Re(exp(-i u k) phi(u - i/2)) / (u**2 + 1/4). With 16 panels
    good to 1e-8 of the option out of the money for the smiles of smile_chains, with 60 to 1e-14 of the forward.
    """
    parameters = (t, v0, kappa, theta, eta, rho)
    end = 1.0
    while abs(characteristic(end - 0.5j, *parameters)) > 1e-17 * (end * end + 0.25):
        end *= 1.3
    edges = end * np.linspace(0.0, 1.0, panels + 1) ** 2  # finer towards 0, where the integrand turns fastest
    half = 0.5 * np.diff(edges)[:, None]
    u = (edges[:-1, None] + half * (1 + _NODES)).ravel()
    weight = (half * _WEIGHTS).ravel() / (u * u + 0.25)
    turns = np.exp(-1j * np.multiply.outer(np.asarray(k, np.float64), u))
    return 1 - np.exp(0.5 * np.asarray(k)) / np.pi * (turns @ (characteristic(u - 0.5j, *parameters) * weight)).real
