"""Golden parts and parts of a study try the station, and say nothing of production: what counts it leaves them out."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from station.core.errors import FAULTS
from station.core.moments import stamp
from station.core.part import Roi
from station.core.records import RecordFilter
from station.core.table import housings
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from station.offline.calibrating import labelled_scans
from station.page.shift.figures import count_parts
from station.records.period import read_period
from station.records.reader import SqliteReader
from station.records.tally import SqliteTally
from tests.housings import Destination, Verdict
from tests.plants import LEFT, NOON, RIGHT, TYPE, refused, scan
from tests.record_samples import START, blocks_of, decision, judgement, open_ledger, part

REASONS = {"MADE": None, "GOLDEN": "part.golden", "STUDIED": "part.study", "BROKEN-OFF": "part.golden"}


async def inspected(folder: Path) -> dict[str, str]:
    """Parts of production and others, all labelled good; a golden one's way was broken off after it was judged."""
    ids = {}
    for number, (part_id, code) in enumerate(REASONS.items()):
        ledger = await open_ledger(folder, archive=["pits", "defect_free", "review"])
        inspection = await ledger.enter(part(part_id, number + 1), TYPE)
        verdict = Verdict.DEFECT_FREE if code is None else Verdict.REVIEW
        said = decision(verdict, FAULTS[code] if code else None)
        await ledger.judged(inspection, judgement(said, blocks_of(scan(number)), Roi(LEFT, RIGHT)))
        if part_id == "BROKEN-OFF":
            await ledger.interrupted(inspection, FAULTS["part.interrupted"], "a stop")
        await ledger.sorted(inspection, Destination.BIN_REVIEW if code else Destination.SECOND_INSPECTION)
        await ledger.close()
        ids[part_id] = inspection.inspection_id
    said_of = [Label(InspectionSubject(one), WholePart(), "defect_free", "ada", NOON) for one in ids.values()]
    SqliteLabels(folder).add(said_of)
    return ids


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made_here = tmp_path_factory.mktemp("tried") / "data"
    asyncio.run(inspected(made_here))
    return made_here


def test_label_rates_calibration_and_promises_take_none_of_them(folder: Path) -> None:
    reader = SqliteReader(folder, housings())
    assert [row["part_id"] for row in reader.archived()] == ["MADE"]
    labels = SqliteLabels(folder).labels()
    assert [one.part_id for one in labelled_scans(reader, labels, folder)] == ["MADE"]
    told = {row["part_id"]: row["tried"] for row in reader.judged(RecordFilter())}
    assert told == {"MADE": None, "GOLDEN": "golden", "STUDIED": "study", "BROKEN-OFF": "golden"}


def test_nothing_is_learnt_from_them_and_that_is_said(folder: Path, tmp_path: Path) -> None:
    told = refused(tmp_path / "d", "--records", folder)
    assert told.count("golden parts and parts of studies, which try the station") == 3


def test_they_are_counted_by_themselves(folder: Path) -> None:
    counts = SqliteTally(folder).read()
    assert counts.parts == {(TYPE.name, "defect_free", "sorted"): 1}
    assert counts.reviews == {}
    assert counts.classes.total() == 1
    assert counts.tried == {(TYPE.name, "golden"): 2, (TYPE.name, "study"): 1}


def test_a_shift_counts_the_parts_that_were_made(folder: Path) -> None:
    period = read_period(folder, stamp(START), stamp(START + timedelta(hours=1)))
    parts = count_parts(period.groups, housings())
    assert {name: count for name, count in parts.verdicts.items() if count} == {"defect_free": 1}
    assert (parts.reasons, parts.laid_away, parts.tried) == ({}, 1, {"golden": 2, "study": 1})
    assert period.defects == ()
