"""The cell hangs on nothing above its line PLC: each process beside it is killed in the middle of a part."""

import asyncio
import signal
import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from station.cell.packml import State
from tests.cell.bench import Bench, until
from tests.cell.conftest import station_command
from tests.free_port import free_port
from tests.plant.cells import cell_at_work
from tests.plant.peers import Broker

pytestmark = [pytest.mark.plant, pytest.mark.timeout(280)]

SAYS = {"page": b"operator page: ", "opcua": b"OPC UA: ", "sparkplug": b"Sparkplug: "}
PATIENCE_S = 120.0


async def started(word: str, config: Path, data: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    """A process beside the station, which has said where it is."""
    command = station_command(word, "--config", config, "--data", data)
    root = str(Path(__file__).parents[2])
    child = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**environment, "PYTHONPATH": root}
    )
    assert child.stdout is not None
    said = b""
    async with asyncio.timeout(PATIENCE_S):
        while SAYS[word] not in said:
            line = await child.stdout.readline()
            assert line, f"{word} ended: {said.decode()}"
            said += line
    return child


async def killed(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
    await child.communicate()
    assert child.returncode == -signal.SIGKILL


async def test_page_opcua_sparkplug_and_broker_are_killed_in_mid_part_and_the_part_is_sorted(
    tmp_path: Path, make_config: Callable[..., Path], environment: dict[str, str]
) -> None:
    data, broker = tmp_path / "data", Broker(tmp_path, free_port())
    config = make_config(
        ("port = 8480", "port = 0"), ("port = 4840", "port = 0"), ("port = 1883", f"port = {broker.port}")
    )
    async with cell_at_work(data) as cell, AsyncExitStack() as plant:
        with broker.up():
            beside = [await started(word, config, data, environment) for word in SAYS]
            for child in beside:
                plant.push_async_callback(killed, child)
            await cell.start()
            cell.feed("A1")
            await until(lambda: cell.floor.infeed != "A1")
            assert cell.floor.sorted_parts == [], "the robot has it, and it is not judged yet"
            for child in beside:
                child.kill()
        for number, part in enumerate(("A2", "A3"), 1):
            await sorted_of(cell, number)
            cell.feed(part)
        await sorted_of(cell, 3)
        assert [place for _, place in cell.floor.sorted_parts] == ["second_inspection"] * 3
        assert cell.desk.view.state is State.EXECUTE
        assert cell.fault is None


async def sorted_of(cell: Bench, count: int) -> None:
    """Return when so many parts lie in their places."""
    await until(lambda: len(cell.floor.sorted_parts) >= count)
