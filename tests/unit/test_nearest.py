"""Beside a judged part stand the patches of the training that it is most like."""

from pathlib import Path

import numpy as np

from models.engines import make_engine
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.settings import ModelSettings
from station.offline.nearest import ACROSS_PX, SHOWN, SIDE_PX, nearest_known, with_neighbours
from tests.cell.bench import ScriptedClassifier
from tests.knowing import make_knowing_bundle
from tests.turned import turned

GREYS = {"good": 140, "dark": 80}
SMALL = Geometry(256, 64, 64, 2)


def patches(count: int, grey: int, seed: int = 1) -> Pixels:
    return np.stack([turned(seed + number, 64, grey, lines=64) for number in range(count)])


def test_the_nearest_patches_of_the_training_look_like_the_one_that_is_judged(tmp_path: Path) -> None:
    trained = np.concatenate([patches(110, grey) for grey in GREYS.values()])
    bundle = make_knowing_bundle(tmp_path / "two-1", GREYS, "good", trained, SMALL)
    network = make_engine(bundle, ModelSettings(bundle="two-1", precision="int8"))
    strip = np.stack([patches(1, grey, 900)[0] for grey in GREYS.values()])
    for column, grey in enumerate(GREYS.values()):
        found = nearest_known(network, strip, column)
        assert len(found) == SHOWN
        assert all(abs(float(one.picture.mean()) - grey) < 10 for one in found)
    sheet = with_neighbours(np.zeros((200, 300, 3), np.uint8), found, patch=5)
    assert sheet.shape == (sheet.shape[0], 300 + ACROSS_PX, 3)
    assert not sheet[:200, :300].any()
    shown = sheet[48 : 48 + SIDE_PX, 308 : 308 + SIDE_PX, 0]
    assert abs(float(shown.mean()) - 80) < 10


def test_a_network_that_does_not_tell_is_not_asked() -> None:
    silent = ScriptedClassifier()
    silent.failure = AssertionError("asked")
    sheet = np.zeros((20, 30, 3), np.uint8)
    assert nearest_known(silent, np.zeros((2, 64, 64), np.uint8), 0) == ()
    assert with_neighbours(sheet, (), 0) is sheet
