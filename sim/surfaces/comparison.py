"""Rendered metal and pictures of real metal side by side in one picture, with their contrasts and spectra."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.surfaces.likeness import (
    CONTRAST_BINS,
    Curve,
    Finish,
    Likeness,
    compare,
    measure_finish,
    tile_windows,
    windows_of,
)
from sim.surfaces.plan import RenderPlan
from sim.surfaces.render import render_part
from station.core.errors import RecordingError
from station.core.part import Pixels

REAL, RENDERED, INK = (200, 90, 20), (30, 60, 210), (60, 60, 60)
"""Blue, red, grey, as OpenCV orders them."""
SHOWN = 5
"""Windows of each kind in the picture."""
CHART_PX = (300, 500)
_FRAME = (46, 30, 480, 250)


def compare_with(pictures: Path, picture: Path, parts: int, seed: int) -> Likeness:
    """Measure how alike rendered metal and pictures of real metal are, and draw both.

    Args:
        pictures: A folder of pictures whose marks run from top to bottom.
        picture: Where the comparison is drawn.
        parts: Housings to render, and at most so many pictures to read.
        seed: Of the housings.

    Raises:
        RecordingError: There is no picture large enough, or the comparison cannot be written.
    """
    real = tile_windows(pictures, parts)
    finish = measure_finish(real)
    rendered = _rendered_windows(parts, seed)
    finishes = finish, measure_finish(rendered)
    drawn = np.vstack([_gallery(real, rendered), _charts(*finishes)])
    if not cv2.imwrite(str(picture), drawn):
        raise RecordingError("recording.not_written", str(picture))
    return compare(*finishes)


def _rendered_windows(parts: int, seed: int) -> list[Pixels]:
    windows: list[Pixels] = []
    for part in RenderPlan(parts, seed, mix=(1, 0, 0, 0, 0)).planned():
        scan = render_part(part.seed, part.width_px)
        windows += windows_of(scan.image[:, scan.truth.roi.left : scan.truth.roi.right], border_px=24)[::8]
    return windows


def _gallery(real: Sequence[Pixels], rendered: Sequence[Pixels]) -> Pixels:
    """Both kinds beside each other, at twice their size."""
    rows = [
        np.hstack([_framed(windows[len(windows) * number // SHOWN]) for number in range(SHOWN)])
        for windows in (real, rendered)
    ]
    grey = cv2.cvtColor(np.hstack(rows), cv2.COLOR_GRAY2BGR)
    for text, left, colour in (("real", 12, REAL), ("rendered", 12 + rows[0].shape[1], RENDERED)):
        cv2.putText(grey, text, (left, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2, cv2.LINE_AA)
    width = 3 * CHART_PX[1]
    return np.asarray(cv2.resize(grey, (width, grey.shape[0] * width // grey.shape[1])), np.uint8)


def _framed(window: Pixels) -> Pixels:
    """A window brought to mid grey, on white."""
    grey = window.astype(np.float32) * (110 / max(float(window.mean()), 1.0))
    large = cv2.resize(np.clip(grey, 0, 255).astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.copyMakeBorder(large, 48, 8, 4, 4, cv2.BORDER_CONSTANT, value=255), np.uint8)


def _charts(real: Finish, rendered: Finish) -> Pixels:
    middles = (CONTRAST_BINS[1:] + CONTRAST_BINS[:-1]) / 2
    along, across = (np.log10(np.arange(1, len(curve) + 1)) for curve in (real.along_db, real.across_db))
    charts = [
        _chart("share of pixels by contrast", middles, real.histogram, rendered.histogram),
        _chart("power along the marks, dB by log frequency", along, real.along_db, rendered.along_db),
        _chart("power across the marks, dB by log frequency", across, real.across_db, rendered.across_db),
    ]
    return np.asarray(np.hstack(charts), np.uint8)


def _chart(title: str, places: Curve, real: Curve, rendered: Curve) -> NDArray[np.uint8]:
    """Two curves in one frame, with the lowest and highest value of each axis."""
    chart = np.full((*CHART_PX, 3), 255, np.uint8)
    left, top, right, bottom = _FRAME
    low, high = float(min(real.min(), rendered.min())), float(max(real.max(), rendered.max()))
    cv2.rectangle(chart, (left, top), (right, bottom), INK, 1)
    across = left + (places - places[0]) / (places[-1] - places[0]) * (right - left)
    for values, colour in ((real, REAL), (rendered, RENDERED)):
        down = bottom - (values - low) / (high - low) * (bottom - top)
        points = np.round(np.stack([across, down], axis=1) * 16).astype(np.int32)
        cv2.polylines(chart, [points], False, colour, 2, cv2.LINE_AA, 4)
    labels = (
        (title, left, 20), (f"{high:.3g}", 2, top + 12), (f"{low:.3g}", 2, bottom),
        (f"{places[0]:.2g}", left, bottom + 18), (f"{places[-1]:.2g}", right - 30, bottom + 18),
    )  # fmt: skip
    for text, x, y in labels:
        cv2.putText(chart, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return chart
