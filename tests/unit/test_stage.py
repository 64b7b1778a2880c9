"""Where an inspection is taken up again, by what is written of it and what lies where: the table of the recovery."""

import pytest

from station.cell.stage import NOT_FOUND, Found, Stage, stage_of
from station.core.judgement import Journal, Written
from station.core.part import Order
from tests.record_samples import decision

BEFORE = Written(Order("robot", 6, "home"), None, 0)
LOAD = Written(Order("robot", 7, "load"), "one", None)
LOADED = Written(Order("robot", 7, "load"), "one", 0)
NOTHING, JUDGED = Journal(None, None, ()), Journal(decision(), 12.0, (LOADED,))
ORDERED, DONE = Journal(None, None, (LOAD,)), Journal(None, None, (LOADED,))


def found(*, on_jig: bool = False, in_gripper: bool = False, taken: int = 6, given: Written | None = None) -> Found:
    return Found(on_jig, in_gripper, taken, given)


@pytest.mark.parametrize(
    ("journal", "seen", "stage"),
    [
        (DONE, found(on_jig=True), Stage.SCAN),
        (JUDGED, found(on_jig=True), None),
        (DONE, found(in_gripper=True), None),
        (NOTHING, found(in_gripper=True), None),
        (NOTHING, found(given=BEFORE), Stage.LOAD),
        (ORDERED, found(taken=6, given=LOAD), Stage.LOAD),
        (ORDERED, found(taken=7, given=LOAD), None),
        (ORDERED, found(taken=0, given=LOAD), Stage.LOAD_IN_DOUBT),
        (ORDERED, found(taken=8, given=BEFORE), Stage.LOAD_IN_DOUBT),
        (DONE, found(), None),
        (JUDGED, found(), None),
        (NOTHING, NOT_FOUND, None),
        (ORDERED, NOT_FOUND, None),
    ],
    ids=[
        "on the jig, unjudged", "on the jig, judged", "in the gripper", "in the gripper, nothing ordered",
        "never ordered in", "ordered, an older order was taken last", "ordered and taken", "the robot began anew",
        "another order followed", "loaded and gone", "judged and gone", "others followed", "ordered, others followed",
    ],
)  # fmt: skip
def test_an_inspection_is_taken_up_where_it_is_proven_to_stand(
    journal: Journal, seen: Found, stage: Stage | None
) -> None:
    assert stage_of(journal, seen) is stage
