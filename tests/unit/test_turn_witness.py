"""What the lines of a scan say of its turn: whether the part passed once, whole, and every line shows it."""

from collections.abc import Callable

import numpy as np
import pytest

from sim.surfaces.classes import SurfaceClass
from sim.surfaces.render import WIDTHS_PX, RenderedScan, render_part
from station.core.part import Pixels, Roi
from station.core.settings import TurnSettings
from station.flow.patch import blocks_of
from station.flow.turn.rows import Rows
from station.flow.turn.witness import TurnWitness
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from tests.turned import GEOMETRY, turned

Chance = np.random.Generator
LINES_PER_ROW = Rows.of(GEOMETRY).lines
LEAST = LINES_PER_TURN // 100 + 1
"""One percent of the turn, 36 lines: what must be found wherever it lies."""
DEFECTS = (SurfaceClass.IMPRINTED, SurfaceClass.PITS, SurfaceClass.ROLL_MARKS, SurfaceClass.SCRATCHES)


def housing(number: int, *defects: SurfaceClass) -> RenderedScan:
    return render_part(4_000 + number, WIDTHS_PX[number % len(WIDTHS_PX)], defects)


def doubt(scan: RenderedScan, image: Pixels, settings: TurnSettings | None = None) -> str | None:
    """The code of what speaks against the turn."""
    found = witness_of(image, scan.truth.roi, settings).doubt
    return found.code if found else None


def witness_of(image: Pixels, roi: Roi, settings: TurnSettings | None = None) -> TurnWitness:
    witness = TurnWitness(settings or TurnSettings(), GEOMETRY)
    for block in blocks_of(np.ascontiguousarray(image), GEOMETRY):
        witness.take(block, roi)
    return witness


def noisy(image: Pixels, sigma: float, chance: Chance) -> Pixels:
    """The picture with the noise of another exposure."""
    grain = chance.standard_normal(image.shape, np.float32) * np.float32(sigma)
    return np.asarray(np.clip(image + grain + 0.5, 0, 255), np.uint8)


def rolled(image: Pixels, chance: Chance) -> Pixels:
    """The same turn from another line on: a part lies in the chuck as it comes."""
    return np.roll(image, int(chance.integers(LINES_PER_TURN)), axis=0)


# ---- turns at fault, each with the code that it must have ----


def still(image: Pixels, _chance: Chance) -> Pixels:
    return np.repeat(image[1000:1001], LINES_PER_TURN, axis=0)


def frozen(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(1, LINES_PER_TURN - LEAST))
    seen = image.copy()
    seen[start : start + LEAST] = image[start]
    return seen


def frozen_tail(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(400, LINES_PER_TURN - LEAST))
    seen = image.copy()
    seen[start:] = image[start]
    return seen


def slipped(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(0, LINES_PER_TURN - LEAST))
    return np.concatenate([image[:start], np.repeat(image[start : start + 1], LEAST, axis=0), image[start:-LEAST]])


def block_again(image: Pixels, chance: Chance) -> Pixels:
    one, other = (int(number) * LINES_PER_BLOCK for number in chance.choice(BLOCKS_PER_TURN, 2, replace=False))
    seen = image.copy()
    seen[one : one + LINES_PER_BLOCK] = image[other : other + LINES_PER_BLOCK]
    return seen


def stretch_again(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(0, LINES_PER_TURN - 2 * LEAST))
    again = int(chance.integers(start + LEAST, LINES_PER_TURN - LEAST + 1))
    seen = image.copy()
    seen[again : again + LEAST] = image[start : start + LEAST]
    return seen


