"""Scenes to train a detector on: pictures of products laid on grounds where there is none, and such grounds alone.

Grounds are drawn: light that falls off, grain, stripes, and things that are no products, some of them of a product's
size; or they are windows of pictures that the user gives, of the empty place. A product is laid at any size from a
fifth of the scene on, darker or lighter, mirrored, its rim sharp or soft. Nothing here needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.layout import SIDE_PX, overlap
from station.core.part import Pixels

NUMBERS = (0.25, 0.6, 0.15)
"""How often a scene has no product, one, two."""
LEAST_SHARE, LARGEST_SHARE = 0.2, 0.95
"""Of a product's longer side, of the scene's."""
LARGEST_OVERLAP = 0.05
TRIES = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene with the places of its products.

    Attributes:
        pixels: (SIDE_PX, SIDE_PX) uint8.
        boxes: (n, 4) top, left, bottom, right in px.
    """

    pixels: Pixels
    boxes: NDArray[np.float64]


def scene(products: Sequence[Pixels], grounds: Sequence[Pixels], rng: np.random.Generator) -> Scene:
    """One scene.

    Args:
        products: Pictures (h, w) uint8 that a product fills.
        grounds: Pictures without one; empty for drawn grounds alone.
        rng: Draws all.
    """
    pixels = _ground(grounds, rng)
    boxes: list[NDArray[np.float64]] = []
    for _ in range(int(rng.choice(len(NUMBERS), p=NUMBERS))):
        product = products[int(rng.integers(len(products)))]
        for _try in range(TRIES):
            box = _place(product.shape, rng)
            if all(overlap(box, other) <= LARGEST_OVERLAP for other in boxes):
                _lay(pixels, product, box, rng)
                boxes.append(box)
                break
    noisy = pixels + rng.normal(0, rng.uniform(0, 6), pixels.shape)
    return Scene(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), np.array(boxes, np.float64).reshape(-1, 4))


def _place(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    longer = SIDE_PX * rng.uniform(LEAST_SHARE, LARGEST_SHARE)
    ratio = shape[0] / shape[1] * rng.uniform(0.8, 1.25)
    size = np.maximum(6, longer * np.array([min(1, ratio), min(1, 1 / ratio)]))
    first = rng.uniform(0, SIDE_PX - size)
    return np.asarray(np.rint(np.concatenate([first, first + size])), np.float64)


def _lay(pixels: NDArray[np.float64], product: Pixels, box: NDArray[np.float64], rng: np.random.Generator) -> None:
    top, left, bottom, right = box.astype(int)
    resized = cv2.resize(product, (right - left, bottom - top), interpolation=cv2.INTER_AREA).astype(np.float64)
    laid = np.clip(resized * rng.uniform(0.6, 1.5) + rng.uniform(-20, 20), 0, 255)
    if rng.random() < 0.5:
        laid = laid[:, ::-1]
    weight = np.ones_like(laid)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(np.pad(weight, 2), (0, 0), rng.uniform(0.5, 1.2))[2:-2, 2:-2]
        weight = np.asarray(soft, np.float64)
    pixels[top:bottom, left:right] += weight * (laid - pixels[top:bottom, left:right])


def _ground(grounds: Sequence[Pixels], rng: np.random.Generator) -> NDArray[np.float64]:
    if grounds and rng.random() < 0.7:
        return _window(grounds[int(rng.integers(len(grounds)))], rng)
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX] / SIDE_PX - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    across = rows * np.sin(angle) + columns * np.cos(angle)
    pixels = rng.uniform(0, 230) + rng.uniform(0, 90) * across
    grain = rng.normal(0, 1, (SIDE_PX, SIDE_PX))
    pixels += rng.uniform(0, 25) * _spread(
        np.asarray(cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 12)), np.float64)
    )
    if rng.random() < 0.3:
        pixels += rng.uniform(3, 30) * np.sign(np.sin(across * rng.uniform(20, 200)))
    for _ in range(int(rng.integers(0, 5))):
        _draw_thing(pixels, rng)
    return np.asarray(pixels, np.float64)


def _window(ground: Pixels, rng: np.random.Generator) -> NDArray[np.float64]:
    side = max(8, int(min(ground.shape) * rng.uniform(0.4, 1)))
    top, left = (int(rng.integers(0, length - side + 1)) for length in ground.shape)
    window = cv2.resize(ground[top : top + side, left : left + side], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(window * rng.uniform(0.7, 1.3), np.float64)


def _spread(grain: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(grain / max(1e-6, float(grain.std())), np.float64)


def _draw_thing(pixels: NDArray[np.float64], rng: np.random.Generator) -> None:
    """A line, a disc or a flat sheet: no product, whatever its size."""
    grey, at = float(rng.uniform(0, 255)), rng.integers(0, SIDE_PX, 4).tolist()
    match int(rng.integers(3)):
        case 0:
            cv2.line(pixels, (at[0], at[1]), (at[2], at[3]), grey, int(rng.integers(1, 6)))
        case 1:
            cv2.circle(pixels, (at[0], at[1]), int(rng.integers(2, SIDE_PX // 3)), grey, -1)
        case _:
            cv2.rectangle(pixels, (at[0], at[1]), (at[2], at[3]), grey, -1)
