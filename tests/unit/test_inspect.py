"""`station inspect`: every judged image has a picture of its own."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from station.core.errors import ConfigError
from station.core.part import Pixels, Probabilities, ScanHealth, Scores
from station.core.recipe import Recipe
from station.flow.decide import decide
from station.offline.inspect import Inspected, PictureFolder, draw
from tests.cell.bench import ScriptedClassifier
from tests.housings import Verdict, rule
from tests.record_samples import PART_TYPE, decision, scores


class NotAsked(ScriptedClassifier):
    """A network that has nothing to say of good parts."""

    def score(self, images: Pixels) -> Probabilities:
        raise AssertionError(f"asked about {len(images)} images")


RECIPE = Recipe(PART_TYPE, NotAsked(), rule(), frozenset(), "0" * 64)


def inspected(file: str, verdict: Verdict = Verdict.DEFECT_FREE) -> Inspected:
    image = np.zeros((3584, 400), np.uint8)
    judged = replace(decision(verdict, None, scores(0)), algorithm1=verdict)
    return Inspected(Path(file), judged, None, scan_valid=True, image=image, recipe=RECIPE)


def test_images_of_the_same_name_have_pictures_of_their_own(tmp_path: Path) -> None:
    pictures = PictureFolder(tmp_path / "new")
    written = [pictures.save(inspected(file)) for file in ("x/a.png", "y/a.png", "y/a.tif", "y/b.png", "z/a~2.png")]
    assert [path.name for path in written] == [
        f"{stem}.defect_free.png" for stem in ("a", "a~2", "a~3", "b", "a~2~2")
    ]  # fmt: skip
    assert sorted((tmp_path / "new").iterdir()) == sorted(written)
    first, second = (cv2.imread(str(path)) for path in written[:2])
    assert (first != second).any()  # the folder's name stands above it


def test_a_patch_as_good_as_defective_is_called_what_the_decision_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(
        "station.offline.inspect.cv2.putText", lambda _sheet, text, *_how, **_more: written.append(text)
    )
    probabilities = np.tile(np.array([0.9, 0.1, 0, 0, 0], np.float32), (16, 1))
    probabilities[5] = 0.5, 0, 0.5, 0, 0
    judged = decide([Scores(n, probabilities[2 * n : 2 * n + 2]) for n in range(8)], ScanHealth(None, "", 0.0), rule())
    draw(replace(inspected("tie.png"), decision=judged))
    assert judged.verdict.name == "pits"
    assert [text for text in written if text.startswith(("6 ", "7 "))] == ["6  pits 0.500", "7  defect_free 0.900"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"--picture .*file"):
        PictureFolder(tmp_path / "file").save(inspected("a.png"))
