"""What no good housing carries and no class names: rust, a thread, drops of coolant, a label stuck on.

Unlike the harmless marks these are large or plain, and what covers the metal gives back light of its own.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.surfaces.canvas import LINES_PER_TURN, Canvas, Plane, soft_noise
from station.core.part import Pixels
from station.core.verdicts import UNKNOWN_MARK

Points = NDArray[np.float64]
"""(n, 2) as (column, row)."""


def lay_rust(rng: np.random.Generator, canvas: Canvas) -> None:
    """A film of rust: cloudy, dull, half as bright as the metal, grainy, with dark blooms and a ragged edge."""
    for _ in range(int(rng.integers(1, 4))):
        shape = int(rng.integers(350, 1200)), min(int(rng.integers(160, 700)), int(0.9 * canvas.width_px))
        rows, columns = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None, :]
        ragged = 0.34 * soft_noise(rng, shape, 70) + 0.14 * soft_noise(rng, shape, 14)
        within = np.clip(6 * (1 - np.maximum(np.abs(rows), np.abs(columns))), 0, 1)
        film = np.clip((0.72 - np.hypot(rows, columns) + ragged) * rng.uniform(3, 7), 0, 1) * within
        grain = 0.11 * soft_noise(rng, shape, 2.5) + 0.1 * soft_noise(rng, shape, 7)
        blooms = np.clip(soft_noise(rng, shape, 10) - 1.5, 0, 1)
        dull, albedo = rng.uniform(0.55, 0.8), rng.uniform(0.36, 0.52)
        rust = albedo * (1 + grain) * (1 - 0.5 * blooms)
        _cover(rng, canvas, dull * film, rust, film > 0.08)


def lay_thread(rng: np.random.Generator, canvas: Canvas) -> None:
    """A thread of a cleaning cloth: two twisted strands in a loose curve, fluffy, with a shadow beside it."""
    thick_px, albedo = int(rng.integers(6, 12)), float(rng.choice([0.32, 1.35]))
    points = _wander(rng, rng.uniform(600, 1700), 0.8 * canvas.width_px)
    margin = 4 * thick_px
    points += margin - points.min(axis=0)
    shape = _size_of(points, margin)
    yarn, fluff = _lines([points], thick_px, shape), 0.45 * _lines(_fibres(rng, points, thick_px), 1, shape)
    covered = np.maximum(cv2.GaussianBlur(yarn, (0, 0), 0.8), cv2.GaussianBlur(fluff, (0, 0), 0.6))
    shadow = np.roll(cv2.GaussianBlur(yarn, (0, 0), 0.4 * thick_px), (thick_px // 2, thick_px // 3), axis=(0, 1))
    own = albedo * (1 - 0.4 * _twist(points, thick_px, shape))
    _lay(rng, canvas, (1 - 0.45 * shadow) * (1 - covered), covered * own, yarn > 0.5)


def lay_droplets(rng: np.random.Generator, canvas: Canvas) -> None:
    """Drops of coolant that stand on the metal: each a lens with a dark rim, a bright foot and a spark of the lamp."""
    middle = rng.integers(LINES_PER_TURN), rng.integers(canvas.width_px)
    spread = rng.uniform(180, 500), rng.uniform(0.15, 0.35) * canvas.width_px
    for _ in range(int(rng.integers(25, 70))):
        radius_px = float(np.exp(rng.uniform(np.log(7), np.log(38))))
        gain, footprint = _droplet(rng, radius_px)
        line, column = (int(rng.normal(*at)) for at in zip(middle, spread, strict=True))
        canvas.lay(gain, line, column, footprint * np.uint8(UNKNOWN_MARK))


def lay_label(rng: np.random.Generator, canvas: Canvas) -> None:
    """A paper label stuck on, a little askew: white, matt, with a bar code, two lines of print and a shadow's edge."""
    height, width = (int(length * rng.uniform(0.18, 0.28) * canvas.width_px) for length in (1.4, 0.8))
    side = int(np.hypot(height, width)) + 24
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-9, 9) + 90 * float(rng.integers(2)), 1.0)
    turn = turn + np.array([[0, 0, (side - width) / 2], [0, 0, (side - height) / 2]])
    print_, covered = (
        cv2.warpAffine(plane, turn, (side, side), flags=cv2.INTER_LINEAR)
        for plane in (_printed(rng, height, width), np.ones((height, width), np.float32))
    )
    covered = cv2.GaussianBlur(covered, (0, 0), 0.7)
    shadow = np.roll(cv2.GaussianBlur(covered, (0, 0), 1.5), 3, axis=0)
    fibres = 1 + 0.04 * soft_noise(rng, (side, side), 2.5) + 0.02 * rng.standard_normal((side, side), dtype=np.float32)
    own = rng.uniform(1.2, 1.5) * print_ * fibres
    _lay(rng, canvas, (1 - 0.4 * shadow) * (1 - covered), covered * own, covered > 0.5)


