"""How alike rendered metal and pictures of real ground metal are: grey values, and power along and across the marks.

Pictures of another camera have another scale and another light, so every window is first divided by its own slow light;
what is compared is the finish: how strong its marks are, how long, how fine, and which way they run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.errors import RecordingError
from station.core.part import Pixels

WINDOW_PX = (128, 96)
"""Lines along the marks and columns across of a window that is compared."""
CONTRAST_BINS = np.linspace(-0.5, 0.5, 101)
"""Edges of the histogram, in shares of the local brightness."""
_LIGHT_BLUR_PX = 24.0

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finish:
    """What a set of windows looks like in the mean.

    Attributes:
        windows: How many there were.
        histogram: (100,) shares of pixels by contrast, `CONTRAST_BINS`; their sum is 1.
        along_db: (63,) power against frequency along the marks, 1 to 63 waves in 128 lines, in dB.
        across_db: (47,) the same across them, 1 to 47 waves in 96 columns.
    """

    windows: int
    histogram: Curve
    along_db: Curve
    across_db: Curve

    @property
    def contrast(self) -> float:
        """Standard deviation of the contrast."""
        middles = (CONTRAST_BINS[1:] + CONTRAST_BINS[:-1]) / 2
        mean = float(self.histogram @ middles)
        return float(np.sqrt(self.histogram @ (middles - mean) ** 2))

    @property
    def anisotropy_db(self) -> float:
        """By how much the power of fine marks across the rotation exceeds that along it."""
        return float(self.across_db[12:].mean() - self.along_db[16:].mean())


@dataclass(frozen=True, slots=True)
class Likeness:
    """Distances between two finishes; all 0 for the same.

    Attributes:
        grey: Earth mover's distance of the contrasts, in shares of the brightness.
        along_db: Root mean square difference of the spectra along the marks.
        across_db: The same across them.
        anisotropy_db: Difference of the anisotropies.
    """

    grey: float
    along_db: float
    across_db: float
    anisotropy_db: float


def measure_finish(windows: Iterable[Pixels]) -> Finish:
    """The mean finish of windows (128, 96) uint8 whose marks run along the lines.

    Raises:
        RecordingError: There are none.
    """
    count, histogram = 0, np.zeros(len(CONTRAST_BINS) - 1)
    power = np.zeros(WINDOW_PX)
    taper = np.outer(np.hanning(WINDOW_PX[0]), np.hanning(WINDOW_PX[1]))
    for window in windows:
        contrast = _contrast(window)
        histogram += np.histogram(contrast.clip(-0.499, 0.499), CONTRAST_BINS)[0]
        power += np.abs(np.fft.fft2(contrast * taper)) ** 2
        count += 1
    if count == 0:
        raise RecordingError("recording.not_found", "no picture is large enough to be compared")
    power /= count * float((taper**2).sum())
    along = power.mean(axis=1)[1 : WINDOW_PX[0] // 2]
    across = power.mean(axis=0)[1 : WINDOW_PX[1] // 2]
    return Finish(count, histogram / histogram.sum(), 10 * np.log10(along), 10 * np.log10(across))


def compare(first: Finish, second: Finish) -> Likeness:
    """The distances between two finishes."""
    step = float(CONTRAST_BINS[1] - CONTRAST_BINS[0])
    grey = float(np.abs(np.cumsum(first.histogram - second.histogram)).sum() * step)
    along, across = (
        float(np.sqrt(np.mean((one - other) ** 2)))
        for one, other in ((first.along_db, second.along_db), (first.across_db, second.across_db))
    )
    return Likeness(grey, along, across, abs(first.anisotropy_db - second.anisotropy_db))


def windows_of(image: Pixels, border_px: int) -> list[Pixels]:
    """Windows (128, 96) that lie side by side in a picture, away from its borders."""
    rows, columns = WINDOW_PX
    inner = image[border_px : image.shape[0] - border_px, border_px : image.shape[1] - border_px]
    return [
        inner[row : row + rows, column : column + columns]
        for row in range(0, inner.shape[0] - rows + 1, rows)
        for column in range(0, inner.shape[1] - columns + 1, columns)
    ]


def tile_windows(folder: Path, most: int) -> list[Pixels]:
    """Windows of up to so many pictures of a folder, evenly taken, whose marks run from top to bottom.

    Raises:
        RecordingError: The folder holds no pictures.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp"})
    if not paths:
        raise RecordingError("recording.not_found", f"{folder}: no pictures")
    chosen = paths[:: max(1, len(paths) // most)][:most]
    images = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in chosen)
    read = (np.asarray(image, np.uint8) for image in images if image is not None)
    return [window for image in read for window in windows_of(image, border_px=24)]


def _contrast(window: Pixels) -> NDArray[np.float64]:
    """Each pixel's deviation from the light around it, as a share of that light."""
    grey = window.astype(np.float32)
    light = cv2.GaussianBlur(grey, (0, 0), _LIGHT_BLUR_PX, borderType=cv2.BORDER_REFLECT)
    return np.asarray(grey / np.maximum(light, 1.0) - 1, np.float64)
