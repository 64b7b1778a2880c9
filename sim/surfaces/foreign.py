"""Parts that are another thing than a ground housing: dented with a burr, of another material, or a picture's metal."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane, soft_noise, turn_noise
from sim.surfaces.grounds import check_ground, pictures_of
from sim.surfaces.places import HALVES, STRIPS
from station.core.part import Pixels
from station.core.verdicts import UNKNOWN_MARK

FADE_PX = 24
"""Over so many px one picture goes over into the next."""
_MATTE = (0.25, 1.9)
"""Least and most that a picture's metal gives back, its mean being 1."""


def lay_burred_dent(rng: np.random.Generator, canvas: Canvas) -> None:
    """A knock with an edge: a torn crater, and beside it metal that was thrown up, jagged, with a shadow behind."""
    for _ in range(int(rng.integers(1, 3))):
        radius_px = float(np.sqrt(canvas.width_px / 690)) * rng.uniform(24, 58)
        side = int(4 * radius_px) + 24
        rows, columns = (np.mgrid[:side, :side] - side / 2) / radius_px
        angle = np.arctan2(rows, columns)
        jagged = 0.1 * soft_noise(rng, (side, side), side / 6) + 0.05 * soft_noise(rng, (side, side), side / 24)
        radius = np.hypot(rows * rng.uniform(0.7, 1.0), columns) + jagged
        towards = rng.uniform(0, 2 * np.pi)
        thrown = np.clip(0.35 + 0.65 * np.cos(angle - towards), 0, 1) * (1 + 0.5 * np.cos(7 * angle + towards))
        height = -np.clip(1.15 - radius, 0, 1) + 1.1 * thrown * np.exp(-(((radius - 1.2) / 0.16) ** 2))
        slope = cv2.Sobel(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.2), cv2.CV_32F, 0, 1, ksize=3)
        torn = 1 + 0.1 * soft_noise(rng, (side, side), 3) * (radius < 1)
        shade = np.clip(np.roll(height, round(0.3 * radius_px), axis=0) - height - 0.35, 0, 1)
        gain = (1 + 0.8 * slope / max(float(np.abs(slope).max()), 1e-6)) * (1 - 0.5 * shade) * torn
        gain *= 1 - 0.25 * np.clip(3 * (1 - radius), 0, 1)
        covered = (radius < 1) | (height > 0.15)
        line = int(rng.integers(LINES_PER_TURN)) - side // 2
        column = int(rng.integers(canvas.width_px // 6, 5 * canvas.width_px // 6)) - side // 2
        canvas.lay(
            np.clip(gain, 0.1, 1.9).astype(np.float32), line, column, covered.astype(np.uint8) * np.uint8(UNKNOWN_MARK)
        )


def lay_wrong_material(rng: np.random.Generator, canvas: Canvas) -> None:
    """A housing of the right size that is cast, milled, moulded of plastic, or ground along its axis."""
    _replace(canvas, _MATERIALS[int(rng.integers(len(_MATERIALS)))](rng, canvas.width_px))


def lay_pictures(rng: np.random.Generator, canvas: Canvas, folder: Path) -> None:
    """A housing whose every patch shows a picture of other metal, each going over into the next.

    Raises:
        RecordingError: The folder has no picture that can be used.
    """
    check_ground(folder)
    pictures = pictures_of(folder)
    chosen = rng.permutation(np.resize(rng.permutation(len(pictures)), STRIPS * HALVES))
    height, width = LINES_PER_TURN // STRIPS, -(-canvas.width_px // HALVES)
    metal, weights = np.zeros_like(canvas.reflectance), np.zeros_like(canvas.reflectance)
    fade = _fade(height + FADE_PX, width + FADE_PX)
    for place, number in enumerate(chosen.tolist()):
        strip, half = divmod(place, HALVES)
        picture = _levelled(pictures[number], (width + FADE_PX, height + FADE_PX))
        lines = np.arange(strip * height, strip * height + height + FADE_PX) % LINES_PER_TURN - FADE_PX // 2
        columns = slice(half * width, min((half + 1) * width + FADE_PX, canvas.width_px))
        inside = slice(0, columns.stop - columns.start)
        metal[lines, columns] += (fade * picture)[:, inside]
        weights[lines, columns] += fade[:, inside]
    _replace(canvas, metal / weights)


def _levelled(picture: Pixels, size: tuple[int, int]) -> Plane:
    """A picture of this width and height whose mean is that of bare metal."""
    grey = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(grey / max(float(grey.mean()), 1.0), *_MATTE), np.float32)


def _replace(canvas: Canvas, metal: Plane) -> None:
    canvas.reflectance[:] = metal
    canvas.mask[:] = UNKNOWN_MARK


def _cast(rng: np.random.Generator, width_px: int) -> Plane:
    """Sand cast: grains as long as wide, and pores."""
    grain = 0.09 * turn_noise(rng, 896, width_px, 2.2) + 0.07 * turn_noise(rng, 256, width_px, 8)
    pores = np.clip(turn_noise(rng, 512, width_px, 3.5) - 2.1, 0, 1)
    return np.asarray((0.85 + grain) * (1 - 0.6 * pores), np.float32)


def _milled(rng: np.random.Generator, width_px: int) -> Plane:
    """Face milled: bows of a large cutter across the part, one behind the other, no two alike."""
    lines, columns = np.arange(LINES_PER_TURN)[:, None], np.linspace(-1, 1, width_px)[None, :]
    bows, bent_px = int(rng.integers(90, 200)), rng.uniform(0.3, 0.8) * width_px
    phase = 2 * np.pi * bows * (lines + bent_px * (columns - rng.uniform(-0.4, 0.4)) ** 2) / LINES_PER_TURN
    phase += 0.6 * turn_noise(rng, 112, width_px, width_px / 4)
    wave = (np.cos(phase) + 0.5 * np.cos(2 * phase + 1)) * (1 + 0.4 * turn_noise(rng, 112, width_px, width_px / 6))
    return np.asarray(1 + 0.045 * wave + 0.085 * turn_noise(rng, 896, width_px, 2), np.float32)


def _moulded(rng: np.random.Generator, width_px: int) -> Plane:
    """Plastic: dull and smooth, with the fine grain of the mould and streaks of its flow."""
    flow = np.clip(turn_noise(rng, 28, width_px, 14) - 1, 0, 1)
    grain = 0.045 * turn_noise(rng, 896, width_px, 2) + 0.03 * turn_noise(rng, 56, width_px, width_px / 14)
    return np.asarray(0.8 + grain - 0.12 * flow, np.float32)


def _ground_across(rng: np.random.Generator, width_px: int) -> Plane:
    """Ground the wrong way: marks along the axis, line by line."""
    marks = 0.1 * turn_noise(rng, 1792, width_px, width_px / 3) + 0.06 * turn_noise(rng, 896, width_px, width_px / 8)
    return np.asarray(1 + marks + 0.03 * turn_noise(rng, 1792, width_px, 1), np.float32)


_MATERIALS: tuple[Callable[[np.random.Generator, int], Plane], ...] = (_cast, _milled, _moulded, _ground_across)


def _fade(height: int, width: int) -> Plane:
    """Weights (h, w) of a picture: 1, and at its edges down to nearly 0."""
    ends = (np.minimum(np.arange(length) + 0.5, length - np.arange(length) - 0.5) for length in (height, width))
    along, across = (np.clip(end / FADE_PX, 0, 1) for end in ends)
    return np.asarray(np.outer(along, across), np.float32)
