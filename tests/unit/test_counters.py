"""What is counted: every sorted part once, and parts without a whole scan only in a row."""

import pytest

from station.cell.counters import Counters, FailedTurns
from station.core.errors import FAULTS, CameraError, PartError, StationError
from station.core.part import LineAccount
from tests.housings import Verdict
from tests.record_samples import account

WHOLE = account()
BROKEN = account(FAULTS["scan.incomplete"])
LOST = CameraError("camera.lost", "unplugged")


def test_a_part_counts_as_defective_unless_its_verdict_passes() -> None:
    counters = Counters()
    for verdict in (Verdict.DEFECT_FREE, Verdict.PITS, Verdict.REVIEW):
        counters.count(verdict)
    assert (counters.processed, counters.defective, counters.overloaded) == (3, 2, 0)


def test_parts_without_a_whole_scan_are_too_many_only_in_a_row() -> None:
    turns = FailedTurns(2)
    for lines in (BROKEN, WHOLE, BROKEN, WHOLE):
        turns.take(lines, None)
    turns.take(BROKEN, None)
    with pytest.raises(PartError):
        turns.take(BROKEN, None)


def test_after_it_was_told_the_count_begins_anew() -> None:
    turns = FailedTurns(2)
    turns.take(BROKEN, None)
    with pytest.raises(PartError):
        turns.take(BROKEN, None)
    turns.take(BROKEN, None)
    with pytest.raises(PartError):
        turns.take(BROKEN, None)


@pytest.mark.parametrize(
    ("lines", "error", "last"),
    [
        (BROKEN, LOST, "camera.lost: unplugged"),
        (BROKEN, None, f"scan.incomplete: {BROKEN.detail}"),
    ],
)
def test_the_last_ones_own_error_is_told_before_what_is_missing_of_it(
    lines: LineAccount, error: StationError | None, last: str
) -> None:
    with pytest.raises(PartError) as told:
        FailedTurns(1).take(lines, error)
    assert told.value.code == "scan.failing"
    assert told.value.detail == f"1 parts in a row had no whole scan, the last one {last}"


def test_an_error_in_a_whole_scan_is_no_failed_turn() -> None:
    FailedTurns(1).take(WHOLE, LOST)
