"""Small symmetric systems, as least squares meets them: solved in place, without allocation."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray

__all__ = ["solve_damped"]

_TINY: Final = 1e-300


@kernel(inner=True)
def solve_damped(
    hessian: FloatArray, gradient: FloatArray, free: FloatArray, damping: float, n: int, work: FloatArray,
    step: FloatArray,
) -> bool:  # fmt: skip
    """Solve (H + damping diag H) step = gradient by Cholesky's decomposition.

    Parameters
    ----------
    hessian : (>= n, >= n)
        Symmetric; the lower triangle is read.
    gradient, step : (>= n,)
    free : (>= n,)
        0 where a parameter is held: its step is 0.
    damping : float
        Marquardt's (1963).
    work : (>= n, >= n)
        Overwritten with the factor.

    Returns
    -------
    bool
        False where the matrix is not positive definite; ``step`` is then not to be used.
    """
    for i in range(n):
        for j in range(i + 1):
            total = hessian[i, j] if free[i] > 0.0 and free[j] > 0.0 else 0.0
            if i == j:
                total = total * (1.0 + damping) if free[i] > 0.0 else 1.0
            scale = total
            for m in range(j):
                total -= work[i, m] * work[j, m]
            if i == j:
                if not total > 1e-15 * scale + _TINY:
                    return False
                work[i, i] = math.sqrt(total)
            else:
                work[i, j] = total / work[j, j]
    for i in range(n):
        total = gradient[i] if free[i] > 0.0 else 0.0
        for m in range(i):
            total -= work[i, m] * step[m]
        step[i] = total / work[i, i]
    for i in range(n - 1, -1, -1):
        total = step[i]
        for m in range(i + 1, n):
            total -= work[m, i] * step[m]
        step[i] = total / work[i, i]
    return True
