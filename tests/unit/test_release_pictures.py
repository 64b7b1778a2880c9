"""The patches of an export are drawn from a recording, mixed, and not too few."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.release.durable import new_folder
from models.release.golden import read_golden
from models.release.pictures import draw_mixed, read_pictures
from station.core.classes import SurfaceClass as S
from station.core.errors import ModelError, RecordingError
from tests.unit.grey_bundles import as_they_are, make_recording


def test_half_of_the_calibration_is_defect_free_and_no_patch_is_taken_twice() -> None:
    labels = np.repeat([0, 1, 2, 3, 4, -1], 100)
    chosen = draw_mixed(labels, 80, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [40, 10, 10, 10, 10]
    assert len(set(chosen.tolist())) == 80


def test_a_class_with_few_patches_gives_all_it_has() -> None:
    labels = np.array([0] * 100 + [1] * 3)
    chosen = draw_mixed(labels, 80, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [40, 3]


def test_a_recording_gives_both_kinds_of_patches_and_the_same_ones_again(tmp_path: Path) -> None:
    folder = make_recording(tmp_path / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    first, again = (read_pictures(folder, 72, 80, 1) for _ in range(2))
    assert first.calibration.shape[1:] == (256, 256)
    assert len(first.calibration) == 36 + 2
    assert np.array_equal(first.calibration, again.calibration)
    assert set(first.labels.tolist()) == {0, 2}
    assert len(first.validation) == len(first.labels) == 5 * 16
    assert first.source == "parts"


def test_too_few_patches_are_refused(tmp_path: Path) -> None:
    one = make_recording(tmp_path / "one", as_they_are(S.DEFECT_FREE))
    with pytest.raises(ModelError) as caught:
        read_pictures(one, 400, 400, 1)
    assert caught.value.code == "model.export_failed"


def test_golden_parts_are_those_of_all_recordings_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    first = make_recording(tmp_path / "first", as_they_are(S.DEFECT_FREE, S.PITS))
    second = make_recording(tmp_path / "second", as_they_are(S.SCRATCHES))
    golden = read_golden([first, second], None)
    assert [scan.surface for scan in golden.scans] == [S.DEFECT_FREE, S.PITS, S.SCRATCHES]
    assert golden.source == "first, second"
    with pytest.raises(RecordingError, match="empty"):
        read_golden([first, make_recording(tmp_path / "empty", [])], None)


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
