"""The face of every kernel of this folder.

It is::

    kernel(tape, line, start, stop, stride)

``tape`` is one float64 array that holds the rows of all series, then numbers and states. ``line`` (int64) says where:
``line[0]`` the kernel's numbers, ``line[1]`` its state, ``line[2:]`` the rows it reads and then those it writes. It
writes columns ``start`` to ``stop - 1`` of its outputs and reads none at ``stop`` or later.

One bar earlier is ``stride`` columns earlier. Over history that is 1 and the columns are many bars of one underlying.
Live the columns are one bar of N underlyings, and the stride is as much as a whole bar takes on the tape; a kernel with
a state has one for each of ``min(stride, stop - start)`` underlyings. As no result depends on where a run of columns
begins or how many there are, all of these give the same bits.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from algomaster.core.types import FloatArray

__all__ = ["span"]


def span(tape: FloatArray, place: int, count: int) -> FloatArray:
    """Give ``count`` numbers of the tape from ``place`` on.

    Compiled it is the slice without its care for places outside the tape, which took as long as the work on one bar;
    places come from the program alone, and running without compilation finds any that were wrong.
    """
    return tape[place : place + count]


@type_callable(span)  # type: ignore[untyped-decorator]
def _typed(context: Any) -> Any:
    def typer(tape: Any, place: Any, count: Any) -> Any:
        fits = isinstance(tape, types.Array) and tape.ndim == 1 and tape.layout == "C"
        return tape if fits and all(isinstance(each, types.Integer) for each in (place, count)) else None

    return typer


@lower_builtin(span, types.Array, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
def _lowered(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.return_type
    place, count = (
        context.cast(builder, value, given, types.intp) for value, given in zip(arguments[1:], signature.args[1:])
    )
    tape = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
    found = arrayobj.make_array(kind)(context, builder)
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    arrayobj.populate_array(
        found, data=builder.gep(tape.data, [place]), shape=[count], strides=[size], itemsize=size, meminfo=None
    )
    return found._getvalue()
