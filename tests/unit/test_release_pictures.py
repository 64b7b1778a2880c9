"""The patches of an export are drawn from a recording, mixed, and not too few."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.folders import FolderPlan, make_from_folders
from models.dataset.named import KnownScan, read_image
from models.dataset.patches import cut
from models.dataset.store import DataSet
from models.evaluation.measuring.images import picture_figures
from models.meaning import meaning_of, own_table
from models.release.golden import GoldenParts, GoldenPictures, read_golden
from models.release.new_folder import new_folder
from models.release.parity import compare
from models.release.pictures import Draw, draw_mixed, read_pictures
from models.release.without_masks import WithoutMasks
from station.core.errors import ConfigError, ModelError, PartError, RecordingError
from station.core.geometry import Geometry
from station.core.part import Pixels
from tests.unit.grey_recordings import as_they_are, forget_masks, make_recording, relabel
from tests.unit.housings import GEOMETRY, MEANING, S

WITHOUT_MASKS = WithoutMasks(
    cutter_of=lambda geometry: lambda image, _scan: np.ascontiguousarray(cut(image, 0, 64, geometry), np.uint8)
)


def test_half_of_the_calibration_is_defect_free_and_no_patch_is_taken_twice() -> None:
    labels = np.repeat([0, 1, 2, 3, 4, -1], 100)
    chosen = draw_mixed(labels, 80, MEANING, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [40, 10, 10, 10, 10]
    assert len(set(chosen.tolist())) == 80


def test_a_class_with_few_patches_gives_all_it_has() -> None:
    labels = np.array([0] * 100 + [1] * 3)
    chosen = draw_mixed(labels, 80, MEANING, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [40, 3]


def test_a_recording_gives_both_kinds_of_patches_and_the_same_ones_again(tmp_path: Path) -> None:
    folder = make_recording(tmp_path / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    first, again = (read_pictures(folder, Draw(72, 80, 1), MEANING, GEOMETRY) for _ in range(2))
    assert first.calibration.shape[1:] == (256, 256)
    assert len(first.calibration) == 36 + 2
    assert np.array_equal(first.calibration, again.calibration)
    assert set(first.labels.tolist()) == {0, 2}
    assert len(first.validation) == len(first.labels) == 5 * 16
    assert first.source == "parts"


def test_too_few_patches_are_refused(tmp_path: Path) -> None:
    one = make_recording(tmp_path / "one", as_they_are(S.DEFECT_FREE))
    with pytest.raises(ModelError) as caught:
        read_pictures(one, Draw(400, 400, 1), MEANING, GEOMETRY)
    assert caught.value.code == "model.export_failed"


def test_golden_parts_are_those_of_all_recordings_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    first = make_recording(tmp_path / "first", as_they_are(S.DEFECT_FREE, S.PITS))
    second = make_recording(tmp_path / "second", as_they_are(S.SCRATCHES))
    golden = read_golden([first, second], None, MEANING, GEOMETRY)
    assert isinstance(golden, GoldenParts)
    assert [scan.surface.name for scan in golden.scans] == [S.DEFECT_FREE, S.PITS, S.SCRATCHES]
    assert golden.source == "first, second"
    with pytest.raises(RecordingError, match="empty"):
        read_golden([first, make_recording(tmp_path / "empty", [])], None, MEANING, GEOMETRY)


def test_a_folder_is_there_whole_or_not_at_all_and_never_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "bundle"
    with pytest.raises(ModelError, match="nothing was left") as failed, new_folder(place) as staged:
        shutil.copyfile(tmp_path / "nowhere", staged / "file")
    assert failed.value.code == "config.file_failed"
    assert list(tmp_path.iterdir()) == []
    with new_folder(place) as staged:
        (staged / "file").write_text("whole")
        assert not place.exists()
    assert (place / "file").read_text() == "whole"
    with pytest.raises(ModelError) as caught, new_folder(place):
        pytest.fail("something lies there")
    assert caught.value.code == "model.exists"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


NINE = ("bend", "chip", "crack", "dent", "good", "hole", "rust", "scratch", "stain")


def test_half_is_of_what_passes_wherever_its_column_is() -> None:
    meaning = meaning_of(NINE, own_table(NINE, "good"), "nine")
    labels = np.repeat(np.arange(9), 100)
    chosen = draw_mixed(labels, 160, meaning, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [10, 10, 10, 10, 80, 10, 10, 10, 10]


def class_folders(folder: Path, side: int) -> DataSet:
    for number, name in enumerate(("chip", "good")):
        (folder / "pictures" / name).mkdir(parents=True)
        for one in range(6):
            pixels = np.random.default_rng([number, one]).integers(0, 256, (side, side), np.uint8)
            cv2.imwrite(str(folder / "pictures" / name / f"{one}.png"), pixels)
    plan = FolderPlan("tiles", folder / "pictures", (34, 33, 33), passing="good")
    return make_from_folders(folder / "data", plan)


def test_the_test_pictures_of_a_data_set_are_golden_each_by_itself(tmp_path: Path) -> None:
    data = class_folders(tmp_path, 32)
    names = ("chip", "good")
    meaning, geometry = meaning_of(names, own_table(names, "good"), "two"), Geometry(256, 64, 32, 2)
    golden = read_golden([data.folder], "tiles", meaning, geometry)
    assert isinstance(golden, GoldenPictures)
    assert golden.images.shape == (4, 32, 32)
    assert sorted(golden.labels.tolist()) == [0, 0, 1, 1]
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.45, 0.55]], np.float32)
    figures = picture_figures(np.array([0, 0, 1, 1]), answers, meaning, 0.6, "tiles")
    assert (figures.kind, figures.parts, figures.defective_parts) == ("pictures", 4, 2)
    assert (figures.escapes, figures.overkills, figures.wrong_class, figures.reviews) == (1, 1, 0, 1)
    changed = compare([answers[:1], answers[1:2]], [answers[1:2], answers[1:2]], meaning.outputs,
                      ("openvino", "f32"), ("pictures", "tiles"))  # fmt: skip
    assert (changed.kind, changed.parts, changed.changed_parts, changed.changed_patches) == ("pictures", 2, 1, 1)


def test_golden_pictures_of_another_size_or_other_classes_are_refused(tmp_path: Path) -> None:
    data = class_folders(tmp_path, 32)
    names = ("chip", "good")
    meaning = meaning_of(names, own_table(names, "good"), "two")
    with pytest.raises(ModelError, match=r"images are \(32, 32\), the network takes patches of 64x64"):
        read_golden([data.folder], None, meaning, Geometry(256, 64, 64, 2))
    other = meaning_of(names[::-1], own_table(names, "good"), "two")
    with pytest.raises(ModelError, match="classes are chip, good, the network's are good, chip"):
        read_golden([data.folder], None, other, Geometry(256, 64, 32, 2))
    with pytest.raises(ConfigError, match="cannot be counted together"):
        read_golden([data.folder, tmp_path], None, meaning, Geometry(256, 64, 32, 2))


def test_parts_without_masks_give_patches_to_calibrate_with_and_none_to_fit_a_temperature_on(tmp_path: Path) -> None:
    parts = [(S.DEFECT_FREE, 60 + number) for number in range(4)] + [(S.PITS, 140), (S.PITS, 141)]
    folder = forget_masks(make_recording(tmp_path / "parts", parts))
    drawn = read_pictures(folder, Draw(72, 80, 1), MEANING, GEOMETRY, WITHOUT_MASKS)
    assert (drawn.calibration.max(axis=(1, 2)) >= 140).sum() == 9
    assert (drawn.calibration.max(axis=(1, 2)) < 70).sum() == 36
    assert (len(drawn.validation), len(drawn.labels)) == (0, 0)
    with pytest.raises(ConfigError, match="no truth names the part's columns"):
        read_pictures(folder, Draw(72, 80, 1), MEANING, GEOMETRY)


def test_golden_parts_without_masks_are_cut_as_the_station_finds_them(tmp_path: Path) -> None:
    folder = forget_masks(make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE, S.PITS)))
    golden = read_golden([folder], None, MEANING, GEOMETRY, WITHOUT_MASKS)
    assert isinstance(golden, GoldenParts)
    assert [scan.surface.name for scan in golden.scans] == [S.DEFECT_FREE, S.PITS]
    assert golden.cutter(read_image(golden.scans[1]), golden.scans[1]).shape == (16, 256, 256)
    refusing = WithoutMasks(cutter_of=lambda _geometry: refuse)
    refused = read_golden([folder], None, MEANING, GEOMETRY, refusing)
    assert isinstance(refused, GoldenParts)
    with pytest.raises(ModelError, match=r"P0\.png: the station refuses the scan of P0: .*nothing is seen"):
        refused.cutter(read_image(refused.scans[0]), refused.scans[0])
    with pytest.raises(RecordingError, match="P1: it is labelled cannot_be_judged"):
        read_golden([relabel(folder, {"P1": "cannot_be_judged"})], None, MEANING, GEOMETRY, WITHOUT_MASKS)


def refuse(_image: Pixels, _scan: KnownScan) -> Pixels:
    """A station that sees nothing."""
    raise PartError("part.too_dark", "nothing is seen")
