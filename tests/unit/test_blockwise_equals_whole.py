"""A turning part, judged block by block, is judged bit for bit as its whole image at once.

Patches for every width and place; probabilities for every width on every engine and precision that the shipped bundle
offers; the decision of whole parts. What cannot run on this computer is skipped, with the reason that is reported.
"""

import contextlib

import cv2
import numpy as np
import pytest

from station.cell.judging import SurfaceJudge
from station.core.geometry import Geometry
from station.core.part import Crop, PartType, Pixels, Probabilities, Roi, ScanHealth, Scores
from station.core.ports.network import PatchClassifier
from station.core.settings import CropSettings
from station.flow.crop import crop_block, find_part
from station.flow.decide import decide
from station.flow.patch import StripRoom, blocks_of, make_strip
from tests.contract.engine_choices import EACH_CHOICE, start
from tests.housings import rule
from tests.scoring import scored
from tests.turned import GEOMETRY

SENSOR_PX = 5472
WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
SETTINGS = CropSettings(background_max=40, margin_px=4)


SOME_BLOCKS = (0, 3, 7)


@pytest.fixture(scope="module", params=EACH_CHOICE)
def classifier(request: pytest.FixtureRequest) -> PatchClassifier:
    engine, precision = request.param
    return start(engine, precision, threads=2)


def scan_of(width_px: int, left: int) -> Pixels:
    rng = np.random.default_rng([width_px, left])
    image = rng.integers(0, 12, (3584, SENSOR_PX), dtype=np.uint8)
    image[:, left : left + width_px] = rng.integers(60, 256, (3584, width_px), dtype=np.uint8)
    return image


def type_of(width_px: int) -> PartType:
    return PartType("housing", 1, width_px, 0, 0, 20.0, 320.0, 20.0, GEOMETRY)


def whole_patches(image: Pixels, left: int, width_px: int) -> Pixels:
    """The 16 patches of the whole crop, resized at once and then cut."""
    whole = cv2.resize(image[:, left : left + width_px], (512, 2048), interpolation=cv2.INTER_AREA)
    return np.stack(
        [whole[row : row + 256, column : column + 256] for row in range(0, 2048, 256) for column in (0, 256)]
    )


def judged_whole(
    image: Pixels, left: int, width_px: int, strips: tuple[int, ...], on: PatchClassifier
) -> Probabilities:
    """The probabilities of some strips of the whole image, one strip a batch."""
    patches = whole_patches(image, left, width_px)
    return np.concatenate([scored(on, np.ascontiguousarray(patches[2 * strip : 2 * strip + 2])) for strip in strips])


@pytest.mark.parametrize("where", ["at the left margin", "odd column", "in the middle", "at the right margin"])
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_blockwise_patches_are_the_whole_images_patches(width_px: int, where: str) -> None:
    free = SENSOR_PX - width_px
    left = {"at the left margin": 4, "odd column": 1237, "in the middle": free // 2, "at the right margin": free - 4}[
        where
    ]
    image = scan_of(width_px, left)
    part_type = type_of(width_px)
    blocks = blocks_of(image, GEOMETRY)
    roi = find_part(blocks[0].pixels, SETTINGS)
    assert (roi.left, roi.right) == (left, left + width_px)
    strips = [make_strip(crop_block(block, roi, part_type, SETTINGS), StripRoom(GEOMETRY)).patches for block in blocks]
    np.testing.assert_array_equal(np.concatenate(strips), whole_patches(image, left, width_px))


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_blockwise_probabilities_are_the_whole_images_on_every_engine(
    width_px: int, classifier: PatchClassifier
) -> None:
    left = 1237
    image = scan_of(width_px, left)
    judge = SurfaceJudge(type_of(width_px), SETTINGS, classifier)
    streamed = [judge.take(block).probabilities for block in blocks_of(image, GEOMETRY) if block.index in SOME_BLOCKS]
    whole = judged_whole(image, left, width_px, SOME_BLOCKS, classifier)
    assert np.concatenate(streamed).tobytes() == whole.tobytes()


def test_the_decision_of_a_streamed_part_is_the_whole_images(classifier: PatchClassifier) -> None:
    width_px, left = 935, 1237
    image = scan_of(width_px, left)
    judge = SurfaceJudge(type_of(width_px), SETTINGS, classifier)
    streamed = [judge.take(block) for block in blocks_of(image, GEOMETRY)]
    whole = judged_whole(image, left, width_px, tuple(range(8)), classifier)
    scores = [Scores(strip, whole[2 * strip : 2 * strip + 2]) for strip in range(8)]
    health, by = ScanHealth(None, "", 5.0), rule()
    one, other = decide(streamed, health, by), decide(scores, health, by)
    assert one.probabilities.tobytes() == other.probabilities.tobytes()
    assert (one.verdict, one.confidence, one.deciding_patch) == (other.verdict, other.confidence, other.deciding_patch)


