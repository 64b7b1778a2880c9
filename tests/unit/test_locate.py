"""Where the defects of a part lie, and how large they are: angles, lengths, order."""

import numpy as np
import pytest

from station.core.part import Decision, PartType, Pixels, Probabilities, Roi
from station.flow.locate import defective_strips, find_mark, locate
from tests.housings import GEOMETRY, OUTPUTS, Verdict, column

KIND = PartType("smh_570", 2, 512, 8, 6, 20.0, 320.0, 20.0, GEOMETRY)
ROI = Roi(100, 612)
"""As wide as a strip, so that a column of a patch is one of the sensor."""
MM_PER_PX = 0.01
MM_PER_LINE = np.pi * 20.0 / 3584


def patch(*marks: tuple[int, int, int, int, int], grey: int = 120) -> Pixels:
    """A patch with streaks along the turn, noise, and marks (top, left, height, width, grey)."""
    rng = np.random.default_rng(5)
    streaks = np.tile(rng.integers(-15, 15, 256), (256, 1))
    surface = grey + streaks + rng.normal(0, 1.5, (256, 256))
    for top, left, height, width, dark in marks:
        surface[top : top + height, left : left + width] = dark
    return np.clip(surface, 0, 255).astype(np.uint8)


def decided(**found: tuple[object, float]) -> Decision:
    """Of 16 patches those named `p0` to `p15` show a class with a probability."""
    rows: Probabilities = np.tile(np.array([0.96, 0.01, 0.01, 0.01, 0.01], np.float32), (16, 1))
    for name, (surface, probability) in found.items():
        rows[int(name[1:])] = (1 - probability) / 4
        rows[int(name[1:]), column(surface)] = probability  # type: ignore[arg-type]
    return Decision(Verdict.PITS, Verdict.PITS, None, "", 0.9, 0, len(found), rows)


def test_a_mark_is_found_where_it_stands_out_and_as_large_as_it_is() -> None:
    mark = find_mark(patch((100, 40, 20, 12, 30)))
    assert mark is not None
    assert mark.row == pytest.approx(110, abs=4)
    assert mark.column == pytest.approx(46, abs=4)
    assert mark.height == pytest.approx(20, abs=5)
    assert mark.width == pytest.approx(12, abs=5)


def test_of_streaks_alone_nothing_stands_out_and_a_uniform_patch_has_no_mark() -> None:
    assert find_mark(np.full((256, 256), 90, np.uint8)) is None
    assert find_mark(np.tile(np.arange(256, dtype=np.uint8), (256, 1))) is None


def test_places_and_sizes_are_those_on_the_part() -> None:
    decision = decided(p7=(Verdict.PITS, 0.9))  # strip 3, right half
    strips = {3: np.stack([patch(), patch((100, 40, 20, 12, 30))])}
    assert defective_strips(decision, OUTPUTS, GEOMETRY) == [3]
    (defect,) = locate(decision, OUTPUTS, KIND, ROI, MM_PER_PX, strips)
    line = 3 * 448 + 110 * 1.75
    assert (defect.surface, defect.patch) == ("pits", 7)
    assert defect.confidence == pytest.approx(0.9)
    assert defect.angle_deg == pytest.approx(360 * line / 3584, abs=1)
    assert defect.axial_mm == pytest.approx((256 + 46) * MM_PER_PX, abs=0.05)
    assert defect.along_mm == pytest.approx(20 * 1.75 * MM_PER_LINE, rel=0.25)
    assert defect.across_mm == pytest.approx(12 * MM_PER_PX, rel=0.45)


def test_without_the_cameras_scale_no_length_along_the_axis_is_told() -> None:
    (defect,) = locate(
        decided(p0=(Verdict.PITS, 0.9)), OUTPUTS, KIND, ROI, None, {0: np.stack([patch((9, 9, 9, 9, 9))] * 2)}
    )
    assert (defect.axial_mm, defect.across_mm) == (None, None)
    assert defect.along_mm is not None


def test_a_patch_in_which_nothing_stands_out_is_told_by_its_middle() -> None:
    flat = np.full((2, 256, 256), 90, np.uint8)
    (defect,) = locate(decided(p2=(Verdict.PITS, 0.9)), OUTPUTS, KIND, ROI, MM_PER_PX, {1: flat})
    assert defect.angle_deg == pytest.approx(360 * 1.5 / 8)
    assert defect.axial_mm == pytest.approx(1.28)
    assert (defect.along_mm, defect.across_mm) == (None, None)


def test_the_severest_comes_first_then_the_surest_then_the_lowest_patch() -> None:
    decision = decided(
        p1=(Verdict.ROLL_MARKS, 0.99),
        p4=(Verdict.SCRATCHES, 0.6),
        p9=(Verdict.SCRATCHES, 0.8),
        p12=(Verdict.PITS, 0.9),
        p3=(Verdict.PITS, 0.9),
    )
    found = locate(decision, OUTPUTS, KIND, ROI, MM_PER_PX, {})
    assert [(defect.surface, defect.patch) for defect in found] == [
        ("scratches", 9),
        ("scratches", 4),
        ("pits", 3),
        ("pits", 12),
        ("roll_marks", 1),
    ]


def test_a_good_part_has_no_defects() -> None:
    assert locate(decided(), OUTPUTS, KIND, ROI, MM_PER_PX, {}) == ()
    assert defective_strips(decided(), OUTPUTS, GEOMETRY) == []
