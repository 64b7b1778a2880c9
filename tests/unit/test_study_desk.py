"""What a part of a study still needs, whatever is begun or ended while that is read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from station.cell.study import StudyDesk
from station.core.part import Announcement, Inspection
from station.core.study import Study
from tests.record_samples import PART_TYPE

STUDY = Study("shift-1", 3)
PART = Inspection("one", 1, Announcement(1, "A", 7), PART_TYPE, datetime(2026, 5, 1, tzinfo=UTC))


class Book:
    """Has two trials of every part; while it is read, the study is ended."""

    def __init__(self) -> None:
        self.desk: StudyDesk | None = None

    async def trials(self, study: Study, part_id: str) -> int:
        assert (study, part_id) == (STUDY, "A")
        if self.desk is not None:
            self.desk.end()
        return 2


async def test_a_study_that_is_ended_while_its_trials_are_read_leaves_its_part_what_it_needs() -> None:
    book: Any = Book()
    book.desk = desk = StudyDesk(STUDY, book)
    assert await desk.trials_left(STUDY, PART) == range(3, 4)
    assert desk.study is None


@pytest.mark.parametrize("standing", [None, STUDY])
async def test_a_part_of_no_study_needs_no_trial_although_one_was_begun_meanwhile(standing: Study | None) -> None:
    book: Any = Book()
    assert await StudyDesk(standing, book).trials_left(None, PART) == range(0)
