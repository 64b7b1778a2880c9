"""A foreign master, Debian's mbpoll, reads what the station publishes, at the addresses that the station prints."""

import asyncio
import csv
import io
import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import numpy as np
import pytest

from drivers.modbus.listing import list_registers
from drivers.modbus.register_map import load_map
from drivers.plc.plc import ModbusPlc
from station.core.judgement import Published
from station.core.part import Announcement, Decision, Inspection, PartType
from station.core.settings import PlcSettings, RtuLink, TcpLink
from tests.housings import INSPECTED, Verdict, line_plc
from tests.turned import GEOMETRY
from tests.wire.modbus_peer import Peer, RtuPeer
from tests.wire.plc_peers import AskingPlc, beat, until


@pytest.fixture
def mbpoll() -> str:
    path = shutil.which("mbpoll")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("mbpoll is not installed: apt-get install mbpoll")
    if path is None:
        pytest.skip("mbpoll is not installed: apt-get install mbpoll")
    return path


@pytest.fixture
async def plc() -> AsyncIterator[ModbusPlc]:
    plc = line_plc(PlcSettings(role="server", link=TcpLink(kind="tcp", port=0)))
    await plc.connect()
    line = AskingPlc()
    await line.meet(plc.port)
    heart = asyncio.ensure_future(beat(line))
    await until(plc, lambda: plc.feed.view.fault is None)
    decision = Decision(Verdict.ROLL_MARKS, None, None, "", 0.91, 7, 1, np.zeros((16, 5), np.float32))
    smh = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
    inspection = Inspection("abc", 70000, Announcement(1, "SMH-0042", 1), smh, datetime(2026, 1, 1, tzinfo=UTC))
    await plc.results.publish(Published(inspection, decision, 12.4, None))
    heart.cancel()
    await asyncio.wait([heart])
    assert line.client is not None
    line.client.close()
    yield plc
    await plc.close()


async def polled(line: str, mbpoll: str) -> list[str]:
    """The values that one mbpoll line prints, in order of their addresses."""
    process = await asyncio.create_subprocess_exec(
        mbpoll, *shlex.split(line, comments=True)[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output.decode()
    return re.findall(r"^\[\d+\]:\s+(\S+)", output.decode(), re.MULTILINE)


@pytest.mark.parametrize(
    ("register", "values"),
    [
        ("decision", ["4"]),
        ("decision_complement", ["65531"]),
        ("inspection_number", ["70000"]),
        ("confidence", ["9100"]),
        ("part_id", ["0x534D", "0x482D", "0x3030", "0x3432", "0x0000", "0x0000", "0x0000", "0x0000"]),
        ("check_f32", ["123456"]),
        ("check_u32", ["305419896"]),
        ("result_sequence", ["1"]),
    ],
)
async def test_mbpoll_reads_the_last_result_with_the_line_that_the_station_prints(
    mbpoll: str, plc: ModbusPlc, register: str, values: list[str]
) -> None:
    lines = list_registers(load_map("plc", INSPECTED), "mbpoll", TcpLink(kind="tcp", port=plc.port)).splitlines()
    line = next(line for line in lines if line.endswith(f"# {register}"))
    found = await polled(line, mbpoll)
    assert [value.split("(")[0] for value in found] == values


@pytest.mark.parametrize(("column", "option"), [("address_0", "-0 "), ("address_1", "")])
async def test_mbpoll_reads_the_decision_at_both_addresses_of_the_csv(
    mbpoll: str, plc: ModbusPlc, column: str, option: str
) -> None:
    text = list_registers(load_map("plc", INSPECTED), "csv", TcpLink(kind="tcp"))
    row = next(row for row in csv.DictReader(io.StringIO(text)) if row["name"] == "decision")
    assert await polled(f"mbpoll -1 {option}-a 1 -t 4 -r {row[column]} -p {plc.port} 127.0.0.1", mbpoll) == ["4"]


async def test_mbpoll_may_write_the_plcs_registers_and_no_others(mbpoll: str, plc: ModbusPlc) -> None:
    own = f"mbpoll -1 -a 1 -t 4 -r 105 -p {plc.port} 127.0.0.1 1"
    process = await asyncio.create_subprocess_exec(mbpoll, *shlex.split(own)[1:], stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    foreign = f"mbpoll -1 -a 1 -t 4 -r 42 -p {plc.port} 127.0.0.1 1"
    process = await asyncio.create_subprocess_exec(
        mbpoll, *shlex.split(foreign)[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert "Illegal data address" in output.decode()
    assert await polled(f"mbpoll -1 -a 1 -t 4 -r 42 -p {plc.port} 127.0.0.1", mbpoll) == ["4"]


async def test_the_printed_line_of_a_serial_device_reads_it(mbpoll: str) -> None:
    peer = Peer()
    peer.input[15] = 3395
    serial = RtuPeer(peer)
    link = RtuLink(kind="rtu", device=serial.device, parity="N")
    lines = list_registers(load_map("jig", INSPECTED), "mbpoll", link).splitlines()
    assert await polled(next(line for line in lines if line.endswith("# speed")), mbpoll) == ["3395"]
    serial.stop()
