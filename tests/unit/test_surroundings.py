"""What every scan shows beside its part: the lamp, the focus, dirt; and clear words where a part hides it."""

import numpy as np
import pytest

from sim.wear import BLURRED_BY_PX, SCATTERED, dirty, fading, losing_focus
from station.core.part import Pixels, Roi
from station.flow.surroundings import Beside, Surroundings

SENSOR_PX, LEFT, RIGHT = 1200, 400, 785
LINES, BLOCK = 3584, 448


@pytest.fixture(scope="module")
def scan() -> Pixels:
    """A part in the middle of darkness with the sensor's noise, (3584, 1200)."""
    rng = np.random.default_rng(7)
    image = rng.normal(6, 2, (LINES, SENSOR_PX)).clip(0, 15).astype(np.uint8)
    image[:, LEFT:RIGHT] = rng.normal(95, 6, (LINES, RIGHT - LEFT)).clip(60, 130).astype(np.uint8)
    return image


def beside(image: Pixels, reference: tuple[int, int] | None = None, roi: Roi = Roi(LEFT, RIGHT)) -> Beside:  # noqa: B008  # frozen
    surroundings = Surroundings(reference)
    assert surroundings.seen(roi) is None, "nothing was looked at"
    for begin in range(0, len(image), BLOCK):
        surroundings.take(image[begin : begin + BLOCK], roi)
    seen = surroundings.seen(roi)
    assert seen is not None
    return seen


def test_the_grey_of_the_background_follows_the_lamp_and_nothing_else_does(scan: Pixels) -> None:
    usual, dim = beside(scan), beside(fading(scan, 40))
    assert usual.lamp is not None
    assert usual.lamp == pytest.approx(5.5, abs=0.2)
    assert dim.lamp == pytest.approx(0.6 * usual.lamp, rel=0.03)
    assert dim.edge_px == pytest.approx(usual.edge_px, rel=0.05)
    assert dim.streak == pytest.approx(0.3, abs=0.3)


def test_the_edges_widen_out_of_focus_whatever_the_light(scan: Pixels) -> None:
    sharp = beside(scan).edge_px
    assert sharp is not None
    for parts in (15, 30):
        soft = beside(fading(losing_focus(scan, parts), 30)).edge_px
        assert soft is not None
        # the steepest step of a blurred edge is its height over sigma times the root of 2 pi
        assert soft == pytest.approx(np.sqrt(2 * np.pi) * BLURRED_BY_PX * parts, rel=0.25)
        assert soft > 1.5 * sharp


def test_dirt_beside_the_part_is_a_streak_and_the_part_itself_is_none(scan: Pixels) -> None:
    usual, seen = beside(scan), beside(dirty(scan, 1))
    assert usual.streak is not None
    assert usual.streak < 1
    assert seen.streak == pytest.approx(SCATTERED, abs=1)


@pytest.mark.parametrize("left", [0, SENSOR_PX - 500])
def test_one_side_of_background_is_enough(scan: Pixels, left: int) -> None:
    moved = np.roll(scan, left + 64 - LEFT, axis=1)
    roi = Roi(left + 64, left + 64 + RIGHT - LEFT)
    seen = beside(moved, roi=roi)
    assert seen.lamp is not None
    assert not seen.covered


def test_a_reference_area_of_its_own_is_read_where_the_part_does_not_cover_it(scan: Pixels) -> None:
    image = scan.copy()
    image[:, 20:60] = 30
    assert beside(image, (20, 60)).lamp == 30
    covered = beside(image, (450, 500))
    assert covered.lamp is None
    assert covered.covered == (
        "the part in columns 400 to 785 covers drift.reference_px, 450 to 500, or comes nearer than 64"
    )
    assert covered.edge_px is not None
    assert covered.streak is not None
    beyond = beside(image, (1100, 1300))
    assert (beyond.lamp, beyond.covered) == (
        None, "drift.reference_px 1100 to 1300 reaches beyond the sensor's 1200 columns",
    )  # fmt: skip


def test_a_part_that_leaves_no_background_is_told() -> None:
    image = np.full((LINES, 500), 90, np.uint8)
    seen = beside(image, roi=Roi(40, 460))
    assert (seen.lamp, seen.streak) == (None, None)
    assert seen.covered == "the part in columns 40 to 460 leaves no background"


def test_a_bright_border_beside_the_part_is_not_taken_for_dirt(scan: Pixels) -> None:
    image = scan.copy()
    image[:, RIGHT : RIGHT + 40] = image[:, RIGHT : RIGHT + 40] + np.uint8(12)
    assert beside(image).streak == beside(scan).streak
