"""Other light for training images: as the sensor sees them under another lamp, and as the station brings them back.

    image ─ times the lamp ─▶ + the noise of so little light ─▶ 0 to 255 as a camera rounds ─ times the gain ─▶ image

The gain is the station's own arithmetic (`station.core.light`), by a factor that misses the lamp's as the station's
may. Free of torch.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from station.core.light import multiplied
from station.core.part import Pixels

CHANCES = 8
"""Numbers of 0 to 1 that one image's light is drawn from."""

DIMMEST, BRIGHTEST = 0.4, 1.8
"""Times the light of the image, drawn evenly by ratio."""
USUAL_SHARE = 0.5
"""Of the images, which stay in the light that they were taken in; as most parts of a station do."""
UNEVEN_SHARE = 0.3
"""Of the others: seen under a lamp that loses light towards one end."""
WEAK_END = 0.5
"""What a weak end may still give of the lamp's light."""
MISSED = 0.15
"""By what share the gain may miss the lamp's factor."""

READ_VARIANCE, PHOTON_VARIANCE = 0.7, 0.018
"""Of the sensor's noise in grey values squared: in the dark, and more for each grey value of light. A sensor that is
full at 255 with 14,000 electrons has this; the surfaces that the station comes with are rendered with it."""


def under_another_lamp(image: Pixels, chances: NDArray[np.float64]) -> Pixels:
    """An image (h, w) uint8 seen under another lamp and brought back, as its `CHANCES` numbers say; or as it is."""
    if chances[0] < USUAL_SHARE:
        return image
    lamp = DIMMEST * (BRIGHTEST / DIMMEST) ** chances[1] * _ramp(chances[2:4], image.shape[1])
    missed = 1 - MISSED + 2 * MISSED * np.linspace(chances[4], chances[5], lamp.size)
    seen, gain = _seen(image, lamp, chances[6:8]), (missed / lamp).astype(np.float32)
    if lamp.size == 1:
        return multiplied(seen, float(gain[0]))
    return multiplied(seen, np.repeat(gain[None, :], len(image), axis=0))


def _ramp(chances: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    """Share (columns,) of its light that a lamp gives along the axis, or (1,) of one that gives the same everywhere."""
    if chances[0] >= UNEVEN_SHARE:
        return np.ones(1)
    weak = WEAK_END + (1 - WEAK_END) * chances[0] / UNEVEN_SHARE
    ramp = np.linspace(weak, 1, columns)
    return ramp if chances[1] < 0.5 else ramp[::-1]


def _seen(image: Pixels, lamp: NDArray[np.float64], where: NDArray[np.float64]) -> Pixels:
    """What a camera makes of an image under a lamp (columns,) or (1,) times as bright.

    The image has the noise of its own light. Dimmed, that is too little for what is left: what lacks is added.
    Brighter, it is more than a sensor would have, and stays.
    """
    light = lamp.astype(np.float32)
    image_noise, lacking = light * (1 - light), 1 - light**2
    spread = np.sqrt(np.maximum(image * (PHOTON_VARIANCE * image_noise) + READ_VARIANCE * lacking, 0))
    lit = image * light + spread * _grain(image.shape, where)
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def _grain(shape: tuple[int, ...], where: NDArray[np.float64]) -> NDArray[np.float32]:
    """(h, w) of normal noise, cut out of what is kept of it: to draw it anew would take longer than all else."""
    (height, width), plane = shape, _grain_of(*shape)
    row, column = int(where[0] * height), int(where[1] * width)
    return plane[row : row + height, column : column + width]


@cache
def _grain_of(height: int, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(0x11A).standard_normal((2 * height, 2 * width), np.float32)
