"""The face of every kernel of this folder.

It is::

    kernel(tape, line, start, stop, stride)

``tape`` is one float64 array that holds the rows of all series, then numbers and states. ``line`` (int64) says where:
``line[0]`` the kernel's numbers, ``line[1]`` its state, ``line[2:]`` the rows it reads and then those it writes. It
writes columns ``start`` to ``stop - 1`` of its outputs and reads none at ``stop`` or later.

With a ``stride`` of N the columns are N underlyings taking turns: one bar earlier is N columns earlier, and there is a
state for each. So one call advances all of them; over history and live the stride of one underlying is 1. As no result
depends on where a run of columns begins or how many there are, all of these give the same bits.
"""
