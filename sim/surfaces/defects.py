"""The four defect classes, each drawn as a small relief in the light of a bar lamp.

Lengths are pixels of the raw scan (0.0155 mm each) on a housing of 690 px; wider housings are made by coarser tools,
so lengths grow with the square root of the width. Each defect covers far less than 1 % of the surface.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from sim.surfaces.canvas import Canvas, Plane, bow, soft_noise, stroke
from station.core.part import LINES_PER_TURN, Pixels, SurfaceClass

MM_PER_PX = 0.0155
"""Size of a pixel on the surface. Source: field of view 85 mm on 5472 pixels."""
EDGE_PX = 14
"""A defect's middle stays at least so far from the part's edges."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect on a surface, as it was made.

    Attributes:
        surface: Its class.
        line: Its middle along the turn, 0 to 3583.
        column: Its middle across the part, from the part's first column.
        area_px: Pixels of the raw scan that it covers.
        parameters: What it was made from; names end in their unit.
    """

    surface: SurfaceClass
    line: int
    column: int
    area_px: int
    parameters: dict[str, float]

    @property
    def area_mm2(self) -> float:
        """What it covers, in square millimetres."""
        return self.area_px * MM_PER_PX**2

    @property
    def surface_share(self) -> float:
        """What it covers of 3584 lines of this part; set by `parameters['width_px']`."""
        return self.area_px / (LINES_PER_TURN * self.parameters["width_px"])


Relief = tuple[Plane, Pixels, dict[str, float]]
"""Gain (h, w), footprint (h, w) of 0 and 1, parameters."""


def lay_defect(rng: np.random.Generator, canvas: Canvas, surface: SurfaceClass) -> Defect:
    """Draw one defect of a class anywhere on the surface, also across the turn's seam and the strips' borders.

    Args:
        rng: Source of chance.
        canvas: The surface.
        surface: A class other than DEFECT_FREE.
    """
    scale = float(np.sqrt(canvas.width_px / 690))
    gain, footprint, parameters = _RELIEFS[surface](rng, scale)
    line = int(rng.integers(LINES_PER_TURN))
    column = int(rng.integers(EDGE_PX, canvas.width_px - EDGE_PX))
    column = _pull_inside(column, footprint, canvas.width_px)
    height, width = gain.shape
    area_px = canvas.lay(gain, line - height // 2, column - width // 2, footprint * np.uint8(surface))
    return Defect(surface, line, column, area_px, {"width_px": float(canvas.width_px), "scale": scale, **parameters})


def _pull_inside(column: int, footprint: Pixels, width_px: int) -> int:
    """The column moved so that the footprint reaches over an edge by at most a fifth of its width."""
    reach = int(0.3 * int(np.count_nonzero(footprint.any(axis=0))))
    return int(np.clip(column, reach, width_px - reach)) if 2 * reach < width_px else width_px // 2


def imprinted(rng: np.random.Generator, scale: float) -> Relief:
    """A dent pressed by a foreign body: flat, dull floor, one flank bright, the other dark."""
    long_px, short_px = scale * rng.uniform(65, 120), scale * rng.uniform(40, 75)
    corner = rng.uniform(2.0, 5.0)
    angle_rad, depth = rng.uniform(0, np.pi), rng.uniform(0.45, 1.0)
    side = int(long_px * 1.6) + 12
    rows, columns = np.mgrid[:side, :side] - side / 2
    along = (columns * np.sin(angle_rad) + rows * np.cos(angle_rad)) / (long_px / 2)
    across = (columns * np.cos(angle_rad) - rows * np.sin(angle_rad)) / (short_px / 2)
    radius = (np.abs(along) ** corner + np.abs(across) ** corner) ** (1 / corner)
    radius += 0.06 * soft_noise(rng, (side, side), side / 5)
    floor = np.clip((1.0 - radius) * short_px / (2 * 8.0 * scale) + 0.5, 0, 1).astype(np.float32)
    flank = cv2.Sobel(cv2.GaussianBlur(floor, (0, 0), 2.0 * scale), cv2.CV_32F, 0, 1, ksize=3) * scale
    gain = 1 - 0.16 * depth * floor + 1.0 * depth * flank
    parameters = {"long_px": long_px, "short_px": short_px, "angle_rad": angle_rad, "depth": depth}
    return np.clip(gain, 0.2, 1.9).astype(np.float32), (radius < 1.0).astype(np.uint8), parameters


def pits(rng: np.random.Generator, scale: float) -> Relief:
    """A small cluster of dark, ragged cavities, each with a bright lip on one side."""
    count = int(rng.integers(3, 9))
    spread_px, depth = scale * rng.uniform(28, 65), rng.uniform(0.42, 0.8)
    side = int(spread_px * 3.2) + 48
    height = np.zeros((side, side), np.float32)
    diameters = scale * rng.uniform(14, 30, count)
    for diameter in diameters:
        row, column = side / 2 + np.clip(rng.normal(0, spread_px / 2, 2), -spread_px, spread_px)
        rows, columns = np.mgrid[:side, :side]
        radius = np.hypot(rows - row, (columns - column) * rng.uniform(0.75, 1.33)) / (diameter / 2)
        height = np.maximum(height, np.clip(1.6 * (1.1 - radius), 0, 1).astype(np.float32))
    height = np.clip(height * (1 + 0.18 * soft_noise(rng, (side, side), 8)), 0, 1)
    lip = np.clip(np.roll(cv2.GaussianBlur(height, (0, 0), 1.5), round(3 * scale), axis=0) - height, 0, 1)
    gain = 1 - depth * height + 0.45 * depth * lip
    parameters = {"count": float(count), "spread_px": spread_px, "depth": depth, "largest_px": float(diameters.max())}
    return gain.astype(np.float32), (height > 0.3).astype(np.uint8), parameters


def roll_marks(rng: np.random.Generator, scale: float) -> Relief:
    """A mark of the roll that comes back at a constant pitch: short bars across the tool's marks."""
    count, pitch_px = int(rng.integers(3, 7)), scale * rng.uniform(40, 85)
    bar_px, thick_px = scale * rng.uniform(55, 120), scale * rng.uniform(8, 14)
    skew, depth = rng.uniform(-0.18, 0.18), rng.uniform(0.24, 0.42)
    height, width = int((count - 1) * pitch_px + 4 * thick_px + 0.2 * bar_px) + 8, int(bar_px * 1.3) + 8
    rows, columns = np.mgrid[:height, :width]
    aside = (columns - width / 2) / (bar_px / 2)
    ends = np.clip(2.5 * (1.15 - np.abs(aside)), 0, 1)
    gain, footprint = np.ones((height, width)), np.zeros((height, width), np.uint8)
    for number in range(count):
        middle = height / 2 + (number - (count - 1) / 2) * pitch_px
        away = (rows - middle - skew * (columns - width / 2)) / (thick_px / 2)
        press = rng.uniform(0.75, 1.0)
        gain += depth * press * ends * (1.5 * away * np.exp(-(away**2)) - 0.35 * np.exp(-(away**2)))
        footprint |= ((np.abs(away) < 1.2) & (np.abs(aside) < 1)).astype(np.uint8)
    parameters = {"count": float(count), "pitch_px": pitch_px, "bar_px": bar_px, "thick_px": thick_px, "depth": depth}
    return gain.astype(np.float32), footprint, parameters


