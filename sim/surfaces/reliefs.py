"""The four defect classes, each as a small relief in the light of a bar lamp that shines along the rotation.

A relief is what one defect does to the light: a gain around 1 and the pixels that it covers. `scale` multiplies
lengths; sizes and depths come from `DEFAULT_RANGES`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from sim.surfaces.canvas import Plane, bow, soft_noise, stroke
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.severity import DEFAULT_RANGES
from station.core.part import Pixels

Relief = tuple[Plane, Pixels, dict[str, float]]
"""Gain (h, w), footprint (h, w) of 0 and 1, parameters; lengths among them in px of the raw scan."""


def imprinted(rng: np.random.Generator, scale: float) -> Relief:
    """A dent pressed by a foreign body: flat, dull floor, one flank bright, the other dark."""
    drawn = _drawn(rng, SurfaceClass.IMPRINTED, scale)
    long_px, short_px, depth = drawn["long_px"], drawn["short_px"], drawn["depth"]
    corner, angle_rad = rng.uniform(2.0, 5.0), rng.uniform(0, np.pi)
    side = int(long_px * 1.6) + 16
    rows, columns = np.mgrid[:side, :side] - side / 2
    along = (columns * np.sin(angle_rad) + rows * np.cos(angle_rad)) / (long_px / 2)
    across = (columns * np.cos(angle_rad) - rows * np.sin(angle_rad)) / (short_px / 2)
    radius = (np.abs(along) ** corner + np.abs(across) ** corner) ** (1 / corner)
    radius += 0.06 * soft_noise(rng, (side, side), side / 5)
    flank_px = 0.11 * short_px
    floor = np.clip((1.0 - radius) * short_px / (2 * 2.2 * flank_px) + 0.5, 0, 1).astype(np.float32)
    slope = cv2.Sobel(cv2.GaussianBlur(floor, (0, 0), max(0.6 * flank_px, 0.3)), cv2.CV_32F, 0, 1, ksize=3)
    gain = 1 - 0.16 * depth * floor + 0.55 * depth * slope / max(float(np.abs(slope).max()), 1e-6)
    return gain.astype(np.float32), (radius < 1.0).astype(np.uint8), {**drawn, "angle_rad": angle_rad}


def pits(rng: np.random.Generator, scale: float) -> Relief:
    """A small cluster of dark, ragged cavities, each with a bright lip on one side."""
    drawn = _drawn(rng, SurfaceClass.PITS, scale)
    spread_px, depth = drawn["spread_px"], drawn["depth"]
    side = int(spread_px * 3.2) + 32
    height = np.zeros((side, side), np.float32)
    rows, columns = np.mgrid[:side, :side]
    diameters = drawn["diameter_px"] * rng.uniform(0.75, 1.25, int(drawn["count"]))
    for diameter in diameters:
        row, column = side / 2 + np.clip(rng.normal(0, spread_px / 2, 2), -spread_px, spread_px)
        radius = np.hypot(rows - row, (columns - column) * rng.uniform(0.75, 1.33)) / (diameter / 2)
        height = np.maximum(height, np.clip(1.6 * (1.1 - radius), 0, 1).astype(np.float32))
    height = np.clip(height * (1 + 0.18 * soft_noise(rng, (side, side), 8)), 0, 1)
    shift = max(1, round(0.17 * drawn["diameter_px"]))
    lip = np.clip(np.roll(cv2.GaussianBlur(height, (0, 0), max(0.5 * shift, 0.3)), shift, axis=0) - height, 0, 1)
    gain = 1 - depth * height + 0.45 * depth * lip
    return gain.astype(np.float32), (height > 0.3).astype(np.uint8), {**drawn, "largest_px": float(diameters.max())}


def roll_marks(rng: np.random.Generator, scale: float) -> Relief:
    """One print of a roll's chipped land: short parallel bars across the tool's marks."""
    drawn = _drawn(rng, SurfaceClass.ROLL_MARKS, scale)
    bar_px, thick_px, pitch_px = drawn["bar_px"], drawn["thick_px"], drawn["pitch_px"]
    count, skew = int(drawn["count"]), rng.uniform(-0.18, 0.18)
    height, width = int((count - 1) * pitch_px + 4 * thick_px + 0.2 * bar_px) + 8, int(bar_px * 1.3) + 8
    rows, columns = np.mgrid[:height, :width]
    aside = (columns - width / 2) / (bar_px / 2)
    ends = np.clip(2.5 * (1.15 - np.abs(aside)), 0, 1)
    gain, footprint = np.ones((height, width)), np.zeros((height, width), np.uint8)
    for number in range(count):
        middle = height / 2 + (number - (count - 1) / 2) * pitch_px
        away = (rows - middle - skew * (columns - width / 2)) / (thick_px / 2)
        dent = 1.5 * away * np.exp(-(away**2)) - 0.35 * np.exp(-(away**2))
        gain += drawn["depth"] * rng.uniform(0.75, 1.0) * ends * dent
        footprint |= ((np.abs(away) < 1.2) & (np.abs(aside) < 1)).astype(np.uint8)
    return gain.astype(np.float32), footprint, {**drawn, "skew": skew}


def scratches(rng: np.random.Generator, scale: float) -> Relief:
    """One to three sharp grooves at an angle to the tool's marks: bright with a dark shoulder, or the reverse."""
    drawn = _drawn(rng, SurfaceClass.SCRATCHES, scale)
    length_px, thick_px = drawn["length_px"], max(1, round(drawn["thick_px"]))
    angle_rad = float(rng.choice([-1, 1])) * rng.uniform(0.35, 1.45)
    side = int(length_px * 1.25) + 40
    core = np.zeros((side, side), np.float32)
    for _ in range(int(drawn["count"])):
        points = bow(length_px * rng.uniform(0.6, 1), angle_rad + rng.normal(0, 0.06), rng.uniform(-0.06, 0.06))
        points += side / 2 + rng.normal(0, 12 * scale, 2)
        wear = np.clip(0.8 + 0.25 * np.interp(np.arange(len(points)), np.arange(0, 25, 4), rng.normal(size=7)), 0.45, 1)
        core = np.maximum(core, stroke(points, wear, thick_px, (side, side)))
    core = cv2.GaussianBlur(core, (0, 0), 0.7) * np.float32(min(1.0, drawn["thick_px"]))
    shoulder = np.clip(np.roll(core, thick_px, axis=0) - core, 0, 1)
    gain = 1 + float(rng.choice([1.0, -0.75])) * drawn["depth"] * (core - 0.5 * shoulder)
    return gain.astype(np.float32), (core > 0.3 * core.max()).astype(np.uint8), {**drawn, "angle_rad": angle_rad}


RELIEFS: dict[SurfaceClass, Callable[[np.random.Generator, float], Relief]] = {
    SurfaceClass.IMPRINTED: imprinted,
    SurfaceClass.PITS: pits,
    SurfaceClass.ROLL_MARKS: roll_marks,
    SurfaceClass.SCRATCHES: scratches,
}
"""How each class is drawn."""


def _drawn(rng: np.random.Generator, surface: SurfaceClass, scale: float) -> dict[str, float]:
    """One value of each of a class's default ranges: the defect's own lengths scaled, counts whole."""
    values: dict[str, float] = {}
    for name, (low, high) in DEFAULT_RANGES[surface].items():
        if name in {"count", "prints"}:
            values[name] = float(rng.integers(int(low), int(high) + 1))
        elif name in {"depth", "roll_circumference_px"}:
            values[name] = rng.uniform(low, high)
        else:
            values[name] = rng.uniform(low, high) * scale
    return values
