"""What people say of one scan becomes numbers; where they differ, or contradict themselves, nobody learns from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.dataset.said import DOUBTFUL, Mark, Said
from station.core.geometry import Geometry
from station.core.settings import load_settings
from station.labels.label import Box, Label, Mask, Patch
from station.offline.gathering.terms import NotLearntError, Terms
from station.offline.gathering.words import (
    CONTRADICTION,
    DIFFER,
    NO_CLASS,
    NOT_JUDGED,
    NOTHING,
    Listener,
    concluded,
    state_of,
    words_sha256,
)
from tests.label_samples import label
from tests.turned import GEOMETRY
from tests.unit.housings import Surface

CONFIG = Path(__file__).parents[2] / "config" / "simulate.toml"
P3, P4, BOX, MASK = Patch(3, GEOMETRY), Patch(4, GEOMETRY), Box(10, 20, 30, 40), Mask("ab" * 32)
OTHER = Patch(3, Geometry(64, 32, 16, 2))
PITS, SCRATCHES = Surface.PITS.number, Surface.SCRATCHES.number
EVERY = [label("defect_free", region=Patch(index, GEOMETRY)) for index in range(16)]


@pytest.fixture(scope="module")
def terms() -> Terms:
    return Terms(load_settings(CONFIG), GEOMETRY)


def hear(terms: Terms, *labels: Label, masks: dict[str, Path] | None = None) -> tuple[Said, list[str]]:
    told: list[str] = []
    return replace(Listener(terms, masks or {}).hear(labels, told.append), sha256=None), told


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([label("pits")], Said(PITS)),
        ([label("defect_free")], Said(0)),
        ([label("pits", "ada"), label("pits", "bob")], Said(PITS)),
        ([label("scratches"), label("pits", minutes=1)], Said(PITS)),
        ([label("pits", region=P3), label("defect_free", region=P4)], Said(-1, {3: PITS, 4: 0})),
        ([label("pits"), label("scratches", region=P3)], Said(PITS, {3: SCRATCHES})),
        ([label("pits", region=BOX)], Said(marks=(Mark(PITS, (10, 20, 30, 40)),))),
        ([label("pits"), label("cannot_be_judged", region=P3)], Said(PITS, {3: DOUBTFUL})),
        ([label("pits"), label("other_defect", region=BOX)], Said(PITS, marks=(Mark(DOUBTFUL, (10, 20, 30, 40)),))),
        ([label("pits"), label("scratches", region=P3), label("pits", "bob", region=P3)], Said(PITS, {3: DOUBTFUL})),
        (EVERY, Said(patches=dict.fromkeys(range(16), 0))),
    ],
)
def test_what_is_said_becomes_numbers(terms: Terms, labels: list[Label], said: Said) -> None:
    assert hear(terms, *labels)[0] == said


@pytest.mark.parametrize(
    ("labels", "reason", "detail"),
    [
        ([label("pits"), label("scratches", "bob")], DIFFER, "ada says pits, bob says scratches"),
        ([label("cannot_be_judged")], NOT_JUDGED, ""),
        ([label("other_defect")], NO_CLASS, "other_defect"),
        ([label("rust")], NO_CLASS, "rust"),
        ([label("defect_free"), label("pits", region=P3)], CONTRADICTION, "defect_free, and patch 3: pits"),
        ([label("defect_free"), label("other_defect", region=BOX)], CONTRADICTION, "box 10,20,30,40: other_defect"),
        ([label("pits"), *EVERY], CONTRADICTION, "every patch of it defect_free"),
        ([label("other_defect", region=BOX)], NOTHING, ""),
        ([label("pits", region=OTHER)], NOTHING, ""),
        ([label("defect_free", region=BOX)], NOTHING, ""),
    ],
)
def test_a_scan_that_nobody_can_learn_from_says_why(
    terms: Terms, labels: list[Label], reason: str, detail: str
) -> None:
    with pytest.raises(NotLearntError) as caught:
        hear(terms, *labels)
    assert caught.value.reason == reason
    assert detail in caught.value.detail


@pytest.mark.parametrize(
    ("of_a_place", "told"),
    [
        (label("other_defect", region=P3), "patch 3: its defect is no class of the configuration (other_defect)"),
        (label("pits", region=OTHER), "patch 3 is of another geometry, 64 lines a turn"),
        (label("defect_free", region=BOX), "box 10,20,30,40 is called defect_free, which tells nothing of a patch"),
        (label("pits", region=MASK), "mask abababababab: no file in the folder of --masks has this content"),
    ],
)
def test_a_place_that_nobody_learns_from_is_told_and_the_part_is_taken(
    terms: Terms, of_a_place: Label, told: str
) -> None:
    said, words = hear(terms, label("pits"), of_a_place)
    assert said.part == PITS
    assert len(words) == 1
    assert words[0].startswith(told)


def test_a_mask_is_found_by_its_content(terms: Terms, tmp_path: Path) -> None:
    said, told = hear(terms, label("pits", region=MASK), masks={"ab" * 32: tmp_path})
    assert (said.marks, told) == ((Mark(PITS, tmp_path),), [])


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (Said(PITS, {3: SCRATCHES}), PITS),
        (Said(patches={3: PITS, 4: SCRATCHES}), SCRATCHES),
        (Said(patches={3: 0}), -1),
        (Said(patches=dict.fromkeys(range(16), 0)), 0),
    ],
)
def test_the_part_has_the_severest_class_seen_on_it_where_nobody_said_its_own(
    terms: Terms, said: Said, part: int
) -> None:
    severity = {surface.name: surface.severity for surface in terms.surfaces}
    assert severity["scratches"] > severity["pits"]
    assert concluded(said, terms).part == part


def test_the_hash_of_labels_is_of_what_counts_in_any_order() -> None:
    first, other, earlier = label("pits", minutes=2), label("pits", "bob"), label("scratches")
    assert words_sha256([first, other]) == words_sha256([other, first]) != words_sha256([first])
    assert state_of([earlier, first, other]) == state_of([other, first])
    assert state_of([earlier, first, other]).latest == "2026-05-01T12:02:00.250Z"
    assert state_of([]).count == 0
