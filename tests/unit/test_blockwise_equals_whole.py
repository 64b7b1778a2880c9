"""A turning part, judged block by block, is judged bit for bit as its whole image at once.

Patches for every width and place; probabilities for every width on every engine and precision that the shipped bundle
offers; the decision of whole parts. What cannot run on this computer is skipped, with the reason that is reported.
"""

import cv2
import numpy as np
import pytest

from station.cell.judging import SurfaceJudge
from station.core.part import PartType, Pixels, Probabilities, ScanHealth, Scores
from station.core.ports import PatchClassifier
from station.core.settings import CropSettings, DecisionSettings
from station.flow.crop import crop_block, find_part
from station.flow.decide import decide
from station.flow.patch import StripRoom, blocks_of, make_strip
from tests.contract.engine_choices import EACH_CHOICE, start
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
    return PartType("housing", 1, width_px, 0, 0, 20.0, 320.0, 20.0)


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
    return np.concatenate([on.score(np.ascontiguousarray(patches[2 * strip : 2 * strip + 2])) for strip in strips])


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
    health, settings = ScanHealth(None, "", 5.0), DecisionSettings()
    one, other = decide(streamed, health, settings), decide(scores, health, settings)
    assert one.probabilities.tobytes() == other.probabilities.tobytes()
    assert (one.verdict, one.confidence, one.deciding_patch) == (other.verdict, other.confidence, other.deciding_patch)
