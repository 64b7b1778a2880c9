"""One housing, rendered as the camera would scan it, with the truth about its surface."""

from dataclasses import dataclass

import numpy as np

from sim.surfaces import marks, metal
from sim.surfaces.canvas import Canvas
from sim.surfaces.defects import Defect, lay_defect
from station.core.part import Pixels, Roi, SurfaceClass

WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
"""Widths of the six sizes of housings. Source: Mustafaev et al., section III A."""
MARGINS_PX = (24, 72)
"""Fewest and most columns of background that are rendered on each side of the part."""


@dataclass(frozen=True, slots=True)
class SurfaceTruth:
    """What a rendered surface really is.

    Attributes:
        seed: What it was made from, together with width and class.
        surface: Its class.
        roi: The part's columns in the image.
        defects: The defects on it; none on a defect-free part.
    """

    seed: int
    surface: SurfaceClass
    roi: Roi
    defects: tuple[Defect, ...]


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


def render_part(seed: int, width_px: int, surface: SurfaceClass) -> RenderedScan:
    """A housing of a width and a class; the same arguments give the same bytes.

    Args:
        seed: Any integer from 0.
        width_px: Columns of the part, from 256 up; `WIDTHS_PX` are the real ones.
        surface: What is on it; DEFECT_FREE for oil, dust and fine scratches at most.
    """
    rng = np.random.default_rng([seed, width_px, int(surface)])
    canvas = Canvas.bare(width_px)
    _wear(rng, canvas)
    defects = () if surface is SurfaceClass.DEFECT_FREE else (lay_defect(rng, canvas, surface),)
    left_px, right_px = (int(rng.integers(*MARGINS_PX)) for _ in range(2))
    image = _light(rng, canvas, left_px, right_px)
    mask = np.pad(canvas.mask, ((0, 0), (left_px, right_px)))
    return RenderedScan(image, mask, SurfaceTruth(seed, surface, Roi(left_px, left_px + width_px), defects))


def _wear(rng: np.random.Generator, canvas: Canvas) -> None:
    """Tool marks and everything that a good part may carry."""
    finish = metal.tool_marks(rng, canvas.width_px) * metal.patina(rng, canvas.width_px)
    canvas.lay(finish, line=0, column=0)
    marks.lay_oil(rng, canvas)
    marks.lay_drying_rims(rng, canvas)
    marks.lay_dust(rng, canvas)
    marks.lay_fine_scratches(rng, canvas)


def _light(rng: np.random.Generator, canvas: Canvas, left_px: int, right_px: int) -> Pixels:
    """The image of a surface on black: lamp, run-out, edges, background, sensor."""
    width_px = canvas.width_px
    light = canvas.reflectance * metal.brightness(rng)
    light *= metal.lamp(rng, width_px) * metal.chamfers(rng, width_px)
    light *= metal.run_out(rng)
    scene = metal.background(rng, left_px, width_px, right_px)
    covered = metal.outline(rng, width_px)
    part = scene[:, left_px : left_px + width_px]
    part *= 1 - covered
    part += light * covered
    return metal.expose(rng, scene)
