"""What a patch looks like, without any learning: its greys, how sharp it is, and how its streaks and rows repeat.

Another metal, a lens out of focus or another finish shows here before it shows in what a network has learnt.
"""

import cv2
import numpy as np

from station.core.part import Pixels, Vectors

BINS = 8
"""Of the histogram of greys, 32 grey values wide: coarse, so that no single grey value counts."""
FLOOR = 1e-3
"""Grey values of which no logarithm is taken; quantisation to 8 bits leaves more in any picture of a surface."""


def surface_measures(patches: Pixels) -> Vectors:
    """What each of some patches looks like: (patches, measures) float32.

    In this order: the square roots of the shares of eight ranges of grey, the logarithms of the mean steps from row to
    row and from column to column, and those of the spectra, by octaves, of the columns' means (streaks along the turn)
    and of the rows' means (what comes again along the turn).

    Args:
        patches: (patches, height, width) uint8, square, at least 8 px.
    """
    return np.stack([_measure(patch) for patch in patches])


def count_measures(side: int) -> int:
    """How many measures a patch of so many px a side has."""
    return BINS + 2 + 2 * len(_octaves(side))


def _measure(patch: Pixels) -> Vectors:
    side = patch.shape[0]
    counts = cv2.calcHist([patch], [0], None, [BINS], [0, 256]).ravel()
    steps = [_step(patch[1:], patch[:-1]), _step(patch[:, 1:], patch[:, :-1])]
    streaks, rows = (cv2.reduce(patch, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() for axis in (0, 1))
    spectra = np.abs(np.fft.rfft(np.stack([streaks, rows]), axis=1)) ** 2 / side**2
    bands = np.add.reduceat(spectra[:, : side // 2], _octaves(side), axis=1).ravel()
    logs = np.log(np.concatenate([steps, np.sqrt(bands)]) + FLOOR)
    return np.concatenate([np.sqrt(counts / patch.size), logs]).astype(np.float32)


def _step(one: Pixels, other: Pixels) -> float:
    """The mean difference of two pictures of one size."""
    return cv2.norm(one, other, cv2.NORM_L1) / one.size


def _octaves(side: int) -> list[int]:
    """Where the octaves of a spectrum begin, the mean left out."""
    return [1 << octave for octave in range(side.bit_length()) if 1 << octave < side // 2]
