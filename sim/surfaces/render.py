"""One housing, rendered as the camera would scan it, with the truth about its surface."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from sim.surfaces import marks, metal
from sim.surfaces.canvas import Canvas, Plane
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.conditions import Conditions
from sim.surfaces.defects import Defect, lay_defect
from sim.surfaces.grounds import real_finish
from sim.surfaces.lookalikes import lay_lookalikes
from sim.surfaces.places import Place
from sim.surfaces.severity import DEFAULT, Severity
from sim.surfaces.unknown import Unknown, lay_unknown
from station.core.part import Pixels, Roi
from station.core.verdicts import UNKNOWN

WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
"""Widths of the six sizes of housings. Source: Mustafaev et al., section III A."""
MARGINS_PX = (24, 72)
"""Fewest and most columns of background that are rendered on each side of the part."""


class World(StrEnum):
    """How hard it is to tell good surfaces from defective ones.

    The hard world has everything that the usual one has, and marks that look like defects, a lamp with weak segments,
    parts out of focus and an axis that wobbles. Both have the same defects, as severe as they are asked for.
    """

    USUAL = "usual"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a housing is rendered under, beside its defects.

    Attributes:
        lamp_age: 0 new to 1 worn out; None for any of everyday use.
        marks_factor: So many times as many harmless marks as usual.
        world: Which world.
        ground: Folder of pictures of real metal that the housing is made of; None for rendered metal.
    """

    lamp_age: float | None = None
    marks_factor: float = 1.0
    world: World = World.USUAL
    ground: Path | None = None


USUAL_SETTING = Setting()


@dataclass(frozen=True, slots=True)
class SurfaceTruth:
    """What a rendered surface really is.

    Attributes:
        seed: What it was made from, together with width and class.
        roi: The part's columns in the image.
        defects: The defects on it; none on a defect-free part.
        lamp_age: Of the lamp that it was seen under, 0 new to 1 worn out.
        brightness: Mean grey value of its bare surface under a new lamp.
        conditions: What it is seen under in the hard world; None in the usual one.
        unknown: What kind of part it is where it is none of the classes.
    """

    seed: int
    roi: Roi
    defects: tuple[Defect, ...]
    lamp_age: float
    brightness: float
    conditions: Conditions | None = None
    unknown: Unknown | None = None

    @property
    def surface(self) -> SurfaceClass:
        """The part's class: that of its largest defect by area, of equal ones the first."""
        largest = max(self.defects, key=lambda defect: defect.area_px, default=None)
        return SurfaceClass.DEFECT_FREE if largest is None else largest.surface

    @property
    def label(self) -> str:
        """What the truth calls the part: its class, or `unknown`."""
        return UNKNOWN if self.unknown else self.surface.label


@dataclass(frozen=True, slots=True)
class RenderedScan:
    """A scan of one turn and the truth about it.

    Attributes:
        image: (3584, margins and part) uint8, the part on black.
        mask: The same shape, uint8: 0, or the number of the class of the defect that covers the pixel; 255 is
            what is of none of the classes.
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
    setting: Setting = USUAL_SETTING,
    place: Place = Place.ANYWHERE,
    unknown: Unknown | None = None,
) -> RenderedScan:
    """A housing of a width with defects of given classes; the same arguments give the same bytes.

    Args:
        seed: Any integer from 0.
        width_px: Columns of the part, from 256 up; `WIDTHS_PX` are the real ones.
        defects: Classes of the defects on it; none for oil, stains, dust and fine scratches at most.
        severity: Of every defect.
        setting: Lamp, harmless marks, world and ground.
        place: Where every defect is to lie.
        unknown: What kind of part it is where it is none of the classes; it has no defect then.

    Raises:
        RecordingError: The ground's folder has no picture that can be used.
        ConfigError: That kind of part needs pictures, and there is no ground.
    """
    rng = np.random.default_rng([seed, width_px, *map(int, defects), *([unknown.number] if unknown else [])])
    canvas = Canvas.bare(width_px)
    _wear(rng, canvas, replace(setting, ground=None) if unknown is Unknown.PICTURE else setting)
    laid = tuple(lay_defect(rng, canvas, surface, severity, place) for surface in defects)
    if unknown:
        lay_unknown(rng, canvas, unknown, setting.ground)
    left_px, right_px = (int(rng.integers(*MARGINS_PX)) for _ in range(2))
    everyday = metal.lamp_age(rng)
    age, brightness = everyday if setting.lamp_age is None else setting.lamp_age, metal.brightness(rng)
    lamp = brightness * metal.lamp(rng, width_px, age)
    scene = _lit(rng, canvas, lamp, left_px, right_px)
    mask = np.pad(canvas.mask, ((0, 0), (left_px, right_px)))
    conditions = None
    if setting.world is World.HARD:
        conditions = Conditions.drawn(rng)
        scene, mask = conditions.seen(scene * conditions.lamp(scene.shape[1])), conditions.seen_mask(mask)
    roi = Roi(left_px, left_px + width_px)
    truth = SurfaceTruth(seed, roi, laid, age, brightness, conditions, unknown)
    return RenderedScan(metal.expose(rng, scene), mask, truth)


def _wear(rng: np.random.Generator, canvas: Canvas, setting: Setting) -> None:
    """Tool marks and everything that a good part may carry."""
    often, width_px = setting.marks_factor, canvas.width_px
    if setting.ground is None:
        finish = metal.tool_marks(rng, width_px, even=setting.world is World.HARD)
    else:
        finish = real_finish(rng, width_px, setting.ground)
    canvas.lay(finish * metal.patina(rng, width_px), line=0, column=0)
    marks.lay_oil(rng, canvas, often)
    marks.lay_films(rng, canvas, often)
    marks.lay_stains(rng, canvas, often)
    marks.lay_drying_rims(rng, canvas, often)
    marks.lay_dust(rng, canvas, often)
    marks.lay_fine_scratches(rng, canvas, often)
    if setting.world is World.HARD:
        lay_lookalikes(rng, canvas, often)


def _lit(rng: np.random.Generator, canvas: Canvas, lamp: Plane, left_px: int, right_px: int) -> Plane:
    """A surface on black under a lamp (1, width) in grey values: run-out, edges, background; nothing is seen yet."""
    width_px = canvas.width_px
    light = canvas.reflectance * (lamp * metal.chamfers(rng, width_px))
    light *= metal.run_out(rng)
    scene = metal.background(rng, left_px, width_px, right_px)
    covered = metal.outline(rng, width_px)
    part = scene[:, left_px : left_px + width_px]
    part *= 1 - covered
    part += light * covered
    return scene
