"""What is a label, and what is none."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime

import pytest

from station.labels.label import Box, InspectionSubject, Label, Mask, Patch, ScanSubject
from tests.label_samples import NOON, PART, REGIONS, SCAN, label
from tests.turned import GEOMETRY

LAST = GEOMETRY.patches_per_part - 1


@pytest.mark.parametrize("index", [-1, LAST + 1])
def test_a_patch_that_the_geometry_has_not_is_told_with_those_it_has(index: int) -> None:
    with pytest.raises(ValueError, match=rf"there is no patch {index}: they are 0 to {LAST} \(.* lines a turn"):
        Patch(index, GEOMETRY)


def test_the_first_and_the_last_patch_are_patches() -> None:
    assert (str(Patch(0, GEOMETRY)), str(Patch(LAST, GEOMETRY))) == ("patch 0", f"patch {LAST}")


def test_a_patch_of_another_geometry_is_another_place() -> None:
    assert Patch(3, GEOMETRY) != Patch(3, replace(GEOMETRY, patches_per_strip=GEOMETRY.patches_per_strip + 1))


@pytest.mark.parametrize("box", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_a_box_has_at_least_a_pixel_and_begins_within(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        Box(*box)


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "xy" * 32, "ab" * 33])
def test_a_hash_is_one(text: str) -> None:
    for kind in (ScanSubject, Mask):
        with pytest.raises(ValueError, match="no SHA-256"):
            kind(text)


@pytest.mark.parametrize("inspection_id", ["", "A" * 27])
def test_an_inspections_id_has_its_length(inspection_id: str) -> None:
    with pytest.raises(ValueError, match="1 to 26"):
        InspectionSubject(inspection_id)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"class_name": "Pits"}, "no name of a class"),
        ({"class_name": ""}, "no name of a class"),
        ({"who": " "}, "no name of a person"),
        ({"who": "a\nb"}, "no name of a person"),
        ({"at": datetime(2026, 5, 1)}, "has a zone"),  # noqa: DTZ001
    ],
)
def test_what_is_no_label_cannot_be_made(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(label(), **wrong)  # type: ignore[arg-type]


def test_a_label_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        label().class_name = "scratches"  # type: ignore[misc]


def test_a_scan_is_the_same_wherever_it_lies() -> None:
    assert replace(SCAN, file="elsewhere.png") == SCAN
    assert Label(SCAN, REGIONS[0], "pits", "ada", NOON) != Label(PART, REGIONS[0], "pits", "ada", NOON)


def test_places_read_as_they_are_given() -> None:
    assert [str(region) for region in REGIONS] == ["part", "patch 3", "box 10,0,1,64", f"mask {'ab' * 6}"]
    assert (str(PART), str(SCAN)) == (PART.inspection_id, f"/plant/scans/one.png {'5c' * 6}")
    assert str(ScanSubject("5c" * 32)) == f"scan {'5c' * 6}"
