"""Marks that a good housing may carry: oil, films, stains, drying rims, dust, fine scratches. None of them is a defect.

What lies on the surface changes its brightness alone; only a relief has a bright and a dark flank in the lamp's light.
`often` multiplies how many there are on average.
"""

import cv2
import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane, bow, soft_noise, stroke

FILM_LONG_PX, FILM_SHORT_PX = (25.0, 130.0), (16.0, 70.0)
"""Length and width of a film of dried oil on a housing of 690 px."""


def lay_oil(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Broad, soft, slightly dark or bright films with a cloudy edge."""
    for _ in range(int(rng.poisson(often * 1.5))):
        height, width = int(rng.integers(150, 700)), int(rng.integers(80, max(120, canvas.width_px // 2)))
        rows, columns = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
        ragged = 0.2 * soft_noise(rng, (height, width), 90) + 0.06 * soft_noise(rng, (height, width), 20)
        edge = 0.85 - np.hypot(rows, columns) + ragged
        inside = np.clip(4 * (1 - np.maximum(np.abs(rows), np.abs(columns))), 0, 1)
        film = np.clip(edge * rng.uniform(1.5, 4), 0, 1) * inside
        gain = (1 + rng.uniform(-0.18, 0.07) * film).astype(np.float32)
        canvas.lay(gain, *_anywhere(rng, canvas, height, width))


def lay_films(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Dark films of dried oil, of the size and outline of a dent and as sharp at the edge, but flat: without flanks."""
    scale = float(np.sqrt(canvas.width_px / 690))
    for _ in range(int(rng.poisson(often * 1.6))):
        long_px, short_px = (scale * rng.uniform(*limits) for limits in (FILM_LONG_PX, FILM_SHORT_PX))
        gain = film(rng, long_px, short_px)
        canvas.lay(gain, *_anywhere(rng, canvas, *gain.shape))


def film(rng: np.random.Generator, long_px: float, short_px: float) -> Plane:
    """Gain of one film of dried oil of this length and width, turned as chance has it, in the middle of a square."""
    corner, angle_rad = rng.uniform(1.8, 5.0), rng.uniform(0, np.pi)
    side = int(max(long_px, short_px) * 1.6) + 16
    rows, columns = np.mgrid[:side, :side] - side / 2
    along = (columns * np.sin(angle_rad) + rows * np.cos(angle_rad)) / (long_px / 2)
    across = (columns * np.cos(angle_rad) - rows * np.sin(angle_rad)) / (short_px / 2)
    radius = (np.abs(along) ** corner + np.abs(across) ** corner) ** (1 / corner)
    radius += rng.uniform(0.02, 0.12) * soft_noise(rng, (side, side), side / 5)
    edge_px = rng.uniform(1.5, 6)
    covered = np.clip((1 - radius) * min(long_px, short_px) / (2 * edge_px) + 0.5, 0, 1)
    rim = rng.uniform(0, 0.35) * np.exp(-(((1 - radius) * min(long_px, short_px) / (2 * edge_px)) ** 2))
    return np.asarray(1 + rng.uniform(-0.24, -0.08) * np.maximum(covered, 0) * (1 + rim), np.float32)


def lay_stains(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Small blots of tarnish: ragged, flat, up to a fifth darker, or a little brighter where they were wiped."""
    for _ in range(int(rng.poisson(often * 1.5))):
        size = int(rng.integers(12, 70))
        rows, columns = np.mgrid[-1.3 : 1.3 : size * 1j, -1.3 : 1.3 : size * 1j]
        radius = np.hypot(rows, columns * rng.uniform(0.7, 1.4)) + 0.22 * soft_noise(rng, (size, size), size / 5)
        blot = np.clip((0.75 - radius) * rng.uniform(1.5, 5), 0, 1)
        gain = (1 + rng.uniform(-0.2, 0.08) * blot).astype(np.float32)
        canvas.lay(gain, *_anywhere(rng, canvas, size, size))


def lay_drying_rims(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Pale, thin, open rings that drops of coolant left behind."""
    for _ in range(int(rng.poisson(often * 0.7))):
        size = int(rng.integers(50, 220))
        rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        radius = np.hypot(rows, columns * rng.uniform(1, 1.5)) + 0.05 * soft_noise(rng, (size, size), 30)
        rim = np.exp(-(((radius - 0.75) / rng.uniform(0.03, 0.09)) ** 2))
        broken = np.clip(soft_noise(rng, (size, size), 40) + 0.5, 0, 1)
        gain = (1 + rng.uniform(-0.12, 0.08) * rim * broken).astype(np.float32)
        canvas.lay(gain, *_anywhere(rng, canvas, size, size))


def lay_dust(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Single specks of 2 to 6 px and now and then a short fibre: soft, without a rim."""
    for _ in range(int(rng.poisson(often * canvas.width_px / 50))):
        size = 13
        rows, columns = np.mgrid[-6:7, -6:7]
        spread = rng.uniform(0.9, 2.3)
        speck = np.exp(-(rows**2 + (columns * rng.uniform(0.7, 1.4)) ** 2) / (2 * spread**2))
        gain = (1 + float(rng.choice([-0.24, 0.2])) * rng.uniform(0.4, 1) * speck).astype(np.float32)
        canvas.lay(gain, *_anywhere(rng, canvas, size, size))
    for _ in range(int(rng.poisson(often * 0.5))):
        length_px, contrast = rng.uniform(20, 70), rng.uniform(-0.16, -0.08)
        _lay_line(rng, canvas, length_px, contrast, sag=rng.uniform(0.1, 0.4))


def lay_fine_scratches(rng: np.random.Generator, canvas: Canvas, often: float) -> None:
    """Hair-thin, shallow scratches of handling, mostly along the tool's marks."""
    for _ in range(int(rng.poisson(often * 3.0))):
        length_px = rng.uniform(30, 180)
        contrast = float(rng.choice([-0.13, 0.16])) * rng.uniform(0.5, 1)
        _lay_line(rng, canvas, length_px, contrast, sag=0.03)


def _lay_line(rng: np.random.Generator, canvas: Canvas, length_px: float, contrast: float, sag: float) -> None:
    side = int(length_px * 1.1) + 8
    points = bow(length_px, rng.normal(0, 0.6), sag) + side / 2
    fade = np.sin(np.linspace(0.15, np.pi - 0.15, len(points)))
    line = cv2.GaussianBlur(stroke(points, fade, 1, (side, side)), (0, 0), 0.6)
    canvas.lay(1 + contrast * line, *_anywhere(rng, canvas, side, side))


def _anywhere(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """First line and column of a window whose middle lies anywhere on the surface."""
    line = int(rng.integers(LINES_PER_TURN)) - height // 2
    return line, int(rng.integers(canvas.width_px)) - width // 2
