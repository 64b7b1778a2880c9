"""Bare turned metal under a bar light, as a line-scan camera sees it: marks of the tool, lamp, run-out, sensor.

Magnitudes were set by measure against pictures of ground magnet tiles (`sim.surfaces.likeness`): contrast of the marks
about 8 % of the brightness, its spectrum along and across them, bright streaks of some hundred lines.
"""

import cv2
import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Plane, even_noise, turn_noise
from station.core.part import Pixels

_MARKS = (
    (1, 12.0, 0.035),
    (1, 0.7, 0.03),
    (14, 5.0, 0.02),
    (56, 0.6, 0.035),
    (224, 0.5, 0.04),
    (896, 0.45, 0.04),
    (1792, 0.4, 0.05),
)
"""Marks of one length each: how many follow each other in a turn, their width in px, their contrast.

Fitted to the spectra of ground magnet tiles along and across their marks.
"""


FINE = 448
"""Marks of which so many follow each other in a turn, or more, are some lines long."""


def tool_marks(rng: np.random.Generator, width_px: int, *, even: bool = False) -> Plane:
    """Gain (3584, width) of turning and grinding marks: streaks along the rotation from one line to a whole turn.

    Args:
        rng: Source of chance.
        width_px: Columns.
        even: Whether the finest marks begin on any line; else on every other, or every fourth.
    """
    strength = rng.uniform(0.75, 1.3)
    marks = np.ones((LINES_PER_TURN, width_px), np.float32)
    for cells, blur_px, contrast in _MARKS:
        noise = even_noise if even and cells >= FINE else turn_noise
        marks += np.float32(contrast * strength) * noise(rng, cells, width_px, blur_px * rng.uniform(0.7, 1.4))
    glints = turn_noise(rng, 28, width_px, 0.8) - np.float32(rng.uniform(1.4, 2.4))
    marks += np.float32(0.3) * np.clip(glints, 0, 1.5)
    return marks


def lamp(rng: np.random.Generator, width_px: int, age: float) -> Plane:
    """Gain (1, width) of the bar light across the part: brightest near the middle, never under 0.4.

    Args:
        rng: Source of chance.
        width_px: Columns.
        age: 0 is new, 1 worn out: a third darker, its ends darker still, one of its segments dim.
    """
    across = np.linspace(-1, 1, width_px, dtype=np.float32)
    middle, falloff = rng.uniform(-0.35, 0.35), rng.uniform(0.06, 0.28)
    gain = 1 - (falloff + 0.12 * age) * (across - middle) ** 2
    dim, spread = rng.uniform(-1, 1), rng.uniform(0.08, 0.2)
    gain *= 1 - 0.2 * age * np.exp(-(((across - dim) / spread) ** 2))
    return np.asarray((1 - 0.33 * age) * gain.clip(0.6, 1)[None, :], np.float32)


def run_out(rng: np.random.Generator) -> Plane:
    """Gain (3584, 1) of a part that turns slightly out of centre: one and two waves a turn."""
    turn = np.linspace(0, 2 * np.pi, LINES_PER_TURN, endpoint=False)
    once = rng.uniform(0, 0.09) * np.sin(turn + rng.uniform(0, 2 * np.pi))
    twice = rng.uniform(0, 0.03) * np.sin(2 * turn + rng.uniform(0, 2 * np.pi))
    return (1 + once + twice)[:, None].astype(np.float32)


def chamfers(rng: np.random.Generator, width_px: int) -> Plane:
    """Gain (1, width) of the part's turned edges: a few columns that are brighter or duller than the surface."""
    gain = np.ones(width_px, np.float32)
    for columns in (slice(0, int(rng.integers(3, 9))), slice(width_px - int(rng.integers(3, 9)), width_px)):
        gain[columns] *= rng.uniform(0.75, 1.3)
    return np.asarray(cv2.GaussianBlur(gain[None, :], (0, 0), sigmaX=0.8, sigmaY=1e-6), np.float32)


def outline(rng: np.random.Generator, width_px: int) -> Plane:
    """Share (3584, width) of each pixel that the part covers: its edges wander by under one pixel in a turn."""
    turn = np.linspace(0, 2 * np.pi, LINES_PER_TURN, endpoint=False)
    sway = rng.uniform(0, 0.4) * np.sin(turn + rng.uniform(0, 2 * np.pi))
    covered = np.ones((LINES_PER_TURN, width_px), np.float32)
    near = np.arange(3, dtype=np.float64)[None, :]
    covered[:, :3] = np.clip(near + 0.6 - sway[:, None], 0, 1)
    covered[:, -3:] = np.clip(near[:, ::-1] + 0.6 + sway[:, None], 0, 1)
    return covered


def background(rng: np.random.Generator, left_px: int, part_px: int, right_px: int) -> Plane:
    """Grey values (3584, whole width) of the dark around the part: black level, a glow beside it, faint reflections."""
    width_px = left_px + part_px + right_px
    columns = np.arange(width_px, dtype=np.float32)
    beside = np.maximum(left_px - columns, columns - (left_px + part_px - 1)).clip(0)
    row = rng.uniform(1.5, 5.0) + rng.uniform(0, 5.0) * np.exp(-beside / rng.uniform(6, 25))
    dark = np.repeat(row[None, :].astype(np.float32), LINES_PER_TURN, axis=0)
    for _ in range(int(rng.integers(0, 3))):
        centre, spread = rng.uniform(0, width_px), rng.uniform(4, 25)
        sheen = rng.uniform(2, 9) * np.exp(-(((columns - centre) / spread) ** 2))
        pulse = np.clip(turn_noise(rng, 7, 1), 0, 2)
        dark += pulse * sheen[None, :].astype(np.float32)
    return dark


def expose(rng: np.random.Generator, light: Plane) -> Pixels:
    """What the sensor makes of grey values (h, w): read noise, photon noise, 8 bits."""
    spread = np.sqrt(0.7 + 0.018 * np.clip(light, 0, 255))
    noisy = light + spread * rng.standard_normal(light.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def patina(rng: np.random.Generator, width_px: int) -> Plane:
    """Gain (3584, width) of slow, cloudy differences of the finish, closed around the turn."""
    clouds = turn_noise(rng, 14, width_px, width_px / 12)
    return (1 + rng.uniform(0.01, 0.035) * clouds).astype(np.float32)


def brightness(rng: np.random.Generator) -> float:
    """Mean grey value of a part's bare surface under a new lamp: the exposure and the metal's own brightness."""
    return float(rng.uniform(75, 130))


def lamp_age(rng: np.random.Generator) -> float:
    """How worn the lamp is in everyday use: 0 new, at most 0.4."""
    return float(rng.uniform(0, 0.4))