def scratches(rng: np.random.Generator, scale: float) -> Relief:
    """One to three sharp grooves at an angle to the tool's marks: bright with a dark shoulder, or the reverse."""
    count, length_px = int(rng.integers(1, 4)), scale * rng.uniform(130, 330)
    angle_rad = float(rng.choice([-1, 1])) * rng.uniform(0.35, 1.45)
    thick_px, depth = max(2, round(scale * rng.uniform(3, 5.5))), rng.uniform(0.38, 0.8)
    side = int(length_px * 1.25) + 40
    core = np.zeros((side, side), np.float32)
    for _ in range(count):
        points = bow(length_px * rng.uniform(0.6, 1), angle_rad + rng.normal(0, 0.06), rng.uniform(-0.06, 0.06))
        points += side / 2 + rng.normal(0, 12 * scale, 2)
        wear = np.clip(0.8 + 0.25 * np.interp(np.arange(len(points)), np.arange(0, 25, 4), rng.normal(size=7)), 0.45, 1)
        core = np.maximum(core, stroke(points, wear, thick_px, (side, side)))
    core = cv2.GaussianBlur(core, (0, 0), 0.7)
    shoulder = np.clip(np.roll(core, thick_px, axis=0) - core, 0, 1)
    sign = float(rng.choice([1.0, -0.75]))
    gain = 1 + sign * depth * (core - 0.5 * shoulder)
    parameters = {"count": float(count), "length_px": length_px, "angle_rad": angle_rad, "thick_px": float(thick_px)}
    parameters["depth"] = depth
    return gain.astype(np.float32), (core > 0.3).astype(np.uint8), parameters


_RELIEFS: dict[SurfaceClass, Callable[[np.random.Generator, float], Relief]] = {
    SurfaceClass.IMPRINTED: imprinted,
    SurfaceClass.PITS: pits,
    SurfaceClass.ROLL_MARKS: roll_marks,
    SurfaceClass.SCRATCHES: scratches,
}
