"""Which pixels become one when an axis is made shorter, and by what shares: those of OpenCV's INTER_AREA.

A target pixel covers a stretch of the axis; a source pixel that lies in it as a whole has its full share, one that lies
in it in part has that part. Sums keep this order and these roundings, so the result is OpenCV's bit for bit.
Source: OpenCV 5.0, modules/imgproc/src/resize.cpp, computeResizeAreaTab.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TINY = 1e-3
"""A source pixel of which less lies in the stretch is left out."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How an axis is made shorter.

    Attributes:
        most: Source pixels of a target pixel, of fewer the rest has share 0.
        first: (target,) int32, the first of them.
        shares: (target, most) float32.
    """

    most: int
    first: NDArray[np.int32]
    shares: NDArray[np.float32]


@lru_cache(maxsize=64)
def shares(source: int, target: int) -> Shares:
    """The shares for an axis of `source` pixels that becomes one of `target`, which is shorter or as long."""
    scale = 1.0 / (target / source)
    parts = [_parts(number * scale, scale, source) for number in range(target)]
    most = max(map(len, parts))
    first = np.array([min(part[0][0], source - most) for part in parts], np.int32)
    table = np.zeros((target, most), np.float32)
    for number, part in enumerate(parts):
        for place, share in part:
            table[number, place - first[number]] = share
    first.flags.writeable = table.flags.writeable = False
    return Shares(most, first, table)


def _parts(begin: float, scale: float, source: int) -> list[tuple[int, float]]:
    """The source pixels of one stretch, in order, and their shares."""
    end, length = begin + scale, min(scale, source - begin)
    last = min(math.floor(end), source - 1)
    first = min(math.ceil(begin), last)
    parts = [(first - 1, (first - begin) / length)] if first - begin > TINY else []
    parts += [(place, 1.0 / length) for place in range(first, last)]
    if end - last > TINY:
        parts.append((last, min(end - last, 1.0, length) / length))
    return parts
