"""What a fault of the lamp, or of the part's seat, does to the picture that the camera gets."""

from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist

import cv2
import numpy as np

from sim.breakage import Breakage
from sim.cell import View
from sim.optics import in_lines
from sim.surfaces.canvas import LINES_PER_TURN, Canvas
from sim.surfaces.unknown import Unknown, lay_unknown
from sim.wear import WEARS
from station.core.part import Pixels

STRETCHES = 8
"""In so many stretches a turn is cut, of which one comes again."""
LIT = 40  # grey; brighter is the part
DARK_GREY, WHITE_GREY = 24.0, 400.0  # what the part's middle grey becomes
STRETCH = 1.3
WANDER_PX = 24
EDGE_PX = 16  # background that stays between a wider part and the edge of the view
OTHER_PX, GAP_PX = 120, 100  # the other object: its width, and how far beside the part it lies
ROWS_SHIFTED_TOGETHER = 56
HALF_LIT = 0.5  # what the darker half of the lamp still gives
OVER_PX = 32.0  # standard deviation of the way from the one half to the other
DEFOCUS_PX = 3.0
NARROWER = 5  # so many times is what is drawn of another material
STILL_FROM, LOST = Fraction(375, 896), Fraction(15, 896)  # of the turn
SENSOR_NOISE = 1.5
"""Grey values; of a part that stands still every line is the same place, exposed anew."""
NOISE = np.array([round(NormalDist(0, SENSOR_NOISE).inv_cdf((step + 0.5) / 256)) for step in range(256)], np.int8)
"""Grey values of that noise, each as likely as the others: a random byte is one of them.

A normal number for every pixel of a sensor takes most of a second, in which no simulated device answers.
"""


class FlawedView:
    """What lies under the camera, seen as the cell's faults let it be seen; a `sim.cell.View`.

    Args:
        view: Where it is shown.
        broken: What is broken in the cell.
    """

    def __init__(self, view: View, broken: Breakage) -> None:
        self._view = view
        self._broken = broken
        self._parts = dict.fromkeys(WEARS, 0)

    def show(self, image: Pixels | None) -> None:
        """Show a turn's surface with all flaws that it is to have, or the empty jig."""
        if image is not None:
            for name, flaw in FLAWS.items():
                if self._broken.take(name):
                    image = flaw(image)
            image = self._worn(image)
        self._view.show(image)

    def _worn(self, image: Pixels) -> Pixels:
        """The same as it is seen after so many parts under what wears."""
        for name, wear in WEARS.items():
            self._parts[name] = self._parts[name] + 1 if self._broken.present(name) else 0
            if self._parts[name]:
                image = wear(image, self._parts[name])
        return image

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        """The jig turns."""
        self._view.turn(period_ns, epoch_ns)

    def stand_still(self) -> None:
        """The jig gives no index pulse."""
        self._view.stand_still()


def scaled_to(grey: float) -> Callable[[Pixels], Pixels]:
    """A flaw that brings the part's middle grey there, and everything else in proportion; white stays white."""

    def scaled(image: Pixels) -> Pixels:
        left, right = _part(image)
        factor = grey / max(1.0, float(np.median(image[:, left:right])))
        return np.asarray(cv2.convertScaleAbs(image, alpha=factor), np.uint8)

    return scaled


def times(factor: float) -> Callable[[Pixels], Pixels]:
    """A flaw that gives so many times the light; white stays white."""

    def lit(image: Pixels) -> Pixels:
        return np.asarray(cv2.convertScaleAbs(image, alpha=factor), np.uint8)

    return lit


