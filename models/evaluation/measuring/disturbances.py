"""What may go wrong with a picture in the plant, drawn on the raw scan, so that cropping and resizing see it too.

Each disturbance takes the scan (3584, width) uint8, the part's columns, a level and a source of chance.
Source: the kinds are those of Mustafaev et al., Fig. 12 (blur, noise, extreme light, natural scratches), and the lamp.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels, Roi

UNTOUCHED = 128
SCRATCH_DEPTHS = 13, 34
"""In 1/255 of the metal's grey value: 5 to 13 %, under the contrast of any defect that is rejected."""

REACH = 4
"""Standard deviations that a blur reaches."""

Disturb = Callable[[Pixels, Roi, float, np.random.Generator], Pixels]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One kind of trouble.

    Attributes:
        name: Its name.
        meaning: What happens, and what the level is.
        unit: Of the level.
        nominal: The level that changes nothing.
        levels: Levels to try, rising, `nominal` among them.
        apply: Draws it.
    """

    name: str
    meaning: str
    unit: str
    nominal: float
    levels: tuple[float, ...]
    apply: Disturb


def blur(image: Pixels, _part: Roi, level: float, _rng: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian of this standard deviation, which goes on over the turn's end as the surface does."""
    reach = max(1, round(REACH * level))
    round_about = np.concatenate([image[-reach:], image, image[:reach]])
    return np.asarray(cv2.GaussianBlur(round_about, (0, 0), level)[reach:-reach], np.uint8)


def noise(image: Pixels, _part: Roi, level: float, rng: np.random.Generator) -> Pixels:
    """Sensor noise of this standard deviation, in grey values, on every pixel."""
    grain = rng.standard_normal(image.shape, np.float32)
    return _to_pixels(image + grain * np.float32(level))


def brightness(image: Pixels, _part: Roi, level: float, _rng: np.random.Generator) -> Pixels:
    """Another exposure: every grey value times the level; what is above white is white."""
    return _to_pixels(image * np.float32(level))


def contrast(image: Pixels, part: Roi, level: float, _rng: np.random.Generator) -> Pixels:
    """Grey values spread about the part's mean by the level; below 1 as by stray light, which lifts the background."""
    mean = np.float32(image[:, part.left : part.right].mean())
    return _to_pixels((image - mean) * np.float32(level) + mean)


def natural_scratches(image: Pixels, part: Roi, level: float, rng: np.random.Generator) -> Pixels:
    """So many fine, shallow scratches of handling, as good parts carry, anywhere on the part."""
    gain = np.full(image.shape, UNTOUCHED, np.uint8)
    for _ in range(round(level)):
        depth = int(rng.integers(*SCRATCH_DEPTHS)) * (1 if rng.random() < 0.7 else -1)
        points = _bow(rng, part, len(image))
        cv2.polylines(gain, [points], isClosed=False, color=UNTOUCHED + depth, thickness=1, lineType=cv2.LINE_AA)
    gain[:, : part.left] = gain[:, part.right :] = UNTOUCHED
    return _to_pixels(image * (1 + (gain.astype(np.float32) - UNTOUCHED) / 255))


def lamp_ageing(image: Pixels, part: Roi, level: float, _rng: np.random.Generator) -> Pixels:
    """A lamp that has lost light: a third of the level everywhere, all of it at the part's edges."""
    across = (np.arange(image.shape[1], dtype=np.float32) - (part.left + part.right) / 2) / (part.width / 2)
    return _to_pixels(image * (1 - np.float32(level) * (1 / 3 + 2 / 3 * np.clip(np.abs(across), 0, 1) ** 3)))


def _bow(rng: np.random.Generator, part: Roi, lines: int) -> NDArray[np.int32]:
    length_px, angle_rad = rng.uniform(60, 260), rng.normal(0, 0.9)
    along = np.linspace(-0.5, 0.5, 9)
    sideways = rng.uniform(-0.08, 0.08) * (along**2 - 0.08)
    rows = (along * np.cos(angle_rad) - sideways * np.sin(angle_rad)) * length_px + rng.uniform(0, lines)
    columns = (along * np.sin(angle_rad) + sideways * np.cos(angle_rad)) * length_px + rng.uniform(
        part.left, part.right
    )
    return np.stack([columns, rows], axis=1).round().astype(np.int32)


def _to_pixels(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


DISTURBANCES: tuple[Disturbance, ...] = (
    Disturbance("blur", "Out of focus: standard deviation of a Gaussian", "px", 0, (0, 0.5, 1, 1.5, 2, 3), blur),
    Disturbance("noise", "Sensor noise: standard deviation", "grey values", 0, (0, 3, 6, 10, 15, 20), noise),
    Disturbance("brightness", "Exposure: factor", "times", 1, (0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6), brightness),
    Disturbance("contrast", "Spread of the grey values about their mean: factor", "times", 1,
                (0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6), contrast),
    Disturbance("natural scratches", "Fine scratches of handling, no defects: number", "a part", 0,
                (0, 5, 10, 20, 40), natural_scratches),
    Disturbance("lamp ageing", "Light lost at the part's edges, a third of it everywhere", "", 0,
                (0, 0.1, 0.2, 0.3, 0.4, 0.5), lamp_ageing),
)  # fmt: skip
"""Everything that is tried."""