def half_twice(image: Pixels, chance: Chance) -> Pixels:
    half = rolled(image, chance)[: LINES_PER_TURN // 2]
    return np.concatenate([half, half])


def at_speed(image: Pixels, times: float, chance: Chance) -> Pixels:
    """The surface as it passes at another speed, between two lines by their distance."""
    place = np.arange(LINES_PER_TURN) * times
    line = np.floor(place).astype(int)
    share = (place - line).astype(np.float32)[:, np.newaxis]
    seen = rolled(image, chance).astype(np.float32)
    mixed = (1 - share) * seen[line % LINES_PER_TURN] + share * seen[(line + 1) % LINES_PER_TURN]
    return np.asarray(mixed + 0.5, np.uint8)


def half_speed(image: Pixels, chance: Chance) -> Pixels:
    return at_speed(image, 0.5, chance)


def double_speed(image: Pixels, chance: Chance) -> Pixels:
    return at_speed(image, 2.0, chance)


def tenth_of_speed(image: Pixels, chance: Chance) -> Pixels:
    return at_speed(image, 0.1, chance)


def too_slow_by_two_percent(image: Pixels, chance: Chance) -> Pixels:
    return at_speed(image, 0.98, chance)


def black(image: Pixels, chance: Chance) -> Pixels:
    count = int(chance.integers(1, 190))
    start = int(chance.integers(BLOCKS_PER_TURN)) * LINES_PER_BLOCK + int(chance.integers(LINES_PER_BLOCK - count))
    seen = image.copy()
    seen[start : start + count] = 0
    return seen


def filled(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(1, LINES_PER_TURN - 9))
    seen = image.copy()
    seen[start : start + 8] = 255 - int(image.mean())
    return seen


def garbage(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(1, LINES_PER_TURN - 9))
    seen = image.copy()
    seen[start : start + 8] = chance.integers(0, 256, (8, image.shape[1]))
    return seen


def doubled(image: Pixels, chance: Chance) -> Pixels:
    start = int(chance.integers(0, LINES_PER_TURN - 2 * LEAST))
    seen = image.copy()
    seen[start : start + 2 * LEAST] = np.repeat(image[start : start + LEAST], 2, axis=0)
    return seen


def copied_here_and_there(image: Pixels, chance: Chance) -> Pixels:
    lines = chance.choice(np.arange(1, LINES_PER_TURN), LEAST, replace=False)
    seen = image.copy()
    seen[lines] = seen[lines - 1]
    return seen


INVALID: dict[Callable[[Pixels, Chance], Pixels], set[str]] = {
    still: {"scan.not_turned"},
    frozen: {"scan.not_turned"},
    frozen_tail: {"scan.not_turned"},
    slipped: {"scan.not_turned"},
    block_again: {"scan.repeated"},
    stretch_again: {"scan.repeated"},
    half_twice: {"scan.repeated"},
    double_speed: {"scan.repeated"},
    half_speed: {"scan.not_closed"},
    tenth_of_speed: {"scan.not_closed"},
    too_slow_by_two_percent: {"scan.not_closed"},
    black: {"scan.incomplete"},
    doubled: {"scan.incomplete"},
    copied_here_and_there: {"scan.incomplete"},
}
"""Every kind, and the codes that it may have."""
WITHOUT_NOISE = {filled: {"scan.incomplete"}, garbage: {"scan.incomplete"}}
"""Short stretches that are told from a surface by what they are, not by what they lack."""


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("kind", INVALID, ids=lambda kind: kind.__name__)
def test_a_turn_at_fault_is_found_at_any_width_under_noise(
    kind: Callable[[Pixels, Chance], Pixels], number: int
) -> None:
    scan, chance = housing(number), np.random.default_rng([7, number])
    sigma = (0.0, 0.8, 1.6, 2.4, 3.2, 4.0)[number]
    seen = noisy(kind(scan.image, chance), sigma, chance)
    codes = INVALID[kind] | ({"scan.incomplete"} if sigma == 0 and "not_closed" in str(INVALID[kind]) else set())
    assert doubt(scan, seen) in codes


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("kind", WITHOUT_NOISE, ids=lambda kind: kind.__name__)
def test_lines_that_are_no_picture_are_found(kind: Callable[[Pixels, Chance], Pixels], number: int) -> None:
    scan, chance = housing(number), np.random.default_rng([8, number])
    assert doubt(scan, kind(scan.image, chance)) in WITHOUT_NOISE[kind]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", INVALID, ids=lambda kind: kind.__name__)
def test_of_three_hundred_turns_of_a_kind_none_passes(kind: Callable[[Pixels, Chance], Pixels]) -> None:
    chance = np.random.default_rng(9)
    passed = []
    for number in range(300):
        scan = housing(1000 + number, *DEFECTS[: number % 2])
        sigma = float(chance.uniform(0, 4))
        if doubt(scan, noisy(kind(scan.image, chance), sigma, chance)) is None:
            passed.append((number, scan.truth.roi.width, round(sigma, 2)))
    assert passed == []


# ---- turns that are whole ----


@pytest.mark.parametrize("number", range(12))
def test_a_whole_turn_is_believed_whatever_is_on_the_part(number: int) -> None:
    scan, chance = housing(number, *DEFECTS[: number % 4]), np.random.default_rng([10, number])
    sigma = (0.0, 2.0, 6.0)[number % 3]
    assert doubt(scan, noisy(rolled(scan.image, chance), sigma, chance)) is None


@pytest.mark.parametrize("lines", [1, 3, 9, 20, 27])
def test_a_turn_that_is_a_little_too_long_is_believed(lines: int) -> None:
    image = np.zeros((LINES_PER_TURN, 500), np.uint8)
    image[:, 50:450] = turned(lines, 400, 120)
    too_fast = at_speed(image, 1 + lines / LINES_PER_TURN, np.random.default_rng(lines))
    assert witness_of(noisy(too_fast, 1, np.random.default_rng(1)), Roi(50, 450)).doubt is None


def test_a_turn_that_is_too_long_by_more_than_a_percent_is_not() -> None:
    scan = housing(2)
    code = doubt(scan, at_speed(scan.image, 1 + 80 / LINES_PER_TURN, np.random.default_rng(80)))
    assert code in {"scan.repeated", "scan.not_closed"}


@pytest.mark.parametrize("pixels", [-2, 1])
def test_a_part_that_has_moved_sideways_by_a_pixel_or_two_still_closes(pixels: int) -> None:
    scan = housing(3)
    image = scan.image.copy()
    image[LINES_PER_TURN // 2 :] = np.roll(image[LINES_PER_TURN // 2 :], pixels, axis=1)
    assert doubt(scan, image) is None


def test_noise_that_hides_the_seam_is_no_fault() -> None:
    scan, chance = housing(0), np.random.default_rng(11)
    assert doubt(scan, noisy(scan.image, 25, chance)) is None


# ---- what may be left out, and what may not ----


def test_a_scan_that_holds_no_whole_turn_need_not_close_and_all_else_is_looked_at() -> None:
    scan, chance = housing(1), np.random.default_rng(12)
    open_turns = TurnSettings().of_open_turns()
    assert doubt(scan, half_speed(scan.image, chance), open_turns) is None
    assert doubt(scan, block_again(scan.image, chance), open_turns) == "scan.repeated"
    assert doubt(scan, still(scan.image, chance), open_turns) is not None


def test_of_a_scan_from_pictures_only_lines_that_show_no_surface_are_told() -> None:
    scan, chance = housing(1), np.random.default_rng(12)
    composed = TurnSettings().of_composed_scans()
    assert doubt(scan, black(scan.image, chance), composed) == "scan.incomplete"
    assert doubt(scan, block_again(scan.image, chance), composed) is None
    copied = np.repeat(scan.image[::2], 2, axis=0)
    assert doubt(scan, copied, TurnSettings(proofs=[])) == "scan.incomplete"
    assert doubt(scan, copied, composed) is None


def test_missing_lines_are_told_whatever_is_to_be_proven() -> None:
    scan, chance = housing(1), np.random.default_rng(13)
    nothing = TurnSettings(proofs=[])
    assert doubt(scan, black(scan.image, chance), nothing) == "scan.incomplete"
    assert doubt(scan, frozen_tail(noisy(scan.image, 1, chance), chance), nothing) == "scan.incomplete"
    assert doubt(scan, noisy(still(scan.image, chance), 2, chance), nothing) is None


# ---- what is said ----


def test_the_missing_lines_are_named() -> None:
    scan = housing(0)
    image = scan.image.copy()
    image[2 * LINES_PER_BLOCK + 10 : 2 * LINES_PER_BLOCK + 20] = 0
    image[5 * LINES_PER_BLOCK + 7] = 0
    found = witness_of(image, scan.truth.roi).doubt
    assert found is not None
    assert found.detail == (
        "block 2: lines 10 to 19 are as dark as the background; block 5: line 7 is as dark as the background"
    )


def test_a_first_block_that_is_mostly_black_has_missing_lines_and_is_no_empty_jig() -> None:
    image = np.zeros((LINES_PER_TURN, 500), np.uint8)
    image[:, 50:450] = turned(3, 400, 120)
    image[100:400] = 0
    witness = TurnWitness(TurnSettings(), GEOMETRY)
    witness.take_unseen(blocks_of(image, GEOMETRY)[0])
    assert witness.doubt is not None
    assert (witness.doubt.code, witness.doubt.detail) == (
        "scan.incomplete", "block 0: lines 100 to 399 are as dark as the background",
    )  # fmt: skip


def test_an_empty_jig_has_no_missing_lines() -> None:
    witness = TurnWitness(TurnSettings(), GEOMETRY)
    dark = np.random.default_rng(1).integers(2, 9, (LINES_PER_TURN, 500), np.uint8)
    witness.take_unseen(blocks_of(dark, GEOMETRY)[0])
    assert witness.doubt is None


def test_the_repeated_lines_are_named() -> None:
    scan = housing(1)
    image = scan.image.copy()
    image[4 * LINES_PER_BLOCK : 5 * LINES_PER_BLOCK] = image[:LINES_PER_BLOCK]
    found = witness_of(image, scan.truth.roi).doubt
    assert found is not None
    later, earlier = _named(found.detail)
    assert later - earlier == 4 * LINES_PER_BLOCK


@pytest.mark.parametrize("start", [700, 1500, 2300, 3200])
def test_the_line_is_named_from_which_on_the_picture_stands_still(start: int) -> None:
    scan, chance = housing(0), np.random.default_rng(start)
    image = scan.image.copy()
    image[start : start + 200] = image[start]
    found = witness_of(noisy(image, 1, chance), scan.truth.roi).doubt
    assert found is not None
    assert found.code == "scan.not_turned"
    assert abs(int(found.detail.split()[2]) - start) <= 2 * LINES_PER_ROW, found.detail


def _named(detail: str) -> tuple[int, int]:
    """First lines of the two stretches that a detail names."""
    words = detail.split()
    return int(words[1]), int(words[6])


@pytest.mark.parametrize("width", [64, 65, 100])
def test_narrow_parts_are_looked_at_too(width: int) -> None:
    image = np.zeros((LINES_PER_TURN, width + 40), np.uint8)
    image[:, 20:-20] = turned(5, width, 120)
    roi = Roi(20, 20 + width)
    assert witness_of(image, roi).doubt is None
    frozen_half = image.copy()
    frozen_half[1792:] = image[1792]
    found = witness_of(frozen_half, roi).doubt
    assert found is not None
    assert found.code == "scan.not_turned"