# ---------------------------------------------------------------------- any geometry

LARGEST_SCAN = 40_000_000


def random_geometries(seed: int, count: int) -> list[tuple[Geometry, tuple[int, ...]]]:
    """Allowed geometries, and widths of parts below, at and above that of their strip."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Geometry, tuple[int, ...]]] = []
    while len(found) < count:
        patch = int(rng.choice([rng.integers(16, 641), 2 ** rng.integers(4, 10), 224, 299]))
        odd = patch // (patch & -patch)
        block = odd * int(rng.integers(patch // odd, 12 * patch // odd + 1))
        blocks, patches = int(rng.integers(1, 17)), int(rng.integers(1, 5))
        try:
            geometry = Geometry(block * blocks, block, patch, patches)
        except ValueError:
            continue
        wide = patches * patch
        widths = (wide // int(rng.integers(2, 10)), wide - 1, wide, wide + int(rng.integers(1, 2 * wide + 1)))
        if geometry.lines_per_turn * widths[-1] <= LARGEST_SCAN:
            found.append((geometry, widths))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_of_every_geometry_the_blocks_are_the_whole_bit_for_bit(seed: int) -> None:
    for geometry, widths in random_geometries(seed, 4):
        room, (rows, wide) = StripRoom(geometry), geometry.strip_shape
        for width in widths:
            image = np.random.default_rng([seed, width]).integers(0, 256, (geometry.lines_per_turn, width), np.uint8)
            whole = cv2.resize(image, (wide, geometry.blocks_per_turn * rows), interpolation=cv2.INTER_AREA)
            strips = [
                np.hstack(list(make_strip(Crop(block.index, Roi(0, width), block.pixels), room).patches))
                for block in blocks_of(image, geometry)
            ]
            assert np.array_equal(np.vstack(strips), whole), (str(geometry), width)


@pytest.mark.parametrize("seed", range(4))
def test_every_block_of_an_allowed_geometry_is_stretched_by_the_same_weights(seed: int) -> None:
    """Of parts narrower than the strip each row mixes two lines; by OpenCV's own arithmetic, without pixels."""
    rng, looked_at = np.random.default_rng(seed), 0
    while looked_at < 300:
        patch = int(rng.choice([rng.integers(16, 2049), 2 ** rng.integers(4, 12)]))
        odd = patch // (patch & -patch)
        block = odd * int(rng.integers(patch // odd, 65536 // odd + 1))
        with contextlib.suppress(ValueError):
            blocks = Geometry(block * 64, block, patch, 1).blocks_per_turn
            reciprocal = patch / block
            row = np.arange(blocks * patch, dtype=np.float64)
            line = np.floor(row * (1 / reciprocal))
            share = ((row + 1) - (line + 1) * reciprocal).astype(np.float32)
            share = np.where(share <= 0, np.float32(0), share - np.floor(share))
            lines = line.reshape(blocks, patch) - block * np.arange(blocks)[:, np.newaxis]
            weights = np.rint(share * np.float32(2048)).reshape(blocks, patch)
            assert (lines == lines[0]).all(), (block, patch)
            assert (weights == weights[0]).all(), (block, patch)
            looked_at += 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((3584, 448, 0, 2), "counted from 1"),
        ((3584, 448, 256, 0), "counted from 1"),
        ((-448, 448, 256, 2), "counted from 1"),
        ((3584, 450, 256, 2), "3584 lines a turn are no whole number of blocks of 450 lines"),
        ((448 * 65, 448, 256, 1), "more than 64 blocks or 256 patches"),
        ((448 * 64, 448, 256, 5), "more than 64 blocks or 256 patches"),
        ((2032, 254, 256, 2), "at least 256 lines"),
        ((3600, 450, 224, 2), "a multiple of 7"),
        ((7562, 3781, 512, 2), "take a few lines more or less"),
        ((3255, 651, 224, 3), "take a few lines more or less"),
        ((25088, 12544, 256, 2), "take a few lines more or less"),
    ],
)
def test_a_geometry_that_cannot_be_judged_block_by_block_is_refused_in_words(
    numbers: tuple[int, int, int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Geometry(*numbers)


def test_what_is_refused_for_its_arithmetic_would_differ() -> None:
    image = np.random.default_rng(1).integers(0, 256, (7562, 37), np.uint8)
    whole = cv2.resize(image, (1024, 1024), interpolation=cv2.INTER_AREA)
    halves = [cv2.resize(half, (1024, 512), interpolation=cv2.INTER_AREA) for half in np.split(image, 2)]
    assert np.flatnonzero((np.vstack(halves) != whole).any(axis=1)).tolist() == [512]
