"""Marks of the hard world that a good housing may carry and that look like defects.

Tide marks, chatter, tool marks that cross, fingerprints, flakes and hairs: each resembles one defect and lacks what
makes it one, a bright and a dark flank in the lamp's light. What lies on the surface, or is a regular trace of the
machine, changes the brightness alone.
"""

import cv2
import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane, bow, soft_noise, stroke


def lay_lookalikes(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Every kind of them, so many times as often as in the hard world."""
    for lay in (lay_tide_marks, lay_chatter, lay_crossing_marks, lay_fingerprints, lay_flakes):
        lay(rng, canvas, often)


def lay_tide_marks(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Dried drops with a sharp edge, as large as a dent or a cluster of pits: a dark rim all round, a pale floor."""
    for _ in range(int(rng.poisson(often * 2.0))):
        size = int(rng.integers(14, 90))
        rows, columns = np.mgrid[-1.2 : 1.2 : size * 1j, -1.2 : 1.2 : size * 1j]
        radius = np.hypot(rows, columns * rng.uniform(0.7, 1.4)) + 0.12 * soft_noise(rng, (size, size), size / 4)
        edge_px = rng.uniform(1.0, 3.0)
        sharp = size / (2.4 * edge_px)
        floor = np.clip((0.85 - radius) * sharp + 0.5, 0, 1)
        rim = np.exp(-(((radius - 0.85) * sharp / 2) ** 2))
        gain = 1 + rng.uniform(-0.1, 0.06) * floor - rng.uniform(0.08, 0.24) * rim
        _lay_anywhere(rng, canvas, gain)


def lay_chatter(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """A tool that sang: an even wave along the turn over a band of columns, regular as a roll's print, no flanks."""
    for _ in range(int(rng.poisson(often * 0.6))):
        pitch_px, waves = rng.uniform(14, 60), int(rng.integers(3, 14))
        height, width = int(pitch_px * waves), int(rng.integers(24, max(40, canvas.width_px // 4)))
        rows, columns = np.arange(height)[:, None], np.linspace(-1, 1, width)[None, :]
        skew = rng.uniform(-0.2, 0.2) * width
        wave = np.cos(2 * np.pi * (rows + skew * columns) / pitch_px)
        fade = np.sin(np.pi * (rows + 0.5) / height) * np.clip(3 * (1 - np.abs(columns)), 0, 1)
        _lay_anywhere(rng, canvas, 1 + rng.uniform(0.03, 0.1) * fade * wave)


def lay_crossing_marks(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """A second tool's marks over the first one's: a sheaf of fine, straight, parallel lines at an angle, all alike."""
    for _ in range(int(rng.poisson(often * 0.8))):
        length_px, lines = rng.uniform(60, 220), int(rng.integers(4, 12))
        angle_rad, pitch_px = float(rng.choice([-1, 1])) * rng.uniform(0.2, 1.2), rng.uniform(4, 11)
        side = int(length_px * 1.2 + lines * pitch_px) + 8
        sheaf = np.zeros((side, side), np.float32)
        aside = pitch_px * np.array([np.cos(angle_rad), -np.sin(angle_rad)])
        for number in range(lines):
            points = bow(length_px * rng.uniform(0.8, 1), angle_rad, 0.0) + side / 2 + (number - lines / 2) * aside
            sheaf = np.maximum(sheaf, stroke(points, np.full(len(points), 0.9), 1, (side, side)))
        contrast = float(rng.choice([-1, 1])) * rng.uniform(0.05, 0.14)
        _lay_anywhere(rng, canvas, 1 + contrast * cv2.GaussianBlur(sheaf, (0, 0), 0.7))


def lay_fingerprints(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """The ridges of a finger in grease: dark arcs about a core, 0.45 mm from ridge to ridge, broken and faint."""
    for _ in range(int(rng.poisson(often * 0.5))):
        height, width = int(rng.integers(500, 900)), int(rng.integers(380, 620))
        rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        core = rng.uniform(-0.2, 0.2, 2)
        away = np.hypot((rows - core[0]) * height / 2, (columns - core[1]) * width / 2)
        bent = away + 9 * soft_noise(rng, (height, width), 160)
        ridges = 0.5 + 0.5 * np.cos(2 * np.pi * bent / rng.uniform(25, 33))
        touch = np.clip(3 * (1 - np.hypot(rows, columns)), 0, 1) * np.clip(
            soft_noise(rng, (height, width), 60) + 1, 0, 1
        )
        _lay_anywhere(rng, canvas, 1 - rng.uniform(0.04, 0.12) * ridges * touch)


def lay_flakes(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Dust larger than specks: dark flakes of the size of a pit, soft all round, and hairs as long as scratches."""
    for _ in range(int(rng.poisson(often * canvas.width_px / 200))):
        size = int(rng.integers(9, 22))
        rows, columns = np.mgrid[-1.5 : 1.5 : size * 1j, -1.5 : 1.5 : size * 1j]
        radius = np.hypot(rows * rng.uniform(0.8, 1.3), columns) + 0.2 * soft_noise(rng, (size, size), size / 3)
        _lay_anywhere(rng, canvas, 1 - rng.uniform(0.1, 0.35) * np.exp(-(radius**4)))
    for _ in range(int(rng.poisson(often * 1.0))):
        length_px = rng.uniform(60, 200)
        side = int(length_px * 1.3) + 12
        points = bow(length_px, rng.uniform(0, np.pi), rng.uniform(0.15, 0.45)) + side / 2
        hair = cv2.GaussianBlur(stroke(points, np.full(len(points), 0.9), 2, (side, side)), (0, 0), 0.9)
        _lay_anywhere(rng, canvas, 1 + float(rng.choice([-0.2, 0.14])) * rng.uniform(0.5, 1) * hair)


def _lay_anywhere(rng: np.random.Generator, canvas: Canvas, gain: Plane) -> None:
    """Multiply a window into the surface so that its middle lies anywhere on it."""
    line = int(rng.integers(LINES_PER_TURN)) - gain.shape[0] // 2
    column = int(rng.integers(canvas.width_px)) - gain.shape[1] // 2
    canvas.lay(np.asarray(gain, np.float32), line, column)