def half_lit(image: Pixels) -> Pixels:
    """One half of the lamp, along the part's axis, gives half of its light."""
    left, right = _part(image)
    gains = np.where(np.arange(right - left) < (right - left) // 2, 1.0, HALF_LIT)[None, :]
    gains = cv2.GaussianBlur(gains, (0, 0), sigmaX=OVER_PX, sigmaY=1e-6, borderType=cv2.BORDER_REPLICATE)
    seen = image.copy()
    seen[:, left:right] = np.rint(image[:, left:right] * gains.astype(np.float32))
    return seen


def blurred(image: Pixels) -> Pixels:
    """The part is out of focus, by 3 px, all round."""
    left, right = _part(image)
    reach = int(4 * DEFOCUS_PX)
    columns = slice(max(0, left - reach), right + reach)
    round_about = np.concatenate([image[-reach:, columns], image[:, columns], image[:reach, columns]])
    seen = image.copy()
    seen[:, columns] = cv2.GaussianBlur(round_about, (0, 0), DEFOCUS_PX)[reach:-reach]
    return seen


def made(kind: Unknown) -> Callable[[Pixels], Pixels]:
    """A flaw that makes the part one of a kind that is none of the classes."""

    def seen_so(image: Pixels) -> Pixels:
        left, right = _part(image)
        level = max(1.0, float(np.median(image[:, left:right])))
        part = in_lines(image[:, left:right], LINES_PER_TURN)
        canvas = Canvas((part / np.float32(level)).astype(np.float32), np.zeros(part.shape, np.uint8))
        lay_unknown(np.random.default_rng(kind.number), canvas, kind)
        surface = cv2.convertScaleAbs(canvas.reflectance, alpha=level)
        seen = image.copy()
        seen[:, left:right] = _exposed_anew(in_lines(np.asarray(surface, np.uint8), len(image)))
        return seen

    return seen_so


def of_another_material(image: Pixels) -> Pixels:
    """The part is of another material, drawn narrow and stretched over it: what is drawn in full takes too long."""
    left, right = _part(image)
    canvas = Canvas.bare(max(1, (right - left) // NARROWER))
    lay_unknown(np.random.default_rng(Unknown.WRONG_MATERIAL.number), canvas, Unknown.WRONG_MATERIAL)
    metal = cv2.resize(canvas.reflectance, (right - left, len(image)), interpolation=cv2.INTER_LINEAR)
    level = float(np.median(image[:, left:right]))
    seen = image.copy()
    seen[:, left:right] = _exposed_anew(np.asarray(cv2.convertScaleAbs(metal, alpha=level), np.uint8))
    return seen


def wider(image: Pixels) -> Pixels:
    """The part is 1.3 times as wide."""
    left, right = _part(image)
    stretched = cv2.resize(image[:, left:right], (round(STRETCH * (right - left)), image.shape[0]))
    start = min(left, image.shape[1] - stretched.shape[1] - EDGE_PX)
    seen = image.copy()
    seen[:, start : start + stretched.shape[1]] = stretched
    return seen


def wandering(image: Pixels) -> Pixels:
    """The part moves to the right and back again, by 24 px, as it turns."""
    seen = image.copy()
    for row in range(0, len(image), ROWS_SHIFTED_TOGETHER):
        rows = slice(row, row + ROWS_SHIFTED_TOGETHER)
        shift = round(WANDER_PX * (1 - np.cos(2 * np.pi * row / len(image))) / 2)
        seen[rows] = np.roll(image[rows], shift, axis=1)
    return seen


def with_another(image: Pixels) -> Pixels:
    """Something as bright as the part lies beside it, on the side with more room."""
    left, right = _part(image)
    start = right + GAP_PX if image.shape[1] - right > left else max(0, left - GAP_PX - OTHER_PX)
    seen = image.copy()
    seen[:, start : start + OTHER_PX] = np.median(image[:, left:right]).astype(np.uint8)
    return seen


def aside(image: Pixels) -> Pixels:
    """The part's left edge lies at the sensor's first column."""
    return np.roll(image, -_part(image)[0], axis=1)


def standing(image: Pixels) -> Pixels:
    """The jig turns and the part does not: every line shows the same place."""
    return _exposed_anew(np.repeat(image[:1], len(image), axis=0))


def frozen(image: Pixels) -> Pixels:
    """The picture stands still from some line on, to the last bit."""
    seen = image.copy()
    still_from = int(STILL_FROM * len(image))
    seen[still_from:] = image[still_from]
    return seen


def block_again(image: Pixels) -> Pixels:
    """The third eighth of the turn, of eight blocks the third, comes instead of the sixth as well."""
    seen = image.copy()
    lines = len(image) // STRETCHES
    seen[5 * lines : 6 * lines] = image[2 * lines : 3 * lines]
    return seen


def half_turn(image: Pixels) -> Pixels:
    """The part turns at half the speed that jig and encoder tell of, and is seen half."""
    return _exposed_anew(np.repeat(image[: (len(image) + 1) // 2], 2, axis=0)[: len(image)])


def two_turns(image: Pixels) -> Pixels:
    """The part turns at twice the speed that jig and encoder tell of, and is seen twice."""
    return _exposed_anew(np.concatenate([image[::2], image[::2]])[: len(image)])


def lines_black(image: Pixels) -> Pixels:
    """Lines inside a block are lost, and zeros stand in their place."""
    seen = image.copy()
    first = int(STILL_FROM * len(image))
    seen[first : first + int(LOST * len(image))] = 0
    return seen


def _exposed_anew(image: Pixels) -> Pixels:
    """The picture with other noise on every pixel."""
    drawn = np.frombuffer(np.random.default_rng(1).bytes(image.size), np.uint8).reshape(image.shape)
    return np.asarray(cv2.add(image, cv2.LUT(drawn, NOISE), dtype=cv2.CV_8U), np.uint8)


def _part(image: Pixels) -> tuple[int, int]:
    """First column of the part, and the one after its last."""
    lit = np.flatnonzero(image[::64].mean(axis=0) > LIT)
    return (int(lit[0]), int(lit[-1]) + 1) if lit.size else (0, image.shape[1])


FLAWS: dict[str, Callable[[Pixels], Pixels]] = {
    "part-wrong-type": wider,
    "part-edge-wanders": wandering,
    "part-stands-still": standing,
    "part-turns-half": half_turn,
    "part-turns-twice": two_turns,
    "image-frozen": frozen,
    "image-block-again": block_again,
    "image-lines-black": lines_black,
    "part-two-objects": with_another,
    "part-at-sensor-edge": aside,
    "lamp-out": scaled_to(0.0),
    "lamp-dark": scaled_to(DARK_GREY),
    "image-saturated": scaled_to(WHITE_GREY),
    "lamp-at-40": times(0.4),
    "lamp-at-60": times(0.6),
    "lamp-at-160": times(1.6),
    "lamp-half-out": half_lit,
    "image-blurred": blurred,
    "part-rust-film": made(Unknown.RUST_FILM),
    "part-thread": made(Unknown.THREAD),
    "part-burred-dent": made(Unknown.BURRED_DENT),
    "part-droplets": made(Unknown.DROPLETS),
    "part-label": made(Unknown.LABEL),
    "part-wrong-material": of_another_material,
}
"""What each of these named faults does to a turn's surface, (lines a turn, sensor width) uint8."""
