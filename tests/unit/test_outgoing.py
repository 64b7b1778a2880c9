"""What people say of the parts drawn by lot bounds the share of defective parts that went out."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.core.calendar import Calendar
from station.core.errors import FAULTS
from station.core.promise import Suspension
from station.core.records import RecordFilter
from station.core.spot_check import Draw
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.outgoing import outgoing
from station.labels.picking.truth import Truths
from station.records.query import spot_checked_records
from tests.housings import Verdict
from tests.picking import GOOD, after
from tests.record_samples import PART_TYPE, decision, judgement, open_ledger, part

CALENDAR = Calendar((time(6), time(14), time(22)), ZoneInfo("Asia/Seoul"))


def drawn(number: int, entered_at: str = "2026-05-01T06:00:00.000Z", part_type: str = "SMH-385") -> dict[str, Any]:
    return {"inspection_id": f"I{number:05d}", "part_type": part_type, "entered_at": entered_at}


def truths(*said: tuple[int, str], who: str = "ada") -> Truths:
    labels = [Label(InspectionSubject(f"I{number:05d}"), WholePart(), name, who, after(1e6)) for number, name in said]
    return Truths(labels, GOOD)


def test_what_nobody_can_tell_counts_as_defective_and_what_nobody_has_looked_at_waits() -> None:
    said = truths((0, GOOD), (1, GOOD), (2, "pits"), (3, "cannot_be_judged"), (4, "other_defect"))
    (row,) = outgoing([drawn(number) for number in range(7)], said, {})
    assert (row.checked, row.defective, row.waiting) == (5, 3, ("I00005", "I00006"))


def test_a_sentence_says_the_limit_how_many_were_checked_and_how_many_wait() -> None:
    rows = [drawn(number) for number in range(302)]
    (row,) = outgoing(rows, truths(*((number, GOOD) for number in range(300))), {})
    assert row.sentence == (
        "Outgoing defects of SMH-385: at most 1.49% (95 %), n = 300 checked, 0 of them defective; "
        "2 drawn wait for a label."
    )
    assert row.plain()["limit"] == pytest.approx(0.01492, abs=1e-5)
    suspension = Suspension("2026-05-01T07:00:00.000Z", "I00001", ("quality.drift", "camera.dirt"))
    assert replace(row, suspension=suspension).sentence == (
        "Suspended since 2026-05-01 07:00 UTC (quality.drift, camera.dirt), until calibrated anew: " + row.sentence
    )


def test_of_nothing_checked_nothing_is_said() -> None:
    (row,) = outgoing([drawn(1)], truths(), {})
    assert row.limit == 1
    assert row.sentence == "Outgoing defects of SMH-385: nothing can be said, n = 0 checked; 1 drawn wait for a label."
    assert outgoing([], truths(), {}) == []


def test_each_type_and_shift_has_a_row_of_its_own() -> None:
    hours = (22, 28, 30)  # of the last of April in UTC: 7, 13 and 15 o'clock on the first of May in Seoul
    one, same, later = ((datetime(2026, 4, 30, tzinfo=UTC) + timedelta(hours=hour)).isoformat() for hour in hours)
    suspension = Suspension(later, "I00003", ("camera.dirt",))
    rows = [drawn(1, one), drawn(2, same), drawn(3, later), drawn(4, one, "ring")]
    found = outgoing(rows, truths((1, GOOD), (2, "pits")), {"SMH-385": suspension}, CALENDAR)
    assert [row.suspension for row in found] == [None, suspension, None], "one that was over by then holds"
    assert found[1].sentence.startswith("Outgoing defects of SMH-385, shift of 2026-05-01 14:00: nothing can be said")
    told = [(row.part_type, row.shift and row.shift.hour, row.checked, row.defective) for row in found]
    assert told == [("SMH-385", 6, 2, 1), ("SMH-385", 14, 0, 0), ("ring", 6, 0, 0)]
    assert "shift of 2026-05-01 06:00" in found[0].sentence


async def test_the_drawn_parts_are_found_among_the_records_as_they_were_judged(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    spot = replace(decision(Verdict.REVIEW, FAULTS["part.spot_check"]), spot_check=Draw(0.01, 20, 7))
    checked, plain, stopped = [await ledger.enter(part(), PART_TYPE) for _ in range(3)]
    await ledger.judged(checked, judgement(spot))
    await ledger.judged(plain, judgement(decision(Verdict.DEFECT_FREE)))
    await ledger.judged(stopped, judgement(spot))
    await ledger.interrupted(stopped, FAULTS["part.interrupted"], "a stop")
    restored = (await ledger.journal(checked)).decision
    await ledger.close()
    found = list(spot_checked_records(tmp_path, RecordFilter()))
    assert [row["inspection_id"] for row in found] == [checked.inspection_id, stopped.inspection_id]
    assert (found[0]["spot_lot"], found[0]["spot_one_in"], found[0]["spot_seed"]) == (0.01, 20, 7)
    assert restored is not None
    assert restored.spot_check == Draw(0.01, 20, 7)
