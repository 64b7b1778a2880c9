"""The simulated cell as a child process: started, listened to, ended."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from station.core.choices import Speed
from station.core.errors import ConfigError
from station.core.settings import Settings, TcpLink

Event = Mapping[str, Any]
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 5.0
STDERR_TAIL_BYTES = 4000


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
        self._stderr_reader: asyncio.Task[None] | None = None
        self._stderr_tail = b""
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
        self._stderr_reader = asyncio.create_task(self._read_stderr(), name="simulated cell's errors")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self.ready = await self._until_ready()
        except TimeoutError as error:
            await self._end()
            said = f"it did not say within {START_TIMEOUT_S:g} s that it is ready"
            raise ConfigError("config.simulator_failed", said) from error
        except BaseException:
            await self._end()
            raise
        self._listener = asyncio.create_task(self._listen(), name="simulated cell")
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """End the process."""
        await self._end()

    async def gone(self) -> str:
        """Return when it tells no more, because it has ended or its output is closed; how, and its last words."""
        await asyncio.wait([self._listening()])
        return await self._how_it_ended()

    @property
    def is_gone(self) -> bool:
        """Whether it tells no more."""
        return self._listening().done()

    async def _until_ready(self) -> Event:
        async for event in self._events():
            if event["event"] == "ready":
                return event
            self._on_event(event)
        raise ConfigError("config.simulator_failed", await self._how_it_ended())

    async def _listen(self) -> None:
        async for event in self._events():
            self._on_event(event)

    async def _events(self) -> AsyncIterator[Event]:
        """What it tells; a line that its end has cut is none."""
        while (line := await _pipe(self._running().stdout).readline()).endswith(b"\n"):
            yield json.loads(line)

    async def _read_stderr(self) -> None:
        """Keep its last words; an error output that nobody reads would stop it."""
        while piece := await _pipe(self._running().stderr).read(STDERR_TAIL_BYTES):
            self._stderr_tail = (self._stderr_tail + piece)[-STDERR_TAIL_BYTES:]

    async def _how_it_ended(self) -> str:
        process = self._running()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
                await asyncio.wait([self._stderr_reader] if self._stderr_reader else [])
        status = process.returncode
        how = "its output is closed" if status is None else f"exit status {status}"
        return self._stderr_tail.decode(errors="replace").strip() or how

    async def _end(self) -> None:
        """End it in order; one that does not end, as one that was stopped, is killed."""
        process = self._running()
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        listening = [task for task in (self._listener, self._stderr_reader) if task is not None]
        await asyncio.wait(listening, timeout=END_TIMEOUT_S)
        for task in listening:
            task.cancel()

    def _listening(self) -> asyncio.Task[None]:
        if self._listener is None:
            raise RuntimeError("the simulated cell was not started")
        return self._listener

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
        if self.ready["composed"]:
            update["turn"] = settings.turn.of_composed_scans()
        elif not self.ready["closed_turns"]:
            update["turn"] = settings.turn.of_open_turns()
        return settings.model_copy(update=update)


def _pipe(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        raise RuntimeError("the simulated cell has no such pipe")
    return stream


def _address(told: Event) -> dict[str, object]:
    return {"host": told["host"], "port": told["port"]}
