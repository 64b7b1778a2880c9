"""A blended defect is as dark as it was, lies where it is said to, and changes nothing around it."""

import numpy as np
import pytest

from models.errors import DatasetError
from models.synthesis.blending import CutOut, blend
from models.synthesis.standing_out import MARGIN_PX, GoodSurface

SIDE = 96
GROUND, NEW_GROUND, DARKER = 150, 120, 90


def metal(grey: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2, (SIDE, SIDE))
    return np.clip(grey + noise, 0, 255).astype(np.uint8)


def pit(rows: slice = slice(40, 52), columns: slice = slice(30, 50)) -> CutOut:
    patch = metal(GROUND, 1)
    patch[rows, columns] -= DARKER
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[max(0, rows.start - 4) : rows.stop + 4, max(0, columns.start - 4) : columns.stop + 4] = True
    return CutOut(patch, mask)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (7, -11), (-3, 20), (38, 40)])
def test_it_is_as_much_darker_as_it_was_where_it_was_moved_to(rows: int, columns: int) -> None:
    image, mask = blend(pit(), metal(NEW_GROUND, 2), rows, columns)
    within = image[42 + rows : 50 + rows, 32 + columns : 48 + columns]
    assert abs(float(within.mean()) - (NEW_GROUND - DARKER)) < 6
    assert mask.sum() == pit().mask.sum()
    assert mask[45 + rows, 40 + columns]


def test_what_lies_around_it_is_untouched() -> None:
    good = metal(NEW_GROUND, 2)
    image, mask = blend(pit(), good, 5, 5)
    assert np.array_equal(image[~mask], good[~mask])


def test_every_call_blends_the_same() -> None:
    defect, good = pit(), metal(NEW_GROUND, 2)
    first, second, third = (blend(defect, good)[0] for _ in range(3))
    assert np.array_equal(first, second)
    assert np.array_equal(second, third)
    assert np.array_equal(defect.mask, pit().mask)


def test_on_a_border_it_stays_on_it_and_keeps_its_darkness() -> None:
    line = pit(rows=slice(40, 52), columns=slice(0, SIDE))
    assert line.reach[1] == range(1)
    image, _mask = blend(line, metal(NEW_GROUND, 2), 10, 0)
    for columns in (slice(4, 12), slice(44, 52), slice(-12, -4)):
        assert abs(float(image[53:60, columns].mean()) - (NEW_GROUND - DARKER)) < 20
    assert abs(float(image[:40].mean()) - NEW_GROUND) < 2


@pytest.mark.parametrize(("rows", "columns"), [(60, 0), (0, -40), (-50, 0)])
def test_a_defect_that_would_leave_its_patch_is_refused(rows: int, columns: int) -> None:
    with pytest.raises(DatasetError, match="would leave its patch"):
        blend(pit(), metal(NEW_GROUND, 2), rows, columns)


def test_a_mask_that_leaves_the_patch_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"a mask of \(96, 97\) leaves its patch of \(96, 96\)"):
        CutOut(metal(GROUND, 1), np.ones((SIDE, SIDE + 1), np.bool_))


def test_a_mask_of_nothing_is_refused() -> None:
    with pytest.raises(DatasetError, match="marks nothing"):
        CutOut(metal(GROUND, 1), np.zeros((SIDE, SIDE), np.bool_))


def test_patches_of_two_sizes_are_refused() -> None:
    with pytest.raises(DatasetError, match="cannot be blended"):
        blend(pit(), metal(NEW_GROUND, 2)[:50])


def test_flips_and_contrast_change_what_they_say() -> None:
    flipped = pit().read(down=-1, right=1)
    assert flipped.mask[SIDE - 1 - 37, 40]
    assert not flipped.mask[37, 40]
    weaker = pit().of_contrast(0.5)
    assert abs(float(weaker.patch[42:50, 32:48].mean()) - (GROUND - DARKER / 2)) < 3


def test_what_stands_out_of_good_surface_is_found_with_a_margin() -> None:
    surface = GoodSurface.of(np.stack([metal(140, seed) for seed in range(10, 20)]))
    found = surface.defect_on(pit().patch)
    assert found is not None
    rows, columns = np.nonzero(found)
    assert 40 - MARGIN_PX - 3 <= rows.min() <= 40
    assert 51 <= rows.max() <= 51 + MARGIN_PX + 3
    assert 30 - MARGIN_PX - 3 <= columns.min() <= 30
    assert 49 <= columns.max() <= 49 + MARGIN_PX + 3


def test_on_good_surface_nothing_is_found() -> None:
    patches = np.stack([metal(140, seed) for seed in range(10, 20)])
    surface = GoodSurface.of(patches)
    assert sum(surface.defect_on(patch) is not None for patch in patches) <= 1
    assert surface.defect_on(np.full((SIDE, SIDE), 90, np.uint8)) is None
