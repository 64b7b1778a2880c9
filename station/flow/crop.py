"""Step 2, crop: finds the part's columns against the black background and takes them out of every block.

A block is reduced to one grey value a column: the means of sevenths of its lines, then the median of these seven, so
that a spot of less than three of the seven does not count, neither on the background nor on the part. Columns brighter
than `crop.background_max` are the part; from there its true edge is looked for outwards, as far as the part stays
brighter than what lies beyond, because a turned border is often darker than the surface. The first block fixes the
columns; later blocks must agree with it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from station.core.errors import PartError
from station.core.part import Block, Crop, PartType, Pixels, Roi
from station.core.settings import CropSettings
from station.flow.pixels import passes

Profile = NDArray[np.float32]
Span = tuple[int, int]

# How near the thresholds are was measured 2026-11-30 with background_max = 40, in all blocks of what was found of the
# bundled recording's 13 housings, of 72 rendered ones of all widths (12 each under lamps of everyday use, new ones, and
# of age 0.5, 0.7, 0.85 and 1), and of 112 photographed ground tiles (see tests/unit/test_crop_on_real_pictures.py).
# What is called chosen has no measurement behind it but that nothing comes near.

SMOOTHING_PX = 5
"""Columns whose mean is held against `background_max`; chosen, so that a bright column alone is no part of anything."""

NARROWEST_PART_PX = 64
"""What is narrower is no part; chosen. The narrowest housing has 385 columns, a streak of light in the tests 12."""

NARROWEST_PIECE_PX = 24
"""What is narrower and stands alone is a reflection; chosen: twice that streak, the tests' gripper finger has 40."""

GROOVE_PX = 16
"""Dark columns that never part an object; chosen. Found housings have none up to a lamp of age 0.5, then up to 16."""

DARK_BAND_PX = 64
"""Dark columns that do not part an object of two wide pieces; chosen.

In the first block of what was found no housing had a band wider than a groove, tiles had up to 24. Under a lamp of age
0.5 one housing of twelve had more than 64, and was refused as two objects: no part is taken for half of itself.
"""

REFLECTION_SHARE = 0.45
"""Of the part's brightness; what is darker beside it is its light on something. Chosen without pictures of a real line:
light in the tests has up to 0.38 of the part's grey, a gripper's finger 0.69. A darker object counts as background."""

DARK_SHARE = 1.25
"""Of `background_max`; a part must be brighter, here than 50: found housings had 62 and more under a lamp of everyday
use, 52 under a worn-out one. A darker one is refused."""

BORDER_REACH_PX = 128
"""How far a dark border is followed outwards: 3 columns under a lamp of everyday use, 17 at age 0.5, 114 at 1; of tiles
84. A part with a wider one is measured too narrow, and refused."""

STEP_PX = 4
"""Columns whose mean is held against that of the next; chosen: the lens of the tests blurs by sigma 1.8 px."""

STEP_GREY = 10.0
"""From the background to the part within such columns. The lowest edge of a found housing rises by 22, in everyday use
by 32, darkness with its noise by up to 4. Edges found so lay within 1 column of the truth, those of tiles within 10."""


