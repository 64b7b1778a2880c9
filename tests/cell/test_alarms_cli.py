"""`station alarms`: at a running station through its socket, and from the records where none runs."""

import asyncio
import json
import os
import pwd
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner, Result

from station.cli.app import app
from station.core.alarms import AlarmList
from station.core.clock import SystemClock
from station.core.errors import FAULTS, Reaction
from station.core.events import AlarmsChanged
from station.host.control import send
from station.records.ledger import SqliteLedger
from station.view.live import CellView
from tests.cell.bench import listening, running, settings, until
from tests.housings import TABLE


async def station(*arguments: str | Path) -> Result:
    """Run a command as a user does, beside the running cell."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["alarms", *map(str, arguments)])


async def test_alarms_of_a_running_station_are_listed_and_acknowledged(tmp_path: Path) -> None:
    async with running() as bench, listening(bench.desk, tmp_path):
        for code in ("jig.fault", "camera.lost"):
            bench.built.alarms.raise_(FAULTS[code], Reaction.HOLD, "seen")
        rows = json.loads((await station("list", "--data", tmp_path, "--json")).stdout)
        assert [(row["code"], row["number"], row["active"], row["acknowledged"]) for row in rows] == [
            ("camera.lost", 1003, True, False), ("jig.fault", 3004, True, False),
        ]  # fmt: skip
        listed = await station("list", "--data", tmp_path)
        assert FAULTS["jig.fault"].text.split(".")[0] in listed.stdout
        assert "not acknowledged" in listed.stdout
        refused = await station("ack", "plc.stale", "--data", tmp_path)
        assert refused.exit_code == 1
        assert (await station("ack", "jig.fault", "--data", tmp_path)).exit_code == 0
        by_code = {alarm.fault.code: alarm for alarm in bench.desk.view.alarms}
        assert {code: alarm.acknowledged for code, alarm in by_code.items()} == {
            "camera.lost": False,
            "jig.fault": True,
        }
        assert by_code["jig.fault"].acknowledged_by
        assert (await station("ack", "all", "--data", tmp_path)).exit_code == 0
        assert all(alarm.acknowledged for alarm in bench.desk.view.alarms)


async def test_a_users_command_is_an_event_with_the_users_name_taken_or_refused(tmp_path: Path) -> None:
    async with running() as bench, listening(bench.desk, tmp_path):
        await send(tmp_path, "reset")
        await send(tmp_path, "unhold")
        await until(lambda: any(event == "command_refused" for event, _detail in bench.ledger.events))
    user = pwd.getpwuid(os.getuid()).pw_name
    commands = [row for row in bench.ledger.events if row[0].startswith("command_")]
    assert commands[0] == ("command_taken", f"reset by {user} with `station command`")
    assert commands[1][1].startswith(f"unhold by {user} with `station command`: ")


async def test_what_is_no_request_changes_nothing(tmp_path: Path) -> None:
    async with running() as bench, listening(bench.desk, tmp_path):
        bench.built.alarms.raise_(FAULTS["jig.fault"], Reaction.HOLD, "")
        for words in ("", "ack", "ack jig.fault camera.lost", "alarms all"):
            result = await asyncio.to_thread(CliRunner().invoke, app, ["command", words, "--data", str(tmp_path)])
            assert result.exit_code == 1, words
        assert not bench.desk.view.alarms[0].acknowledged


async def test_without_a_station_the_list_is_read_from_the_records_and_nothing_can_be_acknowledged(
    tmp_path: Path,
) -> None:
    configuration = settings()
    told = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(tmp_path, configuration.records, SystemClock(), told, configuration.table)
    book, clock = AlarmList(), SystemClock()
    await ledger.keep_alarm(book.raise_(FAULTS["jig.fault"], Reaction.HOLD, "7", clock.now()))
    await ledger.keep_alarm(book.clear(clock.now())[0])
    await ledger.keep_alarm(book.acknowledge("jig.fault", clock.now(), "anna"))
    await ledger.keep_alarm(book.raise_(FAULTS["camera.lost"], Reaction.HOLD, "", clock.now()))
    await ledger.note("state_changed", "EXECUTE HOLDING jig.fault drive fault 7")
    await ledger.note("state_changed", "HOLDING HELD")
    await ledger.note("state_changed", "EXECUTE COMPLETING")
    await ledger.close()
    listed = json.loads((await station("list", "--data", tmp_path, "--json")).stdout)
    assert [row["code"] for row in listed] == ["camera.lost"]
    every = json.loads((await station("list", "--history", "--data", tmp_path, "--json")).stdout)
    assert [(row["code"], row["acknowledged_by"]) for row in every] == [("camera.lost", ""), ("jig.fault", "anna")]
    stops = json.loads((await station("stops", "--data", tmp_path, "--json")).stdout)
    assert [(row["state"], row["reason"], row["detail"]) for row in stops] == [
        ("COMPLETING", None, ""), ("HOLDING", "jig.fault", "drive fault 7"),
    ]  # fmt: skip
    assert "jig.fault" in (await station("stops", "--data", tmp_path)).stdout
    assert (await station("ack", "all", "--data", tmp_path)).exit_code != 0


async def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    assert (await station("list", "--data", tmp_path)).exit_code != 0


def test_the_live_view_shows_the_newest_alarms_with_code_text_and_count(tmp_path: Path) -> None:
    with (tmp_path / "screen").open("w+", encoding="utf-8") as file:
        console = Console(file=file, force_terminal=True, width=110, height=30)
        book, now = AlarmList(), SystemClock().now()
        for code in ("jig.fault", "robot.fault", "camera.timeout", "camera.lost", "camera.lost"):
            book.raise_(FAULTS[code], Reaction.HOLD, "", now)
        with CellView(console, TABLE) as view:
            view.watch(AlarmsChanged(book.alarms))
        file.seek(0)
        screen = file.read()
    assert "camera.lost (2 times)" in screen
    assert "The connection to the camera broke" in screen
    assert "and 1 more" in screen
    assert "jig.fault" not in screen
