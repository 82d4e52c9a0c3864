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
