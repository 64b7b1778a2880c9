"""Puts defects of a class and a severity on a surface, and says what was put there.

A roll mark is printed again each time the roll has turned once: the same relief comes back at the roll's circumference,
a little weaker or stronger, as often as the roll touched the part.
"""

from dataclasses import dataclass, field

import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.marks import FILM_LONG_PX, FILM_SHORT_PX, film
from sim.surfaces.places import Corner, Place, find_place, shares_of
from sim.surfaces.reliefs import RELIEFS, Relief
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
        place: Where it was asked to lie.
        shares: How much of it lies in which patch, counted from 0; empty unless a place was asked for.
    """

    surface: SurfaceClass
    line: int
    column: int
    area_px: int
    extent_px: int
    contrast: float
    severity: Severity
    parameters: dict[str, float]
    place: Place = Place.ANYWHERE
    shares: dict[int, float] = field(default_factory=dict)

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


def lay_defect(
    rng: np.random.Generator,
    canvas: Canvas,
    surface: SurfaceClass,
    severity: Severity = DEFAULT,
    place: Place = Place.ANYWHERE,
) -> Defect:
    """Draw one defect of a class on the surface: by default anywhere, also across the seam and the patches' borders.

    What lies in a place that was asked for is printed once, for another print would lie elsewhere.

    Args:
        rng: Source of chance.
        canvas: The surface.
        surface: A class other than DEFECT_FREE.
        severity: Multiplies the default sizes and depths.
        place: Where it is to lie.
    """
    scale = float(np.sqrt(canvas.width_px / 690)) * severity.size
    relief = _drawn(rng, surface, scale, severity.contrast)
    gain, footprint, parameters = relief
    shares: dict[int, float] = {}
    if place is Place.ANYWHERE:
        corner = _anywhere(rng, footprint, canvas.width_px)
    else:
        corner = find_place(rng, place, footprint, canvas.width_px)
        shares = shares_of(footprint, corner, canvas.width_px)
        parameters.update({"prints": 1.0} if "prints" in parameters else {})
    if place is Place.FILM:
        _lay_film(rng, canvas, footprint, corner)
    area_px = _lay(rng, canvas, relief, np.uint8(surface), corner)
    made = {"width_px": float(canvas.width_px), "scale": scale, **parameters}
    line, column = (corner.line + gain.shape[0] // 2) % LINES_PER_TURN, corner.column + gain.shape[1] // 2
    measured = (area_px, _extent_px(footprint), _contrast(gain, footprint))
    return Defect(surface, line, column, *measured, severity, made, place, shares)


def _drawn(rng: np.random.Generator, surface: SurfaceClass, scale: float, contrast: float) -> Relief:
    """The relief of one defect, so much of its contrast, with one pixel at least in its footprint."""
    drawn, footprint, parameters = RELIEFS[surface](rng, scale)
    if not footprint.any():
        footprint.flat[int(np.abs(drawn - 1).argmax())] = 1
    return np.clip(1 + contrast * (drawn - 1), *_GAIN_LIMITS).astype(np.float32), footprint, parameters


def _lay(rng: np.random.Generator, canvas: Canvas, relief: Relief, number: np.uint8, corner: Corner) -> int:
    """Lay a relief as often as it is printed; how many pixels it covers."""
    gain, footprint, parameters = relief
    area_px = canvas.lay(gain, corner.line, corner.column, footprint * number)
    for again in range(1, int(parameters.get("prints", 1))):
        printed = (1 + rng.uniform(0.85, 1.1) * (gain - 1)).astype(np.float32)
        below = corner.line + round(again * parameters["roll_circumference_px"])
        area_px += canvas.lay(printed, below, corner.column + int(rng.integers(-2, 3)), footprint * number)
    return area_px


def _anywhere(rng: np.random.Generator, footprint: Pixels, width_px: int) -> Corner:
    """Where a window lies whose middle lies anywhere on the part."""
    line = int(rng.integers(LINES_PER_TURN))
    column = _pull_inside(int(rng.integers(EDGE_PX, width_px - EDGE_PX)), footprint, width_px)
    return Corner(line - footprint.shape[0] // 2, column - footprint.shape[1] // 2)


def _lay_film(rng: np.random.Generator, canvas: Canvas, footprint: Pixels, corner: Corner) -> None:
    """A film over what the footprint covers, a little larger, and no larger than films are."""
    scale, extent_px = float(np.sqrt(canvas.width_px / 690)), _extent_px(footprint)
    longer, shorter = (extent_px / scale * rng.uniform(*times) for times in ((1.2, 1.9), (1.0, 1.5)))
    long_px, short_px = np.clip(longer, *FILM_LONG_PX), np.clip(shorter, *FILM_SHORT_PX)
    gain = film(rng, scale * float(long_px), scale * float(short_px))
    middle = [int(np.median(covered)) for covered in np.nonzero(footprint)]
    aside = rng.integers(-(extent_px // 6) - 1, extent_px // 6 + 2, 2)
    canvas.lay(
        gain,
        corner.line + middle[0] + int(aside[0]) - gain.shape[0] // 2,
        corner.column + middle[1] + int(aside[1]) - gain.shape[1] // 2,
    )


def _pull_inside(column: int, footprint: Pixels, width_px: int) -> int:
    """The column moved so that the footprint reaches over an edge by at most a fifth of its width."""
    reach = int(0.3 * int(np.count_nonzero(footprint.any(axis=0))))
    return int(np.clip(column, reach, width_px - reach)) if 2 * reach < width_px else width_px // 2


def _extent_px(footprint: Pixels) -> int:
    rows, columns = (np.flatnonzero(footprint.any(axis=axis)) for axis in (1, 0))
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


def _contrast(gain: Plane, footprint: Pixels) -> float:
    return float(np.abs(gain[footprint > 0] - 1).mean())