def find_part(pixels: Pixels, settings: CropSettings) -> Roi:
    """The part's columns in the first block of a scan.

    Args:
        pixels: (lines, sensor width) uint8.
        settings: Brightest background and the background that must be seen on both sides.

    Raises:
        PartError: Nothing, two objects or only something too dark is seen, or the part reaches the sensor's edge.
    """
    profile = passes.profile(pixels)
    smooth = passes.smooth(profile, SMOOTHING_PX // 2)
    objects = _objects(_spans(smooth >= settings.background_max))
    part = max(objects, key=lambda span: float(smooth[slice(*span)].sum()), default=(0, 0))
    if part[1] - part[0] < NARROWEST_PART_PX:
        raise _nothing_seen(profile, smooth, settings)
    level = _level(profile, part)
    _refuse_others(smooth, [span for span in objects if span != part], level)
    if level < DARK_SHARE * settings.background_max:
        raise PartError("part.too_dark", f"grey {level:.0f}, {_background(settings)}")
    roi = Roi(*_edges(profile, part))
    before, after = roi.left, pixels.shape[1] - roi.right
    if min(before, after) < settings.margin_px:
        raise PartError(
            "part.at_sensor_edge",
            f"{_columns(roi)}, {before} columns of background before and {after} after, needed {settings.margin_px}",
        )
    return roi


def check_width(roi: Roi, part_type: PartType) -> None:
    """Refuse a part that is not as wide as its announced type.

    Raises:
        PartError: The measured width is outside the type's tolerance.
    """
    if abs(roi.width - part_type.width_px) > part_type.width_tolerance_px:
        excess = "wider" if roi.width > part_type.width_px else "narrower, or its border is as dark as the background"
        raise PartError(
            "part.wrong_width",
            f"measured {roi.width} px in {_columns(roi)}, {part_type.name} has {part_type.width_px} "
            f"± {part_type.width_tolerance_px} px: {excess}",
        )


def crop_block(block: Block, roi: Roi, part_type: PartType, settings: CropSettings) -> Crop:
    """The part's columns of a block; one that is not the first must show the part in the same place.

    Raises:
        PartError: The part is gone, dark or saturated, another object came into view, or an edge is not where block 0
            has it.
    """
    if block.index > 0:
        _verify(block, roi, part_type, settings)
    pixels = block.pixels[:, roi.left : roi.right]
    white = passes.white(pixels) / pixels.size
    if white > settings.saturated_max:
        allowed = f"allowed are {settings.saturated_max:.1%}"
        raise PartError("part.saturated", f"block {block.index}: {white:.1%} of the part's pixels are white, {allowed}")
    return Crop(block.index, roi, pixels)


def _verify(block: Block, roi: Roi, part_type: PartType, settings: CropSettings) -> None:
    where, profile = f"block {block.index}: ", passes.profile(block.pixels)
    smooth = passes.smooth(profile, SMOOTHING_PX // 2)
    level = _level(profile, (roi.left, roi.right))
    bright = _spans(smooth >= settings.background_max)
    inside = [span for span in bright if span[0] < roi.right and span[1] > roi.left]
    if level < DARK_SHARE * settings.background_max or not inside:
        code = "part.too_dark" if level >= settings.background_max / 2 else "part.jig_empty"
        raise PartError(code, f"{where}grey {level:.0f} in {_columns(roi)}, where block 0 has the part")
    _refuse_others(smooth, _objects(span for span in bright if span not in inside), level, where)
    left, right = _edges(profile, (inside[0][0], inside[-1][1]))
    moved = max(abs(left - roi.left), abs(right - roi.right))
    if moved > part_type.edge_wander_px:
        raise PartError(
            "part.edge_wanders",
            f"{where}{_columns(Roi(left, right))}, block 0 has {_columns(roi)}: {moved} px, "
            f"{part_type.name} may wander {part_type.edge_wander_px}; the part moves, or its border is dark there",
        )


def _level(profile: Profile, span: Span) -> float:
    """The grey value that half of the columns do not exceed; a fifth of the time of `np.median`."""
    columns = profile[slice(*span)]
    middle = (len(columns) - 1) // 2
    return float(np.partition(columns, middle)[middle])


def _spans(bright: NDArray[np.bool_]) -> list[Span]:
    """First column and the one after the last of every run of true columns."""
    changes = (np.flatnonzero(bright[1:] != bright[:-1]) + 1).tolist()
    changes = [0] * bool(bright[0]) + changes + [len(bright)] * bool(bright[-1])
    return list(zip(changes[::2], changes[1::2], strict=True))


def _objects(bright: Iterable[Span]) -> list[Span]:
    """What belongs together: grooves are closed, narrow reflections left out, then dark bands closed."""
    pieces = [span for span in _closed(bright, GROOVE_PX) if span[1] - span[0] >= NARROWEST_PIECE_PX]
    return _closed(pieces, DARK_BAND_PX)


def _closed(spans: Iterable[Span], gap_px: int) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start - joined[-1][1] <= gap_px:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _refuse_others(smooth: Profile, others: Sequence[Span], level: float, where: str = "") -> None:
    for span in others:
        grey = _level(smooth, span)
        if grey >= REFLECTION_SHARE * level:
            beside = f"beside the part, of grey {level:.0f}, {_columns(Roi(*span))} have grey {grey:.0f}"
            raise PartError("part.two_objects", f"{where}{beside}")


def _nothing_seen(profile: Profile, smooth: Profile, settings: CropSettings) -> PartError:
    """A dim object has two edges, a glow on the empty jig has none."""
    limit = (float(smooth.min()) + settings.background_max) / 2
    for start, end in _closed(_spans(smooth >= limit), GROOVE_PX):
        edges = (_step(profile, start), _step(profile[::-1], len(profile) - end))
        if end - start >= NARROWEST_PART_PX and None not in edges:
            seen = f"{_columns(Roi(start, end))} have grey {_level(profile, (start, end)):.0f}"
            return PartError("part.too_dark", f"{seen}, {_background(settings)}")
    brightest = f"the brightest column has grey {smooth.max():.0f}, {_background(settings)}"
    return PartError("part.jig_empty", f"nothing of {NARROWEST_PART_PX} columns or more is seen; {brightest}")


def _edges(profile: Profile, span: Span) -> Span:
    left, backwards = span[0], len(profile) - span[1]
    first, last = _step(profile, left), _step(profile[::-1], backwards)
    return (left if first is None else first, len(profile) - (backwards if last is None else last))


def _step(profile: Profile, coarse: int) -> int | None:
    """The column of a left edge: the outermost step from which the part goes on inwards to `coarse` without a break.

    None when no step of at least STEP_GREY is near, as at the border of a glow. A right edge is that of the profile
    backwards, whose columns count from the right: `coarse` and the answer, too.

        grey                       ┌───────── surface
                      ┌── border ──┘
        ── darkness ──┘
                      ▲ answer     ▲ coarse, where it exceeds background_max
              ◀───── BORDER_REACH_PX ─────▶
                 ▭▭▭▭ ▭▭▭▭                    two means of STEP_PX columns, held against each other at every column
    """
    return passes.edge(profile, coarse, BORDER_REACH_PX, STEP_PX, STEP_GREY)


def _background(settings: CropSettings) -> str:
    return f"the background may have {settings.background_max}"


def _columns(roi: Roi) -> str:
    return f"columns {roi.left} to {roi.right - 1}"
