"""`station records`: what is asked for comes, as it was written, while the station goes on writing."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from station.core.errors import FAULTS, ConfigError, RecordError
from station.core.moments import moment, stamp
from station.core.part import Inspection
from station.core.records import RecordFilter
from station.records.query import export_records, list_records, show_record
from tests.housings import Verdict
from tests.record_samples import PART_TYPE, HandClock, decision, judgement, open_ledger, part, scores

ALL = RecordFilter()
LOW = FAULTS["part.low_confidence"]
DAY = (
    ("SMH-0001", Verdict.DEFECT_FREE, None),
    ("SMH-0002", Verdict.PITS, None),
    ("SMH-0003", Verdict.REVIEW, LOW),
    ("SMH-0001", Verdict.SCRATCHES, None),
)
WITHOUT_PRIVILEGES = """
import ctypes, os, sys
from pathlib import Path
header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())
folder = Path(sys.argv[1])
assert not os.access(folder, os.W_OK)
from station.core.records import RecordFilter
from station.records.query import list_records
print(len(list_records(folder, RecordFilter(), 10)))
"""


async def four_parts(folder: Path) -> list[Inspection]:
    """One part each hour from 06:00 on; a fifth is still open."""
    clock = HandClock()
    ledger = await open_ledger(folder, clock)
    inspections = []
    for number, (part_id, verdict, fault) in enumerate(DAY):
        inspection = await ledger.enter(part(part_id, number + 1), PART_TYPE)
        await ledger.order("robot", "load", 0, inspection)
        chosen = decision(verdict, fault, scores(number))
        await ledger.judged(inspection, judgement(chosen))
        await ledger.sorted(inspection, verdict.place)
        inspections.append(inspection)
        clock.advance(hours=1)
    inspections.append(await ledger.enter(part("SMH-0005", 5), PART_TYPE))
    await ledger.close()
    return inspections


def exported(folder: Path, chosen: RecordFilter = ALL) -> list[dict[str, object]]:
    loaded: list[dict[str, object]] = json.loads("".join(export_records(folder, chosen, "json")))
    return loaded


async def test_the_list_is_newest_first_and_all_text(tmp_path: Path) -> None:
    inspections = await four_parts(tmp_path)
    rows = list_records(tmp_path, ALL, 3)
    assert [row.inspection_id for row in rows] == [one.inspection_id for one in reversed(inspections[2:])]
    assert tuple(rows[0])[2:] == ("SMH-0005", "SMH-385", "", "", "", "")
    assert tuple(rows[2])[1:] == (
        "2026-05-01T08:00:00.123Z",
        "SMH-0003",
        "SMH-385",
        "review",
        "0.7500",
        "part.low_confidence",
        "bin_review",
    )


@pytest.mark.parametrize(
    ("chosen", "sequences"),
    [
        (ALL, [1, 2, 3, 4, 5]),
        (RecordFilter.parse("2026-05-01T07:00", None, [], None), [2, 3, 4, 5]),
        (RecordFilter.parse("2026-05-01T09:00:00.123+02:00", "2026-05-01T08:00:00.123Z", [], None), [2]),
        (RecordFilter.parse(None, "2026-05-02", ["pits", "review"], None), [2, 3]),
        (RecordFilter.parse(None, None, ["scratches"], "SMH-0001"), [4]),
        (RecordFilter.parse(None, None, [], "SMH-0001"), [1, 4]),
        (RecordFilter.parse(None, None, [], "SMH"), []),
        (RecordFilter.parse("2027-01-01", None, [], None), []),
    ],
)
async def test_a_filter_leaves_what_was_asked_for(tmp_path: Path, chosen: RecordFilter, sequences: list[int]) -> None:
    await four_parts(tmp_path)
    assert [row["part_sequence"] for row in exported(tmp_path, chosen)] == sequences
    lines = list(csv.DictReader(io.StringIO("".join(export_records(tmp_path, chosen, "csv")))))
    assert [int(line["part_sequence"]) for line in lines] == sequences
    listed = [row.entered_at for row in reversed(list_records(tmp_path, chosen, 100))]
    assert listed == [line["entered_at"] for line in lines]


@pytest.mark.parametrize(("since", "until"), [("yesterday", None), (None, "yesterday"), ("2026-05-01", "yesterday")])
def test_a_time_that_is_none_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        RecordFilter.parse(since, until, ["anything"], None)
    assert caught.value.code == "config.bad_option"
    assert caught.value.detail == "'yesterday' is no time; write it as 2026-05-01T06:00"


@pytest.mark.parametrize("name", ["pits,review", "pit", "PITS", "' OR 1 --", '["pits"]', ""])
async def test_a_verdict_is_asked_for_by_its_whole_name(tmp_path: Path, name: str) -> None:
    await four_parts(tmp_path)
    assert list_records(tmp_path, RecordFilter(verdicts=(name,)), 10) == []
    assert len(list_records(tmp_path, RecordFilter(verdicts=(name, "pits")), 10)) == 1


async def test_json_has_every_record_whole(tmp_path: Path) -> None:
    inspections = await four_parts(tmp_path)
    rows = exported(tmp_path)
    assert [row["inspection_id"] for row in rows] == [one.inspection_id for one in inspections]
    assert [row["verdict"] for row in rows] == ["defect_free", "pits", "review", "scratches", None]
    assert [row["reason"] for row in rows] == [None, None, "part.low_confidence", None, None]
    assert [row["confirmed_bin"] for row in rows][:3] == ["second_inspection", "bin_pits", "bin_review"]
    assert [row["destination"] for row in rows][4] is None
    assert [len(row["orders"]) for row in rows] == [1, 1, 1, 1, 0]  # type: ignore[arg-type]
    for number, row in enumerate(rows[:4]):
        assert np.array_equal(np.array(row["probabilities"], np.float32), scores(number))
    needed = {
        "inspection_id part_id part_type verdict algorithm1 reason confidence destination confirmed_bin scan_valid",
        "entered_at judged_at sorted_at ms_after_last_line model model_sha256 config_sha256 lines roi probabilities",
        "orders features scan_file scan_sha256 state number times_ns",
    }
    assert {name for names in needed for name in names.split()} <= set(rows[0])


async def test_csv_has_a_line_a_record_with_the_flat_columns(tmp_path: Path) -> None:
    await four_parts(tmp_path)
    lines = list(csv.DictReader(io.StringIO("".join(export_records(tmp_path, ALL, "csv")))))
    assert len(lines) == 5
    third = lines[2]
    assert (third["verdict"], third["reason"], third["confidence"]) == ("review", "part.low_confidence", "0.75")
    assert (third["roi_left"], third["lines_delivered"], third["scan_valid"]) == ("1000", "3584", "True")
    assert (lines[4]["verdict"], lines[4]["roi_left"], lines[4]["scan_valid"]) == ("", "", "False")
    assert "probabilities" not in third
    assert (third["rule"], third["recipe"], third["defects"]) == ("algorithm1", "", "0")
    assert lines[4]["defects"] == ""


@pytest.mark.parametrize("part_id", ["=1+1", "+1", "-1+2", "@SUM(A1)"])
async def test_csv_has_nothing_that_a_spreadsheet_would_compute(tmp_path: Path, part_id: str) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(part_id, 1), PART_TYPE)
    await ledger.judged(inspection, judgement(decision(Verdict.PITS, None, scores(0))))
    await ledger.close()
    (line,) = csv.DictReader(io.StringIO("".join(export_records(tmp_path, ALL, "csv"))))
    assert line["part_id"] == f"'{part_id}"
    assert line["confidence"] == "0.75"
    assert exported(tmp_path)[0]["part_id"] == part_id


async def test_an_empty_database_exports_an_empty_list_and_a_header(tmp_path: Path) -> None:
    await (await open_ledger(tmp_path)).close()
    assert exported(tmp_path) == []
    assert "".join(export_records(tmp_path, ALL, "csv")).startswith("inspection_id,number,part_id")


async def test_a_record_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    inspections = await four_parts(tmp_path)
    for inspection in inspections:
        for asked in (inspection.inspection_id, inspection.inspection_id[:18].lower()):
            assert show_record(tmp_path, asked)["inspection_id"] == inspection.inspection_id


@pytest.mark.parametrize(
    ("asked", "told"), [("20260501", "more than one"), ("2025", "no inspection's"), ("%", "no"), ("", "more than one")]
)
async def test_an_id_that_names_no_single_record_is_refused(tmp_path: Path, asked: str, told: str) -> None:
    await four_parts(tmp_path)
    with pytest.raises(RecordError, match=told) as caught:
        show_record(tmp_path, asked)
    assert caught.value.code == "record.unknown"


def test_a_folder_without_records_is_told_and_left_empty(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"records\.sqlite is not there") as caught:
        list_records(tmp_path, ALL, 1)
    assert caught.value.code == "record.unknown"
    assert list(tmp_path.iterdir()) == []


async def test_reading_goes_on_beside_writing_and_sees_one_moment(tmp_path: Path) -> None:
    await four_parts(tmp_path)
    ledger = await open_ledger(tmp_path)
    pieces = export_records(tmp_path, ALL, "json")
    first = next(pieces)
    for _ in range(50):
        await ledger.judged(await ledger.enter(part("NEW"), PART_TYPE), judgement())
    assert len(json.loads(first + "".join(pieces))) == 5
    assert len(exported(tmp_path)) == 55
    assert list_records(tmp_path, ALL, 1)[0].verdict == "pits"
    await ledger.close()


@pytest.mark.parametrize("station", ["stopped", "running"])
async def test_a_copy_that_nobody_may_write_to_can_be_read(tmp_path: Path, station: str) -> None:
    await four_parts(tmp_path / "data")
    ledger = await open_ledger(tmp_path / "data")
    if station == "running":
        await ledger.note("state_changed", "so that there is a log beside the database")
    else:
        await ledger.close()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "data", copy)
    await ledger.close()
    for file in copy.iterdir():
        file.chmod(0o444)
    copy.chmod(0o555)
    command = [sys.executable, "-c", WITHOUT_PRIVILEGES, str(copy)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: ASYNC221
    copy.chmod(0o755)
    assert (done.stdout, done.stderr, done.returncode) == ("5\n", "", 0)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-05-01", "2026-05-01T00:00:00.000Z"),
        ("2026-05-01T06:00", "2026-05-01T06:00:00.000Z"),
        ("2026-05-01T06:00:00.1239+02:00", "2026-05-01T04:00:00.123Z"),
        ("2026-05-01T06:00:00.123Z", "2026-05-01T06:00:00.123Z"),
    ],
)
def test_moments_are_utc_with_milliseconds(text: str, written: str) -> None:
    assert stamp(moment(text)) == written
    assert stamp(moment(written)) == written
    assert stamp(moment(written).replace(tzinfo=None)) == written
