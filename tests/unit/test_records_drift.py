"""Both looks at a part, and what its scan shows of lamp, focus and dirt, stand in its record."""

from dataclasses import asdict, replace
from pathlib import Path

from station.core.drift.course import Course, Seen, Watched
from station.core.drift.limits import LAST_PARTS, Limits
from station.core.errors import FAULTS
from station.core.looks import FirstLook
from station.core.novelty.conformal import Calibration, Novelty
from station.records.drifts import newest
from station.records.query import show_record
from tests.housings import Verdict
from tests.record_samples import PART_TYPE, decision, judgement, open_ledger, part, scores

CALIBRATION = Calibration(tuple(number / 100 for number in range(1, 100)), "ca" * 32, "openvino int8")
AT = "2026-05-01T06:00:00.000Z"
OTHER_TYPE = replace(PART_TYPE, name="other", code=8)


async def test_a_restart_goes_on_with_what_the_records_hold_of_each_type(tmp_path: Path) -> None:
    course, told = Course(CALIBRATION, Limits()), []
    ledger = await open_ledger(tmp_path)
    assert await ledger.drift_history(PART_TYPE.name) == ()
    for number in range(30):
        seen = Seen(5.4, 1.9, None if number == 3 else 0.3, 0.4 + number / 100, number / 30, "covered" * (number == 5))
        watched = Watched(seen, course.take(seen, f"I{number}", AT))
        told.append(watched)
        await ledger.judged(await ledger.enter(part(f"P{number}"), PART_TYPE), replace(judgement(), watched=watched))
        await ledger.judged(await ledger.enter(part(f"Q{number}"), OTHER_TYPE), judgement())
    await ledger.close()
    ledger = await open_ledger(tmp_path)
    history = await ledger.drift_history(PART_TYPE.name)
    assert await ledger.drift_history("other") == ()
    await ledger.close()
    assert history == tuple(told)
    assert newest(tmp_path) == {PART_TYPE.name: told[-1].drift}
    assert len(history) <= 30 + LAST_PARTS
    seen = Seen(5.4, 1.9, 0.3, 2.0, 0.5)
    assert Course(CALIBRATION, Limits(), history).take(seen, "I31", AT) == course.take(seen, "I31", AT)


async def test_a_record_has_both_looks_and_what_the_scan_showed(tmp_path: Path) -> None:
    first = replace(
        decision(Verdict.REVIEW, FAULTS["part.low_confidence"], scores(3)),
        novelty=Novelty(0.5, 2, 0.3, 0.01, "ca" * 32, 99),
    )
    look = FirstLook(first, "part.low_confidence: as measured", 11.5)
    seen = Seen(5.4, 1.9, 0.3)
    watched = Watched(seen, Course(None, Limits()).take(seen, "I1", AT))
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, replace(judgement(), first_look=look, watched=watched))
    plain = await ledger.enter(part("SMH-0002", 2), PART_TYPE)
    await ledger.judged(plain, judgement())
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert shown["first_look"]["probabilities"] == scores(3).tolist()
    named = ("verdict", "algorithm1", "reason", "why", "ms_after_last_line")
    assert [shown["first_look"][name] for name in named] == [
        "review", "pits", "part.low_confidence", "part.low_confidence: as measured", 11.5,
    ]  # fmt: skip
    assert shown["first_look"]["novelty"]["p_value"] == 0.3
    assert shown["conditions"] == asdict(seen)
    assert shown["drift"]["first"] == {}
    assert shown["drift"]["parts"] == 1
    without = show_record(tmp_path, plain.inspection_id)
    assert (without["first_look"], without["conditions"], without["drift"]) == (None, None, None)
