# SPDX-License-Identifier: BSD-2-Clause
"""What zip(strict=True) does, for Python 3.9 too."""

import itertools


def together(*parts):
    """Tuples of an item of each part; all parts must be equally long."""
    nothing = object()
    for step in itertools.zip_longest(*parts, fillvalue=nothing):
        assert all(item is not nothing for item in step), "parts of different lengths"
        yield step
