"""How the hard world's camera sees a part: a lamp with weak segments, a part out of focus, an axis that wobbles.

Everything closes after one turn, as it does on the part. The usual world has none of it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.surfaces.canvas import LINES_PER_TURN, Plane
from station.core.part import Pixels

DEFOCUS_PX = 1.4
"""Largest standard deviation of the blur that a part's place along the optical axis gives; half may come and go."""
WOBBLE_PX = 2.0
"""Largest sway of the part's edges in a turn, to each side; the configured types allow for 6 px (`edge_wander_px`)."""
SEGMENTS = 8
"""Of the bar light, across the part."""
WEAKEST = 0.6
"""What a weak segment of the bar light still gives, at least."""
_BLURS_PX = (0.0, 0.7, 1.4, 2.1, 2.8)
_REACH = 12
"""Lines that a turn is continued by on each side, so that its ends are blurred as its middle is."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one part is seen under.

    Attributes:
        segments: (8,) share of its light that each segment of the bar light gives.
        defocus_px: (3584,) standard deviation of the blur on each line.
        sway_px: (3584,) by how much each line lies to the right of the mean.
    """

    segments: NDArray[np.float64]
    defocus_px: NDArray[np.float64]
    sway_px: NDArray[np.float64]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Conditions":
        """Those of one part."""
        turn = np.linspace(0, 2 * np.pi, LINES_PER_TURN, endpoint=False)
        segments = np.ones(SEGMENTS)
        weak = rng.random(SEGMENTS) < 0.15
        segments[weak] = rng.uniform(WEAKEST, 1, int(weak.sum()))
        segments *= 1 + rng.uniform(-0.15, 0.15) * np.linspace(-1, 1, SEGMENTS)
        once = rng.uniform(0, 0.5) * DEFOCUS_PX * np.sin(turn + rng.uniform(0, 2 * np.pi))
        defocus_px = np.abs(rng.uniform(0, DEFOCUS_PX) + once)
        sway_px = rng.uniform(0, WOBBLE_PX) * np.sin(turn + rng.uniform(0, 2 * np.pi))
        return cls(segments, defocus_px, sway_px)

    def lamp(self, width_px: int) -> Plane:
        """Gain (1, width) of the bar light, smooth from segment to segment."""
        across = np.interp(np.linspace(0, SEGMENTS - 1, width_px), np.arange(SEGMENTS), self.segments)
        return np.asarray(across[None, :], np.float32)

    def seen(self, scene: Plane) -> Plane:
        """The scene (3584, w) in grey values as it falls on the sensor: swayed and out of focus."""
        return _defocused(_swayed(scene, self.sway_px, cv2.INTER_LINEAR), self.defocus_px)

    def seen_mask(self, mask: Pixels) -> Pixels:
        """Where the mask's pixels (3584, w) lie in the picture."""
        return np.asarray(_swayed(mask, self.sway_px, cv2.INTER_NEAREST), np.uint8)

    def told(self) -> dict[str, float]:
        """The same for the truth beside the picture."""
        return {
            "weakest_segment": round(float(self.segments.min()), 4),
            "defocus_px": round(float(self.defocus_px.mean()), 4),
            "defocus_most_px": round(float(self.defocus_px.max()), 4),
            "wobble_px": round(float(np.abs(self.sway_px).max()), 4),
        }


def _swayed(image: Plane | Pixels, sway_px: NDArray[np.float64], how: int) -> Plane:
    columns = np.arange(image.shape[1], dtype=np.float32)[None, :] - sway_px[:, None].astype(np.float32)
    lines = np.repeat(np.arange(image.shape[0], dtype=np.float32)[:, None], image.shape[1], axis=1)
    return np.asarray(cv2.remap(image, columns, lines, how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _defocused(scene: Plane, defocus_px: NDArray[np.float64]) -> Plane:
    """Every line blurred as much as it is out of focus: between the two nearest of a few blurs."""
    round_about = np.concatenate([scene[-_REACH:], scene, scene[:_REACH]])
    planes = [scene, *(cv2.GaussianBlur(round_about, (0, 0), blur)[_REACH:-_REACH] for blur in _BLURS_PX[1:])]
    between = np.interp(defocus_px, _BLURS_PX, np.arange(len(_BLURS_PX)))
    seen = np.zeros(scene.shape, np.float32)
    for level, plane in enumerate(planes):
        share = np.clip(1 - np.abs(between - level), 0, 1).astype(np.float32)
        seen += share[:, None] * plane
    return seen
