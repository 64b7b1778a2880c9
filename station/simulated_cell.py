"""The simulated cell as a child process: started, listened to, ended."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from station.core.errors import ConfigError
from station.core.settings import Settings, TcpLink

Speed = Literal["real", "max"]
Event = Mapping[str, Any]
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 5.0


class SimulatedCell:
    """`python -m sim` as a child that ends with its parent; an asynchronous context manager.

    Args:
        config: The configuration file.
        recordings: Folder of the recording, or None for the bundled one.
        parts: How many parts are fed, or None for one pass of the recording.
        speed: `real`: everything takes its time; `max`: motions take none.
        truth: Where the simulated cell writes its own ledger, or None.
        on_event: Told of every event after `ready`.
        faults: What is to break, each as `NAME[@PART]`.
    """

    def __init__(
        self,
        config: Path,
        recordings: Path | None,
        parts: int | None,
        speed: Speed,
        truth: Path | None,
        on_event: Callable[[Event], None],
        faults: Sequence[str] = (),
    ) -> None:
        self._arguments = ["--config", str(config), "--speed", speed, "--report", "json", "--end-with-parent"]
        for option, value in (("--recordings", recordings), ("--parts", parts), ("--truth", truth)):
            if value is not None:
                self._arguments += [option, str(value)]
        for fault in faults:
            self._arguments += ["--fault", fault]
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self.ready: Event = {}

    async def __aenter__(self) -> Self:
        """Start the process and wait until its devices listen.

        Raises:
            ConfigError: It did not start; its own words are the detail.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sim",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self.ready = await self._until_ready()
        except BaseException:
            await self._end()
            raise
        self._listener = asyncio.create_task(self._listen(), name="simulated cell")
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """End the process."""
        await self._end()

    async def _until_ready(self) -> Event:
        process = self._running()
        while line := await process.stdout.readline():  # type: ignore[union-attr]
            event = json.loads(line)
            if event["event"] == "ready":
                return event  # type: ignore[no-any-return]
            self._on_event(event)
        words = (await process.stderr.read()).decode(errors="replace").strip()  # type: ignore[union-attr]
        raise ConfigError("config.simulator_failed", words or f"exit status {await process.wait()}")

    async def _listen(self) -> None:
        while line := await self._running().stdout.readline():  # type: ignore[union-attr]
            self._on_event(json.loads(line))
        self._on_event({"event": "ended"})

    async def _end(self) -> None:
        process = self._running()
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.communicate() if self._listener is None else await self._drain(process)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        if self._listener is not None:
            await self._listener
        await process.wait()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the simulated cell was not started")
        return self._process

    def addressed(self, settings: Settings) -> Settings:
        """The configuration with the addresses at which this cell listens, and the proofs that its scans can give."""
        robot = settings.robot.link.model_copy(update=_address(self.ready["robot"]))
        update: dict[str, object] = {"robot": settings.robot.model_copy(update={"link": robot})}
        if settings.plc.role == "client":
            plc = settings.plc.link.model_copy(update=_address(self.ready["plc"]))
            update["plc"] = settings.plc.model_copy(update={"link": plc})
        if isinstance(settings.jig.link, TcpLink):
            jig = settings.jig.link.model_copy(update=_address(self.ready["jig"]))
            update["jig"] = settings.jig.model_copy(update={"link": jig})
        if not self.ready["closed_turns"]:
            update["turn"] = settings.turn.of_open_turns()
        return settings.model_copy(update=update)


def _address(told: Event) -> dict[str, object]:
    return {"host": told["host"], "port": told["port"]}
