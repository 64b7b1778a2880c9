"""Likeness of finishes: nothing between a finish and itself, and what differs is what is told."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.surfaces.comparison import compare_with
from sim.surfaces.likeness import WINDOW_PX, compare, measure_finish, tile_windows, windows_of
from station.core.errors import RecordingError


def windows(blur_along: float, contrast: float, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(8):
        noise = cv2.GaussianBlur(rng.normal(size=(128, 96)).astype(np.float32), (0, 0), sigmaX=0.5, sigmaY=blur_along)
        made.append(np.clip(110 * (1 + contrast * noise / noise.std()), 0, 255).astype(np.uint8))
    return made


def test_a_finish_is_like_itself() -> None:
    finish = measure_finish(windows(8, 0.08))
    same = compare(finish, finish)
    assert (same.grey, same.along_db, same.across_db, same.anisotropy_db) == (0, 0, 0, 0)


def test_contrast_is_measured_and_told() -> None:
    faint, strong = measure_finish(windows(0.5, 0.05)), measure_finish(windows(0.5, 0.1))
    assert strong.contrast == pytest.approx(2 * faint.contrast, rel=0.15)
    assert compare(faint, strong).grey > 0.02
    assert compare(faint, strong).anisotropy_db < 1


def test_marks_along_the_lines_are_anisotropic() -> None:
    streaks, grain = measure_finish(windows(8, 0.08)), measure_finish(windows(0.5, 0.08))
    assert streaks.anisotropy_db > grain.anisotropy_db + 10
    assert compare(streaks, grain).along_db > 10


def test_windows_keep_away_from_borders() -> None:
    image = np.arange(400, dtype=np.int64)[:, None].repeat(300, axis=1) % 256
    found = windows_of(image.astype(np.uint8), border_px=24)
    assert len(found) == 2 * 2
    assert found[0][0, 0] == 24
    assert all(window.shape == WINDOW_PX for window in found)


def test_a_comparison_is_drawn_and_measured(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for number, window in enumerate(windows(8, 0.08)):
        cv2.imwrite(str(tmp_path / "real" / f"{number}.png"), np.tile(window, (2, 2)))
    likeness = compare_with(tmp_path / "real", tmp_path / "finish.png", parts=2, seed=1)
    assert likeness.grey < 0.05
    assert likeness.across_db < 12
    drawn = cv2.imread(str(tmp_path / "finish.png"))
    assert drawn.shape[1] == 1500
    assert (drawn != drawn[:, :, :1]).any()  # curves in two colours


@pytest.mark.parametrize("names", [[], ["notes.txt"]])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("no picture")
    with pytest.raises(RecordingError):
        tile_windows(tmp_path, 10)


def test_pictures_too_small_to_compare_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((60, 60), np.uint8))
    with pytest.raises(RecordingError):
        compare_with(tmp_path, tmp_path / "finish.png", parts=1, seed=1)
