"""From the start of the process `station run` to Idle, as its supervisor hears it over the notification socket.

Cold is a data folder in which nothing lies yet, so that the network is compiled and the database made; warm is the
second start with the same folder. Devices are those of the simulated cell; Reset is given as soon as it is taken.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from station.bench.cell_config import at_line_rate, private, write_config
from station.bench.housings import write_recording
from station.bench.plan import BenchPlan
from station.core.choices import Speed
from station.core.errors import ConfigError
from station.core.settings import Settings
from station.host.control import send
from station.host.simulated_cell import SimulatedCell

COMMAND = ("-c", "from station.cli.app import main; main()", "run")
IDLE_TIMEOUT_S = 60.0
END_TIMEOUT_S = 30.0
LONGEST_NOTICE = 4096


def startup_s(plan: BenchPlan) -> dict[str, float]:
    """Seconds to Idle, cold and warm.

    Raises:
        ConfigError: The simulated cell or the station did not start.
    """
    with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
        return asyncio.run(_starts(plan.settings, Path(folder)))


async def _starts(settings: Settings, folder: Path) -> dict[str, float]:
    settings, config = private(at_line_rate(settings), folder), folder / "cell.toml"
    await asyncio.to_thread(write_config, settings, config)
    await asyncio.to_thread(write_recording, settings, folder / "recording")
    async with SimulatedCell(config, folder / "recording", 1, Speed.MAX, None, lambda _event: None) as cell:
        await asyncio.to_thread(write_config, cell.addressed(settings), config)
        cold = await _start(config, folder)
        warm = await _start(config, folder)
    return {"cold": round(cold, 2), "warm": round(warm, 2)}


async def _start(config: Path, folder: Path) -> float:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.setblocking(False)
        supervisor.bind("")  # to a name that is no file, and is never too long
        heard = "@" + supervisor.getsockname()[1:].decode()
        begun_s = time.monotonic()
        async with _station(config, folder / "data", heard) as process:
            try:
                async with asyncio.timeout(IDLE_TIMEOUT_S):
                    while (said := await loop.sock_recv(supervisor, LONGEST_NOTICE)) != b"STATUS=idle":
                        if said == b"READY=1":
                            await send(folder / "data", "reset")
            except TimeoutError as error:
                words = await _last_words(process)
                raise ConfigError("config.simulator_failed", f"the station did not become Idle: {words}") from error
            return time.monotonic() - begun_s


@asynccontextmanager
async def _station(config: Path, data: Path, supervisor: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`station run`, as its command does it; ended in order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *COMMAND, "--config", str(config), "--data", str(data),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NOTIFY_SOCKET": supervisor},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """What it has printed on standard error, its end last."""
    if process.returncode is None:
        process.kill()
    _said, words = await process.communicate()
    return words.decode(errors="replace").strip()[-2000:] or f"exit status {process.returncode}"
