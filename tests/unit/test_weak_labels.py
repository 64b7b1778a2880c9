"""Which label an image is trained by: its own, its part's, or none that it could be told by."""

from pathlib import Path

import numpy as np
import pytest

from models.dataset.store import DataFile, DataHeading, DataSet, Entry, Level, Split, write_data
from models.errors import TrainingError
from models.training.data import divide, select
from models.training.labels import OPEN, labels_for, rows_for

CLASSES = ("good", "pits", "scratches")
GOOD, PITS, SCRATCHES = range(3)
MASK, PATCH, PART = int(Level.MASK), int(Level.PATCH), int(Level.PART)


def entry(number: int, split: str, label: int, labels: list[int], levels: list[int], told: int | None = None) -> Entry:
    """A part of four images."""
    file = DataFile(path=f"{number}.png", sha256="ab" * 32, group=number, label=CLASSES[label], split=split)  # type: ignore[arg-type]
    images = np.full((4, 32, 32), number, np.uint8)
    return Entry(file, images, np.array(labels, np.int16), np.array(levels, np.uint8), told)


def data_of(folder: Path, entries: list[Entry], passing: str | None = "good") -> DataSet:
    heading = DataHeading(
        name="noise", kind="patches", classes=CLASSES, height=32, width=32, source="noise", seed=1, shares=(50, 50, 0),
        passing=passing,
    )  # fmt: skip
    return write_data(folder / "data", heading, entries, 4 * len(entries))


def masked(number: int, split: str) -> list[Entry]:
    """A part of each class, labelled patch by patch; of each defect one patch shows it, and one a sliver of it."""
    return [
        entry(number, split, GOOD, [0] * 4, [MASK] * 4),
        entry(number + 1, split, PITS, [0, 1, -1, 0], [MASK] * 4),
        entry(number + 2, split, SCRATCHES, [2, 0, 0, -1], [MASK] * 4),
    ]


def named(number: int, split: str) -> list[Entry]:
    """A part of each class of which nobody said more; of a fourth one a person marked one patch and part of another."""
    return [
        entry(number, split, GOOD, [0] * 4, [PATCH] * 4),
        entry(number + 1, split, PITS, [-1] * 4, [PART] * 4),
        entry(number + 2, split, SCRATCHES, [-1] * 4, [PART] * 4),
        entry(number + 3, split, PITS, [1, -1, -1, 0], [MASK, MASK, PART, PATCH]),
    ]


def test_patch_labels_are_used_as_ever_and_slivers_left_out(tmp_path: Path) -> None:
    data = data_of(tmp_path, masked(0, "train") + masked(3, "validation"))
    for use in ("auto", "patch"):
        divided = divide(data, use)  # type: ignore[arg-type]
        assert divided.train.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]
        assert divided.validation.tolist() == [12, 13, 14, 15, 16, 17, 19, 20, 21, 22]
        assert divided.judged_by == "images"
        assert (divided.taken.by_own_label, divided.taken.by_part_label, divided.taken.left_out) == (10, 0, 2)
        assert np.array_equal(divided.labels, data.labels)


def test_by_part_labels_alone_a_mask_says_nothing(tmp_path: Path) -> None:
    data = data_of(tmp_path, masked(0, "train") + masked(3, "validation"))
    divided = divide(data, "part")
    assert divided.labels[:12].tolist() == [0] * 4 + [OPEN] * 8
    assert divided.train.tolist() == list(range(12))
    assert divided.validation.tolist() == list(range(12, 24))
    assert (divided.judged_by, divided.to_judge) == ("parts", 3)
    assert (divided.taken.by_own_label, divided.taken.by_part_label, divided.taken.bags) == (4, 8, 2)


