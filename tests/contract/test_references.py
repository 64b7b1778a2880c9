"""What every book of golden parts and studies does: the one in memory, and the one on the disk."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from station.core.challenge import Step
from station.core.errors import BugError
from station.core.ports.records import PartLedger
from station.core.study import Study
from station.records.tried import SqliteReferenceReader
from tests.contract.fake_ledger import FakeLedger
from tests.housings import Destination
from tests.record_samples import PART_TYPE, START, decision, judgement, open_ledger, part


@pytest.fixture(params=["memory", "disk"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PartLedger]:
    made: PartLedger = FakeLedger() if request.param == "memory" else await open_ledger(tmp_path)
    yield made
    await made.close()


def step(name: str, minutes: int, part_type: str = PART_TYPE.name, inspection: int | None = None) -> Step:
    at = (START + timedelta(minutes=minutes)).replace(microsecond=0)
    return Step(at, part_type, name, "first", "GOLD", inspection, "pits", "pits", "ab" * 32)  # type: ignore[arg-type]


async def test_steps_are_remembered_from_each_types_last_passed_one_on(ledger: PartLedger) -> None:
    book = ledger.references
    await book.keep((step("judged", 1), step("passed", 1)))
    await book.keep((step("judged", 2), step("passed", 2), step("demanded", 3)))
    await book.keep((step("failed", 4, "other"),))
    found = (await book.remembered()).steps
    assert list(found) == [step("passed", 2), step("demanded", 3), step("failed", 4, "other")]


async def test_a_study_is_under_way_until_it_ends_and_counts_the_trials_of_a_part(ledger: PartLedger) -> None:
    book, study = ledger.references, Study("spring", 3)
    first, again = await ledger.enter(part(), PART_TYPE), await ledger.enter(part(), PART_TYPE)
    other = await ledger.enter(part("SMH-0002"), PART_TYPE)
    await book.keep_trial(study, first, 1, decision())
    await book.begin(study)
    for inspection, trial in ((again, 2), (other, 1)):
        await book.keep_trial(study, inspection, trial, decision())
    assert (await book.remembered()).study == study
    assert (await book.remembered()).last == other.part
    assert [await book.trials(study, one) for one in ("SMH-0001", "SMH-0002", "SMH-0003")] == [2, 1, 0]
    await book.end(study)
    assert (await book.remembered()).study is None


async def test_a_trial_of_an_inspection_that_never_entered_is_refused(ledger: PartLedger) -> None:
    inspection = await FakeLedger().enter(part(), PART_TYPE)
    with pytest.raises(BugError):
        await ledger.references.keep_trial(Study("spring", 2), inspection, 1, decision())


async def test_everything_between_a_failed_challenge_and_the_passed_one_before_is_suspect(tmp_path: Path) -> None:
    ledger, ids = await open_ledger(tmp_path), []
    for number, name in enumerate(("", "passed", "", "", "failed", ""), 1):
        inspection = await ledger.enter(part(f"SMH-{number}", number), PART_TYPE)
        await ledger.judged(inspection, judgement())
        await ledger.sorted(inspection, Destination.BIN_PITS)
        ids.append(inspection.inspection_id)
        if name:
            await ledger.references.keep(
                (step("judged", number, inspection=number), step(name, number, inspection=number))
            )
    await ledger.close()
    reader = SqliteReferenceReader(tmp_path)
    found = reader.suspects(None)
    assert found is not None
    assert [one["inspection_id"] for one in found["parts"]] == ids[2:4]
    assert (found["passed"]["inspection"], found["failed"]["inspection_id"]) == (2, ids[4])
    assert reader.suspects(found["failed"]["number"]) == found
    assert reader.suspects(found["passed"]["number"]) is None
    assert [row["event"] for row in reader.challenges(2)] == ["failed", "judged"]
