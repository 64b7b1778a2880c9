"""Puts defects of a class and a severity on a surface, and says what was put there.

A roll mark is printed again each time the roll has turned once: the same relief comes back at the roll's circumference,
a little weaker or stronger, as often as the roll touched the part.
"""

from dataclasses import dataclass

import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.reliefs import RELIEFS
from sim.surfaces.severity import DEFAULT, Severity
from station.core.part import Pixels

MM_PER_PX = 0.0155
"""Size of a pixel on the surface. Source: field of view 85 mm on 5472 pixels."""
EDGE_PX = 14
"""A defect's middle stays at least so far from the part's edges."""
_GAIN_LIMITS = (0.15, 1.9)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect on a surface, as it was made.

    Attributes:
        surface: Its class.
        line: Its middle along the turn, 0 to 3583; of a roll mark, that of the first print.
        column: Its middle across the part, from the part's first column.
        area_px: Pixels of the raw scan that it covers, all prints together.
        extent_px: The longer side of the box around it, of one print.
        contrast: Mean change of the light over what it covers, as a share of the light on bare metal.
        severity: What the default ranges were multiplied with.
        parameters: What it was made from; names end in their unit. `width_px` is the part's.
    """

    surface: SurfaceClass
    line: int
    column: int
    area_px: int
    extent_px: int
    contrast: float
    severity: Severity
    parameters: dict[str, float]

    @property
    def area_mm2(self) -> float:
        """What it covers, in square millimetres."""
        return self.area_px * MM_PER_PX**2

    @property
    def extent_mm(self) -> float:
        """The longer side of the box around it, in millimetres."""
        return self.extent_px * MM_PER_PX

    @property
    def surface_share(self) -> float:
        """What it covers of 3584 lines of this part; set by `parameters['width_px']`."""
        return self.area_px / (LINES_PER_TURN * self.parameters["width_px"])


def lay_defect(rng: np.random.Generator, canvas: Canvas, surface: SurfaceClass, severity: Severity = DEFAULT) -> Defect:
    """Draw one defect of a class anywhere on the surface, also across the turn's seam and the patches' borders.

    Args:
        rng: Source of chance.
        canvas: The surface.
        surface: A class other than DEFECT_FREE.
        severity: Multiplies the default sizes and depths.
    """
    scale = float(np.sqrt(canvas.width_px / 690)) * severity.size
    relief, footprint, parameters = RELIEFS[surface](rng, scale)
    gain = np.clip(1 + severity.contrast * (relief - 1), *_GAIN_LIMITS).astype(np.float32)
    if not footprint.any():
        footprint.flat[int(np.abs(relief - 1).argmax())] = 1
    line = int(rng.integers(LINES_PER_TURN))
    column = int(rng.integers(EDGE_PX, canvas.width_px - EDGE_PX))
    column = _pull_inside(column, footprint, canvas.width_px)
    top, left = line - gain.shape[0] // 2, column - gain.shape[1] // 2
    area_px = canvas.lay(gain, top, left, footprint * np.uint8(surface))
    for again in range(1, int(parameters.get("prints", 1))):
        printed = (1 + rng.uniform(0.85, 1.1) * (gain - 1)).astype(np.float32)
        below = top + round(again * parameters["roll_circumference_px"])
        area_px += canvas.lay(printed, below, left + int(rng.integers(-2, 3)), footprint * np.uint8(surface))
    made = {"width_px": float(canvas.width_px), "scale": scale, **parameters}
    return Defect(surface, line, column, area_px, _extent_px(footprint), _contrast(gain, footprint), severity, made)


def _pull_inside(column: int, footprint: Pixels, width_px: int) -> int:
    """The column moved so that the footprint reaches over an edge by at most a fifth of its width."""
    reach = int(0.3 * int(np.count_nonzero(footprint.any(axis=0))))
    return int(np.clip(column, reach, width_px - reach)) if 2 * reach < width_px else width_px // 2


def _extent_px(footprint: Pixels) -> int:
    rows, columns = (np.flatnonzero(footprint.any(axis=axis)) for axis in (1, 0))
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


def _contrast(gain: Plane, footprint: Pixels) -> float:
    return float(np.abs(gain[footprint > 0] - 1).mean())
