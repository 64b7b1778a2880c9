"""One housing, rendered as the camera would scan it, with the truth about its surface."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.surfaces import marks, metal
from sim.surfaces.canvas import Canvas, Plane
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.defects import Defect, lay_defect
from sim.surfaces.severity import DEFAULT, Severity
from station.core.part import Pixels, Roi

WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
"""Widths of the six sizes of housings. Source: Mustafaev et al., section III A."""
MARGINS_PX = (24, 72)
"""Fewest and most columns of background that are rendered on each side of the part."""


@dataclass(frozen=True, slots=True)
class SurfaceTruth:
    """What a rendered surface really is.

    Attributes:
        seed: What it was made from, together with width and class.
        roi: The part's columns in the image.
        defects: The defects on it; none on a defect-free part.
        lamp_age: Of the lamp that it was seen under, 0 new to 1 worn out.
        brightness: Mean grey value of its bare surface under a new lamp.
    """

    seed: int
    roi: Roi
    defects: tuple[Defect, ...]
    lamp_age: float
    brightness: float

    @property
    def surface(self) -> SurfaceClass:
        """The part's class: that of its largest defect by area, of equal ones the first."""
        largest = max(self.defects, key=lambda defect: defect.area_px, default=None)
        return SurfaceClass.DEFECT_FREE if largest is None else largest.surface


@dataclass(frozen=True, slots=True)
class RenderedScan:
    """A scan of one turn and the truth about it.

    Attributes:
        image: (3584, margins and part) uint8, the part on black.
        mask: The same shape, uint8: 0, or the number of the class of the defect that covers the pixel.
        truth: What the surface is.
    """

    image: Pixels
    mask: Pixels
    truth: SurfaceTruth


def render_part(
    seed: int,
    width_px: int,
    defects: Sequence[SurfaceClass] = (),
    severity: Severity = DEFAULT,
    lamp_age: float | None = None,
    marks_factor: float = 1.0,
) -> RenderedScan:
    """A housing of a width with defects of given classes; the same arguments give the same bytes.

    Args:
        seed: Any integer from 0.
        width_px: Columns of the part, from 256 up; `WIDTHS_PX` are the real ones.
        defects: Classes of the defects on it; none for oil, stains, dust and fine scratches at most.
        severity: Of every defect.
        lamp_age: 0 new to 1 worn out; by default any of everyday use.
        marks_factor: So many times as many harmless marks as usual.
    """
    rng = np.random.default_rng([seed, width_px, *map(int, defects)])
    canvas = Canvas.bare(width_px)
    _wear(rng, canvas, marks_factor)
    laid = tuple(lay_defect(rng, canvas, surface, severity) for surface in defects)
    left_px, right_px = (int(rng.integers(*MARGINS_PX)) for _ in range(2))
    everyday = metal.lamp_age(rng)
    age, brightness = everyday if lamp_age is None else lamp_age, metal.brightness(rng)
    lamp = brightness * metal.lamp(rng, width_px, age)
    image = _expose(rng, canvas, lamp, left_px, right_px)
    mask = np.pad(canvas.mask, ((0, 0), (left_px, right_px)))
    roi = Roi(left_px, left_px + width_px)
    return RenderedScan(image, mask, SurfaceTruth(seed, roi, laid, age, brightness))


def _wear(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Tool marks and everything that a good part may carry."""
    finish = metal.tool_marks(rng, canvas.width_px) * metal.patina(rng, canvas.width_px)
    canvas.lay(finish, line=0, column=0)
    marks.lay_oil(rng, canvas, often)
    marks.lay_films(rng, canvas, often)
    marks.lay_stains(rng, canvas, often)
    marks.lay_drying_rims(rng, canvas, often)
    marks.lay_dust(rng, canvas, often)
    marks.lay_fine_scratches(rng, canvas, often)


def _expose(rng: np.random.Generator, canvas: Canvas, lamp: Plane, left_px: int, right_px: int) -> Pixels:
    """The image of a surface on black under a lamp (1, width) in grey values: run-out, edges, background, sensor."""
    width_px = canvas.width_px
    light = canvas.reflectance * (lamp * metal.chamfers(rng, width_px))
    light *= metal.run_out(rng)
    scene = metal.background(rng, left_px, width_px, right_px)
    covered = metal.outline(rng, width_px)
    part = scene[:, left_px : left_px + width_px]
    part *= 1 - covered
    part += light * covered
    return metal.expose(rng, scene)
