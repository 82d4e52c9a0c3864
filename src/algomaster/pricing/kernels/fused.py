"""a * b + c with one rounding: one instruction of the machine, and the same bits without the compiler.

Every x86 processor with AVX2 and every 64-bit ARM has the instruction; on others LLVM calls the C library, which is
slow and exact. Python has had it since 3.13 only, hence :func:`fused` in whole numbers for running without compiler.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable

__all__ = ["fused"]


def fused(a: float, b: float, c: float) -> float:
    """Give a * b + c, rounded once (IEEE 754 fusedMultiplyAdd)."""
    a, b, c = float(a), float(b), float(c)
    if not (abs(a) < math.inf and abs(b) < math.inf):
        return a * b + c
    if not abs(c) < math.inf:
        return c
    top_a, under_a = a.as_integer_ratio()
    top_b, under_b = b.as_integer_ratio()
    top_c, under_c = c.as_integer_ratio()
    top = top_a * top_b * under_c + top_c * under_a * under_b
    if top == 0:  # zeros keep their signs; what cancels is +0
        return a * b + c if a == 0.0 or b == 0.0 else 0.0
    try:
        return top / (under_a * under_b * under_c)  # Python divides whole numbers with one rounding
    except OverflowError:
        return math.inf if top > 0 else -math.inf


@type_callable(fused)  # type: ignore[untyped-decorator]
def _typed(context: Any) -> Any:
    def typer(a: Any, b: Any, c: Any) -> Any:
        numbers = (types.Float, types.Integer)
        return types.float64 if all(isinstance(x, numbers) for x in (a, b, c)) else None

    return typer


@lower_builtin(fused, types.Number, types.Number, types.Number)  # type: ignore[untyped-decorator]
def _lowered(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    floats = [context.cast(builder, argument, kind, types.float64) for argument, kind in zip(arguments, signature.args)]
    double = ir.DoubleType()
    instruction = builder.module.declare_intrinsic("llvm.fma", [double], ir.FunctionType(double, [double] * 3))
    return builder.call(instruction, floats)
