"""What the command line is told of the records, through the port: by names that are configured or recorded."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.app import app
from station.core.alarms import AlarmList
from station.core.errors import FAULTS, ConfigError, Reaction, RecordError
from station.core.judgement import Defect
from station.core.ports.records import RecordReader
from station.core.records import AlarmFilter, RecordFilter
from station.core.sought import Sought
from station.records.reader import SqliteReader
from tests.record_samples import PART_TYPE, START, TABLE, HandClock, judgement, open_ledger, part

RUST = """UPDATE inspections SET state = 'judged', judged_at = entered_at, verdict = 'rust', destination = 'bin_rust'
    WHERE part_id = 'OLD'"""
SCRATCH = Defect("scratches", 3, 0.8754, 359.5, None, 1.25, 0.5)


@pytest.fixture
async def reader(tmp_path: Path) -> RecordReader:
    """Of a part with pits and a scratch, and one of a time when other classes were configured."""
    ledger = await open_ledger(tmp_path)
    await ledger.judged(await ledger.enter(part("NEW"), PART_TYPE), replace(judgement(), defects=(SCRATCH,)))
    await ledger.enter(part("OLD"), PART_TYPE)
    await ledger.note("state_changed", "EXECUTE HOLDING camera.lost no cable")
    await ledger.keep_alarm(AlarmList().raise_(FAULTS["camera.lost"], Reaction.HOLD, "no cable", START))
    await ledger.close()
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as connection, connection:
        connection.execute(RUST)
    return SqliteReader(tmp_path, TABLE)


def found(reader: RecordReader, *verdicts: str) -> list[str]:
    chosen = RecordFilter(verdicts=verdicts)
    listed = [row.part_id for row in reader.records(chosen, 10)]
    exported = [row["part_id"] for row in json.loads("".join(reader.export(chosen, "json")))]
    assert sorted(listed) == sorted(exported)
    return listed


def test_a_verdict_may_be_asked_for_that_is_configured_or_recorded(reader: RecordReader) -> None:
    assert found(reader) == ["OLD", "NEW"]
    assert found(reader, "pits") == ["NEW"]
    assert found(reader, "rust") == ["OLD"]
    assert found(reader, "rust", "pits", "review") == ["OLD", "NEW"]
    assert found(reader, "imprinted") == []


def test_a_verdict_that_nobody_knows_is_told_with_those_that_there_are(reader: RecordReader) -> None:
    chosen = RecordFilter(verdicts=("pits", "rusty", "dust", "rust"))
    for ask in (lambda: reader.records(chosen, 9), lambda: reader.export(chosen, "csv")):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert caught.value.code == "config.bad_option"
        assert caught.value.detail == (
            "no verdict: rusty, dust; configured are defect_free, imprinted, pits, roll_marks, scratches, review; "
            "recorded are pits, rust"
        )


async def test_without_a_judged_part_no_verdict_is_recorded(tmp_path: Path) -> None:
    await (await open_ledger(tmp_path)).close()
    with pytest.raises(ConfigError, match="recorded are none"):
        SqliteReader(tmp_path, TABLE).records(RecordFilter(verdicts=("rust",)), 1)


def test_alarms_and_stops_are_read(reader: RecordReader) -> None:
    assert [row["code"] for row in reader.alarms()] == ["camera.lost"]
    assert reader.alarm_history(10) == reader.alarms()
    assert [(row["state"], row["reason"], row["detail"]) for row in reader.stops(10)] == [
        ("HOLDING", "camera.lost", "no cable")
    ]


@pytest.mark.parametrize(
    "asked", ["records", "record", "export", "alarms", "alarm_history", "stops", "search", "period"]
)
def test_a_folder_without_records_is_told(tmp_path: Path, asked: str) -> None:
    arguments = {
        "records": (RecordFilter(), 1), "record": ("2026",), "export": (RecordFilter(), "csv"), "alarms": (),
        "search": (Sought(), None, 1), "period": ("2026", "2027"),
    }  # fmt: skip
    with pytest.raises(RecordError) as caught:
        list(getattr(SqliteReader(tmp_path, TABLE), asked)(*arguments.get(asked, (1,))))
    assert caught.value.code == "record.unknown"


def command(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["records", *words, "--data", str(folder)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_shown_record_lists_what_was_found_and_where(reader: RecordReader, tmp_path: Path) -> None:
    new = next(row for row in reader.records(RecordFilter(), 10) if row.part_id == "NEW")
    shown = command(tmp_path, "show", new.inspection_id)
    (line,) = [line for line in shown.splitlines() if line.strip().startswith("scratches")]
    assert re.split(r"\s{2,}", line.strip()) == ["scratches", "3", "0.875", "359.5 °", "1.25 mm", "0.50 mm"]
    record = json.loads(command(tmp_path, "show", new.inspection_id, "--json"))
    assert record["defects"] == reader.record(new.inspection_id)["defects"]
    assert record["defects"][0]["axial_mm"] is None


def test_what_another_table_called_a_part_is_found_by_that_name(reader: RecordReader, tmp_path: Path) -> None:
    listed = command(tmp_path, "list", "--verdict", "rust")
    assert ("OLD" in listed, "NEW" in listed) == (True, False)
    refused = CliRunner().invoke(app, ["records", "list", "--verdict", "dust", "--data", str(tmp_path)])
    assert isinstance(refused.exception, ConfigError)
    assert "recorded are pits, rust" in refused.exception.detail


async def test_a_stop_tells_how_long_it_lasted_and_what_ended_it_and_events_are_found_by_their_time(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    for event, detail in (
        ("state_changed", "EXECUTE HOLDING jig.fault drive fault 7"), ("command_taken", "hold by anna"),
        ("command_taken", "unhold by Ada (inspection), who has the hand"), ("state_changed", "UNHOLDING EXECUTE"),
        ("state_changed", "EXECUTE SUSPENDING plc.starved"), ("state_changed", "UNSUSPENDING EXECUTE"),
        ("state_changed", "EXECUTE STOPPING station.stopped_by_operator"), ("command_taken", "stop by anna"),
    ):  # fmt: skip
        await ledger.note(event, detail)
        clock.advance(seconds=10)
    await ledger.close()
    reader = SqliteReader(tmp_path, TABLE)
    assert [(one["reason"], one["lasted_s"], one["ended_by"]) for one in reader.stops(10)] == [
        ("station.stopped_by_operator", None, None),
        ("plc.starved", 10.0, None),
        ("jig.fault", 30.0, "unhold by Ada (inspection), who has the hand"),
    ]
    every = reader.events("2000", "9999", 99)
    assert [one["event"] for one in every].count("command_taken") == 3
    assert reader.events(every[3]["at"], every[5]["at"], 99) == every[3:6]
    assert reader.events(every[3]["at"], every[5]["at"], 1) == every[3:4]


def test_alarms_are_found_by_code_and_time(reader: RecordReader) -> None:
    [row] = reader.alarm_history(9)
    at = row["last_at"]
    for chosen, found_ in (
        (AlarmFilter("camera"), 1), (AlarmFilter("jig"), 0), (AlarmFilter(since=at), 1), (AlarmFilter(until=at), 0),
    ):  # fmt: skip
        assert len(reader.alarm_history(9, chosen)) == found_