def _droplet(rng: np.random.Generator, radius_px: float) -> tuple[Plane, Pixels]:
    """Gain and footprint of one drop: light gathers at the foot that is turned away from the lamp."""
    side = int(2.6 * radius_px) + 6
    rows, columns = (np.mgrid[:side, :side] - side / 2) / radius_px
    radius = np.hypot(rows * rng.uniform(0.85, 1.1), columns) + 0.03 * soft_noise(rng, (side, side), side / 3)
    inside = np.clip((1 - radius) * radius_px + 0.5, 0, 1)
    rim = np.exp(-(((radius - 0.93) / 0.1) ** 2))
    spark = np.exp(-(((rows + 0.45) ** 2 + (columns - 0.1) ** 2) / 0.012))
    gain = 1 + inside * (0.32 * rows - 0.12) - 0.5 * rim * inside + 0.9 * spark
    return np.asarray(np.clip(gain, 0.2, 1.9), np.float32), (radius < 1).astype(np.uint8)


def _printed(rng: np.random.Generator, height: int, width: int) -> Plane:
    """What a label shows (h, w): 1 is paper, 0.15 ink."""
    ink = np.zeros((height, width), np.uint8)
    column = width // 10
    while column < width - width // 10:
        bar, gap = (int(rng.integers(4, 10)) for _ in range(2))
        ink[height // 10 : 2 * height // 5, column : min(column + bar, width - width // 10)] = 255
        column += bar + gap
    for line, share in ((0.68, 0.038), (0.85, 0.03)):
        text = "".join(rng.choice(list("ABCDEFGHKLMNPRSTXYZ0123456789-"), 9))
        where = (width // 10, int(line * height))
        cv2.putText(ink, text, where, cv2.FONT_HERSHEY_SIMPLEX, share * width / 9, 255, 2, cv2.LINE_AA)
    return np.asarray(1 - 0.85 * (ink / np.float32(255)), np.float32)


def _cover(
    rng: np.random.Generator, canvas: Canvas, covered: Plane, albedo: Plane, footprint: NDArray[np.bool_]
) -> None:
    """Lay what covers the metal by these shares (h, w), as bright as given, anywhere on the surface."""
    _lay(rng, canvas, 1 - covered, covered * albedo, footprint)


def _lay(rng: np.random.Generator, canvas: Canvas, gain: Plane, own: Plane, footprint: NDArray[np.bool_]) -> None:
    """Lay a window so that most of it lies on the part."""
    room = canvas.width_px - gain.shape[1]
    column = int(rng.integers(min(0, room), max(0, room), endpoint=True))
    marked = footprint.astype(np.uint8) * np.uint8(UNKNOWN_MARK)
    line = int(rng.integers(LINES_PER_TURN))
    canvas.lay(np.asarray(gain, np.float32), line, column, marked, np.asarray(own, np.float32))


def _wander(rng: np.random.Generator, length_px: float, reach_px: float) -> Points:
    """Points 5 px apart of a loose curve, no wider than the reach."""
    steps = int(length_px / 5)
    bend = cv2.GaussianBlur(rng.normal(0, 0.12, (steps, 1)), (0, 0), sigmaX=1e-6, sigmaY=9).ravel() * 3
    heading = rng.normal(0, 0.7) + np.cumsum(bend)
    points = 5 * np.cumsum(np.stack([np.sin(heading), np.cos(heading)], axis=1), axis=0)
    wide, high = np.ptp(points, axis=0)
    return np.asarray(points * min(1.0, reach_px / max(wide, 1.0), 0.9 * LINES_PER_TURN / max(high, 1.0)), np.float64)


def _size_of(points: Points, margin: int) -> tuple[int, int]:
    wide, high = points.max(axis=0).astype(int) + margin
    return int(high), int(wide)


def _fibres(rng: np.random.Generator, points: Points, thick_px: int) -> list[Points]:
    """Short fibres that stand off a thread, two for each of its points."""
    starts = points[rng.integers(0, len(points), 2 * len(points))]
    away = np.cumsum(rng.normal(0, 0.5 * thick_px, (len(starts), 5, 2)), axis=1)
    return list(starts[:, None] + away)


def _twist(points: Points, thick_px: int, shape: tuple[int, int]) -> Plane:
    """Grooves between the strands (h, w), 0 to 1: short strokes askew to the thread, about a thickness apart."""
    ahead = np.gradient(points, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T), 1e-6)[:, None]
    aside = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    reach = 0.55 * thick_px * (aside + 0.8 * ahead)
    strokes = np.stack([points - reach, points + reach], axis=1)[:: max(1, thick_px // 5)]
    return np.asarray(cv2.GaussianBlur(_lines(list(strokes), 2, shape), (0, 0), 0.8), np.float32)


def _lines(lines: list[Points], thick_px: int, shape: tuple[int, int]) -> Plane:
    """Antialiased lines (h, w), 0 to 1, each through its points."""
    drawn = np.zeros(shape, np.uint8)
    fixed = [np.round(points * 16).astype(np.int32) for points in lines]
    cv2.polylines(drawn, fixed, isClosed=False, color=255, thickness=thick_px, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(drawn / np.float32(255), np.float32)
