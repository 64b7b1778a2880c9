"""A part that is scored block by block while it turns gets, bit for bit, the scores of its whole image.

The whole image is resized at once, by OpenCV alone, and scored after the part; on every width, engine and precision.
"""

import cv2
import numpy as np
import pytest

from models.engines import BundleClassifier
from station.cell.judging import SurfaceJudge
from station.core.part import PartType, Pixels
from station.core.settings import CropSettings
from station.flow.patch import blocks_of
from tests.contract.engine_choices import EACH_CHOICE, start
from tests.scoring import scored
from tests.turned import GEOMETRY

SENSOR_PX = 5472
WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
SETTINGS = CropSettings(background_max=40, margin_px=4)


@pytest.fixture(scope="module", params=EACH_CHOICE)
def engine(request: pytest.FixtureRequest) -> BundleClassifier:
    return start(*request.param, threads=0)


def scan_of(width_px: int, left: int) -> Pixels:
    rng = np.random.default_rng([width_px, left])
    image = rng.integers(0, 12, (3584, SENSOR_PX), dtype=np.uint8)
    image[:, left : left + width_px] = rng.normal(150, 12, (3584, width_px)).clip(60, 255)
    return image


def strips_of_the_whole(image: Pixels, left: int, width_px: int) -> list[Pixels]:
    whole = cv2.resize(image[:, left : left + width_px], (512, 2048), interpolation=cv2.INTER_AREA)
    rows = np.split(np.asarray(whole, np.uint8), 8)
    return [np.stack(np.split(strip, 2, axis=1)) for strip in rows]


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_streamed_scores_are_those_of_the_whole_image(engine: BundleClassifier, width_px: int) -> None:
    left = 1237
    image = scan_of(width_px, left)
    part_type = PartType("housing", 1, width_px, 0, 0, 20.0, 320.0, 20.0, GEOMETRY)
    judge = SurfaceJudge(part_type, SETTINGS, engine)
    streamed = [judge.take(block).probabilities for block in blocks_of(image, GEOMETRY)]
    whole = [scored(engine, strip) for strip in strips_of_the_whole(image, left, width_px)]
    np.testing.assert_array_equal(np.stack(streamed), np.stack(whole))