def test_a_mixed_set_takes_each_image_by_what_was_said_of_it(tmp_path: Path) -> None:
    data = data_of(tmp_path, [*masked(0, "train"), *named(3, "train"), *masked(7, "validation")])
    divided = divide(data)
    assert divided.judged_by == "images"
    assert divided.labels[12:28].tolist() == [0] * 4 + [OPEN] * 8 + [1, -1, -1, 0]
    assert set(range(28)) - set(divided.train.tolist()) == {6, 11, 25}
    assert (divided.taken.by_part_label, divided.taken.bags, divided.taken.left_out) == (9, 3, 3)


def test_a_validation_of_named_parts_judges_them_whole_with_what_is_too_little_to_tell(tmp_path: Path) -> None:
    data = data_of(tmp_path, [*masked(0, "train"), *named(3, "validation"), *masked(7, "validation")])
    divided = divide(data)
    assert (divided.judged_by, divided.to_judge) == ("parts", 7)
    assert divided.validation.tolist() == list(range(12, 40))


def test_a_part_of_one_image_shows_there_what_it_is(tmp_path: Path) -> None:
    entries = [
        Entry(
            DataFile(path=f"{number}", sha256="ab" * 32, group=number, label=CLASSES[number % 3], split=split),  # type: ignore[arg-type]
            np.zeros((1, 32, 32), np.uint8), np.array([number % 3], np.int16),
        )
        for number, split in enumerate(["train"] * 3 + ["validation"] * 3)
    ]  # fmt: skip
    heading = DataHeading(
        name="wholes", kind="whole", classes=CLASSES, height=32, width=32, source="noise", seed=1, shares=(50, 50, 0),
        passing="good",
    )  # fmt: skip
    data = write_data(tmp_path / "data", heading, entries, 6)
    assert labels_for(data, "part").tolist() == [0, 1, 2, 0, 1, 2]
    assert divide(data, "part").taken.by_part_label == 0


def test_a_part_that_nobody_named_is_of_no_use_by_part_labels(tmp_path: Path) -> None:
    cut = entry(6, "train", GOOD, [1, -1, 0, 0], [PATCH] * 4, told=-1)
    data = data_of(tmp_path, [*named(0, "train"), *masked(7, "validation"), cut])
    number = len(data.labels) - 4
    assert number not in rows_for(data, Split.TRAIN, "part").tolist()
    assert number in rows_for(data, Split.TRAIN, "auto").tolist()


def test_patch_labels_alone_leave_out_what_only_a_part_says(tmp_path: Path) -> None:
    data = data_of(tmp_path, [*masked(0, "train"), *named(3, "train"), *masked(7, "validation")])
    divided = divide(data, "patch")
    assert divided.taken.by_part_label == 0
    assert divided.taken.left_out == 12


@pytest.mark.parametrize(
    ("split", "named_as"), [("train", "scratches in training"), ("validation", "scratches in validation")]
)
def test_a_class_of_which_there_is_neither_image_nor_part_is_refused(tmp_path: Path, split: str, named_as: str) -> None:
    entries = [*named(0, "train"), *named(4, "validation")]
    kept = [one for one in entries if (one.file.split, one.file.label) != (split, "scratches")]
    with pytest.raises(TrainingError, match=named_as) as refused:
        divide(data_of(tmp_path, kept))
    assert refused.value.code == "training.bad_data"


def test_part_labels_need_a_class_that_passes(tmp_path: Path) -> None:
    data = data_of(tmp_path, [*named(0, "train"), *named(4, "validation")], passing=None)
    with pytest.raises(TrainingError, match="no class passes") as refused:
        divide(data)
    assert refused.value.code == "training.bad_data"


def test_a_selection_of_parts_is_taken_as_the_whole_set_is(tmp_path: Path) -> None:
    data = data_of(tmp_path, [*named(0, "train"), *named(4, "train"), *named(8, "validation")])
    rows = rows_for(data, Split.TRAIN, "auto")
    some = rows[data.parts[rows] < 4]
    chosen = select(data, some, rows_for(data, Split.VALIDATION, "auto"))
    assert chosen.train.tolist() == some.tolist()
    assert chosen.origin.parts == 4
    assert chosen.taken.bags == 3
